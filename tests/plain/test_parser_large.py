"""A mail that is read from disk must give what the whole in memory gives."""

import io
import random
import tracemalloc
from datetime import datetime, timezone

import pytest
from awkward import HEAD, MAILS, encoded, part, whole

from easycrm_mail.messages import LargeMail, UnreadableMessage, large, parser

RECEIVED = datetime(2026, 3, 2, 8, 0, tzinfo=timezone.utc)
TEXT = part(b"text/plain", b"Hello\r\n")


@pytest.fixture
def short_runs(monkeypatch):
    """Two lines of base64 are long: they are left on disk in the smallest mail."""
    monkeypatch.setattr(large, "MIN_RUN_BYTES", 8)


def assert_same(raw):
    from_disk = LargeMail(io.BytesIO(raw))
    message = parser.parse(raw, RECEIVED)
    assert from_disk.parse(RECEIVED) == message
    for one in message.attachments:
        found = from_disk.extract_part(one.part)
        assert found == parser.extract_part(raw, one.part)


@pytest.mark.parametrize("name", MAILS)
def test_every_mail_is_read_alike(name, short_runs):
    assert_same(MAILS[name])


def big(size, seed=1):
    return random.Random(seed).randbytes(size)


def test_runs_that_are_no_attachment_are_held(short_runs):
    armour = b"-----BEGIN PGP MESSAGE-----\r\n\r\n" + b"QUJD" * 16 + b"\r\n=aBcD\r\n"
    html = encoded(b"text/html", b"<p>" + b"x" * 500 + b"</p>")
    inner = whole(TEXT, encoded(b"image/png", big(300)), head=HEAD)
    forwarded = part(b"message/rfc822", inner, b"Content-Disposition: attachment")
    for raw in (
        whole(part(b"text/plain", armour)),
        whole(html, encoded(b"application/pdf", big(400))),
        whole(TEXT, forwarded),
        whole(TEXT, encoded(b"message/rfc822", inner)),
        # two in one part, and one that is cut off
        whole(
            TEXT, encoded(b"application/pdf", big(400)) + b"\r\nQUJDQUJD\r\nQUI=\r\n"
        ),
        whole(TEXT, encoded(b"application/pdf", big(400))[:-3]),
    ):
        assert_same(raw)


def test_the_same_mail_is_read_alike_each_time(short_runs):
    """A stand-in is parsed where it is a mail in base64: nothing may hang on it."""
    forwarded = encoded(b"message/rfc822", whole(TEXT, head=HEAD))
    quoted = b"Content-Transfer-Encoding: quoted-printable"
    attached = part(
        b"text/csv", b"a;b \r\n", b"Content-Disposition: attachment", quoted
    )
    raw = whole(TEXT, forwarded, attached)
    digests = {LargeMail(io.BytesIO(raw)).parse().digest for _time in range(1_000)}
    assert digests == {parser.parse(raw).digest}


def test_a_buffer_of_one_line_reads_alike(short_runs, monkeypatch):
    monkeypatch.setattr(large, "BUFFER_BYTES", 80)
    assert_same(whole(TEXT, encoded(b"application/pdf", big(5_000))))
    monkeypatch.setattr(large, "BUFFER_BYTES", 7)
    assert_same(whole(TEXT, encoded(b"application/pdf", big(500))))


def test_forty_megabytes_need_a_buffer():
    raw = whole(TEXT, encoded(b"application/pdf", big(40_000_000)))
    file = io.BytesIO(raw)
    tracemalloc.start()
    try:
        message = LargeMail(file).parse()
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    [attachment] = message.attachments
    assert attachment.size == 40_000_000
    assert message.digest == parser.parse(raw).digest
    assert peak < 10_000_000


def test_what_cannot_be_left_on_disk_is_refused(monkeypatch):
    monkeypatch.setattr(large, "MAX_HELD_BYTES", 100_000)
    raw = whole(part(b"text/plain", b"Hello there\r\n" * 10_000))
    with pytest.raises(UnreadableMessage, match="too large"):
        LargeMail(io.BytesIO(raw))
    broken = whole(TEXT, encoded(b"application/pdf", big(400_000))[:-3])
    with pytest.raises(UnreadableMessage, match="too large"):
        LargeMail(io.BytesIO(broken))


def test_the_header_alone_is_no_ones_identity():
    raw = whole(TEXT, encoded(b"application/pdf", big(400)))
    header = raw[: raw.index(b"\r\n\r\n") + 4]
    message = parser.parse_headers(header)
    assert message == parser.parse_headers(raw)
    assert message.subject == "Hello"
    assert [one.address for one in message.participants] == [
        "anna@example.com",
        "bob@example.org",
    ]
    assert (message.text, message.attachments) == ("", ())
    assert message.digest != parser.parse(raw).digest
