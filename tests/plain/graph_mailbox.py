"""A mailbox on the loopback Graph, and a provider for it. Fixtures, and what helps."""

import threading
from datetime import datetime, timedelta, timezone

import pytest
from servers.graph import GraphServer
from servers.graph_store import Mailbox

from easycrm_mail.messages import parse_headers
from easycrm_mail.providers import Batch, OutlookProvider

ADDRESS = "mira@chairs.example"
LONG_AGO = datetime(2000, 1, 1, tzinfo=timezone.utc)
START = datetime(2025, 3, 4, 10, tzinfo=timezone.utc)


def mail(number: int = 0, size: int = 0) -> bytes:
    """A small mail that says which it is."""
    return (
        f"From: Anna <anna@example.com>\r\nTo: Mira <{ADDRESS}>\r\n"
        f"Subject: mail {number}\r\nMessage-ID: <{number}@example.com>\r\n"
        f"Date: Tue, 4 Mar 2025 10:00:00 +0000\r\n\r\nHello\r\n"
    ).encode() + b"x" * size


class Tokens:
    """Whoever keeps the grant: counts how often it is asked for a new one."""

    def __init__(self, server: GraphServer, account: str):
        self._server = server
        self._account = account
        self._lock = threading.Lock()
        self.value = ""
        self.refused: list[str] = []
        self.error: Exception | None = None

    def __call__(self, refused: str = "") -> str:
        with self._lock:
            if refused:
                self.refused.append(refused)
            if self.error:
                raise self.error
            if not self.value or refused == self.value:
                self.value = self._server.login.issue(self._account)
            return self.value


class Graph:
    """A server with one mailbox and what is needed to look at it."""

    def __init__(self, server: GraphServer, mailbox: Mailbox):
        self.server = server
        self.mailbox = mailbox
        self.inbox = mailbox.folder("inbox")
        self.tokens = Tokens(server, mailbox.address)
        self.providers: list[OutlookProvider] = []

    @property
    def delta(self):
        """How delta queries behave."""
        return self.server.deltas[self.mailbox.address]

    def provider(self, mailbox: str = "", **kwargs) -> OutlookProvider:
        """A new one, closed at the end."""
        kwargs.setdefault("timeout", 5)
        self.providers.append(OutlookProvider(self.tokens, mailbox, **kwargs))
        return self.providers[-1]

    def deliver(self, *numbers: int, folder: str = "inbox", **kwargs) -> list[str]:
        """Mails by number, each a minute later; gives their immutable ids."""
        size = kwargs.pop("size", 0)
        return [
            self.mailbox.deliver(
                mail(number, size), folder, START + timedelta(minutes=number), **kwargs
            )
            for number in numbers
        ]

    def calls(self) -> list[str]:
        """What was asked since the last time, the parts of batches left out."""
        with self.server.lock:
            found = [one for one in self.server.calls if not one.startswith("PART")]
            self.server.calls.clear()
        return found


@pytest.fixture
def graph(monkeypatch):
    """An empty mailbox on a server of its own; nothing was against the schema."""
    with GraphServer() as server:
        monkeypatch.setenv("EASYCRM_GRAPH_API_URL", server.url)
        monkeypatch.setenv("EASYCRM_MICROSOFT_LOGIN_URL", server.url)
        mailbox = server.add_mailbox(ADDRESS, ["m.berg@chairs.example"])
        graph = Graph(server, mailbox)
        yield graph
        for provider in graph.providers:
            provider.close()
        assert not server.violations
        assert server.most_at_once <= 4


def numbers(batch: Batch) -> list[int]:
    """Which mails came."""
    return [int(parse_headers(one.raw).subject.split()[1]) for one in batch.messages]


def pull_all(provider, stream: str, checkpoint: str = "", since=LONG_AGO):
    """Batches up to the one after which there is no more."""
    batches = []
    while True:
        batches.append(provider.pull(stream, checkpoint, since))
        checkpoint = batches[-1].checkpoint
        if not batches[-1].more:
            return batches
        assert len(batches) < 200


class Ledger:
    """What a database would hold: refs of one stream, as the ingest keeps them."""

    def __init__(self):
        self.mails: dict[str, bytes] = {}
        self.is_read: dict[str, bool] = {}
        self.checkpoint = ""
        self.set_aside: dict[str, str] = {}
        self.settled = False

    def store(self, batch: Batch) -> None:
        """A batch and its checkpoint, in the order of `_store_batch`."""
        if batch.reset:
            self.mails.clear()
        for one in batch.messages:
            self.mails[one.ref] = one.raw
            self.is_read[one.ref] = one.is_read
        for change in batch.changes:
            if change.ref in self.mails:
                self.is_read[change.ref] = change.is_read
        for ref in batch.removals:
            self.mails.pop(ref, None)
        self.set_aside |= {one.ref: one.error for one in batch.set_aside}
        self.settled = self.settled or batch.settled
        self.checkpoint = batch.checkpoint

    def sync(self, provider, stream: str, since=LONG_AGO) -> list[Batch]:
        """Pulls to the end, storing all."""
        batches = []
        while True:
            batches.append(provider.pull(stream, self.checkpoint, since))
            self.store(batches[-1])
            if not batches[-1].more:
                return batches
            assert len(batches) < 300

    def matches(self, mailbox: Mailbox, stream: str) -> bool:
        """Mail by mail, with the read marks."""
        held = {one.key: one for one in mailbox.in_folder(stream) if not one.is_draft}
        assert {ref: one.raw for ref, one in held.items()} == self.mails
        marks = {ref: self.is_read[ref] for ref in self.mails}
        assert {ref: one.is_read for ref, one in held.items()} == marks
        return True
