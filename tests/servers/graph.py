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
from pathlib import Path
from urllib.parse import parse_qs, unquote

from . import graph_reading, graph_sending
from .graph_delta import Delta
from .graph_reading import selected
from .graph_refusal import Refusal
from .graph_schema import against_batch, against_schema
from .graph_sending import Session, put_piece
from .graph_store import Mailbox, properties_of
from .microsoft_oauth import MicrosoftLogin
from .web import Answer, Request, WebServer

#: Requests at once of one app for one mailbox.
MAX_AT_ONCE = 4
MAX_PARTS = 20

_ROUTES = {**graph_reading.ROUTES, **graph_sending.ROUTES}


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
        for pattern, method in _ROUTES[request.method]:
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

    def find(self, mailbox: Mailbox, ref: str):
        found = mailbox.find(ref)
        if not found:
            text = "The specified object was not found in the store."
            raise Refusal(404, "ErrorItemNotFound", text)
        return found

    def is_immutable(self, request: Request) -> bool:
        asked = "immutableid" in request.headers.get("Prefer", "").lower()
        return asked and self.immutable_ids

    def id_of(self, request: Request, message) -> str:
        return message.key if self.is_immutable(request) else message.id

    def message(self, request: Request, message) -> dict:
        fields = {**properties_of(message), **message.properties}
        found = selected({"id": self.id_of(request, message), **fields}, request)
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
