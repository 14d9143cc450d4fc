"""A mail goes out by Gmail once, whatever becomes of the answer."""

import base64
import os
import time
from http.client import IncompleteRead

import pytest
from conftest import LONG_AGO, mail, raised
from gmail_mailbox import EMAIL, connect
from sending import MB, MESSAGE_ID, draft
from servers.gmail_answers import refusal
from standstill import in_time, once_met

from easycrm_mail.messages import File, parse, write
from easycrm_mail.providers import (
    Doubtful,
    Found,
    MailboxError,
    Outgoing,
    Permanent,
    Reconnect,
    Refused,
    Retry,
    gmail_send,
)
from easycrm_mail.providers.gmail_structure import decode

LARGE = (File("a.bin", "", bytes(4 * MB)),)
# Of such a mail, before the last one.
PIECES = 2


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(gmail_send, "PIECE_BYTES", 2 * MB)


def outgoing(thread_ref: str = "", **kwargs) -> Outgoing:
    """A mail of that mailbox's user."""
    return Outgoing(draft(**{"sender": ("Anna", EMAIL), **kwargs}), thread_ref)


def packed_mail(to: str) -> str:
    """A mail in base64url."""
    raw = mail(1).replace(b"bob@example.org", to.encode())
    return base64.urlsafe_b64encode(raw).decode()


@pytest.mark.parametrize("fault", ["reset", "half", "refuse"])
def test_a_send_is_asked_once_whatever_becomes_of_its_answer(gmail, provider, fault):
    """On a connection that has been used, too: httplib2 would send it again."""
    provider.check()
    raw = packed_mail("bob@example.org")
    gmail.calls.clear()
    gmail.break_("messages/send", fault)
    api = provider._api
    with pytest.raises((OSError, IncompleteRead)):
        api.send(raw)
    assert len(gmail.calls) == (fault != "refuse")
    assert len(gmail.sent) == (fault != "refuse")
    assert api.send(raw)["labelIds"] == ["SENT"]
    assert len(gmail.sent) == 1 + (fault != "refuse")
    assert decode(raw) == gmail.sent[-1][1]


def test_a_send_is_asked_again_with_a_new_token_only(gmail):
    provider = connect(gmail)
    provider.check()
    gmail.oauth.expire_tokens()
    provider._api.send(packed_mail("bob@example.org"))
    assert len(gmail.sent) == 1


def test_a_mail_goes_out_and_stands_among_the_sent_mail(gmail, provider):
    sent = provider.send(outgoing())
    [(address, raw)] = gmail.sent
    assert (address, raw) == (EMAIL, sent.raw)
    held = gmail.mailbox.mails[sent.ref]
    assert (held.labels, held.raw) == ({"SENT"}, raw)
    assert (sent.message_id, sent.thread_ref) == (MESSAGE_ID, held.thread_id)
    assert (sent.stream, sent.refused, sent.note) == ("all", (), "")


def test_the_next_sync_finds_the_copy_where_it_was_said_to_be(gmail, provider):
    sent = provider.send(outgoing())
    [found] = provider.pull("all", "", LONG_AGO).messages
    assert (found.ref, found.raw, found.is_read) == (sent.ref, sent.raw, True)
    assert found.thread_ref == sent.thread_ref
    assert provider.sent(MESSAGE_ID) == [Found("all", sent.ref)]
    assert provider.sent("<other@example.com>") == []


def test_who_gets_it_unseen_is_named_in_the_senders_copy_alone(gmail, provider):
    other = gmail.add_mailbox("secret@example.org")
    bob = gmail.add_mailbox("bob@example.org")
    sent = provider.send(outgoing(bcc=(("S", "secret@example.org"),)))
    assert b"secret@example.org" in sent.raw
    for mailbox in (other, bob):
        [got] = mailbox.mails.values()
        assert b"secret" not in got.raw.lower()


def test_an_answer_goes_into_its_conversation(gmail, provider):
    ref = gmail.mailbox.deliver(mail(1))
    thread = gmail.mailbox.mails[ref].thread_id
    sent = provider.send(outgoing(thread, in_reply_to="<1@example.com>"))
    assert sent.thread_ref == thread


def test_a_conversation_that_is_gone_keeps_nothing_from_going_out(gmail, provider):
    for files in ((), LARGE):
        sent = provider.send(outgoing("18f0000000000bad", files=files))
        assert sent.thread_ref
    assert len(gmail.sent) == 2


