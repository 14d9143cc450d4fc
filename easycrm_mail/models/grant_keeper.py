"""The tokens of one mailbox, for its provider: in any thread, for several workers."""

import threading

from psycopg2 import OperationalError
from psycopg2.errors import SerializationFailure

from ..providers import Permanent, Reconnect, Retry
from . import secrets
from .retrying import ATTEMPTS

#: Seconds to wait for another worker that is refreshing the same grant.
LOCK_SECONDS = 25


class GrantKeeper:
    """A `providers.TokenSource` over a row of `easycrm.email.grant`.

    :param registry: of the database
    :param sign_in: the `providers.SignIn` that the grant is of
    :param str secret: what is kept now, decrypted
    :param float seconds: to wait for another worker, at most
    """

    def __init__(self, registry, account_id, sign_in, secret, seconds=LOCK_SECONDS):
        self._registry = registry
        self._account_id = account_id
        self._sign_in = sign_in
        self._token = sign_in.fresh(secret)
        self._wait = min(seconds, LOCK_SECONDS)
        self._lock = threading.Lock()

    def __repr__(self):
        return f"<GrantKeeper of mailbox {self._account_id}>"

    def __call__(self, refused=""):
        with self._lock:
            if not self._token or self._token == refused:
                self._token = self._renew(refused)
            return self._token

    def _renew(self, refused):
        for _attempt in range(ATTEMPTS):
            try:
                with self._registry.cursor() as cr:
                    return self._renew_with(cr, refused)
            except SerializationFailure:
                continue  # another worker has just renewed it: a fresh snapshot has it
            except OperationalError:
                break
        raise Retry("internal", "the grant is in use")

    def _renew_with(self, cr, refused):
        """Return a token; a new grant is committed before anybody uses the token.

        The row stays locked while the service is asked: of two workers the second one
        finds what the first one was given. Microsoft's refresh tokens replace
        themselves; one that is used twice may end the grant.
        """
        cr.execute("SELECT set_config('lock_timeout', %s, TRUE)", [f"{self._wait}s"])
        cr.execute(
            "SELECT secret FROM easycrm_email_grant WHERE account_id = %s FOR UPDATE",
            [self._account_id],
            log_exceptions=False,
        )
        row = cr.fetchone()
        if not row:
            raise Reconnect("grant", "disconnected meanwhile")
        try:
            secret = secrets.decrypt(row[0])
        except secrets.UnknownKey:
            raise Permanent("key") from None
        token = self._sign_in.token(secret, refused)
        if token.secret != secret:
            cr.execute(
                "UPDATE easycrm_email_grant SET secret = %s WHERE account_id = %s",
                [secrets.encrypt(token.secret), self._account_id],
            )
        return token.value
