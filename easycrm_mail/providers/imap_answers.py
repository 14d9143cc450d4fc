"""What IMAP servers answer, as values: a folder's state, a mail of a FETCH."""

from dataclasses import dataclass
from datetime import datetime, timezone

from imapclient.datetime_util import parse_to_datetime


@dataclass(frozen=True)
class FolderState:
    """What EXAMINE and STATUS say of a folder; 0 for what the server leaves out."""

    uid_validity: int
    uid_next: int
    messages: int
    mod_seq: int = 0
    unseen: int = 0


@dataclass(frozen=True)
class Fetched:
    """One mail of a FETCH; None for what was not asked for or not given."""

    uid: int
    is_read: bool
    size: int = 0
    received_at: datetime | None = None
    raw: bytes | None = None
    structure: object = None

    @classmethod
    def read(cls, uid: int, values: dict) -> "Fetched":
        """What the answer says of that mail."""
        return cls(
            uid=uid,
            is_read=is_read(values),
            size=number(values.get(b"RFC822.SIZE")),
            received_at=_moment(values.get(b"INTERNALDATE")),
            raw=body(values),
            structure=values.get(b"BODYSTRUCTURE"),
        )


def is_read(values: dict) -> bool:
    """Whether the flags of a FETCH say so."""
    flags = values.get(b"FLAGS") or ()
    return any(isinstance(flag, bytes) and flag.lower() == rb"\seen" for flag in flags)


def body(values: dict) -> bytes | None:
    """The body of a FETCH, or the section of it that was asked for."""
    for name, value in values.items():
        if name.startswith(b"BODY["):
            return _bytes(value)
    return None


def number(value: object) -> int:
    """A number, also where the library gives it in a list; 0 for none."""
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, list) and value:
        value = value[0]
    return int(value) if value else 0


def _moment(value: object) -> datetime | None:
    try:
        moment = parse_to_datetime(value, normalise=False)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return moment.astimezone(timezone.utc)
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        return None


def _bytes(value: object) -> bytes | None:
    # A body of digits, sent without a literal, is read as a number.
    if isinstance(value, int):
        return str(value).encode()
    return value if isinstance(value, bytes) else None
