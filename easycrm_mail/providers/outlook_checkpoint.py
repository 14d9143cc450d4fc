"""How far a folder has been read by delta query.

A string goes in and out; whoever stores it needs to understand nothing of it. `link` is
what is asked for once the backlog is empty: mail that is in neither has been handed
over, or was left alone.
"""

import base64
import hashlib
import json
from dataclasses import asdict, dataclass, field

VERSION = 1
#: Mails that are remembered as handed over, the latest ones.
MAX_KNOWN = 500
_MARK_BYTES = 8


@dataclass(slots=True)
class Entry:
    """One mail of a delta page that is still to be fetched.

    :ivar received: ISO 8601 as Graph gives it, or an empty string
    :ivar size: what it takes in the mailbox, bytes; 0 where that was not said
    :ivar tries: how often it was asked for in vain
    """

    id: str
    is_read: bool
    received: str = ""
    size: int = 0
    conversation: str = ""
    tries: int = 0


@dataclass
class Checkpoint:
    """One folder.

    :ivar link: the whole nextLink or deltaLink; empty before the first page
    :ivar is_round_over: it is a deltaLink: no page of the round is missing
    :ivar backlog: mails of the last page, still to be fetched
    :ivar known: marks of mails handed over lately, oldest first: a change of theirs
        is told without fetching them again. Of those that fell out, too many come
    :ivar fresh: how many of them, the last ones, came in the running round
    :ivar listing: a first listing, or one after a reset, is running
    :ivar restarts: how often that began anew because its token was refused
    :ivar done: of the running listing
    :ivar total: of the running listing
    """

    link: str = ""
    is_round_over: bool = False
    backlog: list[Entry] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    fresh: int = 0
    listing: bool = True
    restarts: int = 0
    done: int = 0
    total: int = 0

    @property
    def is_at_end(self) -> bool:
        """All that the folder held when it was asked has been handed over."""
        return self.is_round_over and not self.backlog

    def progress(self) -> tuple[int, int, bool]:
        """Done and total of the running listing, and whether it ends with that."""
        if not self.listing:
            return 0, 0, False
        self.listing = not self.is_at_end
        # (the folder may have grown meanwhile)
        self.total = max(self.total, self.done)
        return self.done, self.total, not self.listing

    def remember(self, ref: str) -> None:
        """A mail that was handed over."""
        self.forget(ref)
        self.known = [*self.known, _mark(ref)][-MAX_KNOWN:]
        self.fresh = min(self.fresh + 1, MAX_KNOWN)

    def forget(self, ref: str) -> None:
        """A mail that left the folder: it may come back."""
        if self.knows(ref):
            self.fresh -= self.is_fresh(ref)
            self.known.remove(_mark(ref))

    def is_fresh(self, ref: str) -> bool:
        """Whether it was handed over in the running round."""
        return _mark(ref) in self.known[len(self.known) - self.fresh :]

    def knows(self, ref: str) -> bool:
        """Whether it was handed over lately."""
        return _mark(ref) in self.known

    def dump(self) -> str:
        """The string to store."""
        state = {"graph": VERSION, "link": self.link, "known": "".join(self.known)}
        if self.is_round_over:
            state["over"] = 1
        if self.fresh:
            state["fresh"] = self.fresh
        if self.backlog:
            state["backlog"] = [list(asdict(entry).values()) for entry in self.backlog]
        if self.listing:
            state["listing"] = [self.done, self.total, self.restarts]
        return json.dumps(state, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> "Checkpoint | None":
        """From a stored string; None for one that is not ours, or no longer."""
        try:
            state = json.loads(text)
            if state["graph"] != VERSION:
                return None
            done, total, restarts = map(int, state.get("listing", (0, 0, 0)))
            marks = str(state["known"])
            return cls(
                link=str(state["link"]),
                is_round_over="over" in state,
                fresh=max(0, min(int(state.get("fresh", 0)), MAX_KNOWN)),
                backlog=[_entry(*row) for row in state.get("backlog", ())],
                known=[
                    marks[at : at + _MARK_LENGTH]
                    for at in range(0, len(marks), _MARK_LENGTH)
                ],
                listing="listing" in state,
                restarts=restarts,
                done=done,
                total=total,
            )
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            return None


def _entry(id_, is_read, received, size, conversation, tries) -> Entry:
    return Entry(
        str(id_), bool(is_read), str(received), int(size), str(conversation), int(tries)
    )


def _mark(ref: str) -> str:
    """A mail's id, shortened: one of 10^16 new mails is taken for one of 500."""
    digest = hashlib.sha256(ref.encode("utf-8", "surrogatepass")).digest()
    return base64.b64encode(digest[:_MARK_BYTES]).decode().rstrip("=")


_MARK_LENGTH = len(_mark(""))