def test_what_gmail_has_renamed_is_told_under_its_name(gmail, provider):
    gmail.renames = True
    sent = provider.send(outgoing())
    held = gmail.mailbox.mails[sent.ref]
    assert sent.message_id == held.header("Message-ID") == "<CA1@mail.gmail.com>"
    ours, theirs = parse(sent.raw), parse(held.raw)
    assert (ours.message_id, ours.digest) == (theirs.message_id, theirs.digest)
    assert provider.sent(MESSAGE_ID) == [Found("all", sent.ref)]
    assert provider.sent(sent.message_id) == [Found("all", sent.ref)]


def test_what_others_wrote_under_that_name_was_not_sent(gmail, provider):
    gmail.mailbox.deliver(write(outgoing().draft, bcc=False))
    gmail.mailbox.draft(write(outgoing().draft, bcc=False))
    assert provider.sent(MESSAGE_ID) == []


LIMIT = refusal(429, "rateLimitExceeded", "Slow down", {"Retry-After": "17"})
DAY = refusal(403, "dailyLimitExceeded", "Daily sending limit exceeded")
#: What becomes of the request -> what is raised, and how often it has gone out.
FAULTS = {
    "refuse": (Doubtful, "dropped", 0),
    "reset": (Doubtful, "dropped", 1),
    "half": (Doubtful, "dropped", 1),
    "broken": (Doubtful, "answer", 1),
    "slow": (Doubtful, "timeout", 1),
    "500": (Doubtful, "busy", 0),
    "503": (Doubtful, "busy", 0),
    "429": (Retry, "busy", 0),
    "day": (Retry, "busy", 0),
    "401": (Reconnect, "grant", 0),
    "403 scope": (Reconnect, "consent", 0),
    "400 service": (Permanent, "forbidden", 0),
    "400": (Refused, "refused", 0),
    "400 recipient": (Refused, "recipients", 0),
    "413": (Refused, "size", 0),
    "302": (Retry, "answer", 0),
}
ANSWERS = {
    "500": refusal(500, "backendError", "Internal error"),
    "503": refusal(503, "backendError", "Unavailable"),
    "429": LIMIT,
    "day": DAY,
    "401": refusal(401, "authError", "Invalid credentials"),
    "403 scope": refusal(403, "insufficientPermissions", "No such scope"),
    "400 service": refusal(400, "failedPrecondition", "Mail service not enabled"),
    "400": refusal(400, "invalidArgument", "Bad request"),
    "400 recipient": refusal(400, "invalidArgument", "Invalid To header"),
    "413": refusal(413, "uploadTooLarge", "Request is too large."),
    "302": refusal(302, "moved", "elsewhere", {"Location": "https://evil.example/"}),
}


def arm(gmail, pattern: str, fault: str, times: int = 9):
    if fault in ANSWERS:
        answer = ANSWERS[fault]
        return gmail.break_(pattern, "answer", answer=answer, times=times)
    return gmail.break_(pattern, fault, seconds=1.5, times=times)


def await_sent(gmail) -> None:
    """Until a mail is out that is still on its way."""
    for _time in range(1_000):
        if gmail.sent:
            return
        time.sleep(0.01)


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_becomes_of_a_send_it_goes_out_once_or_not(gmail, fault):
    kind, code, times = FAULTS[fault]
    provider = connect(gmail, timeout=0.4 if fault == "slow" else 10)
    in_time(provider.check)

    def armed():
        gmail.mend()
        return arm(gmail, "messages/send", fault)

    def send():
        return once_met(armed, lambda: provider.send(outgoing()))

    error = raised(send, kind, code)
    if fault == "slow":
        await_sent(gmail)
    assert len(gmail.sent) == times
    if fault == "429":
        assert error.retry_after == 17
    gmail.mend()
    assert len(connect(gmail).sent(MESSAGE_ID)) == times


#: The same of an upload's last piece. It is asked what became of it, and that is lost
#: too.
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_becomes_of_an_upload_it_goes_out_once_or_not(gmail, fault):
    kind, code, times = FAULTS[fault]
    provider = connect(gmail, timeout=0.6 if fault == "slow" else 10)

    def armed():
        gmail.mend()
        gmail.break_("PUT .*upload_id", "none", times=PIECES)
        return arm(gmail, "PUT .*upload_id", fault)

    def send():
        return once_met(armed, lambda: provider.send(outgoing(files=LARGE)))

    raised(send, kind, code)
    if fault == "slow":
        await_sent(gmail)
    assert len(gmail.sent) == times


