"""A loopback Microsoft Graph v1.0 for mail, with Microsoft's sign-in beside it.

In process: `with GraphServer() as server`. Stand-alone, as a demo mailbox:
`PYTHONPATH=tests python -m servers.graph --port 8030 --mails FOLDER`.

What it says of messages is held against Microsoft's own types (`graph_schema`); so is
what it is sent.
"""

import argparse
import base64
import contextlib
import email
import email.utils
import re
import sys
import time
from datetime import datetime, timedelta, timezone
from email.parser import BytesHeaderParser
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote

from .graph_delta import Delta
from .graph_refusal import Refusal
from .graph_schema import against_batch, against_schema
from .graph_sending import ROUTES, Session, put_piece
from .graph_store import Mailbox, attachments_of, properties_of
from .microsoft_oauth import MicrosoftLogin
from .web import Answer, Request, WebServer

#: Requests at once of one app for one mailbox.
MAX_AT_ONCE = 4
MAX_PARTS = 20

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


class GraphServer(WebServer):
    """Graph and the sign-in on one port.

    :ivar violations: what was answered, or asked, against the schema: none, in a test
    :ivar most_at_once: requests for one mailbox
    :ivar immutable_ids: off: the server does not know them, and a move renames
    :ivar tells_sizes: off: it leaves the size out
    :ivar sent: (address, raw) of each mail that was sent
    :ivar renames: a mail gets a Message-ID of its own: as a `draft`, then too and
        `always`, or as it is `sent`
    :ivar rewrites: what is sent is made anew, with the date of now
    :ivar lag: so often a mail that was sent is looked at before it stands in its place
    :ivar full_updates: a change of the read mark comes with the whole item
    """

    def __init__(self, port: int = 0, certificate=None):
        super().__init__(port, certificate)
        self.login = MicrosoftLogin(self)
        self.mailboxes: dict[str, Mailbox] = {}
        self.deltas: dict[str, Delta] = {}
        self.violations: list[str] = []
        self.most_at_once = 0
        self.immutable_ids = True
        self.tells_sizes = True
        self.full_updates = False
        self.sent: list[tuple[str, bytes]] = []
        self.renames = ""
        self.rewrites = False
        self.lag = 0
        self.sessions: dict[str, Session] = {}
        self._at_once: dict[str, int] = {}

    def add_mailbox(self, address: str, aliases=(), members=None) -> Mailbox:
        """A user with a mailbox; with `members`, one that is shared with them."""
        mailbox = Mailbox(address, aliases, members or ())
        self.mailboxes[address] = mailbox
        self.deltas[address] = Delta(mailbox)
        if members is None:
            self.login.accounts.append(address)
        return mailbox

    def expire_delta(self, address: str) -> None:
        """No delta or skip token of the mailbox is known any more."""
        self.deltas[address].tokens.clear()

    # --- HTTP ---

    def respond(self, request: Request) -> Answer:
        if request.path.startswith("/upload/"):
            return put_piece(self, request)
        if not request.path.startswith("/v1.0"):
            return self.login.respond(request)
        try:
            user = self.login.user_of(request.headers.get("Authorization", ""))
            if not user:
                raise Refusal(401, "InvalidAuthenticationToken", "Lifetime failed")
            if "immutableid" not in request.headers.get("Prefer", "").lower():
                self.violations.append(f"no Prefer: {request.method} {request.path}")
            if request.path == "/v1.0/$batch":
                return self._batch(request, user)
            with self._counted(user, 1):
                return self._answer(request, user)
        except Refusal as refusal:
            return refusal.answer

    @contextlib.contextmanager
    def _counted(self, user: str, number: int):
        with self.lock:
            now = self._at_once.get(user, 0) + number
            self._at_once[user] = now
            self.most_at_once = max(self.most_at_once, now)
        try:
            if now > MAX_AT_ONCE:
                text = "Application is over its MailboxConcurrency limit."
                raise Refusal(429, "ApplicationThrottled", text, **{"Retry-After": "1"})
            yield
        finally:
            with self.lock:
                self._at_once[user] -= number

    def _batch(self, request: Request, user: str) -> Answer:
        body = request.json
        self.violations += against_batch(body)
        parts = body["requests"]
        if len(parts) > MAX_PARTS or len({one["id"] for one in parts}) < len(parts):
            raise Refusal(400, "BadRequest", "Invalid batch payload format.")
        answers = []
        for number, one in enumerate(parts, 1):
            answers.append(self._part(one, user, number))
        # (in any order)
        return Answer({"responses": answers[::-1]})

    def _part(self, one: dict, user: str, at_once: int) -> dict:
        line = f"PART {one['method']} /v1.0{one['url']}"
        with self.lock:
            self.calls.append(line)
        fault = self.take_fault(line)
        if fault and fault.kind == "slow":
            time.sleep(fault.seconds)
        path, _mark, query = one["url"].partition("?")
        request = Request(
            one["method"], f"/v1.0{path}", {}, one.get("headers", {}), b""
        )
        request.query.update(parse_qs(query))
        if "immutableid" not in request.headers.get("Prefer", "").lower():
            self.violations.append(f"no Prefer: {line}")
        if fault and fault.kind == "answer":
            answer = fault.answer
        elif fault and fault.kind == "missing":
            return {"id": "nobody", "status": 200}
        else:
            try:
                with self._counted(user, at_once):
                    answer = self._answer(request, user)
            except Refusal as refusal:
                answer = refusal.answer
        content = answer.body
        if isinstance(content, bytes):
            content = base64.b64encode(content).decode()
        return {
            "id": one["id"],
            "status": answer.status,
            "headers": answer.headers,
            "body": content,
        }

    # --- Graph ---

    def _answer(self, request: Request, user: str) -> Answer:
        mailbox, rest = self._mailbox(request.path.removeprefix("/v1.0"), user)
        routes = _ROUTES if request.method == "GET" else ROUTES[request.method]
        for pattern, method in routes:
            if found := re.fullmatch(pattern, rest):
                arguments = {k: unquote(v) for k, v in found.groupdict().items()}
                if "folder" in arguments:
                    arguments["folder"] = self._folder(mailbox, arguments["folder"])
                return method(self, request, mailbox, **arguments)
        raise Refusal(400, "BadRequest", f"Resource not found: {rest}")

    def _mailbox(self, path: str, user: str) -> tuple[Mailbox, str]:
        if path == "/me" or path.startswith("/me/"):
            return self.mailboxes[user], path[3:]
        found = re.match(r"/users/([^/]+)(.*)", path)
        if not found:
            raise Refusal(400, "BadRequest", f"Resource not found: {path}")
        address = unquote(found[1]).lower()
        if address not in self.mailboxes:
            raise Refusal(404, "ErrorInvalidUser", f"The user '{address}' is invalid.")
        mailbox = self.mailboxes[address]
        if user != address and user not in mailbox.members:
            raise Refusal(403, "ErrorAccessDenied", "Access is denied.")
        if user != address and not found[2]:
            text = "Insufficient privileges to complete the operation."
            raise Refusal(403, "Authorization_RequestDenied", text)
        return mailbox, found[2]

    def _folder(self, mailbox: Mailbox, name: str) -> str:
        id_ = mailbox.folder(name) if name in mailbox.folders else ""
        id_ = id_ or mailbox.well_known.get(name.lower(), "")
        if id_ not in mailbox.folders:
            text = "The specified object was not found in the store."
            raise Refusal(404, "ErrorItemNotFound", text)
        return id_

    def _user(self, request: Request, mailbox: Mailbox) -> Answer:
        smtp = [f"SMTP:{mailbox.address}", *(f"smtp:{one}" for one in mailbox.aliases)]
        user = {
            "id": f"id-of-{mailbox.address}",
            "displayName": mailbox.address.partition("@")[0],
            "mail": mailbox.address,
            "userPrincipalName": mailbox.address,
            "proxyAddresses": [*smtp, "x500:/o=ExchangeLabs/cn=Recipients"],
        }
        return Answer(_selected(user, request))

    def _folders(self, request: Request, mailbox: Mailbox, folder: str = "") -> Answer:
        found = [
            self._folder_fields(mailbox, one.id)
            for one in mailbox.folders.values()
            if one.parent == folder and not one.is_hidden
        ]
        size, skip = int(request.get("$top", "10")), int(request.get("$skip", "0"))
        # (in a page of its own size at most)
        size = min(size, 5)
        answer = {"value": [_selected(one, request) for one in found[skip:][:size]]}
        if len(found) > skip + size:
            query = {
                **{k: v[-1] for k, v in request.query.items()},
                "$skip": skip + size,
            }
            answer["@odata.nextLink"] = f"{self.url}{request.path}?{_query(query)}"
        return Answer(answer)

    def _one_folder(self, request: Request, mailbox: Mailbox, folder: str) -> Answer:
        return Answer(_selected(self._folder_fields(mailbox, folder), request))

    def _folder_fields(self, mailbox: Mailbox, id_: str) -> dict:
        folder = mailbox.folders[id_]
        messages = mailbox.in_folder(id_)
        return {
            "id": id_,
            "displayName": folder.name,
            "parentFolderId": folder.parent or "AQMkRoot==",
            "childFolderCount": sum(
                one.parent == id_ for one in mailbox.folders.values()
            ),
            "totalItemCount": len(messages),
            "unreadItemCount": sum(not one.is_read for one in messages),
            "isHidden": folder.is_hidden,
        }

    def _list(self, request: Request, mailbox: Mailbox, folder: str) -> Answer:
        found = mailbox.in_folder(folder)
        ranges = _RANGE.findall(request.get("$filter"))
        assert bool(ranges) == bool(request.get("$filter")), request.get("$filter")
        for kind, text in ranges:
            at = datetime.fromisoformat(f"{text}+00:00")
            found = [m for m in found if (m.received >= at) == (kind == "ge")]
        if request.get("$orderby") == "receivedDateTime desc":
            found.sort(key=lambda one: one.received, reverse=True)
        size, skip = int(request.get("$top", "10")), int(request.get("$skip", "0"))
        size = min(size, self.deltas[mailbox.address].max_page)
        answer = {"value": [self.message(request, one) for one in found[skip:][:size]]}
        if request.get("$count") == "true":
            answer["@odata.count"] = len(found)
        if len(found) > skip + size:
            query = {
                **{k: v[-1] for k, v in request.query.items()},
                "$skip": skip + size,
            }
            answer["@odata.nextLink"] = f"{self.url}{request.path}?{_query(query)}"
        return Answer(answer)

    def _search(self, request: Request, mailbox: Mailbox) -> Answer:
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
        return Answer({"value": [self.message(request, one) for one in found]})

    def _one(
        self, request: Request, mailbox: Mailbox, message: str, folder: str = ""
    ) -> Answer:
        found = self.find(mailbox, message)
        if found.lag:
            found.lag -= 1
            if not found.lag:
                mailbox.move(found.key, "sentitems")
        if folder and found.folder != folder:
            self.find(mailbox, "")
        return Answer(self.message(request, found))

    def _value(self, request: Request, mailbox: Mailbox, message: str) -> Answer:
        return Answer(self.find(mailbox, message).raw)

    def _attachments(self, request: Request, mailbox: Mailbox, message: str) -> Answer:
        found = attachments_of(self.find(mailbox, message))
        for one in found:
            self.hold(one, "Attachment")
        return Answer({"value": found})

    def find(self, mailbox: Mailbox, ref: str):
        found = mailbox.find(ref)
        if not found:
            text = "The specified object was not found in the store."
            raise Refusal(404, "ErrorItemNotFound", text)
        return found

    def _delta(self, request: Request, mailbox: Mailbox, folder: str) -> Answer:
        delta = self.deltas[mailbox.address]
        token = request.get("$skiptoken") or request.get("$deltatoken")
        at = None if token else delta.begin(folder, request.query)
        preferred = _PREFERRED_PAGE.search(request.headers.get("Prefer", ""))
        size = int(preferred[1]) if preferred else 10
        found = delta.page(token, at, size, self._is_immutable(request))
        if not found:
            text = "The sync state generation is not found"
            location = f"{self.url}{request.path}?$deltatoken="
            raise Refusal(410, "SyncStateNotFound", text, Location=location)
        items, name, new, at = found
        first = Request("GET", request.path, at.query, request.headers, b"")
        values = [self._item(first, mailbox, folder, one) for one in items]
        kind = "skip" if name == "next" else "delta"
        link = f"{self.url}{request.path}?${kind}token={new}"
        return Answer({"value": values, f"@odata.{name}Link": link})

    def _item(self, request: Request, mailbox: Mailbox, folder: str, item) -> dict:
        message = mailbox.messages.get(item.key)
        id_ = item.key if self._is_immutable(request) else item.id
        is_away = not message or item.kind != "was" and message.folder != folder
        is_renamed = message and id_ != self._id(request, message)
        if item.kind == "gone" or is_away or is_renamed:
            return {"id": id_, "@removed": {"reason": "deleted"}}
        if item.kind == "read" and not self.full_updates:
            changed = {
                "@odata.type": "#microsoft.graph.message",
                "id": self._id(request, message),
                "isRead": message.is_read,
                "parentFolderId": folder,
            }
            self.hold(changed)
            return changed
        return self.message(request, message)

    def _is_immutable(self, request: Request) -> bool:
        asked = "immutableid" in request.headers.get("Prefer", "").lower()
        return asked and self.immutable_ids

    def _id(self, request: Request, message) -> str:
        return message.key if self._is_immutable(request) else message.id

    def message(self, request: Request, message) -> dict:
        fields = {**properties_of(message), **message.properties}
        found = _selected({"id": self._id(request, message), **fields}, request)
        if "0x0E08" in request.get("$expand") and self.tells_sizes:
            size = message.properties.get("size", len(message.raw))
            found["singleValueExtendedProperties"] = [
                {"id": "Integer 0xe08", "value": str(size)}
            ]
        found.pop("size", None)
        found["@odata.etag"] = f'W/"{message.moves}"'
        self.hold(found)
        return found

    def hold(self, message: dict, part: str = "Message") -> None:
        self.violations += against_schema(message, part)


