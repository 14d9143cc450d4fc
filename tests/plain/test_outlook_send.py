"""A mail goes out by Microsoft Graph once, whatever becomes of the answers."""

import os
import time

import pytest
from conftest import raised
from graph_faults import FAULTS as ANSWERS
from graph_mailbox import ADDRESS, LONG_AGO, mail, pull_all
from sending import DATE, MB, MESSAGE_ID, draft
from servers.web import Answer
from standstill import in_time, once_met

from easycrm_mail.messages import File, Role, extract_part, parse
from easycrm_mail.providers import (
    Doubtful,
    Found,
    MailboxError,
    Outgoing,
    Permanent,
    Reconnect,
    Refused,
    Retry,
)

LARGE = (File("a.bin", "application/pdf", bytes(4 * MB)),)


def outgoing(reply_to: Found | None = None, **kwargs) -> Outgoing:
    """A mail of that mailbox's user."""
    return Outgoing(draft(**{"sender": ("Mira", ADDRESS), **kwargs}), reply_to=reply_to)


def drafts(graph) -> list:
    """What stands in Drafts."""
    return graph.mailbox.in_folder(graph.mailbox.folder("drafts"))


def sent_mails(graph) -> list:
    """What stands in Sent Items."""
    return graph.mailbox.in_folder(graph.mailbox.folder("sentitems"))


def test_a_mail_goes_out_and_stands_among_the_sent_mail(graph):
    sent = graph.provider().send(outgoing())
    [(address, raw)] = graph.server.sent
    [held] = sent_mails(graph)
    assert (address, held.raw, sent.raw) == (ADDRESS, raw, raw)
    assert sent.stream == graph.mailbox.folder("sentitems") and sent.ref == held.key
    assert (sent.message_id, sent.refused, sent.note) == (MESSAGE_ID, (), "")
    assert sent.thread_ref and not drafts(graph)


def test_the_next_sync_finds_the_copy_where_it_was_said_to_be(graph):
    provider = graph.provider()
    sent = provider.send(outgoing())
    [batch] = pull_all(provider, sent.stream, since=LONG_AGO)
    [found] = batch.messages
    assert (found.ref, found.raw, found.is_read) == (sent.ref, sent.raw, True)
    assert found.thread_ref == sent.thread_ref
    assert provider.sent(MESSAGE_ID) == [Found(sent.stream, sent.ref)]
    assert provider.sent("<other@chairs.example>") == []


def test_who_gets_it_unseen_is_named_in_the_senders_copy_alone(graph):
    other = graph.server.add_mailbox("secret@example.org")
    sent = graph.provider().send(outgoing(bcc=(("S", "secret@example.org"),)))
    people = parse(sent.raw).participants
    assert [one.address for one in people if one.role is Role.BCC] == [
        "secret@example.org"
    ]
    [got] = other.messages.values()
    assert b"secret" not in got.raw.lower()


def test_an_answer_goes_into_its_conversation(graph):
    [ref] = graph.deliver(1)
    provider = graph.provider()
    [batch] = pull_all(provider, "inbox")
    answered = Found("inbox", ref)
    sent = provider.send(outgoing(answered, in_reply_to="<1@example.com>"))
    assert sent.thread_ref == batch.messages[0].thread_ref
    assert parse(sent.raw).in_reply_to == "<1@example.com>"


@pytest.mark.parametrize("ref", ["AAkALgAA999999+/x=", "no ref"])
def test_an_answer_to_what_is_gone_goes_out_all_the_same(graph, ref):
    sent = graph.provider().send(outgoing(Found("inbox", ref)))
    assert sent.ref and len(graph.server.sent) == 1


def test_a_shared_mailbox_sends_its_own_mail(graph):
    team = graph.server.add_mailbox("team@chairs.example", members=[ADDRESS])
    provider = graph.provider("team@chairs.example")
    provider.send(outgoing(sender=("Team", "team@chairs.example")))
    assert [one for one, _raw in graph.server.sent] == ["team@chairs.example"]
    assert len(team.in_folder(team.folder("sentitems"))) == 1


def test_a_sender_that_is_another_is_refused(graph):
    provider = graph.provider()
    mail = outgoing(sender=("Eve", "boss@chairs.example"))
    raised(lambda: provider.send(mail), Refused, "sender")
    assert not graph.server.sent and not drafts(graph)


@pytest.mark.parametrize("renames", ["draft", "always", "sent"])
def test_what_exchange_has_renamed_is_told_under_its_name(graph, renames):
    graph.server.renames = renames
    provider = graph.provider()
    sent = provider.send(outgoing())
    [held] = sent_mails(graph)
    assert parse(held.raw).message_id == sent.message_id
    assert (sent.message_id == MESSAGE_ID) == (renames == "draft")
    assert sent.raw == held.raw
    there = [Found(sent.stream, sent.ref)]
    assert provider.sent(sent.message_id) == provider.sent(MESSAGE_ID) == there
    # Nor is it sent again.
    assert provider.send(outgoing()) == sent and len(graph.server.sent) == 1


@pytest.mark.parametrize("renames", ["always", "sent"])
def test_a_doubt_is_settled_whatever_name_it_has_got(graph, renames):
    graph.server.renames = renames
    arm(graph, "POST .*/send$", "reset")
    graph.server.break_(r"GET .*/messages/[^?]+\?", "refuse", times=99)
    provider = graph.provider()
    raised(lambda: provider.send(outgoing()), Doubtful, "dropped")
    graph.server.mend()
    [found] = provider.sent(MESSAGE_ID)
    assert found.ref == sent_mails(graph)[0].key


