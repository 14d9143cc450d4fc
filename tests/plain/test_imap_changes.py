"""After the listing: arrivals, flags, removals, moves; what an idle folder costs."""

import json

import pytest
from conftest import LONG_AGO
from imap_mailbox import connect, numbers, pull_all, settle, uids
from servers.fault_proxy import FaultProxy

from easycrm_mail.providers import ReadChange, imap_page


@pytest.fixture
def provider(any_mailbox):
    """Signed in to the mailbox."""
    provider = connect(any_mailbox)
    yield provider
    provider.close()


def test_new_mail_comes_alone(any_mailbox, provider):
    any_mailbox.deliver(1, 2)
    checkpoint = settle(provider)
    any_mailbox.deliver(3, 4)
    batch = provider.pull("INBOX", checkpoint, LONG_AGO)
    assert numbers(batch) == [4, 3]
    assert not batch.changes and not batch.removals
    assert not batch.more and not batch.reset and not batch.settled
    assert (batch.done, batch.total) == (0, 0)
    assert not provider.pull("INBOX", batch.checkpoint, LONG_AGO).messages


def test_a_search_answered_with_the_last_mail_brings_nothing_twice(mailbox):
    """`n:*` and a range above the last UID mean the last mail to some servers."""
    keys = mailbox.deliver(1, 2)
    with FaultProxy(mailbox.host, mailbox.port) as proxy:
        mailbox.host, mailbox.port = proxy.host, proxy.port
        provider = connect(mailbox)
        checkpoint = settle(provider)
        keys += mailbox.deliver(3)
        settle(provider)
        mailbox.remove(keys[2])
        proxy.replace = {b"* SEARCH\r\n": b"* SEARCH 2\r\n"}
        batch = provider.pull("INBOX", checkpoint, LONG_AGO)
        assert not batch.messages and not batch.more
        provider.close()


def test_much_new_mail_comes_in_pages(any_mailbox, provider, monkeypatch):
    any_mailbox.deliver(1)
    checkpoint = settle(provider)
    monkeypatch.setattr(imap_page, "PAGE_MAILS", 10)
    keys = any_mailbox.deliver(*range(100, 125))
    first = provider.pull("INBOX", checkpoint, LONG_AGO)
    any_mailbox.remove(keys[-1])
    any_mailbox.mark(any_mailbox.keys()[0])
    batches = [first, *pull_all(provider, first.checkpoint)]
    assert [len(one.messages) for one in batches] == [10, 10, 5]
    assert numbers(batches[0])[0] == 124
    assert not any(one.settled for one in batches)
    assert uids(batches[-1].removals) == [26]
    assert [(uids([one.ref]), one.is_read) for one in batches[-1].changes][:1] == [
        ([1], True)
    ]


def test_reading_and_unreading_elsewhere_is_noticed(any_mailbox, provider):
    read, unread = any_mailbox.deliver(1, 2)
    any_mailbox.mark(unread)
    checkpoint = settle(provider)
    any_mailbox.mark(read)
    first = provider.pull("INBOX", checkpoint, LONG_AGO)
    assert [(uids([one.ref]), one.is_read) for one in first.changes] == [([1], True)]
    any_mailbox.mark(unread, seen=False)
    second = provider.pull("INBOX", first.checkpoint, LONG_AGO)
    assert [(uids([one.ref]), one.is_read) for one in second.changes] == [([2], False)]
    assert not second.messages and not second.removals
    assert not provider.pull("INBOX", second.checkpoint, LONG_AGO).changes


def test_flags_changed_during_the_listing_are_caught_up(
    any_mailbox, provider, monkeypatch
):
    monkeypatch.setattr(imap_page, "PAGE_MAILS", 10)
    keys = any_mailbox.deliver(*range(15))
    first = provider.pull("INBOX", "", LONG_AGO)
    any_mailbox.mark(keys[14])
    last = pull_all(provider, first.checkpoint)[-1]
    after = provider.pull("INBOX", last.checkpoint, LONG_AGO)
    uid_validity = first.messages[0].ref.split(":")[0]
    assert after.changes == [ReadChange(f"{uid_validity}:15", True)]


def test_removal_is_noticed_also_together_with_arrivals(any_mailbox, provider):
    keys = any_mailbox.deliver(*range(5))
    checkpoint = settle(provider)
    any_mailbox.remove(keys[1])
    first = provider.pull("INBOX", checkpoint, LONG_AGO)
    assert uids(first.removals) == [2]
    # As many came as went: the number of mails says nothing.
    any_mailbox.remove(keys[3])
    any_mailbox.deliver(9)
    second = provider.pull("INBOX", first.checkpoint, LONG_AGO)
    assert uids(second.removals) == [4]
    assert numbers(second) == [9]
    assert not provider.pull("INBOX", second.checkpoint, LONG_AGO).removals


def test_an_emptied_folder_reports_all(any_mailbox, provider):
    keys = any_mailbox.deliver(1, 2, 3)
    checkpoint = settle(provider)
    for key in keys:
        any_mailbox.remove(key)
    batch = provider.pull("INBOX", checkpoint, LONG_AGO)
    assert uids(batch.removals) == [1, 2, 3]
    assert not provider.pull("INBOX", batch.checkpoint, LONG_AGO).removals


