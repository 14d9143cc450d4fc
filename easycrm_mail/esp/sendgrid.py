"""SendGrid: one call for up to a thousand people, through its own package.

Limits and answers: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors
"""

import base64
import contextlib
import errno
import json
import logging
import os
import re
import secrets
import socket
import ssl
import urllib.error
from datetime import datetime, timezone

from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient

from .answers import (
    check_key,
    find_list,
    next_list,
    plain,
    reading,
    retry_after,
    shorten,
    writing,
)
from .base import MAX_RECIPIENTS, TIMEOUT, fill
from .errors import Doubtful, EspError, Permanent, Refused, Retry
from .values import (
    Accepted,
    Bulk,
    Recipient,
    Suppression,
    SuppressionPage,
    SuppressionReason,
)

#: Environment: the address of the service, for tests and private clouds.
URL = "EASYCRM_SENDGRID_API_URL"

REGIONS = {"global": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"}

#: Its lists of who gets no more mail, and why.
_LISTS = {
    "bounces": SuppressionReason.BOUNCED,
    "invalid_emails": SuppressionReason.INVALID,
    "spam_reports": SuppressionReason.COMPLAINED,
    "unsubscribes": SuppressionReason.UNSUBSCRIBED,
}
_PAGE = 500

#: The way to it is broken.
_UNREACHABLE = {errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH}

_RECIPIENT = re.compile(r"personalizations[.\[](\d+)")

# It would write the key and the mails into the log.
logging.getLogger("python_http_client.client").setLevel(logging.INFO)


class SendGrid:
    """One account at SendGrid.

    :param key: an API key with the scope `mail.send`
    :param region: `global` or `eu`
    :param tracks_opens: a picture tells when the mail is opened
    :param tracks_clicks: links lead over SendGrid
    :param timeout: seconds that a call may take
    """

    max_recipients = MAX_RECIPIENTS
    #: "Substitutions are limited to 10,000 bytes per personalization block"; newer
    #: pages say 50,000.
    max_bytes = 10_000

    def __init__(
        self,
        key: str,
        region: str = "global",
        *,
        tracks_opens: bool = True,
        tracks_clicks: bool = True,
        timeout: float = TIMEOUT,
    ):
        if region not in REGIONS:
            raise Permanent("setting", "unknown region")
        check_key(key)
        self._client = SendGridAPIClient(key, os.environ.get(URL) or REGIONS[region])
        self._client.client.timeout = timeout
        self._opens, self._clicks = tracks_opens, tracks_clicks

    def send(self, bulk: Bulk) -> Accepted:
        """Hands a bulk over; see `base.Esp`."""
        with writing():
            body = self._write(bulk)
        try:
            answer = self._client.send(body)
        except HTTPError as error:
            raise self._translate(error, bulk.recipients) from None
        except (OSError, ValueError) as error:
            raise _translate_network(error, is_sending=True) from None
        if answer.status_code != 202:
            raise Doubtful("answer", str(answer.status_code))
        return Accepted(answer.headers.get("X-Message-Id") or "")

    def check(self) -> None:
        """Asks whether the key may send."""
        scopes = self._get("scopes").get("scopes") or ()
        if "mail.send" not in scopes:
            raise Permanent("scope", "mail.send")

    def suppressions(self, place: str = "") -> SuppressionPage:
        """Its lists, one after the other; see `base.Esp`."""
        name, said = find_list(_LISTS, place)
        # (another account's place says nothing here)
        offset = int(said) if said.isascii() and said.isdecimal() else 0
        try:
            rows = self._get(f"suppression/{name}", {"limit": _PAGE, "offset": offset})
        except Permanent as error:
            if error.code == "scope":
                raise Permanent("lists", error.detail) from None
            raise
        with reading():
            found = [_suppression(row, _LISTS[name]) for row in rows]
        if found:
            return SuppressionPage(found, f"{name}:{offset + len(found)}")
        return SuppressionPage([], next_list(_LISTS, name))

    def close(self) -> None:
        """Nothing is kept open."""

    def _get(self, path, query=None):
        call = self._client.client
        for name in path.split("/"):
            call = getattr(call, name)
        try:
            return call.get(query_params=query).to_dict or {}
        except HTTPError as error:
            raise self._translate(error) from None
        except (OSError, ValueError) as error:
            raise _translate_network(error, is_sending=False) from None

    def _write(self, bulk: Bulk) -> dict:
        # (no recipient can have it in a value of his, to be filled in there)
        mark = secrets.token_hex(8)

        def tag(name):
            return f"-{mark}{name}-"

        body = {
            "personalizations": [
                self._personalise(person, bulk, tag) for person in bulk.recipients
            ],
            "from": _person(*bulk.sender),
            "subject": fill(bulk.subject, tag),
            # (text first: it asks for this order)
            "content": [
                {"type": mimetype, "value": fill(text, tag)}
                for mimetype, text in (
                    ("text/plain", bulk.text),
                    ("text/html", bulk.html),
                )
                if text
            ],
            "tracking_settings": {
                "open_tracking": {"enable": self._opens},
                "click_tracking": {"enable": self._clicks, "enable_text": False},
                # (the mail has its own link, by which Odoo is told)
                "subscription_tracking": {"enable": False},
            },
        }
        if bulk.reply_to:
            body["reply_to"] = _person(*bulk.reply_to)
        if bulk.files:
            body["attachments"] = [_file(file) for file in bulk.files]
        return body

    def _personalise(self, person: Recipient, bulk: Bulk, tag) -> dict:
        # (it takes nothing but texts in here, and says so by "Bad Request")
        block = {
            "to": [_person(person.name, person.address)],
            "custom_args": {"easycrm_key": person.key, "easycrm_batch": bulk.key},
        }
        if person.values:
            block["substitutions"] = {
                tag(name): value for name, value in person.values.items()
            }
        if bulk.headers:
            block["headers"] = {
                name: fill(value, lambda slot: person.values[slot])
                for name, value in bulk.headers.items()
            }
        return block

    def _translate(self, error: HTTPError, recipients=()) -> EspError:
        status, said = error.status_code, _said(error.body)
        text = shorten("; ".join(message for _field, message in said) or str(status))
        if status == 401:
            if "credits exceeded" in text.lower():
                return Permanent("plan", text)
            return Permanent("key", text)
        if status == 403:
            code = "sender" if "Sender Identity" in text else "scope"
            return Permanent(code, text)
        if status == 413:
            return Refused("size", text)
        if status == 429:
            return Retry("busy", text, retry_after(error.headers))
        if status in (502, 504):
            # (a gateway says so, and what is behind it may have taken the mail)
            return Doubtful("answer", text)
        if status >= 500:
            return Retry("trouble", text, retry_after(error.headers))
        places = {
            int(match[1])
            for field, _message in said
            if (match := _RECIPIENT.search(field))
        }
        blamed = [recipients[i].address for i in sorted(places) if i < len(recipients)]
        return Refused("recipients" if blamed else "mail", text, blamed)


def _person(name: str, address: str) -> dict:
    name = " ".join(name.split())
    return {"email": address, "name": name} if name else {"email": address}


def _file(file) -> dict:
    values = {
        "content": base64.b64encode(file.data).decode(),
        "type": file.mimetype,
        "filename": file.name,
        "disposition": "inline" if file.content_id else "attachment",
    }
    if file.content_id:
        values["content_id"] = file.content_id
    return values


def _suppression(row: dict, reason: SuppressionReason) -> Suppression:
    at = datetime.fromtimestamp(row["created"], timezone.utc)
    return Suppression(
        plain(row["email"]), reason, at, shorten(plain(row.get("reason")))
    )


def _said(body: bytes) -> list[tuple[str, str]]:
    """The (field, message) pairs of an error's answer."""
    with contextlib.suppress(ValueError, TypeError, AttributeError):
        return [
            (str(error.get("field") or ""), str(error.get("message") or ""))
            for error in json.loads(body)["errors"]
        ]
    return []


def _translate_network(error: Exception, *, is_sending: bool) -> EspError:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    text = shorten(str(cause))
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Permanent("certificate", text)
    if isinstance(cause, socket.gaierror):
        return Retry("host", text)
    if isinstance(cause, ConnectionRefusedError):
        return Retry("refused", text)
    is_late = isinstance(cause, TimeoutError)
    # (urllib wraps what went wrong before all of the request had left, and nothing that
    # went wrong while it was waiting for the answer)
    if cause is not error and (
        is_late or getattr(cause, "errno", None) in _UNREACHABLE
    ):
        return Retry("refused", text)
    if is_sending:
        return Doubtful("timeout" if is_late else "dropped", text)
    return Retry("busy" if is_late else "trouble", text)
