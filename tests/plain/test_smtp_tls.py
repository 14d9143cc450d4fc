"""A mail goes out under TLS, by a password or an access token, or not at all."""

import os
import ssl

import pytest
import trustme
from conftest import PASSWORD, raised
from sending import MB
from servers.smtp_sink import HOST, SmtpSink
from smtp_mailbox import draft

from easycrm_mail.messages import File
from easycrm_mail.providers import (
    ImapProvider,
    Outgoing,
    Permanent,
    Reconnect,
    Retry,
    SmtpSettings,
)


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
