"""A look at the headers of an IMAP folder, of which nothing is kept."""

import heapq
from datetime import datetime, timedelta, timezone
from time import monotonic

from .base import SKIM_SECONDS, Skim
from .imap_answers import FolderState
from .imap_connection import Connection
from .skim_glance import glance

CHUNK_MAILS = 100
_EARLIEST_SEARCH = 1971


def skim(
    connection: Connection,
    stream: str,
    since: datetime,
    until: datetime,
    position: str,
    size: int,
) -> Skim:
    """See `base.Provider.skim`. The position is UIDVALIDITY, the lowest UID looked at,
    and how many mails that were."""
    folder = connection.examine(stream)
    below, done = _read_position(position, folder.uid_validity)
    found = _search(connection, folder, since, until, below)
    total = done + len(found)
    deadline = monotonic() + SKIM_SECONDS
    wanted = heapq.nlargest(size, found)
    glances = []
    for start in range(0, len(wanted), CHUNK_MAILS):
        if start and monotonic() > deadline:
            break
        chunk = wanted[start : start + CHUNK_MAILS]
        heads = connection.fields(chunk)
        for uid in chunk:
            head = heads.get(uid)
            if head and _is_within(head.received_at, since, until):
                place = f"{stream}:{folder.uid_validity}:{uid}"
                glances.append(glance(place, head.raw or b"", head.received_at))
        below, done = chunk[-1], done + len(chunk)
    is_over = done >= total
    return Skim(
        glances=tuple(glances),
        position="" if is_over else f"{folder.uid_validity}:{below}:{done}",
        done=done,
        total=total,
    )


def _read_position(position: str, uid_validity: int) -> tuple[int, int]:
    """The UID below which to go on, 0 for the top, and how many mails are above it.

    Of a folder that was set up anew, or a position that is none, from the top.
    """
    parts = position.split(":")
    if len(parts) == 3 and len(position) < 40 and all(map(str.isdecimal, parts)):
        validity, below, done = map(int, parts)
        if validity == uid_validity:
            return below, done
    return 0, 0


def _search(
    connection: Connection,
    folder: FolderState,
    since: datetime,
    until: datetime,
    below: int,
) -> set[int]:
    """UIDs of the days in question: servers compare days, each in a time zone of its
    own, so it is one more at either end (RFC 3501, 6.4.4)."""
    if not folder.messages or below == 1:
        return set()
    day = timedelta(days=1)
    criteria: list = ["BEFORE", (until.astimezone(timezone.utc) + 2 * day).date()]
    if since.year > _EARLIEST_SEARCH:
        criteria += ["SINCE", (since.astimezone(timezone.utc) - day).date()]
    last = below - 1 if below else None
    return connection.search(1, last, folder.messages, *criteria)


def _is_within(moment: datetime | None, since: datetime, until: datetime) -> bool:
    return moment is None or since <= moment < until
