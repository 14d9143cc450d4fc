"""A `Draft` to the bytes of a mail (RFC 5322), for sending."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from io import BytesIO

from .html_text import html_to_text
from .writing_header import (
    BadHeader,
    Mailbox,
    addresses,
    id_of,
    references_of,
    refuse_controls,
    text_of,
)
from .writing_parts import File, FilePart, Multipart, Part, TextPart, packed

# Of a part's header, and of the mail's.
_PART_OVERHEAD, _HEADER_OVERHEAD = 300, 4_000

_FIELD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,70}")
# Only `write` says them.
_OWN_FIELDS = frozenset(
    (
        "from",
        "to",
        "cc",
        "bcc",
        "sender",
        "subject",
        "date",
        "message-id",
        "in-reply-to",
        "references",
        "mime-version",
        "received",
        "return-path",
    )
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail that is to be written.

    :ivar message_id: with its angle brackets
    :ivar date: aware
    :ivar text: empty for that of the HTML
    :ivar in_reply_to: with its angle brackets, or an empty string
    :ivar references: oldest first
    :ivar headers: further fields, by name
    """

    message_id: str
    date: datetime
    sender: Mailbox
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()
    subject: str = ""
    html: str = ""
    text: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def recipients(self) -> tuple[str, ...]:
        """Every address that it goes to, each once, as written."""
        found = [address for _name, address in (*self.to, *self.cc, *self.bcc)]
        return tuple({one.lower(): one for one in reversed(found)}.values())[::-1]


def write(draft: Draft, *, bcc: bool) -> bytes:
    """The bytes of a mail.

    :param bcc: with the Bcc field, as the sender's own copy has it
    :raises BadHeader: for what no header may hold, an address that is none, and a mail
        to nobody
    """
    out = BytesIO()
    for name, value in _fields(draft, bcc):
        out.write(f"{name}: {value}\r\n".encode("ascii"))
    _body(draft).write_to(out)
    return out.getvalue()


def size_of(files: Iterable[int], body: int = 0) -> int:
    """About how many bytes a mail has on the wire; never less.

    :param files: the sizes of what goes along
    :param body: characters of the HTML
    """
    # (text and HTML; of what is not Latin a character takes four bytes in base64)
    total = _HEADER_OVERHEAD + 2 * packed(4 * body)
    return total + sum(packed(size) + _PART_OVERHEAD for size in files)


def _fields(draft: Draft, bcc: bool) -> Iterator[tuple[str, str]]:
    """The header, ready to be written."""
    if not (draft.to or draft.cc or draft.bcc):
        raise BadHeader("nobody", "The email has no recipient.")
    if draft.date.tzinfo is None:
        raise ValueError("the date is not aware")
    yield "Date", format_datetime(draft.date)
    yield "From", addresses([draft.sender])
    for name, mailboxes in (("To", draft.to), ("Cc", draft.cc), ("Bcc", draft.bcc)):
        value = addresses(mailboxes)
        if value and (bcc or name != "Bcc"):
            yield name, value
    yield "Subject", text_of("The subject", draft.subject, len("Subject: "))
    yield "Message-ID", id_of("The Message-ID", draft.message_id)
    if draft.in_reply_to:
        yield "In-Reply-To", id_of("In-Reply-To", draft.in_reply_to)
    references = references_of(draft.references)
    if references:
        yield "References", "\r\n ".join(references)
    yield "MIME-Version", "1.0"
    for name, value in draft.headers:
        refuse_controls("The name of a field", name)
        is_own = name.lower() in _OWN_FIELDS or name.lower().startswith("content-")
        if is_own or not _FIELD.fullmatch(name):
            raise BadHeader(
                "field", f"A field of the header cannot be called “{name}”.", name
            )
        yield name, text_of(f"The field {name}", value, len(name) + 2)


def _body(draft: Draft) -> Part:
    """The parts: text beside HTML, the HTML with its images, and what goes along."""
    body: Part = TextPart("plain", draft.text or html_to_text(draft.html))
    images, files = [], []
    for one in draft.files:
        is_shown = one.content_id and draft.html
        (images if is_shown else files).append(FilePart(one))
    if draft.html:
        html: Part = TextPart("html", draft.html)
        if images:
            html = Multipart("related", [html, *images], ' type="text/html";')
        body = Multipart("alternative", [body, html])
    return Multipart("mixed", [body, *files]) if files else body
