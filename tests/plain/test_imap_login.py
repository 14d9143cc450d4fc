"""Signing in to IMAP: what servers answer is sorted, and the password told nowhere."""

import logging
import traceback

import pytest
from imap_mailbox import connect, pull_all
from imap_talk import CAPABILITY, GREETING, at, raised
from servers.fault_proxy import FaultProxy

from easycrm_mail.providers import (
    ImapProvider,
    MailboxError,
    Permanent,
    Reconnect,
    Retry,
)
from easycrm_mail.providers.imap_errors import words


def test_a_wrong_password_asks_the_user(mailbox):
    mailbox.password = "wrong"
    error = raised(connect(mailbox), "password", Reconnect)
    assert "AUTHENTICATIONFAILED" in error.detail


def test_a_password_changed_meanwhile_asks_the_user(mailbox):
    provider = connect(mailbox)
    provider.check()
    mailbox.set_password("another")
    # The running session is not touched.
    provider.check()
    provider.close()
    raised(provider, "password", Reconnect)


@pytest.mark.parametrize(
    ("answer", "code", "kind"),
    [
        (b"NO [AUTHENTICATIONFAILED] Invalid credentials", "password", Reconnect),
        (b"NO [AUTHORIZATIONFAILED] no", "password", Reconnect),
        (b"NO [EXPIRED] password expired", "password", Reconnect),
        (b"NO AUTHENTICATE failed.", "password", Reconnect),
        (b"NO [ALERT] Application-specific password required", "password", Reconnect),
        (b"NO [UNAVAILABLE] Temporary authentication failure", "busy", Retry),
        (b"NO [INUSE] mailbox is locked", "busy", Retry),
        (b"NO [LIMIT] too many", "busy", Retry),
        (b"NO [SERVERBUG] oops", "busy", Retry),
        (b"NO [ALERT] Too many simultaneous connections. (Failure)", "busy", Retry),
        (b"NO [PRIVACYREQUIRED] encrypt first", "tls", Permanent),
        (b"BAD what?", "answer", Retry),
    ],
)
def test_what_a_server_says_at_login_is_sorted(server, answer, code, kind):
    port = server(GREETING, CAPABILITY, b"+ \r\n", b"TAG " + answer + b"\r\n")
    raised(at(port), code, kind)


def test_a_connection_lost_while_signing_in_is_no_wrong_password(mailbox, proxy):
    proxy.reset_at = b"+ "
    raised(connect(mailbox), "dropped", Retry)


def test_a_login_only_server_gets_quoted_words(server):
    port = server(
        b"* OK [CAPABILITY IMAP4rev1] ready\r\n",
        b"* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n",
        b'TAG NO [AUTHENTICATIONFAILED] "no"\r\n',
    )
    with FaultProxy("127.0.0.1", port) as proxy:
        provider = ImapProvider(proxy.host, proxy.port, "none", 'a "b" ü', "pä\\ss", 1)
        raised(provider, "password", Reconnect)
        assert (
            'LOGIN "a \\"b\\" ü" "pä\\\\ss"'.encode().decode("latin-1")
            in proxy.commands()
        )


def test_a_server_that_wants_tls_for_passwords_is_said_so(server):
    port = server(
        b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready\r\n",
        b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\nTAG OK done\r\n",
    )
    raised(at(port), "tls", Permanent)


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("jörg@example.org", "pässwörd€"),
        ("anna b", 'with "quotes" and \\'),
        ("x", "日本語 🔑"),
    ],
)
def test_any_characters_sign_in(dovecot, login, password):
    dovecot.add_user(login, password)
    provider = ImapProvider(dovecot.host, dovecot.port, "none", login, password)
    provider.check()
    provider.close()


@pytest.mark.parametrize("security", ["none", "starttls", "ssl"])
def test_the_password_is_in_no_error_and_no_log(
    security, dovecot, server, caplog, monkeypatch
):
    caplog.set_level(logging.DEBUG)
    secret = "s3cret-Pä$$"
    said = f"TAG NO [AUTHENTICATIONFAILED] {secret} is wrong\r\n".encode()
    plain = b"AGFubmEAczNjcmV0LVDDpCQk"
    ports = [
        server(GREETING, CAPABILITY, said),
        server(GREETING, CAPABILITY, b"+ \r\n", said),
        server(GREETING, CAPABILITY, b"+ \r\n", b"what is " + plain + b"?\r\n"),
        server(GREETING, CAPABILITY, b"+ \r\n", f"what is {secret}?\r\n".encode()),
        dovecot.port,
    ]
    for port in ports:
        provider = ImapProvider("127.0.0.1", port, security, "anna", secret, 1)
        with pytest.raises(MailboxError) as caught:
            provider.check()
        error = caught.value
        assert error.__context__ is None and error.__cause__ is None
        shown = (
            "".join(traceback.format_exception(error)) + repr(error) + repr(provider)
        )
        shown += repr(error.args) + error.detail
        for part in ("s3cret", "AGFubmE"):
            assert part not in shown + caplog.text
        provider.close()


def test_the_password_is_in_no_log_of_a_whole_sync(mailbox, caplog):
    caplog.set_level(logging.DEBUG)
    mailbox.deliver(1)
    provider = connect(mailbox)
    pull_all(provider)
    provider.close()
    assert mailbox.password not in caplog.text
    assert "Hello" not in caplog.text


def test_a_secret_that_a_server_repeats_is_left_out_however_long_it_is():
    """An access token, in base64, is longer than what is kept of an error."""
    token = "".join(f"{number:04d}" for number in range(700))
    for said in (token, token * 2, f"{'x' * 1900} {token}"):
        told = words(f"502 unknown command: {said}", [token])
        assert "0001" not in told and token[-8:] not in told