def test_move_is_a_removal_here_and_an_arrival_there(any_mailbox, provider):
    any_mailbox.create_folder("Projects")
    keys = any_mailbox.deliver(1, 2)
    inbox, projects = settle(provider), settle(provider, "Projects")
    any_mailbox.move(keys[0], "INBOX", "Projects")
    left = provider.pull("INBOX", inbox, LONG_AGO)
    arrived = provider.pull("Projects", projects, LONG_AGO)
    assert uids(left.removals) == [1]
    assert numbers(arrived) == [1]


def test_the_mailbox_stays_as_it_was(any_mailbox, provider):
    keys = any_mailbox.deliver(1, 2, 3)
    any_mailbox.mark(keys[0])
    before = any_mailbox.snapshot()
    checkpoint = settle(provider)
    message = pull_all(provider)[0].messages[0]
    provider.fetch("INBOX", message.ref)
    any_mailbox.deliver(4)
    provider.pull("INBOX", checkpoint, LONG_AGO)
    provider.close()
    after = [entry for entry in any_mailbox.snapshot() if entry in before]
    assert after == before
    assert [any_mailbox.is_seen(key) for key in keys] == [True, False, False]


def test_nothing_that_could_change_a_mailbox_is_said(any_mailbox):
    any_mailbox.deliver(1, 2, 3)
    with FaultProxy(any_mailbox.host, any_mailbox.port) as proxy:
        any_mailbox.host, any_mailbox.port = proxy.host, proxy.port
        provider = connect(any_mailbox)
        settle(provider)
        provider.fetch("INBOX", provider.pull("INBOX", "", LONG_AGO).messages[0].ref)
        provider.streams()
        provider.close()
        commands = proxy.commands()
    verbs = {command.split()[0] for command in commands}
    allowed = (
        "CAPABILITY AUTHENTICATE ENABLE LIST STATUS EXAMINE UID UNSELECT CLOSE LOGOUT"
    )
    assert verbs <= set(allowed.split())
    fetched = [command for command in commands if "BODY" in command]
    assert fetched
    assert all("BODY.PEEK[]" in command for command in fetched)


@pytest.mark.parametrize("counts", [True, False])
def test_an_idle_folder_costs_one_status(counts, request):
    mailbox = request.getfixturevalue("mailbox" if counts else "plain_mailbox")
    mailbox.deliver(*range(20))
    with FaultProxy(mailbox.host, mailbox.port) as proxy:
        mailbox.host, mailbox.port = proxy.host, proxy.port
        provider = connect(mailbox)
        checkpoint = settle(provider)
        provider.close()
        provider.check()
        provider.pull("Sent" if counts else "Gesendet", "", LONG_AGO)
        proxy.commands()
        batch = provider.pull("INBOX", checkpoint, LONG_AGO)
        assert batch.checkpoint == checkpoint
        assert not batch.messages and not batch.more
        last = "HIGHESTMODSEQ" if counts else "UNSEEN"
        commands = proxy.commands()
        assert commands[1:] == [f'STATUS "INBOX" (UIDVALIDITY UIDNEXT MESSAGES {last})']
        assert commands[0] in ("UNSELECT", "CLOSE")
        assert provider.pull("INBOX", checkpoint, LONG_AGO).checkpoint == checkpoint
        assert len(proxy.commands()) == 1
        provider.close()


def test_condstore_asks_for_changed_flags_only(mailbox):
    keys = mailbox.deliver(*range(20))
    with FaultProxy(mailbox.host, mailbox.port) as proxy:
        mailbox.host, mailbox.port = proxy.host, proxy.port
        provider = connect(mailbox)
        checkpoint = settle(provider)
        mailbox.mark(keys[7])
        proxy.commands()
        changes = provider.pull("INBOX", checkpoint, LONG_AGO).changes
        assert uids([one.ref for one in changes]) == [8]
        said = proxy.commands()
        assert any("CHANGEDSINCE" in command for command in said)
        assert not any("SEARCH" in command for command in said)
        provider.close()


def test_a_server_that_stops_counting_is_followed(mailbox, dovecot):
    keys = mailbox.deliver(*range(5))
    provider = connect(mailbox)
    checkpoint = settle(provider)
    provider.close()
    mailbox.mark(keys[2])
    provider._connected().has_mod_seq = False
    batch = provider.pull("INBOX", checkpoint, LONG_AGO)
    assert {uids([one.ref])[0]: one.is_read for one in batch.changes}[3] is True
    mailbox.mark(keys[3])
    later = provider.pull("INBOX", batch.checkpoint, LONG_AGO)
    assert [(uids([one.ref]), one.is_read) for one in later.changes] == [([4], True)]
    provider._connection.has_mod_seq = True
    mailbox.mark(keys[4])
    again = provider.pull("INBOX", later.checkpoint, LONG_AGO)
    assert [(uids([one.ref]), one.is_read) for one in again.changes] == [([5], True)]
    assert "unread" not in json.loads(again.checkpoint)
    provider.close()


def test_a_checkpoint_stays_small(any_mailbox, provider):
    keys = any_mailbox.deliver(*range(1_000))
    for key in keys[::50]:
        any_mailbox.remove(key)
    checkpoint = settle(provider)
    assert len(checkpoint) < 400
