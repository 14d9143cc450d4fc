"""A mail goes out by SMTP once, whatever breaks, and stands among the sent mail."""

import os
import ssl
from datetime import datetime, timezone

import pytest
import sending
import trustme
from conftest import PASSWORD, new_mailbox, raised
from sending import MB, MESSAGE_ID
from servers.fault_proxy import FaultProxy
from servers.smtp_sink import HOST, SmtpSink, into
from standstill import in_time, once_met

from easycrm_mail.messages import Draft, File, parse, write
from easycrm_mail.providers import (
    Doubtful,
    Found,
    ImapProvider,
    Outgoing,
    Permanent,
    Reconnect,
    Refused,
    Retry,
    SmtpSettings,
)


def draft(login: str, **kwargs) -> Draft:
    """A mail of that mailbox's user to two people."""
    to = ("Bob", "bob@example.org"), ("Carl", "carl@example.org")
    return sending.draft(**{"sender": ("Anna", login), "to": to, **kwargs})


@pytest.fixture
def sink(mailbox):
    with SmtpSink({mailbox.login: PASSWORD}) as sink:
        yield sink


@pytest.fixture
def connect():
    """Gives a provider, closed at the end."""
    made = []

    def connect(
        mailbox, smtp, imap=None, timeout=5, host=HOST, security="none"
    ) -> ImapProvider:
        imap = imap or mailbox
        settings = smtp and SmtpSettings(host, smtp.port, security)
        account = mailbox.login, PASSWORD
        made.append(
            ImapProvider(
                imap.host, imap.port, "none", *account, timeout=timeout, smtp=settings
            )
        )
        return made[-1]

    yield connect
    for one in made:
        one.close()


@pytest.fixture
def send(mailbox, sink, connect):
    """Sends a mail by the sink."""

    def send(timeout=5, **kwargs):
        provider = connect(mailbox, sink, timeout=timeout)
        return provider.send(Outgoing(draft(mailbox.login, **kwargs)))

    return send


def sent_mails(mailbox) -> list[tuple[bytes, bool]]:
    """What stands in Sent: bytes, and whether it is read."""
    held = mailbox.held("Sent").values()
    return [(raw.replace(b"\n", b"\r\n"), is_read) for raw, is_read in held]


def test_a_mail_goes_out_and_stands_in_sent(mailbox, sink, send):
    sent = send()
    [taken] = sink.taken
    assert taken.sender == mailbox.login
    assert taken.recipients == ["bob@example.org", "carl@example.org"]
    assert taken.raw == sent.raw
    assert sent_mails(mailbox) == [(sent.raw, True)]
    assert (sent.message_id, sent.refused, sent.note) == (MESSAGE_ID, (), "")
    assert sink.commands[-1] == "QUIT"


def test_the_next_sync_finds_the_copy_where_it_was_said_to_be(mailbox, sink, connect):
    provider = connect(mailbox, sink)
    sent = provider.send(Outgoing(draft(mailbox.login)))
    batch = provider.pull(sent.stream, "", datetime(2020, 1, 1, tzinfo=timezone.utc))
    [found] = batch.messages
    assert (found.ref, found.raw, found.is_read) == (sent.ref, sent.raw, True)
    assert provider.sent(MESSAGE_ID) == [Found(sent.stream, sent.ref)]
    assert provider.sent("<other@example.org>") == []


def test_who_gets_it_unseen_is_named_to_nobody_but_the_sender(mailbox, sink, send):
    sent = send(bcc=(("Secret", "secret@example.org"),))
    [taken] = sink.taken
    assert taken.recipients[-1] == "secret@example.org"
    assert b"secret" not in taken.raw.lower()
    [(copy, _is_read)] = sent_mails(mailbox)
    assert b"Bcc: Secret <secret@example.org>" in copy and copy == sent.raw


@pytest.mark.parametrize("any_sent", ["condstore_dovecot", "plain_dovecot"])
def test_a_copy_stands_in_sent_on_any_server(request, connect, any_sent):
    mailbox = new_mailbox(request.getfixturevalue(any_sent))
    with SmtpSink({mailbox.login: PASSWORD}) as sink:
        provider = connect(mailbox, sink)
        sent = provider.send(Outgoing(draft(mailbox.login)))
    assert provider.fetch(sent.stream, sent.ref).raw == sent.raw


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
    raised(lambda: send(to=(("", "no address"),)), Refused, "header")
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


