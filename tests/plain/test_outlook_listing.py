"""The first listing of an Outlook folder: all of it, once, whatever comes between."""

import json
import random
from datetime import timedelta

import pytest
from graph_mailbox import LONG_AGO, START, Ledger, mail, numbers, pull_all
from servers.web import Answer

from easycrm_mail.providers import graph_client, outlook_delta, outlook_page


@pytest.fixture
def small_pages(monkeypatch):
    """Three mails a delta page."""
    prefer = 'IdType="ImmutableId", odata.maxpagesize=3'
    monkeypatch.setattr(graph_client, "PREFER", prefer)


def test_a_folder_comes_newest_first(graph):
    keys = graph.deliver(*range(10))
    before = graph.mailbox.contents()
    batch = graph.provider().pull(graph.inbox, "", LONG_AGO)
    assert numbers(batch) == [*range(9, -1, -1)]
    assert [one.ref for one in batch.messages] == keys[::-1]
    assert batch.settled and not batch.more and not batch.reset
    assert (batch.done, batch.total) == (10, 10)
    first = batch.messages[0]
    assert first.raw == mail(9) and not first.is_read
    assert first.received_at == START + timedelta(minutes=9)
    assert first.thread_ref.startswith("AAQk")
    assert graph.mailbox.contents() == before


def test_a_page_costs_its_delta_call_and_a_batch_for_four_mails(graph):
    graph.deliver(*range(10))
    graph.provider().pull(graph.inbox, "", LONG_AGO)
    # How many it holds; the page; 4 + 4 + 2 mails.
    names = [one.split("?")[0].rsplit("/", 1)[1] for one in graph.calls()]
    assert names[1:] == ["delta", "$batch", "$batch", "$batch"]
    assert graph.server.most_at_once == 4


def test_an_empty_folder_is_settled_at_once(graph):
    batch = graph.provider().pull(graph.inbox, "", LONG_AGO)
    assert batch.settled and not batch.more and not batch.messages


def test_an_idle_folder_costs_one_call(graph):
    graph.deliver(1, 2, 3)
    provider = graph.provider()
    checkpoint = provider.pull(graph.inbox, "", LONG_AGO).checkpoint
    graph.calls()
    for _poll in range(3):
        batch = provider.pull(graph.inbox, checkpoint, LONG_AGO)
        checkpoint = batch.checkpoint
        assert not batch.messages and not batch.changes and not batch.removals
        assert not batch.more and not batch.settled and not batch.total
        assert len(graph.calls()) == 1


def test_pages_go_on_where_they_ended(graph, small_pages):
    graph.deliver(*range(10))
    batches = pull_all(graph.provider(), graph.inbox)
    assert [len(one.messages) for one in batches] == [3, 3, 3, 1]
    assert [one.settled for one in batches] == [False, False, False, True]
    assert [(one.done, one.total) for one in batches] == [
        (3, 10),
        (6, 10),
        (9, 10),
        (10, 10),
    ]


def test_the_same_checkpoint_gives_the_same_mail(graph, small_pages):
    graph.deliver(*range(8))
    provider = graph.provider()
    checkpoint = ""
    while True:
        once = provider.pull(graph.inbox, checkpoint, LONG_AGO)
        # Another process, another time
        again = graph.provider().pull(graph.inbox, checkpoint, LONG_AGO)
        assert once.messages == again.messages
        assert once.removals == again.removals
        checkpoint = once.checkpoint
        if not once.more:
            break


def test_a_page_of_many_bytes_is_cut_and_its_rest_comes_from_the_checkpoint(
    graph, monkeypatch
):
    monkeypatch.setattr(outlook_page, "PAGE_BYTES", 10_000)
    graph.deliver(*range(9), size=3_000)
    ledger = Ledger()
    batches = ledger.sync(graph.provider(), graph.inbox)
    assert len(batches) == 3
    assert ledger.matches(graph.mailbox, graph.inbox)
    # Only one delta call: the rest of the page was in the checkpoint.
    assert sum("/delta" in one for one in graph.calls()) == 1


def test_mail_from_before_the_window_is_not_fetched(graph):
    graph.deliver(*range(10))
    since = START + timedelta(minutes=7)
    batch = graph.provider().pull(graph.inbox, "", since)
    assert numbers(batch) == [9, 8, 7]
    assert batch.settled and batch.done == 10
    assert "filter=receivedDateTime" not in "".join(graph.calls())


def test_drafts_are_passed_over(graph):
    graph.deliver(1, 2)
    graph.deliver(3, draft=True)
    assert numbers(graph.provider().pull(graph.inbox, "", LONG_AGO)) == [2, 1]


def test_empty_pages_are_followed(graph):
    graph.delta.empty_pages = 7
    graph.deliver(1, 2)
    ledger = Ledger()
    ledger.sync(graph.provider(), graph.inbox)
    assert ledger.settled and ledger.matches(graph.mailbox, graph.inbox)


