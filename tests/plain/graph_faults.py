"""What goes wrong with Microsoft Graph, for the tests of its provider."""

import email.utils
import time

import pytest
from servers.web import Answer

from easycrm_mail.providers import MailboxError


def refusal(status: int, code: str = "", **headers: str) -> dict:
    """A fault: that answer, always."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"error": {"code": code, "message": f"{code} happened."}} if code else b""
    return {"kind": "answer", "answer": Answer(body, status, headers), "times": 99}


# (far enough for a suite that takes half an hour)
DATE = email.utils.formatdate(time.time() + 7200, usegmt=True)
FAULTS = {
    "401": refusal(401, "InvalidAuthenticationToken"),
    "403": refusal(403, "ErrorAccessDenied"),
    "403 plain": refusal(403),
    "404": refusal(404, "ErrorItemNotFound"),
    "404 no mailbox": refusal(404, "MailboxNotEnabledForRESTAPI"),
    "404 no such user": refusal(404, "ErrorInvalidUser"),
    "410": refusal(410, "SyncStateNotFound"),
    "400 state": refusal(400, "SyncStateInvalid"),
    "400": refusal(400, "BadRequest"),
    "302": refusal(302, Location="https://evil.example/"),
    "429": refusal(429, "ApplicationThrottled", Retry_After="7"),
    "429 date": refusal(429, "ApplicationThrottled", Retry_After=DATE),
    "429 bare": refusal(429, "ApplicationThrottled"),
    "503": refusal(503, "ServiceUnavailable", Retry_After="30"),
    "500": refusal(500, "ErrorInternalServerError"),
    "504": refusal(504, "ErrorTimeoutExpired"),
    "html": {"kind": "answer", "answer": Answer("<html>"), "times": 99},
    "no page": {"kind": "answer", "answer": Answer({"value": 5}), "times": 99},
    "list": {"kind": "answer", "answer": Answer(["no object"]), "times": 99},
    "elsewhere": {
        "kind": "answer",
        "answer": Answer({"value": [], "@odata.nextLink": "https://evil.example/x"}),
        "times": 99,
    },
    "reset": {"kind": "reset", "times": 99},
    "refuse": {"kind": "refuse", "times": 99},
    "half": {"kind": "half", "times": 99},
    "broken": {"kind": "broken", "times": 99},
    "slow": {"kind": "slow", "seconds": 1.5, "times": 99},
}


def raised(call) -> MailboxError:
    """The error of a call."""
    with pytest.raises(MailboxError) as caught:
        call()
    return caught.value
