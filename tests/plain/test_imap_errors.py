"""What goes wrong with IMAP becomes the error that says what to do."""

import socket
import time

import pytest
from conftest import LONG_AGO, mail, new_mailbox
from imap_mailbox import connect, numbers, pull_all
from imap_talk import CAPABILITY, GREETING, at, raised
from servers.dovecot import Dovecot
from standstill import in_time

from easycrm_mail.providers import Gone, ImapProvider, Permanent, Retry, imap_page


def test_nobody_listening_is_retried():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    raised(at(port), "refused", Retry)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "localhost.invalid"])
def test_an_unknown_host_is_retried(host):
    raised(ImapProvider(host, 143, "none", "a", "b", timeout=2), "host", Retry)


@pytest.mark.parametrize(
    ("host", "port", "security", "login"),
    [
        ("", 143, "none", "a"),
        ("two words", 143, "none", "a"),
        (f"{'x' * 70}.example", 143, "none", "a"),
        ("127.0.0.1", 0, "none", "a"),
        ("127.0.0.1", 70_000, "none", "a"),
        ("127.0.0.1", 143, "maybe", "a"),
        ("127.0.0.1", 143, "none", ""),
        ("127.0.0.1", 143, "none", "a\r\nb LOGOUT"),
    ],
)
def test_settings_that_cannot_be_are_said_so(host, port, security, login):
    raised(ImapProvider(host, port, security, login, "b", 2), "entered", Permanent)


def test_a_silent_server_is_a_time_out(server):
    started = time.monotonic()
    raised(at(server(b""), timeout=0.3), "timeout", Retry)
    assert time.monotonic() - started < 20


def test_a_slow_server_is_a_time_out_and_may_be_asked_again(mailbox, proxy):
    mailbox.deliver(1)
    provider = connect(mailbox, timeout=0.3)
    in_time(provider.check)
    proxy.delay = 1
    with pytest.raises(Retry) as caught:
        provider.pull("INBOX", "", LONG_AGO)
    assert caught.value.code == "timeout"
    proxy.delay = 0
    assert numbers(in_time(lambda: provider.pull("INBOX", "", LONG_AGO))) == [1]
    provider.close()


def test_a_server_that_drips_does_not_hold_a_call_for_ever(mailbox, proxy):
    mailbox.deliver(1, size=50_000)
    provider = connect(mailbox, timeout=0.5)
    in_time(provider.check)
    proxy.drip = 0.05
    started = time.monotonic()
    with pytest.raises(Retry) as caught:
        provider.pull("INBOX", "", LONG_AGO)
    assert caught.value.code == "timeout"
    assert time.monotonic() - started < 20


def test_a_server_killed_midway_is_retried_from_the_same_checkpoint(
    scratch, monkeypatch
):
    monkeypatch.setattr(imap_page, "PAGE_MAILS", 10)
    with Dovecot(scratch / "killed", {}) as dovecot:
        mailbox = new_mailbox(dovecot)
        mailbox.deliver(*range(25))
        provider = connect(mailbox)
        first = provider.pull("INBOX", "", LONG_AGO)
        port = dovecot.port
        dovecot.kill()
        with pytest.raises(Retry) as caught:
            provider.pull("INBOX", first.checkpoint, LONG_AGO)
        assert caught.value.code == "refused"
        dovecot._wanted_port = port
        dovecot.start()
        rest = pull_all(provider, first.checkpoint)
        provider.close()
    got = [number for batch in (first, *rest) for number in numbers(batch)]
    assert got == [*range(24, -1, -1)]


def test_a_connection_closed_while_idle_is_opened_again(mailbox):
    mailbox.deliver(1)
    provider = connect(mailbox)
    provider.check()
    mailbox.recreate()
    assert numbers(provider.pull("INBOX", "", LONG_AGO)) == [1]
    provider.close()


def test_a_reset_in_the_middle_of_a_mail_is_made_good(mailbox, proxy):
    mailbox.deliver(1, 2, 3, size=30_000)
    proxy.reset_after, proxy.resets_left = 40_000, 1
    provider = connect(mailbox)
    batch = provider.pull("INBOX", "", LONG_AGO)
    assert numbers(batch) == [3, 2, 1]
    assert [one.raw for one in batch.messages] == [mail(n, 30_000) for n in (3, 2, 1)]
    assert not batch.set_aside
    provider.close()


