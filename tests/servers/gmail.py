"""A Gmail on loopback, with Google's sign-in: `python -m servers.gmail --help`.

It keeps mailboxes, counts quota units as Gmail does, and holds every request and every
answer of the API against Google's description of it.
"""

import argparse
import email
import email.utils
import json
import re
import sys
import time
import urllib.parse
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from .gmail_answers import Refused, answer_call, refusal, sent_answer
from .gmail_schema import OffSchema, check_answer, check_request
from .gmail_store import Mailbox
from .google_oauth import (
    AUTHORIZE,
    INTROSPECT,
    MAIL_SCOPE,
    REVOKE,
    TOKEN,
    GoogleOAuth,
)
from .web import Answer, Request, WebServer

COSTS = {
    "gmail.users.getProfile": 1,
    "gmail.users.history.list": 2,
    "gmail.users.labels.list": 1,
    "gmail.users.messages.attachments.get": 5,
    "gmail.users.messages.get": 20,
    "gmail.users.messages.list": 5,
    "gmail.users.messages.send": 100,
    "gmail.users.settings.sendAs.list": 1,
}
MAX_BATCH = 100
_READ = "https://www.googleapis.com/auth/gmail.readonly"
_SEND = "https://www.googleapis.com/auth/gmail.send"
_BCC = re.compile(rb"^Bcc:.*\r\n(?:[ \t].*\r\n)*", re.MULTILINE | re.IGNORECASE)
_ID = re.compile(rb"(^|\r\n)Message-ID: ([^\r\n]*)", re.IGNORECASE)


@dataclass
class Upload:
    """A mail that comes in pieces; `answer` once it is sent."""

    mailbox: Mailbox
    size: int
    thread: str
    raw: bytearray = field(default_factory=bytearray)
    answer: dict | None = None


