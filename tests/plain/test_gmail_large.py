"""Gmail's large mails, single attachments, and the quota."""

import io
import random
import tracemalloc

import pytest
from awkward import MAILS, encoded, part, whole
from conftest import LONG_AGO
from gmail_mailbox import Mirror, connect, fill

from easycrm_mail.messages import extract_part, parse, parse_headers
from easycrm_mail.providers import Gone, Retry, gmail_http, gmail_page
from easycrm_mail.providers.gmail_structure import attachments_of, describe_attachments

NAMED = b'Content-Disposition: attachment; filename="%s"'


@pytest.fixture
def large_from_10_kb(monkeypatch):
    """Mails of more than 10 kB are too large."""
    monkeypatch.setattr(gmail_page, "MAX_MAIL_BYTES", 10_000)
    monkeypatch.setattr(gmail_page, "_JSON_BYTES", 1_000)


def large_mail(size=20_000, name=b"plan.pdf"):
    content = random.Random(size).randbytes(size)
    text = part(b"text/plain", b"See the plan.\r\n")
    return whole(text, encoded(b"application/pdf", content, NAMED % name)), content


def gets(gmail) -> list[str]:
    """The forms in which mails were asked for, one by one and in batches."""
    lines = [line for line in [*gmail.calls, *gmail.parts] if "/messages/" in line]
    return sorted(line.partition("format=")[2].partition("&")[0] for line in lines)


@pytest.mark.parametrize("size", [18_800_000, 30_000_000])
def test_a_large_mail_is_handed_over_by_its_header(gmail, provider, size):
    raw, content = large_mail(size)
    fill(gmail, 1)
    ref = gmail.mailbox.deliver(raw)
    batch = provider.pull("all", "", LONG_AGO)
    large, small = batch.messages
    assert (large.headers_only, small.headers_only) == (True, False)
    assert large.size == len(raw) and len(large.raw) < 1_000
    assert parse_headers(large.raw).subject == parse_headers(raw[:1_000]).subject
    [attachment] = large.attachments
    assert (attachment.name, attachment.mimetype) == ("plan.pdf", "application/pdf")
    assert attachment.size == len(content)
    assert gets(gmail) == ["full", "raw"]
    assert provider.fetch("all", ref) == large


def test_a_mail_of_some_size_is_fetched_alone_and_whole(gmail, provider):
    raw, _content = large_mail(900_000)
    fill(gmail, 3)
    gmail.mailbox.deliver(raw)
    batch = provider.pull("all", "", LONG_AGO)
    assert batch.messages[0].raw == raw and not batch.messages[0].headers_only
    assert gets(gmail) == ["full", *["raw"] * 4] and len(gmail.parts) == 3


def test_arrivals_that_are_large_are_fetched_alone(gmail, provider):
    mirror = Mirror().pull_all(provider)
    fill(gmail, 3)
    gmail.mailbox.deliver(large_mail(900_000)[0])
    mirror.pull_all(provider).check(gmail)
    assert len(gmail.parts) == 3


def test_one_arrival_that_is_too_large_comes_by_its_header(
    gmail, provider, large_from_10_kb
):
    mirror = Mirror().pull_all(provider)
    ref = gmail.mailbox.deliver(large_mail()[0])
    batch = mirror.pull(provider)
    assert [(one.ref, one.headers_only) for one in batch.messages] == [(ref, True)]


def test_a_batch_that_is_larger_than_expected_is_asked_for_in_halves(
    gmail, provider, monkeypatch
):
    """The search for large mails may not know the newest yet."""
    monkeypatch.setattr(gmail_http._Response, "limit", 40_000)
    monkeypatch.setattr("easycrm_mail.providers.gmail_api.MAX_ANSWER_BYTES", 40_000)
    provider = connect(gmail)
    provider._api.http.limit = 40_000
    for number in range(12):
        gmail.mailbox.deliver(large_mail(6_000 + number)[0])
    Mirror().pull_all(provider).check(gmail)
    assert sum("batch" in line for line in gmail.calls) > 3


