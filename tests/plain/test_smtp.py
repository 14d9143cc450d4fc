"""Whether mail could be sent: signed in to, in plain sorts of failure, nothing sent."""

import itertools
import socket
import ssl
import threading
import time
import traceback

import pytest
import trustme
from servers.smtp import SmtpServer

from easycrm_mail.providers import (
    MailboxError,
    Permanent,
    Reconnect,
    Retry,
    check_smtp,
)

LOGIN, PASSWORD = "anna@example.org", "s3cret wörd"
USERS = {LOGIN: PASSWORD}


@pytest.fixture(scope="module")
def ca():
    return trustme.CA()


@pytest.fixture
def tls(ca):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def trusted(ca, tmp_path, monkeypatch):
    (tmp_path / "ca.pem").write_bytes(ca.cert_pem.bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


def check(server, security, host="localhost", password=PASSWORD, timeout=5):
    return check_smtp(host, server.port, security, LOGIN, password, timeout)


def raised(kind, code, *args, **kwargs) -> MailboxError:
    with pytest.raises(kind) as caught:
        check(*args, **kwargs)
    assert caught.value.code == code
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert PASSWORD not in told and caught.value.__context__ is None
    return caught.value


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_a_server_is_signed_in_to_under_tls_and_gets_no_mail(tls, trusted, security):
    with SmtpServer(USERS, tls, security == "ssl") as server:
        check(server, security)
        assert server.commands[-2:] == ["AUTH", "QUIT"]
        assert not {"MAIL", "RCPT", "DATA"} & set(server.commands)


def test_a_wrong_password_is_told_without_itself(tls, trusted):
    with SmtpServer({LOGIN: "another"}, tls) as server:
        error = raised(Reconnect, "password", server, "starttls")
        assert "***" in error.detail


def test_no_password_goes_out_where_starttls_is_missing():
    with SmtpServer(USERS) as server:
        raised(Permanent, "tls", server, "starttls")
        assert "AUTH" not in server.commands


def test_a_server_that_wants_tls_first_is_told_so(tls):
    with SmtpServer(USERS, tls) as server:
        raised(Permanent, "tls", server, "none")


def test_tls_on_a_port_without_is_told_so(tls, trusted):
    with SmtpServer(USERS, tls) as server:
        raised(Permanent, "tls", server, "ssl")


def test_a_certificate_that_nobody_knows_is_not_accepted(tls):
    with SmtpServer(USERS, tls, True) as server:
        raised(Permanent, "certificate", server, "ssl")


def test_a_certificate_for_another_name_is_not_accepted(tls, trusted):
    with SmtpServer(USERS, tls, True) as server:
        raised(Permanent, "certificate", server, "ssl", host="127.0.0.1")


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ("454 4.7.0 Temporary authentication failure", Retry, "busy"),
        ("530 5.7.0 Must issue a STARTTLS command first", Permanent, "tls"),
        (
            "535 5.7.139 SmtpClientAuthentication is disabled for the Tenant.",
            Permanent,
            "forbidden",
        ),
    ],
)
def test_what_a_server_says_is_sorted_by_what_to_do(answer, kind, code):
    with SmtpServer(USERS, answers={"AUTH": answer}) as server:
        raised(kind, code, server, "none")


@pytest.fixture
def talker(request):
    """The port of a server that never says all that it has to say."""
    stop = threading.Event()

    def talk(server):
        line, _peer = server.accept()
        with line:
            for number in itertools.count():
                try:
                    if request.param.startswith("lines"):
                        line.sendall(b"220-welcome\r\n" * 100)
                    else:
                        line.sendall(b"220-"[number : number + 1] or b"x")
                        stop.wait(0.2)
                except OSError:
                    return
                if stop.is_set():
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=talk, args=(server,), daemon=True).start()
        yield server.getsockname()[1]
        stop.set()


@pytest.mark.parametrize("talker", ["a byte now and then"], indirect=True)
def test_a_server_that_never_comes_to_an_end_is_hung_up_on(talker):
    begun = time.monotonic()
    with pytest.raises(Retry) as caught:
        check_smtp("127.0.0.1", talker, "none", LOGIN, PASSWORD, 1)
    assert caught.value.code == "timeout"
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("talker", ["lines without an end"], indirect=True)
def test_what_a_server_says_without_an_end_is_not_gathered(talker):
    with pytest.raises(Retry, match="far more") as caught:
        check_smtp("127.0.0.1", talker, "none", LOGIN, PASSWORD, 300)
    assert caught.value.code == "answer"