class GmailServer(WebServer):
    """Gmail and its sign-in.

    :param limit: units that one user may spend in `window` seconds
    :ivar tells_labels: the history tells the labels of mails that came
    :ivar off_schema: what was said on either side that Gmail's description forbids
    :ivar parts: the request lines within batches
    :ivar refused: how many calls came up against the limit
    :ivar sent: (address, raw) of each mail that was sent
    :ivar renames: it gives mails that are sent a Message-ID of its own
    """

    def __init__(
        self,
        port: int = 0,
        certificate=None,
        limit: int = 6_000,
        window: float = 60,
        redirect_uris=None,
    ):
        super().__init__(port, certificate)
        self.mailboxes: dict[str, Mailbox] = {}
        self.oauth = GoogleOAuth(lambda: list(self.mailboxes), redirect_uris)
        self.limit, self.window = limit, window
        self.tells_labels = False
        self.off_schema: list[str] = []
        self.parts: list[str] = []
        self.refused = 0
        self.sent: list[tuple[str, bytes]] = []
        self.renames = False
        self.uploads: dict[str, Upload] = {}
        self._spent: dict[str, deque] = {}

    def add_mailbox(self, address: str) -> Mailbox:
        """A user whom nobody has yet."""
        with self.lock:
            mailbox = Mailbox(address, len(self.mailboxes) + 1)
            self.mailboxes[address] = mailbox
            return mailbox

    def units(self, address: str) -> int:
        """What a user has spent in all."""
        return sum(units for _at, units in self._spent.get(address, ()))

    def respond(self, request: Request) -> Answer:
        if request.path in (AUTHORIZE, TOKEN, REVOKE, INTROSPECT):
            return self.oauth.respond(request)
        try:
            if request.path.startswith("/resumable/upload/"):
                return self._upload(request)
            if request.path == "/batch/gmail/v1":
                return self._batch(request)
            return self._call(request)
        except OffSchema as error:
            self.off_schema.append(str(error))
            return refusal(400, "badRequest", f"OFF SCHEMA: {error}")

    def _batch(self, request: Request) -> Answer:
        kind = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n"
        whole = email.message_from_bytes(kind.encode() + request.body)
        parts = whole.get_payload()
        if not whole.is_multipart() or len(parts) > MAX_BATCH:
            return refusal(400, "badRequest", "not a batch of at most 100 calls")
        boundary = "batch_loopback"
        pieces = []
        for part in parts:
            answer = self._part(request, part.get_payload())
            body, content_type = answer.encoded()
            headers = {"Content-Type": content_type, **answer.headers}
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            name = part["Content-ID"].strip("<>")
            pieces.append(
                f"--{boundary}\r\nContent-Type: application/http\r\n"
                f"Content-ID: <response-{name}>\r\n\r\n"
                f"HTTP/1.1 {answer.status} Status\r\n{head}\r\n".encode()
                + body
            )
        body = b"\r\n".join([*pieces, f"--{boundary}--\r\n".encode()])
        kind = f"multipart/mixed; boundary={boundary}"
        return Answer(body, 200, {"Content-Type": kind})

    def _part(self, outer: Request, text: str) -> Answer:
        line, _break, rest = text.partition("\n")
        method, target, _version = line.split(" ")
        inner = email.message_from_string(rest)
        line = f"{method} {target}"
        with self.lock:
            self.parts.append(line)
        fault = self.take_fault(line)
        if fault and fault.kind == "slow":
            time.sleep(fault.seconds)
        if fault and fault.kind == "answer":
            return fault.answer
        split = urllib.parse.urlsplit(target)
        headers = dict(outer.headers)
        if inner["Authorization"]:
            headers["Authorization"] = inner["Authorization"]
        query = urllib.parse.parse_qs(split.query, keep_blank_values=True)
        body = inner.get_payload().encode()
        request = Request(method, split.path, query, headers, body)
        answer = self._call(request)
        if fault and fault.kind == "broken":
            answer.body = json.dumps(answer.body)[: len(json.dumps(answer.body)) // 2]
        return answer

    def _call(self, request: Request) -> Answer:
        method = check_request(
            request.method, request.path, request.query, request.body
        )
        try:
            mailbox = self._authorized(request, method)
            self._charge(mailbox, COSTS[method["id"]])
            with mailbox.lock:
                answer = answer_call(self, mailbox, method["id"], request)
        except Refused as error:
            return error.answer
        check_answer(method, answer)
        return Answer(answer)

    def _authorized(self, request: Request, method: dict) -> Mailbox:
        scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
        consent = self.oauth.consent_of(token) if scheme == "Bearer" else None
        if not consent:
            raise Refused(
                401,
                "authError",
                "Request had invalid authentication credentials.",
                {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/"'},
            )
        wanted = _SEND if method["id"].endswith(".send") else _READ
        granted = {wanted, MAIL_SCOPE} & set(consent.scopes)
        if not granted & set(method["scopes"]):
            text = "Request had insufficient authentication scopes."
            raise Refused(403, "insufficientPermissions", text)
        mailbox = self.mailboxes[consent.email]
        if not mailbox.is_enabled:
            raise Refused(400, "failedPrecondition", "Mail service not enabled")
        return mailbox

    def _charge(self, mailbox: Mailbox, units: int) -> None:
        now = time.time()
        with self.lock:
            spent = self._spent.setdefault(mailbox.address, deque())
            recent = [one for one in spent if one[0] > now - self.window]
            if sum(one[1] for one in recent) + units > self.limit:
                self.refused += 1
                free_at = recent[0][0] + self.window if recent else now
                moment = datetime.fromtimestamp(free_at, timezone.utc)
                text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
                text = f"User-rate limit exceeded.  Retry after {text}"
                raise Refused(429, "rateLimitExceeded", text)
            spent.append((now, units))

    def send(self, mailbox: Mailbox, raw: bytes, thread: str = "") -> str:
        """A mail that a user sends: into his Sent, and to those who are here."""
        head = email.message_from_bytes(raw)
        named = [str(v) for n in ("To", "Cc", "Bcc") for v in head.get_all(n, [])]
        if not named:
            raise Refused(400, "invalidArgument", "Recipient address required")
        people = [address for _name, address in email.utils.getaddresses(named)]
        if not all(re.fullmatch(r"[^@\s]+@[^@\s]+", one) for one in people):
            raise Refused(400, "invalidArgument", "Invalid To header")
        if thread and thread not in {one.thread_id for one in mailbox.mails.values()}:
            raise Refused(404, "notFound", "Requested entity was not found.")
        self.sent.append((mailbox.address, raw))
        for address in people:
            if other := self.mailboxes.get(address):
                other.deliver(_BCC.sub(b"", raw, 1))
        kept = raw
        if self.renames:
            new = f"<CA{len(self.sent)}@mail.gmail.com>".encode()
            kept = _ID.sub(
                rb"\1X-Google-Original-Message-ID: \2\r\nMessage-ID: " + new, raw
            )
        return mailbox.deliver(kept, ["SENT"], thread_id=thread)

    # --- uploads ---

    def _upload(self, request: Request) -> Answer:
        """https://developers.google.com/workspace/gmail/api/guides/uploads"""
        path = request.path.removeprefix("/resumable/upload")
        is_begun = request.method == "PUT"
        method = check_request("POST", path, {}, b"{}" if is_begun else request.body)
        try:
            mailbox = self._authorized(request, method)
            take = self._take_piece if is_begun else self._begin_upload
            return take(request, mailbox, method)
        except Refused as error:
            return error.answer

    def _begin_upload(self, request: Request, mailbox: Mailbox, method) -> Answer:
        self._charge(mailbox, COSTS[method["id"]])
        size = int(request.headers["X-Upload-Content-Length"])
        if request.headers["X-Upload-Content-Type"] != "message/rfc822":
            raise OffSchema("an upload takes message/*")
        if size > int(method["mediaUpload"]["maxSize"]):
            raise Refused(413, "uploadTooLarge", "Request is too large.")
        thread = request.json.get("threadId", "")
        name = f"up{len(self.uploads) + 1}"
        self.uploads[name] = Upload(mailbox, size, thread)
        query = f"uploadType=resumable&upload_id={name}"
        return Answer(b"", 200, {"Location": f"{self.url}{request.path}?{query}"})

    def _take_piece(self, request: Request, mailbox: Mailbox, method) -> Answer:
        upload = self.uploads.get(request.get("upload_id"))
        if not upload or upload.mailbox is not mailbox:
            raise Refused(404, "notFound", "Requested entity was not found.")
        span = request.headers["Content-Range"]
        found = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+)", span)
        if not found or int(found[3]) != upload.size:
            raise OffSchema(f"Content-Range: {span}")
        if found[1] and not upload.answer:
            begin, end = int(found[1]), int(found[2]) + 1
            is_last = end == upload.size
            if end - begin != len(request.body) or begin != len(upload.raw):
                raise OffSchema(f"a piece that does not fit: {span}")
            if not is_last and len(request.body) % (256 * 1024):
                raise OffSchema("a piece is a multiple of 256 kB")
            upload.raw += request.body
            if is_last:
                ref = self.send(mailbox, bytes(upload.raw), upload.thread)
                upload.answer = sent_answer(mailbox, ref)
                check_answer(method, upload.answer)
        if upload.answer:
            return Answer(upload.answer)
        return Answer(b"", 308, {"Range": f"bytes=0-{len(upload.raw) - 1}"})


def deliver_folder(mailbox: Mailbox, folder: Path) -> None:
    """All `.eml` files below a folder, each at its own date: what the user wrote into
    Sent, all else into the inbox."""
    for path in sorted(folder.rglob("*.eml")):
        raw = path.read_bytes()
        head = email.message_from_bytes(raw)
        writer = email.utils.parseaddr(str(head["From"]))[1]
        labels = ["SENT"] if writer == mailbox.address else ["INBOX"]
        date = email.utils.parsedate_to_datetime(str(head["Date"]))
        mailbox.deliver(raw, labels, at=date.timestamp())


def main() -> None:
    """Serve until ended; the address is the first line that is printed."""
    parser = argparse.ArgumentParser(prog="servers.gmail", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--email", action="append", help="a mailbox (repeatable)")
    parser.add_argument("--mails", type=Path, help=".eml files for the first mailbox")
    parser.add_argument("--redirect", action="append", help="a registered redirect URI")
    parser.add_argument("--client-id")
    parser.add_argument("--client-secret")
    options = parser.parse_args()
    server = GmailServer(options.port, redirect_uris=options.redirect)
    server.oauth.client_id = options.client_id or server.oauth.client_id
    server.oauth.client_secret = options.client_secret or server.oauth.client_secret
    for address in options.email or ["demo@gmail.example"]:
        server.add_mailbox(address)
    if options.mails:
        deliver_folder(next(iter(server.mailboxes.values())), options.mails)
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    server.serve()


if __name__ == "__main__":
    main()
