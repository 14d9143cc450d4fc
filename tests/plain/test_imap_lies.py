"""Servers that say what is not so: nothing is lost, nothing comes twice."""

import re

import pytest
from conftest import LONG_AGO, mail
from imap_mailbox import connect, numbers, pull_all, settle, uids
from servers.fault_proxy import FaultProxy

from easycrm_mail.providers import Retry, imap_page


@pytest.fixture
def proxy(any_mailbox):
    """A proxy before the mailbox, through which providers connect from now on."""
    with FaultProxy(any_mailbox.host, any_mailbox.port) as proxy:
        any_mailbox.host, any_mailbox.port = proxy.host, proxy.port
        yield proxy


@pytest.fixture
def provider(any_mailbox, proxy):
    """Signs in through the proxy."""
    provider = connect(any_mailbox, timeout=5)
    yield provider
    provider.close()


def uid_next_lies(told: str) -> dict[bytes, bytes]:
    """Whatever UIDNEXT is, to 19, it is said to be `told`; or not at all."""
    lies = {}
    for real in range(1, 20):
        lies[b"* OK [UIDNEXT %d]" % real] = (
            b"* OK [UIDNEXT %s]" % told.encode() if told else b"* OK [X-NOTHING]"
        )
        lies[b" UIDNEXT %d " % real] = b" UIDNEXT %s " % told.encode() if told else b" "
    return lies


@pytest.mark.parametrize("told", ["2", "4000000000", ""], ids=["low", "high", "none"])
def test_a_wrong_uidnext_loses_and_doubles_nothing(any_mailbox, proxy, provider, told):
    proxy.replace = uid_next_lies(told)
    keys = any_mailbox.deliver(*range(5))
    batches = pull_all(provider)
    assert [numbers(one) for one in batches] == [[4, 3, 2, 1, 0]]
    batch = provider.pull("INBOX", batches[-1].checkpoint, LONG_AGO)
    # arrivals, one by one and together
    any_mailbox.deliver(5)
    batch = provider.pull("INBOX", batch.checkpoint, LONG_AGO)
    assert numbers(batch) == [5] and not batch.reset
    any_mailbox.deliver(6, 7)
    batch = provider.pull("INBOX", batch.checkpoint, LONG_AGO)
    assert numbers(batch) == [7, 6]
    # a removal; one that an arrival makes up for; and the newest one, which
    # takes the proof along that UIDNEXT is wrong
    any_mailbox.remove(keys[0])
    batch = provider.pull("INBOX", batch.checkpoint, LONG_AGO)
    assert uids(batch.removals) == [1] and not batch.messages
    any_mailbox.remove(keys[1])
    any_mailbox.deliver(8)
    any_mailbox.mark(keys[2])
    batch = provider.pull("INBOX", batch.checkpoint, LONG_AGO)
    assert (numbers(batch), uids(batch.removals)) == ([8], [2])
    assert [uids([one.ref]) for one in batch.changes] == [[3]]
    any_mailbox.remove(any_mailbox.keys()[-1])
    batch = provider.pull("INBOX", batch.checkpoint, LONG_AGO)
    assert uids(batch.removals) == [9] and not batch.messages and not batch.reset
    assert not provider.pull("INBOX", batch.checkpoint, LONG_AGO).messages


def test_a_uidnext_known_to_be_wrong_is_no_sign_that_nothing_came(plain_mailbox):
    """One came, one went, all are read: every other number is as before."""
    keys = plain_mailbox.deliver(0, 1, 2, seen=True)
    with FaultProxy(plain_mailbox.host, plain_mailbox.port) as proxy:
        plain_mailbox.host, plain_mailbox.port = proxy.host, proxy.port
        proxy.replace = uid_next_lies("2")
        provider = connect(plain_mailbox)
        checkpoint = settle(provider)
        plain_mailbox.remove(keys[0])
        plain_mailbox.deliver(3, seen=True)
        batch = provider.pull("INBOX", checkpoint, LONG_AGO)
        assert (numbers(batch), uids(batch.removals)) == ([3], [1])
        provider.close()


def test_a_uidnext_that_comes_to_its_senses_begins_nothing_anew(
    any_mailbox, proxy, provider
):
    any_mailbox.deliver(1, 2)
    for told in ("4000000000", "1", ""):
        proxy.replace = uid_next_lies(told)
        checkpoint = settle(provider)
        provider.close()
        proxy.replace = {}
        any_mailbox.deliver(3)
        batch = provider.pull("INBOX", checkpoint, LONG_AGO)
        assert numbers(batch) == [3] and not batch.reset
        any_mailbox.remove(any_mailbox.keys()[-1])


