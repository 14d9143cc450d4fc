"""A mail handed over to Microsoft 365, once.

It becomes a draft, out of its MIME; what is large is put to it piece by piece; then the
draft is sent, and stands under its name among the sent mail:
https://learn.microsoft.com/en-us/graph/outlook-send-mime-message,
https://learn.microsoft.com/en-us/graph/outlook-large-attachments

Nothing has gone out before `send` is asked for. A draft that was left behind is known
by its Message-ID: it is taken away, and none is made beside it. One that its writer
has gone on with in his mail program is his, and stays.
"""

import base64
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from ..messages import File
from .base import MAX_FOUND, Found
from .errors import MailboxError, Permanent, Refused, Retry
from .graph_client import GraphClient
from .graph_errors import ServerAnswer, translate
from .outlook_delta import moment
from .outlook_folders import folder_path
from .outlook_page import message_path
from .sending import Outgoing, SendLimits, Sent, check_size, written

#: What a request takes is 4 MB, in base64.
MIME_BYTES = 2_900_000
#: Of a file; a larger one is uploaded.
FILE_BYTES = 3_000_000
#: Of one piece of an upload: under 4 MB, and a multiple of 320 kB.
PIECE_BYTES = 320 * 1024 * 12

_STAMP = "String {5c2b1a52-6f0f-4e0a-9d0b-3f6a8f1f7c55} Name EasycrmMessageId"
_FIELDS = (
    "id,internetMessageId,conversationId,parentFolderId,isDraft,"
    "createdDateTime,lastModifiedDateTime"
)
_SENDER_CODES = frozenset(("errorsendasdenied", "errorsendonbehalfofdenied"))
_RECIPIENT_CODES = frozenset(
    ("errorinvalidrecipients", "errorrecipientnotfound", "errorinvalidsmtpaddress")
)
_SIZE_CODES = frozenset(
    (
        "errormessagesizeexceeded",
        "errorattachmentsizelimitexceeded",
        "errorsubmissionsizeexceeded",
        "requestbroker--parserequesttoolarge",
    )
)
_MANY_CODES = frozenset(("errortoomanyrecipients", "errorexceededrecipientlimit"))
_DAY_CODES = frozenset(("errorexceededmessagelimit", "errorexceededsendlimit"))
_TOO_SMALL = "errorattachmentsizeshouldnotbelessthanminimumsize"
_DAY_WAIT = 3600.0
_ANY = "application/octet-stream"
#: In which all that we do to a draft is done: the call that makes it ends by then.
_OURS = timedelta(seconds=60)


