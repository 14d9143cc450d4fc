"""What IMAPClient, imaplib, ssl and the socket raise, as what is to be done about it.

Response codes are those of RFC 5530; what servers say without a code is read from the
words that the large ones use.
"""

import re
import socket
import ssl
from collections.abc import Iterable
from imaplib import IMAP4

from imapclient.exceptions import CapabilityError, LoginError, ProtocolError

from .errors import Gone, MailboxError, Permanent, Reconnect, Retry

_MAX_DETAIL = 200

_CREDENTIALS = re.compile(
    r"\[(?:AUTHENTICATIONFAILED|AUTHORIZATIONFAILED|EXPIRED)\b", re.IGNORECASE
)
_NEEDS_TLS = re.compile(r"\[PRIVACYREQUIRED\b|requires? (?:ssl|tls)", re.IGNORECASE)
_BUSY = re.compile(
    r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG|OVERQUOTA|THROTTLED)\b"
    r"|too many|throttl|try again|temporar|overload|server (?:busy|unavailable)",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"\[(?:NONEXISTENT|TRYCREATE)\b"
    r"|does ?n[o']t exist|doesn't exist|not exist|not found|no such|unknown mailbox"
    r"|invalid mailbox",
    re.IGNORECASE,
)
_FORBIDDEN = re.compile(
    r"\[(?:NOPERM|ACL)\b|permission denied|not permitted", re.IGNORECASE
)
# Gmail: "Your account is not enabled for IMAP use"; Yandex: "This user does not have
# access rights to this service"
_SWITCHED_OFF = re.compile(
    r"not enabled for imap|imap (?:access )?is (?:disabled|not (?:enabled|allowed))"
    r"|does not have access rights to this service",
    re.IGNORECASE,
)
# Exchange: "Request is throttled. Suggested Backoff Time: 299961 milliseconds"
_BACKOFF = re.compile(r"backoff time:?\s*(\d{1,9})\s*milliseconds", re.IGNORECASE)


class TokenError(LoginError):
    """A server did not take an access token."""


def is_refusal(error: BaseException) -> bool:
    """A NO or BAD in good order, after which the next command may be sent."""
    return (
        isinstance(error, IMAP4.error)
        and not isinstance(error, IMAP4.abort)
        and not isinstance(error, ProtocolError)
    )


def translate(error: BaseException, secrets: Iterable[str] = ()) -> MailboxError:
    """The `MailboxError` for anything that came up.

    :param secrets: what must not stand in its text
    """
    if isinstance(error, MailboxError):
        return error
    if isinstance(error, LoginError) and isinstance(error.__context__, IMAP4.abort):
        # IMAPClient makes one of every error while signing in.
        error = error.__context__
    text = words(error, secrets)
    if isinstance(error, OSError):
        return _of_socket(error, text)
    if isinstance(error, CapabilityError):
        return Permanent("tls", text)
    if isinstance(error, LoginError):
        failure = _of_login(text)
        if isinstance(error, TokenError) and failure.code == "password":
            return Reconnect("token", text)
        return failure
    if isinstance(error, IMAP4.error):
        return _of_server(error, text)
    # What a library raises while it reads an answer that is none.
    return Retry("answer", text)


def words(error: BaseException | str, secrets: Iterable[str] = ()) -> str:
    """The text of an error on one line, shortened, secrets out."""
    # (before it is cut: of a secret that is cut through, a part would be left)
    text = str(error)
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    text = "".join(char if char.isprintable() else " " for char in text[:2_000])
    return " ".join(text.split())[:_MAX_DETAIL]


def _of_socket(error: OSError, text: str) -> MailboxError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Permanent("certificate", error.verify_message or text)
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return Retry("dropped", text)
    if isinstance(error, TimeoutError):
        return Retry("timeout", text)
    if isinstance(error, ssl.SSLError):
        return Permanent("tls", text)
    if isinstance(error, socket.gaierror):
        return Retry("host", text)
    if isinstance(error, ConnectionRefusedError):
        return Retry("refused", text)
    if isinstance(error, ConnectionError):
        return Retry("dropped", text)
    return Retry("host", text)


def _of_login(text: str) -> MailboxError:
    if _SWITCHED_OFF.search(text):
        return Permanent("forbidden", text)
    if _CREDENTIALS.search(text):
        return Reconnect("password", text)
    if _NEEDS_TLS.search(text):
        return Permanent("tls", text)
    if _BUSY.search(text):
        return _busy(text)
    if "command error: BAD" in text:
        return Retry("answer", text)
    return Reconnect("password", text)


def _of_server(error: IMAP4.error, text: str) -> MailboxError:
    if _BUSY.search(text):
        return _busy(text)
    if isinstance(error, IMAP4.abort):
        if "timed out" in text:
            return Retry("timeout", text)
        if "unexpected" in text:
            return Retry("answer", text)
        return Retry("dropped", text)
    if "BYE" in text:
        return Retry("dropped", text)
    return Retry("answer", text)


def of_folder(text: str) -> MailboxError | None:
    """For a folder that could not be opened; None where the text does not tell why."""
    if _GONE.search(text):
        return Gone("folder", text)
    if _FORBIDDEN.search(text):
        return Permanent("forbidden", text)
    if _BUSY.search(text):
        return _busy(text)
    return None


def _busy(text: str) -> Retry:
    backoff = _BACKOFF.search(text)
    return Retry("busy", text, int(backoff[1]) / 1000 if backoff else None)