def test_what_exchange_has_made_anew_is_given_as_it_is_then(graph):
    graph.server.rewrites = True
    sent = graph.provider().send(outgoing())
    [held] = sent_mails(graph)
    assert sent.raw == held.raw
    assert parse(sent.raw).date != DATE and parse(sent.raw).message_id == MESSAGE_ID


@pytest.mark.parametrize("lag", [1, 2, 9])
def test_a_copy_that_comes_late_is_left_to_the_next_sync(graph, lag):
    graph.server.lag = lag
    provider = graph.provider()
    sent = provider.send(outgoing())
    assert len(graph.server.sent) == 1
    assert bool(sent.ref) == (lag == 1)
    [found] = provider.sent(MESSAGE_ID)
    assert found.ref


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


def arm(graph, pattern: str, fault: str):
    values = {**ANSWERS[fault]}
    return graph.server.break_(pattern, values.pop("kind"), **values)


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
        return arm(graph, "POST .*/send$", fault)

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
        served = ANSWERS[fault]["answer"]
        graph.server.break_("POST .*/send$", "late answer", answer=served)
    else:
        arm(graph, "POST .*/send$", fault)
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
        return arm(graph, step, fault)

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
    arm(graph, "PATCH .*/messages/", fault)
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
        "POST .*/send$", "answer", answer=ANSWERS["401"]["answer"], times=1
    )
    provider.send(outgoing())
    assert len(graph.server.sent) == 1 and len(graph.tokens.refused) == 1


def test_a_sign_in_that_fails_meanwhile_is_no_doubt(graph):
    provider = graph.provider()

    def fail():
        graph.tokens.error = Retry("busy", "no token now")

    refusal = {**ANSWERS["401"], "times": 1, "first": fail}
    graph.server.break_("POST .*/send$", refusal.pop("kind"), **refusal)
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
    arm(graph, step, fault)
    sent = graph.provider().send(outgoing())
    assert len(graph.server.sent) == 1
    assert sent.message_id == MESSAGE_ID and parse(sent.raw).subject == "Hello"


SIZES = [0, 1, 2_000_000, 2_999_999, 3_000_000, 3 * MB, 5 * MB, 24 * MB]


@pytest.mark.parametrize("size", SIZES)
def test_files_of_any_size_go_out_whole(graph, size):
    data = os.urandom(size)
    image = File("logo.png", "image/png", b"\x89PNG", "logo@x")
    html = '<p>Hi <img src="cid:logo@x"></p>'
    files = (File("Köln.bin", "application/pdf", data), image)
    graph.provider(timeout=60).send(outgoing(html=html, files=files))
    [(_address, raw)] = graph.server.sent
    message = parse(raw)
    found = {one.name: one for one in message.attachments}
    assert extract_part(raw, found["Köln.bin"].part) == data
    assert found["logo.png"].inline and found["logo.png"].content_id == "logo@x"
    assert message.text.strip() == "Hi" and "cid:logo@x" in message.html
    assert graph.server.violations == []


def test_the_address_of_an_upload_is_told_to_nobody(graph):
    graph.server.break_("PUT .*/upload/", "refuse")
    provider = graph.provider()
    error = raised(lambda: provider.send(outgoing(files=LARGE)), Retry, "dropped")
    assert "s3cret" not in repr(error) + str(error)


@pytest.mark.parametrize("url", ["http://evil.example/x", "ftp://x", "", None])
def test_an_upload_goes_to_no_unsafe_place(graph, url):
    answer = Answer({"uploadUrl": url}, 201)
    graph.server.break_("POST .*/createUploadSession", "answer", answer=answer)
    provider = graph.provider()
    raised(lambda: provider.send(outgoing(files=LARGE)), Retry, "answer")
    assert not drafts(graph)


CODES = {
    "ErrorInvalidRecipients": (Refused, "recipients"),
    "ErrorMessageSizeExceeded": (Refused, "size"),
    "ErrorSendAsDenied": (Refused, "sender"),
    "ErrorExceededMessageLimit": (Retry, "busy"),
    "ErrorMessageSubmissionBlocked": (Permanent, "forbidden"),
    "ErrorTooManyRecipients": (Refused, "too_many"),
}


@pytest.mark.parametrize("code", CODES)
def test_what_graph_refuses_is_sorted_by_what_to_do(graph, code):
    answer = Answer({"error": {"code": code, "message": "no"}}, 400)
    graph.server.break_("POST .*/send$", "answer", answer=answer)
    provider = graph.provider()
    raised(lambda: provider.send(outgoing()), *CODES[code])
    assert not graph.server.sent and not drafts(graph)


def test_what_cannot_be_sent_is_refused_before_graph_is_asked(graph):
    provider = graph.provider()

    def refused(code: str, **kwargs) -> MailboxError:
        return raised(lambda: provider.send(outgoing(**kwargs)), Refused, code)

    refused("size", files=(File("a", "", bytes(30 * MB)),))
    people = tuple(("", f"p{number}@example.org") for number in range(501))
    refused("too_many", to=people)
    refused("header", subject="a\r\nBcc: eve@evil.example")
    assert not graph.server.calls
    refused("size", html="x" * 3_000_000)
    assert not graph.server.sent and not drafts(graph)


def test_a_hundred_people_get_it(graph):
    people = tuple((f"P, {number}", f"p{number}@example.org") for number in range(100))
    sent = graph.provider().send(outgoing(to=people))
    assert len(parse(sent.raw).participants) == 101


def test_a_small_mail_takes_few_requests(graph):
    graph.provider().send(outgoing())
    calls = [one.partition("?")[0] for one in graph.calls()]
    assert [one.partition(" ")[0] for one in calls[:5]] == [
        *("GET", "GET"),  # whether it is there already
        *("POST", "PATCH", "POST"),
    ]
    assert len(calls) == 9
