"""What a server can tell decides how changes are found, and what that costs."""

import re

import pytest
from conftest import LONG_AGO, SERVERS, new_mailbox
from imap_mailbox import connect, settle, uids
from servers.dovecot import Dovecot
from servers.fault_proxy import FaultProxy

from easycrm_mail.providers import imap_changes


class Watched:
    """A mailbox behind a proxy that counts: settled, then looked at again."""

    def __init__(self, mailbox, mails):
        self.mailbox = mailbox
        self.keys = mailbox.deliver(*range(mails), seen=True)
        self.proxy = FaultProxy(mailbox.host, mailbox.port)
        mailbox.host, mailbox.port = self.proxy.host, self.proxy.port
        self.provider = connect(mailbox)
        self.checkpoint = settle(self.provider)
        self.provider.close()

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.provider.close()
        self.proxy.close()

    def look(self):
        """One more look; gives the batch, the verbs said and the bytes passed."""
        self.provider.check()
        self.proxy.traffic(), self.proxy.commands()
        batch = self.provider.pull("INBOX", self.checkpoint, LONG_AGO)
        self.checkpoint = batch.checkpoint
        passed = self.proxy.traffic()
        verbs = [
            re.sub(r" \(UID FLAGS\)|\d+", "", command).strip()
            for command in self.proxy.commands()
            if command.startswith("UID")
        ]
        return batch, verbs, passed


@pytest.fixture(params=SERVERS)
def watch(request):
    """Gives a `Watched` of so many mails, on each kind of server in turn."""
    server = request.getfixturevalue(SERVERS[request.param])
    opened = []

    def watch(mails):
        opened.append(Watched(new_mailbox(server), mails))
        return opened[-1]

    watch.kind = request.param
    yield watch
    for one in opened:
        one.__exit__()


FLAG_COMMANDS = {
    "qresync": ["UID FETCH : (CHANGEDSINCE  VANISHED)"],
    "condstore": ["UID FETCH : (CHANGEDSINCE )"],
    "esearch": ["UID SEARCH RETURN (ALL) UID : UNSEEN"],
    "plain": ["UID SEARCH UID : UNSEEN"],
}
# The first looks for arrivals: somewhat cautious, and next to nothing.
REMOVAL_COMMANDS = {
    "qresync": ["UID SEARCH RETURN (ALL) UID :*", *FLAG_COMMANDS["qresync"]],
    "condstore": [
        "UID SEARCH RETURN (ALL) UID :*",
        *FLAG_COMMANDS["condstore"],
        "UID SEARCH RETURN (ALL) UID :",
    ],
    "esearch": [
        "UID SEARCH RETURN (ALL) UID :*",
        "UID SEARCH RETURN (ALL) UID :",
        *FLAG_COMMANDS["esearch"],
    ],
    "plain": ["UID SEARCH UID :*", "UID SEARCH UID :", *FLAG_COMMANDS["plain"]],
}


def test_each_server_is_asked_the_cheapest_it_understands(watch):
    watched = watch(20)
    watched.mailbox.mark(watched.keys[7], seen=False)
    batch, verbs, _bytes = watched.look()
    assert [(uids([one.ref]), one.is_read) for one in batch.changes] == [([8], False)]
    assert verbs == FLAG_COMMANDS[watch.kind]
    watched.mailbox.remove(watched.keys[4])
    batch, verbs, _bytes = watched.look()
    assert uids(batch.removals) == [5]
    assert verbs == REMOVAL_COMMANDS[watch.kind]


