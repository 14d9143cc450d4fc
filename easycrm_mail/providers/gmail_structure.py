"""What Gmail's `payload` tells of a mail's parts, and its header.

The leaves are sorted by the same rules as those of a mail that was read: the attachment
of a number is the same in both, where Gmail takes the mail apart as the parser does.
Whoever fetches one compares its bytes with what is known of them.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..messages import Attachment
from ..messages.attachments import Sum, describe, sort_parts
from ..messages.headers import Headers
from ..messages.mime import MAX_PARTS, Part, make_part

_MAX_DEPTH = 100
_BREAKS = re.compile(r"[\r\n]+\s*")


@dataclass(frozen=True)
class Leaf:
    """One part that holds no others; of its bytes either or neither is there.

    :ivar attachment_id: what they are fetched by
    :ivar data: them, in base64url
    """

    part: Part
    size: int
    attachment_id: str
    data: str


def decode(data: str) -> bytes | None:
    """What Gmail has put into base64url, or None where it is not that."""
    try:
        # (it leaves out the padding at times)
        packed = data.encode("ascii").rstrip(b"=")
        packed += b"=" * (-len(packed) % 4)
        return base64.b64decode(packed, altchars=b"-_", validate=True)
    except (AttributeError, UnicodeEncodeError, binascii.Error):
        return None


def attachments_of(payload: dict) -> list[Leaf]:
    """The attachments, in the order of `Attachment.part`."""
    leaves = []
    for leaf in _leaves(payload):
        leaves.append(leaf)
        if len(leaves) == MAX_PARTS:
            break
    attached = sort_parts([leaf.part for leaf in leaves])[2]
    by_part = {id(leaf.part): leaf for leaf in leaves}
    return [by_part[id(part)] for part in attached]


def describe_attachments(payload: dict) -> tuple[Attachment, ...]:
    """The attachments as values, their bytes not known."""
    leaves = attachments_of(payload)
    parts = [leaf.part for leaf in leaves]
    sums = [Sum(leaf.size, "", b"") for leaf in leaves]
    return tuple(
        # The HTML, which says so, was not read.
        replace(one, inline=bool(one.content_id) and part.disposition == "inline")
        for one, part in zip(describe(parts, "", sums), parts, strict=True)
    )


def head_of(payload: dict) -> bytes:
    """The mail's header, as bytes that the parser reads."""
    lines = [
        f"{name}: {_BREAKS.sub(' ', value)}\r\n"
        for name, values in _headers(payload, str.strip).items()
        for value in values
    ]
    return "".join([*lines, "\r\n"]).encode("utf-8", "replace")


def _leaves(node: dict, depth: int = 0) -> Iterator[Leaf]:
    children = node.get("parts")
    mimetype = str(node.get("mimeType") or "text/plain").lower()
    if children and not mimetype.startswith("message/"):
        if depth < _MAX_DEPTH:
            for child in children:
                yield from _leaves(child, depth + 1)
        return
    headers = _headers(node, str.lower)
    headers.setdefault("content-type", [mimetype])
    body = node.get("body") or {}
    size = body.get("size")
    yield Leaf(
        part=make_part(headers, b""),
        size=size if isinstance(size, int) else 0,
        attachment_id=str(body.get("attachmentId") or ""),
        data=str(body.get("data") or ""),
    )


def _headers(node: dict, spell) -> Headers:
    headers: Headers = {}
    for header in node.get("headers") or ():
        name, value = str(header.get("name") or ""), str(header.get("value") or "")
        headers.setdefault(spell(name), []).append(value)
    return headers
