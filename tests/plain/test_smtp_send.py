"""A mail goes out by SMTP once, whatever breaks, and stands among the sent mail."""

import os

import pytest
from conftest import PASSWORD, raised
from sending import MB, MESSAGE_ID
from servers.smtp_sink import SmtpSink
from smtp_mailbox import draft, sent_mails
from standstill import once_met

from easycrm_mail.messages import File, parse
from easycrm_mail.providers import (
    Doubtful,
    Outgoing,
    Permanent,
    Reconnect,
    Refused,
    Retry,
)


def test_a_mail_goes_out_and_stands_in_sent(mailbox, sink, send):
    sent = send()
    [taken] = sink.taken
    assert taken.sender == mailbox.login
    assert taken.recipients == ["bob@example.org", "carl@example.org"]
    assert taken.raw == sent.raw
    assert sent_mails(mailbox) == [(sent.raw, True)]
    assert (sent.message_id, sent.refused, sent.note) == (MESSAGE_ID, (), "")
    assert sink.commands[-1] == "QUIT"


def test_who_gets_it_unseen_is_named_to_nobody_but_the_sender(mailbox, sink, send):
    sent = send(bcc=(("Secret", "secret@example.org"),))
    [taken] = sink.taken
    assert taken.recipients[-1] == "secret@example.org"
    assert b"secret" not in taken.raw.lower()
    [(copy, _is_read)] = sent_mails(mailbox)
    assert b"Bcc: Secret <secret@example.org>" in copy and copy == sent.raw


#: How a conversation breaks off -> what is raised, and how often it has gone out.
BREAKS = {
    ("CONNECT", "cut"): (Retry, "dropped", 0),
    ("EHLO", "cut"): (Retry, "dropped", 0),
    ("EHLO", "lose"): (Retry, "dropped", 0),
    ("EHLO", "silence"): (Retry, "timeout", 0),
    ("AUTH", "cut"): (Retry, "dropped", 0),
    ("AUTH", "lose"): (Retry, "dropped", 0),
    ("AUTH", "silence"): (Retry, "timeout", 0),
    ("MAIL", "cut"): (Retry, "dropped", 0),
    ("MAIL", "lose"): (Retry, "dropped", 0),
    ("MAIL", "silence"): (Retry, "timeout", 0),
    ("RCPT", "cut"): (Retry, "dropped", 0),
    ("RCPT", "lose"): (Retry, "dropped", 0),
    ("RCPT", "silence"): (Retry, "timeout", 0),
    ("DATA", "cut"): (Retry, "dropped", 0),
    ("DATA", "silence"): (Retry, "timeout", 0),
    ("CONTENT", "cut"): (Doubtful, "dropped", 0),
    ("CONTENT", "silence"): (Doubtful, "timeout", 0),
    ("CONTENT", "lose"): (Doubtful, "dropped", 1),
    ("CONTENT", "late"): (Doubtful, "timeout", 1),
    ("QUIT", "cut"): (None, "", 1),
    ("QUIT", "lose"): (None, "", 1),
    ("QUIT", "silence"): (None, "", 1),
}


@pytest.mark.parametrize(("step", "kind"), BREAKS)
def test_wherever_it_breaks_off_it_is_sent_once_or_not(mailbox, sink, send, step, kind):
    error, code, times = BREAKS[step, kind]
    timeout = 0.5 if kind in ("silence", "late") else 5

    def armed():
        sink.mend()
        return sink.break_(step, kind)

    if error:
        raised(lambda: once_met(armed, lambda: send(timeout)), error, code)
    else:
        # (all but the last answer is meant to be in time)
        once_met(armed, lambda: send(max(timeout, 2)))
    assert len(sink.taken) == times
    assert len(sent_mails(mailbox)) == (not error)


def test_a_line_that_breaks_in_the_middle_of_a_mail_is_no_doubt(sink, send):
    sink.break_("HALF", "cut")
    files = (File("a", "", os.urandom(4 * MB)),)
    raised(lambda: send(files=files), Retry, "dropped")
    assert not sink.taken
    send(files=files)
    assert len(sink.taken) == 1


