"""What an IMAP folder holds of the last days: UIDs and dates, and no mails."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from .base import Held
from .imap_answers import FolderState
from .imap_changes import since_criteria
from .imap_connection import Connection

#: Mails of one answer: a week of most mailboxes.
PIECE_MAILS = 5_000


def held_since(
    connection: Connection, folder: FolderState, starts: Sequence[datetime], last: int
) -> Held:
    """The mails of a folder, opened, above a UID. See `base.Provider.held`.

    :param starts: where each span begins
    :param last: the UID up to which the pieces before have told
    """
    if not folder.messages:
        return Held({})
    criteria = since_criteria(starts[0])
    found = sorted(connection.search(last + 1, None, folder.messages, *criteria))
    piece = found[:PIECE_MAILS]
    asked, refs = set(piece), {}
    for uid, outline in connection.outlines(piece).items():
        # (one without a date is never before the window either, when it is read)
        span = bisect_right(starts, outline.received_at or starts[-1]) - 1
        if span >= 0 and uid in asked:
            refs[f"{folder.uid_validity}:{uid}"] = span
    more = len(found) > len(piece)
    return Held(refs, f"{folder.uid_validity}:{piece[-1]}" if more else "")
