"""A mail handed over to Gmail, once, and what became of it.

https://developers.google.com/workspace/gmail/api/guides/uploads: what is large goes
piece by piece into an upload of its own, and is sent with the last one.
"""

import base64
import contextlib
import http.client
import re
from collections.abc import Iterator
from dataclasses import replace

from googleapiclient.errors import HttpError

from .base import MAX_FOUND, Found
from .errors import Gone, MailboxError, Refused, Retry
from .gmail_api import GmailApi, is_ref, refs_of
from .gmail_errors import of_answer, status_of
from .gmail_labels import ALL
from .sending import Outgoing, SendLimits, Sent, written

# Of what is larger Gmail wants an upload; what is in JSON grows by a third, too.
UPLOAD_BYTES = 4_000_000
#: Of one piece; a multiple of 256 kB, as Google has it.
PIECE_BYTES = 8 << 20
# Gmail may have given a mail another Message-ID: so many of the newest are looked at.
_NEWEST = 20
_IDS = ("message-id", "x-google-original-message-id")
_SENT = "SENT"
# "Recipient address required", "Invalid To header"
_RECIPIENTS = re.compile(r"recipient|invalid (?:to|cc|bcc) header", re.IGNORECASE)


def hand_over(api: GmailApi, raw: bytes, thread: str) -> dict:
    """Sends a mail; gives what Gmail says of it.

    :param thread: what Gmail calls the conversation, or an empty string
    """
    try:
        if len(raw) > UPLOAD_BYTES:
            return _upload(api, raw, thread)
        return api.send(base64.urlsafe_b64encode(raw).decode("ascii"), thread)
    except HttpError as error:
        if thread and status_of(error) == 404:
            # It is not there any more; that of the mail's References will do.
            return hand_over(api, raw, "")
        raise _refusal(error) from None


def _upload(api: GmailApi, raw: bytes, thread: str) -> dict:
    """Before its last piece, nothing of a mail has gone out."""
    whole = len(raw)
    view = memoryview(raw)
    *starts, last = range(0, whole, PIECE_BYTES)
    with _harmless(api):
        address = api.begin_upload(whole, thread)
        for start in starts:
            end = start + PIECE_BYTES
            piece = bytes(view[start:end])
            api.put(address, piece, f"bytes {start}-{end - 1}/{whole}")
    try:
        answer = api.put(
            address, bytes(view[last:]), f"bytes {last}-{whole - 1}/{whole}"
        )
    except (OSError, http.client.HTTPException, ValueError):
        # An upload ends once: whether it has may be asked.
        answer = _ask(api, address, whole)
        if not answer:
            raise
    if not answer:
        api.http.is_open = True
        raise Retry("answer", "the upload has no end")
    return answer


def _ask(api: GmailApi, address: str, whole: int) -> dict | None:
    """What Gmail says of the mail of an upload, if it has sent it."""
    try:
        return api.put(address, b"", f"bytes */{whole}")
    except Exception:  # noqa: BLE001
        return None
    finally:
        api.http.is_open = True


@contextlib.contextmanager
def _harmless(api: GmailApi) -> Iterator[None]:
    """Whatever breaks within has sent nothing."""
    try:
        yield
    finally:
        api.http.is_open = False


def copy_of(
    api: GmailApi, mail: Outgoing, limits: SendLimits, raw: bytes, answer: dict
) -> Sent:
    """A mail that was sent, as the mailbox has it now.

    :param answer: of `hand_over`
    """
    sent = unseen(mail, raw, answer)
    if not sent.ref:
        return sent
    given = _ids(api.get(sent.ref, "metadata")).get("message-id", "")
    if given in ("", sent.message_id):
        return sent
    renamed = replace(mail.draft, message_id=given)
    raw = written(renamed, limits, bcc=True)
    return replace(sent, message_id=given, raw=raw)


def unseen(
    mail: Outgoing, raw: bytes, answer: dict, error: MailboxError | None = None
) -> Sent:
    """A mail that was sent, and has not been looked at since.

    :param error: why
    """
    ref = str(answer.get("id") or "")
    return Sent(
        mail.draft.message_id,
        str(answer.get("threadId") or ""),
        ALL if is_ref(ref) else "",
        ref if is_ref(ref) else "",
        raw,
        note=str(error or ""),
    )


def find_sent(api: GmailApi, message_id: str) -> list[Found]:
    """Where a mail stands that was sent with a Message-ID, whichever it has now."""
    query = f"rfc822msgid:{message_id.strip('<>')}"
    refs = refs_of(api.list_ids(query, _SENT).get("messages") or [])
    if not refs:
        newest = refs_of(api.list_ids("", _SENT).get("messages") or [])[:_NEWEST]
        found = api.get_many(newest, "metadata", _IDS) if newest else {}
        refs = [
            ref
            for ref, answer in found.items()
            if isinstance(answer, dict) and message_id in _ids(answer).values()
        ]
    return [Found(ALL, ref) for ref in refs[:MAX_FOUND]]


def _ids(answer: dict) -> dict[str, str]:
    """The ids in the header of a mail, by field in lower case."""
    fields = (answer.get("payload") or {}).get("headers") or ()
    return {
        str(one.get("name")).lower(): str(one.get("value")).strip()
        for one in fields
        if str(one.get("name")).lower() in _IDS
    }


def _refusal(error: HttpError) -> MailboxError:
    """What a refusal means for a mail."""
    failure = of_answer(error)
    status = status_of(error)
    if status == 413:
        return Refused("size", failure.detail)
    is_plain = isinstance(failure, Gone) or failure.code == "answer"
    if not is_plain or not 400 <= status < 500:
        return failure
    if _RECIPIENTS.search(failure.detail):
        return Refused("recipients", failure.detail)
    return Refused("refused", failure.detail)
