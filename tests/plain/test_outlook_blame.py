"""Of a mail that Graph does not give: what passes by itself is no mail's fault."""

import re
from unittest.mock import patch
from urllib.parse import quote

import pytest
from graph_faults import refusal
from graph_mailbox import Ledger

from easycrm_mail.providers import outlook_delta


@pytest.mark.parametrize("status", [408, 423, 425, 500])
def test_a_mail_that_fails_twice_is_not_set_aside(graph, status):
    refs = graph.deliver(*range(6))
    fault = {**refusal(status, "Busy"), "times": 2}
    armed = graph.server.break_(re.escape(quote(refs[2], safe="")), **fault)
    ledger = Ledger()
    ledger.sync(graph.provider(), graph.inbox)
    assert not armed.times
    assert not ledger.set_aside
    assert ledger.matches(graph.mailbox, graph.inbox)


@pytest.mark.parametrize("ref", ["\ud800", "a\0b", "x" * 2_000, "../..", "a b", "é"])
def test_an_id_that_is_none_holds_up_no_mail(graph, ref):
    """Nothing that could neither be asked for nor stored comes out."""
    graph.deliver(1, 2)
    real = outlook_delta._next_page

    def forged(*args):
        page = real(*args)
        page["value"] += [
            {"id": ref, "@removed": {"reason": "deleted"}},
            {"id": ref + "1", "receivedDateTime": "2025-03-04T10:00:00Z"},
            {"id": ref + "2", "isRead": True},
        ]
        return page

    ledger = Ledger()
    with patch.object(outlook_delta, "_next_page", forged):
        batches = ledger.sync(graph.provider(), graph.inbox)
    assert len(ledger.mails) == 2
    for batch in batches:
        told = [*batch.removals, *(one.ref for one in batch.changes)]
        for one in told + [one.ref for one in batch.set_aside]:
            one.encode()
            assert "\0" not in one
