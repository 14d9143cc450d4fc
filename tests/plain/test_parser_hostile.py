"""Whatever the bytes: a message or plain words, soon, and fit for a database."""

import random
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from awkward import HEAD, MAILS, PDF, PLAIN, encoded, mail, part, whole

from easycrm_mail.messages import Message, UnreadableMessage, extract_part, parse
from easycrm_mail.messages.mime import read_slow
from easycrm_mail.messages.parser import parse_with

# Generous, as machines differ; what is quadratic takes minutes at these sizes.
SECONDS = 8

FUZZ_ROUNDS = 2_500


def nested(levels: int) -> bytes:
    """Multiparts within each other."""
    layer = b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n'
    return HEAD + b"".join(layer % (n, n) for n in range(levels)) + b"\r\nhello"


def html(document: bytes) -> bytes:
    """A mail of HTML only."""
    return HEAD + part(b"text/html", document)


BOMBS = {
    "50 MB of text": lambda: mail(b"hello world, this is a line\r\n" * 1_800_000),
    "50 MB in one line": lambda: mail(b"x" * 50_000_000),
    "200 levels": lambda: nested(200),
    "1,000 levels": lambda: nested(1_000),
    "10,000 levels of messages": lambda: (
        HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 10_000
    ),
    "header line of 5 MB": lambda: mail(b"x", b"X-A: " + b"a" * 5_000_000),
    "a million header lines": lambda: b"a:\r\n" * 1_000_000 + mail(),
    "100,000 recipients headers": lambda: b"To: a@b\r\n" * 100_000 + b"\r\n",
    "100,000 parts": lambda: whole(*[PLAIN] * 100_000),
    "100,000 empty parts": lambda: whole(*[b""] * 100_000),
    "20,000 attachments, one broken": lambda: whole(
        part(b"text/plain", b"aGVsbG8", b"Content-Transfer-Encoding: base64"),
        *[PDF] * 20_000,
    ),
    "encoded words": lambda: b"Subject: " + b"=?a?q?x?= " * 400_000 + b"\r\n\r\n",
    "open encoded words": lambda: b"To: " + b"=?a?q?" * 160_000 + b"\r\n\r\n",
    "encoded words in a part": lambda: whole(
        part(b"text/plain", b"x", b"X-A: " + b"=?a?q?x?= " * 100_000)
    ),
    "parameters": lambda: whole(part(b"text/plain" + b'; a="\\"' * 100_000, b"x")),
    "references open": lambda: b"References: " + b"<" * 5_000_000 + b"\r\n\r\n",
    "references many": lambda: (
        b"References: " + b"".join(b"<%d@b> " % n for n in range(300_000)) + b"\r\n\r\n"
    ),
    "date": lambda: b"Date: " + b"(" * 500_000 + b"\r\n\r\n",
    "html of <": lambda: html(b"<" * 5_000_000),
    "html of <div>": lambda: html(b"<div>" * 1_000_000),
    "html of <blockquote>": lambda: html(b"<blockquote>x" * 400_000),
    "html of <!--": lambda: html(b"<!--" * 1_250_000),
    "html of <style>": lambda: html(b"<style>" * 700_000),
    "html of quotes": lambda: html(b"""<a '"> <a '">""" * 400_000),
    "html of open quotes": lambda: html(b'<a "' * 1_250_000),
    "html of quoted >": lambda: html(b'<a ">" ' * 700_000),
    "html of entities": lambda: html(b"&#" * 2_500_000),
    "attributions": lambda: mail(b"on " + b"schrie wrot " * 30 + b":\n") * 3_000,
    "1,000 images of one id": lambda: whole(
        part(b"text/html", b"<img src=cid:abc>" * 290_000),
        *[encoded(b"image/png", b"x", b"Content-ID: <abc>")] * 999,
    ),
    "quoted-printable": lambda: (
        HEAD
        + part(
            b"text/plain",
            b"=" * 5_000_000,
            b"Content-Transfer-Encoding: quoted-printable",
        )
    ),
    "utf-7": lambda: mail(b"+" * 5_000_000, b"Content-Type: text/plain; charset=utf-7"),
    "a letter with 5,000 accents": lambda: mail(("a" + "\u0301" * 5_000).encode()),
}
PIECES = [
    "<",
    ">",
    '"',
    '\\"',
    "(",
    ")",
    ",",
    ";",
    ":",
    "@",
    '<"',
    "a@b<",
    "=?a?q?",
    "[",
    " ",
]


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_seconds_at_most(name):
    raw = BOMBS[name]()
    started = time.monotonic()
    try:
        message = parse(raw)
    except UnreadableMessage as error:
        assert str(error).endswith(".")
    else:
        check(message)
        assert len(message.attachments) <= 1_000
        assert len(message.participants) <= 20_000
    assert time.monotonic() - started < SECONDS


