"""Mails that are too large to be handed over whole, and single attachments."""

import io
import random
import re
import tracemalloc

import pytest
from awkward import MAILS, encoded, part, whole
from conftest import LONG_AGO
from servers.fault_proxy import FaultProxy

from easycrm_mail.messages import extract_part, parse, parse_headers
from easycrm_mail.providers import Gone, ImapProvider, Retry, imap_page

NAMED = b'Content-Disposition: attachment; filename="%s"'


@pytest.fixture
def provider(any_mailbox):
    """Signed in to the mailbox."""
    provider = connect(any_mailbox)
    yield provider
    provider.close()


@pytest.fixture
def large_from_10_kb(monkeypatch):
    """Mails of more than 10 kB are too large."""
    monkeypatch.setattr(imap_page, "MAX_MAIL_BYTES", 10_000)
    monkeypatch.setattr("easycrm_mail.providers.imap.MAX_MAIL_BYTES", 10_000)


def connect(server, mailbox=None) -> ImapProvider:
    """A provider, past a proxy if one is given first."""
    mailbox = mailbox or server
    return ImapProvider(
        server.host, server.port, "none", mailbox.login, mailbox.password, timeout=5
    )


def large_mail(size=20_000, name=b"plan.pdf"):
    content = random.Random(size).randbytes(size)
    text = part(b"text/plain", b"See the plan.\r\n")
    return whole(text, encoded(b"application/pdf", content, NAMED % name)), content


def put(mailbox, raw):
    mailbox.server.deliver(mailbox.login, raw)


def test_a_large_mail_is_handed_over_by_its_header(any_mailbox, provider):
    raw, content = large_mail(18_800_000)
    any_mailbox.deliver(1)
    put(any_mailbox, raw)
    any_mailbox.deliver(3)
    before = any_mailbox.snapshot()
    batch = provider.pull("INBOX", "", LONG_AGO)
    assert [one.headers_only for one in batch.messages] == [False, True, False]
    assert batch.settled and not batch.set_aside
    large = batch.messages[1]
    assert large.size == len(raw) > 25_000_000
    assert len(large.raw) < 1_000
    assert parse_headers(large.raw).subject == "Hello"
    [attachment] = large.attachments
    assert (attachment.name, attachment.mimetype) == ("plan.pdf", "application/pdf")
    assert attachment.size == pytest.approx(len(content), rel=0.001)
    # Asked for alone it comes the same way; its removal is noticed.
    assert provider.fetch("INBOX", large.ref) == large
    assert any_mailbox.snapshot() == before
    any_mailbox.remove(any_mailbox.keys()[1])
    assert large.ref in provider.pull("INBOX", batch.checkpoint, LONG_AGO).removals


def test_it_is_handed_over_though_its_structure_is_refused(
    any_mailbox, large_from_10_kb
):
    put(any_mailbox, large_mail()[0])
    with FaultProxy(any_mailbox.host, any_mailbox.port) as proxy:
        proxy.replace = {b"(UID 1 BODYSTRUCTURE": b"(UID 1 XODYSTRUCTURE"}
        provider = connect(proxy, any_mailbox)
        [large] = provider.pull("INBOX", "", LONG_AGO).messages
        provider.close()
    assert large.headers_only and large.attachments == ()


def test_it_is_handed_over_though_its_structure_has_no_end(
    any_mailbox, large_from_10_kb
):
    any_mailbox.deliver(1)
    put(any_mailbox, large_mail()[0])
    nested = b"(" * 20_000 + b'"a"' + b")" * 20_000
    with FaultProxy(any_mailbox.host, any_mailbox.port) as proxy:
        proxy.rewrite = lambda data: re.sub(
            rb"BODYSTRUCTURE [^\r]*", b"BODYSTRUCTURE " + nested + b")", data
        )
        provider = connect(proxy, any_mailbox)
        batch = provider.pull("INBOX", "", LONG_AGO)
        large = batch.messages[0]
        assert provider.fetch_parts("INBOX", large.ref, ["0"]) == {}
        assert provider.fetch("INBOX", large.ref) == large
        provider.close()
    assert [one.headers_only for one in batch.messages] == [True, False]
    assert large.attachments == () and not batch.set_aside


def test_more_than_a_mail_can_be_is_not_taken(any_mailbox, provider, monkeypatch):
    """One mail is given up, and neither disk nor memory fills."""
    monkeypatch.setattr("easycrm_mail.providers.imap.MAX_PIECES_BYTES", 2_500_000)
    content = [random.Random(seed).randbytes(1_200_000) for seed in range(2)]
    parts = [encoded(b"image/png", one, NAMED % b"a.png") for one in content]
    put(any_mailbox, whole(part(b"text/plain", b"Look"), *parts))
    [remote] = provider.pull("INBOX", "", LONG_AGO).messages
    file = io.BytesIO()
    with pytest.raises(Gone, match="more than any email"):
        provider.download("INBOX", remote.ref, file)
    assert len(file.getvalue()) <= 2_500_000
    with pytest.raises(Gone, match="more than any email"):
        provider.fetch_parts("INBOX", remote.ref, ["0", "1"])
    for number in (0, 1):
        found = provider.fetch_parts("INBOX", remote.ref, [str(number)])
        assert found == {str(number): content[number]}


