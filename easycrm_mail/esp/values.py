"""What is handed over to a bulk sender, and what it reports."""

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of a value that each recipient has for himself.

    :ivar name: of the value: ASCII letters and digits
    """

    name: str

    def __post_init__(self):
        if not self.name or set(self.name) - set(string.ascii_letters + string.digits):
            raise ValueError(f"not the name of a slot: {self.name!r}")


#: A text in which slots stand, as it is written for all recipients at once.
Skeleton = Sequence[str | Slot]


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person of a bulk.

    :ivar key: opaque and short; comes back with every event about this person
    :ivar values: by the names of the slots
    """

    address: str
    key: str
    name: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class File:
    """An attachment, the same for all. With a `content_id` it is shown in the text."""

    name: str
    mimetype: str
    data: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Bulk:
    """What is handed over in one call: one text, and up to `MAX_RECIPIENTS` people.

    :ivar key: of the batch; comes back with every event
    :ivar sender: (name, address)
    :ivar headers: of the mail; slots may stand in them
    """

    key: str
    sender: tuple[str, str]
    subject: Skeleton
    html: Skeleton
    recipients: Sequence[Recipient]
    text: Skeleton = ()
    reply_to: tuple[str, str] | None = None
    headers: Mapping[str, Skeleton] = field(default_factory=dict)
    files: Sequence[File] = ()

    def __post_init__(self):
        addresses = {person.address.lower() for person in self.recipients}
        if len(addresses) < len(self.recipients):
            raise ValueError("an address stands in the bulk twice")
        slots = {
            piece.name
            for skeleton in self.skeletons()
            for piece in skeleton
            if isinstance(piece, Slot)
        }
        for person in self.recipients:
            if missing := slots - set(person.values):
                raise ValueError(f"a recipient has no value for {sorted(missing)}")

    def skeletons(self) -> list[Skeleton]:
        """All texts in which slots may stand."""
        return [self.subject, self.html, self.text, *self.headers.values()]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A bulk that the sender has taken over.

    :ivar reference: the sender's own id of it
    """

    reference: str = ""


class EventKind(str, Enum):
    """What can become of a mail to one person."""

    PROCESSED = "processed"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    DROPPED = "dropped"
    OPENED = "opened"
    CLICKED = "clicked"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    RESUBSCRIBED = "resubscribed"


class Severity(str, Enum):
    """How a mail came back: for good, for now, or kept off by policy."""

    HARD = "hard"
    SOFT = "soft"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Event:
    """One report about one person.

    :ivar key: the same however often the sender reports it
    :ivar recipient: `Recipient.key`; empty where the report does not say it
    :ivar batch: `Bulk.key`; likewise
    :ivar at: when it happened, aware
    :ivar severity: of what came back
    :ivar url: that was clicked
    :ivar is_machine: no person opened or clicked: a privacy proxy, or a scanner, as the
        sender itself says
    """

    key: str
    kind: EventKind
    at: datetime
    address: str
    recipient: str = ""
    batch: str = ""
    reason: str = ""
    severity: Severity | None = None
    url: str = ""
    user_agent: str = ""
    ip: str = ""
    is_machine: bool = False


class SuppressionReason(str, Enum):
    """Why somebody must not be written to, the weakest first: they only escalate."""

    UNSUBSCRIBED = "unsubscribed"
    INVALID = "invalid"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that the sender writes to no more.

    :ivar at: since when, aware, or None
    """

    address: str
    reason: SuppressionReason
    at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SuppressionPage:
    """A page of a sender's lists.

    :ivar place: where the page after it begins; empty at the end
    """

    rows: Sequence[Suppression]
    place: str = ""
