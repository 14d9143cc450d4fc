"""What the loopback Graph answers where it is asked: folders, messages, changes.

https://learn.microsoft.com/en-us/graph/api/resources/message
"""

import re
from datetime import datetime
from email.parser import BytesHeaderParser
from urllib.parse import quote

from .graph_refusal import Refusal
from .graph_store import Mailbox, attachments_of
from .web import Answer, Request

_ALWAYS = ("id",)
_PREFERRED_PAGE = re.compile(r"odata\.maxpagesize=(\d+)", re.IGNORECASE)
_RANGE = re.compile(r"receivedDateTime (ge|lt) ([\d:T-]+)Z")
_BY_ID = re.compile(r"internetMessageId eq '(.+)'")
_BY_STAMP = re.compile(
    r"singleValueExtendedProperties/Any"
    r"\(ep: ep/id eq '(String \{[\w-]+\} Name \w+)' and ep/value eq '(.+)'\)"
)
_BY_PEOPLE = re.compile(r'"participants:(.+)"')
_FOLDER = r"/mailFolders/(?P<folder>[^/]+)"
_MESSAGE = r"/messages/(?P<message>[^/]+)"


def _user(server, request: Request, mailbox: Mailbox) -> Answer:
    smtp = [f"SMTP:{mailbox.address}", *(f"smtp:{one}" for one in mailbox.aliases)]
    user = {
        "id": f"id-of-{mailbox.address}",
        "displayName": mailbox.address.partition("@")[0],
        "mail": mailbox.address,
        "userPrincipalName": mailbox.address,
        "proxyAddresses": [*smtp, "x500:/o=ExchangeLabs/cn=Recipients"],
    }
    return Answer(selected(user, request))


def _folders(server, request: Request, mailbox: Mailbox, folder: str = "") -> Answer:
    found = [
        _folder_fields(server, mailbox, one.id)
        for one in mailbox.folders.values()
        if one.parent == folder and not one.is_hidden
    ]
    size, skip = int(request.get("$top", "10")), int(request.get("$skip", "0"))
    # (in a page of its own size at most)
    size = min(size, 5)
    answer = {"value": [selected(one, request) for one in found[skip:][:size]]}
    if len(found) > skip + size:
        answer["@odata.nextLink"] = _next_page(server, request, skip + size)
    return Answer(answer)


def _one_folder(server, request: Request, mailbox: Mailbox, folder: str) -> Answer:
    return Answer(selected(_folder_fields(server, mailbox, folder), request))


def _folder_fields(server, mailbox: Mailbox, id_: str) -> dict:
    folder = mailbox.folders[id_]
    messages = mailbox.in_folder(id_)
    return {
        "id": id_,
        "displayName": folder.name,
        "parentFolderId": folder.parent or "AQMkRoot==",
        "childFolderCount": sum(one.parent == id_ for one in mailbox.folders.values()),
        "totalItemCount": len(messages),
        "unreadItemCount": sum(not one.is_read for one in messages),
        "isHidden": folder.is_hidden,
    }


def _list(server, request: Request, mailbox: Mailbox, folder: str) -> Answer:
    found = mailbox.in_folder(folder)
    ranges = _RANGE.findall(request.get("$filter"))
    assert bool(ranges) == bool(request.get("$filter")), request.get("$filter")
    for kind, text in ranges:
        at = datetime.fromisoformat(f"{text}+00:00")
        found = [m for m in found if (m.received >= at) == (kind == "ge")]
    if request.get("$orderby") == "receivedDateTime desc":
        found.sort(key=lambda one: one.received, reverse=True)
    size, skip = int(request.get("$top", "10")), int(request.get("$skip", "0"))
    size = min(size, server.deltas[mailbox.address].max_page)
    answer = {"value": [server.message(request, one) for one in found[skip:][:size]]}
    if request.get("$count") == "true":
        answer["@odata.count"] = len(found)
    if len(found) > skip + size:
        answer["@odata.nextLink"] = _next_page(server, request, skip + size)
    return Answer(answer)


