"""The addresses of a header, taken apart without ever refusing one.

The standard library's readers raise on what mail holds every day and are quadratic on
what an attacker sends; this one looks at each character a fixed number of times.
"""

import re

from .headers import decode_words, one_line
from .values import Address

MAX_ADDRESSES = 20_000
_MAX_NAME = 200
_MAX_ADDRESS = 320
_MAX_PHRASE = 2_000

# An encoded word is one thing, whatever a careless sender left unencoded in it.
_SPECIAL = re.compile(
    r'[",;:<(]|=\?[^?\s]{1,60}\?[bBqQ]\?[^?<>]{0,500}\?=',
)
_DOMAIN = re.compile(r"@[^\s,;:<>()\"]+")
_ADDRESS_END = re.compile(r"[,;<\s]")
_QUOTED = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_PARENTHESIS = re.compile(r"\\.|[()]", re.DOTALL)
_UNQUOTE = re.compile(r"\\(.)", re.DOTALL)


def read_addresses(value: str) -> list[Address]:
    """Every mailbox of a From, To, Cc, Bcc or Reply-To value.

    Groups give their members; a display name without an address gives nothing. A local
    name (`root`) counts as an address where it stands alone.

    :param value: unfolded, encoded words still encoded
    """
    if "@" not in value and "=?" in value:
        # Some senders encode the whole value, brackets included.
        value = decode_words(value[:_MAX_PHRASE])
    return _Reader(value).read()


class _Reader:
    """One pass over one value."""

    def __init__(self, value: str):
        self.value = value
        self.position = 0
        self.found: list[Address] = []
        self.phrase: list[str] = []
        self.comment = ""
        self.address: str | None = None
        # What was found to have no end has none further on either: looked for once.
        self.has_quote_end = True
        self.has_comment_end = True
        self.next_angle_end = -1

    def read(self) -> list[Address]:
        """All mailboxes, in order."""
        value, size = self.value, len(self.value)
        steps = {
            '"': self._quoted,
            "(": self._comment,
            "<": self._angle,
            ":": self._group,
            ",": self._flush,
            ";": self._flush,
        }
        while self.position < size and len(self.found) < MAX_ADDRESSES:
            special = _SPECIAL.search(value, self.position)
            if not special:
                self.phrase.append(value[self.position :])
                break
            if special.start() > self.position:
                self.phrase.append(value[self.position : special.start()])
            self.position = special.end()
            steps.get(special[0], self._literal)(special[0])
        if len(self.found) < MAX_ADDRESSES:
            self._flush()
        return self.found

    def _literal(self, text: str) -> None:
        self.phrase.append(text)

    def _quoted(self, _text: str) -> None:
        match = None
        if self.has_quote_end:
            match = _QUOTED.match(self.value, self.position - 1)
        if not match:
            self.has_quote_end = False
            return
        text = match[1]
        self.position = match.end()
        domain = _DOMAIN.match(self.value, self.position)
        if domain and self.address is None:
            # A quoted local part: it belongs to the address, quotes and all.
            self.address = match[0] + domain[0]
            self.position = domain.end()
            return
        self.phrase.append(_UNQUOTE.sub(r"\1", text) if "\\" in text else text)

    def _comment(self, text: str) -> None:
        depth = 1
        if self.has_comment_end:
            for match in _PARENTHESIS.finditer(self.value, self.position):
                depth += {"(": 1, ")": -1}.get(match[0], 0)
                if not depth:
                    self.comment = self.value[self.position : match.start()]
                    self.position = match.end()
                    return
        self.has_comment_end = False
        self._literal(text)

    def _angle(self, _text: str) -> None:
        start = self.position
        if self.next_angle_end is not None and self.next_angle_end < start:
            end = self.value.find(">", start)
            self.next_angle_end = end if end >= 0 else None
        end = self.next_angle_end
        cut = self.value.find("<", start, end)
        if end is None or cut >= 0:
            # Never closed: the address ends where the next begins.
            stop = _ADDRESS_END.search(self.value, start)
            end = stop.start() if stop else len(self.value)
            self.position = end
        else:
            self.position = end + 1
        address = self.value[start:end].strip()
        if address.startswith("@") and ":" in address:
            # A source route, long out of use (RFC 5322, 4.4)
            address = address.rpartition(":")[2]
        if self.address is None:
            self.address = address

    def _group(self, _text: str) -> None:
        if self.address is None:
            self.phrase.clear()

    def _flush(self, _text: str = "") -> None:
        phrase = "".join(self.phrase)[:_MAX_PHRASE]
        address, comment = self.address, self.comment[:_MAX_PHRASE]
        self.phrase.clear()
        self.address, self.comment = None, ""
        if address is not None:
            self._add(phrase or comment, address)
            return
        words = phrase.split()
        addresses = [word for word in words if "@" in word]
        if not addresses and len(words) == 1:
            addresses = words[:1]
        if len(addresses) == 1:
            words.remove(addresses[0])
            self._add(" ".join(words) or comment, addresses[0])
            return
        for address in addresses:
            self._add("", address)

    def _add(self, name: str, address: str) -> None:
        address = one_line(decode_words(address[:_MAX_PHRASE]), _MAX_ADDRESS)
        if address:
            self.found.append(Address(name=_name(name), address=address))


def _name(phrase: str) -> str:
    name = one_line(decode_words(phrase), _MAX_NAME)
    if len(name) > 1 and name[0] == name[-1] == "'":
        # Outlook's quotes
        name = name[1:-1].strip()
    return name