def test_a_line_that_resets_each_connection_is_retried(mailbox, proxy):
    mailbox.deliver(1)
    proxy.reset_at = b" EXISTS\r\n"
    with pytest.raises(Retry) as caught:
        connect(mailbox).pull("INBOX", "", LONG_AGO)
    assert caught.value.code == "dropped"


def test_a_mail_that_breaks_every_connection_does_not_block_the_rest(mailbox, proxy):
    mailbox.deliver(*range(8))
    proxy.reset_at = b"Subject: mail 5"
    provider = connect(mailbox)
    batch = provider.pull("INBOX", "", LONG_AGO)
    batches = [batch]
    while batches[-1].more:
        batches.append(provider.pull("INBOX", batches[-1].checkpoint, LONG_AGO))
    assert [number for one in batches for number in numbers(one)] == [
        7,
        6,
        4,
        3,
        2,
        1,
        0,
    ]
    [aside] = [aside for one in batches for aside in one.set_aside]
    assert aside.ref.endswith(":6")
    assert aside.error.startswith("The connection breaks")
    assert batches[-1].settled
    provider.close()


def test_many_mails_that_break_connections_take_some_pulls(mailbox, proxy):
    mailbox.deliver(9)
    provider = connect(mailbox)
    checkpoint = pull_all(provider)[-1].checkpoint
    mailbox.deliver(*range(5))
    proxy.reset_at = b"Subject: mail "
    # The one that is known can be had, so it is they that are to blame.
    proxy.replace = {b"Subject: mail 9": b"Subject: nine 9"}
    batches = pull_all(provider, checkpoint)
    assert len(batches) > 1
    assert sum(len(one.set_aside) for one in batches) == 5
    provider.close()


def test_a_line_that_breaks_at_every_mail_is_no_mails_fault(mailbox, proxy):
    mailbox.deliver(*range(5))
    proxy.reset_at = b"Subject: mail "
    provider = connect(mailbox)
    for _pull in range(3):
        with pytest.raises(Retry) as caught:
            provider.pull("INBOX", "", LONG_AGO)
        assert caught.value.code == "dropped"
    proxy.reset_at = b""
    batch = provider.pull("INBOX", "", LONG_AGO)
    assert numbers(batch) == [4, 3, 2, 1, 0] and not batch.set_aside
    provider.close()


def test_a_mail_given_without_content_is_set_aside(mailbox, proxy):
    mailbox.deliver(1, 2, 3)
    raw = mail(2)
    proxy.replace = {
        b"BODY[] {%d}\r\n" % len(raw) + raw: b'BODY[] ""',
    }
    provider = connect(mailbox)
    batch = provider.pull("INBOX", "", LONG_AGO)
    assert numbers(batch) == [3, 1]
    [aside] = batch.set_aside
    assert aside.ref.endswith(":2")
    assert "without content" in aside.error
    assert batch.settled
    with pytest.raises(Retry):
        provider.fetch("INBOX", aside.ref)
    provider.close()


@pytest.mark.parametrize("items", [b" FLAGS", b" RFC822.SIZE", b" BODY[]"])
def test_a_mail_that_is_listed_and_never_given_is_set_aside(mailbox, proxy, items):
    mailbox.deliver(1, 2, 3)
    proxy.replace = {
        b" FLAGS": {b"* 2 FETCH (UID 2 ": b"* 2 FETCH (UID 9 "},
        b" RFC822.SIZE": {b"RFC822.SIZE": b"RFC822.SIZX"},
        b" BODY[]": {b"BODY[] {": b"BODX[] {"},
    }[items]
    provider = connect(mailbox)
    batches = pull_all(provider)
    got = [number for one in batches for number in numbers(one)]
    asides = [aside.ref.split(":")[1] for one in batches for aside in one.set_aside]
    assert (got, asides) == {
        b" FLAGS": ([3, 1], ["2"]),
        # Without a size nothing is lost
        b" RFC822.SIZE": ([3, 2, 1], []),
        b" BODY[]": ([], ["3", "2", "1"]),
    }[items]
    assert batches[-1].settled
    provider.close()


