"""When a mail was written."""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from email.utils import mktime_tz, parsedate_tz

_EARLIEST = datetime(1990, 1, 1, tzinfo=timezone.utc)
_LEAD = timedelta(days=2)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# Long values are comments: no date has them.
_MAX_DATE = 200


def sent_at(
    date: str, received: Iterable[str], received_at: datetime | None
) -> datetime:
    """The Date if it can be true, else the best that is known.

    A Date before 1990, or more than two days after the mailbox got the mail, is a clock
    gone wrong or a sender who wants to stand on top. Then the newest Received line
    with a possible date counts, then `received_at`, then now. Never raises.

    :param date: the Date field
    :param received: the Received fields, newest first as they stand in the mail
    :param received_at: when the mailbox got it, aware, or None; a time before 1990 or
        yet to come is none
    :returns: aware, in UTC
    """
    now = datetime.now(timezone.utc)
    arrival = received_at or now
    # (compared as it is: beyond the year 9999 there is no other time zone)
    if not _EARLIEST <= arrival <= now + _LEAD:
        arrival = now
    arrival = arrival.astimezone(timezone.utc)
    latest = arrival + _LEAD
    written = read_date(date)
    if written and _EARLIEST <= written <= latest:
        return written
    for value in received:
        hop = read_date(value.rpartition(";")[2])
        if hop and _EARLIEST <= hop <= latest:
            return hop
    return arrival


def read_date(value: str) -> datetime | None:
    """A date as RFC 5322 or its predecessors write it, in UTC, or None.

    Without a time zone it is taken as UTC.
    """
    try:
        parsed = parsedate_tz(value[:_MAX_DATE])
        # Not fromtimestamp(): its range is the platform's.
        return _EPOCH + timedelta(seconds=mktime_tz(parsed)) if parsed else None
    except (ArithmeticError, IndexError, TypeError, ValueError):
        return None
