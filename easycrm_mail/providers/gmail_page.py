"""One page of what a Gmail stream has yet to hand over: mails in raw form, by a batch.

No mail holds up the others: what Gmail will not hand over is asked for again, then
alone, and then set aside. But no mail is to blame where Gmail gives no other either, or
says that it was asked too often.

What does not come in time is left for the end, asked for alone and with more patience,
and set aside at last.

Mails that are known to be large are fetched one by one, after a look at their size: a
batch of them would take gigabytes. An answer that is larger than expected is given up,
and its mails are asked for in halves.
"""

import random
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone

from .base import RemoteMessage, SetAside
from .errors import Gone, MailboxError, Retry
from .gmail_api import COST_GET, MAX_BATCH, GmailApi, refs_of
from .gmail_checkpoint import Checkpoint
from .gmail_errors import status_of, translate
from .gmail_http import TooMuch
from .gmail_labels import UNREAD, holds
from .gmail_structure import decode, describe_attachments, head_of
from .imap_page import (
    LONG_PATIENCE,
    MAX_MAIL_BYTES,
    PAGE_BYTES,
    PAGE_SECONDS,
    PROBE_PATIENCE,
    SLOW,
)

# From here on a mail is fetched alone: fifty smaller ones fit into one answer.
LARGE_BYTES = 500_000
# Slept in one pull, at most; what takes longer is left to the caller.
MAX_SLEEP = 5.0
# How often a mail is asked for that Gmail does not give, or not in time.
MAX_TRIES = 3
_FIRST_WAIT = 0.5
# What JSON and base64 make of a mail.
_JSON_BYTES = 100_000

_UNREADABLE = "Gmail gives the email in a form that cannot be decoded."
_REFUSED = "Gmail lists the email but does not give it: {words}"


@dataclass
class Page:
    """What was read.

    :ivar pause: seconds that Gmail wants to be left alone
    """

    messages: list[RemoteMessage] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    pause: float = 0


class _Enough(Exception):
    """The page ends here; what is left of it stays in the checkpoint."""


