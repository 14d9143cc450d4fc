"""Signing in to a server that mail is sent through.

What comes up is told as in `errors`, in the codes that reading has.
"""

import base64
import contextlib
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import BinaryIO

from .bounded import Bounded, Overdue
from .errors import MailboxError, Permanent, Reconnect, Retry
from .imap_errors import translate as translate_socket
from .imap_errors import words
from .imap_settings import check_settings, secrets_of
from .sign_in import TokenSource
from .xoauth import first_answer, last_answer, mechanism_of, told_by, wants_token
from .xoauth import secrets_of as secrets_of_tokens

TIMEOUT = 10

# Of one answer: servers say some lines, and this one may be anybody's.
MAX_ANSWER_BYTES = 1_000_000

# Exchange: "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is
# disabled for the Tenant."
_SWITCHED_OFF = re.compile(r"is disabled for the (?:tenant|mailbox)", re.IGNORECASE)


def check_smtp(
    host: str,
    port: int,
    security: str,
    login: str,
    password: str,
    timeout: float = TIMEOUT,
    tokens: TokenSource | None = None,
) -> None:
    """Connects, sets up TLS and signs in, as sending would, and hangs up.

    :param security: `ssl` (TLS from the first byte), `starttls` or `none`
    :param timeout: seconds that all of it may take
    :param tokens: gives access tokens, and the password counts for nothing
    :raises MailboxError: what would keep mail from being sent
    """
    given: list[str] = []
    asked = keeping(tokens, given)
    try:
        with signed_in(host, port, security, login, password, timeout, asked):
            failure = None
    except Exception as error:  # noqa: BLE001
        hidden = secrets_of(login, password) + secrets_of_tokens(login, given)
        failure = translate(error, hidden)
    if failure is None:
        return
    # (in the frames of the original stands the password)
    failure.__cause__ = failure.__context__ = None
    raise failure.with_traceback(None)


def keeping(tokens: TokenSource | None, given: list[str]) -> TokenSource | None:
    """A source, which notes what it gives: that must not stand in any text."""
    if not tokens:
        return None

    def keep(refused: str = "") -> str:
        given.append(tokens(refused))
        return given[-1]

    return keep


@contextlib.contextmanager
def signed_in(
    host: str,
    port: int,
    security: str,
    login: str,
    password: str,
    timeout: float,
    tokens: TokenSource | None = None,
) -> Iterator[smtplib.SMTP]:
    """A connection that is signed in, and hung up at the end.

    It raises what smtplib, ssl or the socket raise, or a `MailboxError`.

    :param timeout: seconds after which it is cut, whatever is done on it
    :param tokens: as for `check_smtp`
    """
    check_settings(host, port, security, login, password, with_token=bool(tokens))
    context = ssl.create_default_context()
    line = _Line(context if security == "ssl" else None)
    with (
        contextlib.closing(line),
        line.bounded(timeout),
        contextlib.ExitStack() as clients,
    ):

        def begin() -> smtplib.SMTP:
            client = _Client(line, host, port, timeout)
            clients.enter_context(contextlib.closing(client))
            client.ehlo_or_helo_if_needed()
            if security == "starttls":
                client.starttls(context=context)
                client.ehlo_or_helo_if_needed()
            return client

        if tokens:
            client = _begin_with_token(begin, login, tokens)
        else:
            client = begin()
            _sign_in(client, login, password)
        yield client
        with contextlib.suppress(OSError, smtplib.SMTPException):
            client.quit()


