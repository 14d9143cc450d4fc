import time

import pytest

from easycrm_mail.messages import search_words, split_words

FOUND = [
    ("Angebot für Frau Müller", "muller"),
    ("Angebot für Frau Muller", "Müller"),
    ("Viele GRÜSSE", "grüße"),
    ("from anna.berg@nordlicht.example", "nordlicht"),
    ("from anna.berg@nordlicht.example", "anna.berg@nordlicht.example"),
    ("see https://shop.example/chairs?id=4711", "4711"),
    ("order SO-2026/0042 is late", "so-2026/0042"),
    ("stacking chairs", "chai stack"),
    ("cafe\u0301 au lait", "café"),
    ("会議資料をお送りします。", "資料"),
    ("会議資料をお送りします。", "会議資料"),
    ("안녕하세요 여러분", "안녕"),
    ("Привет, Ёлка", "елка"),
    ("हिन्दी में", "हिन्दी"),
    ("שלום עולם", "שלום"),
    ("the ﬁne print", "fine"),
    ("_under_score_", "under"),
]


def finds(text, query):
    """As PostgreSQL does: each word of the query begins one of the text."""
    words = search_words(text)
    return all(word.is_in(words) for word in split_words(query))


@pytest.mark.parametrize(("text", "query"), FOUND)
def test_a_mail_is_found_as_people_type(text, query):
    assert finds(text, query)


@pytest.mark.parametrize(
    ("text", "query"),
    [("stacking chairs", "hairs"), ("会議資料", "資会"), ("one two", "one three")],
)
def test_another_mail_is_not_found(text, query):
    assert not finds(text, query)


@pytest.mark.parametrize(
    "query", ["", "  ", "'", "& | ! ( ) :* <->", "\\", "\x00", "…"]
)
def test_a_query_without_a_word_is_empty(query):
    assert split_words(query) == []


def test_nothing_in_a_query_is_an_operator():
    queries = [word.query for word in split_words("a'b\\c | !d:* <-> (e) 100%_")]
    assert queries == ["a:* & b:* & c:*", "d:*", "e:*", "100:*"]
    assert split_words("100%_")[0].pattern == r"%100\%\_%"
    assert len(split_words(" ".join(map(str, range(500))))) == 10


def test_marks_without_end_are_cut_soon():
    """An insertion sort of 100,000 marks took Python half a minute (law 2)."""
    marks = "".join(map(chr, range(0x5C4, 0x5AF, -1))) * 5_000
    start = time.perf_counter()
    search_words("e" + marks[:100_000])
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize(
    "text",
    [
        "a_" * 50_000,
        " ".join(map(str, range(50_000))),
        "".join(chr(0x4E00 + number % 20_000) for number in range(100_000)),
        " ".join(f"\ufdfa\ufdfa{number}" for number in range(50_000)),
        "".join(chr(0x10330 + number % 20) for number in range(100_000)),
        "\ud800 \x00 \ufeff",
    ],
)
def test_the_words_of_any_text_fit_into_a_tsvector(text):
    words = search_words(text, text)
    assert sum(len(word.encode()) for word in words) < 1_000_000
    assert len(words) == len(set(words))
    assert all(words) and max(map(len, words), default=0) <= 60
    assert not any(" " in word or "\x00" in word for word in words)
