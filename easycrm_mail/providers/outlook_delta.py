"""The pages of a folder's delta query: what came, changed and went.

https://learn.microsoft.com/en-us/graph/delta-query-messages. Of what it gives, nothing
is in order, much comes twice, and pages may be empty.

What is new is told apart from what changed like this. A new item comes as a whole, a
changed one with at least what changed (delta-query-overview.md, "Resource
representation"); a mail that was read comes with `isRead` alone, mostly (seen:
https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/5544). So an item
without `receivedDateTime` is a change. One that is whole is fetched, unless the
checkpoint remembers that it was handed over: a mail is fetched once too often rather
than not at all, which the ingest recognises.

`$filter` by date would end at 5,000 mails without a word (message-delta.md): what is
older than the window is passed over here.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from .errors import Resync, Retry
from .graph_client import GraphClient, is_own, is_ref
from .graph_errors import ServerAnswer
from .outlook_checkpoint import Checkpoint, Entry
from .outlook_folders import folder_path

#: PidTagMessageSize: what a mail takes in the mailbox (MS-OXPROPS 2.797).
SIZE = "Integer 0x0E08"
FIELDS = "id,isRead,isDraft,receivedDateTime,conversationId"
EXPAND_SIZE = f"singleValueExtendedProperties($filter=id eq '{SIZE}')"
MAX_PAGES = 20
ROUND_SECONDS = 10


@dataclass
class Delta:
    """What pages told of mail that need not be fetched.

    :ivar read: ref -> whether it is read
    """

    read: dict[str, bool] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)


def advance(
    client: GraphClient, stream: str, state: Checkpoint, since: datetime
) -> Delta:
    """Follows a folder's pages up to one with mail to fetch, or to the round's end.

    That mail is then in the backlog.
    """
    delta = Delta()
    deadline = time.monotonic() + ROUND_SECONDS
    for number in range(MAX_PAGES):
        try:
            page = _next_page(client, stream, state)
            _take(client, stream, state, since, page, delta)
        except Exception:
            if not number:
                raise
            # The next pull begins with this page, and deals with that.
            break
        if state.backlog or state.is_round_over or time.monotonic() > deadline:
            break
    return delta


def _next_page(client: GraphClient, stream: str, state: Checkpoint) -> dict:
    if state.is_round_over:
        state.fresh = 0
    if state.link:
        return client.follow(state.link)
    address = f"{folder_path(stream)}/messages/delta"
    fields = {"$select": FIELDS}
    more = {"$expand": EXPAND_SIZE, "$orderby": "receivedDateTime desc"}
    try:
        return client.get(address, **fields, **more)
    except ServerAnswer as answer:
        if answer.status != 400 or answer.is_void:
            raise
    # Not every kind of mailbox takes all of it, and nothing depends on it.
    return client.get(address, **fields)


def _take(
    client: GraphClient,
    stream: str,
    state: Checkpoint,
    since: datetime,
    page: dict,
    delta: Delta,
) -> None:
    items, link = page.get("value"), page.get("@odata.nextLink")
    is_over = not link
    link = link or page.get("@odata.deltaLink")
    if not isinstance(items, list) or not isinstance(link, str):
        raise Retry("answer", "this is no page of a delta query")
    if not is_own(link):
        raise Retry("answer", "the service refers to another host")
    if link == state.link and not is_over:
        raise Resync("checkpoint", "the list does not go on")
    entries: dict[str, Entry] = {}
    removed: set[str] = set()
    told: set[str] = set()
    for item in items:
        ref = item.get("id") if isinstance(item, dict) else None
        if not is_ref(ref):
            continue
        if "@removed" in item:
            removed.add(ref)
            continue
        told.add(ref)
        if not item.get("isDraft"):
            _sort(state, since, ref, item, entries, delta)
    doubtful = {one for one in removed if one in told or state.is_fresh(one)}
    for ref in doubtful | (delta.removed & entries.keys()):
        # Both in one round, in an order that means nothing
        if holds(client, stream, ref):
            removed.discard(ref)
        else:
            entries.pop(ref, None)
    for ref in removed:
        state.forget(ref)
        delta.read.pop(ref, None)
    delta.removed = (delta.removed | removed) - entries.keys()
    state.backlog = sorted(entries.values(), key=lambda one: one.received, reverse=True)
    state.link, state.is_round_over = link, is_over
    if state.listing:
        state.done += len(told - entries.keys())


def _sort(
    state: Checkpoint,
    since: datetime,
    ref: str,
    item: dict,
    entries: dict[str, Entry],
    delta: Delta,
) -> None:
    """One item: mail to fetch, a mark, or nothing of ours."""
    is_read = item.get("isRead")
    received = moment(item.get("receivedDateTime"))
    if ref in entries:
        # Once more within the page: the later one counts.
        if isinstance(is_read, bool):
            entries[ref].is_read = is_read
    elif received is None or state.knows(ref):
        if isinstance(is_read, bool):
            delta.read[ref] = is_read
    elif received >= since:
        delta.read.pop(ref, None)
        entries[ref] = entry_of(ref, item)


def entry_of(ref: str, item: dict) -> Entry:
    """What is known of a mail before it is fetched."""
    return Entry(
        ref,
        bool(item.get("isRead")),
        str(item.get("receivedDateTime") or ""),
        _size(item),
        str(item.get("conversationId") or ""),
    )


def moment(text: object) -> datetime | None:
    """A date as Graph writes it, aware; None where it is none."""
    try:
        # (Python 3.10 knows no Z, and no seven digits of a second)
        whole, _dot, _rest = str(text).rstrip("Z").partition(".")
        return datetime.fromisoformat(f"{whole}+00:00")
    except ValueError:
        return None


def _size(item: dict) -> int:
    told = item.get("singleValueExtendedProperties")
    for one in told if isinstance(told, list) else ():
        value = one.get("value") if isinstance(one, dict) else None
        if isinstance(value, str) and value.isdecimal():
            return int(value[:15])
    return 0


def holds(client: GraphClient, stream: str, ref: str) -> bool:
    """Whether a mail stands in a folder now."""
    address = f"{folder_path(stream)}/messages/{quote(ref, safe='')}"
    try:
        client.get(address, **{"$select": "id"})
    except ServerAnswer as answer:
        if answer.is_gone:
            return False
        raise
    return True