#: What a server says to a step -> what that means.
ANSWERS = {
    ("MAIL", "421 4.3.2 shutting down"): (Retry, "busy"),
    ("MAIL", "451 4.7.1 try again later"): (Retry, "busy"),
    ("MAIL", "530 5.7.0 Authentication required"): (Permanent, "tls"),
    ("MAIL", "535 5.7.8 sign in again"): (Reconnect, "password"),
    ("MAIL", "550 5.4.5 Daily user sending limit exceeded"): (Retry, "busy"),
    ("MAIL", "552 5.3.4 Message size exceeds fixed limit"): (Refused, "size"),
    ("MAIL", "553 5.7.1 not owned by user"): (Refused, "sender"),
    ("MAIL", "550 5.1.0 no"): (Refused, "sender"),
    ("MAIL", "250-never ending"): (Retry, "timeout"),
    ("MAIL", "gibberish"): (Retry, "answer"),
    ("RCPT", "553 5.7.1 <a@b>: Sender address rejected: not owned by user"): (
        Refused,
        "sender",
    ),
    ("RCPT", "452 4.5.3 Too many recipients"): (Refused, "too_many"),
    ("RCPT", "421 4.7.0 goodbye"): (Retry, "busy"),
    ("DATA", "451 4.3.0 later"): (Retry, "busy"),
    ("DATA", "554 5.5.1 no valid recipients"): (Refused, "refused"),
    ("CONTENT", "451 4.3.0 queue full"): (Retry, "busy"),
    ("CONTENT", "452 4.3.1 insufficient storage"): (Retry, "busy"),
    ("CONTENT", "552 5.3.4 message too big"): (Refused, "size"),
    ("CONTENT", "554 5.7.1 looks like spam"): (Refused, "content"),
    ("CONTENT", "550 5.7.60 SMTP; Client does not have permissions to send as"): (
        Refused,
        "sender",
    ),
    ("CONTENT", "gibberish"): (Doubtful, "answer"),
    ("CONTENT", "199 what"): (Doubtful, "answer"),
}


@pytest.mark.parametrize(("step", "answer"), ANSWERS)
def test_what_a_server_says_is_sorted_by_what_to_do(mailbox, sink, send, step, answer):
    sink.break_(step, "answer", answer)
    kind, code = ANSWERS[step, answer]
    raised(lambda: send(0.5 if code == "timeout" else 5), kind, code)
    assert not sink.taken and not sent_mails(mailbox)


def test_a_limit_by_the_day_is_waited_for(sink, send):
    sink.break_("CONTENT", "answer", "550 5.4.5 Daily user sending limit exceeded")
    assert raised(send, Retry, "busy").retry_after >= 3600


NO_SUCH = "550 5.1.1 no such user"


def test_if_one_is_refused_the_others_get_it(mailbox, sink, send):
    sink.refused["carl@example.org"] = NO_SUCH
    assert send().refused == (("carl@example.org", NO_SUCH),)
    assert [one.recipients for one in sink.taken] == [["bob@example.org"]]
    assert len(sent_mails(mailbox)) == 1


def test_if_all_are_refused_nobody_gets_it(mailbox, sink, send):
    sink.refused["bob@example.org"] = sink.refused["carl@example.org"] = NO_SUCH
    error = raised(send, Refused, "recipients")
    assert error.recipients == tuple(
        (one, NO_SUCH) for one in ("bob@example.org", "carl@example.org")
    )
    assert not sink.taken and not sent_mails(mailbox)


def test_if_nobody_is_left_what_passes_is_tried_again(sink, send):
    sink.refused["bob@example.org"] = NO_SUCH
    sink.refused["carl@example.org"] = "450 4.2.1 greylisted"
    raised(send, Retry, "busy")
    assert not sink.taken


def test_what_is_too_large_for_the_server_is_not_begun(mailbox, connect):
    with SmtpSink({mailbox.login: PASSWORD}, size=MB) as sink:
        provider = connect(mailbox, sink)
        large = File("a", "", bytes(MB))
        mail = Outgoing(draft(mailbox.login, files=(large,)))
        raised(lambda: provider.send(mail), Refused, "size")
        assert "MAIL" not in sink.commands
        small = Outgoing(draft(mailbox.login))
        assert provider.send(small).ref and len(sink.taken) == 1


@pytest.mark.parametrize("size", [0, 1, 24 * MB])
def test_files_of_any_size_go_out_whole(mailbox, sink, send, size):
    sent = send(files=(File("a.bin", "", os.urandom(size)),), timeout=30)
    assert [one.raw for one in sink.taken] == [sent.raw]
    assert sent_mails(mailbox) == [(sent.raw, True)]


def test_more_than_the_service_takes_is_refused_before_it_is_asked(sink, send):
    raised(lambda: send(files=(File("a", "", bytes(30 * MB)),)), Refused, "size")
    people = tuple(("", f"p{number}@example.org") for number in range(101))
    raised(lambda: send(to=people), Refused, "too_many")
    raised(lambda: send(subject="a\r\nBcc: eve@evil.example"), Refused, "header")
    failure = raised(lambda: send(to=(("", "no address"),)), Refused, "header")
    assert failure.header == ("address", "no address")
    assert not sink.commands


def test_a_hundred_people_get_it(sink, send):
    people = tuple((f"P, {number}", f"p{number}@example.org") for number in range(100))
    send(to=people)
    assert sink.taken[0].recipients == [address for _name, address in people]


def test_lines_that_begin_with_a_dot_arrive_as_they_were(sink, send):
    sent = send(html="", text=".\n..\n.hidden\n\n.\n")
    assert sink.taken[0].raw == sent.raw
    assert parse(sent.raw).text == ".\n..\n.hidden\n\n.\n"


def test_without_a_server_nothing_is_sent(mailbox, connect):
    provider = connect(mailbox, None)
    raised(lambda: provider.send(Outgoing(draft(mailbox.login))), Permanent, "setting")
