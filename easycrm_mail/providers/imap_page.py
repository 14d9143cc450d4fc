"""One page of an IMAP folder's backlog: the newest mails, whole.

No mail holds up the others: what the server will not hand over, or breaks the
connection about, is asked for alone, and then set aside. What does not come in time is
left for the end, asked for alone and with more patience, and set aside at last. But no
mail is to blame where the server gives no other either.
"""

import heapq
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic

from .base import RemoteMessage, SetAside
from .errors import MailboxError, Retry
from .imap_answers import Fetched
from .imap_changes import reference
from .imap_checkpoint import Checkpoint
from .imap_connection import Connection
from .imap_errors import is_refusal, translate
from .imap_structure import describe_attachments

PAGE_MAILS = 200
PAGE_BYTES = 16_000_000
# A page is cut here, between two commands: what is there by now is worth storing.
PAGE_SECONDS = 20
CHUNK_MAILS = 50
CHUNK_BYTES = 4_000_000
MAX_MAIL_BYTES = 25_000_000
# Connections broken in one pull before it makes do with what it has.
MAX_BREAKS = 3
# How many mails are looked at for a small one, to see whether the server gives any.
PROBES = 20
# How often a mail is asked for that does not come in time.
MAX_TRIES = 3
# Shares of the provider's time-out: for a look whether any mail comes, and for a mail
# that did not come in one.
PROBE_PATIENCE, LONG_PATIENCE = 0.25, 2

_EMPTY = "The server lists the email but gives it without content."
_REFUSED = "The server lists the email but refuses to give it: {words}"
_BREAKS = "The connection breaks whenever the server is asked for the email."
SLOW = "The email does not arrive in time; the server was asked for it {tries} times."


@dataclass
class Page:
    """What was read.

    :ivar is_cut: it ended with a mail that did not come in time; the connection is of
        no more use
    """

    messages: list[RemoteMessage] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    is_cut: bool = False


class _Enough(Exception):
    """The page ends here; what is left of it stays in the backlog."""


