"""Mail servers that want an access token in place of a password."""

import base64
import json
import logging
import socket
import threading
import traceback

import pytest
import trustme
from conftest import LONG_AGO, Mailbox
from imap_mailbox import numbers
from servers.dovecot import Dovecot
from servers.gmail import GmailServer
from servers.google_oauth import MAIL_SCOPE

from easycrm_mail.providers import (
    ImapProvider,
    MailboxError,
    Permanent,
    Reconnect,
    Retry,
)
from easycrm_mail.providers.xoauth import first_answer, told_by

TOKENS_ONLY = ("xoauth2", "oauthbearer")


@pytest.fixture(scope="module")
def ca():
    """An authority of our own."""
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(ca, scratch):
    """Of localhost: chain and key, as files."""
    made = ca.issue_cert("localhost")
    chain, key = scratch / "token-chain", scratch / "token-key"
    chain.write_bytes(b"".join(one.bytes() for one in made.cert_chain_pems))
    made.private_key_pem.write_to_path(str(key))
    return chain, key


@pytest.fixture(autouse=True)
def trusted(ca, tmp_path, monkeypatch):
    """The authority is trusted as an administrator would have it."""
    (tmp_path / "ca.pem").write_bytes(ca.cert_pem.bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


@pytest.fixture(scope="module")
def google():
    """Whoever gives the tokens."""
    with GmailServer() as server:
        yield server.oauth, f"{server.url}/introspect"


@pytest.fixture(scope="module", params=[TOKENS_ONLY, ("oauthbearer",)], ids="-".join)
def any_dovecot(request, scratch, google, certificate):
    """A Dovecot that takes tokens alone: as both services, and by the standard."""
    root = scratch / f"t{len(request.param)}"
    with Dovecot(
        root, {}, tls=certificate, mechanisms=request.param, tokens=google[1]
    ) as server:
        yield server


@pytest.fixture(scope="module")
def dovecot(scratch, google, certificate):
    """A Dovecot that takes tokens alone."""
    with Dovecot(
        scratch / "t", {}, tls=certificate, mechanisms=TOKENS_ONLY, tokens=google[1]
    ) as server:
        yield server


class Grant:
    """A `TokenSource` over a grant at Google.

    :ivar refused: the tokens that it was told are refused
    """

    def __init__(self, oauth, login, scopes=(MAIL_SCOPE,)):
        self.oauth = oauth
        self.token = oauth.token_for(login, scopes)
        self.given = []
        self.refused = []
        self.error = None

    def __call__(self, refused=""):
        if refused:
            self.refused.append(refused)
            if self.error:
                raise self.error
            self.token = self.oauth.refreshed(self.token)
        self.given.append(self.token)
        return self.token


def connect(server, login, tokens, security="ssl", **kwargs):
    port = server.tls_port if security == "ssl" else server.port
    return ImapProvider(
        "localhost", port, security, login, "", timeout=5, tokens=tokens, **kwargs
    )


def new_mailbox(server, login):
    server.add_user(login, "none at all")
    return Mailbox(server, login)


def pull_patiently(provider, checkpoint=""):
    """The next batch; asked for again, as a sync does, where Dovecot itself says
    "temporary".
    """
    try:
        return provider.pull("INBOX", checkpoint, LONG_AGO)
    except Retry as error:
        if error.code != "busy":
            raise
    return provider.pull("INBOX", checkpoint, LONG_AGO)


def raised(kind, code, provider, secrets=()) -> MailboxError:
    with pytest.raises(kind) as caught:
        provider.check()
    assert caught.value.code == code, caught.value
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert caught.value.__context__ is None
    for secret in secrets:
        assert secret not in told
    return caught.value


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_a_mailbox_is_read_with_a_token(any_dovecot, google, security):
    login = f"anna.{security}@example.org"
    new_mailbox(any_dovecot, login).deliver(1, 2)
    provider = connect(any_dovecot, login, Grant(google[0], login), security)
    assert sorted(numbers(pull_patiently(provider))) == [1, 2]
    provider.close()


def test_a_token_that_has_ended_is_replaced_within_the_call(dovecot, google):
    login = "ended@example.org"
    mailbox = new_mailbox(dovecot, login)
    mailbox.deliver(1)
    grant = Grant(google[0], login)
    provider = connect(dovecot, login, grant, "starttls")
    batch = pull_patiently(provider)
    mailbox.deliver(2)
    google[0].expire_tokens()
    # (a session goes on until it is cut)
    dovecot.restart()
    batch = pull_patiently(provider, batch.checkpoint)
    assert numbers(batch) == [2]
    assert len(grant.refused) == 1
    provider.close()


def test_a_token_that_is_never_taken_is_told_without_itself(dovecot, google, caplog):
    caplog.set_level(logging.DEBUG)
    login = "scope@example.org"
    new_mailbox(dovecot, login)
    # (of a permission that is no use here)
    grant = Grant(google[0], login, ["https://www.googleapis.com/auth/gmail.send"])
    provider = connect(dovecot, login, grant)
    secrets = [*grant.given, login.encode().hex()]
    error = raised(Reconnect, "token", provider, secrets)
    assert "status" in error.detail
    assert len(grant.given) == 2 and grant.refused == grant.given[:1]
    assert not [one for one in grant.given if one in caplog.text]


def test_a_grant_that_was_taken_back_is_told_as_that(dovecot, google):
    login = "revoked@example.org"
    new_mailbox(dovecot, login)
    grant = Grant(google[0], login)
    grant.error = Reconnect("grant", "Token has been expired or revoked.")
    google[0].revoke(login)
    raised(Reconnect, "grant", connect(dovecot, login, grant))


def test_the_mailbox_of_somebody_else_stays_closed(dovecot, google):
    new_mailbox(dovecot, "bob@example.org").deliver(1)
    grant = Grant(google[0], "eve@example.org")
    raised(Reconnect, "token", connect(dovecot, "bob@example.org", grant))


def test_no_token_goes_out_without_tls(dovecot, google):
    grant = Grant(google[0], "bob@example.org")
    raised(Permanent, "unsafe", connect(dovecot, "bob@example.org", grant, "none"))
    assert not grant.given


@pytest.mark.parametrize("login", ["a\1b@example.org", "a\r\nb@example.org", ""])
def test_a_login_that_would_end_its_field_is_not_sent(dovecot, google, login):
    raised(Permanent, "entered", connect(dovecot, login, Grant(google[0], "a@b.org")))


def test_a_server_that_takes_tokens_alone_gets_no_password(any_dovecot):
    provider = ImapProvider(
        "localhost", any_dovecot.tls_port, "ssl", "anna@example.org", "s3cret", 5
    )
    raised(Permanent, "password_off", provider, ["s3cret"])


def test_a_server_that_takes_passwords_alone_gets_no_token(
    scratch, certificate, google
):
    with Dovecot(scratch / "pw", {}, tls=certificate) as server:
        grant = Grant(google[0], "anna@example.org")
        raised(Permanent, "token_off", connect(server, "anna@example.org", grant))


def test_tokens_that_are_refused_elsewhere_pass_by_themselves(dovecot, google):
    def tokens(refused=""):
        raise Retry("busy", "come back later")

    raised(Retry, "busy", connect(dovecot, "anna@example.org", tokens))


# --- what other servers say ---


@pytest.fixture
def play():
    """Serves answers by command to one who has TLS already; gives a port."""
    servers = []

    def serve(capabilities, on_token):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def talk():
            line, _peer = server.accept()
            with line, line.makefile("rwb", buffering=0) as file:
                file.write(b"* OK [CAPABILITY %s] hello\r\n" % capabilities)
                for command in file:
                    tag, name = command.split()[:2]
                    if name.upper() == b"AUTHENTICATE":
                        on_token(file, tag)
                    else:
                        file.write(b"* CAPABILITY %s\r\n" % capabilities)
                        file.write(tag + b" OK done\r\n")

        threading.Thread(target=talk, daemon=True).start()
        return server.getsockname()[1]

    yield serve
    for server in servers:
        server.close()


def signed_in_to(port, monkeypatch, tokens=None, password=""):
    """A provider that takes a line without TLS for one with it."""
    monkeypatch.setattr(
        "easycrm_mail.providers.imap_client.tls.wrap_socket",
        lambda line, _context, _host: line,
    )
    return ImapProvider("localhost", port, "ssl", "a@b.org", password, 5, tokens=tokens)


def test_a_server_without_passwords_under_tls_says_so(play, monkeypatch):
    port = play(b"IMAP4rev1 LOGINDISABLED AUTH=GSSAPI", None)
    provider = signed_in_to(port, monkeypatch, password="s3cret")
    raised(Permanent, "password_off", provider, ["s3cret"])


@pytest.mark.parametrize(
    ("said", "kind", "code"),
    [
        (b"NO [AUTHENTICATIONFAILED] Invalid credentials", Reconnect, "token"),
        (b"NO AUTHENTICATE failed.", Reconnect, "token"),
        (b"NO [UNAVAILABLE] Temporary failure", Retry, "busy"),
        (b"NO Your account is not enabled for IMAP use.", Permanent, "forbidden"),
        (b"BAD what?", Retry, "answer"),
    ],
)
def test_a_refusal_is_sorted_by_what_to_do(play, monkeypatch, said, kind, code):
    heard = []

    def refuse(file, tag):
        file.write(b"+ \r\n")
        heard.append(file.readline())
        challenge = {"status": "401", "schemes": "Bearer", "scope": MAIL_SCOPE}
        packed = base64.b64encode(json.dumps(challenge).encode())
        file.write(b"+ " + packed + b"\r\n")
        heard.append(file.readline())
        file.write(tag + b" " + said + b"\r\n")

    port = play(b"IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER", refuse)

    def tokens(refused=""):
        if refused:
            raise Reconnect("token", "no other is given")
        return "the-token"

    error = raised(kind, code, signed_in_to(port, monkeypatch, tokens), ["the-token"])
    sent = base64.b64decode(heard[0]).decode()
    assert sent == first_answer("XOAUTH2", "a@b.org", "the-token")
    assert heard[1] == b"\r\n", "it is not sent a second time"
    if code != "token":
        assert "status 401" in error.detail


def test_what_a_server_sends_for_a_reason_may_be_anything():
    for challenge in (b"", b"\xff", b"[]", b"1", b'{"x": 1}', b"not json"):
        assert told_by(challenge) == ""
    assert told_by(b'{"status":"400"}') == "status 400"
