"""The parts of a mail, by two readers that give the same.

`read_fast` is fast-mail-parser (Rust); what it refuses, broken base64 for one, goes to
`read_slow`, the standard library's parser. Both give the leaves of the MIME tree in
document order, with transfer encoding undone and nothing else: names, charsets and what
is an attachment are decided once, by the caller, from the same header values.

A forwarded message (message/rfc822) is one leaf: its bytes.
"""

import re
from collections.abc import Callable, Iterator
from email.feedparser import BytesFeedParser
from email.message import Message as StdlibMessage
from email.policy import compat32
from functools import partial
from itertools import islice
from typing import NamedTuple

from .headers import Head, Headers, first, one_line, parameters

try:
    from fast_mail_parser import parse_email_tree
except ImportError:
    # There is none for Python 3.10, whose installations read five times more slowly.
    parse_email_tree = None

# More is a bomb, not a mail: what comes behind is left alone.
MAX_PARTS = 1_000
# fast-mail-parser 0.10 decodes encoded words in a time that grows with the square of
# their number in one header: 40,000 take a second.
_MAX_ENCODED_WORDS = 3_000

# More of them in one mail than any mailing program makes.
_MAX_CONTAINERS = 300

# The standard library compares each line with the boundaries of all levels around it:
# so often, which takes seconds; and as many levels as are read whatever the lines.
_MAX_COMPARISONS = 30_000_000
_FEW_LEVELS = 5

_TYPE = re.compile(r"^[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+$")


class Part(NamedTuple):
    """One leaf.

    :ivar mimetype: in lower case; what cannot be one is text/plain (RFC 2045, 5.2)
    :ivar charset: as declared, or an empty string
    :ivar name: the file name as declared, or an empty string
    :ivar disposition: `inline`, `attachment` or another word, or an empty string
    :ivar content_id: without angle brackets
    :ivar content: the bytes, transfer encoding undone
    """

    mimetype: str
    charset: str
    name: str
    disposition: str
    content_id: str
    content: bytes


class Refused(Exception):
    """The fast reader gives nothing that can be relied upon."""


def read_fast(raw: bytes, head: Head) -> list[Part]:
    """The leaves by fast-mail-parser. Raises what it raises, or `Refused`."""
    body = _body(raw, head)
    if parse_email_tree is None or _is_bomb(body):
        raise Refused
    root = parse_email_tree(body, mode="lazy")
    if root.content is not None:
        leaves = iter([(head.headers, root)])
    else:
        leaves = _fast_leaves(root, head.headers)
    is_ascii = body.isascii()
    return [
        _fast_part(headers, node, is_ascii)
        for headers, node in islice(leaves, MAX_PARTS)
    ]


def _is_bomb(body: bytes) -> bool:
    """Whether the mail is made to hurt a reader that is not in Python.

    fast-mail-parser overflows the stack at some 12,000 levels, which ends the process,
    and needs gigabytes for 250,000 mails in one another.
    """
    # An encoded word has more than six bytes: most mails need not be looked through.
    if len(body) > 6 * _MAX_ENCODED_WORDS and body.count(b"=?") > _MAX_ENCODED_WORDS:
        return True
    lower = body.lower()
    return lower.count(b"multipart/") + lower.count(b"message/") > _MAX_CONTAINERS


def _body(raw: bytes, head: Head) -> bytes:
    """The mail with those fields alone that a reader of parts needs.

    The header is read already, and once: the readers differ on where it ends.
    """
    fields = [
        f"{name}: {first(head.headers, name)}\r\n".encode("utf-8", "replace")
        for name in ("content-type", "content-transfer-encoding")
        if name in head.headers
    ]
    blank = b"" if raw.startswith((b"\r\n", b"\n"), head.body_at) else b"\r\n"
    return b"".join((*fields, blank, memoryview(raw)[head.body_at :]))


def _fast_leaves(root, headers: Headers) -> Iterator[tuple[Headers, object]]:
    boundaries: list[str] = []
    stack = [(root, headers)]
    while stack:
        node, headers = stack.pop()
        if node.content is not None:
            yield headers, node
            continue
        _check_boundary(headers, boundaries)
        if not node.children:
            # A multipart without parts: the standard library keeps its text.
            raise Refused
        stack.extend((child, _lower(child)) for child in reversed(node.children))


