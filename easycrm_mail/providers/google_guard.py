"""What every call to Google is wrapped in."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from .errors import MailboxError
from .gmail_errors import translate
from .gmail_http import MailboxHttp
from .imap_errors import words

# At the levels below they write down answers and addresses.
for _name in (
    "googleapiclient",
    "google.auth",
    "google.oauth2",
    "google_auth_httplib2",
):
    logging.getLogger(_name).setLevel(logging.ERROR)

_Result = TypeVar("_Result")


def guard(
    call: Callable[[], _Result],
    http: MailboxHttp,
    seconds: float,
    secrets: Iterable[str] = (),
) -> _Result:
    """What a call gives, bounded in time; it raises a `MailboxError` and nothing else.

    :param http: that it goes through
    :param secrets: what must not stand in the words of an error; looked at afterwards
    """
    result, failure = _attempt(call, http, seconds, secrets)
    if failure:
        raise failure
    return result


def _attempt(
    call: Callable[[], _Result],
    http: MailboxHttp,
    seconds: float,
    secrets: Iterable[str],
) -> tuple[_Result | None, MailboxError | None]:
    """What a call gives, or the error to raise, once nothing is being handled.

    Raised within the handler, it would have the original as its context, and in the
    frames of that stands the token.
    """
    result, failure = None, None
    try:
        with http.bounded(seconds):
            result = call()
    except Exception as error:  # noqa: BLE001
        failure = translate(error, secrets)
    if failure is None:
        return result, None
    # Also of errors that were made on the way: only here it is known what is secret.
    detail = words(failure.detail, secrets)
    failure.detail, failure.args = detail, (f"{failure.code}: {detail}",)
    failure.__cause__ = failure.__context__ = None
    return None, failure.with_traceback(None)
