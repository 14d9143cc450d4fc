"""A mail that never comes in time does not keep the others; a slow service is slow.

Gmail and Microsoft 365; IMAP's are in `test_imap_slow`.
"""

import json
import re
from urllib.parse import quote

import pytest
from conftest import LONG_AGO
from gmail_mailbox import Mirror, connect, fill
from graph_mailbox import Ledger

from easycrm_mail.providers import Retry

TIMEOUT = 0.6
#: Never, as far as a provider can see.
LATE = {"kind": "slow", "seconds": 6, "times": 1_000}
WORDS = "The email does not arrive in time; the server was asked for it 3 times."


class Gmail:
    """A mailbox at Gmail."""

    any_mail, batch, stream = "/messages/", "^POST /batch", "all"

    def __init__(self, gmail):
        self.server = gmail
        self.store = Mirror()
        self._count = 0

    def deliver(self, count):
        """Mails, each newer than the one before; gives their refs."""
        self._count += count
        return fill(self.server, count, first=self._count)

    def connect(self, timeout):
        return connect(self.server, timeout=timeout)

    def of_mail(self, ref):
        """The pattern of what asks for one mail, alone or in a batch."""
        return f"/messages/{ref}"


class Outlook:
    """A folder of Microsoft 365."""

    any_mail, batch = r"/messages/.*/\$value", r"^POST /v1.0/\$batch"

    def __init__(self, graph):
        self.server = graph.server
        self.stream = graph.inbox
        self.store = Ledger()
        self.connect = lambda timeout: graph.provider(timeout=timeout)
        self._graph = graph
        self._count = 0

    def deliver(self, count):
        self._count += count
        return self._graph.deliver(*range(self._count - count, self._count))

    def of_mail(self, ref):
        return re.escape(f"/messages/{quote(ref, safe='')}/$value")


SERVICES = {"gmail": Gmail, "graph": Outlook}


@pytest.fixture(params=SERVICES)
def service(request):
    return SERVICES[request.param](request.getfixturevalue(request.param))


@pytest.fixture
def provider(service):
    provider = service.connect(TIMEOUT)
    yield provider
    provider.close()


def pull(service, provider):
    """The next batch, stored."""
    store = service.store
    batch = provider.pull(service.stream, store.checkpoint, LONG_AGO)
    store.store(batch)
    return batch


def read_through(service, provider):
    """Pulls to the end, as a sync does.

    Where the machine stands still for longer than `TIMEOUT`, a good mail is late as
    well: what could not be told apart is tried again, three times at most.
    """
    retries = 3
    for _pull in range(40):
        try:
            if not pull(service, provider).more:
                return
        except Retry as error:
            retries -= 1
            if error.code != "timeout" or retries < 0:
                raise
    raise AssertionError("it never ends")


@pytest.mark.parametrize("is_first", [True, False], ids=["listing", "settled"])
@pytest.mark.parametrize("culprit", [0, 5, 7], ids=["oldest", "amid", "newest"])
def test_one_that_never_comes_is_set_aside_and_the_rest_is_here(
    service, provider, culprit, is_first
):
    refs = service.deliver(8)
    if not is_first:
        read_through(service, provider)
        refs = service.deliver(8)
    service.server.break_(service.of_mail(refs[culprit]), **LATE)
    read_through(service, provider)
    assert service.store.set_aside == {refs[culprit]: WORDS}
    assert set(refs) - service.store.mails.keys() == {refs[culprit]}
    assert service.store.settled
    assert "slow" not in json.loads(service.store.checkpoint)
    # It is asked for no more.
    after = pull(service, provider)
    assert not after.more and not after.messages and not after.set_aside


def test_two_that_never_come_are_set_aside(service, provider):
    refs = service.deliver(6)
    for ref in refs[1:3]:
        service.server.break_(service.of_mail(ref), **LATE)
    read_through(service, provider)
    assert service.store.set_aside == dict.fromkeys(refs[1:3], WORDS)
    assert len(service.store.mails) == 4


def test_a_new_one_alone_that_never_comes_does_not_keep_the_next(service, provider):
    service.deliver(2)
    read_through(service, provider)
    [late] = service.deliver(1)
    service.server.break_(service.of_mail(late), **LATE)
    first = pull(service, provider)
    assert first.more and not first.messages and not first.set_aside
    [new] = service.deliver(1)
    for _look in range(2):
        read_through(service, provider)
    assert new in service.store.mails
    assert service.store.set_aside == {late: WORDS}


def test_one_that_comes_after_all_is_here(service, provider):
    """In between, whoever reads on is another process."""
    refs = service.deliver(4)
    service.server.break_(service.of_mail(refs[2]), **LATE)
    assert pull(service, provider).more
    assert pull(service, service.connect(TIMEOUT)).more
    service.server.mend()
    read_through(service, service.connect(TIMEOUT))
    assert service.store.mails.keys() == {*refs}
    assert not service.store.set_aside and service.store.settled


def test_one_that_comes_slowly_is_given_more_time(service):
    """It takes longer than an answer may, and less than a call may."""
    service.deliver(2)
    provider = service.connect(2)
    read_through(service, provider)
    [slow] = service.deliver(1)
    service.server.break_(service.of_mail(slow), "drip", seconds=2.8, times=9)
    first = pull(service, provider)
    assert first.more and not first.messages
    second = pull(service, provider)
    assert [one.ref for one in second.messages] == [slow]
    assert not second.set_aside and not second.more


def test_one_that_drips_for_ever_is_set_aside(service, provider):
    """No single byte is late."""
    refs = service.deliver(3)
    read_through(service, provider)
    [late] = service.deliver(1)
    service.server.break_(service.of_mail(late), "drip", seconds=30, times=1_000)
    read_through(service, provider)
    assert service.store.set_aside == {late: WORDS}
    assert service.store.mails.keys() == {*refs}


def test_batches_that_never_come_are_fetched_one_by_one(service, provider):
    """A line so slow that no batch gets through, but every mail."""
    refs = service.deliver(8)
    service.server.break_(service.batch, **LATE)
    read_through(service, provider)
    assert service.store.mails.keys() == {*refs}
    assert not service.store.set_aside and service.store.settled


@pytest.mark.parametrize("is_first", [True, False], ids=["listing", "settled"])
def test_where_no_mail_comes_at_all_it_is_the_service(service, provider, is_first):
    """Lists come, mails do not: nothing is set aside, ever."""
    refs = service.deliver(6)
    if not is_first:
        read_through(service, provider)
        refs += service.deliver(2)
    service.server.break_(service.any_mail, **LATE)
    for _pull in range(3):
        with pytest.raises(Retry) as caught:
            pull(service, provider)
        assert caught.value.code == "timeout"
    service.server.mend()
    read_through(service, provider)
    assert service.store.mails.keys() == {*refs}
    assert not service.store.set_aside
