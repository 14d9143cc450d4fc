"""Single mails: fetched again, in parts, whole; and those too large to hold."""

import functools
import hashlib
import io
from email.message import EmailMessage

import pytest
from graph_mailbox import LONG_AGO, START, Ledger, mail, numbers

from easycrm_mail.messages import LargeMail, parse, parse_headers
from easycrm_mail.providers import Gone, Retry, outlook_page

PDF = b"%PDF-1.4 " + bytes(range(256)) * 40
PICTURE = b"\x89PNG" + bytes(range(256)) * 10


@functools.cache  # (its boundaries are random)
def letter(subject: str = "an offer") -> bytes:
    """A mail with a picture within its text and two files."""
    message = EmailMessage()
    message["From"] = "Anna <anna@example.com>"
    message["To"] = "mira@chairs.example"
    message["Subject"] = subject
    message["Message-ID"] = f"<{hashlib.sha1(subject.encode()).hexdigest()}@x>"
    message["Date"] = "Tue, 4 Mar 2025 10:00:00 +0000"
    message.set_content("Hello")
    message.add_alternative('<p>Hello <img src="cid:logo"></p>', subtype="html")
    message.get_payload()[1].add_related(
        PICTURE, "image", "png", cid="<logo>", filename="logo.png", disposition="inline"
    )
    message.add_attachment(PDF, "application", "pdf", filename="offer.pdf")
    message.add_attachment("a;b\n", subtype="csv", filename="prices.csv")
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


@pytest.fixture
def small_limit(monkeypatch):
    """Mails over 10 kB are too large."""
    monkeypatch.setattr(outlook_page, "MAX_MAIL_BYTES", 10_000)


def test_a_mail_is_fetched_again_by_its_ref(graph):
    graph.deliver(1)
    provider = graph.provider()
    (message,) = provider.pull(graph.inbox, "", LONG_AGO).messages
    graph.mailbox.mark_read(message.ref)
    again = provider.fetch(graph.inbox, message.ref)
    assert again.is_read and again.raw == message.raw
    assert again.received_at == START.replace(minute=1)
    assert again.thread_ref == message.thread_ref


def test_parts_are_those_that_the_parser_numbered(graph):
    key = graph.mailbox.deliver(letter())
    attachments = parse(letter()).attachments
    assert [one.name for one in attachments] == ["logo.png", "offer.pdf", "prices.csv"]
    graph.calls()
    found = graph.provider().fetch_parts(graph.inbox, key, ["0", "1", "2"])
    assert found == {"0": PICTURE, "1": PDF, "2": b"a;b\r\n"}
    assert {part: hashlib.sha256(found[part]).hexdigest() for part in found} == {
        one.part: one.sha256 for one in attachments
    }
    # All of them in one call
    assert len(graph.calls()) == 1


def test_a_part_that_is_not_there_is_left_out(graph):
    key = graph.mailbox.deliver(letter())
    assert graph.provider().fetch_parts(graph.inbox, key, ["9", "1"]) == {"1": PDF}


def test_a_mail_is_written_to_a_file(graph):
    key = graph.mailbox.deliver(letter())
    file = io.BytesIO(b"what was there before, " * 1000)
    graph.provider().download(graph.inbox, key, file)
    assert file.getvalue() == letter()


def test_a_mail_that_moved_is_still_served_by_its_ref(graph):
    key = graph.mailbox.deliver(letter())
    graph.mailbox.move(key, "archive")
    file = io.BytesIO()
    graph.provider().download(graph.inbox, key, file)
    assert file.getvalue() == letter()
    # But it does not stand in the folder.
    with pytest.raises(Gone):
        graph.provider().fetch(graph.inbox, key)


@pytest.mark.parametrize("ref", ["AAkALgAAnone", "no such thing", "../x", "a?b#c"])
def test_a_mail_that_is_not_there_is_gone(graph, ref):
    provider = graph.provider()
    for call in (
        lambda: provider.fetch(graph.inbox, ref),
        lambda: provider.fetch_parts(graph.inbox, ref, ["0"]),
        lambda: provider.download(graph.inbox, ref, io.BytesIO()),
    ):
        with pytest.raises(Gone) as caught:
            call()
        assert caught.value.code == "mail"


@pytest.mark.parametrize("is_told", [True, False])
def test_of_a_mail_that_is_too_large_the_header_comes(graph, small_limit, is_told):
    graph.server.tells_sizes = is_told
    graph.deliver(1)
    raw = letter()
    graph.mailbox.deliver(raw)
    graph.deliver(2)
    batch = graph.provider().pull(graph.inbox, "", LONG_AGO)
    (large,) = [one for one in batch.messages if one.headers_only]
    assert len(batch.messages) == 3 and batch.settled
    assert raw.startswith(large.raw[:-4]) and large.raw.endswith(b"\r\n\r\n")
    assert large.size == (len(raw) if is_told else 10_000)
    # Told in Graph's own order
    assert {(one.name, one.mimetype, one.inline) for one in large.attachments} == {
        ("logo.png", "image/png", True),
        ("offer.pdf", "application/pdf", False),
        ("prices.csv", "text/csv", False),
    }
    # What it is known by until it is opened is what the whole one says then.
    file = io.BytesIO(raw)
    assert parse_headers(large.raw).digest == LargeMail(file).parse_headers().digest


def test_a_large_mail_costs_no_more_than_its_beginning(graph, monkeypatch):
    monkeypatch.setattr(outlook_page, "MAX_MAIL_BYTES", 1_000_000)
    graph.deliver(1, size=30_000_000)
    (message,) = graph.provider().pull(graph.inbox, "", LONG_AGO).messages
    assert message.headers_only and message.size > 30_000_000
    assert len(message.raw) < 1_000


def test_a_large_one_holds_up_nobody(graph, small_limit):
    for number in range(6):
        graph.deliver(10 + number, size=0 if number % 2 else 20_000)
    ledger = Ledger()
    batches = ledger.sync(graph.provider(), graph.inbox)
    assert sorted(n for one in batches for n in numbers(one)) == [*range(10, 16)]
    assert ledger.settled


def test_an_empty_mail_is_set_aside(graph):
    graph.deliver(1)
    key = graph.mailbox.deliver(b"")
    ledger = Ledger()
    ledger.sync(graph.provider(), graph.inbox)
    assert [*ledger.set_aside] == [key] and [*ledger.mails.values()] == [mail(1)]
    with pytest.raises(Retry):
        graph.provider().fetch(graph.inbox, key)
