"""The first listing of a folder: newest first, in pages, whole whatever happens."""

from datetime import datetime, timedelta, timezone

import pytest
from conftest import LONG_AGO, mail
from imap_mailbox import connect, numbers, pull_all
from servers.fault_proxy import FaultProxy

from easycrm_mail.providers import imap_page
from easycrm_mail.providers.imap_checkpoint import Checkpoint


@pytest.fixture
def provider(any_mailbox):
    """Signed in to the mailbox, pages of ten mails."""
    provider = connect(any_mailbox)
    yield provider
    provider.close()


@pytest.fixture(autouse=True)
def pages_of_ten(monkeypatch):
    monkeypatch.setattr(imap_page, "PAGE_MAILS", 10)
    monkeypatch.setattr(imap_page, "CHUNK_MAILS", 4)


def test_mail_comes_newest_first_with_its_progress(any_mailbox, provider):
    any_mailbox.deliver(*range(25))
    batches = pull_all(provider)
    assert [numbers(batch) for batch in batches] == [
        list(range(24, 14, -1)),
        list(range(14, 4, -1)),
        list(range(4, -1, -1)),
    ]
    assert [(one.done, one.total) for one in batches] == [(10, 25), (20, 25), (25, 25)]
    assert [one.more for one in batches] == [True, True, False]
    assert [one.settled for one in batches] == [False, False, True]
    assert not any(one.reset for one in batches)


def test_mail_is_handed_over_as_it_was_delivered(any_mailbox, provider):
    received = datetime(2025, 3, 4, 10, 11, 12, tzinfo=timezone.utc)
    any_mailbox.deliver(1, received=received, seen=True)
    any_mailbox.deliver(2)
    unread, read = provider.pull("INBOX", "", LONG_AGO).messages
    assert read.raw == mail(1)
    assert (read.is_read, unread.is_read) == (True, False)
    assert read.received_at == received
    assert read.received_at.tzinfo is timezone.utc
    uid_validity, uid = read.ref.split(":")
    assert int(uid_validity) > 0
    assert uid == "1"


def test_empty_folder_is_settled_at_once(provider):
    batch = provider.pull("INBOX", "", LONG_AGO)
    assert batch.settled and not batch.more
    assert not batch.messages
    assert (batch.done, batch.total) == (0, 0)


def test_the_same_checkpoint_gives_the_same_batch(any_mailbox, provider):
    any_mailbox.deliver(*range(25))
    first = provider.pull("INBOX", "", LONG_AGO)
    second = provider.pull("INBOX", first.checkpoint, LONG_AGO)
    assert provider.pull("INBOX", first.checkpoint, LONG_AGO) == second
    # From another process, say
    other = connect(any_mailbox)
    assert other.pull("INBOX", first.checkpoint, LONG_AGO) == second
    other.close()


def test_mail_that_arrives_meanwhile_comes_before_the_rest(any_mailbox, provider):
    any_mailbox.deliver(*range(25))
    first = provider.pull("INBOX", "", LONG_AGO)
    any_mailbox.deliver(100, 101)
    second = provider.pull("INBOX", first.checkpoint, LONG_AGO)
    assert numbers(second) == [101, 100, *range(14, 6, -1)]
    assert (second.done, second.total) == (20, 27)
    rest = pull_all(provider, second.checkpoint)
    assert numbers(rest[-1]) == [*range(6, -1, -1)]
    assert rest[-1].settled
    assert rest[-1].done == rest[-1].total == 27


def test_deleting_during_the_listing_shifts_and_loses_nothing(any_mailbox, provider):
    keys = any_mailbox.deliver(*range(25))
    first = provider.pull("INBOX", "", LONG_AGO)
    for number in (24, 20, 12, 3):
        any_mailbox.remove(keys[number])
    batches = [first, *pull_all(provider, first.checkpoint)]
    assert batches[-1].settled
    got = [number for batch in batches for number in numbers(batch)]
    assert sorted(got) == [number for number in range(25) if number not in (12, 3)]
    assert batches[-1].done == batches[-1].total == 25
    # What was handed over and is gone is reported with the next pull.
    after = provider.pull("INBOX", batches[-1].checkpoint, LONG_AGO)
    refs = {ref.split(":")[1] for ref in after.removals}
    assert refs == {"25", "21"}


def test_mail_from_before_the_window_is_left_alone(any_mailbox, provider):
    any_mailbox.deliver(1, days_ago=40)
    any_mailbox.deliver(2, days_ago=30.02)
    any_mailbox.deliver(3, days_ago=29.98)
    any_mailbox.deliver(4, days_ago=1)
    since = datetime.now(timezone.utc) - timedelta(days=30)
    batches = pull_all(provider, since=since)
    assert [numbers(batch) for batch in batches] == [[4, 3]]
    # Nor does a later look bring it up, or find it gone.
    any_mailbox.deliver(5, days_ago=40)
    any_mailbox.deliver(6)
    later = provider.pull("INBOX", batches[-1].checkpoint, since)
    assert numbers(later) == [6]
    assert not later.removals and not later.changes


