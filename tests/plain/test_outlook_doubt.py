"""Wherever sending by Microsoft Graph breaks off, a mail goes out once or not."""

import time

import pytest
from conftest import raised
from graph_faults import FAULTS
from graph_mailbox import mail
from graph_sending import LARGE, drafts, outgoing, sent_mails
from sending import MESSAGE_ID
from standstill import in_time, once_met

from easycrm_mail.messages import File, parse
from easycrm_mail.providers import Doubtful, Permanent, Reconnect, Refused, Retry


@pytest.mark.parametrize("renames", ["always", "sent"])
def test_a_doubt_is_settled_whatever_name_it_has_got(graph, renames):
    graph.server.renames = renames
    graph.server.break_("POST .*/send$", **FAULTS["reset"])
    graph.server.break_(r"GET .*/messages/[^?]+\?", "refuse", times=99)
    provider = graph.provider()
    raised(lambda: provider.send(outgoing()), Doubtful, "dropped")
    graph.server.mend()
    [found] = provider.sent(MESSAGE_ID)
    assert found.ref == sent_mails(graph)[0].key


#: What becomes of the last request -> what is raised, and how often it has gone out.
#: Where it is in doubt the draft is looked at, and that breaks too.
SEND = {
    "refuse": (Doubtful, "dropped", 0),
    "reset": (Doubtful, "dropped", 1),
    "slow": (Doubtful, "timeout", 1),
    "500": (Doubtful, "busy", 0),
    "503": (Doubtful, "busy", 0),
    "504": (Doubtful, "busy", 0),
    "429": (Retry, "busy", 0),
    "429 date": (Retry, "busy", 0),
    "401": (Reconnect, "grant", 0),
    "403": (Permanent, "forbidden", 0),
    "404": (Refused, "refused", 0),
    "404 no mailbox": (Permanent, "forbidden", 0),
    "400": (Refused, "refused", 0),
    "302": (Retry, "answer", 0),
}


def await_(happens) -> None:
    """Until what is still on its way has come."""
    for _time in range(1_000):
        if happens():
            return
        time.sleep(0.01)


@pytest.mark.parametrize("fault", SEND)
def test_whatever_becomes_of_a_send_it_goes_out_once_or_not(graph, fault):
    kind, code, times = SEND[fault]
    provider = graph.provider(timeout=0.4 if fault == "slow" else 5)
    in_time(provider.check)

    def armed():
        graph.server.mend()
        graph.server.break_(r"GET .*/messages/[^?]+\?", "refuse", times=99)
        return graph.server.break_("POST .*/send$", **FAULTS[fault])

    def send():
        return once_met(armed, lambda: provider.send(outgoing()))

    raised(send, kind, code)
    if fault == "slow":
        await_(lambda: graph.server.sent)
    assert len(graph.server.sent) == times == len(sent_mails(graph))
    graph.server.mend()
    assert len(graph.provider().sent(MESSAGE_ID)) == times
    if kind is not Doubtful:
        assert not drafts(graph)


@pytest.mark.parametrize("fault", ["reset", "half", "broken", "list", "html"])
def test_what_is_in_doubt_is_looked_at(graph, fault):
    """The draft itself tells that it is none any more."""
    if fault in ("list", "html"):
        served = FAULTS[fault]["answer"]
        graph.server.break_("POST .*/send$", "late answer", answer=served)
    else:
        graph.server.break_("POST .*/send$", **FAULTS[fault])
    sent = graph.provider().send(outgoing())
    assert len(graph.server.sent) == 1 and sent.ref == sent_mails(graph)[0].key


BEFORE = {
    "refuse": (Retry, "dropped"),
    "reset": (Retry, "dropped"),
    "half": (Retry, "dropped"),
    "broken": (Retry, "answer"),
    "html": (Retry, "answer"),
    "500": (Retry, "busy"),
    "503": (Retry, "busy"),
    "429": (Retry, "busy"),
    "401": (Reconnect, "grant"),
    "403": (Permanent, "forbidden"),
    "400": (Refused, "refused"),
    "slow": (Retry, "timeout"),
}


STEPS = [
    r"GET .*/messages\?",
    "POST .*/messages$",
    "PATCH .*/messages/",
    "POST .*/attachments$",
    "POST .*/createUploadSession",
    "PUT .*/upload/",
]


