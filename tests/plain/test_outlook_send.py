"""A mail goes out by Microsoft Graph and stands among the sent mail."""

import os

import pytest
from conftest import raised
from graph_mailbox import ADDRESS, LONG_AGO, pull_all
from graph_sending import LARGE, drafts, outgoing, sent_mails
from sending import DATE, MB, MESSAGE_ID
from servers.web import Answer

from easycrm_mail.messages import File, Role, extract_part, parse
from easycrm_mail.providers import Found, MailboxError, Permanent, Refused, Retry


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