def test_status_and_examine_that_disagree_cost_a_look_and_no_more(
    any_mailbox, proxy, provider
):
    any_mailbox.deliver(1, 2, 3)
    checkpoint = settle(provider)
    proxy.replace = {b" UIDNEXT 4 ": b" UIDNEXT 3 ", b" MESSAGES 3 ": b" MESSAGES 9 "}
    for _look in range(3):
        batch = provider.pull("INBOX", checkpoint, LONG_AGO)
        assert not batch.messages and not batch.removals and not batch.reset
        checkpoint = batch.checkpoint


def test_mails_without_a_message_id_come_like_all_others(any_mailbox, provider):
    """Two of them alike, too: what a mail is called is none of a folder's business."""
    raw = mail(1).replace(b"Message-ID: <1@example.com>\r\n", b"")
    for _copy in range(2):
        any_mailbox.server.deliver(any_mailbox.login, raw)
    any_mailbox.deliver(2)
    batches = pull_all(provider)
    assert [one.raw for batch in batches for one in batch.messages] == [
        mail(2),
        raw,
        raw,
    ]
    refs = [one.ref for batch in batches for one in batch.messages]
    assert len(set(refs)) == 3


def test_a_drop_in_each_mails_middle_once(any_mailbox, proxy, provider, monkeypatch):
    monkeypatch.setattr(imap_page, "CHUNK_MAILS", 2)
    any_mailbox.deliver(*range(6), size=2_000)
    for after in (300, 2_300, 4_400):
        proxy.spring(b"BODY.PEEK[]", "close", after=after, times=1)
        batches = pull_all(provider)
        assert [number for one in batches for number in numbers(one)] == [
            *range(5, -1, -1)
        ]
        assert {one.raw for batch in batches for one in batch.messages} == {
            mail(number, 2_000) for number in range(6)
        }
        assert not any(one.set_aside for one in batches)


def test_slow_bytes_are_waited_for_as_long_as_they_come(any_mailbox, proxy, provider):
    any_mailbox.deliver(1, 2)
    proxy.drip = 0.0005
    batches = pull_all(provider)
    assert [number for one in batches for number in numbers(one)] == [2, 1]


def test_a_count_that_goes_back_takes_all_flags_anew(mailbox, dovecot):
    """As after a restored index: nothing "changed since" the old, higher number."""
    keys = mailbox.deliver(*range(4))
    for _change in range(3):
        mailbox.mark(keys[0])
        mailbox.mark(keys[0], seen=False)
    with FaultProxy(mailbox.host, mailbox.port) as proxy:
        mailbox.host, mailbox.port = proxy.host, proxy.port
        provider = connect(mailbox)
        checkpoint = settle(provider)
        provider.close()
        high = re.search(r'"at":\[\d+,\d+,(\d+)', checkpoint)
        ahead = checkpoint.replace(
            high[0], high[0].removesuffix(high[1]) + str(int(high[1]) + 100)
        )
        mailbox.mark(keys[1])
        mailbox.remove(keys[2])
        batch = provider.pull("INBOX", ahead, LONG_AGO)
        assert uids(batch.removals) == [3]
        assert {uids([one.ref])[0]: one.is_read for one in batch.changes} == {
            1: False,
            2: True,
            4: False,
        }
        # from here on it counts again
        proxy.commands()
        mailbox.mark(keys[3])
        batch = provider.pull("INBOX", batch.checkpoint, LONG_AGO)
        assert [uids([one.ref]) for one in batch.changes] == [[4]]
        assert not any("UNSEEN" in command for command in proxy.commands())
        provider.close()


