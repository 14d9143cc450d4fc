"""A mail that never comes in time does not keep the others; a slow server is slow."""

import json
import time

import pytest
from conftest import LONG_AGO, mail
from imap_mailbox import connect, numbers, uids
from servers.fault_proxy import FaultProxy

from easycrm_mail.providers import Retry, imap_page

TIMEOUT = 0.5


@pytest.fixture
def proxy(any_mailbox):
    """A proxy before the mailbox, through which providers connect from now on."""
    with FaultProxy(any_mailbox.host, any_mailbox.port) as proxy:
        any_mailbox.host, any_mailbox.port = proxy.host, proxy.port
        yield proxy


@pytest.fixture
def provider(any_mailbox, proxy, monkeypatch):
    """Signs in through the proxy; few mails a page, little patience."""
    monkeypatch.setattr(imap_page, "PAGE_MAILS", 10)
    monkeypatch.setattr(imap_page, "CHUNK_MAILS", 4)
    provider = connect(any_mailbox, timeout=TIMEOUT)
    yield provider
    provider.close()


def pull(provider, checkpoint):
    """The next batch; asked for again, as a sync does, where the machine is slow.

    No call may take longer than it is allowed to.
    """
    for attempt in range(5):
        started = time.monotonic()
        try:
            return provider.pull("INBOX", checkpoint, LONG_AGO)
        except Retry as error:
            if error.code != "timeout" or attempt == 4:
                raise
        finally:
            assert time.monotonic() - started < TIMEOUT * 2 + 10


def read_through(provider, checkpoint="", pulls=20):
    """Batches to the end."""
    batches = []
    while not batches or batches[-1].more:
        batches.append(pull(provider, checkpoint))
        checkpoint = batches[-1].checkpoint
        assert len(batches) <= pulls
    return batches


def set_aside(batches):
    """What was set aside, as UID -> why."""
    return {uids([one.ref])[0]: one.error for b in batches for one in b.set_aside}


@pytest.mark.parametrize("culprit", [0, 5, 7], ids=["oldest", "amid", "newest"])
def test_one_that_never_comes_is_set_aside_and_the_rest_is_here(
    any_mailbox, proxy, provider, culprit
):
    any_mailbox.deliver(*range(8))
    proxy.stall_at = f"Subject: mail {culprit}\r\n".encode()
    batches = read_through(provider)
    got = [number for one in batches for number in numbers(one)]
    assert sorted(got) == [number for number in range(8) if number != culprit]
    assert set_aside(batches) == {
        culprit + 1: "The email does not arrive in time; "
        "the server was asked for it 3 times."
    }
    assert batches[-1].settled
    assert "slow" not in json.loads(batches[-1].checkpoint)
    # It is known: asked for no more, and missed when it goes.
    after = pull(provider, batches[-1].checkpoint)
    assert not after.messages and not after.set_aside
    any_mailbox.remove(any_mailbox.keys()[culprit])
    after = pull(provider, after.checkpoint)
    assert uids(after.removals) == [culprit + 1]


def test_a_new_one_alone_that_never_comes_is_set_aside(any_mailbox, proxy, provider):
    any_mailbox.deliver(1, 2)
    checkpoint = read_through(provider)[-1].checkpoint
    any_mailbox.deliver(3)
    proxy.stall_at = b"Subject: mail 3\r\n"
    batches = read_through(provider, checkpoint)
    assert list(set_aside(batches)) == [3]
    # What came after it is not kept waiting
    any_mailbox.deliver(4)
    batches = read_through(provider, batches[-1].checkpoint)
    assert [number for one in batches for number in numbers(one)] == [4]


def test_new_mail_passes_one_that_does_not_come(any_mailbox, proxy, provider):
    any_mailbox.deliver(1, 2)
    checkpoint = read_through(provider)[-1].checkpoint
    any_mailbox.deliver(3)
    proxy.stall_at = b"Subject: mail 3\r\n"
    first = pull(provider, checkpoint)
    assert first.more and not first.messages and not first.set_aside
    any_mailbox.deliver(4)
    second = pull(provider, first.checkpoint)
    assert numbers(second) == [4]
    proxy.stall_at = b""
    third = pull(provider, second.checkpoint)
    assert numbers(third) == [3] and not third.more


def test_one_that_comes_slowly_is_given_more_time(any_mailbox, proxy):
    """It takes longer than an answer may, and less than a call may."""
    any_mailbox.deliver(1, 2)
    provider = connect(any_mailbox, timeout=2)
    checkpoint = read_through(provider)[-1].checkpoint
    any_mailbox.deliver(3, size=120_000)
    proxy.pace = 50_000
    first = pull(provider, checkpoint)
    assert first.more and not first.messages
    second = pull(provider, first.checkpoint)
    assert [one.raw for one in second.messages] == [mail(3, 120_000)]
    assert not second.set_aside
    provider.close()


@pytest.mark.parametrize("is_first", [True, False], ids=["listing", "settled"])
def test_where_no_mail_comes_at_all_it_is_the_server(
    any_mailbox, proxy, provider, is_first
):
    """Sign-in and lists work, bodies do not: nothing is set aside, ever."""
    checkpoint = ""
    any_mailbox.deliver(*range(6))
    if not is_first:
        checkpoint = read_through(provider)[-1].checkpoint
        any_mailbox.deliver(6, 7)
    proxy.stall_at = b"Subject: mail "
    for _pull in range(3):
        with pytest.raises(Retry) as caught:
            provider.pull("INBOX", checkpoint, LONG_AGO)
        assert caught.value.code == "timeout"
    proxy.stall_at = b""
    batches = read_through(provider, checkpoint)
    assert len([number for one in batches for number in numbers(one)]) == (
        6 if is_first else 2
    )
    assert not set_aside(batches)


def test_a_server_that_hangs_for_a_while_costs_no_mail(any_mailbox, proxy, provider):
    """What was late once is asked for again, and then forgotten to have been late."""
    any_mailbox.deliver(*range(8))
    proxy.spring(b"BODY.PEEK[]", "silence", after=900, times=1)
    batches = read_through(provider)
    assert sorted(number for one in batches for number in numbers(one)) == [*range(8)]
    assert not set_aside(batches)
    assert batches[-1].settled
    state = json.loads(batches[-1].checkpoint)
    assert "slow" not in state and "backlog" not in state


def test_a_connection_that_drips_for_ever_is_cut_in_time(any_mailbox, proxy, provider):
    any_mailbox.deliver(1, 2)
    checkpoint = read_through(provider)[-1].checkpoint
    any_mailbox.deliver(3, size=20_000)
    proxy.drip = 0.02
    started = time.monotonic()
    with pytest.raises(Retry) as caught:
        provider.pull("INBOX", checkpoint, LONG_AGO)
    assert caught.value.code == "timeout"
    assert time.monotonic() - started < TIMEOUT * 2 + 10


def test_a_sign_in_that_drips_is_cut_in_time(any_mailbox, proxy, provider):
    """No single byte is late, so no time-out of the socket ever ends it."""
    proxy.drip = TIMEOUT / 4
    started = time.monotonic()
    with pytest.raises(Retry) as caught:
        provider.check()
    assert caught.value.code == "timeout"
    assert time.monotonic() - started < TIMEOUT * 2 + 10
    proxy.drip = 0
    provider.check()
