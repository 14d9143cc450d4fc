"""What is written is read again as it was meant: by both of our readers, and by the
standard library's."""

import email
import email.policy
import os
import re
import tracemalloc
from datetime import datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.utils import getaddresses
from hashlib import sha256

import pytest

from easycrm_mail.messages import (
    BadHeader,
    Draft,
    File,
    Role,
    check_address,
    extract_part,
    parser,
    size_of,
    write,
)
from easycrm_mail.messages.mime import read_fast, read_slow

ANNA = ("Anna Berg", "anna@example.com")
BOB = ("Bob", "bob@example.org")
DATE = datetime(2026, 3, 4, 10, 30, 5, tzinfo=timezone(timedelta(hours=2)))
MB = 1 << 20


def draft(**kwargs) -> Draft:
    """A small mail, but for what is given."""
    values = {
        "message_id": "<1.x@example.com>",
        "date": DATE,
        "sender": ANNA,
        "to": (BOB,),
        "subject": "Hello",
        "html": "<p>Good morning</p>",
    }
    return Draft(**{**values, **kwargs})


@pytest.fixture(params=[read_fast, read_slow], ids=["fast", "slow"])
def read(request):
    """One of our two readers, of a mail of which no line is out of bounds."""
    if request.param is read_fast:
        pytest.importorskip("fast_mail_parser", reason="none for Python 3.10")

    def read(raw: bytes):
        head = raw.partition(b"\r\n\r\n")[0]
        assert head.isascii() and not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
        assert max(map(len, raw.split(b"\r\n"))) <= 998
        return parser.parse_with([request.param], raw)

    return read


def of(message, role: Role) -> list[tuple[str, str]]:
    return [(p.name, p.address) for p in message.participants if p.role is role]