class PageReader:
    """Reads one page.

    :param since: mail that the mailbox got before it is passed over
    """

    def __init__(self, api: GmailApi, stream: str, since: datetime):
        self._api = api
        self._stream = stream
        self._since = since
        self._deadline = time.monotonic() + PAGE_SECONDS
        self._slept = 0.0
        self._bytes = 0
        self._gives = False
        self._page = Page()

    def read(self, state: Checkpoint) -> Page:
        """The first mails of what is to be fetched, arrivals before what was listed."""
        wanted = self._affordable(state, state.next[:MAX_BATCH])
        listed = set(state.backlog)
        with suppress(_Enough):
            self._read_all(state, wanted)
        order = {ref: number for number, ref in enumerate(wanted)}
        self._page.messages.sort(key=lambda one: order[one.ref])
        self._note_reached(state, listed)
        if state.waits and not self._page.pause:
            ahead = len(state.arrived or state.backlog) or MAX_BATCH
            worth = COST_GET * min(ahead, MAX_BATCH)
            self._page.pause = self._api.budget.wait(worth)
        return self._page

    def _read_all(self, state: Checkpoint, wanted: Sequence[str]) -> None:
        alone = [ref for ref in wanted if ref in state.large or ref in state.slow]
        if together := [ref for ref in wanted if ref not in alone]:
            self._read(state, together)
        for ref in alone:
            if self._bytes > PAGE_BYTES or time.monotonic() > self._deadline:
                break
            if self._page.pause:
                break
            if ref in state.slow:
                # Afterwards there may be no time left to see.
                self._gives_others(state, [ref])
            self._read(state, [ref])

    def _affordable(self, state: Checkpoint, wanted: Sequence[str]) -> list[str]:
        """As many of them as the mailbox's budget is enough for."""
        if not wanted:
            return []
        budget = self._api.budget
        if budget.left() < COST_GET * 2:
            wait = budget.wait(COST_GET * len(wanted))
            if not self._sleep(wait):
                self._page.pause = wait
                return []
        left = budget.left()
        taken = []
        for ref in wanted:
            left -= COST_GET * (2 if ref in state.large else 1)
            if left < 0 and taken:
                break
            taken.append(ref)
        return taken

    def _read(self, state: Checkpoint, refs: Sequence[str]) -> None:
        """Takes mails, asking again for those that Gmail does not give at once."""
        failed: dict[str, Exception] = {}
        refused: dict[str, Exception] = {}
        wait = _FIRST_WAIT
        for attempt in range(MAX_TRIES):
            failed = {}
            for ref, answer in self._ask(state, refs).items():
                if isinstance(answer, dict):
                    self._gives = True
                    self._take(state, ref, answer)
                    continue
                failure = translate(answer)
                if isinstance(failure, Gone):
                    self._pass_over(state, ref)
                    self._page.removed.append(ref)
                elif isinstance(failure, Retry):
                    failed[ref] = answer
                    if _is_limit(answer):
                        wait = max(wait, failure.retry_after or 0)
                elif failure.code == "forbidden":
                    refused[ref] = answer  # asking again is of no use
                else:
                    raise failure
            refs = list(failed)
            if not refs:
                break
            if attempt == MAX_TRIES - 1:
                refused |= {r: e for r, e in failed.items() if not _is_limit(e)}
                break
            if self._api.budget.left() < COST_GET * len(refs) or not self._sleep(wait):
                break
            wait = 2 * _FIRST_WAIT * (attempt + 1)
        self._give_up(state, refused)
        late = {ref: failed[ref] for ref in failed if ref not in refused}
        if late:
            self._put_off(late, wait)

    def _give_up(self, state: Checkpoint, refused: dict[str, Exception]) -> None:
        """Sets aside what Gmail does not give, if it gives anything else."""
        if refused and not self._gives_others(state, refused):
            raise translate(next(iter(refused.values())))
        for ref, error in refused.items():
            words = translate(error).detail
            self._put_aside(state, ref, _REFUSED.format(words=words))

    def _put_off(self, late: dict[str, Exception], wait: float) -> None:
        """Leaves for later what came up against a limit, Gmail's or our own."""
        limited = [error for error in late.values() if _is_limit(error)]
        if limited and not (self._page.messages or self._page.set_aside):
            raise translate(limited[0])
        # Enough to ask as often as it takes to blame a mail.
        units = COST_GET * MAX_TRIES * len(late)
        self._page.pause = max(wait, self._api.budget.wait(units))

    def _ask(self, state: Checkpoint, refs: Sequence[str]) -> dict:
        """Mail by mail what Gmail says, a dictionary or an exception."""
        ref = refs[0]
        try:
            with self._patient(LONG_PATIENCE if ref in state.slow else 1):
                if len(refs) == 1:
                    return {ref: read_one(self._api, ref, ref in state.large)}
                return self._api.get_many(refs)
        except Exception as error:
            if _is_late(error):
                self._count_late(state, refs, error)
            if len(refs) == 1:
                if not _is_about_mail(error):
                    raise
                return {ref: error}
            # An answer that cannot be taken apart, or held: one of them is the cause.
            if not _is_about_mail(error) or status_of(error):
                raise
            if not isinstance(error, TooMuch) and not self._gives_others(state, refs):
                raise
        middle = len(refs) // 2
        return {**self._ask(state, refs[:middle]), **self._ask(state, refs[middle:])}

    def _count_late(
        self, state: Checkpoint, refs: Sequence[str], error: Exception
    ) -> None:
        """Leaves mails for the end that did not come in time, or sets them aside."""
        suspects = refs if len(refs) == 1 else ()
        if not self._gives_others(state, suspects):
            raise error
        for ref in refs:
            state.slow[ref] = tries = state.slow.get(ref, 0) + 1
            if tries >= MAX_TRIES:
                self._put_aside(state, ref, SLOW.format(tries=tries))
        raise _Enough

    def _gives_others(self, state: Checkpoint, suspects: Collection[str]) -> bool:
        """Whether Gmail hands over any mail but the suspects.

        If not, it is Gmail that is out of order, and no mail is to blame.
        """
        if self._gives:
            return True
        doubtful = state.slow.keys() | set(suspects)
        others = {*state.arrived, *state.backlog} - doubtful
        if not others:
            listed = self._api.list_ids("").get("messages", ())
            others = set(refs_of(listed)) - doubtful
        others = others or doubtful.difference(suspects)
        # By chance: with the same ones each time it could be stuck at bad ones.
        for ref in random.sample(sorted(others), min(2, len(others))):
            try:
                with self._patient(PROBE_PATIENCE):
                    self._gives = bool(self._api.get(ref, "raw", LARGE_BYTES))
            except TooMuch:
                self._gives = True
            except Exception as error:
                if not _is_about_mail(error) and not _is_late(error):
                    raise
            if self._gives:
                return True
        return False

    def _take(self, state: Checkpoint, ref: str, answer: dict) -> None:
        try:
            mail = remote_message(ref, answer)
            is_held = holds(self._stream, answer.get("labelIds") or ())
        except (AttributeError, OverflowError, TypeError, ValueError):
            # One that makes no sense keeps no other out.
            mail, is_held = None, True
        if not is_held:
            # It came and went, or never was one of the stream's.
            self._pass_over(state, ref)
            self._page.removed.append(ref)
        elif mail is None:
            self._put_aside(state, ref, _UNREADABLE)
        else:
            self._pass_over(state, ref)
            if mail.received_at is None or mail.received_at >= self._since:
                self._bytes += len(mail.raw)
                self._page.messages.append(mail)

    def _put_aside(self, state: Checkpoint, ref: str, words: str) -> None:
        self._pass_over(state, ref)
        self._page.set_aside.append(SetAside(ref, words))

    @staticmethod
    def _pass_over(state: Checkpoint, ref: str) -> None:
        state.drop([ref])

    def _note_reached(self, state: Checkpoint, listed: Collection[str]) -> None:
        found = [one for one in self._page.messages if one.ref in listed]
        times = [one.received_at for one in found if one.received_at]
        if times:
            oldest = int(min(times).timestamp())
            state.reached = min(state.reached or oldest, oldest)

    def _patient(self, patience: float):
        """:param patience: the share of the time-out that what is asked for may take"""
        http = self._api.http
        return http.bounded(http.timeout * patience)

    def _sleep(self, seconds: float) -> bool:
        """Sleeps, if that is short enough."""
        if self._slept + seconds > MAX_SLEEP:
            return False
        if time.monotonic() + seconds > self._deadline:
            return False
        self._slept += seconds
        time.sleep(seconds)
        return True