# (what is said to a piece is not looked at; a draft goes out without its mark, too)
UNSEEN = [
    *(("PUT .*/upload/", fault) for fault in ("half", "broken", "html")),
    *(("PATCH .*/messages/", fault) for fault in ("400", "403")),
]


@pytest.mark.parametrize(
    ("step", "fault"),
    [(one, fault) for one in STEPS for fault in BEFORE if (one, fault) not in UNSEEN],
)
def test_before_it_is_told_to_send_nothing_is_in_doubt(graph, step, fault):
    kind, code = BEFORE[fault]
    files = (File("b.txt", "text/plain", b"b"), *LARGE)
    provider = graph.provider(timeout=0.7 if fault == "slow" else 5)

    def armed():
        graph.server.mend()
        return graph.server.break_(step, **FAULTS[fault])

    def send():
        return once_met(armed, lambda: provider.send(outgoing(files=files)))

    raised(send, kind, code)
    graph.server.mend()
    if fault == "slow" and step.endswith("messages$"):
        await_(lambda: drafts(graph))  # it is still on its way
    assert not graph.server.sent
    # What was left behind is not in the way, and none is made beside it.
    graph.provider().send(outgoing(files=files))
    assert len(graph.server.sent) == 1 == len(sent_mails(graph))
    assert not drafts(graph)


@pytest.mark.parametrize("fault", ["400", "403"])
def test_a_draft_that_may_not_be_marked_goes_out_all_the_same(graph, fault):
    graph.server.break_("PATCH .*/messages/", **FAULTS[fault])
    assert graph.provider().send(outgoing()).ref and len(graph.server.sent) == 1


def test_a_draft_that_a_crash_left_behind_is_taken_away(graph):
    raw = left_behind()
    key = graph.mailbox.deliver(raw, "drafts", draft=True)
    other = graph.mailbox.deliver(mail(7), "drafts", draft=True)
    graph.provider().send(outgoing())
    assert len(graph.server.sent) == 1
    assert key not in graph.mailbox.messages and other in graph.mailbox.messages


def left_behind() -> bytes:
    """A draft under that Message-ID."""
    return mail(1).replace(b"<1@example.com>", MESSAGE_ID.encode())


def test_what_went_out_before_a_crash_is_not_sent_again(graph):
    provider = graph.provider()
    first = provider.send(outgoing())
    again = provider.send(outgoing())
    assert len(graph.server.sent) == 1
    assert again == first


def test_a_draft_is_not_what_was_sent(graph):
    graph.mailbox.deliver(left_behind(), "drafts", draft=True)
    assert graph.provider().sent(MESSAGE_ID) == []


def test_a_token_that_ends_meanwhile_sends_once(graph):
    provider = graph.provider()
    provider.check()
    graph.server.break_(
        "POST .*/send$", "answer", answer=FAULTS["401"]["answer"], times=1
    )
    provider.send(outgoing())
    assert len(graph.server.sent) == 1 and len(graph.tokens.refused) == 1


def test_a_sign_in_that_fails_meanwhile_is_no_doubt(graph):
    provider = graph.provider()

    def fail():
        graph.tokens.error = Retry("busy", "no token now")

    refusal = {**FAULTS["401"], "times": 1, "first": fail}
    graph.server.break_("POST .*/send$", **refusal)
    raised(lambda: provider.send(outgoing()), Retry, "busy")
    assert not graph.server.sent


def test_a_graph_that_is_away_has_sent_nothing(graph):
    provider = graph.provider()
    graph.server.refuse()
    try:
        raised(lambda: provider.send(outgoing()), Retry, "refused")
    finally:
        graph.server.listen()


@pytest.mark.parametrize("fault", ["500", "429", "refuse", "broken"])
@pytest.mark.parametrize("step", ["GET .*/mailFolders/sentitems", "GET .*/.value"])
def test_what_has_gone_out_is_sent_though_it_cannot_be_looked_at(graph, step, fault):
    graph.server.break_(step, **FAULTS[fault])
    sent = graph.provider().send(outgoing())
    assert len(graph.server.sent) == 1
    assert sent.message_id == MESSAGE_ID and parse(sent.raw).subject == "Hello"
