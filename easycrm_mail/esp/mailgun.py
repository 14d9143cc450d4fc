"""Mailgun: one call for up to a thousand people, with a value for each.

https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/batch-sending
"""

import contextlib
import json
import os
import re
from datetime import datetime
from email.headerregistry import Address
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlsplit

import requests

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
    Skeleton,
    Slot,
    Suppression,
    SuppressionPage,
    SuppressionReason,
)

#: Environment: the address of the service, for tests and private clouds.
URL = "EASYCRM_MAILGUN_API_URL"

REGIONS = {"global": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}

_LISTS = {
    "bounces": SuppressionReason.BOUNCED,
    "complaints": SuppressionReason.COMPLAINED,
    "unsubscribes": SuppressionReason.UNSUBSCRIBED,
}
_PAGE = 1000

#: What it would fill in by itself, were it written by the author of the mail.
_OWN_TAG = re.compile(r"%(?=[a-z_]+(?:\.|%))", re.IGNORECASE)
_PERCENT = Slot("percent")

_BLAMED = re.compile(r"'to' parameter is not a valid address", re.IGNORECASE)


class Mailgun:
    """One domain at Mailgun.

    :param key: an API key that may send
    :param domain: the sending domain
    :param region: `global` or `eu`
    :param timeout: seconds that a call may take
    """

    max_recipients = MAX_RECIPIENTS
    #: It names no limit of the values, but one of 25 MB for a mail: that of the other
    #: sender, through which the rest of a mailing may go.
    max_bytes = 10_000

    def __init__(
        self,
        key: str,
        domain: str,
        region: str = "global",
        *,
        tracks_opens: bool = True,
        tracks_clicks: bool = True,
        timeout: float = TIMEOUT,
    ):
        if region not in REGIONS or not domain:
            raise Permanent("setting", "region or domain")
        check_key(key)
        self._url = os.environ.get(URL) or REGIONS[region]
        self._domain = quote(domain, safe="")
        self._opens, self._clicks = tracks_opens, tracks_clicks
        self._timeout = timeout
        self._session = requests.Session()
        self._session.auth = ("api", key)
        self._session.trust_env = False  # (a .netrc would take the key's place)

    def send(self, bulk: Bulk) -> Accepted:
        """Hands a bulk over; see `base.Esp`."""
        with writing():
            values = self._write(bulk)
        files = [
            (
                "inline" if file.content_id else "attachment",
                (file.content_id or file.name, file.data, file.mimetype),
            )
            for file in bulk.files
        ]
        try:
            answer = self._session.post(
                f"{self._url}/v3/{self._domain}/messages",
                # (with a file that is none it is multipart all the same)
                data=values,
                files=files or None,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise _translate_network(error, is_sending=True) from None
        if answer.status_code != 200:
            raise _translate(answer, bulk.recipients)
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            if reference := answer.json().get("id"):
                return Accepted(str(reference))
        # (a wrong address of the service answers 200 too: "Mailgun Magnificent API")
        raise Doubtful("answer", shorten(answer.text))

    def check(self) -> None:
        """Asks for the domain, and so whether the key is one."""
        domain = self._get(f"{self._url}/v4/domains/{self._domain}").get("domain") or {}
        if domain.get("state") != "active":
            raise Permanent("domain", shorten(str(domain.get("state") or "")))

    def suppressions(self, place: str = "") -> SuppressionPage:
        """Its lists, one after the other; see `base.Esp`."""
        name, said = find_list(_LISTS, place)
        path = said or f"/v3/{self._domain}/{name}?limit={_PAGE}"
        answer = self._get(f"{self._url}{path}")
        with reading():
            found = [_suppression(row, _LISTS[name]) for row in answer["items"] or ()]
            # (the key goes nowhere but to the service itself)
            parts = urlsplit((answer.get("paging") or {}).get("next") or "")
        following = f"{parts.path}?{parts.query}"
        if found and parts.path.startswith("/") and following != path:
            return SuppressionPage(found, f"{name}:{following}")
        return SuppressionPage(found, next_list(_LISTS, name))

    def close(self) -> None:
        """Ends the connections."""
        self._session.close()

    def _get(self, url: str) -> dict:
        try:
            answer = self._session.get(
                url, timeout=self._timeout, allow_redirects=False
            )
        except requests.RequestException as error:
            raise _translate_network(error, is_sending=False) from None
        if answer.status_code == 404:
            raise Permanent("domain", shorten(answer.text))
        if answer.status_code != 200:
            raise _translate(answer)
        try:
            return dict(answer.json())
        except (ValueError, TypeError):
            raise Retry("trouble", shorten(answer.text)) from None

    def _write(self, bulk: Bulk) -> list[tuple[str, str]]:
        values = [
            ("from", _person(*bulk.sender)),
            ("subject", self._fill(bulk.subject)),
            ("html", self._fill(bulk.html)),
            ("v:easycrm_key", "%recipient.key%"),
            ("v:easycrm_batch", bulk.key),
            ("o:tracking", "yes"),
            ("o:tracking-opens", "yes" if self._opens else "no"),
            ("o:tracking-clicks", "htmlonly" if self._clicks else "no"),
            # Without them everybody would see everybody's address.
            ("recipient-variables", json.dumps(self._variables(bulk.recipients))),
        ]
        values += [("to", _person(p.name, p.address)) for p in bulk.recipients]
        if bulk.text:
            values.append(("text", self._fill(bulk.text)))
        if bulk.reply_to:
            values.append(("h:Reply-To", _person(*bulk.reply_to)))
        values += [(f"h:{name}", self._fill(v)) for name, v in bulk.headers.items()]
        return values

    def _fill(self, skeleton: Skeleton) -> str:
        literal = []
        for piece in skeleton:
            if isinstance(piece, Slot):
                literal.append(piece)
                continue
            first, *others = _OWN_TAG.split(piece)
            literal.append(first)
            for other in others:
                literal += [_PERCENT, other]
        return fill(literal, _tag)

    @staticmethod
    def _variables(recipients) -> dict:
        return {
            person.address: {
                "key": person.key,
                _PERCENT.name: "%",
                **{f"v{name}": value for name, value in person.values.items()},
            }
            for person in recipients
        }


def _tag(name: str) -> str:
    if name == _PERCENT.name:
        return f"%recipient.{name}%"
    return f"%recipient.v{name}%"


def _person(name: str, address: str) -> str:
    name = " ".join(name.split())
    user, _at, domain = address.rpartition("@")
    return str(Address(name, user, domain)) if name else address


def _suppression(row: dict, reason: SuppressionReason) -> Suppression:
    detail = shorten(plain(row.get("error")))
    return Suppression(plain(row["address"]), reason, _date(row), detail)


def _date(row: dict) -> datetime | None:
    with contextlib.suppress(TypeError, ValueError):
        return parsedate_to_datetime(row["created_at"])
    return None


def _translate(
    answer: requests.Response, recipients: list[Recipient] | tuple = ()
) -> EspError:
    status, text = answer.status_code, shorten(answer.text)
    with contextlib.suppress(ValueError, TypeError, AttributeError):
        text = shorten(str(answer.json().get("message") or text))
    if status == 401:
        return Permanent("key", text)
    if status == 402:
        return Permanent("plan", text)
    if status == 403:
        return Permanent("domain", text)
    if status == 413:
        return Refused("size", text)
    if status == 429:
        return Retry("busy", text, retry_after(answer.headers))
    if status in (502, 504) or 200 <= status < 400:
        return Doubtful("answer", text)
    if status >= 500:
        return Retry("trouble", text, retry_after(answer.headers))
    if status == 404:
        return Permanent("domain", text)
    if not _BLAMED.search(text):
        return Refused("mail", text)
    # (it may name whom it blames, and may not)
    blamed = [person.address for person in recipients if person.address in text]
    return Refused("recipients", text, blamed)


def _translate_network(
    error: requests.RequestException, *, is_sending: bool
) -> EspError:
    text = shorten(type(error).__name__)
    if isinstance(error, requests.exceptions.SSLError):
        return Permanent("certificate", text)
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Retry("busy", text)
    said = str(error)
    if "NameResolutionError" in said:
        return Retry("host", text)
    if "NewConnectionError" in said:
        return Retry("refused", text)
    is_late = isinstance(error, requests.exceptions.Timeout)
    if is_sending:
        return Doubtful("timeout" if is_late else "dropped", text)
    return Retry("busy" if is_late else "trouble", text)
