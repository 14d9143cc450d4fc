"""What both bulk senders on loopback do: keep what they delivered, and report."""

import itertools
import threading
import time
from dataclasses import dataclass, field
from urllib.request import Request as UrlRequest
from urllib.request import urlopen


@dataclass(frozen=True)
class Delivered:
    """One mail as its recipient got it.

    :ivar custom: what goes along with each event
    """

    number: int
    address: str
    subject: str
    html: str
    text: str
    headers: dict[str, str]
    custom: dict[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()


class Deliveries:
    """All that was delivered, in order; may be read from any thread."""

    def __init__(self):
        self._mails: list[Delivered] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, **values) -> Delivered:
        """Deliver one mail."""
        with self._lock:
            mail = Delivered(number=next(self._numbers), **values)
            self._mails.append(mail)
        return mail

    def all(self) -> list[Delivered]:
        """All mails so far."""
        with self._lock:
            return list(self._mails)

    def to(self, address: str) -> list[Delivered]:
        """Those to one address."""
        return [mail for mail in self.all() if mail.address == address]


def substitute(text: str, values: dict[str, str]) -> str:
    """A text with each tag of it replaced."""
    for tag, value in values.items():
        text = text.replace(tag, value)
    return text


def post(url: str, body: bytes, headers: dict[str, str] | None = None) -> int:
    """Call a webhook as the sender does; return the status of its answer."""
    headers = {"Content-Type": "application/json", **(headers or {})}
    request = UrlRequest(url, body, headers)
    try:
        with urlopen(request, timeout=30) as answer:
            return answer.status
    except OSError as error:
        if status := getattr(error, "code", None):
            return status
        raise


def now() -> int:
    """The time as both write it: seconds since 1970."""
    return int(time.time())