def test_a_folder_that_does_not_count_is_read_the_plain_way(mailbox):
    """NOMODSEQ (RFC 7162, 3.1.2.2) on a server that counts elsewhere."""
    keys = mailbox.deliver(*range(4))
    with FaultProxy(mailbox.host, mailbox.port) as proxy:
        mailbox.host, mailbox.port = proxy.host, proxy.port
        for number in range(1, 40):
            proxy.replace[b"OK [HIGHESTMODSEQ %d]" % number] = b"OK [NOMODSEQ]"
            proxy.replace[b"HIGHESTMODSEQ %d" % number] = b"HIGHESTMODSEQ 0"
        provider = connect(mailbox)
        checkpoint = settle(provider)
        proxy.commands()
        mailbox.mark(keys[1])
        mailbox.remove(keys[2])
        batch = provider.pull("INBOX", checkpoint, LONG_AGO)
        assert uids(batch.removals) == [3]
        assert [(uids([one.ref]), one.is_read) for one in batch.changes] == [
            ([2], True)
        ]
        # CHANGEDSINCE would be refused
        assert not any("CHANGEDSINCE" in command for command in proxy.commands())
        assert provider.pull("INBOX", batch.checkpoint, LONG_AGO).checkpoint == (
            batch.checkpoint
        )
        provider.close()


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        # more than there ever was
        ("1:4", "1:4294967295"),
        ("2", "2,77:90"),
        # another one, none, and not all
        ("2", "90"),
        ("2", ""),
        ("2:3", "2"),
    ],
)
def test_what_vanished_may_be_more_or_less_than_what_went(mailbox, gone, told):
    """UIDs never seen are no news; one that is left out is found by the count."""
    keys = mailbox.deliver(*range(4))
    with FaultProxy(mailbox.host, mailbox.port) as proxy:
        mailbox.host, mailbox.port = proxy.host, proxy.port
        provider = connect(mailbox)
        checkpoint = settle(provider)
        first, _colon, last = gone.partition(":")
        removed = [*range(int(first), int(last or first) + 1)]
        for uid in removed:
            mailbox.remove(keys[uid - 1])
        lie = f"* VANISHED (EARLIER) {told}\r\n" if told else ""
        proxy.replace[f"* VANISHED (EARLIER) {gone}\r\n".encode()] = lie.encode()
        batch = provider.pull("INBOX", checkpoint, LONG_AGO)
        assert uids(batch.removals) == removed
        assert not provider.pull("INBOX", batch.checkpoint, LONG_AGO).removals
        provider.close()


def test_what_vanished_in_one_folder_is_not_taken_out_of_another(mailbox):
    """Told unasked, in the middle of anything, once QRESYNC is on."""
    mailbox.create_folder("Projects")
    mailbox.deliver(1, 2, 3)
    keys = mailbox.deliver(4, 5, folder="Projects")
    with FaultProxy(mailbox.host, mailbox.port) as proxy:
        mailbox.host, mailbox.port = proxy.host, proxy.port
        provider = connect(mailbox)
        inbox, projects = settle(provider), settle(provider, "Projects")
        mailbox.deliver(6)
        proxy.replace = {b"* 4 FETCH (UID 4": b"* VANISHED 2\r\n* 4 FETCH (UID 4"}
        assert numbers(provider.pull("INBOX", inbox, LONG_AGO)) == [6]
        proxy.replace = {}
        mailbox.mark(keys[0], folder="Projects")
        batch = provider.pull("Projects", projects, LONG_AGO)
        assert not batch.removals
        assert [uids([one.ref]) for one in batch.changes] == [[1]]
        provider.close()


@pytest.mark.parametrize("line", [b"* 1 EXPUNGE\r\n", b"* VANISHED 1\r\n"])
def test_an_expunge_in_the_middle_of_a_fetch_shifts_nothing(
    any_mailbox, proxy, provider, line
):
    """Numbers move up by it; mails are told apart by UID."""
    any_mailbox.deliver(1, 2, 3, 4)
    proxy.replace = {
        b"* 3 FETCH (UID 3": line + b"* 2 FETCH (UID 3",
        b"* 4 FETCH (UID 4": b"* 3 FETCH (UID 4",
    }
    batches = pull_all(provider)
    got = {one.ref.split(":")[1]: one.raw for b in batches for one in b.messages}
    assert got == {str(number): mail(number) for number in (1, 2, 3, 4)}
    # It did not go, as a look at the folder tells.
    assert not provider.pull("INBOX", batches[-1].checkpoint, LONG_AGO).removals


def test_a_search_without_an_answer_is_not_taken_for_an_empty_folder(mailbox):
    mailbox.deliver(1, 2)
    with FaultProxy(mailbox.host, mailbox.port) as proxy:
        mailbox.host, mailbox.port = proxy.host, proxy.port
        provider = connect(mailbox)
        proxy.replace = {b"* ESEARCH": b"* X-SEARCH"}
        with pytest.raises(Retry, match="no answer") as caught:
            provider.pull("INBOX", "", LONG_AGO)
        assert caught.value.code == "answer"
        proxy.replace = {}
        assert numbers(provider.pull("INBOX", "", LONG_AGO)) == [2, 1]
        provider.close()


def test_a_search_that_finds_more_than_any_folder_holds_is_no_answer(mailbox):
    mailbox.deliver(1, 2)
    with FaultProxy(mailbox.host, mailbox.port) as proxy:
        mailbox.host, mailbox.port = proxy.host, proxy.port
        proxy.replace = {b" UID ALL 1:2\r\n": b" UID ALL 1:4294967295\r\n"}
        provider = connect(mailbox)
        with pytest.raises(Retry) as caught:
            provider.pull("INBOX", "", LONG_AGO)
        assert caught.value.code == "answer"
        provider.close()


