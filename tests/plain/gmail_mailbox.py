"""A mailbox on the loopback Gmail, and a provider for it. Fixtures, and what helps."""

import contextlib
import time

import pytest
from conftest import LONG_AGO, mail
from servers.gmail import GmailServer

from easycrm_mail.providers import Budget, GmailProvider

EMAIL = "anna@example.com"


@contextlib.contextmanager
def running_gmail(monkeypatch, **kwargs):
    """A server with one mailbox, as `server.mailbox`; all that was said must have been
    what Gmail's description allows.

    :param kwargs: of `GmailServer`; without a limit it lets all pass
    """
    kwargs.setdefault("limit", 1_000_000)
    with GmailServer(**kwargs) as server:
        monkeypatch.setenv("EASYCRM_GMAIL_API_URL", server.url)
        monkeypatch.setenv("EASYCRM_GOOGLE_OAUTH_URL", server.url)
        server.mailbox = server.add_mailbox(EMAIL)
        yield server
    assert server.off_schema == []


class Tokens:
    """A token source as a mailbox has one; `asked` holds what it was asked with."""

    def __init__(self, server, email: str = EMAIL):
        self.value = server.oauth.token_for(email)
        self.asked: list[str] = []
        self.renew = server.oauth.refreshed

    def __call__(self, refused: str = "") -> str:
        self.asked.append(refused)
        if refused:
            self.value = self.renew(refused)
        return self.value


def connect(server, **kwargs) -> GmailProvider:
    """A provider for the server's mailbox, with room enough in its budget."""
    kwargs.setdefault("budget", Budget(limit=1_000_000))
    kwargs.setdefault("timeout", 10)
    kwargs.setdefault("tokens", Tokens(server))
    return GmailProvider(EMAIL, **kwargs)


@pytest.fixture
def gmail(monkeypatch):
    """An empty mailbox on a server of its own."""
    with running_gmail(monkeypatch) as server:
        yield server


@pytest.fixture
def provider(gmail):
    """A provider for that mailbox, closed at the end."""
    provider = connect(gmail)
    yield provider
    provider.close()


def fill(server, count: int, first: int = 0, **kwargs) -> list[str]:
    """Delivers mails a minute apart, the last one just now; gives their refs."""
    now = time.time()
    return [
        server.mailbox.deliver(
            mail(first + number), at=now - 60 * (count - number), **kwargs
        )
        for number in range(count)
    ]


class Mirror:
    """What a caller holds of a stream: it stores batches, and nothing else.

    :ivar mails: ref -> raw
    :ivar read: ref -> whether it is read
    :ivar handed: refs, each as often as it was handed over
    """

    def __init__(self, stream: str = "all", since=LONG_AGO):
        self.stream, self.since = stream, since
        self.checkpoint = ""
        self.mails: dict[str, bytes] = {}
        self.read: dict[str, bool] = {}
        self.handed: list[str] = []
        self.set_aside: dict[str, str] = {}
        self.batches = []
        self.settled = False

    def pull(self, provider):
        """One batch, stored."""
        batch = provider.pull(self.stream, self.checkpoint, self.since)
        self.store(batch)
        return batch

    def store(self, batch) -> None:
        """What a transaction does."""
        if batch.reset:
            self.mails.clear()
            self.read.clear()
            self.set_aside.clear()
            self.settled = False
        for one in batch.messages:
            self.mails[one.ref] = one.raw
            self.read[one.ref] = one.is_read
            self.handed.append(one.ref)
        for change in batch.changes:
            if change.ref in self.read:
                self.read[change.ref] = change.is_read
        for ref in batch.removals:
            self.mails.pop(ref, None)
            self.read.pop(ref, None)
        self.set_aside.update({one.ref: one.error for one in batch.set_aside})
        self.settled = self.settled or batch.settled
        self.checkpoint = batch.checkpoint
        self.batches.append(batch)

    def pull_all(self, provider, rounds: int = 200) -> "Mirror":
        """Pulls, with the pauses asked for, until there is no more."""
        for _round in range(rounds):
            batch = self.pull(provider)
            time.sleep(batch.pause)
            if not batch.more:
                return self
        raise AssertionError("it never ends")

    def check(self, server) -> None:
        """Mail by mail, it is what the mailbox has."""
        hidden = {"DRAFT", "SPAM", "TRASH", "CHAT"}
        there = {
            ref: held
            for ref, held in server.mailbox.mails.items()
            if held.labels.isdisjoint(hidden)
            if self.stream == "all" or self.stream in held.labels
            if held.at >= self.since.timestamp()
        }
        assert self.mails == {ref: held.raw for ref, held in there.items()}
        unread = {ref: "UNREAD" not in held.labels for ref, held in there.items()}
        assert self.read == unread