def test_a_page_of_large_mails_is_cut_by_its_bytes(gmail, provider, monkeypatch):
    monkeypatch.setattr(gmail_page, "PAGE_BYTES", 2_000_000)
    for number in range(6):
        gmail.mailbox.deliver(large_mail(700_000 + number)[0])
    mirror = Mirror()
    assert len(mirror.pull(provider).messages) == 3
    mirror.pull_all(provider).check(gmail)


def test_a_page_of_mails_takes_no_gigabytes(gmail, provider):
    for number in range(50):
        gmail.mailbox.deliver(large_mail(340_000 + number)[0])
    tracemalloc.start()
    try:
        batch = provider.pull("all", "", LONG_AGO)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(batch.messages) == 50
    # (the server's own copies are counted too)
    assert peak < 400_000_000


def test_the_mail_is_downloaded_as_it_is_without_being_held(gmail, provider):
    raw, _content = large_mail(6_000_000)
    ref = gmail.mailbox.deliver(raw)
    file = io.BytesIO(b"left from the attempt before" * 1_000_000)
    provider.download("all", ref, file)
    assert file.getvalue() == raw
    for size in range(1, 5):
        small = b"Subject: x\r\n\r\n" + b"y" * size
        ref, file = gmail.mailbox.deliver(small), io.BytesIO()
        provider.download("all", ref, file)
        assert file.getvalue() == small


@pytest.mark.parametrize("fault", ["half", "broken", "reset"])
def test_a_download_that_breaks_off_says_so(gmail, provider, fault):
    ref = gmail.mailbox.deliver(large_mail(3_000_000)[0])
    gmail.break_("messages/", fault, times=2)
    with pytest.raises(Retry):
        provider.download("all", ref, io.BytesIO())


def test_attachments_come_by_their_number(gmail, provider):
    """All the awkward mails: a part is that of the parser, or is seen not to be."""
    names = [name for name in MAILS if parse(MAILS[name]).attachments]
    right = 0
    for name in names:
        ref = gmail.mailbox.deliver(MAILS[name])
        wanted = [one.part for one in parse(MAILS[name]).attachments]
        found = provider.fetch_parts("all", ref, wanted)
        assert set(found) <= set(wanted)
        right += all(found.get(one) == extract_part(MAILS[name], one) for one in wanted)
    assert right >= len(names) - 8
    assert provider.fetch_parts("all", ref, ["70"]) == {}


def test_only_what_is_asked_for_is_fetched(gmail, provider):
    content = [random.Random(seed).randbytes(400_000) for seed in range(3)]
    parts = [encoded(b"image/png", one, NAMED % b"a.png") for one in content]
    ref = gmail.mailbox.deliver(whole(part(b"text/plain", b"Look"), *parts))
    assert provider.fetch_parts("all", ref, ["1"]) == {"1": content[1]}
    assert sum("/attachments/" in line for line in gmail.calls) == 1


def test_what_a_server_makes_up_about_parts_breaks_nothing():
    deep: dict = {"mimeType": "text/plain"}
    for _level in range(500):
        deep = {"mimeType": "multipart/mixed", "parts": [deep]}
    for payload in (deep, {}, {"parts": []}, {"body": None, "headers": None}):
        assert describe_attachments(payload) == ()
    assert attachments_of({"mimeType": "message/rfc822", "parts": [deep]})


def test_a_mail_that_is_gone_is_gone_in_every_way(gmail, provider):
    ref = gmail.mailbox.deliver(large_mail()[0])
    gmail.mailbox.delete(ref)
    for call in (
        lambda: provider.fetch("all", ref),
        lambda: provider.fetch_parts("all", ref, ["0"]),
        lambda: provider.download("all", ref, io.BytesIO()),
    ):
        with pytest.raises(Gone):
            call()