def test_a_large_mail_that_breaks_the_line_is_set_aside(any_mailbox, large_from_10_kb):
    any_mailbox.deliver(1)
    put(any_mailbox, large_mail()[0])
    with FaultProxy(any_mailbox.host, any_mailbox.port) as proxy:
        proxy.reset_at = b"BODY[HEADER]"
        provider = connect(proxy, any_mailbox)
        batch = provider.pull("INBOX", "", LONG_AGO)
        provider.close()
    assert len(batch.messages) == len(batch.set_aside) == 1
    assert "breaks" in batch.set_aside[0].error


def test_the_mail_is_downloaded_as_it_is(any_mailbox, provider, large_from_10_kb):
    raw, _content = large_mail(3_000_000)
    put(any_mailbox, raw)
    [large] = provider.pull("INBOX", "", LONG_AGO).messages
    before = any_mailbox.snapshot()
    file = io.BytesIO(b"left from the attempt before" * 1_000_000)
    provider.download("INBOX", large.ref, file)
    assert file.getvalue() == raw
    assert any_mailbox.snapshot() == before


def test_a_download_that_breaks_off_says_so(any_mailbox, large_from_10_kb):
    raw, _content = large_mail(3_000_000)
    put(any_mailbox, raw)
    with FaultProxy(any_mailbox.host, any_mailbox.port) as proxy:
        provider = connect(proxy, any_mailbox)
        [large] = provider.pull("INBOX", "", LONG_AGO).messages
        provider.close()
        # Not once: a connection that broke between two calls is replaced
        proxy.reset_after = 2_500_000
        with pytest.raises(Retry):
            provider.download("INBOX", large.ref, io.BytesIO())
        with pytest.raises(Retry):
            provider.fetch_parts("INBOX", large.ref, ["0"])
        provider.close()


def test_attachments_come_by_their_number(any_mailbox, provider):
    """All the awkward mails: a part is that of the parser, or is seen not to be."""
    names = [name for name in MAILS if parse(MAILS[name]).attachments]
    for name in names:
        put(any_mailbox, MAILS[name])
    messages = provider.pull("INBOX", "", LONG_AGO).messages
    before = any_mailbox.snapshot()
    right = 0
    for remote in messages:
        wanted = parse(remote.raw).attachments
        parts = [one.part for one in wanted]
        found = provider.fetch_parts("INBOX", remote.ref, parts)
        assert set(found) <= set(parts)
        right += all(
            found.get(part) == extract_part(remote.raw, part) for part in parts
        )
    assert len(messages) == len(names) > 20
    # The rest is broken MIME, on which no two programs agree.
    assert right >= len(names) - 8
    assert any_mailbox.snapshot() == before


def test_only_what_is_asked_for_is_fetched(any_mailbox):
    content = [random.Random(seed).randbytes(400_000) for seed in range(3)]
    parts = [encoded(b"image/png", one, NAMED % b"a.png") for one in content]
    put(any_mailbox, whole(part(b"text/plain", b"Look"), *parts))
    with FaultProxy(any_mailbox.host, any_mailbox.port) as proxy:
        provider = connect(proxy, any_mailbox)
        [remote] = provider.pull("INBOX", "", LONG_AGO).messages
        proxy.sent = b""
        found = provider.fetch_parts("INBOX", remote.ref, ["1"])
        provider.close()
        asked = proxy.sent
    assert found == {"1": content[1]}
    assert b"BODY.PEEK[3]" in asked
    assert b"BODY.PEEK[2]" not in asked and b"BODY.PEEK[]" not in asked


def test_a_part_costs_its_own_size(any_mailbox, provider):
    raw, content = large_mail(15_000_000)
    put(any_mailbox, raw)
    ref = provider.pull("INBOX", "", LONG_AGO).messages[0].ref
    tracemalloc.start()
    try:
        found = provider.fetch_parts("INBOX", ref, ["0"])
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == {"0": content}
    assert peak < 1.5 * len(content)


def test_what_is_not_there_is_gone(any_mailbox, provider):
    put(any_mailbox, large_mail()[0])
    ref = provider.pull("INBOX", "", LONG_AGO).messages[0].ref
    assert provider.fetch_parts("INBOX", ref, ["7"]) == {}
    any_mailbox.remove(any_mailbox.keys()[0])
    for call in (
        lambda ref: provider.fetch("INBOX", ref),
        lambda ref: provider.fetch_parts("INBOX", ref, ["0"]),
        lambda ref: provider.download("INBOX", ref, io.BytesIO()),
    ):
        for missing in (ref, "1:1", "x"):
            with pytest.raises(Gone):
                call(missing)