def test_a_mail_that_is_refused_alone_is_set_aside(mailbox):
    """Dovecot answers NO for a mail whose file it may not read."""
    keys = mailbox.deliver(1, 2, 3)
    mailbox.spoil(keys[1])
    provider = connect(mailbox)
    batches = pull_all(provider)
    assert [number for one in batches for number in numbers(one)] == [3, 1]
    asides = [aside for one in batches for aside in one.set_aside]
    assert [aside.ref.split(":")[1] for aside in asides] == ["2"]
    assert asides[0].error.startswith("The ")
    assert batches[-1].settled
    provider.close()


def test_an_unknown_folder_is_gone(any_mailbox):
    provider = connect(any_mailbox)
    for call in (
        lambda: provider.pull("Nowhere", "", LONG_AGO),
        lambda: provider.fetch("Nowhere", "1:1"),
    ):
        with pytest.raises(Gone) as caught:
            call()
        assert caught.value.code == "folder"
    # The connection is still good.
    connection = provider._connection
    provider.check()
    assert provider._connection is connection
    provider.close()


def test_a_folder_deleted_between_two_pulls_is_gone(any_mailbox):
    any_mailbox.create_folder("Projects")
    any_mailbox.deliver(1, folder="Projects")
    provider = connect(any_mailbox)
    checkpoint = provider.pull("Projects", "", LONG_AGO).checkpoint
    provider.close()
    any_mailbox.delete_folder("Projects")
    with pytest.raises(Gone) as caught:
        provider.pull("Projects", checkpoint, LONG_AGO)
    assert caught.value.code == "folder"
    provider.close()


def test_a_mail_is_fetched_or_gone(any_mailbox):
    keys = any_mailbox.deliver(1, 2)
    provider = connect(any_mailbox)
    two, one = (
        message.ref for message in provider.pull("INBOX", "", LONG_AGO).messages
    )
    assert provider.fetch("INBOX", one).raw == mail(1)
    any_mailbox.remove(keys[0])
    uid_validity = one.split(":")[0]
    for ref in (
        one,
        f"{int(uid_validity) + 1}:2",
        f"{uid_validity}:99",
        "",
        "x",
        "1:-1",
    ):
        with pytest.raises(Gone) as caught:
            provider.fetch("INBOX", ref)
        assert caught.value.code == "mail"
    assert provider.fetch("INBOX", two).raw == mail(2)
    provider.close()


def test_a_backoff_time_is_handed_on(server):
    said = b"BYE Request is throttled. Suggested Backoff Time: 299961 milliseconds"
    port = server(GREETING, b"* " + said + b"\r\n")
    error = raised(at(port), "busy", Retry)
    assert error.retry_after == pytest.approx(299.961)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([b"* BYE too many connections\r\n"], "busy"),
        ([b"* BYE go away\r\n"], "dropped"),
        ([b"HTTP/1.1 400 Bad Request\r\n"], "answer"),
        ([b"* OK unterminated"], "timeout"),
        ([GREETING, b"* BYE [UNAVAILABLE] shutting down\r\n"], "busy"),
        ([GREETING, b"* BYE logged out\r\n"], "dropped"),
        ([GREETING, b"garbage\r\n"], "answer"),
        ([GREETING, b"x" * 1_100_000 + b"\r\n"], "answer"),
        ([GREETING, CAPABILITY, b"+ \r\n", b"unexpected\r\n"], "answer"),
    ],
)
def test_nonsense_is_retried(server, lines, code):
    seconds = 0.5 if code == "timeout" else 5
    raised(at(server(*lines), timeout=seconds), code, Retry)


def test_close_never_raises(mailbox, proxy):
    provider = connect(mailbox)
    provider.close()
    provider.check()
    proxy.close()
    provider.close()
    provider.close()


def test_every_socket_has_a_time_out(mailbox):
    provider = connect(mailbox, timeout=7)
    provider.check()
    assert provider._connection._client.socket().gettimeout() == 7
    provider.close()
