"""What BODYSTRUCTURE (RFC 3501, 7.4.2) tells of a mail's parts, without reading them.

The leaves stand in the order of the mail, and are sorted into text and attachments by
the same rules as those of a mail that was read: the attachment of a number is the same
in both, on all servers that take the mail apart as the parser does. Whoever fetches one
compares its bytes with what is known of them.
"""

import binascii
import io
import itertools
import quopri
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..messages import Attachment
from ..messages.attachments import Sum, describe, sort_parts
from ..messages.headers import Headers
from ..messages.mime import MAX_PARTS, Part, make_part

# 57 bytes a line of 76 characters and its end.
_BASE64_SHARE = 57 / 78
_MAX_DEPTH = 100
_WHITE_SPACE = b" \t\r\n"


@dataclass(frozen=True)
class Leaf:
    """One part that holds no others.

    :ivar section: how FETCH names it, say `2.1`
    :ivar encoding: its transfer encoding, in lower case
    :ivar size: bytes as they are transferred
    """

    section: str
    encoding: str
    size: int
    part: Part


def attachments_of(structure: object) -> list[Leaf]:
    """The attachments, in the order of `Attachment.part`.

    :param structure: BODYSTRUCTURE as IMAPClient's lexer gives it
    """
    leaves = list(itertools.islice(_leaves(structure, ""), MAX_PARTS))
    attached = sort_parts([leaf.part for leaf in leaves])[2]
    by_part = {id(leaf.part): leaf for leaf in leaves}
    return [by_part[id(part)] for part in attached]


def describe_attachments(structure: object) -> tuple[Attachment, ...]:
    """The attachments as values; their sizes are near, their bytes not known."""
    leaves = attachments_of(structure)
    parts = [leaf.part for leaf in leaves]
    sums = [Sum(_decoded_size(leaf), "", b"") for leaf in leaves]
    return tuple(
        # The HTML, which says so, was not read.
        replace(one, inline=bool(one.content_id) and part.disposition == "inline")
        for one, part in zip(describe(parts, "", sums), parts, strict=True)
    )


def decode_pieces(pieces: Iterable[bytes], encoding: str) -> bytes | None:
    """The bytes of a part out of its pieces as they were transferred.

    :param encoding: the part's transfer encoding
    :returns: None where it is broken: every decoder gives something else
    """
    whole = io.BytesIO()
    if encoding == "base64":
        rest = b""
        for piece in pieces:
            piece = rest + piece.translate(None, _WHITE_SPACE)
            end = len(piece) // 4 * 4
            rest = piece[end:]
            try:
                whole.write(binascii.a2b_base64(piece[:end]))
            except binascii.Error:
                return None
        if rest:
            return None
    else:
        for piece in pieces:
            whole.write(piece)
    # (not copied: it is the buffer's own)
    content = whole.getvalue()
    return quopri.decodestring(content) if encoding == "quoted-printable" else content


def _leaves(node: object, section: str, depth: int = 0) -> Iterator[Leaf]:
    if not isinstance(node, (tuple, list)) or not node or depth > _MAX_DEPTH:
        return
    if isinstance(node[0], (tuple, list)):
        # Its parts, one by one, then what it is itself
        children = itertools.takewhile(lambda one: isinstance(one, (tuple, list)), node)
        for number, child in enumerate(children, 1):
            below = f"{section}.{number}" if section else str(number)
            yield from _leaves(child, below, depth + 1)
    elif len(node) >= 7:
        yield _leaf(node, section or "1")


def _leaf(node: Sequence[object], section: str) -> Leaf:
    main, sub = _text(node[0]).lower(), _text(node[1]).lower()
    # Behind these stand the fields of a text, or of the mail that a part is.
    at = {"text": 9, "message/rfc822": 11}.get(
        main if main == "text" else f"{main}/{sub}", 8
    )
    disposition = node[at] if len(node) > at else None
    headers: Headers = {
        "content-type": [_field(f"{main}/{sub}", node[2])],
        "content-id": [_text(node[3])],
    }
    if isinstance(disposition, (tuple, list)) and disposition:
        named = disposition[1] if len(disposition) > 1 else None
        headers["content-disposition"] = [_field(_text(disposition[0]), named)]
    return Leaf(
        section=section,
        encoding=_text(node[5]).strip().lower(),
        size=node[6] if isinstance(node[6], int) else 0,
        part=make_part(headers, b""),
    )


def _field(value: str, options: object) -> str:
    """The header field that the server has taken apart."""
    if not isinstance(options, (tuple, list)):
        return value
    words = [_text(option) for option in options]
    for name, word in zip(words[::2], words[1::2], strict=False):
        escaped = word.replace("\\", "\\\\").replace('"', '\\"')
        value += f'; {name}="{escaped}"'
    return value


def _text(value: object) -> str:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("latin-1")
    return str(value) if isinstance(value, int) else ""


def _decoded_size(leaf: Leaf) -> int:
    return int(leaf.size * _BASE64_SHARE) if leaf.encoding == "base64" else leaf.size
