"""The header of a mail, read once and alike whichever parser reads the body.

`read_headers` gives the values of the fields that matter, unfolded, not yet decoded: an
address must be told from a name before its encoded words are decoded (RFC 2047, 6.2).
"""

import binascii
import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from .charsets import decode

# What lies behind is not looked at: a header this long is not one of a mail.
MAX_HEADER_BYTES = 8_000_000
# Of all wanted fields together: some 20,000 recipients.
MAX_WANTED_BYTES = 1_000_000
MAX_ONE_LINE = 2_000
_MAX_PARAMETERS = 8_000

WANTED = frozenset(
    b"from to cc bcc reply-to subject date message-id in-reply-to references received "
    b"auto-submitted list-id list-unsubscribe precedence content-type "
    b"content-disposition content-id content-transfer-encoding".split()
)

# What Precedence says of mail that went to many.
_MANY = frozenset({"bulk", "junk", "list"})

Headers = dict[str, list[str]]

_FOLD = frozenset((b" ", b"\t"))
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?(.{0,2000}?)\?=")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PARAMETER = re.compile(
    r""";\s*([^\s=;"]{1,60})\s*=\s*(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^;]*))""", re.DOTALL
)
# Not every backslash: Windows programs send whole paths.
_ESCAPED = re.compile(r'\\(["\\])')
_CONTINUED = re.compile(r"^([^*]+)\*(\d{1,3})(\*?)$")


class Head(NamedTuple):
    """The header of a mail.

    :ivar headers: lower-case field name -> values in order, unfolded, 8-bit characters
        read as UTF-8 or Windows-1252; the wanted fields only
    :ivar received: the lines of the Received fields, which are hardly ever looked at
    :ivar body_at: where the body begins, or the empty line before it
    :ivar is_mail: there is any field at all
    """

    headers: Headers
    received: list[list[bytes]]
    body_at: int
    is_mail: bool


def read_headers(raw: bytes) -> Head:
    """The wanted fields of a mail's header.

    A header block ends at the first empty line, or before the first line that cannot
    be a field, as fast-mail-parser has it too.
    """
    end = _block_end(raw)
    block = raw[: min(end, MAX_HEADER_BYTES)]
    found: dict[bytes, list[list[bytes]]] = {}
    current: list[bytes] | None = None
    is_mail = False
    position = 0
    room = MAX_WANTED_BYTES
    for line in block.split(b"\n"):
        if line[:1] in _FOLD:
            if current is not None:
                current.append(line[:room])
                room = max(room - len(line), 0)
        else:
            name, colon, value = line.partition(b":")
            if colon:
                is_mail = True
                name = name.strip().lower()
                current = None
                if name in WANTED:
                    current = [value[:room]]
                    room = max(room - len(value), 0)
                    found.setdefault(name, []).append(current)
            elif is_mail or not line.startswith(b"From "):
                # Not an mbox's envelope line: the body has begun without an empty line.
                break
        position += len(line) + 1
    if position > MAX_HEADER_BYTES:
        position = end + 1
    received = found.pop(b"received", [])
    headers = {
        name.decode("ascii"): [unfold(lines) for lines in values]
        for name, values in found.items()
    }
    return Head(headers, received, position, is_mail)


def _block_end(raw: bytes) -> int:
    """Where the empty line after the header begins; a lone one ends it at 0."""
    if raw.startswith((b"\n", b"\r\n")):
        return 0
    end = raw.find(b"\n\r\n")
    bare = raw.find(b"\n\n", 0, end if end >= 0 else len(raw))
    ends = [at for at in (end, bare) if at >= 0]
    return min(ends, default=len(raw))


def unfold(lines: list[bytes]) -> str:
    """A field's value on one line, 8-bit characters decoded, encoded words not."""
    value = lines[0].strip()
    if len(lines) > 1:
        value = b" ".join(line.strip() for line in lines)
    return decode(value)


def first(headers: Headers, name: str) -> str:
    """The first value of a field, or an empty string."""
    values = headers.get(name)
    return values[0] if values else ""


