"""A look at the headers of a mailbox: every mail once, page by page, nothing kept."""

import time
from datetime import datetime, timedelta, timezone

import pytest
from conftest import LONG_AGO, PASSWORD, mail
from gmail_mailbox import connect, fill, running_gmail
from servers.gmail_answers import refusal
from servers.web import Answer

from easycrm_mail.providers import (
    Budget,
    Gone,
    ImapProvider,
    gmail_skim,
    imap_skim,
    outlook_skim,
)
from easycrm_mail.providers.skim_glance import glance

NOW = datetime.now(timezone.utc) + timedelta(hours=1)


def keys(skims) -> list[str]:
    """The Message-IDs that pages hold, in order."""
    return [one.key for page in skims for one in page.glances]


def expected(*numbers: int) -> list[str]:
    return [f"<{number}@example.com>" for number in numbers]


def skim_all(provider, stream, since=LONG_AGO, until=NOW, size=10) -> list:
    """Pages until there are no more, each pause obeyed."""
    pages = [provider.skim(stream, since, until, "", size)]
    while pages[-1].position:
        time.sleep(pages[-1].pause)
        pages.append(provider.skim(stream, since, until, pages[-1].position, size))
        assert len(pages) < 100
    return pages


@pytest.fixture
def imap(any_mailbox):
    provider = ImapProvider(
        any_mailbox.host, any_mailbox.port, "none", any_mailbox.login, PASSWORD, 5
    )
    yield provider
    provider.close()


class TestGlance:
    def test_participants_come_as_they_stand_there(self):
        head = (
            b"From: =?utf-8?q?M=C3=BCller?= <a@x.example>\r\n"
            b'To: "B, C" <b@x.example>,\r\n c@x.example\r\nCc: A@x.example\r\n\r\n'
        )
        one = glance("here", head, None)
        assert one.addresses == (
            "a@x.example",
            "b@x.example",
            "c@x.example",
            "A@x.example",
        )
        assert one.key == "here" and not one.is_automatic

    @pytest.mark.parametrize(
        ("field", "is_automatic"),
        [
            (b"List-Unsubscribe: <mailto:x@y.example>", True),
            (b"List-Id: <chairs.example>", True),
            (b"Precedence: bulk", True),
            (b"Auto-Submitted: auto-replied", True),
            (b"Auto-Submitted: no", False),
            (b"Precedence: first-class", False),
            (b"X-Other: bulk", False),
        ],
    )
    def test_what_a_machine_sent_is_told(self, field, is_automatic):
        assert glance("", field + b"\r\n\r\n", None).is_automatic is is_automatic

    def test_a_header_that_is_none_does_no_harm(self):
        assert glance("here", b"\xff\x00 \r\n\r\n", None).addresses == ()


class TestImap:
    def test_every_mail_is_looked_at_once(self, any_mailbox, imap):
        any_mailbox.deliver(*range(25))
        before = any_mailbox.snapshot()
        pages = skim_all(imap, "INBOX")
        assert keys(pages) == expected(*range(24, -1, -1))
        assert [(one.done, one.total) for one in pages] == [
            (10, 25),
            (20, 25),
            (25, 25),
        ]
        assert pages[0].glances[0].addresses == ("anna@example.com", "bob@example.org")
        assert any_mailbox.snapshot() == before

    def test_only_what_came_between_the_dates(self, any_mailbox, imap):
        for days in (1, 10, 20, 30):
            any_mailbox.deliver(days, days_ago=days)
        ago = [NOW - timedelta(days=days, hours=1) for days in (0, 15, 25)]
        assert keys(skim_all(imap, "INBOX", ago[1])) == expected(10, 1)
        assert keys(skim_all(imap, "INBOX", ago[2], ago[1])) == expected(20)

    def test_the_count_alone_reads_no_mail(self, any_mailbox, imap):
        any_mailbox.deliver(*range(5))
        page = imap.skim("INBOX", LONG_AGO, NOW, "", 0)
        assert (page.glances, page.total) == ((), 5)

    def test_what_comes_meanwhile_shifts_nothing(self, any_mailbox, imap):
        any_mailbox.deliver(*range(15))
        first = imap.skim("INBOX", LONG_AGO, NOW, "", 10)
        any_mailbox.deliver(99)
        second = imap.skim("INBOX", LONG_AGO, NOW, first.position, 10)
        assert keys([first, second]) == expected(*range(14, -1, -1))

    def test_a_page_ends_after_some_seconds(self, any_mailbox, imap, monkeypatch):
        monkeypatch.setattr(imap_skim, "SKIM_SECONDS", 0)
        monkeypatch.setattr(imap_skim, "CHUNK_MAILS", 4)
        any_mailbox.deliver(*range(10))
        pages = skim_all(imap, "INBOX")
        assert [one.done for one in pages] == [4, 8, 10]
        assert keys(pages) == expected(*range(9, -1, -1))

    def test_a_position_that_is_none_begins_at_the_top(self, any_mailbox, imap):
        any_mailbox.deliver(1, 2)
        for position in ("nonsense", "1:2", "7:1:1", "٣:1:1", "-1:0:0"):
            page = imap.skim("INBOX", LONG_AGO, NOW, position, 10)
            assert keys([page]) == expected(2, 1)

    def test_an_empty_folder_and_one_that_is_not_there(self, any_mailbox, imap):
        page = imap.skim("INBOX", LONG_AGO, NOW)
        assert (page.position, page.total) == ("", 0)
        with pytest.raises(Gone):
            imap.skim("Nowhere", LONG_AGO, NOW)


