"""Bytes of a mail to a `Message`.

The header is read here, once; the parts come from fast-mail-parser, or from the
standard library where that refuses. Whatever the bytes, the answer is a `Message` or
`UnreadableMessage`, in a time that grows with their number.

Limits, all far above what people send: a mail of 100 MB, 1 MB of the header fields that
matter, 20,000 addresses, 1,000 parts, 5 MB each of text and of HTML, text made of the
first 1 MB of HTML. What exceeds the first is unreadable; of the others the excess is
left out.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice

from .addresses import MAX_ADDRESSES, read_addresses
from .attachments import Sum, describe, sort_parts, sum_of
from .charsets import decode, html_charset
from .dates import sent_at
from .headers import (
    Head,
    Headers,
    decode_words,
    first,
    is_automatic,
    one_line,
    read_headers,
    read_list_id,
    unfold,
)
from .html_text import html_to_text
from .identity import digest_of, in_reply_to_of, message_id_of, references_of
from .mime import Part, Reader, read_fast, read_slow
from .snippet import snippet_of
from .values import Message, Participant, Role, UnreadableMessage
from .words import search_words

MAX_BYTES = 100_000_000
MAX_TEXT_BYTES = 5_000_000
MAX_REPLY_TO = 100

_ROLES = tuple((role, role.value) for role in Role)


def parse(raw: bytes, received_at: datetime | None = None) -> Message:
    """One mail.

    :param raw: RFC 5322 bytes
    :param received_at: when the mailbox got it, aware: stands in for a missing or
        impossible date
    :raises UnreadableMessage: with the reason in plain words; nothing else
    """
    return parse_with((read_fast, read_slow), raw, received_at)


def extract_part(raw: bytes, part: str) -> bytes:
    """The bytes of an attachment, decoded.

    :param raw: the mail that `parse` was given
    :param part: an `Attachment.part`
    :raises UnreadableMessage: where the mail holds no such part, too
    """
    _plain, _html, attached = sort_parts(read_parts(raw))
    numbers = {str(index): one for index, one in enumerate(attached)}
    if part not in numbers:
        raise UnreadableMessage(f"The email has no attachment number {part[:20]}.")
    return numbers[part].content


def read_parts(raw: bytes) -> list[Part]:
    """The leaves of a mail. Raises `UnreadableMessage`."""
    return _read((read_fast, read_slow), raw)[1]


def parse_headers(raw: bytes, received_at: datetime | None = None) -> Message:
    """A mail of which only the header was read: without text and attachments.

    Its digest is over the header alone, and is no email's identity.

    :param raw: RFC 5322 bytes; what follows the header is not looked at
    :raises UnreadableMessage: this is no header of a mail
    """
    return _message(_read_head(raw), [], received_at, _sum_of_content)


def parse_with(
    readers: Sequence[Reader],
    raw: bytes,
    received_at: datetime | None = None,
    sum_up: Callable[[bytes], Sum] | None = None,
) -> Message:
    """`parse` by the first of `readers` that does not fail.

    :param sum_up: the sum of an attachment by the content that stands in `raw`
    """
    head, parts = _read(readers, raw)
    return _message(head, parts, received_at, sum_up or _sum_of_content)


def _message(
    head: Head,
    parts: Sequence[Part],
    received_at: datetime | None,
    sum_up: Callable[[bytes], Sum],
) -> Message:
    headers = head.headers
    plain_parts, html_parts, attached = sort_parts(parts)
    html = _join(html_parts)
    plain = _join(plain_parts).replace("\r\n", "\n").replace("\r", "\n")
    text = plain if plain.strip() else html_to_text(html)

    participants = _participants(headers)
    subject = one_line(decode_words(first(headers, "subject")))
    date = first(headers, "date")
    senders = [one.address for one in participants if one.role is Role.FROM]
    sums = [sum_up(part.content) for part in attached]
    digest = digest_of(
        senders, date, subject, (plain, html), [one.sha256 for one in sums]
    )
    in_reply_to = in_reply_to_of(headers)
    return Message(
        message_id=message_id_of(headers, digest),
        digest=digest,
        subject=subject,
        date=sent_at(date, map(unfold, head.received), received_at),
        participants=participants,
        reply_to=tuple(read_addresses(first(headers, "reply-to"))[:MAX_REPLY_TO]),
        in_reply_to=in_reply_to,
        references=references_of(headers, in_reply_to),
        text=text,
        html=html,
        snippet=snippet_of(text),
        words=" ".join(search_words(subject, text)),
        attachments=describe(attached, html, sums),
        auto_submitted=_auto_submitted(headers),
        list_id=read_list_id(headers),
        is_automatic=is_automatic(headers),
    )


def _sum_of_content(content: bytes) -> Sum:
    return sum_of((content,))


def _read_head(raw: bytes) -> Head:
    if not raw.strip():
        raise UnreadableMessage("The email is empty.")
    head = read_headers(raw)
    if not head.is_mail:
        raise UnreadableMessage("This is not an email: it has no header.")
    return head


def _read(readers: Sequence[Reader], raw: bytes) -> tuple[Head, list[Part]]:
    if len(raw) > MAX_BYTES:
        raise UnreadableMessage("The email is larger than 100 MB.")
    head = _read_head(raw)
    for reader in readers:
        try:
            return head, reader(raw, head)
        except Exception:  # noqa: BLE001, S112
            # Either reader runs on what strangers send, and what they raise on it is
            # not theirs to promise: the next one, or a mail set aside.
            continue
    raise UnreadableMessage("The parts of the email are nested too deeply or broken.")


def _join(parts: Sequence[Part]) -> str:
    texts: list[str] = []
    room = MAX_TEXT_BYTES
    for part in parts:
        content = part.content[:room]
        room -= len(content)
        charset = part.charset
        if not charset and part.mimetype == "text/html":
            charset = html_charset(content)
        text = decode(content, charset)
        if len(content) < len(part.content):
            # The cut may have torn the last character.
            text = text.rstrip("\ufffd")
        texts.append(text)
    return "\n".join(texts) if len(texts) != 1 else texts[0]


def _participants(headers: Headers) -> tuple[Participant, ...]:
    found = (
        Participant(role, address.name, address.address)
        for role, name in _ROLES
        for value in headers.get(name, ())
        for address in read_addresses(value)
    )
    return tuple(islice(found, MAX_ADDRESSES))


def _auto_submitted(headers: Headers) -> str:
    value = first(headers, "auto-submitted").partition(";")[0]
    return one_line(value, 50).lower()
