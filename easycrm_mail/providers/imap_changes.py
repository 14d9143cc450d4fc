"""What changed in an IMAP folder since its checkpoint: arrivals, flags, removals.

Each function brings the checkpoint up to what it found.
"""

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta, timezone

from .base import ReadChange
from .imap_checkpoint import Checkpoint
from .imap_connection import Connection, FolderState

_EARLIEST_SEARCH = 1971


def reference(state: Checkpoint, uid: int) -> str:
    """A mail's ref within its folder."""
    return f"{state.uid_validity}:{uid}"


def begin(connection: Connection, folder: FolderState, since: datetime) -> Checkpoint:
    """A listing of what the folder, opened, got since a moment."""
    state = Checkpoint(
        uid_validity=folder.uid_validity,
        uid_next=folder.uid_next,
        mod_seq=folder.mod_seq,
        messages=folder.messages,
        # No count: the first pull after the listing looks at the flags.
        unseen=-1,
        listing=True,
    )
    criteria = []
    if since.year > _EARLIEST_SEARCH:
        # Servers compare days, each in a time zone of its own (RFC 3501, 6.4.4): a day
        # more, and the page looks at the hour.
        criteria = [
            "SINCE",
            (since.astimezone(timezone.utc) - timedelta(days=1)).date(),
        ]
    if folder.messages:
        state.backlog = connection.search(
            1, folder.uid_next - 1, folder.messages, *criteria
        )
    state.total = len(state.backlog)
    return state


def add_arrivals(
    connection: Connection, state: Checkpoint, folder: FolderState
) -> None:
    """Puts what came since into the backlog, of which the highest UIDs go first."""
    if folder.uid_next <= state.uid_next:
        return
    found = connection.search(state.uid_next, folder.uid_next - 1, folder.messages)
    state.uid_next = folder.uid_next
    state.messages += len(found)
    state.backlog |= found
    if state.listing:
        state.total += len(found)


def is_unchanged(state: Checkpoint, status: FolderState) -> bool:
    """Nothing came, went or was read.

    Without HIGHESTMODSEQ the number of unread mails stands for the flags: one read and
    another one marked unread between two looks is seen with the next change only.
    """
    return (
        state.uid_validity == status.uid_validity
        and state.uid_next == status.uid_next
        and state.messages == status.messages
        and state.mod_seq == status.mod_seq
        and (bool(state.mod_seq) or state.unseen == status.unseen)
    )


def sweep(
    connection: Connection,
    state: Checkpoint,
    folder: FolderState,
    known: AbstractSet[int],
    unseen: int,
) -> tuple[list[ReadChange], list[str]]:
    """The flags that changed and the mails that went, among those handed over before.

    With QRESYNC (RFC 7162, 3.2) the server would tell both: this is the place for it.

    :param folder: as it was opened
    :param known: the UIDs handed over before this pull
    :param unseen: how many unread mails STATUS counted, -1 if it was not asked
    """
    counts = bool(state.mod_seq and folder.mod_seq)
    flags: dict[int, bool] = {}
    existing: AbstractSet[int] = known
    if known and (not counts or state.messages != folder.messages):
        first, last = min(known), max(known)
        existing = known & connection.search(first, last, folder.messages)
        if not counts:
            unread = connection.search(first, last, folder.messages, "UNSEEN")
            flags = _changed(state, existing, unread)
    if known and counts and folder.mod_seq != state.mod_seq:
        flags = connection.flags_since(1, folder.uid_next - 1, state.mod_seq)
    removed = known - existing
    changes = [
        ReadChange(reference(state, uid), flags[uid])
        for uid in sorted(flags)
        if uid in existing
    ]
    state.known -= removed
    state.unread -= removed
    if folder.mod_seq:
        state.unread.clear()
    else:
        state.unread -= {uid for uid, is_read in flags.items() if is_read}
        state.unread |= {uid for uid, is_read in flags.items() if not is_read}
    state.messages = folder.messages
    state.mod_seq = folder.mod_seq
    state.unseen = unseen
    return changes, [reference(state, uid) for uid in sorted(removed)]


def _changed(
    state: Checkpoint, existing: AbstractSet[int], unread: AbstractSet[int]
) -> dict[int, bool]:
    """UID -> whether it is read, where that is not as before."""
    if state.mod_seq:
        # The server has stopped counting, and until now nobody kept the flags.
        return {uid: uid not in unread for uid in existing}
    return {
        uid: uid not in unread
        for uid in existing
        if (uid in unread) != (uid in state.unread)
    }