NAMES = {
    "plain": "Anna Berg",
    "comma": "Berg, Anna",
    "quotes": 'Anna "the \\ boss" Berg',
    "umlauts": "Jürgen Groß",
    "comma and umlauts": "Groß, Jürgen",
    "emoji": "👩‍👩‍👧‍👦 Family 🏳️‍🌈",
    "rtl": "שָׁלוֹם עֲלֵיכֶם",
    "mixed direction": "علي\u200e (Ali) \u200fשלום",
    "chinese": "中文名字" * 20,
    "long": "Anna Maria Josefina von und zu Berg " * 4 + "Berg",
    "long with commas": "Bürgermeister, Meier, Müller & Söhne, " * 4 + "KG",
    "no space": "x" * 190,
    "brackets": "Anna <boss> (the one); [x]: @home",
    "like an encoded word": "=?utf-8?q?Anna?=",
    "address as name": "anna@example.com",
    "dot": "Dr. Anna B.",
    "apostrophe": "Anna O'Neil",
    "composed": "e\u0301" * 60,
    "none": "",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_read_as_it_was_written(read, name):
    name = NAMES[name]
    other = ("Bo, b", "b@example.org")
    raw = write(
        draft(sender=(name, ANNA[1]), to=((name, BOB[1]), other, (name, "c@x.org"))),
        bcc=False,
    )
    message = read(raw)
    assert of(message, Role.FROM) == [(name, ANNA[1])]
    assert of(message, Role.TO) == [(name, BOB[1]), other, (name, "c@x.org")]
    theirs = email.message_from_bytes(raw)["To"]
    found = [
        (str(make_header(decode_header(shown))), address)
        for shown, address in getaddresses([theirs.replace("\r\n", "")])
    ]
    assert found == [(name, BOB[1]), other, (name, "c@x.org")]


SUBJECTS = [
    "",
    "Hello",
    "Offer 17: chairs, tables & more — “as agreed”",
    "Re: " + "a rather long subject of plain words " * 8 + "end",
    "Angebot für Bürostühle " * 10 + "Ende",
    "🎉" * 80,
    "שלום, " * 30 + "עולם",
    "x" * 1_500,
    "y" * 60 + " " + "z" * 100,
    "=?utf-8?q?no?= word",
    '50 % off = good; see <x> "y"',
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_is_read_as_it_was_written(read, subject):
    raw = write(draft(subject=subject), bcc=False)
    assert read(raw).subject == subject
    theirs = email.message_from_bytes(raw, policy=email.policy.default)
    assert str(theirs["Subject"]) == subject
    lines = [one for one in raw.split(b"\r\n") if b"=?utf-8?" in one]
    assert all(len(line) <= 76 for line in lines)


BODIES = [
    "",
    "Hello",
    "Grüße aus Köln\n\n-- \nAnna",
    "中文 " * 3_000,
    "trailing space \n\ttab\n.\n..dots\nFrom here\n--boundary\n=20 = equals",
    "one line " * 4_000,
    "a\rb\r\nc\nd",
    "🙂 mixed שלום " * 50,
    "\x1b escape",
]


@pytest.mark.parametrize("text", BODIES)
def test_text_and_html_are_read_as_they_were_written(read, text):
    html = f"<p>{text}</p>"
    message = read(write(draft(text=text, html=html), bcc=False))
    shown = text.replace("\r\n", "\n").replace("\r", "\n")
    read_html = message.html.replace("\r\n", "\n").rstrip("\n")
    assert read_html == f"<p>{shown}</p>"
    if text:
        assert message.text.rstrip("\n") == shown.rstrip("\n")
    assert not message.attachments


def test_what_has_no_text_gets_that_of_its_html(read):
    raw = write(draft(html="<p>Dear Bob,</p><p>see <b>you</b></p>"), bcc=False)
    kinds = [part.get_content_type() for part in email.message_from_bytes(raw).walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]
    assert read(raw).text == "Dear Bob,\n\nsee you\n"


def test_a_mail_of_text_alone_is_text_alone(read):
    raw = write(draft(html="", text="Grüße"), bcc=False)
    assert email.message_from_bytes(raw).get_content_type() == "text/plain"
    assert read(raw).text == "Grüße\n" and read(raw).html == ""


def test_the_header_says_what_the_draft_says(read):
    references = ("<a@x.org>", "<b@x.org>")
    raw = write(
        draft(
            cc=(("C", "c@x.org"),),
            bcc=(("D", "d@x.org"),),
            in_reply_to="<b@x.org>",
            references=references,
            headers=(("X-Tag", "grün"),),
        ),
        bcc=True,
    )
    message = read(raw)
    assert message.message_id == "<1.x@example.com>"
    assert message.date == DATE
    assert (message.in_reply_to, message.references) == ("<b@x.org>", references)
    assert of(message, Role.CC) == [("C", "c@x.org")]
    assert of(message, Role.BCC) == [("D", "d@x.org")]
    assert not message.is_automatic
    theirs = email.message_from_bytes(raw, policy=email.policy.default)
    assert theirs["X-Tag"] == "grün" and theirs["MIME-Version"] == "1.0"


def test_who_gets_it_unseen_stands_in_the_senders_copy_alone(read):
    mail = draft(bcc=(("Secret", "secret@x.org"),))
    assert b"secret" not in write(mail, bcc=False).lower()
    assert of(read(write(mail, bcc=True)), Role.BCC) == [("Secret", "secret@x.org")]
    assert mail.recipients == ("bob@example.org", "secret@x.org")
    hidden = draft(to=(), bcc=(("Secret", "secret@x.org"),))
    assert of(read(write(hidden, bcc=False)), Role.TO) == []


def test_a_hundred_recipients_are_written_each_once(read):
    people = tuple((f"Persön, {n}", f"p{n}@example.org") for n in range(100))
    raw = write(draft(to=people[:50], cc=people[50:]), bcc=False)
    message = read(raw)
    assert of(message, Role.TO) + of(message, Role.CC) == list(people)
    again = (("", "P1@EXAMPLE.org"),)
    assert len(draft(to=people, cc=again).recipients) == 100


FILE_NAMES = [
    "offer.pdf",
    "Angebot für Köln.pdf",
    'a "quoted" name.txt',
    "semi;colon=equals.txt",
    "🙂 emoji 🏳️‍🌈.png",
    "מסמך.docx",
    "n" * 150 + ".pdf",
    "ü" * 120 + ".pdf",
    "100% sure's.txt",
    "=?utf-8?q?x?=.txt",
    "中文" * 40 + ".xlsx",
]


@pytest.mark.parametrize("name", FILE_NAMES)
def test_a_files_name_is_read_as_it_was_written(read, name):
    raw = write(draft(files=(File(name, "application/pdf", b"%PDF"),)), bcc=False)
    [attachment] = read(raw).attachments
    assert (attachment.name, attachment.mimetype) == (name, "application/pdf")
    theirs = email.message_from_bytes(raw, policy=email.policy.default)
    assert [one.get_filename() for one in theirs.iter_attachments()] == [name]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 56, 57, 58, 57 * 4096, 24 * MB])
def test_a_file_of_any_size_is_read_whole(read, size):
    data = os.urandom(size)
    raw = write(draft(files=(File("a.bin", "", data),)), bcc=False)
    [attachment] = read(raw).attachments
    assert (attachment.size, attachment.sha256) == (size, sha256(data).hexdigest())
    assert extract_part(raw, attachment.part) == data
    assert attachment.mimetype == "application/octet-stream"
    assert len(raw) <= size_of([size], 100) <= len(raw) + 10_000


def test_an_image_is_shown_within_the_html(read):
    image = File("logo.png", "image/png", b"\x89PNG", "logo.1@example.com")
    html = '<p>Hi <img src="cid:logo.1@example.com"></p>'
    report = File("report.pdf", "application/pdf", b"%PDF-1")
    raw = write(draft(html=html, files=(report, image)), bcc=False)
    kinds = [part.get_content_type() for part in email.message_from_bytes(raw).walk()]
    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "application/pdf",
    ]
    shown, attached = read(raw).attachments
    assert (shown.inline, shown.content_id) == (True, "logo.1@example.com")
    assert (attached.inline, attached.name) == (False, "report.pdf")


