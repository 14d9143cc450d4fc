"""What an email is, once it has left the wire: frozen values without behaviour.

They are made by the parser and by the providers and are read by the models;
nothing here knows of Odoo.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Role(str, Enum):
    """The header in which an address stands."""

    FROM = "from"
    TO = "to"
    CC = "cc"
    BCC = "bcc"


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of a header.

    :ivar name: the display name, decoded, or an empty string
    :ivar address: the addr-spec as written, without angle brackets; it may be
        something no server would take: whoever compares it normalises it first
    """

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Participant:
    """One address in one role."""

    role: Role
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is known of an attachment without keeping its bytes.

    :ivar part: where `extract_part` finds it in the raw mail; opaque elsewhere
    :ivar size: bytes once decoded
    :ivar content_id: without angle brackets, or an empty string
    :ivar inline: shown within the text (referred to by `content_id`)
    :ivar sha256: of the decoded bytes, hex; empty where they were not seen
    """

    part: str
    name: str
    mimetype: str
    size: int
    content_id: str = ""
    inline: bool = False
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One email, parsed.

    :ivar message_id: RFC 5322 Message-ID with its angle brackets; where the mail
        has none, a stable one made from the digest (`<digest@missing.invalid>`)
    :ivar digest: hex, over From, Date, Subject and the normalised text
    :ivar date: when it was written, aware, in UTC, never absurd
    :ivar participants: every From, To, Cc and Bcc address in header order
    :ivar reply_to: the Reply-To addresses (they match nothing by themselves)
    :ivar references: References, oldest first, then In-Reply-To if not among them
    :ivar text: the plain text, from the HTML where there is no text part
    :ivar html: the HTML part as it came, unsanitised, or an empty string
    :ivar snippet: at most 200 characters of what was newly written
    :ivar words: what finds it in a search, separated by spaces; see `search_words`
    :ivar auto_submitted: the value of Auto-Submitted (lower case), or an empty string
    :ivar list_id: the List-Id (without brackets), or an empty string
    :ivar is_automatic: its header says that it went to many, or that a machine wrote it
    """

    message_id: str
    digest: str
    subject: str
    date: datetime
    participants: tuple[Participant, ...]
    reply_to: tuple[Address, ...]
    in_reply_to: str
    references: tuple[str, ...]
    text: str
    html: str
    snippet: str
    words: str
    attachments: tuple[Attachment, ...]
    auto_submitted: str = ""
    list_id: str = ""
    is_automatic: bool = False


class UnreadableMessage(ValueError):
    """The bytes are not a mail that can be read; the text says why, in plain words."""