class TestGmail:
    def test_every_mail_is_looked_at_once(self, monkeypatch):
        monkeypatch.setattr(gmail_skim, "MAX_BATCH", 4)
        with running_gmail(monkeypatch) as gmail:
            fill(gmail, 25)
            before = gmail.mailbox.snapshot()
            pages = skim_all(connect(gmail), "all")
            assert sorted(keys(pages)) == sorted(expected(*range(25)))
            assert (pages[-1].done, pages[-1].total) == (25, 25)
            assert pages[0].glances[0].addresses == (
                "anna@example.com",
                "bob@example.org",
            )
            assert gmail.mailbox.snapshot() == before
            assert all("format=metadata" in one for one in gmail.parts)

    def test_the_pages_of_its_list_are_followed(self, monkeypatch):
        monkeypatch.setattr("easycrm_mail.providers.gmail_api.LIST_PAGE", 7)
        with running_gmail(monkeypatch) as gmail:
            fill(gmail, 25)
            pages = skim_all(connect(gmail), "all")
            assert sorted(keys(pages)) == sorted(expected(*range(25)))
            assert pages[0].is_estimate and not pages[-1].is_estimate
            assert {one.total for one in pages} == {25}

    def test_a_label_and_what_came_between_the_dates(self, monkeypatch):
        with running_gmail(monkeypatch) as gmail:
            now = time.time()
            for number, days in enumerate((1, 10, 20)):
                gmail.mailbox.deliver(mail(number), at=now - 86_400 * days)
            label = gmail.mailbox.label("Projekte")
            ref = gmail.mailbox.deliver(mail(9), at=now - 86_400 * 5)
            gmail.mailbox.add_labels(ref, label)
            provider = connect(gmail)
            assert keys(skim_all(provider, label)) == expected(9)
            ago = [NOW - timedelta(days=days) for days in (15, 7)]
            assert keys(skim_all(provider, "all", *ago)) == expected(1)
            with pytest.raises(Gone):
                provider.skim("Label_77", LONG_AGO, NOW)

    def test_a_budget_that_is_used_up_is_a_pause(self, monkeypatch):
        monkeypatch.setattr(gmail_skim, "MAX_BATCH", 10)
        with running_gmail(monkeypatch) as gmail:
            fill(gmail, 40)
            budget = Budget(limit=500)
            page = connect(gmail, budget=budget).skim("all", LONG_AGO, NOW)
            assert (page.done, page.total) == (20, 40)
            assert 0 < page.pause <= 64 and page.position
            again = connect(gmail, budget=budget)
            page = again.skim("all", LONG_AGO, NOW, page.position)
            assert page.pause and not page.glances and page.done == 20

    def test_a_limit_that_gmail_tells_of_is_a_pause(self, monkeypatch):
        with running_gmail(monkeypatch) as gmail:
            fill(gmail, 5)
            answer = refusal(429, "rateLimitExceeded", "", {"Retry-After": "40"})
            gmail.break_("messages/", "answer", answer=answer)
            provider = connect(gmail)
            page = provider.skim("all", LONG_AGO, NOW)
            assert (page.pause, page.glances, page.done) == (40, (), 0)
            page = provider.skim("all", LONG_AGO, NOW, page.position)
            assert len(page.glances) == 5

    def test_the_count_alone_reads_no_mail(self, monkeypatch):
        with running_gmail(monkeypatch) as gmail:
            fill(gmail, 5)
            page = connect(gmail).skim("all", LONG_AGO, NOW, "", 0)
            assert (page.total, gmail.parts) == (5, [])


class TestOutlook:
    def test_every_mail_is_looked_at_once(self, graph, monkeypatch):
        monkeypatch.setattr(outlook_skim, "PAGE_MAILS", 4)
        graph.deliver(*range(25))
        before = graph.mailbox.contents()
        pages = skim_all(graph.provider(), graph.inbox)
        assert keys(pages) == expected(*range(24, -1, -1))
        assert (pages[-1].done, pages[-1].total) == (25, 25)
        assert pages[0].glances[0].addresses == (
            "anna@example.com",
            "mira@chairs.example",
        )
        assert graph.mailbox.contents() == before

    def test_only_what_came_between_the_dates(self, graph):
        graph.deliver(*range(10))
        first = graph.mailbox.in_folder(graph.inbox)[-1].received
        since, until = first + timedelta(minutes=3), first + timedelta(minutes=6)
        pages = skim_all(graph.provider(), graph.inbox, since, until)
        assert keys(pages) == expected(5, 4, 3)

    def test_a_limit_is_a_pause(self, graph):
        graph.deliver(1, 2)
        body = {"error": {"code": "ApplicationThrottled", "message": "slowly"}}
        answer = Answer(body, 429, {"Retry-After": "40"})
        graph.server.break_("messages", "answer", answer=answer)
        provider = graph.provider()
        page = provider.skim(graph.inbox, LONG_AGO, NOW)
        assert (page.pause, page.done) == (40, 0)
        page = provider.skim(graph.inbox, LONG_AGO, NOW, page.position)
        assert keys([page]) == expected(2, 1)

    def test_the_count_alone_and_a_folder_that_is_not_there(self, graph):
        graph.deliver(1, 2)
        page = graph.provider().skim(graph.inbox, LONG_AGO, NOW, "", 0)
        assert (page.glances, page.total) == ((), 2)
        with pytest.raises(Gone):
            graph.provider().skim("nowhere", LONG_AGO, NOW)

    def test_what_a_machine_sent_is_told(self, graph):
        raw = mail(1).replace(b"Subject:", b"List-Id: <chairs>\r\nSubject:")
        graph.mailbox.deliver(raw, "inbox", NOW - timedelta(days=1))
        [page] = skim_all(graph.provider(), graph.inbox)
        assert page.glances[0].is_automatic
