"""What goes wrong with Graph × where: what comes out, and nothing is lost by it."""

import io
import logging
import time
import traceback

import pytest
import trustme
from graph_faults import FAULTS, raised
from graph_mailbox import LONG_AGO, Ledger
from servers.graph import GraphServer
from servers.web import Answer
from standstill import in_time

from easycrm_mail.providers import (
    Gone,
    MailboxError,
    OutlookProvider,
    Permanent,
    Reconnect,
    Resync,
    Retry,
)

#: What a call is, that a fault meets.
PLACES = {
    "folder": r"^GET .*totalItemCount",
    "first page": r"^GET .*/messages/delta\?%24select",
    "next round": r"^GET .*deltatoken",
    "batch": r"^POST /v1.0/\$batch",
}
BUSY, DROPPED, ANSWER = (Retry, "busy"), (Retry, "dropped"), (Retry, "answer")
VOID, ANEW = (Resync, "checkpoint"), "a listing anew"
FORBIDDEN = (Permanent, "forbidden")
#: fault -> what comes out in each of the places
TABLE = {
    "401": [(Reconnect, "grant")] * 4,
    "403": [FORBIDDEN] * 4,
    "403 plain": [FORBIDDEN] * 4,
    "404": [(Gone, "folder")] * 3 + [ANSWER],
    "404 no mailbox": [FORBIDDEN] * 4,
    "404 no such user": [FORBIDDEN] * 4,
    "410": [VOID, VOID, ANEW, ANSWER],
    "400 state": [VOID, VOID, ANEW, ANSWER],
    "400": [ANSWER, ANSWER, ANEW, ANSWER],
    "302": [ANSWER] * 4,
    "429": [BUSY] * 4,
    "429 date": [BUSY] * 4,
    "429 bare": [BUSY] * 4,
    "503": [BUSY] * 4,
    "500": [BUSY] * 4,
    "504": [BUSY] * 4,
    "html": [ANSWER] * 4,
    "no page": [None, ANSWER, ANSWER, ANSWER],
    "list": [ANSWER] * 4,
    "elsewhere": [None, ANSWER, ANSWER, ANSWER],
    "reset": [DROPPED] * 4,
    "refuse": [DROPPED] * 4,
    "half": [DROPPED] * 4,
    "broken": [ANSWER] * 4,
    # (mails that come late are asked for alone)
    "slow": [(Retry, "timeout")] * 3 + [None],
}
WAITS = {"429": 7, "503": 30, "429 date": pytest.approx(5400, abs=1800)}
CELLS = [
    pytest.param(fault, place, outcome, id=f"{fault} × {place}")
    for fault, outcomes in TABLE.items()
    for place, outcome in zip(PLACES, outcomes, strict=True)
]


@pytest.mark.parametrize(("fault", "place", "outcome"), CELLS)
def test_a_fault_becomes_what_is_to_be_done(graph, fault, place, outcome):
    graph.deliver(1, 2, 3)
    ledger = Ledger()
    if place == "next round":
        ledger.sync(graph.provider(), graph.inbox)
        graph.deliver(4)
    provider = graph.provider(timeout=0.6 if fault == "slow" else 5)
    graph.server.break_(PLACES[place], **FAULTS[fault])

    def pull():
        return provider.pull(graph.inbox, ledger.checkpoint, LONG_AGO)

    if outcome == ANEW:
        batch = pull()
        assert batch.reset and batch.total == 4
        ledger.store(batch)
    elif outcome:
        error = raised(pull)
        assert (type(error), error.code) == outcome
        if outcome == BUSY:
            assert error.retry_after == WAITS.get(fault)
    else:
        in_time(pull)
    # And then it is over.
    graph.server.mend()
    in_time(lambda: ledger.sync(provider, graph.inbox))
    assert ledger.matches(graph.mailbox, graph.inbox)


@pytest.mark.parametrize("fault", ["401", "reset", "refuse", "half"])
@pytest.mark.parametrize("place", ["folder", "next round"])
def test_once_is_made_good_within_the_call(graph, fault, place):
    """A token that has expired, a connection that broke while it lay idle."""
    graph.deliver(1, 2, 3)
    provider, ledger = graph.provider(), Ledger()
    if place == "next round":
        ledger.sync(provider, graph.inbox)
        graph.deliver(4)
    else:
        provider.check()
    graph.server.break_(PLACES[place], **{**FAULTS[fault], "times": 1})
    ledger.sync(provider, graph.inbox)
    assert ledger.matches(graph.mailbox, graph.inbox)
    assert len(graph.tokens.refused) == (fault == "401")