def test_empty_pages_without_end_leave_the_call(graph, monkeypatch):
    monkeypatch.setattr(outlook_delta, "MAX_PAGES", 3)
    graph.delta.empty_pages = 10
    graph.deliver(1)
    provider = graph.provider()
    batches = pull_all(provider, graph.inbox)
    # It goes on where it was.
    assert len(batches) == 1 + 4 and batches[-1].settled


def test_what_comes_twice_in_a_round_is_one_mail(graph, small_pages):
    graph.delta.duplicates = True
    graph.deliver(*range(10))
    batches = pull_all(graph.provider(), graph.inbox)
    refs = [one.ref for batch in batches for one in batch.messages]
    assert len(refs) == len(set(refs)) == 10


def test_mail_that_comes_while_the_listing_runs_is_not_lost(graph, small_pages):
    graph.deliver(*range(7))
    provider, ledger = graph.provider(), Ledger()
    ledger.store(provider.pull(graph.inbox, "", LONG_AGO))
    graph.deliver(20)
    graph.mailbox.delete(graph.mailbox.in_folder(graph.inbox)[-1].key)
    ledger.sync(provider, graph.inbox)
    ledger.sync(provider, graph.inbox)
    assert ledger.matches(graph.mailbox, graph.inbox)


def test_killed_between_any_two_pulls_it_ends_complete(graph, small_pages):
    """What a pull brought is lost with its checkpoint, at random."""
    chance = random.Random(4)
    graph.delta.duplicates = True
    graph.deliver(*range(60))
    ledger, kills = Ledger(), 0
    while not ledger.settled:
        batch = graph.provider().pull(graph.inbox, ledger.checkpoint, LONG_AGO)
        if kills < 10 and chance.random() < 0.5:
            kills += 1
            continue
        ledger.store(batch)
    assert kills == 10
    assert ledger.matches(graph.mailbox, graph.inbox)


def test_five_thousand_mails_interrupted_ten_times_come_complete(graph):
    graph.deliver(*range(5_000))
    ledger, pulls = Ledger(), 0
    while not ledger.settled:
        batch = graph.provider().pull(graph.inbox, ledger.checkpoint, LONG_AGO)
        pulls += 1
        if pulls % 3 or pulls > 30:
            ledger.store(batch)
    assert pulls == 25 + 10
    assert ledger.matches(graph.mailbox, graph.inbox)
    # A page costs its own call and one for each four of its mails.
    assert len(graph.calls()) <= pulls * 52


def test_a_mail_that_is_gone_when_it_is_fetched_is_skipped(graph, monkeypatch):
    monkeypatch.setattr(outlook_page, "PAGE_BYTES", 1)
    keys = graph.deliver(*range(9))
    provider, ledger = graph.provider(), Ledger()
    ledger.store(provider.pull(graph.inbox, "", LONG_AGO))
    for key in keys[:3]:
        graph.mailbox.delete(key)
    ledger.sync(provider, graph.inbox)
    ledger.sync(provider, graph.inbox)
    assert not ledger.set_aside and ledger.matches(graph.mailbox, graph.inbox)


def test_sizes_that_are_not_told_cost_nothing(graph):
    graph.server.tells_sizes = False
    graph.deliver(*range(6), size=5_000)
    ledger = Ledger()
    ledger.sync(graph.provider(), graph.inbox)
    assert ledger.matches(graph.mailbox, graph.inbox)


def test_a_mailbox_that_takes_no_more_than_the_plain_query_is_read(graph):
    graph.deliver(*range(6))
    refusal = Answer({"error": {"code": "ErrorInvalidUrlQuery", "message": "no"}}, 400)
    graph.server.break_("expand", "answer", answer=refusal, times=99)
    ledger = Ledger()
    ledger.sync(graph.provider(), graph.inbox)
    assert ledger.settled and ledger.matches(graph.mailbox, graph.inbox)


@pytest.mark.parametrize(
    "checkpoint",
    [
        "nonsense",
        "{}",
        "[]",
        json.dumps({"graph": 99, "link": "", "known": ""}),
        json.dumps({"graph": 1, "link": "https://evil.example/x", "known": ""}),
        json.dumps({"graph": 1, "link": 5, "known": "", "backlog": [[1]]}),
    ],
)
def test_a_checkpoint_that_is_not_ours_begins_anew(graph, checkpoint):
    graph.deliver(1, 2)
    batch = graph.provider().pull(graph.inbox, checkpoint, LONG_AGO)
    assert batch.reset and numbers(batch) == [2, 1]


def test_a_link_to_another_host_is_never_followed(graph):
    """A stored one; the token would go there."""
    graph.deliver(1)
    provider = graph.provider()
    state = json.loads(provider.pull(graph.inbox, "", LONG_AGO).checkpoint)
    host = state["link"].split("/")[2]
    state["link"] = state["link"].replace(host, f"{host}@evil.example")
    batch = provider.pull(graph.inbox, json.dumps(state), LONG_AGO)
    assert batch.reset and numbers(batch) == [1]
