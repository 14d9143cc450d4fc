"""What stands in the header of a mail that is written: addresses, text, ids.

What the standard library folds by itself comes apart at long names and at commas within
them: here an address, or an encoded word, has a line of its own.
"""

import base64
import re
from collections.abc import Iterable, Iterator

import idna

#: Name and address.
Mailbox = tuple[str, str]

#: What a line should have, and what it may have (RFC 5322, 2.1.1).
LINE, LONGEST_LINE = 76, 990

# 52 characters in base64: with what is around them, and “Subject”, one line.
_WORD_BYTES = 39
# Of a long conversation its beginning and its end are named (RFC 5322, 3.6.4).
_MAX_REFERENCES = 100

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ATEXT = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ATOMS = re.compile(rf"{_ATEXT}( {_ATEXT})*")
_LOCAL = re.compile(rf'{_ATEXT}(\.{_ATEXT})*|"([^"\\]|\\.)*"')
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ID = re.compile(r"<[!-;=?-~]{1,900}>")


class BadHeader(ValueError):
    """A mail cannot be written; the text says why, in plain words.

    Codes, for the words in the reader's language: `address` (it is none), `letters`
    (an address with letters that few servers take), `nobody` (no recipient), `break`
    (a line break), `control` (another control character), `field` (of the header).

    :ivar value: what it is about, on one line
    """

    def __init__(self, code: str, text: str, value: str = ""):
        super().__init__(text)
        self.code = code
        self.value = value


def check_address(address: str) -> str:
    """An address as it goes on the wire, its domain in ASCII (IDNA).

    :raises BadHeader: it is none, or one that few servers take
    """
    refuse_controls("The address", address)
    local, at, domain = address.strip().rpartition("@")
    if not at or not local or not domain or len(domain) > 253:
        raise _no_address(address)
    if not local.isascii():
        raise BadHeader(
            "letters",
            f"“{address}” cannot be written to: in front of the @ it has letters that "
            "most mail servers do not take.",
            address,
        )
    name = domain
    if not domain.isascii():
        try:
            # (Python's own codec makes “strasse.de” of “straße.de”: somebody else's)
            name = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError:
            raise _no_address(address) from None
    if (
        not _LOCAL.fullmatch(local)
        or not _DOMAIN.fullmatch(name)
        or len(local) > 64
        or len(name) > 253
    ):
        raise _no_address(address)
    return f"{local}@{name}"


def _no_address(address: str) -> BadHeader:
    return BadHeader("address", f"“{address}” is not an email address.", address)


def addresses(mailboxes: Iterable[Mailbox]) -> str:
    """A field of addresses, each on a line of its own."""
    return ",\r\n ".join(_mailbox(name, address) for name, address in mailboxes)


def _mailbox(name: str, address: str) -> str:
    """One address, its name in front."""
    address = check_address(address)
    refuse_controls("The name", name)
    name = " ".join(name.split())
    if not name:
        return address
    if _ATOMS.fullmatch(name) and "=?" not in name and len(name) <= LINE:
        return _join(name, address)
    if name.isascii() and "=?" not in name and len(name) <= LINE:
        quoted = re.sub(r'(["\\])', r"\\\1", name)
        return _join(f'"{quoted}"', address)
    return _join("\r\n ".join(_words(name)), address)


def _join(name: str, address: str) -> str:
    last = name.rpartition("\n")[2]
    is_long = len(last) + len(address) + 4 > LINE
    fold = "\r\n" if is_long else ""
    return f"{name}{fold} <{address}>"


def text_of(what: str, value: str, taken: int) -> str:
    """A field that is text: as it is where it may be, in encoded words otherwise.

    :param what: is said of it where it may not be
    :param taken: characters that stand in its first line already
    """
    refuse_controls(what, value)
    is_plain = value.isascii() and "=?" not in value and value == value.strip()
    if is_plain and "  " not in value:
        lines = list(_folded(value, taken))
        if all(len(line) < LONGEST_LINE for line in lines):
            return "\r\n ".join(lines)
    return "\r\n ".join(_words(value))


def _folded(value: str, taken: int) -> Iterator[str]:
    """A text of ASCII in lines that end between words."""
    line = ""
    for word in value.split(" "):
        if line and taken + len(line) + 1 + len(word) > LINE:
            yield line
            line, taken = word, 1
        else:
            line = f"{line} {word}" if line else word
    yield line


def _words(text: str) -> Iterator[str]:
    """Encoded words (RFC 2047), none of which parts a character."""
    piece = b""
    for char in text:
        encoded = char.encode()
        if len(piece) + len(encoded) > _WORD_BYTES:
            yield _word(piece)
            piece = b""
        piece += encoded
    if piece:
        yield _word(piece)


def _word(piece: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(piece).decode('ascii')}?="


def is_id(value: str) -> bool:
    """Whether a Message-ID may stand in a header: others may have odd ones."""
    return bool(_ID.fullmatch(value))


def id_of(what: str, value: str) -> str:
    """A Message-ID or Content-ID, with its angle brackets, if it is one."""
    refuse_controls(what, value)
    if not is_id(value):
        raise BadHeader("field", f"{what} is not one: “{value[:100]}”.", value[:100])
    return value


def references_of(references: Iterable[str]) -> list[str]:
    """Those that may stand in a header: others wrote them, in whatever way."""
    for one in references:
        refuse_controls("References", one)
    good = [one for one in references if is_id(one)]
    if len(good) > _MAX_REFERENCES:
        good = [good[0], *good[1 - _MAX_REFERENCES :]]
    return good


def refuse_controls(what: str, value: str) -> None:
    """`BadHeader` for what would end a field, and for what no program shows.

    :param what: begins the sentence that is said
    """
    found = _CONTROL.search(value)
    if not found:
        return
    shown = " ".join(_CONTROL.sub(" ", value[:100]).split())
    is_break = found[0] in "\r\n\u2028\u2029"
    which = "a line break" if is_break else "a control character"
    code = "break" if is_break else "control"
    raise BadHeader(code, f"{what} has {which} in it: “{shown}”.", shown)
