"""An end for what is asked of a service by HTTP.

The time-out of a socket bounds the wait for each byte, not the call: a server that
sends one now and then would hold it for ever. Here a timer cuts the connection.
"""

import contextlib
import threading
import time
from collections.abc import Iterator


class Overdue(Exception):
    """The time of a call was over before it ended."""


class Bounded:
    """A client whose calls end, used by one thread at a time."""

    _end = float("inf")

    @contextlib.contextmanager
    def bounded(self, seconds: float) -> Iterator[None]:
        """What is done within ends in time, with `Overdue` where it had to be cut.

        It may be used within itself, to give one thing less time than there is.
        """
        outer = self._end
        self._end = min(outer, time.monotonic() + seconds)
        timer = threading.Timer(max(seconds, 0), self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception:
            if self._is_over:
                raise Overdue from None
            raise
        finally:
            timer.cancel()
            self._end = outer

    def check_time(self) -> None:
        """Raises `Overdue` where it is too late to ask for anything."""
        if self._is_over:
            raise Overdue

    @property
    def _is_over(self) -> bool:
        return time.monotonic() >= self._end

    def _expire(self) -> None:
        # (it may have ended in the very moment, and something else begun)
        if self._is_over:
            self.cut()

    def cut(self) -> None:
        """Cuts whatever is under way, from another thread; never raises."""
        raise NotImplementedError
