"""The protocol that every bulk sender speaks."""

from collections.abc import Callable, Mapping
from typing import Protocol

from .values import Accepted, Bulk, Event, Skeleton, Slot, SuppressionPage

#: People in one call; both senders have this limit.
MAX_RECIPIENTS = 1000

#: Seconds that a call may take.
TIMEOUT = 30


class Esp(Protocol):
    """One sender's account. Used by one thread at a time, no transaction open."""

    #: People in one call, and bytes of their values in it.
    max_recipients: int
    max_bytes: int

    def send(self, bulk: Bulk) -> Accepted:
        """Hands over, once: nothing is ever repeated in here.

        :raises Retry, Refused, Permanent: nobody got it
        :raises Doubtful: they may have got it
        """

    def check(self) -> None:
        """Asks whether the key may send (and its domain, where there is one)."""

    def suppressions(self, place: str = "") -> SuppressionPage:
        """Who must not be written to, as the sender's own lists say, in one call.

        :param place: of the page before; empty for the first
        """

    def close(self) -> None:
        """Ends the connections; never raises."""


class Reports(Protocol):
    """Reads what a sender reports over its webhook."""

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raises `Unverified` unless the sender signed it. Parses nothing before."""

    def token(self, body: bytes) -> str:
        """What a verified report is taken once by; empty where it needs nothing."""

    def read(self, body: bytes) -> list[Event]:
        """The events of a verified report, those of unknown kinds left out.

        :raises Malformed: it is none
        """


def fill(skeleton: Skeleton, tag: Callable[[str], str]) -> str:
    """A skeleton as one text, with a sender's own tags where its slots are."""
    return "".join(
        tag(piece.name) if isinstance(piece, Slot) else piece for piece in skeleton
    )