def test_nor_may_it_find_them_range_by_range(mailbox):
    mailbox.deliver(1, 2)
    with FaultProxy(mailbox.host, mailbox.port) as proxy:
        mailbox.host, mailbox.port = proxy.host, proxy.port
        ranges = b"1:2000000,2000001:4000000,4000001:6000000"
        proxy.replace = {b" UID ALL 1:2\r\n": b" UID ALL " + ranges + b"\r\n"}
        provider = connect(mailbox)
        with pytest.raises(Retry, match="more UIDs") as caught:
            provider.pull("INBOX", "", LONG_AGO)
        assert caught.value.code == "answer"
        provider.close()


def test_a_mail_beyond_all_measure_is_set_aside_unread(any_mailbox, proxy, provider):
    """It is known before a byte of it is read, and nobody waits for the rest."""
    any_mailbox.deliver(1, 2, 3)
    proxy.rewrite = lambda data: re.sub(
        rb"(\(UID 2 [^\r]*BODY\[\] )\{\d+\}", rb"\1{3500000000}", data
    )
    batch = provider.pull("INBOX", "", LONG_AGO)
    assert numbers(batch) == [3, 1] and batch.settled
    assert [one.ref.split(":")[1] for one in batch.set_aside] == ["2"]
    ref = batch.set_aside[0].ref
    with pytest.raises(Retry, match="far more") as caught:
        provider.fetch("INBOX", ref)
    assert caught.value.code == "answer"
    proxy.heal()
    assert provider.fetch("INBOX", ref).raw == mail(2)


def test_an_answer_of_endless_lines_is_given_up(any_mailbox, proxy, provider):
    any_mailbox.deliver(1)
    noise = b"* OK " + b"x" * 500_000 + b"\r\n"
    proxy.rewrite = lambda data: re.sub(
        rb"^\* 1 FETCH", lambda found: noise * 140 + found[0], data
    )
    with pytest.raises(Retry, match="far more"):
        provider.pull("INBOX", "", LONG_AGO)
    proxy.heal()
    assert numbers(provider.pull("INBOX", "", LONG_AGO)) == [1]


def test_mails_larger_than_they_are_said_to_be_fill_a_page(
    any_mailbox, proxy, provider, monkeypatch
):
    monkeypatch.setattr(imap_page, "CHUNK_MAILS", 2)
    monkeypatch.setattr(imap_page, "PAGE_BYTES", 10_000)
    any_mailbox.deliver(*range(6), size=15_000)
    proxy.rewrite = lambda data: re.sub(
        rb"RFC822\.SIZE \d+", lambda found: b"RFC822.SIZE 1", data
    )
    batches = pull_all(provider)
    assert [numbers(one) for one in batches] == [[5, 4], [3, 2], [1, 0]]


def test_a_server_that_answers_in_the_old_way_is_understood(mailbox):
    """ESEARCH on offer, and a plain SEARCH in return."""
    mailbox.deliver(1, 2, 3)
    with FaultProxy(mailbox.host, mailbox.port) as proxy:
        mailbox.host, mailbox.port = proxy.host, proxy.port
        proxy.rewrite = lambda data: re.sub(
            rb'\* ESEARCH \(TAG "\w+"\) UID ALL (\d)(?::(\d))?',
            lambda found: (
                b"* SEARCH "
                + b" ".join(
                    b"%d" % uid
                    for uid in range(int(found[1]), int(found[2] or found[1]) + 1)
                )
            ),
            data,
        )
        provider = connect(mailbox)
        assert numbers(provider.pull("INBOX", "", LONG_AGO)) == [3, 2, 1]
        provider.close()


def test_an_extension_that_is_offered_and_refused_is_done_without(mailbox):
    keys = mailbox.deliver(1, 2)
    with FaultProxy(mailbox.host, mailbox.port) as proxy:
        mailbox.host, mailbox.port = proxy.host, proxy.port
        proxy.replace = {b"OK Enabled": b"BAD What?", b"* ENABLED": b"* NOTHING"}
        provider = connect(mailbox)
        checkpoint = settle(provider)
        mailbox.mark(keys[0])
        mailbox.remove(keys[1])
        batch = provider.pull("INBOX", checkpoint, LONG_AGO)
        assert uids(batch.removals) == [2]
        assert [uids([one.ref]) for one in batch.changes] == [[1]]
        assert not any("VANISHED" in command for command in proxy.commands())
        provider.close()
