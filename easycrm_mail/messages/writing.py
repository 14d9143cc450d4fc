"""A `Draft` to the bytes of a mail (RFC 5322), for sending.

The header is put together here, an address or an encoded word a line: what the standard
library folds by itself comes apart at long names and at commas within them. Contents
are encoded in pieces, so that a mail takes the memory of its bytes and little more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

#: Name and address.
Mailbox = tuple[str, str]


class BadHeader(ValueError):
    """A mail cannot be written; the text says why, in plain words."""


@dataclass(frozen=True, slots=True)
class File:
    """What goes along with a mail.

    :ivar mimetype: what is none, or may not be encoded, goes as any file
    :ivar content_id: without angle brackets; the HTML shows it as `cid:`
    """

    name: str
    mimetype: str
    data: bytes
    content_id: str = ""


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
    raise NotImplementedError


def size_of(files: Iterable[int], body: int = 0) -> int:
    """About how many bytes a mail has on the wire.

    :param files: the sizes of what goes along
    :param body: characters of the HTML
    """
    raise NotImplementedError
