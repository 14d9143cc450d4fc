"""What passes through a provider that sends."""

from dataclasses import dataclass

from ..messages import BadHeader, Draft, write
from .base import Found
from .errors import Refused


@dataclass(frozen=True, slots=True)
class SendLimits:
    """What a service takes in one mail, as far as it is known without asking.

    :ivar message_bytes: as sent, attachments in base64 (see `messages.size_of`)
    :ivar recipients: To, Cc and Bcc together
    """

    message_bytes: int
    recipients: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail that is to be sent.

    :ivar thread_ref: what the mailbox calls the conversation, or an empty string
    :ivar reply_to: where in the mailbox the mail stands that is answered, or None
    """

    draft: Draft
    thread_ref: str = ""
    reply_to: Found | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail that has gone out.

    :ivar message_id: which it has now; a service may have given it another one
    :ivar thread_ref: what the mailbox calls the conversation, or an empty string
    :ivar stream: where its copy stands; empty where that is not known
    :ivar ref: its copy within the stream; empty where that is not known
    :ivar raw: the bytes of the copy; those that were handed over where it is not known
    :ivar refused: who does not get it, each an address and why
    :ivar note: why there is no copy in the mailbox, or an empty string
    """

    message_id: str
    thread_ref: str = ""
    stream: str = ""
    ref: str = ""
    raw: bytes = b""
    refused: tuple[tuple[str, str], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """The server that takes the mail of a mailbox read by IMAP.

    :ivar security: `ssl` (TLS from the first byte), `starttls` or `none`
    """

    host: str
    port: int
    security: str


def written(draft: Draft, limits: SendLimits, *, bcc: bool) -> bytes:
    """The bytes of a mail that is about to be sent.

    :param bcc: see `messages.write`
    :raises Refused: it cannot be written, is too large, or goes to too many
    """
    try:
        raw = write(draft, bcc=bcc)
    except BadHeader as error:
        header = error.code, error.value
        failure = Refused("header", str(error), header=header)
    else:
        if len(draft.recipients) > limits.recipients:
            raise Refused("too_many", f"{limits.recipients} recipients at most")
        check_size(len(raw), limits.message_bytes)
        return raw
    raise failure


def check_size(size: int, room: int) -> None:
    """`Refused` for a mail of more bytes than there is room."""
    if size > room:
        raise Refused("size", f"{size} bytes, {room} at most")
