"""What the loopback Gmail says to each method."""

import base64
import binascii
import json

from .gmail_format import attachment, form_of, packed
from .gmail_schema import OffSchema
from .gmail_search import BadQuery, search
from .gmail_store import SYSTEM_LABELS, Mail, Mailbox
from .web import Answer, Request

#: What is larger is uploaded.
MAX_JSON_MAIL = 5_000_000

_HISTORY_KINDS = {
    "messageAdded": "messagesAdded",
    "messageDeleted": "messagesDeleted",
    "labelAdded": "labelsAdded",
    "labelRemoved": "labelsRemoved",
}
_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, reason: str, message: str, headers=None):
        super().__init__(message)
        self.answer = refusal(status, reason, message, headers)


def refusal(status: int, reason: str, message: str, headers=None) -> Answer:
    """An error as Google spells it."""
    one = {"message": message, "domain": "global", "reason": reason}
    name = "FAILED_PRECONDITION" if reason == "failedPrecondition" else ""
    error = {
        "code": status,
        "message": message,
        "errors": [one],
        "status": name or _STATUS.get(status, "UNKNOWN"),
    }
    return Answer({"error": error}, status, dict(headers or {}))


def answer_call(server, mailbox: Mailbox, method: str, request: Request) -> dict:
    """The answer to a call; raises `Refused`.

    :param server: the `GmailServer`
    :param method: as the discovery document calls it
    """
    if method == "gmail.users.getProfile":
        return {
            "emailAddress": mailbox.address,
            "messagesTotal": len(mailbox.mails),
            "threadsTotal": len({mail.thread_id for mail in mailbox.mails.values()}),
            "historyId": str(mailbox.history_id),
        }
    if method == "gmail.users.labels.list":
        own = [{"id": i, "name": n, "type": "user"} for i, n in mailbox.labels.items()]
        system = [{"id": n, "name": n, "type": "system"} for n in SYSTEM_LABELS]
        return {"labels": system + own}
    if method == "gmail.users.settings.sendAs.list":
        return {"sendAs": mailbox.send_as}
    if method == "gmail.users.messages.list":
        return _list(mailbox, request)
    if method == "gmail.users.history.list":
        return _history(server, mailbox, request)
    if method == "gmail.users.messages.get":
        mail = _mail(mailbox, request.path.rpartition("/")[2])
        wanted = request.query.get("metadataHeaders", ())
        return form_of(mail, request.get("format", "full"), wanted)
    if method == "gmail.users.messages.attachments.get":
        *_path, ref, _attachments, wanted = request.path.split("/")
        content = attachment(_mail(mailbox, ref), wanted)
        if content is None:
            raise Refused(404, "notFound", "Requested entity was not found.")
        return {"size": len(content), "data": packed(content)}
    if method == "gmail.users.messages.send":
        body = request.json
        raw = _unpacked(body.get("raw", ""))
        if len(raw) > MAX_JSON_MAIL:
            raise Refused(
                413, "uploadTooLarge", "Request payload size exceeds the limit"
            )
        ref = server.send(mailbox, raw, body.get("threadId", ""))
        return sent_answer(mailbox, ref)
    raise OffSchema(f"{method} is not served here")


def sent_answer(mailbox: Mailbox, ref: str) -> dict:
    """What is said of a mail that was sent."""
    mail = mailbox.mails[ref]
    labels = sorted(mail.labels)
    return {"id": ref, "threadId": mail.thread_id, "labelIds": labels}


def _unpacked(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise Refused(400, "invalidArgument", "'raw' is not base64url") from None


def _mail(mailbox: Mailbox, ref: str) -> Mail:
    try:
        int(ref, 16)
    except ValueError:
        raise Refused(400, "invalidArgument", "Invalid id value") from None
    if ref not in mailbox.mails:
        raise Refused(404, "notFound", "Requested entity was not found.")
    return mailbox.mails[ref]


def _list(mailbox: Mailbox, request: Request) -> dict:
    labels = request.query.get("labelIds", [])
    for label in labels:
        if label not in SYSTEM_LABELS and label not in mailbox.labels:
            raise Refused(400, "invalidArgument", f"Invalid label: {label}")
    with_hidden = request.get("includeSpamTrash") == "true"
    try:
        found = search(mailbox, request.get("q"), labels, with_hidden)
    except BadQuery as error:
        raise OffSchema(f"a search that is not known here: {error}") from None
    estimate = len(found)
    token = request.get("pageToken")
    if token:
        # A place in the order: what comes and goes before it shifts nothing.
        try:
            at, number = json.loads(bytes.fromhex(token))
        except ValueError:
            raise Refused(400, "invalidArgument", "Invalid pageToken") from None
        found = [m for m in found if (-m.at, -int(m.id, 16)) > (-at, -number)]
    size = int(request.get("maxResults", "100"))
    page = found[:size]
    answer = {
        "messages": [{"id": mail.id, "threadId": mail.thread_id} for mail in page],
        "resultSizeEstimate": estimate,
    }
    if not page:
        del answer["messages"]
    if len(found) > size:
        place = [page[-1].at, int(page[-1].id, 16)]
        answer["nextPageToken"] = json.dumps(place).encode().hex()
    return answer


def _history(server, mailbox: Mailbox, request: Request) -> dict:
    start = int(request.get("startHistoryId"))
    if not mailbox.history_begins <= start <= mailbox.history_id:
        raise Refused(404, "notFound", "Requested entity was not found.")
    wanted = request.query.get("historyTypes", list(_HISTORY_KINDS))
    kinds = {_HISTORY_KINDS[name] for name in wanted}
    label = request.get("labelId")
    after = int(request.get("pageToken") or start)
    events = [
        event
        for event in mailbox.history
        if event.id > after and event.kind in kinds
        if not label or label in _labels(mailbox, event.mail_id)
    ]
    size = int(request.get("maxResults", "100"))
    records = []
    for event in events[:size]:
        message: dict = {"id": event.mail_id, "threadId": event.thread_id}
        told: dict = {"message": dict(message)}
        if event.kind.startswith("labels"):
            told["labelIds"] = event.labels
        elif server.tells_labels and event.kind == "messagesAdded":
            told["message"]["labelIds"] = sorted(_labels(mailbox, event.mail_id))
        records.append({"id": str(event.id), "messages": [message], event.kind: [told]})
    answer: dict = {"historyId": str(mailbox.history_id)}
    if records:
        answer["history"] = records
    if len(events) > size:
        answer["nextPageToken"] = str(events[size - 1].id)
    return answer


def _labels(mailbox: Mailbox, ref: str) -> set[str]:
    mail = mailbox.mails.get(ref)
    return mail.labels if mail else set()