def test_an_expired_token_is_replaced_once_in_a_call(graph):
    graph.deliver(*range(9))
    provider, ledger = graph.provider(), Ledger()
    provider.check()
    graph.server.login.expire_tokens()
    ledger.sync(provider, graph.inbox)
    assert len(graph.tokens.refused) == 1
    assert ledger.matches(graph.mailbox, graph.inbox)


def test_what_the_keeper_of_tokens_raises_goes_through(graph):
    graph.tokens.error = Reconnect("grant", "revoked")
    assert raised(graph.provider().check) is graph.tokens.error


# --- other calls, time, names ---


@pytest.mark.parametrize("fault", ["429", "500", "reset", "half", "broken", "slow"])
def test_the_other_calls_say_the_same(graph, fault):
    (key,) = graph.deliver(1)
    provider = graph.provider(timeout=0.6 if fault == "slow" else 5)
    codes = {"429": "busy", "500": "busy", "broken": "answer", "slow": "timeout"}
    code = codes.get(fault, "dropped")
    calls = [provider.check, provider.streams, provider.aliases]
    if fault != "broken":
        # (half of a mail is a mail)
        calls.append(lambda: provider.download(graph.inbox, key, io.BytesIO()))
    for call in calls:
        graph.server.break_(r"^GET", **FAULTS[fault])
        error = raised(call)
        assert (type(error), error.code) == (Retry, code)
        graph.server.mend()


def test_folders_on_another_host_are_not_asked_for(graph):
    graph.server.break_(r"mailFolders\?.*%24top", **FAULTS["elsewhere"])
    error = raised(graph.provider().streams)
    assert (type(error), error.code) == (Retry, "answer")


def test_a_server_that_drips_does_not_hold_a_call_for_ever(graph):
    provider = graph.provider(timeout=0.5)
    graph.server.break_("^GET", "drip", seconds=30)
    started = time.monotonic()
    error = raised(provider.check)
    assert (type(error), error.code) == (Retry, "timeout")
    assert time.monotonic() - started < 15


def test_all_calls_together_end_when_patience_does(graph):
    graph.server.latency = 0.3
    provider = graph.provider(patience=0.1)
    assert raised(provider.check).code == "timeout"


@pytest.mark.parametrize(
    ("url", "kind", "code"),
    [
        ("http://no-such-host.invalid", Retry, "host"),
        ("http://127.0.0.1:1", Retry, "refused"),
        ("nonsense", Permanent, "setting"),
    ],
)
def test_an_address_where_nobody_is(graph, monkeypatch, url, kind, code):
    monkeypatch.setenv("EASYCRM_GRAPH_API_URL", url)
    error = raised(graph.provider(timeout=2).check)
    assert (type(error), error.code) == (kind, code)


def test_a_certificate_of_nobody_is_refused(graph, monkeypatch):
    certificate = trustme.CA().issue_cert("127.0.0.1")
    with GraphServer(certificate=certificate) as server:
        monkeypatch.setenv("EASYCRM_GRAPH_API_URL", server.url)
        error = raised(graph.provider().check)
    assert (type(error), error.code) == (Permanent, "certificate")


@pytest.mark.parametrize("fault", [*FAULTS])
def test_no_error_and_no_log_holds_a_token(graph, fault, caplog):
    caplog.set_level(logging.DEBUG)
    (key,) = graph.deliver(1)
    provider = graph.provider(timeout=0.6 if fault == "slow" else 5)
    token = graph.tokens()
    body = {"error": {"code": "Echo", "message": f"You said Bearer {token} {key}"}}
    answers = [FAULTS[fault], {"kind": "answer", "answer": Answer(body, 418)}]
    for number, one in enumerate(answers):
        graph.server.mend()
        graph.server.break_(r"delta|batch", **one)
        try:
            provider.pull(graph.inbox, "", LONG_AGO)
        except MailboxError as error:
            assert error.__cause__ is None and error.__context__ is None
            text = "".join(traceback.format_exception(error)) + repr(error)
            assert token not in text + repr(provider)
            # The frames in which the answer was handled are gone with it.
            frames = traceback.extract_tb(error.__traceback__)
            assert [one.name for one in frames][1:] == ["call"]
        else:
            assert not number
    secrets = [*graph.server.login.access]
    assert not any(one in caplog.text for one in secrets)


def test_a_token_with_a_line_end_is_none(graph):
    graph.tokens.value = "abc\r\nX-Evil: 1"
    error = raised(graph.provider().check)
    assert (type(error), error.code) == (Reconnect, "grant")
    assert "Evil" not in str(error)


def test_the_provider_shows_nothing():
    assert repr(OutlookProvider(lambda refused="": "s3cret")) == "<OutlookProvider me>"
