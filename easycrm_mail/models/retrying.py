"""Transactions that another one crosses: they are made again, on a fresh snapshot."""

import contextlib
import logging
import threading
import time

from psycopg2 import IntegrityError, InterfaceError, OperationalError
from psycopg2.errors import DeadlockDetected, SerializationFailure

from odoo.exceptions import ConcurrencyError

#: How often a transaction is made at most.
ATTEMPTS = 5

#: What a transaction raises that another one has crossed.
CROSSED = (SerializationFailure, DeadlockDetected, ConcurrencyError)

#: What nothing that is written is to blame for: the database, or another transaction.
PASSING = (OperationalError, InterfaceError, ConcurrencyError)

_quiet = threading.local()
logging.getLogger("odoo.sql_db").addFilter(
    lambda _record: not getattr(_quiet, "depth", 0)
)


@contextlib.contextmanager
def quiet_sql():
    """Keep Odoo from logging the queries that fail within: mail stands in them.

    In this thread alone: `mute_logger` in two threads at once may mute for ever.
    """
    _quiet.depth = getattr(_quiet, "depth", 0) + 1
    try:
        yield
    finally:
        _quiet.depth -= 1


class Retrying:
    """A cron's run that commits by itself.

    :ivar env: of the superuser
    :ivar int attempt: which making of the running transaction this is, from 1
    :ivar int attempts: how often it is made at most
    """

    attempt = 1
    attempts = ATTEMPTS

    def _retrying(self, function, *args):
        """Call and commit; again when another transaction crossed."""
        for attempt in range(1, self.attempts + 1):
            self.attempt = attempt
            try:
                with quiet_sql():
                    result = function(*args)
                    self.env.flush_all()
                # what the network brought is safe before the next wait
                self.env["ir.cron"]._commit_progress()
                return result
            except (*CROSSED, IntegrityError):
                self._roll_back()
                if attempt == self.attempts:
                    raise
                time.sleep(0.05 * attempt)
        return None

    def _roll_back(self):
        self.env.cr.rollback()
        self.env.transaction.reset()
