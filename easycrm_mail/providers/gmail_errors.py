"""What Google's libraries and the socket raise, as what is to be done about it.

https://developers.google.com/workspace/gmail/api/guides/handle-errors
"""

import http.client
import json
import re
import time
from collections.abc import Iterable
from datetime import datetime
from email.utils import parsedate_to_datetime

import httplib2
from googleapiclient.errors import BatchError, HttpError

from .bounded import Overdue
from .errors import Gone, MailboxError, Permanent, Reconnect, Retry
from .imap_errors import translate as translate_socket
from .imap_errors import words

_LIMITS = frozenset(
    {
        "concurrentLimitExceeded",
        "dailyLimitExceeded",
        "quotaExceeded",
        "rateLimitExceeded",
        "userRateLimitExceeded",
        "RATE_LIMIT_EXCEEDED",
        "RESOURCE_EXHAUSTED",
    }
)
_CONSENT = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"})
_CLIENT = frozenset(
    {"accessNotConfigured", "SERVICE_DISABLED", "CONSUMER_INVALID", "API_KEY_INVALID"}
)
# "User-rate limit exceeded.  Retry after 2026-11-24T10:00:00.000Z"
_RETRY_AFTER = re.compile(r"retry after (\d{4}-\d\d-\d\dT[\d:.]+)", re.IGNORECASE)
_SECONDS = re.compile(r"\d{1,6}(?:\.\d+)?")


def translate(error: BaseException, secrets: Iterable[str] = ()) -> MailboxError:
    """The `MailboxError` for anything that came up.

    :param secrets: what must not stand in its text
    """
    if isinstance(error, MailboxError):
        return error
    if isinstance(error, Overdue):
        return Retry("timeout", "the answer took too long")
    if isinstance(error, HttpError):
        return of_answer(error, secrets)
    if isinstance(error, httplib2.ServerNotFoundError):
        return Retry("host", words(error, secrets))
    if isinstance(error, http.client.IncompleteRead):
        return Retry("dropped", "half an answer")
    if isinstance(error, OSError):
        return translate_socket(error, secrets)
    # (neither the words of what reads an answer: they quote it)
    if isinstance(error, BatchError):
        return Retry("answer", "not the answer to a batch")
    return Retry("answer", type(error).__name__)


def of_answer(error: HttpError, secrets: Iterable[str] = ()) -> MailboxError:
    """For an answer that is a refusal."""
    status = error.resp.status
    reasons, message = _read(error.content)
    text = words(f"{status} {message}".strip(), secrets)
    if status == 401:
        return Reconnect("grant", text)
    if status == 429 or status == 403 and reasons & _LIMITS:
        return Retry("busy", text, retry_after(error.resp, message))
    if status == 403 and reasons & _CONSENT:
        return Reconnect("consent", text)
    if status in (400, 403) and reasons & _CLIENT:
        return Permanent("client", text)
    if status == 403:
        return Permanent("forbidden", text)
    if status == 400 and reasons & {"failedPrecondition", "FAILED_PRECONDITION"}:
        # "Mail service not enabled": an account without Gmail
        return Permanent("forbidden", text)
    if status == 404:
        return Gone("mail", text)
    if status == 408:
        return Retry("timeout", text)
    if status >= 500:
        return Retry("busy", text, retry_after(error.resp, message))
    return Retry("answer", text)


def status_of(error: BaseException) -> int:
    """The HTTP status of a refusal, else 0."""
    return error.resp.status if isinstance(error, HttpError) else 0


def retry_after(headers, message: str = "") -> float | None:
    """Seconds that a service asks to wait, by its header or in its words.

    :param headers: by lower-case name
    """
    told = str(headers.get("retry-after") or "").strip()
    if _SECONDS.fullmatch(told):
        return float(told)
    found = _RETRY_AFTER.search(message)
    try:
        if told:
            return _seconds_to(parsedate_to_datetime(told).timestamp())
        if found:
            moment = datetime.fromisoformat(f"{found[1][:19]}+00:00")
            return _seconds_to(moment.timestamp() + 1)
    except (OverflowError, TypeError, ValueError):
        return None  # as if nothing had been told
    return None


def _seconds_to(moment: float) -> float:
    return max(moment - time.time(), 0)


def _read(content: bytes | str) -> tuple[set[str], str]:
    """The reasons and the words of a refusal; Google has spelt them in two ways."""
    try:
        error = json.loads(content)["error"]
        if isinstance(error, str):
            return {error}, error
        reasons = {error.get("status", "")}
        for one in [*error.get("errors", ()), *error.get("details", ())]:
            reasons.add(one.get("reason", ""))
        return reasons, str(error.get("message", ""))
    except (AttributeError, KeyError, TypeError, ValueError):
        return set(), ""
