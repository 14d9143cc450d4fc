"""The words by which a mail is found, and those of a search, cut in one way.

PostgreSQL's own parser takes an address or a host for one word, so that a company's
name in it is never found, keeps accents, finds nothing inside a Chinese or Japanese
sentence, and takes longer than all the rest of storing a mail.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

_MAX_TEXT = 100_000
_MAX_WORD = 60
_MAX_RUN = 1_000
#: A tsvector holds 1 MB, and a character takes up to four bytes.
_MAX_ALL_WORDS = 200_000
_MAX_SEARCHED = 10

# What is not ASCII is looked at closer, a word at a time.
_WORD = re.compile("[a-z0-9\x80-\U0010ffff]+")
_ACCENT = re.compile("[\u0300-\u036f]+")
# Written without spaces (Han, Hiragana, Katakana): any two neighbours are a word.
_UNSPACED = re.compile(
    "([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]+)"
)


def search_words(*texts: str) -> list[str]:
    """The words of these texts, each once: lower case, without accents, cut to 60.

    :param texts: of each the first 100,000 characters count
    """
    found = (word for text in texts for word in _words(text[:_MAX_TEXT]))
    words = list(dict.fromkeys(found))
    if sum(map(len, words)) > _MAX_ALL_WORDS:
        del words[_MAX_ALL_WORDS // _MAX_WORD :]
    return words


@dataclass(frozen=True, slots=True)
class Word:
    """One word that is looked for, which may be only begun.

    :ivar text: as it was typed
    :ivar parts: as the words of a mail are cut: several for an address, say
    """

    text: str
    parts: tuple[str, ...]

    @property
    def query(self) -> str:
        """The word as a tsquery: letters and digits, none of them an operator."""
        return " & ".join(f"{part}:*" for part in self.parts)

    @property
    def pattern(self) -> str:
        """The word within a text, for ILIKE."""
        escaped = re.sub(r"([%_\\])", r"\\\1", self.text)
        return f"%{escaped}%"

    def is_in(self, words: Iterable[str]) -> bool:
        """Whether the word stands among those of a text."""
        return all(any(word.startswith(part) for word in words) for part in self.parts)


def split_words(search: str) -> list[Word]:
    """The words of a search, ten at most; signs alone are none.

    :param search: what a person typed, whatever it is
    """
    words = (Word(text, tuple(search_words(text))) for text in search.split())
    return list(islice((word for word in words if word.parts), _MAX_SEARCHED))


def _words(text: str) -> Iterator[str]:
    for word in dict.fromkeys(_WORD.findall(text.lower())):
        if word.isascii():
            yield word[:_MAX_WORD]
        elif len(word) <= _MAX_WORD:
            yield from _cut_short(word)
        else:
            # Python sorts the marks of a run in a time that grows with its square
            for start in range(0, len(word), _MAX_RUN):
                yield from _cut(word[start : start + _MAX_RUN])


def _cut(run: str) -> tuple[str, ...]:
    """What a run of characters is filed under that are not all ASCII."""
    folded = _ACCENT.sub("", unicodedata.normalize("NFKD", run.casefold()))
    # (composed again: Korean syllables and Japanese sounds were taken apart too)
    folded = unicodedata.normalize("NFC", folded)
    words = []
    for word in "".join(char if _is_of_word(char) else " " for char in folded).split():
        # the odd ones are the unspaced
        for index, part in enumerate(_UNSPACED.split(word)):
            if index % 2:
                words += [part[i : i + 2] for i in range(max(len(part) - 1, 1))]
            elif part:
                words.append(part[:_MAX_WORD])
    return tuple(words)


_cut_short = lru_cache(maxsize=1 << 14)(_cut)


def _is_of_word(char: str) -> bool:
    # The vowel signs of India's scripts are marks.
    return char.isalnum() or unicodedata.category(char)[0] == "M"
