"""Which parts of a mail are its text, which are attachments, and their names."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from .headers import decode_words, first, one_line, read_headers
from .mime import Part
from .values import Attachment

MAX_NAME = 180
HEAD_BYTES = 100_000

_CID = re.compile(r"""cid:([^"'\s<>)]{1,500})""", re.IGNORECASE)
# Separators of both worlds, and what turns the reading direction of "gpj.exe" round.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

# Python's own table is the platform's, and differs.
_SUFFIXES = {
    "application/ics": ".ics",
    "application/json": ".json",
    "application/msword": ".doc",
    "application/pdf": ".pdf",
    "application/pgp-signature": ".asc",
    "application/pkcs7-mime": ".p7m",
    "application/pkcs7-signature": ".p7s",
    "application/rtf": ".rtf",
    "application/x-pkcs7-mime": ".p7m",
    "application/x-pkcs7-signature": ".p7s",
    "application/xml": ".xml",
    "application/zip": ".zip",
    "audio/mpeg": ".mp3",
    "image/bmp": ".bmp",
    "image/gif": ".gif",
    "image/heic": ".heic",
    "image/jpeg": ".jpg",
    "image/jpg": ".jpg",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "image/tiff": ".tif",
    "image/webp": ".webp",
    "message/delivery-status": ".txt",
    "message/disposition-notification": ".txt",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/plain": ".txt",
    "text/rfc822-headers": ".txt",
    "text/rtf": ".rtf",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
    "text/xml": ".xml",
    "video/mp4": ".mp4",
}
_STEMS = {
    "application/ics": "invite",
    "application/pgp-signature": "signature",
    "application/pkcs7-mime": "smime",
    "application/pkcs7-signature": "smime",
    "application/x-pkcs7-mime": "smime",
    "application/x-pkcs7-signature": "smime",
    "message/delivery-status": "delivery-status",
    "text/calendar": "invite",
    "text/rfc822-headers": "headers",
}


class Sum(NamedTuple):
    """What an attachment is known by, without its bytes.

    :ivar head: where a mail's header is looked for
    """

    size: int
    sha256: str
    head: bytes


def sum_of(pieces: Iterable[bytes]) -> Sum:
    """The sum of an attachment's bytes, which may come in pieces."""
    digest, size, head = hashlib.sha256(), 0, b""
    for piece in pieces:
        digest.update(piece)
        if size < HEAD_BYTES:
            head += piece[: HEAD_BYTES - size]
        size += len(piece)
    return Sum(size, digest.hexdigest(), head)


def sort_parts(parts: Sequence[Part]) -> tuple[list[Part], list[Part], list[Part]]:
    """The plain text parts, the HTML parts, and the attachments, each in order.

    Text is what is not said to be an attachment; a named text behind another of its
    kind is one too, as Apple Mail says "inline" of text files. AMP bodies are a third
    spelling of the same text and are left out.
    """
    plain: list[Part] = []
    html: list[Part] = []
    attached: list[Part] = []
    for part in parts:
        bodies = {"text/plain": plain, "text/html": html}.get(part.mimetype)
        if bodies is not None and part.disposition != "attachment":
            if not (part.name and bodies):
                bodies.append(part)
                continue
        elif part.mimetype == "text/x-amp-html" and not part.name:
            continue
        attached.append(part)
    return plain, html, attached


def describe(
    attached: Sequence[Part], html: str, sums: Sequence[Sum]
) -> tuple[Attachment, ...]:
    """The attachments as values; `part` counts them from 0 in the order of the mail.

    :param html: the HTML body, which says what is shown within it
    :param sums: one for each
    """
    shown = _shown(html) if any(part.content_id for part in attached) else ()
    return tuple(
        Attachment(
            part=str(index),
            name=_name(part, index + 1, sums[index].head),
            mimetype=part.mimetype,
            size=sums[index].size,
            content_id=part.content_id,
            inline=bool(part.content_id) and part.content_id in shown,
            sha256=sums[index].sha256,
        )
        for index, part in enumerate(attached)
    )


def _shown(html: str) -> frozenset[str]:
    found = _CID.findall(html)
    return frozenset(found) | frozenset(map(unquote, found))


def _name(part: Part, number: int, content: bytes) -> str:
    name = safe_name(part.name)
    if name:
        return name
    if part.mimetype == "message/rfc822":
        head = read_headers(content)
        subject = decode_words(first(head.headers, "subject"))
        name = safe_name(one_line(subject, 100).replace("/", "-").replace("\\", "-"))
        return f"{name or 'message'}.eml"
    suffix = _SUFFIXES.get(part.mimetype, "")
    if part.mimetype in _STEMS:
        return _STEMS[part.mimetype] + suffix
    stem = "image" if part.mimetype.startswith("image/") else "attachment"
    return f"{stem}-{number}{suffix}"


def safe_name(name: str) -> str:
    """A file name without directories and tricks, or an empty string.

    A long one is shortened before its suffix.
    """
    name = _UNSAFE.sub("", name).replace("\\", "/").rpartition("/")[2].strip()
    if name.strip(". ") == "":
        return ""
    if len(name) > MAX_NAME:
        stem, dot, suffix = name.rpartition(".")
        if not dot or len(suffix) > 20:
            return name[:MAX_NAME].rstrip()
        name = f"{stem[: MAX_NAME - len(suffix) - 1]}.{suffix}"
    return name
