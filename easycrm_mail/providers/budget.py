"""How much may still be asked of a service that counts what it is asked for.

What was spent is kept by the caller between two sessions of a mailbox, as a short text.
It is counted over a sliding window: no window of the service's, wherever it begins,
then holds more than its limit.
"""

import json
import threading
import time
from collections.abc import Callable

# Spendings this near to each other are kept as one, at the later time: this share of
# the window.
GRAINS = 60
# Spent here a little before it is counted there: the window is kept this much longer.
MARGIN = 1.05
# Of the limit, for what must not wait for a first sync: polls, sends, a reader.
RESERVE_SHARE = 12


class Budget:
    """The units of one mailbox.

    :param limit: units in any window
    :param window: seconds
    :param clock: seconds since 1970; the wall's, as it is compared between processes
    """

    def __init__(
        self,
        limit: int = 6_000,
        window: float = 60,
        clock: Callable[[], float] = time.time,
    ):
        self.limit = limit
        self.window = window * MARGIN
        self._grain = window / GRAINS
        self._clock = clock
        self._lock = threading.Lock()
        self._spent: list[tuple[float, int]] = []

    def __repr__(self) -> str:
        return f"<Budget {self.left()} of {self.limit} units left>"

    @classmethod
    def load(cls, text: str, **kwargs) -> "Budget":
        """With what was spent before; a text that is not ours counts as nothing.

        :param kwargs: as for the class
        """
        budget = cls(**kwargs)
        try:
            for at, units in json.loads(text or "[]"):
                # (of what is not a number this raises; nan is neither)
                if at > 0 and units > 0:
                    spent = min(int(units), budget.limit)
                    budget._spent.append((float(at), spent))
        except (ArithmeticError, RecursionError, TypeError, ValueError):
            budget._spent = []
        # (a text of any length)
        budget._spent = sorted(budget._spent)[-int(GRAINS * MARGIN + 2) :]
        return budget

    def dump(self) -> str:
        """The text for `load`."""
        with self._lock:
            self._forget()
            return json.dumps([[round(at, 1), units] for at, units in self._spent])

    def spend(self, units: int) -> None:
        """Counts units; what is more than there is, too, as the service does."""
        with self._lock:
            now = self._forget()
            if self._spent and now - self._spent[-1][0] < self._grain:
                units += self._spent.pop()[1]
            self._spent.append((now, units))

    def used(self) -> float:
        """The share of the limit that is used up now: 1 is all of it."""
        with self._lock:
            self._forget()
            return sum(units for _at, units in self._spent) / self.limit

    def left(self) -> int:
        """Units that a sync may spend now; not negative."""
        with self._lock:
            self._forget()
            return max(self._left(), 0)

    def wait(self, units: int) -> float:
        """Seconds until a sync may spend so many, as far as is known now."""
        with self._lock:
            now = self._forget()
            missing = min(units, self.free) - self._left()
            wait = 0.0
            for at, gone in self._spent:
                if missing <= 0:
                    break
                missing -= gone
                wait = at + self.window - now
            return wait

    @property
    def free(self) -> int:
        """Units of a whole window, without the reserve."""
        return self.limit - self.limit // RESERVE_SHARE

    def _left(self) -> int:
        """May be negative: others than syncs spend of the reserve."""
        return self.free - sum(units for _at, units in self._spent)

    def _forget(self) -> float:
        """Drops what is older than the window; what lies ahead is of a clock that was
        set back, and counts as just spent."""
        now = self._clock()
        self._spent = [
            (min(at, now), units) for at, units in self._spent if at > now - self.window
        ]
        return now
