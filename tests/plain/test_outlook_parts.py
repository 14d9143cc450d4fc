"""Parts of a batch that fail, and mails that cannot be had: no mail is lost by it."""

import pytest
from graph_faults import FAULTS, raised, refusal
from graph_mailbox import LONG_AGO, Ledger, numbers
from servers.web import Answer

from easycrm_mail.providers import Retry

BATCH = r"^POST /v1.0/\$batch"
PART = r"^PART GET .*value"
ALONE = r"^GET .*value"


@pytest.mark.parametrize(
    "fault",
    [
        refusal(429, "ApplicationThrottled", Retry_After="0"),
        refusal(503, "ServiceUnavailable"),
        refusal(424, "FailedDependency"),
        refusal(500, "ErrorInternalServerError"),
        refusal(504, "UnknownError"),
        refusal(403, "ErrorAccessDenied"),
        {"kind": "answer", "answer": Answer("no base64: at all"), "times": 2},
        {"kind": "answer", "answer": Answer({"a": "mail?"}), "times": 2},
        {"kind": "missing", "times": 2},
    ],
)
def test_a_part_that_fails_is_asked_for_alone(graph, fault):
    graph.deliver(*range(6))
    graph.server.break_(PART, **{**fault, "times": 2})
    ledger = Ledger()
    batches = ledger.sync(graph.provider(), graph.inbox)
    assert len(batches) == 1 and not batches[0].pause
    assert ledger.matches(graph.mailbox, graph.inbox)
    # Those two and no other
    assert sum(call.endswith("$value") for call in graph.calls()) == 2


def test_a_part_whose_token_expired_is_asked_for_with_a_new_one(graph):
    graph.deliver(*range(4))
    graph.server.break_(PART, **{**FAULTS["401"], "times": 4})
    ledger = Ledger()
    ledger.sync(graph.provider(), graph.inbox)
    assert len(graph.tokens.refused) == 1
    assert ledger.matches(graph.mailbox, graph.inbox)


def test_a_part_that_is_gone_is_skipped(graph):
    graph.deliver(*range(4))
    graph.server.break_(PART, **{**FAULTS["404"], "times": 1})
    batch = graph.provider().pull(graph.inbox, "", LONG_AGO)
    assert numbers(batch) == [2, 1, 0] and not batch.set_aside and batch.settled
    assert not any(call.endswith("$value") for call in graph.calls())


def test_a_long_wait_in_a_part_ends_the_page_and_is_told(graph):
    graph.deliver(*range(12))
    fault = refusal(429, "ApplicationThrottled", Retry_After="20")
    graph.server.break_(PART, **{**fault, "after": 4})
    ledger = Ledger()
    provider = graph.provider()
    batch = provider.pull(graph.inbox, "", LONG_AGO)
    assert numbers(batch) == [11, 10, 9, 8]
    assert batch.pause == 20 and batch.more
    ledger.store(batch)
    error = raised(lambda: provider.pull(graph.inbox, ledger.checkpoint, LONG_AGO))
    assert (error.code, error.retry_after) == ("busy", 20)
    graph.server.mend()
    ledger.sync(provider, graph.inbox)
    assert ledger.matches(graph.mailbox, graph.inbox)


@pytest.mark.parametrize("fault", ["429", "reset", "half", "broken", "500"])
def test_what_came_before_a_fault_is_kept(graph, fault):
    graph.deliver(*range(12))
    graph.server.break_(BATCH, **{**FAULTS[fault], "after": 1})
    ledger, provider = Ledger(), graph.provider()
    batch = provider.pull(graph.inbox, "", LONG_AGO)
    assert len(batch.messages) == 4 and batch.more
    ledger.store(batch)
    graph.server.mend()
    ledger.sync(provider, graph.inbox)
    assert ledger.matches(graph.mailbox, graph.inbox)


@pytest.mark.parametrize("fault", ["400", "403", "500", "504", "reset", "half"])
def test_a_mail_that_cannot_be_had_is_set_aside_and_holds_up_nobody(graph, fault):
    keys = graph.deliver(*range(9))
    bad = keys[4]
    name = bad.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    fault = {**FAULTS[fault], "times": 999}
    if fault["kind"] != "answer":
        part = refusal(500, "ErrorInternalServerError")
        graph.server.break_(f"^PART .*{name}", **{**part, "times": 999})
        graph.server.break_(f"^GET .*{name}", **fault)
    else:
        graph.server.break_(name, **fault)
    ledger = Ledger()
    ledger.sync(graph.provider(), graph.inbox)
    assert ledger.settled
    assert [*ledger.set_aside] == [bad]
    assert {*ledger.mails} == {*keys} - {bad}
    assert "refuses to give it" in ledger.set_aside[bad]
    # It can be asked for again.
    graph.server.mend()
    assert graph.provider().fetch(graph.inbox, bad).raw


def test_no_mail_is_to_blame_where_none_comes(graph):
    graph.deliver(*range(5))
    for pattern in (PART, ALONE):
        graph.server.break_(pattern, **{**FAULTS["500"], "times": 999})
    ledger, provider = Ledger(), graph.provider()
    for _pull in range(4):
        error = raised(lambda: provider.pull(graph.inbox, ledger.checkpoint, LONG_AGO))
        assert (type(error), error.code) == (Retry, "busy")
    graph.server.mend()
    ledger.sync(provider, graph.inbox)
    assert not ledger.set_aside and ledger.matches(graph.mailbox, graph.inbox)
