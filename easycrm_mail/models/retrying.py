"""Transactions that another one crosses: they are made again, on a fresh snapshot."""

import time

from psycopg2 import IntegrityError
from psycopg2.errors import DeadlockDetected, SerializationFailure

from odoo.exceptions import ConcurrencyError
from odoo.tools import mute_logger

#: How often a transaction is made at most.
ATTEMPTS = 5

#: What a transaction raises that another one has crossed.
CROSSED = (SerializationFailure, DeadlockDetected, ConcurrencyError)


class Retrying:
    """A cron's run that commits by itself.

    :ivar env: of the superuser
    :ivar int attempt: which making of the running transaction this is, from 1
    """

    attempt = 1

    def _retrying(self, function, *args):
        """Call and commit; again when another transaction crossed."""
        for attempt in range(1, ATTEMPTS + 1):
            self.attempt = attempt
            try:
                with mute_logger("odoo.sql_db"):
                    result = function(*args)
                # what the network brought is safe before the next wait
                self.env["ir.cron"]._commit_progress()
                return result
            except (*CROSSED, IntegrityError):
                self._roll_back()
                if attempt == ATTEMPTS:
                    raise
                time.sleep(0.05 * attempt)
        return None

    def _roll_back(self):
        self.env.cr.rollback()
        self.env.transaction.reset()
