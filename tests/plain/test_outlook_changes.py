"""After the listing: arrivals, marks, removals, moves, and tokens that expire."""

import pytest
from graph_mailbox import LONG_AGO, START, Ledger, mail, numbers

from easycrm_mail.providers import Gone, ReadChange, Resync, graph_client


@pytest.fixture
def provider(graph):
    """Signed in to the mailbox."""
    return graph.provider()


@pytest.fixture
def ledger(graph, provider):
    """Holds three mails of a settled inbox."""
    graph.deliver(1, 2, 3)
    ledger = Ledger()
    ledger.sync(provider, graph.inbox)
    graph.calls()
    return ledger


def test_new_mail_comes_alone(graph, provider, ledger):
    graph.deliver(4, 5)
    batches = ledger.sync(provider, graph.inbox)
    assert [numbers(one) for one in batches] == [[5, 4]]
    assert not batches[0].settled and not batches[0].reset and not batches[0].total
    assert len(graph.calls()) == 2
    assert ledger.matches(graph.mailbox, graph.inbox)


@pytest.mark.parametrize("is_whole", [False, True])
def test_a_mark_is_told_without_fetching_the_mail(graph, provider, ledger, is_whole):
    """Graph sends some of them as `isRead` alone, and others with all that it has."""
    graph.server.full_updates = is_whole
    key = graph.mailbox.in_folder(graph.inbox)[0].key
    for is_read in (True, False):
        graph.mailbox.mark_read(key, is_read)
        batch = ledger.sync(provider, graph.inbox)[0]
        assert batch.changes == [ReadChange(key, is_read)] and not batch.messages
        assert len(graph.calls()) == 1
        assert ledger.matches(graph.mailbox, graph.inbox)


def test_a_whole_item_of_a_mail_long_known_is_fetched_again(
    graph, provider, ledger, monkeypatch
):
    """Too often is harmless, not at all is not."""
    graph.server.full_updates = True
    monkeypatch.setattr("easycrm_mail.providers.outlook_checkpoint.MAX_KNOWN", 2)
    graph.deliver(4, 5)
    ledger.sync(provider, graph.inbox)
    key = graph.mailbox.in_folder(graph.inbox)[-1].key
    graph.mailbox.mark_read(key)
    batch = ledger.sync(provider, graph.inbox)[0]
    assert [one.ref for one in batch.messages] == [key]
    assert ledger.matches(graph.mailbox, graph.inbox)


def test_a_mail_from_before_the_window_stays_out_when_it_is_marked(
    graph, provider, ledger
):
    key = graph.mailbox.deliver(mail(9), "inbox", START.replace(year=1999))
    for is_whole in (False, True):
        graph.server.full_updates = is_whole
        graph.mailbox.mark_read(key, is_whole)
        assert not ledger.sync(provider, graph.inbox)[0].messages
    assert key not in ledger.mails


def test_a_removal_is_noticed(graph, provider, ledger):
    key = graph.mailbox.in_folder(graph.inbox)[1].key
    graph.mailbox.delete(key)
    batch = ledger.sync(provider, graph.inbox)[0]
    assert batch.removals == [key] and not batch.messages
    assert ledger.matches(graph.mailbox, graph.inbox)


def test_a_mail_that_came_and_went_between_two_polls_leaves_nothing(
    graph, provider, ledger
):
    graph.mailbox.delete(graph.deliver(4)[0])
    ledger.sync(provider, graph.inbox)
    assert ledger.matches(graph.mailbox, graph.inbox)


def test_a_move_keeps_the_name_and_brings_the_mail_though_it_is_old(graph, provider):
    archive = graph.mailbox.folder("archive")
    (key,) = graph.deliver(1)
    graph.deliver(2)
    old, new = Ledger(), Ledger()
    old.sync(provider, graph.inbox)
    new.sync(provider, archive)
    graph.deliver(3, folder="archive")
    graph.mailbox.move(key, "archive")
    old.sync(provider, graph.inbox)
    new.sync(provider, archive)
    assert old.matches(graph.mailbox, graph.inbox)
    assert new.matches(graph.mailbox, archive)
    assert key in new.mails


def test_a_mail_that_is_moved_away_and_back_is_there(graph, provider, ledger):
    key = graph.mailbox.in_folder(graph.inbox)[0].key
    graph.mailbox.move(key, "archive")
    graph.mailbox.move(key, "inbox")
    ledger.sync(provider, graph.inbox)
    assert ledger.matches(graph.mailbox, graph.inbox)
    graph.mailbox.move(key, "archive")
    ledger.sync(provider, graph.inbox)
    graph.mailbox.move(key, "inbox")
    ledger.sync(provider, graph.inbox)
    assert ledger.matches(graph.mailbox, graph.inbox)


