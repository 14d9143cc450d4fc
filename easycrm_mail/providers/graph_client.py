"""Calls of Microsoft Graph v1.0, signed by the tokens of one mailbox.

Every call asks for ids that a move does not change, and says how long a page may be:
https://learn.microsoft.com/en-us/graph/outlook-immutable-id. Up to four mails are
fetched at once, as many as Exchange lets one app have of a mailbox, by $batch:
https://learn.microsoft.com/en-us/graph/throttling-limits#outlook-service-limits.
"""

import base64
import binascii
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import requests
from requests.auth import AuthBase

from .budget import Budget
from .errors import Reconnect, Retry
from .graph_errors import ServerAnswer, answer_of, of_transport
from .graph_http import BoundedSession
from .sign_in import TokenSource

GRAPH_URL = "https://graph.microsoft.com"
VERSION = "/v1.0"
PAGE_SIZE = 200
PREFER = f'IdType="ImmutableId", odata.maxpagesize={PAGE_SIZE}'
#: Parts of a $batch: what runs at once.
BATCH_PARTS = 4
# No page or batch of ours is longer.
MAX_ANSWER_BYTES = 64_000_000
_PIECE_BYTES = 1 << 16
_GOOD = frozenset((200, 201, 202, 204))


#: Requests of one app for one mailbox, and the seconds in which it may make them; each
#: part of a batch is one:
#: https://learn.microsoft.com/en-us/graph/throttling-limits#outlook-service-limits
GRAPH_LIMIT = {"limit": 10_000, "window": 600}


class TooLarge(Exception):
    """An answer is longer than it may be."""


@dataclass(frozen=True, slots=True)
class Part:
    """One answer of a $batch.

    :ivar content: the bytes, or None where they are to be asked for alone
    :ivar error: what came instead, or None
    """

    content: bytes | None = None
    error: ServerAnswer | None = None


def endpoint() -> str:
    """Scheme and host of Graph, for private clouds and tests from the environment."""
    url = os.environ.get("EASYCRM_GRAPH_API_URL") or GRAPH_URL
    return url.rstrip("/").removesuffix(VERSION)