def _search(server, request: Request, mailbox: Mailbox) -> Answer:
    """All folders: by a Message-ID, or by somebody who wrote or got the mail."""
    size = int(request.get("$top", "10"))
    by_id = _BY_ID.fullmatch(request.get("$filter", ""))
    by_stamp = _BY_STAMP.fullmatch(request.get("$filter", ""))
    by_people = _BY_PEOPLE.fullmatch(request.get("$search", ""))
    if [bool(one) for one in (by_id, by_stamp, by_people)].count(True) != 1:
        raise Refusal(400, "BadRequest", "Invalid filter clause")

    def fits(message) -> bool:
        if by_stamp:
            return message.stamp == (by_stamp[1], by_stamp[2].replace("''", "'"))
        head = BytesHeaderParser().parsebytes(message.raw)
        if by_id:
            return head["Message-ID"] == by_id[1].replace("''", "'")
        people = [head.get(name, "") for name in ("From", "To", "Cc", "Bcc")]
        return by_people[1] in " ".join(people).lower()

    found = [one for one in mailbox.messages.values() if fits(one)][:size]
    return Answer({"value": [server.message(request, one) for one in found]})


def _one(
    server, request: Request, mailbox: Mailbox, message: str, folder: str = ""
) -> Answer:
    found = server.find(mailbox, message)
    if found.lag:
        found.lag -= 1
        if not found.lag:
            mailbox.move(found.key, "sentitems")
    if folder and found.folder != folder:
        server.find(mailbox, "")
    return Answer(server.message(request, found))


def _value(server, request: Request, mailbox: Mailbox, message: str) -> Answer:
    return Answer(server.find(mailbox, message).raw)


def _attachments(server, request: Request, mailbox: Mailbox, message: str) -> Answer:
    found = attachments_of(server.find(mailbox, message))
    for one in found:
        server.hold(one, "Attachment")
    return Answer({"value": found})


def _delta(server, request: Request, mailbox: Mailbox, folder: str) -> Answer:
    delta = server.deltas[mailbox.address]
    token = request.get("$skiptoken") or request.get("$deltatoken")
    at = None if token else delta.begin(folder, request.query)
    preferred = _PREFERRED_PAGE.search(request.headers.get("Prefer", ""))
    size = int(preferred[1]) if preferred else 10
    found = delta.page(token, at, size, server.is_immutable(request))
    if not found:
        text = "The sync state generation is not found"
        location = f"{server.url}{request.path}?$deltatoken="
        raise Refusal(410, "SyncStateNotFound", text, Location=location)
    items, name, new, at = found
    first = Request("GET", request.path, at.query, request.headers, b"")
    values = [_item(server, first, mailbox, folder, one) for one in items]
    kind = "skip" if name == "next" else "delta"
    link = f"{server.url}{request.path}?${kind}token={new}"
    return Answer({"value": values, f"@odata.{name}Link": link})


def _item(server, request: Request, mailbox: Mailbox, folder: str, item) -> dict:
    message = mailbox.messages.get(item.key)
    id_ = item.key if server.is_immutable(request) else item.id
    is_away = not message or item.kind != "was" and message.folder != folder
    is_renamed = message and id_ != server.id_of(request, message)
    if item.kind == "gone" or is_away or is_renamed:
        return {"id": id_, "@removed": {"reason": "deleted"}}
    if item.kind == "read" and not server.full_updates:
        changed = {
            "@odata.type": "#microsoft.graph.message",
            "id": server.id_of(request, message),
            "isRead": message.is_read,
            "parentFolderId": folder,
        }
        server.hold(changed)
        return changed
    return server.message(request, message)


def selected(fields: dict, request: Request) -> dict:
    """What was asked for of that."""
    wanted = request.get("$select")
    if not wanted:
        return dict(fields)
    names = {*_ALWAYS, *wanted.split(",")}
    return {name: value for name, value in fields.items() if name in names}


def _next_page(server, request: Request, skip: int) -> str:
    query = {name: values[-1] for name, values in request.query.items()}
    query["$skip"] = str(skip)
    asked = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    return f"{server.url}{request.path}?{asked}"


ROUTES = {
    "GET": (
        (r"", _user),
        (r"/mailFolders", _folders),
        (_FOLDER, _one_folder),
        (_FOLDER + r"/childFolders", _folders),
        (_FOLDER + r"/messages", _list),
        (_FOLDER + r"/messages/delta", _delta),
        (_FOLDER + _MESSAGE, _one),
        (r"/messages", _search),
        (_MESSAGE, _one),
        (_MESSAGE + r"/\$value", _value),
        (_MESSAGE + r"/attachments", _attachments),
    ),
}
