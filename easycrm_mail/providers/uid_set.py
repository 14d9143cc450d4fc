"""Sets of IMAP UIDs as short strings, for checkpoints.

A mailbox's UIDs come in runs; the string holds each run as its distance from the one
before and its length, in base 36: `{3, 4, 5, 9, 40}` is `3.3,4,v`. A hundred thousand
mails in one run take ten characters.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
# Beyond any UID (RFC 3501, 2.3.1.1: 32 bits), and any folder: no checkpoint of ours.
MAX_UID = 2**32
_MAX_RUN = 10_000_000
# A folder holds no more, whatever its server says; each takes some 70 bytes.
MAX_UIDS = 5_000_000

# (first, last), as servers tell them: maybe far more than there are mails.
Runs = list[tuple[int, int]]


def runs_of(uids: Iterable[int]) -> Runs:
    """The runs of some UIDs, rising."""
    runs: Runs = []
    first = last = None
    for uid in sorted(uids):
        if last is not None and uid <= last + 1:
            last = uid
            continue
        if last is not None:
            runs.append((first, last))
        first = last = uid
    if last is not None:
        runs.append((first, last))
    return runs


def pack(uids: Iterable[int]) -> str:
    """The string of some UIDs."""
    words = []
    before = 0
    for first, last in runs_of(uids):
        word = _base36(first - before)
        words.append(word if first == last else f"{word}.{_base36(last - first + 1)}")
        before = last
    return ",".join(words)


def unpack(text: str) -> set[int]:
    """The UIDs of a string. `ValueError` where it is none."""
    uids: set[int] = set()
    before = 0
    for word in text.split(",") if text else ():
        distance, _dot, length = word.partition(".")
        first = before + int(distance, 36)
        before = first + (int(length, 36) if length else 1) - 1
        if not (0 < first <= before < MAX_UID and before - first < _MAX_RUN):
            raise ValueError("not a set of UIDs")
        uids.update(range(first, before + 1))
    return uids


def sequence(uids: Iterable[int]) -> str:
    """Some UIDs as IMAP writes them: `3:5,9`."""
    return ",".join(
        str(first) if first == last else f"{first}:{last}"
        for first, last in runs_of(uids)
    )


def parse_sequence(text: str) -> Runs:
    """The runs of `3:5,9`. `ValueError` where it is no such thing."""
    runs: Runs = []
    for word in text.split(",") if text else ():
        first, _colon, last = word.partition(":")
        ends = int(first), int(last or first)
        runs.append((min(ends), max(ends)))
    return runs


def within(uids: Iterable[int], runs: Runs) -> set[int]:
    """Those of some UIDs that stand in any of the runs."""
    rising = sorted(uids) if runs else []
    found: set[int] = set()
    for first, last in runs:
        found.update(rising[bisect_left(rising, first) : bisect_right(rising, last)])
    return found


def count(runs: Runs, last: int) -> int:
    """How many UIDs up to the last one they name."""
    return sum(max(min(end, last) - start + 1, 0) for start, end in runs)


def expand(runs: Runs, first: int, last: int) -> set[int]:
    """The UIDs of runs between two. `ValueError` for more than a folder can hold."""
    uids: set[int] = set()
    told = 0
    for start, end in runs:
        start, end = max(start, first), min(end, last)
        told += max(end - start + 1, 0)
        if told > MAX_UIDS:
            raise ValueError("more UIDs than a folder holds")
        uids.update(range(start, end + 1))
    return uids


def _base36(number: int) -> str:
    if number < 36:
        return _DIGITS[number]
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text