def test_a_wrong_password_sends_nothing(mailbox, connect):
    with SmtpSink({mailbox.login: "another"}) as sink:
        provider = connect(mailbox, sink)
        raised(
            lambda: provider.send(Outgoing(draft(mailbox.login))),
            Reconnect,
            "password",
        )
        assert not sink.taken


@pytest.fixture
def tls(tmp_path, monkeypatch):
    """A server's side of TLS, which we trust for `localhost`."""
    ca = trustme.CA()
    (tmp_path / "ca.pem").write_bytes(ca.cert_pem.bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("localhost").configure_cert(context)
    return context


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_it_goes_out_under_tls(mailbox, connect, tls, security):
    files = (File("a.bin", "", os.urandom(4 * MB)),)
    is_ssl = security == "ssl"
    with SmtpSink({mailbox.login: PASSWORD}, tls, from_the_start=is_ssl) as sink:
        provider = connect(mailbox, sink, host="localhost", security=security)
        sent = provider.send(Outgoing(draft(mailbox.login, files=files)))
        assert [one.raw for one in sink.taken] == [sent.raw]
        assert sink.commands.count("STARTTLS") == (not is_ssl)


@pytest.mark.parametrize("fault", ["cut", "lose", "silence"])
def test_where_tls_breaks_off_nothing_is_sent(mailbox, connect, tls, fault):
    with SmtpSink({mailbox.login: PASSWORD}, tls) as sink:
        sink.break_("STARTTLS", fault)
        timeout = 0.5 if fault == "silence" else 5
        provider = connect(
            mailbox, sink, host="localhost", security="starttls", timeout=timeout
        )
        mail = Outgoing(draft(mailbox.login))
        code = "timeout" if fault == "silence" else "dropped"
        raised(lambda: provider.send(mail), Retry, code)
        assert not sink.taken and "AUTH" not in sink.commands


def test_a_certificate_that_nobody_knows_gets_no_mail(mailbox, connect, tls):
    with SmtpSink({mailbox.login: PASSWORD}, tls) as sink:
        provider = connect(mailbox, sink, host=HOST, security="starttls")
        mail = Outgoing(draft(mailbox.login))
        raised(lambda: provider.send(mail), Permanent, "certificate")
        assert not sink.taken


@pytest.fixture
def proxy(dovecot):
    with FaultProxy(dovecot.host, dovecot.port) as proxy:
        yield proxy


@pytest.mark.parametrize("command", [b"AUTHENTICATE", b"LIST", b"SEARCH", b"APPEND"])
@pytest.mark.parametrize("fault", ["reset", "silence"])
def test_once_it_has_gone_out_it_is_sent_whatever_becomes_of_the_copy(
    mailbox, sink, connect, proxy, command, fault
):
    timeout = 1 if fault == "silence" else 5
    provider = connect(mailbox, sink, imap=proxy, timeout=timeout)
    proxy.spring(command, fault)
    sent = in_time(lambda: provider.send(Outgoing(draft(mailbox.login))))
    assert len(sink.taken) == 1
    assert (sent.stream, sent.ref) == ("", "") and sent.note
    assert len(sent_mails(mailbox)) <= 1


def test_a_copy_of_which_the_answer_was_lost_is_not_put_there_twice(
    mailbox, sink, connect, proxy
):
    provider = connect(mailbox, sink, imap=proxy)
    provider.check()
    proxy.spring(b"Message-ID: <1.x", "reset", times=1)
    sent = provider.send(Outgoing(draft(mailbox.login)))
    assert proxy.sprung == 1 and len(sink.taken) == 1
    assert sent_mails(mailbox) == [(sent.raw, True)] and sent.ref


def test_a_connection_that_broke_while_idle_is_no_matter(
    mailbox, sink, connect, dovecot
):
    provider = connect(mailbox, sink)
    provider.check()
    provider._connection.abort()
    sent = provider.send(Outgoing(draft(mailbox.login)))
    assert sent.ref and len(sink.taken) == 1


def test_a_server_that_files_it_itself_gets_no_second_copy(mailbox, connect):
    def file(taken):
        mailbox.server.deliver(mailbox.login, taken.raw, "Sent")

    with SmtpSink({mailbox.login: PASSWORD}, deliver=file) as sink:
        provider = connect(mailbox, sink)
        sent = provider.send(Outgoing(draft(mailbox.login)))
        assert len(sent_mails(mailbox)) == 1
        assert provider.fetch(sent.stream, sent.ref).raw == sink.taken[0].raw


def test_gmail_files_it_itself_a_moment_later(mailbox, sink, connect, proxy):
    proxy.replace[b"IMAP4rev1"] = b"IMAP4rev1 X-GM-EXT-1"
    provider = connect(mailbox, sink, imap=proxy)
    sent = provider.send(Outgoing(draft(mailbox.login)))
    assert not sent_mails(mailbox)
    assert (sent.stream, sent.ref, sent.note) == ("", "", "")
    mailbox.server.deliver(mailbox.login, sent.raw, "Sent")
    assert len(provider.sent(MESSAGE_ID)) == 1


def test_a_mailbox_without_a_sent_folder_says_so(mailbox, sink, connect):
    mailbox.delete_folder("Sent")
    sent = connect(mailbox, sink).send(Outgoing(draft(mailbox.login)))
    assert len(sink.taken) == 1
    assert sent.note.startswith("folder") and not sent.ref


def test_a_doubt_is_settled_by_what_stands_in_sent(mailbox, connect):
    """A server that files what it takes, and whose answer is lost."""

    def file(taken):
        mailbox.server.deliver(mailbox.login, taken.raw, "Sent")

    with SmtpSink({mailbox.login: PASSWORD}, deliver=file) as sink:
        provider = connect(mailbox, sink)
        assert provider.sent(MESSAGE_ID) == []
        sink.break_("CONTENT", "lose")
        mail = Outgoing(draft(mailbox.login))
        raised(lambda: provider.send(mail), Doubtful, "dropped")
        [found] = provider.sent(MESSAGE_ID)
        assert provider.fetch(found.stream, found.ref).raw == sink.taken[0].raw


def test_a_conversation_of_five_turns_stays_one(dovecot, connect):
    """Between two mailboxes: what one sends the other reads, and answers."""
    people = [new_mailbox(dovecot), new_mailbox(dovecot)]
    users = {one.login: PASSWORD for one in people}
    with SmtpSink(users, deliver=into(dovecot)) as sink:
        providers = [connect(one, sink) for one in people]
        read: list[str] = []
        for turn in range(5):
            writer, reader = turn % 2, 1 - turn % 2
            mail = draft(
                people[writer].login,
                message_id=f"<{turn}.x@example.org>",
                to=(("", people[reader].login),),
                in_reply_to=read[-1] if read else "",
                references=tuple(read),
            )
            providers[writer].send(Outgoing(mail))
            [found] = providers[reader].find(message_id=mail.message_id)
            message = parse(providers[reader].fetch(found.stream, found.ref).raw)
            assert message.references == tuple(read)
            read = [*message.references, message.message_id]
        assert len(read) == 5 == len(sink.taken)


def test_what_is_written_twice_says_the_same():
    mail = draft("anna@example.org")
    one, other = parse(write(mail, bcc=False)), parse(write(mail, bcc=True))
    assert one.digest == other.digest


@pytest.mark.parametrize("is_old", [False, True])
def test_it_goes_out_by_an_access_token(mailbox, tls, is_old):
    """One that has ended is replaced, once; without a copy, as this IMAP takes none."""
    asked = []

    def tokens(refused=""):
        asked.append(refused)
        return "s3cret new" if refused or not is_old else "s3cret old"

    with SmtpSink({}, tls) as sink:
        sink.tokens[mailbox.login] = "s3cret new"
        settings = SmtpSettings("localhost", sink.port, "starttls")
        imap = "localhost", 1, "ssl", mailbox.login, ""
        provider = ImapProvider(*imap, timeout=5, tokens=tokens, smtp=settings)
        sent = provider.send(Outgoing(draft(mailbox.login)))
        assert len(sink.taken) == 1 and sent.note
        assert asked[: 1 + is_old] == ["", "s3cret old"][: 1 + is_old]


def test_a_token_that_is_refused_sends_nothing(mailbox, tls):
    with SmtpSink({}, tls) as sink:
        settings = SmtpSettings("localhost", sink.port, "starttls")
        imap = "localhost", 1, "ssl", mailbox.login, ""
        provider = ImapProvider(
            *imap, timeout=5, tokens=lambda refused="": "s3cret", smtp=settings
        )
        mail = Outgoing(draft(mailbox.login))
        error = raised(lambda: provider.send(mail), Reconnect, "token")
        assert "s3cret" not in str(error) and not sink.taken