class _Line(Bounded):
    """The connection to a server, which ends in time, whatever that sends.

    :param context: of TLS from the first byte, if any
    """

    def __init__(self, context: ssl.SSLContext | None):
        self._context = context
        self._line: socket.socket | None = None

    def open(self, host: str, port: int, timeout: float) -> socket.socket:
        """Connects, and sets up TLS."""
        line = socket.create_connection((host, port), timeout)
        self.close()
        self._line = line.dup()  # (TLS takes over the other one)
        self.check_time()
        if not self._context:
            return line
        return self._context.wrap_socket(line, server_hostname=host)

    def cut(self) -> None:
        """Shuts the connection."""
        if self._line:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Lets go of the connection."""
        if self._line:
            self._line.close()


class _Client(smtplib.SMTP):
    """smtplib's client, on a line that ends."""

    def __init__(self, line: _Line, host: str, port: int, timeout: float):
        self._own_line = line
        super().__init__(host, port, timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._own_line.open(host, port, timeout)

    def getreply(self) -> tuple[int, bytes]:
        """The next answer, which is not held beyond a limit."""
        if self.file is None:
            self.file = _Lines(self.sock.makefile("rb"))
        self.file.bytes_left = MAX_ANSWER_BYTES
        return super().getreply()


class _Lines:
    """What a server says, line by line, as smtplib reads it."""

    bytes_left = 0

    def __init__(self, file: BinaryIO):
        self._file = file
        self.close = file.close

    def readline(self, limit: int) -> bytes:
        """A line. Raises `Retry` where there have been far too many."""
        line = self._file.readline(limit)
        self.bytes_left -= len(line)
        if self.bytes_left < 0:
            raise Retry("answer", "the server sends far more than was asked for")
        return line


class _TokenError(smtplib.SMTPAuthenticationError):
    """A server did not take an access token."""


def _sign_in(client: smtplib.SMTP, login: str, password: str) -> None:
    offered = _mechanisms(client)
    if wants_token(offered):
        raise Permanent("password_off", "the server takes a token alone")
    if "PLAIN" not in offered:
        client.login(login, password)
        return
    # (smtplib would take no password but an ASCII one)
    packed = base64.b64encode(f"\0{login}\0{password}".encode()).decode()
    code, answer = client.docmd("AUTH", f"PLAIN {packed}")
    if code not in (235, 503):
        raise smtplib.SMTPAuthenticationError(code, answer)


def _begin_with_token(
    begin: Callable[[], smtplib.SMTP], login: str, tokens: TokenSource
) -> smtplib.SMTP:
    client = begin()
    mechanism = mechanism_of(_mechanisms(client))
    if not mechanism:
        raise Permanent("token_off", "the server takes no token")
    token = tokens()
    try:
        _send_token(client, mechanism, login, token)
    except _TokenError as error:
        if translate(error).code != "token":
            raise
    else:
        return client
    # It may have ended before its time: a new one is tried, once. (Many servers hang up
    # on whoever they have refused.)
    token = tokens(token)
    client.close()
    client = begin()
    _send_token(client, mechanism, login, token)
    return client


def _mechanisms(client: smtplib.SMTP) -> list[str]:
    return client.esmtp_features.get("auth", "").upper().split()


def _send_token(client: smtplib.SMTP, mechanism: str, login: str, token: str) -> None:
    packed = base64.b64encode(first_answer(mechanism, login, token).encode()).decode()
    code, answer = client.docmd("AUTH", f"{mechanism} {packed}")
    if code == 334:
        # Why it is not taken: the server says no once it is answered.
        told = told_by(_unpacked(answer))
        packed = base64.b64encode(last_answer(mechanism)).decode()
        code, answer = client.docmd(packed)
        answer = f"{answer.decode('utf-8', 'replace')} ({told})" if told else answer
    if code not in (235, 503):
        raise _TokenError(code, answer)


def _unpacked(text: bytes) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError:
        return b""


def translate(error: BaseException, secrets=()) -> MailboxError:
    """The `MailboxError` for anything that came up.

    :param secrets: what must not stand in its text
    """
    if isinstance(error, MailboxError):
        return error
    if isinstance(error, Overdue):
        return Retry("timeout", "the server took too long")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        # No STARTTLS on offer; or no sign-in, which servers offer under TLS only
        return Permanent("tls", words(error, secrets))
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return Retry("dropped", words(error, secrets))
    if isinstance(error, smtplib.SMTPResponseException):
        return _of_answer(error, secrets)
    if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException):
        return translate_socket(error, secrets)
    return Retry("answer", words(error, secrets))


def _of_answer(error: smtplib.SMTPResponseException, secrets) -> MailboxError:
    said = error.smtp_error
    said = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    text = words(f"{error.smtp_code} {said}", secrets)
    if _SWITCHED_OFF.search(text):
        return Permanent("forbidden", text)
    if 400 <= error.smtp_code < 500:
        return Retry("busy", text)
    if error.smtp_code in (530, 538):
        # "Must issue a STARTTLS command first", "encryption required"
        return Permanent("tls", text)
    if isinstance(error, _TokenError):
        return Reconnect("token", text)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return Reconnect("password", text)
    return Retry("answer", text)
