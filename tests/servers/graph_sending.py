"""What the loopback Graph does where a mail is sent: drafts, what is put to them, send.

https://learn.microsoft.com/en-us/graph/outlook-send-mime-message,
https://learn.microsoft.com/en-us/graph/outlook-large-attachments
"""

import base64
import binascii
import email
import email.encoders
import email.policy
import email.utils
import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.message import Message as Mime
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.parser import BytesHeaderParser

from .graph_refusal import Refusal
from .graph_store import Mailbox, Message, properties_of
from .web import Answer, Request

#: Of a mail that becomes a draft, of a file that is put to it at once, of a piece, and
#: of what is sent.
MAX_MIME = 4_000_000
MAX_FILE = 3 << 20
MAX_PIECE = 4 << 20
MAX_MAIL = 36_700_160

_MESSAGE = r"/messages/(?P<message>[^/]+)"
_FILE = {"@odata.type", "name", "contentType", "contentBytes", "isInline", "contentId"}
_ITEM = {"attachmentType", "name", "size", "contentType", "isInline", "contentId"}
_BCC = re.compile(rb"^Bcc:.*\r\n(?:[ \t].*\r\n)*", re.MULTILINE | re.IGNORECASE)
_ID = re.compile(rb"(^|\r\n)Message-ID: [^\r\n]*", re.IGNORECASE)


@dataclass
class Session:
    """An upload. Its address is known by `key` alone."""

    message: Message
    size: int
    kind: tuple[str, str, str]
    raw: bytearray = field(default_factory=bytearray)


def _create(server, request: Request, mailbox: Mailbox) -> Answer:
    return _drafted(server, request, mailbox, _mime(server, request))


def _reply(server, request: Request, mailbox: Mailbox, message: str) -> Answer:
    answered = server.find(mailbox, message)
    conversation = properties_of(answered)["conversationId"]
    conversation = answered.properties.get("conversationId", conversation)
    raw = _mime(server, request)
    return _drafted(server, request, mailbox, raw, conversationId=conversation)


def _drafted(server, request, mailbox: Mailbox, raw: bytes, **properties) -> Answer:
    if server.renames in ("draft", "always"):
        raw = _renamed(raw, mailbox)
    key = mailbox.deliver(raw, "drafts", read=True, draft=True)
    draft = mailbox.messages[key]
    draft.properties.update(properties)
    return Answer(server.message(request, draft), 201)


def _renamed(raw: bytes, mailbox: Mailbox) -> bytes:
    new = f"<AM{len(mailbox.changes)}@eurprd.outlook.com>".encode()
    return _ID.sub(rb"\1Message-ID: " + new, raw, 1)


def _mime(server, request: Request) -> bytes:
    if len(request.body) > MAX_MIME:
        raise Refusal(413, "RequestBroker--ParseRequestTooLarge", "Too large")
    if request.headers.get("Content-Type") != "text/plain":
        server.violations.append("a draft that is no MIME")
    try:
        return base64.b64decode(request.body, validate=True)
    except binascii.Error:
        raise Refusal(400, "ErrorMimeContentInvalidBase64String") from None


def _draft(server, mailbox: Mailbox, ref: str) -> Message:
    found = server.find(mailbox, ref)
    if not found.is_draft:
        raise Refusal(400, "ErrorInvalidOperation", "It is no draft.")
    return found


def _change(server, request: Request, mailbox: Mailbox, message: str) -> Answer:
    found = _draft(server, mailbox, message)
    body = request.json
    server.hold(body)
    [(name, value)] = body.items()
    if name == "singleValueExtendedProperties":
        [stamp] = value
        found.stamp = stamp["id"], stamp["value"]
    elif name != "internetMessageId" or not re.fullmatch(r"<\S+@\S+>", value):
        server.violations.append(f"a change that is not known here: {body}")
    elif server.renames == "always":
        raise Refusal(400, "ErrorInvalidPropertySet", "It cannot be set.")
    else:
        found.raw = _ID.sub(rb"\1Message-ID: " + value.encode(), found.raw, 1)
    found.touch()
    return Answer(server.message(request, found))


def _remove(server, request: Request, mailbox: Mailbox, message: str) -> Answer:
    mailbox.delete(server.find(mailbox, message).key)
    return Answer(status=204)


def _attach(server, request: Request, mailbox: Mailbox, message: str) -> Answer:
    found = _draft(server, mailbox, message)
    body = request.json
    if set(body) - _FILE or body["@odata.type"] != "#microsoft.graph.fileAttachment":
        server.violations.append(f"no file: {sorted(body)}")
    content = base64.b64decode(body.pop("contentBytes"), validate=True)
    server.hold(body, "Attachment")
    if len(content) >= MAX_FILE:
        raise Refusal(413, "RequestBroker--ParseRequestTooLarge", "Too large")
    found.files.append((*_kind(body), content))
    found.touch()
    body |= {"id": f"file{len(found.files)}", "size": len(content)}
    return Answer(body, 201)


def _kind(item: dict) -> tuple[str, str, str]:
    return item["contentType"], item["name"], item.get("contentId", "")


