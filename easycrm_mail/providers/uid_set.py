"""Sets of IMAP UIDs as short strings, for checkpoints.

A mailbox's UIDs come in runs; the string holds each run as its distance from the one
before and its length, in base 36: `{3, 4, 5, 9, 40}` is `3.3,4,v`. A hundred thousand
mails in one run take ten characters.
"""

from collections.abc import Iterable

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
# Beyond any UID (RFC 3501, 2.3.1.1: 32 bits), and any folder: no checkpoint of ours.
_MAX_UID = 2**32
_MAX_RUN = 10_000_000


def runs_of(uids: Iterable[int]) -> list[tuple[int, int]]:
    """The runs (first, last) of some UIDs, rising."""
    runs: list[tuple[int, int]] = []
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
        if not (0 < first <= before < _MAX_UID and before - first < _MAX_RUN):
            raise ValueError("not a set of UIDs")
        uids.update(range(first, before + 1))
    return uids


def sequence(uids: Iterable[int]) -> str:
    """Some UIDs as IMAP writes them: `3:5,9`."""
    return ",".join(
        str(first) if first == last else f"{first}:{last}"
        for first, last in runs_of(uids)
    )


def _base36(number: int) -> str:
    if number < 36:
        return _DIGITS[number]
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text