class GraphClient:
    """Graph for one mailbox; used by one thread at a time.

    :param mailbox: a shared mailbox's address; empty for that of who signed in
    :param budget: where requests are counted
    :ivar is_open: the last request was begun, and has not been refused: it may have
        done what it asked for
    """

    is_open = False

    def __init__(
        self,
        tokens: TokenSource,
        mailbox: str,
        timeout: float,
        budget: Budget | None = None,
    ):
        self.budget = budget or Budget(**GRAPH_LIMIT)
        self.session = BoundedSession(timeout)
        self.root = f"/users/{quote(mailbox, safe='@')}" if mailbox else "/me"
        self._tokens = tokens
        self._token = self._refused = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not stand in any text."""
        return (self._token, self._refused)

    def get(self, path: str, **params: str) -> dict:
        """A JSON object, by its path below the mailbox."""
        return self.follow(f"{endpoint()}{VERSION}{self.root}{path}", params)

    def follow(self, url: str, params: Mapping[str, str] | None = None) -> dict:
        """A JSON object by its whole address, which must be one of Graph's own."""
        if not is_own(url):
            raise Retry("answer", "the service refers to another host")
        with self._call("GET", url, params=params) as response:
            answer = _json(read(response, MAX_ANSWER_BYTES))
        return answer

    def stream(self, path: str, room: int) -> Iterator[bytes]:
        """What stands at a path, in pieces.

        :raises TooLarge: it has more bytes than `room`
        """
        url = f"{endpoint()}{VERSION}{self.root}{path}"
        with self._call("GET", url) as response:
            yield from _pieces(response, room)

    def batch(self, paths: Sequence[str]) -> list[Part]:
        """What stands at these paths, at most `BATCH_PARTS`, asked for in one call.

        https://learn.microsoft.com/en-us/graph/json-batching: the answers come in any
        order; what is not JSON comes in base64.
        """
        body = {
            "requests": [
                {
                    "id": str(number),
                    "method": "GET",
                    "url": self.root + path,
                    "headers": {"Prefer": PREFER},
                }
                for number, path in enumerate(paths)
            ]
        }
        url = f"{endpoint()}{VERSION}/$batch"
        self.budget.spend(len(paths) - 1)
        with self._call("POST", url, json=body) as response:
            answer = _json(read(response, MAX_ANSWER_BYTES))
        answers = answer.get("responses")
        if not isinstance(answers, list):
            raise Retry("answer", "this is no answer to a batch")
        found = {one.get("id"): one for one in answers if isinstance(one, dict)}
        return [_part(found.get(str(number))) for number in range(len(paths))]

    def post(self, path: str, body: dict | None = None, mime: bytes = b"") -> dict:
        """Asks for something to be done, once; gives what it says of it, if anything.

        :param mime: a mail in base64, in place of a JSON body
        """
        kwargs: dict = {"json": body} if body is not None else {}
        if mime:
            kwargs = {"data": mime, "headers": {"Content-Type": "text/plain"}}
        return self._do("POST", path, **kwargs)

    def patch(self, path: str, body: dict) -> dict:
        """Changes something; gives it as it is then."""
        return self._do("PATCH", path, json=body)

    def delete(self, path: str) -> None:
        """Takes something away."""
        self._do("DELETE", path)

    def put(self, url: str, piece: bytes, span: str) -> None:
        """Puts a piece of a file where Graph has said that it goes.

        That address is a secret itself, and gets no token.

        :param span: which of its bytes these are, as Content-Range has it
        """
        if not is_own(url) and not url.startswith("https://"):
            raise Retry("answer", "the upload is to go to an unsafe host")
        self.budget.spend(1)
        headers = {"Content-Range": span, "Content-Type": "application/octet-stream"}
        kwargs = {"headers": headers, "auth": _Nobody(), "stream": True}
        try:
            with self.session.request("PUT", url, data=piece, **kwargs) as response:
                body = read(response, MAX_ANSWER_BYTES)
        except requests.RequestException as error:
            # (in its words stands the address)
            failure = of_transport(error)
            raise type(failure)(failure.code) from None
        if response.status_code not in _GOOD:
            raise answer_of(response.status_code, response.headers, body)

    def _do(self, method: str, path: str, **kwargs) -> dict:
        url = f"{endpoint()}{VERSION}{self.root}{path}"
        with self._call(method, url, **kwargs) as response:
            body = read(response, MAX_ANSWER_BYTES)
        return _json(body) if body else {}

    def close(self) -> None:
        """Ends the connections."""
        self.session.close()

    def _call(self, method: str, url: str, **kwargs) -> requests.Response:
        """An answer that is good, its body still to come.

        A token that is refused is replaced, once.
        """
        self.is_open = False
        if not self._token:
            self._token = self._tokens()
        response = self._send(method, url, **kwargs)
        if response.status_code == 401:
            response.close()
            self.renew()
            response = self._send(method, url, **kwargs)
        if response.status_code not in _GOOD:
            with response:
                raise answer_of(
                    response.status_code,
                    response.headers,
                    read(response, MAX_ANSWER_BYTES),
                )
        return response

    def forget_token(self) -> None:
        """The next call asks for one: it may have expired meanwhile."""
        self._token = ""

    def renew(self) -> None:
        """Replaces a token that was refused."""
        self._refused = self._token
        self._token = self._tokens(refused=self._refused)

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        **kwargs,
    ) -> requests.Response:
        if not self._token.isascii() or not self._token.isprintable():
            raise Reconnect("grant", "there is no usable token")
        self.budget.spend(1)
        self.is_open = True
        response = self.session.request(
            method,
            url,
            headers={"Prefer": PREFER, "Accept": "application/json", **(headers or {})},
            auth=_Bearer(self._token),
            stream=True,
            **kwargs,
        )
        status = response.status_code
        self.is_open = not 300 <= status < 500 or status == 408
        return response


class _Bearer(AuthBase):
    """Signs a request; given as `auth`, no .netrc comes in between."""

    def __init__(self, token: str):
        self._token = token

    def __call__(self, request: requests.PreparedRequest):
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Nobody(AuthBase):
    """Signs nothing; given as `auth`, no .netrc comes in between."""

    def __call__(self, request: requests.PreparedRequest):
        return request


def is_own(url: str) -> bool:
    """Whether an address that was stored, or came from the service, is Graph's own."""
    try:
        given, own = urlsplit(url), urlsplit(endpoint())
        return (given.scheme, given.netloc) == (own.scheme, own.netloc)
    except ValueError:
        return False


def is_ref(value: object) -> bool:
    """Whether it may be the id of a mail or a folder: what is none can neither be asked
    for nor stored."""
    return (
        isinstance(value, str)
        and 0 < len(value) < 1_000
        and value.isascii()
        and value.isprintable()
    )


def read(response: requests.Response, room: int) -> bytes:
    """The body of an answer. Raises `TooLarge`."""
    return b"".join(_pieces(response, room))


def _pieces(response: requests.Response, room: int) -> Iterator[bytes]:
    for piece in response.iter_content(_PIECE_BYTES):
        room -= len(piece)
        if room < 0:
            raise TooLarge
        yield piece


def _json(body: bytes) -> dict:
    answer = json.loads(body)
    if not isinstance(answer, dict):
        raise Retry("answer", "this is no answer of Graph")
    return answer


def _part(answer: dict | None) -> Part:
    if answer is None:
        return Part()
    status, headers = answer.get("status"), answer.get("headers")
    body = answer.get("body")
    if not isinstance(headers, dict):
        headers = {}
    if status != 200:
        status = status if isinstance(status, int) else 500
        return Part(error=answer_of(status, headers, body if body else {}))
    if not isinstance(body, str):
        return Part()
    try:
        return Part(base64.b64decode(body, validate=True))
    except binascii.Error:
        return Part()
