"""How far a Gmail stream has been read.

Local mail has everything that the stream got up to `history`, but `arrived`, `backlog`
and what a running listing has yet to list. A string goes in and out; whoever stores it
needs to understand nothing of it.
"""

import json
from dataclasses import dataclass, field

VERSION = 1


@dataclass
class Checkpoint:
    """One stream.

    :ivar history: the historyId up to which changes are known
    :ivar arrived: ids that came since and are still to be fetched, newest first
    :ivar backlog: ids that were listed and are still to be fetched, newest first
    :ivar large: which of both are known to be large
    :ivar slow: which of both did not come in time -> how often they were asked for
    :ivar page: token of the listing's next page; empty: there is none
    :ivar reached: the time (seconds since 1970) of the oldest mail that the listing has
        handed over; 0 where none was
    :ivar listing: a first listing, or one after a reset, is running
    :ivar done: of the running listing
    :ivar total: of the running listing, as far as it is known
    """

    history: str
    arrived: list[str] = field(default_factory=list)
    backlog: list[str] = field(default_factory=list)
    large: set[str] = field(default_factory=set)
    slow: dict[str, int] = field(default_factory=dict)
    page: str = ""
    reached: int = 0
    listing: bool = False
    done: int = 0
    total: int = 0

    @property
    def waits(self) -> bool:
        """Whether another pull would give something now."""
        return bool(self.arrived or self.backlog or self.page)

    @property
    def next(self) -> list[str]:
        """What is to be fetched now: arrivals before what was listed, and at the end
        what did not come in time."""
        for refs in (self.arrived, self.backlog):
            if prompt := [ref for ref in refs if ref not in self.slow]:
                return prompt
        return sorted(self.slow, key=self.slow.get)

    def drop(self, refs) -> None:
        """Takes mails off what is still to be fetched."""
        gone = set(refs)
        if self.listing:
            self.done += len(gone.intersection((*self.arrived, *self.backlog)))
        self.arrived = [ref for ref in self.arrived if ref not in gone]
        self.backlog = [ref for ref in self.backlog if ref not in gone]
        self.large -= gone
        self.slow = {ref: n for ref, n in self.slow.items() if ref not in gone}

    def add(self, refs) -> None:
        """Puts arrivals, newest first, before all that is still to be fetched."""
        known = {*self.arrived, *self.backlog}
        if self.listing:
            self.total += len(set(refs) - known)
        new = set(refs)
        self.arrived = [*refs, *(ref for ref in self.arrived if ref not in new)]
        self.backlog = [ref for ref in self.backlog if ref not in new]

    def progress(self) -> tuple[int, int, bool]:
        """Done and total of the running listing, and whether it ends with that."""
        if not self.listing:
            return 0, 0, False
        self.listing = self.waits
        self.total = max(self.total, self.done)
        if not self.listing:
            self.total = self.done
        return self.done, self.total, not self.listing

    def dump(self) -> str:
        """The string to store."""
        state = {"gmail": VERSION, "history": self.history}
        if self.arrived:
            state["arrived"] = self.arrived
        if self.backlog:
            state["backlog"] = self.backlog
        if self.large:
            state["large"] = sorted(self.large)
        if self.slow:
            state["slow"] = self.slow
        if self.page:
            state["page"] = self.page
        if self.listing:
            state["listing"] = [self.done, self.total, self.reached]
        return json.dumps(state, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> "Checkpoint | None":
        """From a stored string; None for one that is not ours, or no longer."""
        try:
            state = json.loads(text)
            if state["gmail"] != VERSION:
                return None
            done, total, reached = map(int, state.get("listing", (0, 0, 0)))
            return cls(
                history=str(int(state["history"])),
                arrived=[str(ref) for ref in state.get("arrived", ())],
                backlog=[str(ref) for ref in state.get("backlog", ())],
                large={str(ref) for ref in state.get("large", ())},
                slow={str(k): int(v) for k, v in state.get("slow", {}).items()},
                page=str(state.get("page", "")),
                reached=reached,
                listing="listing" in state,
                done=done,
                total=total,
            )
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            return None