def read_one(api: GmailApi, ref: str, is_large: bool = False) -> dict:
    """One mail: in raw form, or where it is too large for that in parsed form.

    :param is_large: its size is looked at before its bytes are asked for
    """
    described = None
    if is_large:
        described = describe(api, ref)
        if int(described.get("sizeEstimate") or 0) > MAX_MAIL_BYTES:
            return described
    try:
        return api.get(ref, "raw", MAX_MAIL_BYTES * 4 // 3 + _JSON_BYTES)
    except TooMuch:
        return described or describe(api, ref)


def describe(api: GmailApi, ref: str) -> dict:
    """The header of a mail and what it consists of."""
    try:
        return api.get(ref, "full")
    except TooMuch:
        # Its text is as large as that: it is handed over without a list of its parts.
        return api.get(ref, "metadata")


def remote_message(ref: str, answer: dict) -> RemoteMessage | None:
    """A mail as it is handed over, or None where its bytes cannot be decoded."""
    payload = answer.get("payload")
    is_whole = "raw" in answer
    if is_whole:
        raw = decode(answer["raw"])
    else:
        raw = head_of(payload) if isinstance(payload, dict) else None
    if not raw:
        return None
    return RemoteMessage(
        ref=ref,
        raw=raw,
        is_read=UNREAD not in (answer.get("labelIds") or ()),
        received_at=moment(answer.get("internalDate")),
        thread_ref=str(answer.get("threadId") or ""),
        headers_only=not is_whole,
        size=0 if is_whole else int(answer.get("sizeEstimate") or 0),
        attachments=() if is_whole else describe_attachments(payload),
    )


def moment(milliseconds: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(milliseconds) / 1000, timezone.utc)
    except (OSError, OverflowError, TypeError, ValueError):
        return None


def _is_limit(error: Exception) -> bool:
    """Whether Gmail was asked too often."""
    return status_of(error) in (403, 429) and isinstance(translate(error), Retry)


def _is_late(error: Exception) -> bool:
    """Whether there was no answer in time."""
    failure = translate(error)
    return failure.code == "timeout" and not status_of(error)


def _is_about_mail(error: Exception) -> bool:
    """Whether a mail may be the cause, rather than the connection or the sign-in."""
    if isinstance(error, TooMuch) or status_of(error):
        return True
    failure: MailboxError = translate(error)
    return isinstance(failure, Retry) and failure.code == "answer"
