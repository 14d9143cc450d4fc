"""What both senders' answers and reports are read with."""

import contextlib
import time


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
    return str(value).replace("\0", "")


def retry_after(headers) -> float | None:
    """Seconds that a sender asks to wait, or None.

    SendGrid says when its window ends instead.
    """
    with contextlib.suppress(TypeError, ValueError):
        return max(float(headers.get("Retry-After")), 0)
    with contextlib.suppress(TypeError, ValueError):
        return max(float(headers.get("X-RateLimit-Reset")) - time.time(), 0)
    return None


#: What reading a report can raise that is none.
UNREADABLE = (
    AttributeError,
    KeyError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)