class Sending:
    """One mail on its way.

    :ivar is_said: it was asked to be sent, and not refused
    :ivar item: what Graph says of it, once there is a draft
    """

    def __init__(self, client: GraphClient, mail: Outgoing, limits: SendLimits):
        self._client = client
        self._mail = mail
        self._limits = limits
        self.is_said = False
        self.item: dict = {}
        # Refused what cannot be written, before anything is asked.
        self.raw = written(mail.draft, limits, bcc=True)

    @property
    def _path(self) -> str:
        return message_path(str(self.item["id"]))

    def hand_over(self) -> None:
        """Makes a draft of it and has that sent."""
        try:
            self._hand_over()
        except ServerAnswer as answer:
            raise _refusal(answer, self._client.secrets) from None

    def _hand_over(self) -> None:
        for one in _known(self._client, self._mail.draft.message_id):
            if not one.get("isDraft"):
                # An attempt before, of which nobody knew.
                self.item, self.is_said = one, True
                return
            if _is_ours(one):
                _drop(self._client, one)
        self._make_draft()
        self._keep_id()
        try:
            self._client.post(f"{self._path}/send")
        finally:
            self.is_said = self._client.is_open

    def is_gone_out(self) -> bool:
        """Whether what is in doubt is sent; False where nobody knows."""
        self._look()
        return self.item.get("isDraft") is False

    def clear(self) -> None:
        """Takes away what was made of it."""
        clear_drafts(self._client, self._mail.draft.message_id)
        if self.item.get("isDraft"):
            _drop(self._client, self.item)

    def result(self, error: MailboxError | None = None) -> Sent:
        """It as far as it is known.

        :param error: why no more is
        """
        given = str(self.item.get("internetMessageId") or "")
        return Sent(
            given or self._mail.draft.message_id,
            str(self.item.get("conversationId") or ""),
            raw=self._renamed(given),
            note=str(error or ""),
        )

    def find_copy(self) -> Found | None:
        """Where it stands among the sent mail, if it has come there by now."""
        folder = self._client.get(folder_path("sentitems"), **{"$select": "id"})
        if self.item.get("parentFolderId") != folder.get("id"):
            self._look()
        if self.item.get("isDraft") or self.item.get("parentFolderId") != folder["id"]:
            return None
        return Found(str(folder["id"]), str(self.item["id"]))

    def _renamed(self, message_id: str) -> bytes:
        if message_id in ("", self._mail.draft.message_id):
            return self.raw
        draft = replace(self._mail.draft, message_id=message_id)
        return written(draft, self._limits, bcc=True)

    def _look(self) -> None:
        self.item = self._client.get(self._path, **{"$select": _FIELDS})

    def _make_draft(self) -> None:
        draft, apart = self._mail.draft, ()
        mime = self.raw
        if len(mime) > MIME_BYTES:
            apart, draft = draft.files, replace(draft, files=())
            mime = written(draft, self._limits, bcc=True)
            check_size(len(mime), MIME_BYTES)
        self.item = self._create(mime)
        for file in apart:
            self._attach(file)

    def _create(self, mime: bytes) -> dict:
        packed = base64.b64encode(mime)
        answered = self._mail.reply_to
        if answered:
            path = f"{message_path(answered.ref)}/createReply"
            try:
                return self._client.post(path, mime=packed)
            except ServerAnswer as answer:
                # What is answered is not there any more.
                if not answer.is_gone and answer.code != "errorinvalididmalformed":
                    raise
        return self._client.post("/messages", mime=packed)

    def _keep_id(self) -> None:
        """The name that it is known by, if Exchange gives it another one: now, or as
        it is sent."""
        wanted = self._mail.draft.message_id
        self._change({"singleValueExtendedProperties": [_stamp(wanted)]})
        if self.item.get("internetMessageId") not in (None, wanted):
            self._change({"internetMessageId": wanted})

    def _change(self, body: dict) -> None:
        """Changes the draft, if Exchange lets it be changed."""
        try:
            changed = self._client.patch(self._path, body)
        except ServerAnswer as answer:
            if answer.status not in (400, 403):
                raise
            return
        self.item = {**self.item, **changed}

    def _attach(self, file: File) -> None:
        shown = {"isInline": bool(file.content_id)}
        if file.content_id:
            shown["contentId"] = file.content_id
        shown |= {"name": file.name or "file", "contentType": file.mimetype or _ANY}
        if len(file.data) < FILE_BYTES or not self._upload(file.data, shown):
            content = base64.b64encode(file.data).decode("ascii")
            kind = {"@odata.type": "#microsoft.graph.fileAttachment"}
            body = {**kind, **shown, "contentBytes": content}
            self._client.post(f"{self._path}/attachments", body)

    def _upload(self, data: bytes, shown: dict) -> bool:
        """Uploads a file; False where Graph finds it too small for that."""
        size = len(data)
        item = {"attachmentType": "file", "size": size, **shown}
        path = f"{self._path}/attachments/createUploadSession"
        try:
            answer = self._client.post(path, {"AttachmentItem": item})
        except ServerAnswer as refusal:
            if refusal.code != _TOO_SMALL:
                raise
            return False
        for start in range(0, size, PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            span = f"bytes {start}-{start + len(piece) - 1}/{size}"
            self._client.put(str(answer.get("uploadUrl")), piece, span)
        return True


def find_sent(client: GraphClient, message_id: str) -> list[Found]:
    """Where a mail stands that is no draft any more."""
    return [
        Found(str(one.get("parentFolderId") or ""), str(one["id"]))
        for one in _known(client, message_id)
        if not one.get("isDraft")
    ]


def clear_drafts(
    client: GraphClient, message_id: str, before: datetime | None = None
) -> None:
    """Takes away what is still a draft; it goes where the user's deleted mail goes.

    :param before: what was changed later is the user's: he has gone on with it
    """
    for one in _known(client, message_id):
        if one.get("isDraft") and _is_ours(one, before):
            _drop(client, one)


def _is_ours(draft: dict, before: datetime | None = None) -> bool:
    """Whether nobody else has changed a draft since it was made.

    :param before: see `clear_drafts`
    """
    created = moment(draft.get("createdDateTime"))
    changed = moment(draft.get("lastModifiedDateTime"))
    if not (created and changed) or changed - created >= _OURS:
        return False
    return not before or changed < before


def _drop(client: GraphClient, item: dict) -> None:
    try:
        client.delete(message_path(str(item["id"])))
    except ServerAnswer as answer:
        if not answer.is_gone:
            raise


def _known(client: GraphClient, message_id: str) -> list[dict]:
    """What the mailbox holds under a Message-ID, or has sent under another one."""
    escaped = message_id.replace("'", "''")
    found = _matching(client, f"internetMessageId eq '{escaped}'")
    if found:
        return found
    is_ours = f"ep/id eq '{_STAMP}' and ep/value eq '{escaped}'"
    return _matching(client, f"singleValueExtendedProperties/Any(ep: {is_ours})")


def _matching(client: GraphClient, condition: str) -> list[dict]:
    query = {"$filter": condition, "$select": _FIELDS, "$top": str(MAX_FOUND)}
    found = client.get("/messages", **query).get("value")
    if not isinstance(found, list):
        raise Retry("answer", "this is no list")
    return [one for one in found if isinstance(one, dict) and one.get("id")]


def _stamp(message_id: str) -> dict:
    """What a draft is marked with; it stays with it, and does not leave the mailbox:
    https://learn.microsoft.com/en-us/graph/api/resources/extended-properties-overview
    """
    return {"id": _STAMP, "value": message_id}


def _refusal(answer: ServerAnswer, secrets: Iterable[str]) -> MailboxError:
    """What a refusal means for a mail."""
    failure = translate(answer, secrets)
    if answer.code in _SENDER_CODES:
        return Refused("sender", failure.detail)
    if answer.code in _RECIPIENT_CODES:
        return Refused("recipients", failure.detail)
    if answer.code in _MANY_CODES:
        return Refused("too_many", failure.detail)
    if answer.status == 413 or answer.code in _SIZE_CODES:
        return Refused("size", failure.detail)
    if answer.code in _DAY_CODES:
        return Retry("busy", failure.detail, answer.retry_after or _DAY_WAIT)
    if answer.code == "errormessagesubmissionblocked":
        return Permanent("forbidden", failure.detail)
    is_plain = failure.code in ("answer", "mail", "checkpoint")
    if is_plain and 400 <= answer.status < 500:
        return Refused("refused", failure.detail)
    return failure
