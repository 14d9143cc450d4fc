"""What both senders' answers and reports are read with."""

import contextlib
import time

from .errors import Permanent, Refused, Retry, Unverified

#: Seconds that a sender may ask to wait at most: a day.
_MAX_WAIT = 24 * 3600

#: Seconds that our clock may be behind a sender's: what it signs cannot be forged, and
#: what is refused for a wrong clock is lost.
_MAX_AHEAD = 24 * 3600


def shorten(text: str, limit: int = 300) -> str:
    """What a sender said, on one line."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def plain(value) -> str:
    """A value of a report as a text that may stand in the database.

    :raises TypeError: it is a list or an object
    """
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise TypeError("no text")
    # (JSON may write halves of characters, which are none)
    return str(value).replace("\0", "").encode(errors="replace").decode()


def retry_after(headers) -> float | None:
    """Seconds that a sender asks to wait, or None.

    SendGrid says when its window ends instead.
    """
    with contextlib.suppress(TypeError, ValueError):
        return _bounded(float(headers.get("Retry-After")))
    with contextlib.suppress(TypeError, ValueError):
        return _bounded(float(headers.get("X-RateLimit-Reset")) - time.time())
    return None


def _bounded(seconds: float) -> float:
    # (in this order, what is no number is none to wait)
    return max(0.0, min(seconds, _MAX_WAIT))


def check_age(timestamp: str, max_age: float) -> None:
    """Raises `Unverified` where a signature is too old to count, or of no time.

    :param timestamp: that was signed, in seconds since 1970
    :param max_age: in seconds
    """
    try:
        age = time.time() - float(timestamp)
    except ValueError:
        raise Unverified("stale") from None
    if not -_MAX_AHEAD < age < max_age:
        raise Unverified("stale")


def check_key(key: str) -> None:
    """Raises `Permanent` unless a key may stand in a header.

    Else the error that says so would hold it.
    """
    if not key.isascii() or not key.isprintable() or " " in key:
        raise Permanent("key")


@contextlib.contextmanager
def writing():
    """Around what is written before a call: what goes wrong in it, nobody has got."""
    try:
        yield
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise Refused("mail", type(error).__name__) from None


#: What reading a report can raise that is none.
UNREADABLE = (
    AttributeError,
    KeyError,
    OSError,  # (of a time that the system has none for)
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)


@contextlib.contextmanager
def reading():
    """Around what an answer is read by: what makes no sense is trouble of theirs."""
    try:
        yield
    except UNREADABLE as error:
        raise Retry("trouble", shorten(f"{type(error).__name__}: {error}")) from None


def find_list(lists, place: str) -> tuple[str, str]:
    """The list that a place is in, and where in it: the first one's beginning at first.

    A place is "<list>:<where>".
    """
    name, _sep, where = place.partition(":")
    return (name, where) if name in lists else (next(iter(lists)), "")


def next_list(lists, name: str) -> str:
    """The place where the list after this one begins; empty after the last."""
    names = [*lists, ""]
    return names[names.index(name) + 1]
