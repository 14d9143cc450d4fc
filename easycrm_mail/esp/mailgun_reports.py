"""What Mailgun's webhooks say: one event a call.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timezone

from .answers import UNREADABLE, check_age, plain, shorten
from .errors import Malformed, Unverified
from .values import Event, EventKind, Severity

#: Seconds that a signature counts: it is tried again for eight hours. Longer is not
#: safe: what is reported is not signed, only that it is.
MAX_AGE = 24 * 3600

_KINDS = {
    "accepted": EventKind.PROCESSED,
    "delivered": EventKind.DELIVERED,
    "rejected": EventKind.DROPPED,
    "opened": EventKind.OPENED,
    "clicked": EventKind.CLICKED,
    "unsubscribed": EventKind.UNSUBSCRIBED,
    "complained": EventKind.COMPLAINED,
}

#: Reasons of a failure for which Mailgun itself writes to nobody any more.
_SUPPRESSED = {
    "suppress-bounce",
    "suppress-complaint",
    "suppress-unsubscribe",
}


class MailgunReports:
    """The reports of one webhook.

    :param key: the signing key, which is not the API key
    """

    def __init__(self, key: str):
        self._key = key

    def verify(self, _headers: Mapping[str, str], body: bytes) -> None:
        """See `base.Reports`. It signs the time and a token, which is in the body."""
        if not self._key:
            raise Unverified("unset")
        signed = _signed(body)
        digest = hmac.new(
            self._key.encode(),
            (signed["timestamp"] + signed["token"]).encode(),
            hashlib.sha256,
        ).hexdigest()
        if not hmac.compare_digest(digest.encode(), signed["signature"].encode()):
            raise Unverified("signature")
        check_age(signed["timestamp"], MAX_AGE)

    def token(self, body: bytes) -> str:
        """The token of a verified report, which is used once."""
        return _signed(body)["token"]

    def read(self, body: bytes) -> list[Event]:
        """See `base.Reports`."""
        try:
            row = json.loads(body)["event-data"]
            kind = _kind(row)
            return [_event(row, kind)] if kind else []
        except UNREADABLE as error:
            raise Malformed("report", shorten(str(error))) from None


def _signed(body: bytes) -> dict[str, str]:
    try:
        signature = json.loads(body)["signature"]
        signed = {
            name: str(signature[name]) for name in ("timestamp", "token", "signature")
        }
        int(signed["timestamp"])
        "".join(signed.values()).encode()
    except (KeyError, RecursionError, TypeError, ValueError):
        raise Unverified("signature") from None
    return signed


def _kind(row: dict) -> EventKind | None:
    if row["event"] != "failed":
        return _KINDS.get(row["event"])
    if row.get("severity") == "temporary":
        return EventKind.DEFERRED
    if row.get("reason") in _SUPPRESSED:
        return EventKind.DROPPED
    return EventKind.BOUNCED


def _event(row: dict, kind: EventKind) -> Event:
    at = datetime.fromtimestamp(float(row["timestamp"]), timezone.utc)
    variables = row.get("user-variables") or {}
    client = row.get("client-info") or {}
    status = row.get("delivery-status") or {}
    return Event(
        # (its ids are unique within a day)
        key=f"{at:%Y%m%d}:{plain(row['id'])}"[:200],
        kind=kind,
        at=at,
        address=plain(row["recipient"]),
        recipient=plain(variables.get("easycrm_key")),
        batch=plain(variables.get("easycrm_batch")),
        reason=shorten(_reason(row, status)),
        severity=_severity(row, status) if kind is EventKind.BOUNCED else None,
        url=plain(row.get("url")),
        user_agent=plain(client.get("user-agent")),
        ip=plain(row.get("ip")),
        is_machine=bool(client.get("bot")),
    )


def _reason(row: dict, status: dict) -> str:
    if isinstance(row.get("reject"), dict):
        return plain(row["reject"].get("reason"))
    why = plain(row.get("reason"))
    said = plain(status.get("message") or status.get("description"))
    if why in _SUPPRESSED:
        # (its sentence alone does not always tell which: "… who marked your messages
        # as spam")
        return f"{why}: {said}" if said else why
    return said or why


def _severity(row: dict, status: dict) -> Severity:
    code = plain(status.get("enhanced-code") or status.get("code"))
    if row.get("reason") == "espblock" or code.startswith("5.7"):
        return Severity.BLOCKED
    # (a mailbox that stays full until Mailgun gives up comes as permanent)
    if code.startswith(("4", "5.2.2")) or row.get("reason") == "old":
        return Severity.SOFT
    return Severity.HARD
