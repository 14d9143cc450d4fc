"""Nothing lost, nothing twice: whatever happens in a mailbox, and whenever one dies."""

import random

import pytest
from graph_mailbox import LONG_AGO, Ledger

from easycrm_mail.providers import graph_client, outlook_page

FOLDERS = ("inbox", "sentitems", "archive")


class Life:
    """Things that happen in a mailbox, by chance."""

    def __init__(self, graph, chance: random.Random):
        self.graph = graph
        self.chance = chance
        self.number = 0

    def happen(self) -> None:
        mailbox, chance = self.graph.mailbox, self.chance
        keys = [*mailbox.messages]
        kind = chance.choice(("deliver", "deliver", "move", "mark", "delete", "expire"))
        if kind == "deliver" or not keys:
            self.number += 1
            folder = chance.choice(FOLDERS)
            self.graph.deliver(self.number, folder=folder, draft=chance.random() < 0.1)
        elif kind == "move":
            mailbox.move(chance.choice(keys), chance.choice((*FOLDERS, "deleteditems")))
        elif kind == "mark":
            mailbox.mark_read(chance.choice(keys), chance.random() < 0.5)
        elif kind == "delete":
            mailbox.delete(chance.choice(keys))
        elif chance.random() < 0.1:
            self.graph.server.expire_delta(mailbox.address)


@pytest.mark.parametrize("immutable", [True, False], ids=["immutable", "renamed"])
@pytest.mark.parametrize("seed", range(6))
def test_a_mailbox_in_which_much_happens_is_followed(
    graph, monkeypatch, seed, immutable
):
    """Between any two pulls something may happen, or what was pulled is lost."""
    prefer = 'IdType="ImmutableId", odata.maxpagesize=3'
    monkeypatch.setattr(graph_client, "PREFER", prefer)
    monkeypatch.setattr(outlook_page, "PAGE_BYTES", 500)
    chance = random.Random(seed)
    graph.server.immutable_ids = immutable
    graph.server.full_updates = bool(seed % 2)
    graph.delta.duplicates = bool(seed % 3)
    graph.delta.empty_pages = seed % 4
    life = Life(graph, chance)
    for _thing in range(30):
        life.happen()
    streams = [graph.mailbox.folder(name) for name in FOLDERS]
    ledgers = {stream: Ledger() for stream in streams}
    for _pull in range(150):
        stream = chance.choice(streams)
        batch = graph.provider().pull(stream, ledgers[stream].checkpoint, LONG_AGO)
        if chance.random() < 0.8:
            ledgers[stream].store(batch)
        if chance.random() < 0.5:
            life.happen()
    provider = graph.provider()
    for stream, ledger in ledgers.items():
        ledger.sync(provider, stream)
        ledger.sync(provider, stream)
        assert ledger.settled
        if immutable:
            assert ledger.matches(graph.mailbox, stream)
        held = graph.mailbox.in_folder(stream)
        assert sorted(one.raw for one in held if not one.is_draft) == sorted(
            ledger.mails.values()
        )
