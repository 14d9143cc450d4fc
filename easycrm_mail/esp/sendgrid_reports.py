"""What SendGrid's event webhook says.

Fields: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timezone

from sendgrid.helpers.eventwebhook import EventWebhook, EventWebhookHeader

from .answers import UNREADABLE, check_age, plain, shorten
from .errors import Malformed, Unverified
from .values import Event, EventKind, Severity

_logger = logging.getLogger(__name__)

#: Seconds that a signature counts. It is tried again until a day after the event, and
#: whether it is signed anew then is not told. Who repeats it later has recorded it; and
#: what it says is known by the keys of its events, until those are forgotten (which
#: must take longer).
MAX_AGE = 3 * 24 * 3600

_KINDS = {
    "processed": EventKind.PROCESSED,
    "deferred": EventKind.DEFERRED,
    "delivered": EventKind.DELIVERED,
    "bounce": EventKind.BOUNCED,
    "dropped": EventKind.DROPPED,
    "open": EventKind.OPENED,
    "click": EventKind.CLICKED,
    "spamreport": EventKind.COMPLAINED,
    "unsubscribe": EventKind.UNSUBSCRIBED,
    "group_unsubscribe": EventKind.UNSUBSCRIBED,
    "group_resubscribe": EventKind.RESUBSCRIBED,
}


class SendGridReports:
    """The reports of one webhook.

    :param key: its verification key, base64 of a DER public key
    """

    def __init__(self, key: str):
        self._key = key

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """See `base.Reports`. The signature covers the body as it came."""
        if not self._key:
            raise Unverified("unset")
        signature = headers.get(EventWebhookHeader.SIGNATURE) or ""
        timestamp = headers.get(EventWebhookHeader.TIMESTAMP) or ""
        try:
            is_signed = EventWebhook(self._key).verify_signature(
                body.decode(), signature, timestamp
            )
        except Exception as error:  # noqa: BLE001 (of a key or a signature that is none)
            raise Unverified("signature", type(error).__name__) from None
        if not is_signed:
            raise Unverified("signature")
        check_age(timestamp, MAX_AGE)

    def token(self, _body: bytes) -> str:
        """Nothing: the signature covers all of the body, so that it proves itself."""
        return ""

    def read(self, body: bytes) -> list[Event]:
        """See `base.Reports`. An event that makes no sense keeps no other out."""
        events, broken = [], None
        try:
            rows = json.loads(body)
            if not isinstance(rows, list):
                raise TypeError("no list")
        except UNREADABLE as error:
            raise Malformed("report", shorten(str(error))) from None
        for row in rows:
            try:
                if row.get("event") in _KINDS:
                    events.append(_event(row))
            except UNREADABLE as error:
                broken = error
                # (not its text: somebody's address may stand in it)
                _logger.warning("An event makes no sense: %s", type(error).__name__)
        if broken and not events:
            raise Malformed("report", shorten(str(broken))) from None
        return events


def _event(row: dict) -> Event:
    kind = _KINDS[row["event"]]
    if not row["sg_event_id"]:
        raise ValueError("no key")  # (all of these would be one and the same event)
    return Event(
        key=plain(row["sg_event_id"])[:200],
        kind=kind,
        at=datetime.fromtimestamp(int(row["timestamp"]), timezone.utc),
        address=plain(row["email"]),
        recipient=plain(row.get("easycrm_key")),
        batch=plain(row.get("easycrm_batch")),
        reason=shorten(plain(row.get("reason") or row.get("response"))),
        severity=_severity(row) if kind is EventKind.BOUNCED else None,
        url=plain(row.get("url")),
        user_agent=plain(row.get("useragent")),
        ip=plain(row.get("ip")),
        is_machine=row.get("sg_machine_open") is True,
    )


def _severity(row: dict) -> Severity:
    if row.get("type") == "blocked":
        return Severity.BLOCKED
    # ("bounce" is for good as a rule, but a full mailbox is told so as well)
    return Severity.SOFT if plain(row.get("status")).startswith("4") else Severity.HARD
