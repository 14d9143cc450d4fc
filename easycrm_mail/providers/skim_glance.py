"""What a header tells, of mail that is looked at and not kept."""

from datetime import datetime

from ..messages.addresses import read_addresses
from ..messages.headers import first, is_automatic, one_line, read_headers
from .base import Glance

#: The fields that are asked for.
FIELDS = (
    "From",
    "To",
    "Cc",
    "Bcc",
    "Message-ID",
    "Auto-Submitted",
    "List-Id",
    "List-Unsubscribe",
    "Precedence",
)
# Of one mail to half a company.
MAX_ADDRESSES = 500
_MAX_KEY = 500


def glance(place: str, head: bytes, received_at: datetime | None) -> Glance:
    """What the header of a mail tells.

    :param place: where it stands, should it have no Message-ID
    :param head: its fields as they stand in it
    """
    headers = read_headers(head).headers
    found = [
        one.address
        for name in ("from", "to", "cc", "bcc")
        for value in headers.get(name, ())
        for one in read_addresses(value)
    ]
    return Glance(
        key=one_line(first(headers, "message-id"), _MAX_KEY) or place,
        received_at=received_at,
        addresses=tuple(dict.fromkeys(found[:MAX_ADDRESSES])),
        is_automatic=is_automatic(headers),
    )
