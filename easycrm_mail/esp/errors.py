"""What can go wrong with a bulk sender, sorted by what to do about it.

What decides is whether anybody may have got the mail: neither sender knows a key by
which the same call could be made again without sending twice.
"""

from collections.abc import Sequence


class EspError(Exception):
    """The root of the tree; never holds a secret.

    :param code: for the words that a person reads
    :param detail: what the sender said, shortened
    """

    def __init__(self, code: str, detail: str = ""):
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class Retry(EspError):
    """Nothing was sent, and it passes by itself.

    Codes: `host`, `refused`, `busy`, `trouble` (of the sender).

    :param retry_after: seconds that the sender asked to wait, or None
    """

    def __init__(self, code: str, detail: str = "", retry_after: float | None = None):
        super().__init__(code, detail)
        self.retry_after = retry_after


class Refused(EspError):
    """Nothing was sent, and these people or this mail are why.

    Codes: `recipients`, `size`, `mail`.

    :param addresses: that the sender takes no mail for
    """

    def __init__(self, code: str, detail: str = "", addresses: Sequence[str] = ()):
        super().__init__(code, detail)
        self.addresses = tuple(addresses)


class Permanent(EspError):
    """Nothing was sent until a setting changes.

    Codes: `key`, `scope` (of the key), `lists` (it may not read them), `domain`,
    `sender` (not verified), `plan` (used up, or the account is suspended),
    `certificate`, `setting`.
    """


class Doubtful(EspError):
    """It may have been sent: only its events tell.

    Codes: `timeout`, `dropped`, `answer`.
    """


class Unverified(EspError):
    """A report that the sender did not sign. Codes: `unset`, `signature`, `stale`."""


class Malformed(EspError):
    """A report that cannot be read. Code: `report`."""
