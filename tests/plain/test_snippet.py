"""A snippet is the line that tells a person what the mail says."""

import pytest

from easycrm_mail.messages.snippet import MAX_SNIPPET, snippet_of

WRITTEN = "Thank you, that works."


@pytest.mark.parametrize(
    "below",
    [
        "\n\n-- \nAnna Example\nExample Ltd",
        "\n--\nAnna",
        "\n\nOn Mon, 3 Mar 2025 at 10:00, Bob <bob@example.org> wrote:\n> old\n> old",
        "\n\nOn Mon, 3 Mar 2025 at 10:00, Bob\n<bob@example.org> wrote:\n\nold text",
        "\n\nAm 03.03.2025 um 10:00 schrieb Bob Example:\n> alt",
        "\n\nAm Mo., 3. März 2025 um 10:00 Uhr schrieb Bob <bob@example.org>:\nalt",
        "\n\nLe lun. 3 mars 2025 à 10:00, Bob <b@x> a écrit :\n\n> vieux",
        "\n\nEl lun, 3 mar 2025 a las 10:00, Bob (<b@x>) escribió:\n> viejo",
        "\n\nIl giorno lun 3 mar 2025 alle ore 10:00 Bob ha scritto:\n> vecchio",
        "\n\nOp ma 3 mrt 2025 om 10:00 schreef Bob <b@x>:\n> oud",
        "\n\nEm seg., 3 de mar. de 2025 às 10:00, Bob escreveu:\n> velho",
        "\n\nпн, 3 мар. 2025 г. в 10:00, Bob <b@x> пишет:\n> старое".replace(
            "пн", "На пн"
        ),
        "\n\n-----Original Message-----\nFrom: Bob\nSent: Monday\nold",
        "\n\n-----Ursprüngliche Nachricht-----\nVon: Bob\nalt",
        "\n\n________________________________\nFrom: Bob <b@x>\nSent: Monday\nold",
        "\n\nFrom: Bob <b@x>\nSent: Monday, March 3\nTo: Anna\nSubject: x\n\nold",
        "\n\nVon: Bob <b@x>\nGesendet: Montag\nAn: Anna\nBetreff: x\n\nalt",
        "\n\n*From:* Bob <b@x>\n*Sent:* Monday\nold",
        "\n\nSent from my iPhone",
        "\n\nVon meinem iPhone gesendet\n\nAm 3. März schrieb Bob:\n> alt",
        "\n\nGet Outlook for iOS",
        "\n> quoted",
    ],
)
def test_what_was_written_stands_alone(below):
    assert snippet_of(WRITTEN + below) == WRITTEN


def test_an_answer_below_the_quotation_is_found():
    text = (
        "On Monday, Bob wrote:\n> Does it work?\n> Tell me.\n\nYes, it does.\n-- \nAnna"
    )
    assert snippet_of(text) == "Yes, it does."


def test_a_forward_without_a_word_shows_what_is_forwarded():
    text = (
        "---------- Forwarded message ---------\nFrom: Bob <b@x>\nDate: Mon\n"
        "Subject: Offer\nTo: Anna\n\nHere is the offer."
    )
    assert snippet_of(text) == "Here is the offer."


def test_a_mail_of_quotations_only_shows_them():
    assert snippet_of("> only this\n> was here") == "only this was here"


@pytest.mark.parametrize(
    "text",
    [
        "On the whole: fine.",
        "From: here\nwe go on.",
        "I wrote: nothing.\nReally.",
        "Dash -- within",
        "Agenda:\n- one\n- two",
    ],
)
def test_ordinary_sentences_are_not_taken_for_quotations(text):
    assert snippet_of(text) == " ".join(text.split())


def test_white_space_and_invisible_filling_are_gone():
    text = "Hello\u00ad \u200b\u200c\u034f\n\n\t  world\ufeff\xa0\xa0!"
    assert snippet_of(text) == "Hello world !"
    assert snippet_of("می\u200cخواهم") == "می\u200cخواهم"


def test_a_long_text_ends_at_a_word():
    snippet = snippet_of("word " * 100)
    assert MAX_SNIPPET - 5 <= len(snippet) <= MAX_SNIPPET
    assert snippet.endswith("word…")
    exact = "x" * 120 + " " + "y" * 79
    assert snippet_of(exact) == exact
    assert snippet_of(exact + " z") == "x" * 120 + "…"


@pytest.mark.parametrize(
    "text",
    [
        "e\u0301" * 300,
        "👩\u200d👩\u200d👧\u200d👧" * 80,
        "👍🏽" * 200,
        "x" + "👍🏽" * 200,
        "नमस्ते" * 80,
        "\u0301" * 500,
        "好" * 500,
    ],
)
def test_no_character_is_cut_in_two(text):
    snippet = snippet_of(text)
    assert len(snippet) <= MAX_SNIPPET
    assert snippet[-1] == "…"
    kept = snippet[:-1]
    assert text.startswith(kept)
    following = text[len(kept)]
    if len(kept) > 1:
        assert following not in "\u0301\u200d🏽" and kept[-1] != "\u200d"