@pytest.mark.parametrize("change", ["flag", "removal"])
def test_the_cost_of_a_change_does_not_grow_with_the_folder(watch, change):
    costs = []
    for mails in (20, 2_000):
        watched = watch(mails)
        if change == "flag":
            watched.mailbox.mark(watched.keys[7], seen=False)
        else:
            watched.mailbox.remove(watched.keys[7])
        batch, verbs, passed = watched.look()
        assert uids([one.ref for one in batch.changes] + list(batch.removals)) == [8]
        costs.append((verbs, passed))
    (few_verbs, few_bytes), (many_verbs, many_bytes) = costs
    assert many_verbs == few_verbs
    grown = many_bytes - few_bytes
    if (watch.kind, change) == ("plain", "removal"):
        # Nothing but a list of UIDs tells it, on such a server: in one line.
        assert grown < 2_000 * 6
    else:
        # Longer numbers, no more
        assert grown < 60, costs


def test_a_removal_in_a_torn_folder_is_told_by_qresync_alone(dovecot):
    """Runs of UIDs are short while nothing was deleted; VANISHED always is."""
    with Watched(new_mailbox(dovecot), 400) as watched:
        watched.mailbox.remove(watched.keys[399])
        _batch, _verbs, whole = watched.look()
        for key in watched.keys[:380:2]:
            watched.mailbox.remove(key)
        watched.look()
        watched.mailbox.remove(watched.keys[101])
        batch, _verbs, torn = watched.look()
        assert uids(batch.removals) == [102]
        assert torn - whole < 60


def test_read_and_unread_swapped_between_two_looks_is_noticed(watch):
    """As many unread mails as before: only a look at each of them tells."""
    watched = watch(6)
    watched.mailbox.mark(watched.keys[1], seen=False)
    watched.look()
    watched.mailbox.mark(watched.keys[1])
    watched.mailbox.mark(watched.keys[2], seen=False)
    batch, _verbs, _bytes = watched.look()
    changes = {uids([one.ref])[0]: one.is_read for one in batch.changes}
    assert changes == {2: True, 3: False}
    idle = watched.checkpoint
    batch, _verbs, _bytes = watched.look()
    assert not batch.changes
    assert batch.checkpoint == idle


def test_very_many_unread_mails_are_not_looked_at_one_by_one(
    plain_mailbox, monkeypatch
):
    monkeypatch.setattr(imap_changes, "MAX_UNREAD", 2)
    with Watched(plain_mailbox, 6) as watched:
        for key in watched.keys[:3]:
            plain_mailbox.mark(key, seen=False)
        assert len(watched.look()[0].changes) == 3
        plain_mailbox.mark(watched.keys[0])
        plain_mailbox.mark(watched.keys[5], seen=False)
        batch, verbs, _bytes = watched.look()
        assert not batch.changes and not verbs
        # and with the next change both are seen
        plain_mailbox.mark(watched.keys[4], seen=False)
        changes = {uids([one.ref])[0]: one.is_read for one in watched.look()[0].changes}
        assert changes == {1: True, 5: False, 6: False}


def test_a_server_that_loses_an_extension_or_gains_one_is_followed(scratch):
    """The same checkpoint, whatever the server can tell from one day to the next."""
    with Dovecot(scratch / "moody", {}) as server:
        mailbox = new_mailbox(server)
        keys = mailbox.deliver(*range(8))
        provider = connect(mailbox)
        checkpoint = settle(provider)
        provider.close()
        lacking = (["QRESYNC"], ["CONDSTORE", "QRESYNC", "ESEARCH"], ["QRESYNC"], [])
        for gone, off in enumerate(lacking):
            server.set_capabilities_off(off)
            mailbox.remove(keys[gone])
            mailbox.mark(keys[gone + 4])
            provider = connect(mailbox)
            batch = provider.pull("INBOX", checkpoint, LONG_AGO)
            checkpoint = batch.checkpoint
            provider.close()
            assert uids(batch.removals) == [gone + 1]
            changed = {uids([one.ref])[0]: one.is_read for one in batch.changes}
            assert changed.pop(gone + 5) is True
            # all flags, where the server stopped counting: as they are
            assert all(
                is_read == (uid in range(5, 6 + gone))
                for uid, is_read in changed.items()
            )
