"""What went out by SMTP stands among the sent mail once, whoever files it there."""

from datetime import datetime, timezone

import pytest
from conftest import PASSWORD, new_mailbox, raised
from sending import MESSAGE_ID
from servers.fault_proxy import FaultProxy
from servers.smtp_sink import SmtpSink, into
from smtp_mailbox import draft, sent_mails
from standstill import in_time

from easycrm_mail.messages import parse, write
from easycrm_mail.providers import Doubtful, Found, Outgoing


def test_the_next_sync_finds_the_copy_where_it_was_said_to_be(mailbox, sink, connect):
    provider = connect(mailbox, sink)
    sent = provider.send(Outgoing(draft(mailbox.login)))
    batch = provider.pull(sent.stream, "", datetime(2020, 1, 1, tzinfo=timezone.utc))
    [found] = batch.messages
    assert (found.ref, found.raw, found.is_read) == (sent.ref, sent.raw, True)
    assert provider.sent(MESSAGE_ID) == [Found(sent.stream, sent.ref)]
    assert provider.sent("<other@example.org>") == []


@pytest.mark.parametrize("any_sent", ["condstore_dovecot", "plain_dovecot"])
def test_a_copy_stands_in_sent_on_any_server(request, connect, any_sent):
    mailbox = new_mailbox(request.getfixturevalue(any_sent))
    with SmtpSink({mailbox.login: PASSWORD}) as sink:
        provider = connect(mailbox, sink)
        sent = provider.send(Outgoing(draft(mailbox.login)))
    assert provider.fetch(sent.stream, sent.ref).raw == sent.raw


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
