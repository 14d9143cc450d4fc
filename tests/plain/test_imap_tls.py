"""TLS: whom a password is told, and whom never."""

import contextlib
import time
from datetime import datetime, timedelta, timezone

import pytest
import trustme
from conftest import LONG_AGO, new_mailbox
from imap_mailbox import numbers
from imap_talk import raised
from servers.dovecot import Dovecot
from servers.fault_proxy import FaultProxy

from easycrm_mail.providers import ImapProvider, Permanent, Retry


@pytest.fixture(scope="module")
def ca():
    """An authority of our own."""
    return trustme.CA()


@pytest.fixture(scope="module")
def tls_dovecot(ca, scratch):
    """A Dovecot called localhost, with TLS."""
    with tls_server(scratch / "tls", ca.issue_cert("localhost")) as server:
        yield server


@pytest.fixture(scope="module")
def expired_dovecot(ca, scratch):
    """The same, whose certificate was valid until yesterday."""
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    certificate = ca.issue_cert(
        "localhost", not_before=yesterday - timedelta(days=90), not_after=yesterday
    )
    with tls_server(scratch / "expired", certificate) as server:
        yield server


@contextlib.contextmanager
def tls_server(root, certificate):
    """A Dovecot with that certificate."""
    root.mkdir()
    chain, key = root / "chain", root / "key"
    chain.write_bytes(b"".join(one.bytes() for one in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(str(key))
    with Dovecot(root / "d", {}, tls=(chain, key)) as server:
        yield server


@pytest.fixture
def trusted(ca, scratch, monkeypatch):
    """The authority is trusted as an administrator would have it."""
    (scratch / "ca.pem").write_bytes(ca.cert_pem.bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(scratch / "ca.pem"))


@pytest.fixture
def secured(tls_dovecot):
    """Gives a provider by security, host name and port."""
    mailbox = new_mailbox(tls_dovecot)
    mailbox.deliver(1)

    def connect(security, host="localhost", port=None):
        port = port or port_of(tls_dovecot, security)
        return ImapProvider(host, port, security, mailbox.login, mailbox.password, 3)

    return connect


def port_of(server, security) -> int:
    """Where a server takes connections of that security."""
    return server.tls_port if security == "ssl" else server.port


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_a_trusted_server_is_read(secured, trusted, security):
    provider = secured(security)
    assert numbers(provider.pull("INBOX", "", LONG_AGO)) == [1]
    provider.close()


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_an_unknown_certificate_is_not_accepted(secured, security):
    error = raised(secured(security), "certificate", Permanent)
    assert "certificate" in error.detail


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_a_certificate_of_another_name_is_not_accepted(secured, trusted, security):
    raised(secured(security, host="127.0.0.1"), "certificate", Permanent)


def test_tls_on_a_port_without_is_said_so(secured, trusted, tls_dovecot):
    raised(secured("ssl", port=tls_dovecot.port), "tls", Permanent)


def test_starttls_where_there_is_none_is_said_so(plain_mailbox):
    port = plain_mailbox.port
    provider = ImapProvider("127.0.0.1", port, "starttls", "a", "b", 2)
    raised(provider, "tls", Permanent)


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_an_expired_certificate_is_not_accepted(expired_dovecot, trusted, security):
    port = port_of(expired_dovecot, security)
    provider = ImapProvider("localhost", port, security, "anna", "s3cret", 3)
    error = raised(provider, "certificate", Permanent)
    assert "expired" in error.detail


@pytest.mark.parametrize(
    ("lie", "instead"),
    [
        # no STARTTLS on offer
        (b" STARTTLS", b""),
        # refused
        (b"OK Begin TLS negotiation now.", b"NO Not today, go on without"),
        # signed in before anybody said who it is, where STARTTLS is not allowed
        (b"* OK [", b"* PREAUTH ["),
    ],
    ids=["hidden", "refused", "preauth"],
)
def test_taking_starttls_out_gains_nothing(tls_dovecot, trusted, lie, instead):
    mailbox = new_mailbox(tls_dovecot)
    with FaultProxy(tls_dovecot.host, tls_dovecot.port) as proxy:
        proxy.replace = {lie: instead}
        provider = ImapProvider(
            "localhost", proxy.port, "starttls", mailbox.login, mailbox.password, 3
        )
        raised(provider, "tls", Permanent)
        assert not any(
            command.startswith(("LOGIN", "AUTHENTICATE", "LIST"))
            for command in proxy.commands()
        )


def test_what_was_said_before_tls_counts_for_nothing(tls_dovecot, trusted):
    """A capability slipped in before the handshake (CVE-2021-33515 and its kin)."""
    mailbox = new_mailbox(tls_dovecot)
    mailbox.deliver(1)
    with FaultProxy(tls_dovecot.host, tls_dovecot.port) as proxy:
        begin = b"OK Begin TLS negotiation now.\r\n"
        proxy.replace = {begin: begin + b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n"}
        provider = ImapProvider(
            "localhost", proxy.port, "starttls", mailbox.login, mailbox.password, 3
        )
        assert numbers(provider.pull("INBOX", "", LONG_AGO)) == [1]
        provider.close()


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_a_handshake_that_drips_is_cut_in_time(tls_dovecot, trusted, security):
    port = port_of(tls_dovecot, security)
    with FaultProxy(tls_dovecot.host, port) as proxy:
        provider = ImapProvider("localhost", proxy.port, security, "a", "b", 0.4)
        if security == "ssl":
            proxy.drip = 0.1
        else:
            proxy.spring(b"STARTTLS", first=lambda: setattr(proxy, "drip", 0.1))
        started = time.monotonic()
        raised(provider, "timeout", Retry)
        assert time.monotonic() - started < 20