@pytest.mark.parametrize("kind", ["message/rfc822", "multipart/mixed", "x", "a/b\tc"])
def test_a_mail_goes_along_as_any_file(read, kind):
    inner = write(draft(), bcc=False)
    raw = write(draft(files=(File("mail.eml", kind, inner),)), bcc=False)
    [attachment] = read(raw).attachments
    assert attachment.mimetype == "application/octet-stream"
    assert extract_part(raw, attachment.part) == inner


BREAKS = ["a\r\nBcc: x@evil.example", "a\nb", "a\rb", "a\x00b", "a\u2028b", "a\x85b"]


@pytest.mark.parametrize("bad", BREAKS)
@pytest.mark.parametrize(
    "place",
    [
        lambda bad: {"subject": bad},
        lambda bad: {"sender": (bad, "anna@example.com")},
        lambda bad: {"sender": ("Anna", bad + "@example.com")},
        lambda bad: {"to": ((bad, "bob@example.org"),)},
        lambda bad: {"to": (("Bob", "bob@" + bad),)},
        lambda bad: {"cc": ((bad, "bob@example.org"),)},
        lambda bad: {"bcc": ((bad, "bob@example.org"),)},
        lambda bad: {"message_id": f"<{bad}@x>"},
        lambda bad: {"in_reply_to": f"<{bad}@x>"},
        lambda bad: {"references": ("<a@x>", bad)},
        lambda bad: {"headers": (("X-Tag", bad),)},
        lambda bad: {"headers": ((bad, "x"),)},
        lambda bad: {"files": (File(bad, "text/plain", b""),)},
        lambda bad: {"files": (File("a", "image/png", b"", f"{bad}@x"),)},
    ],
)
def test_nothing_gets_into_the_header_by_a_line_break(place, bad):
    with pytest.raises(BadHeader) as caught:
        write(draft(**place(bad)), bcc=True)
    assert caught.value.code in ("break", "control")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("", "address"),
        ("bob", "address"),
        ("@example.org", "address"),
        ("bob@", "address"),
        ("bob@exa mple.org", "address"),
        ("bob@@example.org", "address"),
        ("bob smith@example.org", "address"),
        ("<bob@example.org>", "address"),
        ("bob@example.org, eve@evil.example", "address"),
        ("bob@-example.org", "address"),
        ("bob@example..org", "address"),
        ("b" * 65 + "@example.org", "address"),
        ("bob@" + "a" * 64 + ".org", "address"),
        ("jürgen@example.org", "letters"),
    ],
)
def test_what_is_no_address_is_refused_in_words(address, code):
    with pytest.raises(BadHeader) as caught:
        write(draft(to=(("", address),)), bcc=False)
    assert caught.value.code == code and caught.value.value == address


def test_a_domain_goes_out_in_ascii():
    assert check_address("a@straße.example") == "a@xn--strae-oqa.example"
    assert check_address("info@Müller.example") == "info@xn--mller-kva.example"
    assert check_address(' "a b"@x.org ') == '"a b"@x.org'
    raw = write(draft(to=(("M", "info@müller.example"),)), bcc=False)
    assert b"To: M <info@xn--mller-kva.example>\r\n" in raw


@pytest.mark.parametrize("name", ["From", "bcc", "Content-Type", "X Y", "Ä", "", "A:"])
def test_a_field_of_its_own_cannot_be_said_twice(name):
    with pytest.raises(BadHeader) as caught:
        write(draft(headers=((name, "x"),)), bcc=False)
    assert caught.value.code == "field"


def test_a_mail_to_nobody_is_refused():
    with pytest.raises(BadHeader, match="no recipient"):
        write(draft(to=()), bcc=True)


def test_of_foreign_ids_those_are_named_that_may_be(read):
    junk = ("<a@x.org>", "no brackets", "<ü@x.org>", "<" + "x" * 2_000 + "@x>", "<b@x>")
    assert read(write(draft(references=junk), bcc=False)).references == (
        "<a@x.org>",
        "<b@x>",
    )
    many = tuple(f"<{number}@x>" for number in range(500))
    read_again = read(write(draft(references=many), bcc=False)).references
    assert read_again[0] == "<0@x>" and read_again[1:] == many[-99:]


def test_the_boundaries_cannot_be_guessed():
    one, other = (write(draft(), bcc=False) for _time in range(2))
    boundaries = [re.search(rb'boundary="([^"]+)"', raw)[1] for raw in (one, other)]
    assert boundaries[0] != boundaries[1]


def test_a_large_mail_takes_its_own_memory_and_little_more():
    mail = draft(files=(File("a.bin", "", os.urandom(24 * MB)),))
    tracemalloc.start()
    try:
        raw = write(mail, bcc=False)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(raw) > 32 * MB
    assert peak < 1.4 * len(raw)
