"""What a timeline is narrowed to, as the screen asks for it: checked, in parts."""

import re
import unicodedata
from dataclasses import dataclass, fields

from ..messages import search_words

#: Characters that a search may have, and words of it that are looked for.
SEARCH_LENGTH, SEARCH_WORDS = 200, 10

DIRECTIONS = ("inbound", "outbound")


class UnknownFilter(ValueError):
    """What was asked for is no filter."""


@dataclass(frozen=True)
class Filters:
    """A narrower timeline: all of what is set must hold.

    :param str direction: `inbound` or `outbound`; else both
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
            given[name] = clean(given.get(name, ""))
            if len(given[name]) > SEARCH_LENGTH:
                raise UnknownFilter(name)
        return cls(**given)


def clean(text):
    """Return a text as it may be handed to the database, one space between words."""
    # (no NUL, no half of a pair: PostgreSQL takes neither)
    text = text.replace("\0", " ").encode("utf-8", "ignore").decode()
    return " ".join(unicodedata.normalize("NFC", text).split())


@dataclass(frozen=True)
class Word:
    """One word that is looked for, which may be only begun.

    :param str text: as it was typed
    :param tuple parts: as the words of a mail are cut: several for an address, say
    """

    text: str
    parts: tuple

    @property
    def query(self):
        """The word as a tsquery: letters and digits, none of them an operator."""
        return " & ".join(f"{part}:*" for part in self.parts)

    @property
    def pattern(self):
        """The word within a text, for ILIKE."""
        escaped = re.sub(r"([%_\\])", r"\\\1", self.text)
        return f"%{escaped}%"

    def is_in(self, words):
        """Tell whether the word stands among those of a text."""
        return all(any(word.startswith(part) for word in words) for part in self.parts)


def split_words(search):
    """Return the `Word`s of a search; signs alone are none."""
    words = [Word(text, tuple(search_words(text))) for text in search.split()]
    return [word for word in words if word.parts][:SEARCH_WORDS]