def test_without_immutable_ids_a_move_is_another_name_of_the_same_mail(graph, provider):
    graph.server.immutable_ids = False
    archive = graph.mailbox.folder("archive")
    (key,) = graph.deliver(1)
    old, new = Ledger(), Ledger()
    old.sync(provider, graph.inbox)
    new.sync(provider, archive)
    before = next(iter(old.mails))
    graph.mailbox.move(key, "archive")
    old.sync(provider, graph.inbox)
    new.sync(provider, archive)
    assert not old.mails
    assert before not in new.mails and [*new.mails.values()] == [mail(1)]


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("kinds", [("was", "gone"), ("gone", "was")])
@pytest.mark.parametrize("size", [1, 100])
def test_of_a_mail_both_there_and_removed_in_one_round_the_folder_is_asked(
    graph, provider, ledger, is_there, kinds, size
):
    """The order in a round means nothing, on one page or on two."""
    (key,) = graph.deliver(4)
    graph.delta.contradicts, graph.delta.max_page = kinds, size
    if not is_there:
        graph.mailbox.move(key, "archive")
    ledger.sync(provider, graph.inbox)
    assert (key in ledger.mails) is is_there
    if is_there:
        # In the next round a removal is one again.
        graph.delta.contradicts = ()
        graph.mailbox.move(key, "archive")
        graph.calls()
        ledger.sync(provider, graph.inbox)
        assert len(graph.calls()) == 1
    assert ledger.matches(graph.mailbox, graph.inbox)


def test_an_expired_token_lists_the_folder_anew(graph, provider, ledger):
    graph.mailbox.delete(graph.mailbox.in_folder(graph.inbox)[0].key)
    graph.deliver(4)
    graph.server.expire_delta(graph.mailbox.address)
    batches = ledger.sync(provider, graph.inbox)
    assert [one.reset for one in batches] == [True]
    assert batches[-1].settled and batches[-1].total == 3
    assert ledger.matches(graph.mailbox, graph.inbox)
    assert not any(one.reset for one in ledger.sync(provider, graph.inbox))


def test_a_token_that_expires_during_the_listing_begins_it_anew(
    graph, provider, monkeypatch
):
    prefer = 'IdType="ImmutableId", odata.maxpagesize=3'
    monkeypatch.setattr(graph_client, "PREFER", prefer)
    graph.deliver(*range(10))
    ledger = Ledger()
    ledger.store(provider.pull(graph.inbox, "", LONG_AGO))
    graph.server.expire_delta(graph.mailbox.address)
    batches = ledger.sync(provider, graph.inbox)
    assert batches[0].reset and not any(one.reset for one in batches[1:])
    assert ledger.settled and ledger.matches(graph.mailbox, graph.inbox)


def test_tokens_that_never_hold_are_an_error_in_the_end(graph, provider, monkeypatch):
    prefer = 'IdType="ImmutableId", odata.maxpagesize=3'
    monkeypatch.setattr(graph_client, "PREFER", prefer)
    graph.deliver(*range(10))
    ledger = Ledger()
    with pytest.raises(Resync) as caught:
        for _pull in range(10):
            ledger.store(provider.pull(graph.inbox, ledger.checkpoint, LONG_AGO))
            graph.server.expire_delta(graph.mailbox.address)
    assert caught.value.code == "checkpoint"


def test_a_folder_that_is_gone_is_said_so(graph, provider):
    folder = graph.mailbox.add_folder("Kunden")
    graph.deliver(1, folder=folder)
    checkpoint = provider.pull(folder, "", LONG_AGO).checkpoint
    graph.mailbox.remove_folder(folder)
    for state in (checkpoint, ""):
        with pytest.raises(Gone) as caught:
            provider.pull(folder, state, LONG_AGO)
        assert caught.value.code == "folder"


def test_replays_are_told_from_news(graph, provider, ledger):
    """The last checkpoint once more, as after a crash: nothing comes that is wrong."""
    before = ledger.checkpoint
    graph.deliver(4)
    graph.mailbox.mark_read(graph.mailbox.in_folder(graph.inbox)[-1].key)
    ledger.sync(provider, graph.inbox)
    replay = Ledger()
    replay.mails, replay.is_read = dict(ledger.mails), dict(ledger.is_read)
    replay.checkpoint = before
    replay.sync(provider, graph.inbox)
    assert replay.mails == ledger.mails
    assert replay.matches(graph.mailbox, graph.inbox)
