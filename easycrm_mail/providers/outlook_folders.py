"""Which folders of an Exchange mailbox are read, and what each of them is.

Their names are in the language of whoever set the mailbox up; what they are is told by
the well-known names:
https://learn.microsoft.com/en-us/graph/api/resources/mailfolder?view=graph-rest-1.0
"""

from collections.abc import Iterator
from urllib.parse import quote

from .base import Stream, StreamRole
from .graph_client import GraphClient, is_ref
from .graph_errors import ServerAnswer

MAX_STREAMS = 2_000
_MAX_DEPTH = 50
_MAX_PAGES = 200
_FIELDS = "id,displayName,childFolderCount,isHidden"
_PAGE = {"$select": _FIELDS, "$top": "200"}

_ROLES = {
    "inbox": StreamRole.INBOX,
    "sentitems": StreamRole.SENT,
    "archive": StreamRole.ARCHIVE,
}
# Drafts, trash, spam, chat, what has not left yet, and what is no mail. What lies
# within them is not read either.
_NEVER = (
    "drafts",
    "deleteditems",
    "junkemail",
    "conversationhistory",
    "outbox",
    "syncissues",
    "scheduled",
    "searchfolders",
)
_ORDER = [StreamRole.INBOX, StreamRole.SENT]


def folder_path(stream: str) -> str:
    """The path of a folder below the mailbox."""
    return f"/mailFolders/{quote(stream, safe='')}"


def streams_of(client: GraphClient) -> list[Stream]:
    """The readable folders: inbox and sent first, then by name."""
    known = _well_known(client)
    found = [
        Stream(
            folder["id"],
            "Inbox" if role is StreamRole.INBOX else "/".join(path),
            role,
            default=role in _ORDER,
        )
        for path, folder in _tree(client, known)
        for role in [_ROLES.get(known.get(folder["id"], ""), StreamRole.OTHER)]
    ]
    found.sort(
        key=lambda one: (
            _ORDER.index(one.role) if one.role in _ORDER else len(_ORDER),
            one.name.casefold(),
        )
    )
    return found[:MAX_STREAMS]


def _well_known(client: GraphClient) -> dict[str, str]:
    """Folder id -> its well-known name, of those that the mailbox has."""
    found = {}
    for name in (*_ROLES, *_NEVER):
        try:
            folder = client.get(folder_path(name), **{"$select": "id"})
        except ServerAnswer as answer:
            # A mailbox without archive or chat has no such folder; some answer with
            # 400 for a name that they don't know.
            if answer.is_gone or answer.status == 400:
                continue
            raise
        found[str(folder.get("id"))] = name
    return found


def _tree(
    client: GraphClient, known: dict[str, str]
) -> Iterator[tuple[list[str], dict]]:
    """The folders that are read, each with its path."""
    waiting: list[tuple[list[str], str]] = [([], "/mailFolders")]
    seen: set[str] = set()
    while waiting and len(seen) < MAX_STREAMS:
        path, address = waiting.pop()
        for folder in _pages(client, address):
            id_ = folder.get("id")
            if not is_ref(id_) or id_ in seen or folder.get("isHidden"):
                continue
            seen.add(id_)
            if known.get(id_) in _NEVER:
                continue
            own = [*path, str(folder.get("displayName") or "")]
            yield own, folder
            if folder.get("childFolderCount") and len(own) < _MAX_DEPTH:
                waiting.append((own, f"{folder_path(id_)}/childFolders"))


def _pages(client: GraphClient, address: str) -> Iterator[dict]:
    page = client.get(address, **_PAGE)
    for _page in range(_MAX_PAGES):
        yield from (one for one in page.get("value", ()) if isinstance(one, dict))
        link = page.get("@odata.nextLink")
        if not isinstance(link, str) or not link:
            return
        page = client.follow(link)
