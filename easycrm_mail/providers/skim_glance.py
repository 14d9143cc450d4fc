"""What a header tells, of mail that is looked at and not kept."""

from datetime import datetime
from itertools import chain

from ..messages.addresses import read_addresses
from ..messages.headers import (
    decode_words,
    first,
    is_automatic,
    one_line,
    read_headers,
    read_list_id,
)
from .base import Glance

#: The fields that are asked for.
FIELDS = (
    "From",
    "To",
    "Cc",
    "Bcc",
    "Message-ID",
    "Subject",
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
    found = {
        name: [
            one.address
            for value in headers.get(name, ())
            for one in read_addresses(value)
        ]
        for name in ("from", "to", "cc", "bcc")
    }
    everybody = list(chain.from_iterable(found.values()))
    return Glance(
        key=one_line(first(headers, "message-id"), _MAX_KEY) or place,
        received_at=received_at,
        addresses=tuple(dict.fromkeys(everybody[:MAX_ADDRESSES])),
        senders=tuple(dict.fromkeys(found["from"][:MAX_ADDRESSES])),
        is_automatic=is_automatic(headers),
        list_id=read_list_id(headers),
        subject=one_line(decode_words(first(headers, "subject"))),
    )
