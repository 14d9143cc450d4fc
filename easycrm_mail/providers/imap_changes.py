"""What changed in an IMAP folder since its checkpoint: arrivals, flags, removals.

Each function brings the checkpoint up to what it found.
"""

from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta, timezone

from .base import ReadChange
from .imap_answers import FolderState
from .imap_checkpoint import Checkpoint
from .imap_connection import Connection
from .uid_set import count, within

_EARLIEST_SEARCH = 1971
# So many unread mails are looked at one by one, where nothing else tells of flags.
MAX_UNREAD = 5_000


def reference(state: Checkpoint, uid: int) -> str:
    """A mail's ref within its folder."""
    return f"{state.uid_validity}:{uid}"


def since_criteria(since: datetime) -> list[str | date]:
    """The SEARCH criteria for what a folder got since a moment, and some more.

    Servers compare days, each in a time zone of its own (RFC 3501, 6.4.4): a day more,
    and whoever reads the dates looks at the hour.
    """
    if since.year <= _EARLIEST_SEARCH:
        return []
    return ["SINCE", (since.astimezone(timezone.utc) - timedelta(days=1)).date()]


def begin(connection: Connection, folder: FolderState, since: datetime) -> Checkpoint:
    """A listing of what the folder, opened, got since a moment."""
    state = Checkpoint(
        uid_validity=folder.uid_validity,
        told=folder.uid_next,
        mod_seq=folder.mod_seq,
        messages=folder.messages,
        # No count: the first pull after the listing looks at the flags.
        unseen=-1,
        listing=True,
    )
    criteria = since_criteria(since)
    if folder.messages:
        # Asked before the search: what is not above it has been seen by the search.
        last = connection.last_uid()
        state.backlog = connection.search(1, None, folder.messages, *criteria)
        state.uid_next = max(last, max(state.backlog, default=0)) + 1
    state.total = len(state.backlog)
    return state


def is_void(
    connection: Connection, state: Checkpoint | None, folder: FolderState
) -> bool:
    """Whether a checkpoint no longer means the folder, opened.

    A UIDNEXT below what was seen is a restored backup, where UIDs are given out again;
    or it is wrong, where mails stand at and above it.
    """
    if state is None or state.uid_validity != folder.uid_validity:
        return True
    if not 0 < folder.uid_next < state.uid_next:
        return False
    return not folder.messages or connection.last_uid() < folder.uid_next


def add_arrivals(
    connection: Connection, state: Checkpoint, folder: FolderState
) -> None:
    """Puts what came since into the backlog, of which the highest UIDs go first.

    UIDNEXT is believed only where it says that nothing came and nothing else speaks
    against it; how far a folder has been read, the mails tell.
    """
    is_as_told = folder.uid_next == state.told == state.uid_next
    if not folder.messages or (is_as_told and folder.messages == state.messages):
        return
    found = connection.search(state.uid_next, None, folder.messages)
    state.uid_next = max(state.uid_next, max(found, default=0) + 1)
    state.told = folder.uid_next
    state.messages += len(found)
    state.backlog |= found
    if state.listing:
        state.total += len(found)


def is_unchanged(state: Checkpoint, status: FolderState) -> bool:
    """Nothing came, went or was read, as far as STATUS can tell.

    Without HIGHESTMODSEQ the number of unread mails stands for the flags, where there
    are too many to look at each: one read and another one marked unread between two
    looks is then seen with the next change only.
    """
    if (
        state.uid_validity != status.uid_validity
        or state.told != status.uid_next
        or state.uid_next > status.uid_next
        or state.messages != status.messages
        or state.mod_seq != status.mod_seq
    ):
        return False
    if state.mod_seq:
        return True
    is_telling = status.unseen in (0, status.messages) or status.unseen > MAX_UNREAD
    return is_telling and state.unseen == status.unseen


def sweep(
    connection: Connection,
    state: Checkpoint,
    folder: FolderState,
    known: AbstractSet[int],
    unseen: int,
) -> tuple[list[ReadChange], list[str]]:
    """The flags that changed and the mails that went, among those handed over before.

    ==========  =============================  ===================================
    server has  flags                          removals
    ==========  =============================  ===================================
    QRESYNC     the changed ones are told      those that went are told
    CONDSTORE   the changed ones are told      searched, if mails are missing
    neither     a search for the unread ones   searched, if mails are missing
    ==========  =============================  ===================================

    A HIGHESTMODSEQ that went back tells nothing: all flags are taken anew.

    :param folder: as it was opened
    :param known: the UIDs handed over before this pull
    :param unseen: how many unread mails STATUS counted, -1 if it was not asked
    """
    flags: dict[int, bool] = {}
    removed: set[int] = set()
    if known:
        first, last = min(known), max(known)
        counts = 0 < state.mod_seq <= folder.mod_seq
        told = 0
        if counts and folder.mod_seq != state.mod_seq:
            # Of mail before the window too, or the count would not come out even.
            end = state.uid_next - 1
            flags, vanished = connection.changed_since(1, end, state.mod_seq)
            removed = within(known, vanished)
            told = count(vanished, end)
        # A list of what vanished may hold more than went, and must not hold less.
        missing = state.messages - folder.messages - told
        if missing > 0 or missing and not told:
            removed |= known - connection.search(first, last, folder.messages)
        if not counts:
            unread = connection.search(first, last, folder.messages, "UNSEEN")
            flags = _changed(state, known - removed, unread)
    changes = [
        ReadChange(reference(state, uid), flags[uid])
        for uid in sorted(flags)
        if uid in known and uid not in removed
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