def _lower(node) -> Headers:
    headers: Headers = {}
    for name, values in node.headers.items():
        if "" in values:
            # A line of text taken for a field: the empty line before it is missing.
            raise Refused
        headers[name.lower()] = values
    # The default depends on the parent: a digest's parts are messages.
    headers.setdefault("content-type", [node.content_type])
    return headers


def _fast_part(headers: Headers, node, is_ascii: bool) -> Part:
    encoding = first(headers, "content-transfer-encoding").lower()
    if "uu" in encoding or ("quoted" in encoding and not is_ascii):
        # fast-mail-parser leaves uuencode as it is, and drops 8-bit characters from
        # quoted-printable, where there should be none.
        raise Refused
    return make_part(headers, node.content)


def _check_boundary(headers: Headers, boundaries: list[str]) -> None:
    """Refuses a mail of which one boundary begins another one.

    fast-mail-parser takes any line that starts with a boundary for one.
    """
    _main, options = parameters(first(headers, "content-type"))
    boundary = options.get("boundary", "")
    for other in boundaries[:10]:
        if other != boundary and (
            boundary.startswith(other) or other.startswith(boundary)
        ):
            raise Refused
    boundaries.append(boundary)


def read_slow(raw: bytes, head: Head) -> list[Part]:
    """The leaves by the standard library.

    Raises what it raises: RecursionError where parts are nested by the hundred; or
    `Refused` where that would take minutes.
    """
    body = _body(raw, head)
    # (it ends a line at either)
    lines = body.count(b"\n") + body.count(b"\r") + 1
    levels = max(_MAX_COMPARISONS // lines, _FEW_LEVELS)
    parser = BytesFeedParser(partial(_Leaf, levels=levels), policy=compat32)
    parser.feed(body)
    root = parser.close()
    if not root.is_multipart():
        return [make_part(head.headers, _slow_content(root))]
    return list(islice(_slow_leaves(root), MAX_PARTS))


class _Leaf(StdlibMessage):
    """A message whose forwarded messages stay whole.

    The parser descends into main type `message`, after which the original bytes could
    only be guessed from the objects.

    :param levels: of parts within each other that there may be
    """

    def __init__(self, policy, levels: int):
        super().__init__(policy)
        self._levels = levels

    def attach(self, payload: "_Leaf") -> None:
        """Called with each part before it is read."""
        if not self._levels:
            raise Refused
        payload._levels = self._levels - 1
        return super().attach(payload)

    def get_content_type(self) -> str:
        kind = super().get_content_type()
        return "application/octet-stream" if kind.startswith("message/") else kind


def _slow_leaves(root: StdlibMessage) -> Iterator[Part]:
    stack = [root]
    while stack:
        node = stack.pop()
        if node.is_multipart():
            stack.extend(reversed(node.get_payload()))
            continue
        headers: Headers = {}
        for name, value in node.raw_items():
            headers.setdefault(name.lower(), []).append(_readable(value))
        headers.setdefault("content-type", [node.get_default_type()])
        yield make_part(headers, _slow_content(node))


def _slow_content(node: StdlibMessage) -> bytes:
    content = node.get_payload(decode=True)
    return content if content is not None else b""


def _readable(value: str) -> str:
    """A header value with its 8-bit characters, which come as surrogates."""
    value = " ".join(value.split())
    if value.isascii():
        return value
    data = value.encode("utf-8", "surrogateescape")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def make_part(headers: Headers, content: bytes) -> Part:
    """A leaf from its header, whoever has read it."""
    mimetype, options = parameters(first(headers, "content-type"))
    disposition, named = parameters(first(headers, "content-disposition"))
    name = named.get("filename") or options.get("name") or ""
    # A multipart that could not be divided is read as the text that it then is.
    if not _TYPE.match(mimetype) or mimetype.startswith("multipart/"):
        mimetype = "text/plain"
    content_id = first(headers, "content-id")
    return Part(
        mimetype=mimetype,
        charset=options.get("charset", ""),
        name=one_line(name, 1_000),
        disposition=disposition,
        content_id=one_line(content_id, 500).strip("<> "),
        content=content,
    )


Reader = Callable[[bytes, Head], list[Part]]
