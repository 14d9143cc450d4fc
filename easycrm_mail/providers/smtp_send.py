"""A mail handed over to a server (RFC 5321), once.

It is certain that a mail has not gone out up to the moment in which its end is said,
the line with the dot; from then on only the server's answer tells.
"""

import contextlib
import re
import smtplib
from collections.abc import Iterator

from ..messages import Draft, check_address
from .errors import Doubtful, MailboxError, Refused, Retry
from .imap_errors import words
from .imap_settings import secrets_of
from .sending import SmtpSettings, check_size
from .sign_in import TokenSource
from .smtp import keeping, signed_in, translate
from .xoauth import secrets_of as secrets_of_tokens

_PIECE_BYTES = 1 << 18
# Limits by the day: they pass, but not within minutes.
_DAY_WAIT = 3600.0

# Gmail: "550 5.4.5 Daily user sending limit exceeded"
_DAY = re.compile(
    r"\b5\.4\.5\b|sending (?:limit|quota)|daily \w+ (?:limit|quota)"
    r"|submission ?quota",
    re.IGNORECASE,
)
_SIZE = re.compile(
    r"\b5\.3\.4\b|too (?:large|big|much)|size|exceeds? (?:the )?(?:maximum|limit)",
    re.IGNORECASE,
)
_MANY = re.compile(r"\b[45]\.5\.3\b|too many recipients", re.IGNORECASE)
# Postfix: "553 5.7.1 <a@b>: Sender address rejected: not owned by user"; Exchange: "550
# 5.7.60 SMTP; Client does not have permissions to send as this sender"
_SENDER = re.compile(
    r"\b5\.1\.[78]\b|\b5\.7\.60\b|send as|sender address rejected|not owned by"
    r"|sender (?:is |address )?not (?:allowed|permitted|authori[sz]ed)",
    re.IGNORECASE,
)
_SIGN_IN_CODES = frozenset((530, 534, 535, 538))

Refusals = tuple[tuple[str, str], ...]


class _Handing:
    """How far a mail is handed over.

    :ivar is_said: its end has been said, perhaps
    :ivar refused: who does not get it, once the server has taken it
    """

    is_said = False
    refused: Refusals | None = None


def send_by_smtp(
    settings: SmtpSettings,
    login: str,
    password: str,
    draft: Draft,
    raw: bytes,
    timeout: float,
    tokens: TokenSource | None = None,
) -> Refusals:
    """Sends a mail to all its recipients.

    :param raw: the mail, without its Bcc
    :param timeout: seconds that all of it may take
    :param tokens: gives access tokens, and the password counts for nothing
    :returns: who does not get it while others do, each an address and why
    :raises MailboxError: it has not gone out, or `Doubtful`: nobody knows
    """
    handing = _Handing()
    given: list[str] = []
    account = login, password
    server = settings.host, settings.port, settings.security
    try:
        asked = keeping(tokens, given)
        with signed_in(*server, *account, timeout, asked) as client:
            _hand_over(client, draft, raw, handing)
    except Exception as error:  # noqa: BLE001
        hidden = secrets_of(*account) + secrets_of_tokens(login, given)
        failure = translate(error, hidden)
    if handing.refused is not None:
        return handing.refused  # (however the goodbye went)
    if handing.is_said:
        failure = Doubtful(failure.code, failure.detail)
    # (in the frames of the original stands the password)
    failure.__cause__ = failure.__context__ = None
    raise failure.with_traceback(None)


def _hand_over(
    client: smtplib.SMTP, draft: Draft, raw: bytes, handing: _Handing
) -> None:
    options = ""
    if "size" in client.esmtp_features:
        room = client.esmtp_features["size"]
        if room.isdecimal() and int(room):
            check_size(len(raw), int(room))
        options = f" SIZE={len(raw)}"
    sender = check_address(draft.sender[1])
    code, answer = client.docmd("MAIL", f"FROM:<{sender}>{options}")
    if code != 250:
        raise _failure(code, answer, "sender")
    refused = _name_recipients(client, draft)
    code, answer = client.docmd("DATA")
    if code != 354:
        raise _failure(code, answer, "refused")
    code, answer = _say(client, raw, handing)
    if not 200 <= code < 300:
        # It said no: that is no doubt.
        handing.is_said = not 400 <= code < 600
        raise _failure(code, answer, "content")
    handing.refused = refused


def _name_recipients(client: smtplib.SMTP, draft: Draft) -> Refusals:
    """Says to whom it goes; gives those that the server does not take."""
    refused: list[tuple[str, str]] = []
    failures: list[MailboxError] = []
    for address in draft.recipients:
        code, answer = client.docmd("RCPT", f"TO:<{check_address(address)}>")
        if code in (250, 251, 252):
            continue
        failure = _failure(code, answer, "recipients")
        is_about_all = code == 421 or failure.code in ("too_many", "sender", "tls")
        if is_about_all or not isinstance(failure, (Refused, Retry)):
            raise failure
        refused.append((address, failure.detail))
        failures.append(failure)
    if len(refused) < len(draft.recipients):
        return tuple(refused)
    # Nobody is left. What passes for one of them is tried again for all.
    for failure in failures:
        if isinstance(failure, Retry):
            raise failure
    raise Refused("recipients", failures[0].detail, tuple(refused))


def _say(
    client: smtplib.SMTP, raw: bytes, handing: _Handing
) -> tuple[int, bytes | str]:
    """Says the mail; gives what the server answers."""
    stuffed = memoryview(raw.replace(b"\r\n.", b"\r\n.."))
    with _told(client):
        for start in range(0, len(stuffed), _PIECE_BYTES):
            client.sock.sendall(stuffed[start : start + _PIECE_BYTES])
    handing.is_said = True
    client.sock.sendall(b".\r\n")
    return client.getreply()


@contextlib.contextmanager
def _told(client: smtplib.SMTP) -> Iterator[None]:
    """A server that hangs up in the middle may have said why."""
    try:
        yield
    except ConnectionError as error:
        try:
            code, answer = client.getreply()
        except OSError:
            raise error from None
        raise _failure(code, answer, "content") from None


def _failure(code: int, answer: bytes | str, otherwise: str) -> MailboxError:
    """What an answer that is a refusal means.

    :param otherwise: the code of a refusal of which nothing more is known
    """
    said = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    text = words(f"{code} {said}")
    if code in _SIGN_IN_CODES:
        return translate(smtplib.SMTPAuthenticationError(code, answer))
    if not 400 <= code < 600:
        return Retry("answer", text)
    if _MANY.search(text):
        return Refused("too_many", text)
    if _DAY.search(text):
        return Retry("busy", text, _DAY_WAIT)
    if code < 500:
        return Retry("busy", text)
    if _SENDER.search(text):
        return Refused("sender", text)
    if otherwise != "recipients" and (code == 552 or _SIZE.search(text)):
        return Refused("size", text)
    return Refused(otherwise, text)
