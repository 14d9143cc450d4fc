"""Delta queries of the loopback Graph: rounds, pages, and tokens that expire.

As the real one it promises little: an item may come twice, pages may be empty, and a
change may be told as a whole or by what changed alone.
"""

import secrets
from dataclasses import dataclass, field, replace

from .graph_store import Mailbox


@dataclass(frozen=True)
class Item:
    """What a page says of one mail.

    :ivar kind: `put`, `read`, `gone`, or `was`: told as it is, wherever that is
    :ivar id: its mutable id when that happened
    """

    key: str
    id: str
    kind: str


@dataclass(frozen=True)
class Round:
    """Where a token stands: in a round, or (without items) before the next.

    :ivar position: of the mailbox's changes, when the round began
    :ivar query: of the first request
    :ivar empty: pages that are still to come without anything
    """

    folder: str
    position: int
    query: dict
    items: tuple[Item, ...] | None = None
    empty: int = 0


@dataclass
class Delta:
    """The tokens of one mailbox, and how its rounds behave.

    :ivar duplicates: each page begins with the last item of the one before
    :ivar empty_pages: at the end of each round
    :ivar contradicts: kinds in which what came or went since the last round is told,
        one after the other: ("was", "gone") or ("gone", "was")
    :ivar max_page: whatever a client asks for
    """

    mailbox: Mailbox
    duplicates: bool = False
    empty_pages: int = 0
    contradicts: tuple[str, ...] = ()
    max_page: int = 1_000
    tokens: dict[str, Round] = field(default_factory=dict)

    def begin(self, folder: str, query: dict) -> Round:
        """The first round: all that the folder holds."""
        with self.mailbox.lock:
            items = tuple(
                Item(one.key, one.id, "put") for one in self.mailbox.in_folder(folder)
            )
            position = len(self.mailbox.changes)
            return Round(folder, position, query, items, self.empty_pages)

    def page(self, token: str, at: Round | None, size: int, is_immutable: bool):
        """The items of a page, the link's name and token, and the round.

        :param is_immutable: a mail that went and came back is one, not two
        :returns: None for a token that is not known (any more)
        """
        if at is None:
            at = self.tokens.get(token)
            if at is None:
                return None
        if at.items is None:
            at = self._next_round(at, is_immutable)
        size = min(size, self.max_page)
        items, rest = at.items[:size], at.items[size:]
        if rest or at.empty:
            empty = at.empty if items else at.empty - 1
            if rest and self.duplicates:
                rest = (items[-1], *rest) if len(items) > 1 else rest
            name, following = "next", replace(at, items=rest, empty=empty)
        else:
            name, following = "delta", replace(at, items=None)
        new = secrets.token_urlsafe(20)
        self.tokens[new] = following
        return items, name, new, at

    def _next_round(self, at: Round, is_immutable: bool) -> Round:
        with self.mailbox.lock:
            changes = self.mailbox.changes
            found: dict[str, Item] = {}
            for change in changes[at.position :]:
                if change.folder != at.folder:
                    continue
                kind = change.kind
                name = change.key if is_immutable else change.id
                before = found.pop(name, None)
                if kind == "read" and before and before.kind == "put":
                    kind = "put"
                found[name] = Item(change.key, change.id, kind)
            items = tuple(found.values())
            if self.contradicts:
                items = tuple(
                    replace(one, kind=kind)
                    for one in items
                    if one.kind != "read"
                    for kind in self.contradicts
                )
            empty = self.empty_pages if items else 0
            return replace(at, position=len(changes), items=items, empty=empty)