def is_automatic(headers: Headers) -> bool:
    """Whether it went to many, or no person wrote it (RFC 2919, 2369, 3834)."""
    if first(headers, "list-id") or first(headers, "list-unsubscribe"):
        return True
    submitted = first(headers, "auto-submitted").partition(";")[0].strip().lower()
    precedence = first(headers, "precedence").strip().lower()
    return submitted not in ("", "no") or precedence in _MANY


def read_list_id(headers: Headers) -> str:
    value = first(headers, "list-id")
    _before, bracket, rest = value.rpartition("<")
    return one_line(rest.partition(">")[0] if bracket else value, 255)


def one_line(text: str, limit: int = MAX_ONE_LINE) -> str:
    """Without control characters, white space collapsed, not longer than `limit`."""
    text = text[: limit * 4]
    if not text.isprintable():
        text = _CONTROLS.sub(" ", text)
    return " ".join(text.split())[:limit]


def decode_words(text: str) -> str:
    """Encoded words (RFC 2047) to text, as lenient as mail programs are.

    Words are decoded within quoted strings too, and a character split between two
    words of one charset is put together, which the RFC forbids and senders do.
    """
    if "=?" not in text:
        return text
    out: list[str] = []
    pending: list[bytes] = []
    charset = None
    end = 0
    for match in _ENCODED_WORD.finditer(text):
        between = text[end : match.start()]
        label = match[1].partition("*")[0].lower()
        # White space between two words is no part of the text (RFC 2047, 6.2).
        if charset is None or between.strip():
            out += [decode(b"".join(pending), charset or ""), between]
            pending.clear()
        elif label != charset:
            out.append(decode(b"".join(pending), charset))
            pending.clear()
        charset = label
        pending.append(_word_bytes(match[2], match[3]))
        end = match.end()
    out += [decode(b"".join(pending), charset or ""), text[end:]]
    return "".join(out)


def _word_bytes(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(data, header=True)
    data = bytes(byte for byte in data if byte not in b" \t=")
    # A last group of one character holds no byte.
    data = data[: len(data) - (len(data) % 4 == 1)]
    try:
        return binascii.a2b_base64(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        return text.encode("utf-8", "replace")


@lru_cache(maxsize=256)
def parameters(value: str) -> tuple[str, dict[str, str]]:
    """A Content-Type or Content-Disposition, taken apart.

    :returns: the main value in lower case, and its parameters by lower-case name:
        RFC 2231's charsets and continuations put together and decoded, and encoded
        words, which do not belong there but are common, decoded too. Shared between
        calls: not to be changed.
    """
    value = value[:_MAX_PARAMETERS]
    main = value.partition(";")[0].strip().lower()
    simple: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in _PARAMETER.finditer(value):
        name = match[1].lower()
        if match[2] is not None:
            text = _ESCAPED.sub(r"\1", match[2]) if "\\" in match[2] else match[2]
        else:
            text = match[3].strip()
        continued = _CONTINUED.match(name)
        if continued:
            piece = (text, bool(continued[3]))
            pieces.setdefault(continued[1], {})[int(continued[2])] = piece
        elif name.endswith("*"):
            pieces.setdefault(name[:-1], {})[-1] = (text, True)
        else:
            simple.setdefault(name, text)
    result = {name: decode_words(text) for name, text in simple.items()}
    for name, numbered in pieces.items():
        # Decoded on its own where given both ways: `name*` beats `name*0` and `name`.
        chosen = (
            [numbered[-1]]
            if -1 in numbered
            else [p for _, p in sorted(numbered.items())]
        )
        result[name] = _extended(chosen)
    return main, result


def _extended(pieces: list[tuple[str, bool]]) -> str:
    charset = ""
    data = []
    for index, (text, is_encoded) in enumerate(pieces):
        if is_encoded and index == 0 and text.count("'") >= 2:
            charset, _language, text = text.split("'", 2)
        encoded = text.encode("utf-8", "replace")
        data.append(unquote_to_bytes(encoded) if is_encoded else encoded)
    return decode(b"".join(data), charset)