class PageReader:
    """Reads one page.

    :param connection: with the folder open
    :param reopen: gives a new one, by UIDVALIDITY, after the old one broke
    :ivar connection: the one in use
    """

    def __init__(self, connection: Connection, reopen: Callable[[int], Connection]):
        self.connection = connection
        self._reopen = reopen
        self._breaks = 0
        self._gives = False
        self._page = Page()

    def read(self, state: Checkpoint, since: datetime) -> Page:
        """The newest mails of the backlog, which are then known, or gone from it.

        Mail that the folder got before `since` is passed over.
        """
        deadline = monotonic() + PAGE_SECONDS
        wanted = heapq.nlargest(PAGE_MAILS, state.backlog - state.slow.keys())
        with suppress(_Enough):
            if state.slow and not wanted:
                self._read_slow(state, deadline)
            for chunk in self._chunks(state, wanted, since):
                found = self._mails(state, chunk)
                for uid in chunk:
                    self._take(state, uid, found)
                if monotonic() > deadline or self._is_full():
                    break
        return self._page

    def _is_full(self) -> bool:
        """Whether far more came than the server had said that it would."""
        return sum(len(one.raw) for one in self._page.messages) > 2 * PAGE_BYTES

    def _chunks(
        self, state: Checkpoint, wanted: Sequence[int], since: datetime
    ) -> Iterator[list[int]]:
        """The UIDs to ask for, in pieces of one command each."""
        outlines = self._outlines(state, wanted)
        chunk: list[int] = []
        page_bytes = chunk_bytes = 0
        for uid in wanted:
            if uid not in state.backlog:
                # Set aside already
                continue
            outline = outlines.get(uid)
            if outline is None or _is_before(outline, since):
                # Gone since the search, or none of ours
                self._pass_over(state, uid)
                continue
            if outline.size > MAX_MAIL_BYTES:
                if chunk:
                    yield chunk
                    chunk, chunk_bytes = [], 0
                self._take(state, uid, self._heads(state, uid))
                continue
            page_bytes += outline.size
            if page_bytes > PAGE_BYTES and page_bytes > outline.size:
                break
            if chunk and (
                len(chunk) >= CHUNK_MAILS or chunk_bytes + outline.size > CHUNK_BYTES
            ):
                yield chunk
                chunk, chunk_bytes = [], 0
            chunk.append(uid)
            chunk_bytes += outline.size
        if chunk:
            yield chunk

    def _outlines(self, state: Checkpoint, uids: Sequence[int]) -> dict[int, Fetched]:
        if not uids:
            return {}
        try:
            found = self.connection.outlines(uids)
        except Exception as error:  # noqa: BLE001
            self._mend(state, error, ())
            found = self._one_by_one(
                state, uids, lambda uid: self.connection.outlines([uid])
            )
        missing = {uid for uid in uids if uid not in found} & state.backlog
        if missing:
            # Gone since the search, most often; if not, nobody may lose it.
            first, last = min(missing), max(missing)
            for uid in missing & self.connection.search(first, last, state.messages):
                self._put_aside(state, uid, _EMPTY)
        return found

    def _mails(self, state: Checkpoint, uids: Sequence[int]) -> dict[int, Fetched]:
        try:
            found = self._ask(uids)
        except Exception as error:  # noqa: BLE001
            self._mend(state, error, uids)
            found = {}
        missing = [uid for uid in uids if uid not in found or not found[uid].raw]
        found.update(self._one_by_one(state, missing, lambda uid: self._ask([uid])))
        missing = [uid for uid in missing if uid not in found and uid in state.backlog]
        if missing:
            # Not gone in between, if it still has an outline
            found.update(self.connection.outlines(missing))
        return found

    def _heads(self, state: Checkpoint, uid: int) -> dict[int, Fetched]:
        """The header of a mail that is too large, and what it consists of."""
        return self._one_by_one(
            state, [uid], lambda uid: read_head(self.connection, uid)
        )

    def _ask(self, uids: Sequence[int], patience: float = 1) -> dict[int, Fetched]:
        found = self.connection.mails(uids, patience)
        self._gives = self._gives or any(mail.raw for mail in found.values())
        return found

    def _read_slow(self, state: Checkpoint, deadline: float) -> None:
        """Asks once more for what did not come in time, each mail alone."""
        self._gives_others(state)
        sizes = self.connection.outlines(state.slow)
        for uid in sorted(state.slow, reverse=True):
            try:
                if uid in sizes and sizes[uid].size > MAX_MAIL_BYTES:
                    found = read_head(self.connection, uid)
                else:
                    found = self._ask([uid], LONG_PATIENCE)
            except Exception as error:  # noqa: BLE001
                failure = translate(error)
                if not is_refusal(error):
                    self._count_late(state, [uid], failure)
                words = _REFUSED.format(words=failure.detail)
                self._put_aside(state, uid, words)
            else:
                self._take(state, uid, found)
            if monotonic() > deadline:
                break

    def _one_by_one(
        self,
        state: Checkpoint,
        uids: Sequence[int],
        ask: Callable[[int], dict[int, Fetched]],
    ) -> dict[int, Fetched]:
        """Each alone, twice where it breaks the connection; failures are set aside."""
        found: dict[int, Fetched] = {}
        for uid in uids:
            failure, words = Exception(), ""
            for _attempt in range(2):
                try:
                    found.update(ask(uid))
                    break
                except Exception as error:  # noqa: BLE001
                    failure, words = error, self._mend(state, error, [uid])
            else:
                if words == _BREAKS and not self._gives_others(state, [uid]):
                    raise failure
                self._put_aside(state, uid, words)
        return found

    def _mend(self, state: Checkpoint, error: Exception, uids: Sequence[int]) -> str:
        """Makes the connection usable again after an error that mails may have caused.

        :param uids: of those mails
        :returns: what to say of them
        :raises MailboxError: where no mail is the cause, or the server is away
        :raises _Enough: where it took too long or broke too often
        """
        failure = translate(error)
        if is_refusal(error):
            return _REFUSED.format(words=failure.detail)
        if not isinstance(failure, Retry) or failure.code == "busy":
            raise failure
        if failure.code == "timeout":
            self._count_late(state, uids, failure)
        self._breaks += 1
        self.connection = self._reopen(state.uid_validity)
        if self._breaks > MAX_BREAKS:
            if self._page.messages or self._page.set_aside:
                raise _Enough
            raise failure
        return _BREAKS

    def _count_late(
        self, state: Checkpoint, uids: Sequence[int], failure: MailboxError
    ) -> None:
        """Leaves mails for the end that did not come in time, or sets them aside."""
        suspects = uids if len(uids) == 1 else ()
        if not uids or not self._gives_others(state, suspects):
            raise failure
        for uid in uids:
            state.slow[uid] = tries = state.slow.get(uid, 0) + 1
            if tries >= MAX_TRIES:
                self._put_aside(state, uid, SLOW.format(tries=tries))
        self._page.is_cut = True
        raise _Enough

    def _gives_others(self, state: Checkpoint, suspects: Collection[int] = ()) -> bool:
        """Whether the server hands over any mail but the suspects.

        If not, it is the server that is slow or breaks off, and no mail is to blame.
        """
        if self._gives:
            return True
        self.connection = self._reopen(state.uid_validity)
        outlines = self.connection.outlines(heapq.nlargest(PROBES, state.known))
        others = heapq.nsmallest(1, outlines, key=lambda uid: outlines[uid].size)
        # By chance: with the same ones each time it could be stuck at bad ones.
        rest = sorted(state.backlog - set(suspects))
        for uid in others + random.sample(rest, min(2, len(rest))):
            try:
                self._ask([uid], PROBE_PATIENCE)
            except Exception:  # noqa: BLE001
                self.connection = self._reopen(state.uid_validity)
            if self._gives:
                return True
        return False

    def _take(self, state: Checkpoint, uid: int, found: dict[int, Fetched]) -> None:
        if uid not in state.backlog:
            # Set aside already
            return
        mail = found.get(uid)
        if mail is None:
            self._pass_over(state, uid)
        elif not mail.raw:
            self._put_aside(state, uid, _EMPTY)
        else:
            self._pass_over(state, uid)
            state.known.add(uid)
            if not mail.is_read and not state.mod_seq:
                state.unread.add(uid)
            self._page.messages.append(remote_message(reference(state, uid), mail))

    def _put_aside(self, state: Checkpoint, uid: int, words: str) -> None:
        self._pass_over(state, uid)
        state.known.add(uid)
        self._page.set_aside.append(SetAside(reference(state, uid), words))

    @staticmethod
    def _pass_over(state: Checkpoint, uid: int) -> None:
        state.backlog.discard(uid)
        state.slow.pop(uid, None)
        if state.listing:
            state.done += 1


def remote_message(ref: str, mail: Fetched) -> RemoteMessage:
    """A mail as it is handed over: one that is too large by its header."""
    return RemoteMessage(
        ref=ref,
        raw=mail.raw or b"",
        is_read=mail.is_read,
        received_at=mail.received_at,
        headers_only=mail.size > MAX_MAIL_BYTES,
        size=mail.size if mail.size > MAX_MAIL_BYTES else 0,
        attachments=describe_attachments(mail.structure),
    )


def read_head(connection: Connection, uid: int) -> dict[int, Fetched]:
    """A mail that is too large: its header, and of what it consists.

    :returns: nothing if the mail is not there
    """
    found = connection.heads([uid])
    try:
        structures = connection.structures(found)
    except Exception as error:
        if not is_refusal(error):
            raise
        # It is handed over without a list of its attachments.
        return found
    return {
        uid: replace(head, structure=structures[uid].structure)
        for uid, head in found.items()
        if uid in structures
    }


def _is_before(outline: Fetched, since: datetime) -> bool:
    return outline.received_at is not None and outline.received_at < since
