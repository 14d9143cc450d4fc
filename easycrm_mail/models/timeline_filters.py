"""What a timeline is narrowed to, as the screen asks for it: checked, in parts."""

import re
import unicodedata
from dataclasses import dataclass, fields

from odoo.tools import SQL

#: Characters that a search may have, and words of it that are looked for.
SEARCH_LENGTH, SEARCH_WORDS = 200, 10

DIRECTIONS = ("inbound", "outbound")

#: Scripts that are written without spaces: their words are looked for within the text.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
)


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
    """One word that is looked for.

    :param str text: as it was typed
    :param str query: the same as a tsquery; empty where it is looked for as a text
    """

    text: str
    query: str

    @property
    def pattern(self):
        """The word within a text, for ILIKE."""
        escaped = re.sub(r"([%_\\])", r"\\\1", self.text)
        return f"%{escaped}%"

    def in_vector(self, vector, text):
        """A condition: the word stands in a text.

        :param SQL vector: the tsvector of the text
        :param SQL text: the text itself
        """
        if self.query:
            return SQL("%s @@ %s::tsquery", vector, self.query)
        return self.in_text(text)

    def in_text(self, text):
        return SQL("%s ILIKE %s", text, self.pattern)


def split_words(cr, search):
    """Return the `Word`s of a search: what PostgreSQL would find in such a text.

    The last one may be only begun. Signs alone are no words.
    """
    texts = search.replace("<", " ").split()[:SEARCH_WORDS]
    cr.execute(
        SQL(
            """
            SELECT word.number, array_agg(found.lexeme ORDER BY found.positions)
            FROM unnest(%s::text[]) WITH ORDINALITY AS word (text, number),
                 unnest(to_tsvector('simple', word.text)) AS found
            GROUP BY word.number
            """,
            texts,
        )
    )
    lexemes = dict(cr.fetchall())
    words = []
    for number, text in enumerate(texts, 1):
        if UNSPACED.search(text):
            words.append(Word(text, ""))
        elif number in lexemes:
            begun = ":*" if number == len(texts) else ""
            quoted = (quote_lexeme(lexeme) + begun for lexeme in lexemes[number])
            words.append(Word(text, " & ".join(quoted)))
    return words


def quote_lexeme(lexeme):
    """Return a lexeme as it stands in a tsquery."""
    escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
