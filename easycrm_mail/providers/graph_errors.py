"""What requests, urllib3 and Microsoft Graph say, as what is to be done about it.

The codes of an answer are Exchange's and Graph's:
https://learn.microsoft.com/en-us/graph/errors,
https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/responsecode
"""

import email.utils
import json
import re
import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import timezone

import requests
import urllib3

from .bounded import Overdue
from .errors import Gone, MailboxError, Permanent, Reconnect, Resync, Retry
from .imap_errors import words

#: Their checkpoint is void: the folder is listed anew (delta-query-overview.md).
_VOID_CODES = frozenset(
    (
        "syncstatenotfound",
        "syncstateinvalid",
        "resyncrequired",
        "errorinvalidsyncstatedata",
    )
)
_NO_MAILBOX_CODES = frozenset(
    (
        "mailboxnotenabledforrestapi",
        "mailboxnotsupportedforrestapi",
        "mailboxnotfound",
        "errornonexistentmailbox",
        "errormissingemailaddress",
        "errorinvaliduser",
        "request_resourcenotfound",
        "resourcenotfound",
    )
)
_FORBIDDEN_CODES = frozenset(
    ("erroraccessdenied", "accessdenied", "authorization_requestdenied")
)
_BUSY_STATUS = frozenset((408, 423, 425, 429, 509))
# What is no wait but a bug of the sender.
_MAX_WAIT = 24 * 3600.0
# Trace ids and dates are for Microsoft's support, not for the user.
_TRACE = re.compile(
    r"\s*(?:Trace ID|Correlation ID|Timestamp)\s*:\s*\S+(?: \d\d:\d\d:\d\dZ)?",
    re.IGNORECASE,
)


class ServerAnswer(Exception):
    """An answer of Graph that is an error.

    :ivar code: as Graph calls it, in lower case; empty where it does not
    :ivar retry_after: seconds that it asked to wait, or None
    """

    def __init__(self, status: int, code: str, message: str, wait: float | None):
        super().__init__(f"{status} {code}".strip())
        self.status = status
        self.code = code.lower()
        self.message = message
        self.retry_after = wait

    @property
    def is_busy(self) -> bool:
        """It passes by itself."""
        return self.status in _BUSY_STATUS or self.status >= 500

    @property
    def is_void(self) -> bool:
        """The delta token is not taken any more."""
        return self.status == 410 or (
            400 <= self.status < 500 and self.code in _VOID_CODES
        )

    @property
    def is_gone(self) -> bool:
        """What was asked for is not there."""
        return self.status in (404, 410) and self.code not in _NO_MAILBOX_CODES


def answer_of(
    status: int, headers: Mapping[str, str], body: bytes | str | dict
) -> ServerAnswer:
    """The error that an answer is; its body is taken as it comes."""
    error = body
    if isinstance(body, (bytes, str)):
        try:
            error = json.loads(body)
        except ValueError:
            error = {}
    error = error.get("error") if isinstance(error, dict) else None
    if not isinstance(error, dict):
        error = {}
    return ServerAnswer(
        status,
        str(error.get("code") or "")[:100],
        str(error.get("message") or "")[:1_000],
        retry_after(headers),
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header, which may hold a date (RFC 9110, 10.2.3)."""
    value = next((v for k, v in headers.items() if k.lower() == "retry-after"), "")
    value = str(value).strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        return min(float(value), _MAX_WAIT)
    try:
        date = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return min(max(date.timestamp() - time.time(), 0.0), _MAX_WAIT)


def translate(error: BaseException, secrets: Iterable[str] = ()) -> MailboxError:
    """The `MailboxError` for anything that came up.

    :param secrets: what must not stand in its text
    """
    if isinstance(error, MailboxError):
        return error
    if isinstance(error, Overdue):
        return Retry("timeout", "the answer took too long")
    if isinstance(error, ServerAnswer):
        return _of_answer(error, secrets)
    return of_transport(error, secrets)


def _of_answer(answer: ServerAnswer, secrets: Iterable[str]) -> MailboxError:
    said = _TRACE.sub("", answer.message)
    text = words(": ".join(filter(None, (str(answer), said))), secrets)
    if answer.status == 401:
        return Reconnect("grant", text)
    if answer.code in _NO_MAILBOX_CODES:
        return Permanent("forbidden", text)
    if answer.is_busy:
        return Retry("busy", text, answer.retry_after)
    if answer.is_void:
        return Resync("checkpoint", text)
    if answer.status == 403 or answer.code in _FORBIDDEN_CODES:
        return Permanent("forbidden", text)
    if answer.is_gone:
        return Gone("mail", text)
    return Retry("answer", text)


def of_transport(error: BaseException, secrets: Iterable[str] = ()) -> MailboxError:
    """For what came up before there was an answer, or in the middle of one."""
    text = words(error, secrets)
    chain = list(_chain(error))

    def has(*kinds: type[BaseException]) -> bool:
        return any(isinstance(one, kinds) for one in chain)

    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            return Permanent("certificate", one.verify_message or text)
    if has(
        requests.exceptions.InvalidURL,
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
    ):
        return Permanent("setting", "the address of the service is wrong")
    if has(socket.gaierror):
        return Retry("host", text)
    if has(ConnectionRefusedError):
        return Retry("refused", text)
    if has(requests.Timeout, TimeoutError, urllib3.exceptions.TimeoutError):
        return Retry("timeout", text)
    if has(ssl.SSLError) and not has(ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return Permanent("tls", text)
    if has(requests.exceptions.JSONDecodeError, json.JSONDecodeError):
        # (its text holds the answer)
        return Retry("answer", "this is no JSON")
    if has(ConnectionError, requests.ConnectionError, urllib3.exceptions.ProtocolError):
        return Retry("dropped", text)
    if has(OSError) and not has(requests.RequestException):
        return Retry("host", text)
    # What a library, or the reading of an answer, raises that is none. (Its text may
    # hold anything.)
    return Retry("answer", type(error).__name__)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made of: urllib3 hands it on in several ways."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None)]
        waiting += one.args