_ROUTES = (
    (r"", GraphServer._user),
    (r"/mailFolders", GraphServer._folders),
    (_FOLDER, GraphServer._one_folder),
    (_FOLDER + r"/childFolders", GraphServer._folders),
    (_FOLDER + r"/messages", GraphServer._list),
    (_FOLDER + r"/messages/delta", GraphServer._delta),
    (_FOLDER + _MESSAGE, GraphServer._one),
    (r"/messages", GraphServer._search),
    (_MESSAGE, GraphServer._one),
    (_MESSAGE + r"/\$value", GraphServer._value),
    (_MESSAGE + r"/attachments", GraphServer._attachments),
)


def _selected(fields: dict, request: Request) -> dict:
    wanted = request.get("$select")
    if not wanted:
        return dict(fields)
    names = {*_ALWAYS, *wanted.split(",")}
    return {name: value for name, value in fields.items() if name in names}


def _query(values: dict) -> str:
    return "&".join(f"{name}={quote(str(value))}" for name, value in values.items())


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--mails", type=Path, help="a directory of .eml files")
    parser.add_argument("--address", default="mira@chairs.example")
    parser.add_argument("--client-id", default="demo")
    parser.add_argument("--client-secret", default="demo-secret")
    options = parser.parse_args()
    server = GraphServer(options.port)
    server.login.register(options.client_id, options.client_secret)
    mailbox = server.add_mailbox(options.address)
    load_mails(mailbox, options.mails)
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    server.serve()


def load_mails(mailbox: Mailbox, directory: Path | None) -> None:
    """Mails from files: what the mailbox's owner wrote stands in Sent Items."""
    now = datetime.now(timezone.utc)
    for number, path in enumerate(sorted(directory.glob("*.eml") if directory else ())):
        raw = path.read_bytes()
        head = email.message_from_bytes(raw)
        own = email.utils.parseaddr(str(head["From"]))[1].lower() == mailbox.address
        try:
            received = email.utils.parsedate_to_datetime(str(head["Date"]))
        except ValueError:
            received = now - timedelta(minutes=number)
        if received.tzinfo is None:
            received = received.replace(tzinfo=timezone.utc)
        received = received.astimezone(timezone.utc)
        mailbox.deliver(raw, "sentitems" if own else "inbox", received, read=own)


if __name__ == "__main__":
    main()
