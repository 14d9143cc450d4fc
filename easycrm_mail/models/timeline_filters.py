"""What a timeline is narrowed to, as the screen asks for it: checked, in parts."""

import unicodedata
from dataclasses import dataclass, fields

from .storable import to_storable

#: Characters that a search may have.
SEARCH_LENGTH = 200

DIRECTIONS = ("inbound", "outbound", "campaign")


class UnknownFilter(ValueError):
    """What was asked for is no filter."""


@dataclass(frozen=True)
class Filters:
    """A narrower timeline: all of what is set must hold.

    :param str direction: `inbound`, `outbound` or `campaign`; else all of them
    :param bool attachments: only emails with attachments
    :param str person: an address that must stand in the email
    :param str search: words that must stand in it, in any order
    """

    direction: str = ""
    attachments: bool = False
    person: str = ""
    search: str = ""

    def __bool__(self):
        return any(getattr(self, field.name) for field in fields(self))

    @classmethod
    def read(cls, values):
        """Return the filters that these are.

        :param dict values: by name, as they came from outside
        :raise UnknownFilter: they are not filters
        """
        if not values:
            return cls()
        if not isinstance(values, dict):
            raise UnknownFilter(values)
        given = {name: value for name, value in values.items() if value}
        for name, value in given.items():
            kind = cls.__annotations__.get(name)
            if kind is None or not isinstance(value, kind):
                raise UnknownFilter(name)
        if given.get("direction", DIRECTIONS[0]) not in DIRECTIONS:
            raise UnknownFilter("direction")
        for name in ("person", "search"):
            # (before it is cleaned: that takes long for what is far too long)
            if len(given.get(name, "")) > 10 * SEARCH_LENGTH:
                raise UnknownFilter(name)
            given[name] = clean(given.get(name, ""))
            if len(given[name]) > SEARCH_LENGTH:
                raise UnknownFilter(name)
        return cls(**given)


def clean(text):
    """Return a text as it may be handed to the database, one space between words."""
    return " ".join(unicodedata.normalize("NFC", to_storable(text)).split())