def test_a_server_that_is_not_there(unused_tcp_port=1):
    with pytest.raises(Retry) as caught:
        check_smtp("127.0.0.1", unused_tcp_port, "ssl", LOGIN, PASSWORD, 2)
    assert caught.value.code == "refused"
    with pytest.raises(Retry) as caught:
        check_smtp("mail.nowhere.invalid", 465, "ssl", LOGIN, PASSWORD, 2)
    assert caught.value.code == "host"


# --- with a token ---


class Tokens:
    """A `TokenSource` that has another token for each that is refused."""

    def __init__(self, *tokens):
        self.left = list(tokens)

    def __call__(self, refused=""):
        if refused:
            assert refused == self.left.pop(0)
        if not self.left:
            raise Reconnect("grant", "taken back")
        return self.left[0]


def token_server(tls, token, *mechanisms, kind=SmtpServer):
    return kind(
        {},
        tls,
        mechanisms=mechanisms or ("XOAUTH2",),
        is_token_of=lambda login, given: (login, given) == (LOGIN, token),
    )


def check_token(server, *tokens, security="starttls"):
    check_smtp("localhost", server.port, security, LOGIN, "", 5, tokens=Tokens(*tokens))


def token_error(kind, code, server, *tokens, **kwargs):
    with pytest.raises(kind) as caught:
        check_token(server, *tokens, **kwargs)
    assert caught.value.code == code
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert caught.value.__context__ is None
    for token in tokens:
        assert token not in told
    return caught.value


@pytest.mark.parametrize(
    "mechanisms",
    [("XOAUTH2",), ("OAUTHBEARER",), ("PLAIN", "XOAUTH2", "OAUTHBEARER")],
)
def test_a_server_is_signed_in_to_with_a_token(tls, trusted, mechanisms):
    with token_server(tls, "token-1", *mechanisms) as server:
        check_token(server, "token-1")
        assert server.commands[-2:] == ["AUTH", "QUIT"]


@pytest.mark.parametrize(
    ("mechanism", "end"), [("XOAUTH2", ""), ("OAUTHBEARER", "AQ==")]
)
def test_a_token_that_has_ended_is_replaced_in_the_same_call(
    tls, trusted, mechanism, end
):
    with token_server(tls, "token-2", mechanism) as server:
        check_token(server, "token-1", "token-2")
        assert server.commands.count("AUTH") == 2
        assert f"AUTH: {end}" in server.commands


class Offended(SmtpServer):
    """Hangs up on whoever it has refused, as many do."""

    def _check(self, line, words):
        answer = super()._check(line, words)
        if answer.startswith(b"535"):
            line.sendall(answer)
            raise ConnectionResetError
        return answer


def test_a_server_that_hangs_up_after_a_refusal_is_asked_again(tls, trusted):
    with token_server(tls, "token-2", kind=Offended) as server:
        check_token(server, "token-1", "token-2")
    with token_server(tls, "another", kind=Offended) as server:
        token_error(Reconnect, "token", server, "token-1", "token-2")


def test_a_token_that_is_never_taken_is_told_without_itself(tls, trusted):
    with token_server(tls, "another") as server:
        error = token_error(Reconnect, "token", server, "token-1", "token-2")
        assert "***" in error.detail and "status 401" in error.detail
        assert server.commands.count("AUTH") == 2


def test_a_grant_that_was_taken_back_is_told_as_that(tls, trusted):
    with token_server(tls, "another") as server:
        token_error(Reconnect, "grant", server, "token-1")


def test_no_token_goes_out_without_tls(tls):
    with token_server(None, "token-1") as server:
        token_error(Permanent, "unsafe", server, "token-1", security="none")
        assert not server.commands


def test_a_server_that_takes_the_other_says_so(tls, trusted):
    with SmtpServer(USERS, tls) as server:
        token_error(Permanent, "token_off", server, "token-1")
        assert "AUTH" not in server.commands
    with token_server(tls, "token-1") as server:
        raised(Permanent, "password_off", server, "starttls")
        assert "AUTH" not in server.commands
