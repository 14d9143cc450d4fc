"""What a mailbox holds of the last days, by ids: each service says the same."""

from datetime import datetime, timedelta, timezone

import pytest
from conftest import mail
from gmail_mailbox import connect as connect_gmail
from gmail_mailbox import running_gmail
from imap_mailbox import connect as connect_imap

from easycrm_mail.providers import Budget, Gone, imap_held

NOW = datetime.now(timezone.utc).replace(microsecond=0)
TODAY = NOW.replace(hour=0, minute=0, second=0)
STARTS = [TODAY - timedelta(days=days) for days in (2, 1, 0)]

#: When a mail came -> the span that it belongs to, None for none.
MOMENTS = {
    NOW: 2,
    TODAY: 2,
    TODAY - timedelta(seconds=2): 1,
    TODAY - timedelta(days=1): 1,
    TODAY - timedelta(days=1, seconds=2): 0,
    TODAY - timedelta(days=2): 0,
    TODAY - timedelta(days=2, seconds=2): None,
    TODAY - timedelta(days=30): None,
}


class Imap:
    stream = "INBOX"

    def __init__(self, mailbox):
        self.provider = connect_imap(mailbox)
        self._mailbox = mailbox

    def deliver(self, number, at):
        self._mailbox.deliver(number, received=at)

    def add_draft(self):
        self._mailbox.deliver(99, folder="Drafts")

    def shorten(self, monkeypatch):
        monkeypatch.setattr(imap_held, "PIECE_MAILS", 2)


class Gmail:
    stream = "all"

    def __init__(self, server):
        self.provider = connect_gmail(server)
        self._server = server

    def deliver(self, number, at):
        return self._server.mailbox.deliver(mail(number), at=at.timestamp())

    def add_draft(self):
        self._server.mailbox.deliver(mail(99), ["DRAFT"])
        self._server.mailbox.deliver(mail(98), ["TRASH"])

    def shorten(self, monkeypatch):
        # (a page is a call when no time is left)
        monkeypatch.setattr("easycrm_mail.providers.gmail_api.LIST_PAGE", 2)


class Outlook:
    def __init__(self, graph):
        self.provider = graph.provider()
        self.stream = graph.inbox
        self._graph = graph

    def deliver(self, number, at):
        return self._graph.mailbox.deliver(mail(number), "inbox", at)

    def add_draft(self):
        self._graph.mailbox.deliver(mail(99), "inbox", NOW, draft=True)

    def shorten(self, monkeypatch):
        self._graph.delta.max_page = 2


@pytest.fixture(params=["imap", "gmail", "outlook"])
def service(request, monkeypatch):
    if request.param == "gmail":
        with running_gmail(monkeypatch) as server:
            one = Gmail(server)
            yield one
            one.provider.close()
        return
    if request.param == "outlook":
        yield Outlook(request.getfixturevalue("graph"))
        return
    one = Imap(request.getfixturevalue("mailbox"))
    yield one
    one.provider.close()


def ask_all(service, starts=STARTS):
    """All pages: the refs, and how many pages they took."""
    refs, page, pages = {}, "", 0
    while True:
        held = service.provider.held(service.stream, starts, page)
        assert not refs.keys() & held.refs.keys()
        refs |= held.refs
        page, pages = held.page, pages + 1
        if not page:
            return refs, pages
        assert pages < 50


def test_each_mail_is_told_with_its_day(service):
    for number, at in enumerate(MOMENTS):
        service.deliver(number, at)
    service.add_draft()
    refs, _pages = ask_all(service)
    spans = sorted(span for span in MOMENTS.values() if span is not None)
    assert sorted(refs.values()) == spans


def test_they_are_the_refs_that_a_pull_gives(service):
    for number in range(5):
        service.deliver(number, NOW - timedelta(minutes=number))
    batch = service.provider.pull(service.stream, "", STARTS[0])
    assert {one.ref for one in batch.messages} == ask_all(service)[0].keys()


def test_an_empty_mailbox_holds_nothing(service):
    assert ask_all(service) == ({}, 1)


def test_many_come_in_pages_each_once(service, monkeypatch):
    service.shorten(monkeypatch)
    for number in range(11):
        service.deliver(number, NOW - timedelta(hours=number))
    refs, _pages = ask_all(service)
    assert len(refs) == 11


def test_a_day_that_begins_where_it_ends_holds_nothing(service):
    # (a mailbox that is read since today only)
    service.deliver(1, NOW)
    refs, _pages = ask_all(service, [TODAY, TODAY, TODAY])
    assert list(refs.values()) == [2]


def test_a_folder_that_is_gone_is_gone(service):
    service.stream = "Label_77" if isinstance(service, Gmail) else "nowhere"
    with pytest.raises(Gone):
        service.provider.held(service.stream, STARTS)


def test_gmail_is_left_alone_when_its_budget_is_used_up(monkeypatch):
    with running_gmail(monkeypatch) as server:
        budget = Budget(limit=600)
        service = Gmail(server)
        service.provider = connect_gmail(server, budget=budget)
        service.deliver(1, NOW)
        service.deliver(2, STARTS[0])
        budget.spend(budget.left() - 6)
        held = service.provider.held("all", STARTS)
        assert list(held.refs.values()) == [0]
        assert held.page and 0 < held.pause < 70
        budget._spent.clear()
        held = service.provider.held("all", STARTS, held.page)
        assert list(held.refs.values()) == [2] and not held.page
        service.provider.close()


def test_graph_is_counted_request_by_request(graph):
    graph.deliver(1, 2, 3)
    provider = graph.provider()
    provider.pull(graph.inbox, "", NOW - timedelta(days=9999))
    calls = len(graph.server.calls)
    assert calls > 2
    # (of a batch each part counts)
    assert provider.budget.used() * 10_000 == pytest.approx(calls - 1)
    kept = Budget.load(provider.budget.dump(), limit=10_000, window=600)
    assert kept.used() == provider.budget.used()