@pytest.mark.parametrize("piece", PIECES)
def test_reading_addresses_is_not_quadratic(piece):
    raw = b"To: " + (piece * (500_000 // len(piece))).encode() + b"\r\n\r\nx"
    started = time.monotonic()
    check(parse(raw))
    assert time.monotonic() - started < SECONDS


def test_ten_thousand_recipients_are_read_in_seconds_at_most():
    people = b",\r\n ".join(
        b'"Person, %d" <p%d@example.com>' % (n, n) for n in range(10_000)
    )
    raw = mail(head=b"From: a@b.example\r\nTo: " + people + b"\r\n")
    started = time.monotonic()
    message = parse(raw)
    assert time.monotonic() - started < SECONDS
    assert len(message.participants) == 10_001
    assert message.participants[-1].name == "Person, 9999"


def check(message: Message) -> None:
    """What a database and a reader rely on, whatever the mail."""
    assert re.fullmatch(r"[0-9a-f]{64}", message.digest)
    assert re.fullmatch(r"<\S{1,510}>", message.message_id)
    assert all(re.fullmatch(r"<\S{1,510}>", one) for one in message.references)
    assert message.date.tzinfo is timezone.utc
    assert 1990 <= message.date.year
    assert len(message.snippet) <= 200
    assert "\n" not in message.snippet + message.subject
    assert len(message.subject) <= 2_000
    texts = [message.subject, message.text, message.html, message.snippet]
    texts += [message.message_id, message.in_reply_to, *message.references]
    texts += [message.auto_submitted, message.list_id]
    for one in (*message.participants, *message.reply_to):
        assert one.address and len(one.address) <= 320
        texts += [one.name, one.address]
    for one in message.attachments:
        assert one.name and len(one.name) <= 200 and "/" not in one.name
        assert one.size >= 0
        texts += [one.name, one.mimetype, one.content_id, one.part]
    for text in texts:
        assert "\0" not in text
        text.encode("utf-8")


@pytest.mark.parametrize("name", MAILS)
def test_awkward_mails_give_clean_messages(name):
    check(parse(MAILS[name]))


def test_surrogates_by_any_way_do_not_arrive():
    raw = whole(
        part(b"text/plain; charset=utf-7", b"+2AA- +3AA-"),
        part(b"text/html", b"&#xD800; &#55357; \xed\xa0\x80"),
        encoded(b"application/pdf; name*=utf-7''+2AA-.pdf", b"x"),
        head=b"From: =?utf-7?Q?+2AA-?= <a@b>\r\n"
        b"Subject: =?utf-16?B?2AA=?= \xed\xa0\x80\r\n",
    )
    check(parse(raw))
    check(parse_with([read_slow], raw))


def mutate(raw: bytes, rnd: random.Random) -> bytes:
    """A damaged copy."""
    data = bytearray(raw)
    for _ in range(rnd.randint(1, 6)):
        at = rnd.randrange(len(data) + 1)
        kind = rnd.randrange(5)
        if kind == 0:
            data[at:at] = rnd.randbytes(rnd.randint(1, 8))
        elif kind == 1:
            del data[at : at + rnd.randint(1, 40)]
        elif kind == 2:
            data[at:at] = rnd.choice(
                [b"\0", b"\r", b"\n", b"\r\n\r\n", b"=?", b"?=", b"--=_b0", b'"', b"<"]
            )
        elif kind == 3:
            start = rnd.randrange(len(data) + 1)
            data[at:at] = data[start : start + rnd.randint(1, 200)]
        elif data:
            data[at % len(data)] = rnd.randrange(256)
    return bytes(data)


def test_damaged_mails_give_a_message_or_plain_words():
    rnd = random.Random(20250304)
    mails = list(MAILS.values())
    for _ in range(FUZZ_ROUNDS):
        raw = mutate(rnd.choice(mails), rnd)
        try:
            message = parse(raw)
        except UnreadableMessage:
            continue
        check(message)
        for one in message.attachments[:5]:
            assert len(extract_part(raw, one.part)) == one.size
        try:
            check(parse_with([read_slow], raw))
        except UnreadableMessage as error:
            raise AssertionError(raw) from error


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@b.c\r\n"
        + b"".join(
            b'Content-Type: multipart/mixed; boundary="z%dq"\r\n\r\n--z%dq\r\n' % (i, i)
            for i in range(14_000)
        )
        + b"\r\nx",
        b"From: a@b.c\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 100_000,
    ],
    ids=["multiparts", "mails in mails"],
)
def test_nesting_that_would_end_the_process_is_left_to_the_slow_reader(raw):
    """In a thread, whose stack is the smaller one; a crash would end the tests."""
    with ThreadPoolExecutor(1) as pool:
        try:
            message = pool.submit(parse, raw).result(timeout=60)
        except UnreadableMessage as error:
            assert "nested" in str(error)
        else:
            assert message.digest


@pytest.mark.parametrize("line", [b"\r\n", b"\n", b"\r"])
def test_many_lines_within_many_levels_are_not_read(line):
    """Each line is compared with the boundary of each level: that takes for ever."""
    with pytest.raises(UnreadableMessage, match="nested"):
        parse(nested(600) + line * 200_000)


def test_many_levels_are_read_and_many_lines():
    assert parse(nested(600)).digest
    assert parse(nested(5) + b"\r\n" * 3_000_000).text.strip() == "hello"


@pytest.mark.parametrize("hours", [-12, 0, 12])
@pytest.mark.parametrize("year", [datetime.min, datetime(1970, 1, 1), datetime.max])
def test_a_mailbox_that_got_it_at_no_time_of_ours_does_not_count(year, hours):
    """Some servers say 9999 where they do not know; and whoever adds mail may."""
    received_at = year.replace(tzinfo=timezone(timedelta(hours=hours)))
    dated = parse(mail(b"x"), received_at).date
    assert dated == parse(mail(b"x")).date
    undated = parse(b"From: a@b.example\r\n\r\nx", received_at).date
    assert abs(undated - datetime.now(timezone.utc)) < timedelta(days=1)