def test_a_page_is_bounded_by_bytes(any_mailbox, provider, monkeypatch):
    monkeypatch.setattr(imap_page, "PAGE_BYTES", 20_000)
    any_mailbox.deliver(*range(6), size=8_000)
    any_mailbox.deliver(6, size=50_000)
    batches = pull_all(provider)
    assert [numbers(batch) for batch in batches] == [[6], [5, 4], [3, 2], [1, 0]]


def test_a_page_is_bounded_by_time(any_mailbox, provider, monkeypatch):
    monkeypatch.setattr(imap_page, "PAGE_SECONDS", -1)
    any_mailbox.deliver(*range(10))
    batches = pull_all(provider)
    assert [numbers(batch) for batch in batches] == [
        [9, 8, 7, 6],
        [5, 4, 3, 2],
        [1, 0],
    ]


@pytest.mark.parametrize(
    "checkpoint",
    ["x", "{}", "[]", "null", '{"imap":0}', '{"history":"123"}', '{"imap":1,"at":[1]}'],
)
def test_a_checkpoint_that_is_not_ours_begins_anew(any_mailbox, provider, checkpoint):
    any_mailbox.deliver(1, 2)
    batch = provider.pull("INBOX", checkpoint, LONG_AGO)
    assert batch.reset
    assert numbers(batch) == [2, 1]
    assert batch.settled


def test_another_uid_validity_begins_anew(any_mailbox, provider):
    any_mailbox.deliver(*range(25))
    batches = pull_all(provider)
    any_mailbox.recreate()
    anew = pull_all(provider, batches[-1].checkpoint)
    assert [one.reset for one in anew] == [True, False, False]
    assert [one.settled for one in anew] == [False, False, True]
    assert (anew[0].done, anew[0].total) == (10, 25)
    assert sorted(number for one in anew for number in numbers(one)) == [*range(25)]
    assert anew[0].messages[0].ref != batches[0].messages[0].ref


def test_a_restored_backup_that_gives_uids_out_again_begins_anew(any_mailbox, provider):
    any_mailbox.deliver(1, 2)
    batch = provider.pull("INBOX", "", LONG_AGO)
    state = Checkpoint.load(batch.checkpoint)
    state.uid_next, state.known = 50, set(range(1, 50))
    anew = provider.pull("INBOX", state.dump(), LONG_AGO)
    assert anew.reset and anew.settled
    assert numbers(anew) == [2, 1]


def test_another_uid_validity_during_the_listing_begins_anew(any_mailbox, provider):
    any_mailbox.deliver(*range(15))
    first = provider.pull("INBOX", "", LONG_AGO)
    any_mailbox.recreate()
    anew = pull_all(provider, first.checkpoint)
    assert [one.reset for one in anew] == [True, False]
    assert sorted(number for one in anew for number in numbers(one)) == [*range(15)]


def test_a_reset_keeps_to_the_window(any_mailbox, provider):
    any_mailbox.deliver(1, days_ago=40)
    any_mailbox.deliver(2)
    since = datetime.now(timezone.utc) - timedelta(days=30)
    batch = provider.pull("INBOX", "foreign", since)
    assert numbers(batch) == [2]


def test_many_mails_are_searched_piece_by_piece(any_mailbox, provider, monkeypatch):
    monkeypatch.setattr("easycrm_mail.providers.imap_connection.SEARCH_WINDOW", 7)
    keys = any_mailbox.deliver(*range(25))
    batches = pull_all(provider)
    assert sorted(number for one in batches for number in numbers(one)) == [*range(25)]
    provider.pull("INBOX", batches[-1].checkpoint, LONG_AGO)
    any_mailbox.remove(keys[11])
    later = provider.pull("INBOX", batches[-1].checkpoint, LONG_AGO)
    assert [ref.split(":")[1] for ref in later.removals] == ["12"]


def test_the_whole_listing_takes_few_commands(mailbox, monkeypatch):
    monkeypatch.setattr(imap_page, "PAGE_MAILS", 200)
    monkeypatch.setattr(imap_page, "CHUNK_MAILS", 50)
    mailbox.deliver(*range(100))
    with FaultProxy(mailbox.host, mailbox.port) as proxy:
        mailbox.host, mailbox.port = proxy.host, proxy.port
        provider = connect(mailbox)
        provider.check()
        proxy.commands()
        provider.pull("INBOX", "", LONG_AGO)
        verbs = [command.partition(" (UID")[0] for command in proxy.commands()]
        assert verbs == [
            'EXAMINE "INBOX"',
            "UID SEARCH RETURN (ALL) UID *",
            "UID SEARCH RETURN (ALL) UID 1:* SINCE 31-Dec-1999",
            "UID FETCH 1:100",
            "UID FETCH 51:100",
            "UID FETCH 1:50",
        ]
        provider.close()