def _begin_upload(server, request: Request, mailbox: Mailbox, message: str) -> Answer:
    found = _draft(server, mailbox, message)
    [(name, item)] = request.json.items()
    if (
        name != "AttachmentItem"
        or set(item) - _ITEM
        or item["attachmentType"] != "file"
    ):
        server.violations.append(f"no AttachmentItem: {request.json}")
    if item["size"] < MAX_FILE:
        raise Refusal(400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize")
    if item["size"] > 150 << 20:
        raise Refusal(413, "ErrorAttachmentSizeLimitExceeded")
    key = f"s3cret-{len(server.sessions)}"
    server.sessions[key] = Session(found, item["size"], _kind(item))
    answer = {
        "uploadUrl": f"{server.url}/upload/{key}?authtoken={key}",
        "expirationDateTime": "2999-01-01T00:00:00Z",
        "nextExpectedRanges": ["0-"],
    }
    return Answer(answer, 201)


def put_piece(server, request: Request) -> Answer:
    """A piece of a file, at the address of its session."""
    session = server.sessions.get(request.get("authtoken"))
    if request.method != "PUT" or not session:
        return Answer({"error": {"code": "ItemNotFound", "message": "Gone"}}, 404)
    if request.headers.get("Authorization"):
        server.violations.append("a token at the address of an upload")
    span = request.headers["Content-Range"]
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", span)
    begin, end, whole = int(found[1]), int(found[2]) + 1, int(found[3])
    fits = begin == len(session.raw) and end - begin == len(request.body)
    if not fits or whole != session.size or len(request.body) > MAX_PIECE:
        server.violations.append(f"a piece that does not fit: {span}")
        return Answer({"error": {"code": "InvalidRange", "message": span}}, 416)
    session.raw += request.body
    if end < whole:
        return Answer({"nextExpectedRanges": [f"{end}-"]}, 200)
    session.message.files.append((*session.kind, bytes(session.raw)))
    session.message.touch()
    return Answer(status=201, headers={"Location": f"{server.url}/attachment"})


def _send(server, request: Request, mailbox: Mailbox, message: str) -> Answer:
    found = _draft(server, mailbox, message)
    if request.body:
        server.violations.append("send takes no body")
    raw = _whole(server, found)
    if server.renames == "sent":
        raw = _renamed(raw, mailbox)
    if len(raw) > MAX_MAIL:
        raise Refusal(400, "ErrorMessageSizeExceeded", "The message is too large.")
    head = BytesHeaderParser().parsebytes(raw)
    named = [str(v) for n in ("To", "Cc", "Bcc") for v in head.get_all(n, [])]
    people = [address for _name, address in email.utils.getaddresses(named)]
    if not people:
        raise Refusal(400, "ErrorInvalidRecipients", "At least one recipient is needed")
    sender = email.utils.parseaddr(str(head["From"]))[1].lower()
    if sender not in (mailbox.address, *mailbox.aliases):
        raise Refusal(403, "ErrorSendAsDenied", "The user may not send as that sender.")
    with mailbox.lock:
        server.sent.append((mailbox.address, raw))
        found.raw, found.is_draft, found.files = raw, False, []
        found.received = datetime.now(timezone.utc)
        found.lag = server.lag
        mailbox.move(found.key, "outbox" if server.lag else "sentitems")
    for address in people:
        if other := server.mailboxes.get(address):
            other.deliver(
                re.sub(rb"(?m)^Bcc:.*\r\n(?:[ \t].*\r\n)*", b"", raw, count=1)
            )
    return Answer(status=202)


def _whole(server, draft: Message) -> bytes:
    """The mail of a draft, with what was put to it."""
    parsed = email.message_from_bytes(draft.raw)
    if draft.files:
        parsed = _with_files(parsed, draft.files)
    if server.rewrites:
        del parsed["Date"]
        parsed["Date"] = email.utils.formatdate(usegmt=True)
    is_same = not draft.files and not server.rewrites
    return draft.raw if is_same else parsed.as_bytes(policy=email.policy.SMTP)


def _with_files(parsed: Mime, files) -> Mime:
    whole = MIMEMultipart("mixed")
    body = MIMEBase("text", "plain")
    del body["Content-Type"], body["MIME-Version"]
    for name, value in parsed.items():
        target = body if name.lower().startswith("content-") else whole
        if name.lower() != "mime-version":
            target[name] = value
    body.set_payload(parsed.get_payload())
    whole.attach(body)
    for kind, name, content_id, content in files:
        part = MIMEBase(*kind.split("/"))
        part.set_payload(content)
        email.encoders.encode_base64(part)
        disposition = "inline" if content_id else "attachment"
        part.add_header("Content-Disposition", disposition, filename=name)
        if content_id:
            part["Content-ID"] = f"<{content_id}>"
        whole.attach(part)
    return whole


ROUTES = {
    "POST": (
        (r"/messages", _create),
        (_MESSAGE + r"/createReply", _reply),
        (_MESSAGE + r"/attachments", _attach),
        (_MESSAGE + r"/attachments/createUploadSession", _begin_upload),
        (_MESSAGE + r"/send", _send),
    ),
    "PATCH": ((_MESSAGE, _change),),
    "DELETE": ((_MESSAGE, _remove),),
}
