"""How far a folder has been read, and what must be known to find what changed since.

Local mail has everything that the folder held below `uid_next`, but `backlog`; `known`
is what was handed over and not reported as removed. A string goes in and out; whoever
stores it needs to understand nothing of it.
"""

import json
from dataclasses import dataclass, field

from .uid_set import pack, unpack

VERSION = 1


@dataclass
class Checkpoint:
    """One folder.

    :ivar uid_validity: the folder's; another one voids all else (RFC 3501, 2.3.1.1)
    :ivar uid_next: UIDs below have been seen by a search
    :ivar told: UIDNEXT as the server told it last; 0 where it does not. Usually the
        same, but a server may be wrong about it
    :ivar mod_seq: flags are as they were at this HIGHESTMODSEQ (RFC 7162); 0 where the
        server does not count
    :ivar messages: mails that the folder must hold if none was removed
    :ivar unseen: the same of its unread ones; asked where `mod_seq` is not counted
    :ivar backlog: UIDs that are still to be handed over
    :ivar known: UIDs handed over
    :ivar unread: which of them were unread; kept where `mod_seq` is not counted
    :ivar slow: those of the backlog that did not come in time -> how often
    :ivar listing: a first listing, or one after a reset, is running
    :ivar done: of the running listing
    :ivar total: of the running listing
    """

    uid_validity: int
    uid_next: int = 1
    mod_seq: int = 0
    messages: int = 0
    unseen: int = 0
    backlog: set[int] = field(default_factory=set)
    known: set[int] = field(default_factory=set)
    unread: set[int] = field(default_factory=set)
    listing: bool = False
    done: int = 0
    total: int = 0
    told: int = 0
    slow: dict[int, int] = field(default_factory=dict)

    def progress(self) -> tuple[int, int, bool]:
        """Done and total of the running listing, and whether it ends with that."""
        if not self.listing:
            return 0, 0, False
        self.listing = bool(self.backlog)
        return self.done, self.total, not self.listing

    def dump(self) -> str:
        """The string to store."""
        numbers = [self.uid_validity, self.uid_next, self.mod_seq, self.messages]
        state = {
            "imap": VERSION,
            "at": [*numbers, self.unseen],
            "known": pack(self.known),
        }
        if self.unread:
            state["unread"] = pack(self.unread)
        if self.backlog:
            state["backlog"] = pack(self.backlog)
        if self.slow:
            state["slow"] = self.slow
        if self.told != self.uid_next:
            state["told"] = self.told
        if self.listing:
            state["listing"] = [self.done, self.total]
        return json.dumps(state, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> "Checkpoint | None":
        """From a stored string; None for one that is not ours, or no longer."""
        try:
            state = json.loads(text)
            if state["imap"] != VERSION:
                return None
            uid_validity, uid_next, mod_seq, messages, unseen = map(int, state["at"])
            done, total = map(int, state.get("listing", (0, 0)))
            return cls(
                uid_validity=uid_validity,
                uid_next=uid_next,
                mod_seq=mod_seq,
                messages=messages,
                unseen=unseen,
                backlog=unpack(state.get("backlog", "")),
                known=unpack(state["known"]),
                unread=unpack(state.get("unread", "")),
                listing="listing" in state,
                done=done,
                total=total,
                slow={int(k): int(v) for k, v in state.get("slow", {}).items()},
                told=int(state.get("told", uid_next)),
            )
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            return None