@pytest.mark.parametrize("fault", ["reset", "half", "broken"])
def test_of_an_upload_gmail_itself_tells_what_became_of_it(gmail, provider, fault):
    gmail.break_("PUT .*upload_id", "none", times=PIECES)
    gmail.break_("PUT .*upload_id", fault)
    sent = provider.send(outgoing(files=LARGE))
    assert len(gmail.sent) == 1 and gmail.mailbox.mails[sent.ref].raw == sent.raw


@pytest.mark.parametrize("pattern", ["POST .*resumable", "PUT .*upload_id"])
@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("refuse", Retry, "dropped"),
        ("reset", Retry, "dropped"),
        ("500", Retry, "busy"),
        ("429", Retry, "busy"),
        ("401", Reconnect, "grant"),
        ("413", Refused, "size"),
        ("400", Refused, "refused"),
    ],
)
def test_before_its_last_piece_no_upload_is_in_doubt(
    gmail, provider, pattern, fault, kind, code
):
    arm(gmail, pattern, fault)
    raised(lambda: provider.send(outgoing(files=LARGE)), kind, code)
    assert not gmail.sent
    gmail.mend()
    provider.send(outgoing(files=LARGE))
    assert len(gmail.sent) == 1


def test_an_upload_goes_to_nobody_else(gmail, provider):
    answer = refusal(200, "", "", {"Location": "https://evil.example/upload"})
    gmail.break_("POST .*resumable", "answer", answer=answer)
    raised(lambda: provider.send(outgoing(files=LARGE)), Retry, "answer")


def test_a_gmail_that_is_away_has_sent_nothing(gmail, provider):
    gmail.refuse()
    try:
        raised(lambda: provider.send(outgoing()), Retry, "refused")
        raised(lambda: provider.send(outgoing(files=LARGE)), Retry, "refused")
    finally:
        gmail.listen()
    assert not gmail.sent


def test_a_token_that_ends_meanwhile_sends_once(gmail, provider):
    for files in ((), LARGE):
        provider.check()
        gmail.oauth.expire_tokens()
        provider.send(outgoing(files=files))
    assert len(gmail.sent) == 2


def test_a_sign_in_that_fails_meanwhile_is_no_doubt(gmail):
    def tokens(refused=""):
        if refused:
            raise Retry("busy", "no token now")
        return "old"

    provider = connect(gmail, tokens=tokens)
    raised(lambda: provider.send(outgoing()), Retry, "busy")
    assert not gmail.sent


@pytest.mark.parametrize("fault", ["reset", "500", "429", "broken"])
def test_what_has_gone_out_is_sent_though_it_cannot_be_looked_at(
    gmail, provider, fault
):
    arm(gmail, "GET .*format=metadata", fault)
    sent = provider.send(outgoing())
    assert len(gmail.sent) == 1 and sent.ref in gmail.mailbox.mails
    assert sent.note


@pytest.mark.parametrize("size", [0, 1, gmail_send.UPLOAD_BYTES, 24 * MB])
def test_files_of_any_size_go_out_whole(gmail, size):
    provider = connect(gmail, timeout=60)
    sent = provider.send(outgoing(files=(File("a.bin", "", os.urandom(size)),)))
    assert gmail.sent == [(EMAIL, sent.raw)]
    assert ("upload_id" in gmail.calls[-2]) == (size >= gmail_send.UPLOAD_BYTES)


def test_what_cannot_be_sent_is_refused_before_gmail_is_asked(gmail, provider):
    def refused(code: str, **kwargs) -> MailboxError:
        return raised(lambda: provider.send(outgoing(**kwargs)), Refused, code)

    refused("size", files=(File("a", "", bytes(30 * MB)),))
    people = tuple(("", f"p{number}@example.org") for number in range(501))
    refused("too_many", to=people)
    refused("header", subject="a\r\nBcc: eve@evil.example")
    assert not gmail.calls


def test_a_hundred_people_get_it(gmail, provider):
    people = tuple((f"P, {number}", f"p{number}@example.org") for number in range(100))
    sent = provider.send(outgoing(to=people))
    assert len(parse(sent.raw).participants) == 101 and len(gmail.sent) == 1


def test_a_send_is_counted_for_what_it_costs(gmail, provider):
    used = provider.budget.used()
    provider.send(outgoing())
    assert gmail.units(EMAIL) == 120
    assert provider.budget.used() - used == pytest.approx(120 / 1_000_000)
