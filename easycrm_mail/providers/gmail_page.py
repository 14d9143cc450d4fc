"""One page of what a Gmail stream has yet to hand over: mails in raw form, by a batch.

No mail holds up the others: what Gmail will not hand over is asked for again, then
alone, and then set aside. But no mail is to blame where Gmail gives no other either, or
says that it was asked too often.

Mails that are known to be large are fetched one by one, after a look at their size: a
batch of them would take gigabytes. An answer that is larger than expected is given up,
and its mails are asked for in halves.
"""

import random
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from .base import RemoteMessage, SetAside
from .errors import Gone, MailboxError, Retry
from .gmail_api import COST_GET, MAX_BATCH, GmailApi
from .gmail_checkpoint import Checkpoint
from .gmail_errors import status_of, translate
from .gmail_http import TooMuch
from .gmail_labels import UNREAD, holds
from .gmail_structure import decode, describe_attachments, head_of
from .imap_page import MAX_MAIL_BYTES, PAGE_BYTES, PAGE_SECONDS

# From here on a mail is fetched alone: fifty smaller ones fit into one answer.
LARGE_BYTES = 500_000
# Slept in one pull, at most; what takes longer is left to the caller.
MAX_SLEEP = 5.0
# How often a mail is asked for that Gmail does not give.
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
        wanted = (state.arrived or state.backlog)[:MAX_BATCH]
        wanted = self._affordable(state, wanted)
        listed = not state.arrived
        small = [ref for ref in wanted if ref not in state.large]
        if small:
            self._read(state, small)
        for ref in wanted:
            if ref in state.large:
                if self._bytes > PAGE_BYTES or time.monotonic() > self._deadline:
                    break
                if self._page.pause:
                    break
                self._read(state, [ref])
        order = {ref: number for number, ref in enumerate(wanted)}
        self._page.messages.sort(key=lambda one: order[one.ref])
        if listed:
            self._note_reached(state)
        if state.waits and not self._page.pause:
            ahead = len(state.arrived or state.backlog) or MAX_BATCH
            worth = COST_GET * min(ahead, MAX_BATCH)
            self._page.pause = self._api.budget.wait(worth)
        return self._page

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
                    wait = max(wait, failure.retry_after or 0)
                else:
                    raise failure
            refs = list(failed)
            if not refs or attempt == MAX_TRIES - 1:
                break
            if self._api.budget.left() < COST_GET * len(refs) or not self._sleep(wait):
                break
            wait = 2 * _FIRST_WAIT * (attempt + 1)
        if failed:
            self._give_up(state, failed, wait)

    def _give_up(
        self, state: Checkpoint, failed: dict[str, Exception], wait: float
    ) -> None:
        """Leaves for later what came up against a limit, and sets aside the rest."""
        limited = [ref for ref in failed if status_of(failed[ref]) in (403, 429)]
        blamed = [ref for ref in failed if ref not in limited]
        if blamed and not self._gives_others(state, blamed):
            raise translate(failed[blamed[0]])
        for ref in blamed:
            words = translate(failed[ref]).detail
            self._put_aside(state, ref, _REFUSED.format(words=words))
        if limited and not (self._page.messages or self._page.set_aside):
            raise translate(failed[limited[0]])
        if limited:
            self._page.pause = wait

    def _ask(self, state: Checkpoint, refs: Sequence[str]) -> dict:
        """Mail by mail what Gmail says, a dictionary or an exception."""
        if len(refs) == 1:
            try:
                return {refs[0]: read_one(self._api, refs[0], refs[0] in state.large)}
            except Exception as error:
                if not _is_about_mail(error):
                    raise
                return {refs[0]: error}
        try:
            return self._api.get_many(refs)
        except Exception as error:
            # An answer that cannot be taken apart, or held: one of them is the cause.
            if not _is_about_mail(error) or status_of(error):
                raise
            if not isinstance(error, TooMuch) and not self._gives_others(state, refs):
                raise
        middle = len(refs) // 2
        return {**self._ask(state, refs[:middle]), **self._ask(state, refs[middle:])}

    def _gives_others(self, state: Checkpoint, suspects: Collection[str]) -> bool:
        """Whether Gmail hands over any mail but the suspects.

        If not, it is Gmail that is out of order, and no mail is to blame.
        """
        if self._gives:
            return True
        others = {*state.arrived, *state.backlog}.difference(suspects)
        if not others:
            listed = self._api.list_ids("").get("messages", ())
            others = {str(one["id"]) for one in listed}.difference(suspects)
        # By chance: with the same ones each time it could be stuck at bad ones.
        for ref in random.sample(sorted(others), min(2, len(others))):
            try:
                self._gives = bool(self._api.get(ref, "minimal"))
            except Exception as error:
                if not _is_about_mail(error):
                    raise
            if self._gives:
                return True
        return False

    def _take(self, state: Checkpoint, ref: str, answer: dict) -> None:
        mail = remote_message(ref, answer)
        if not holds(self._stream, answer.get("labelIds") or ()):
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

    def _note_reached(self, state: Checkpoint) -> None:
        times = [one.received_at for one in self._page.messages if one.received_at]
        if times:
            oldest = int(min(times).timestamp())
            state.reached = min(state.reached or oldest, oldest)

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


def _is_about_mail(error: Exception) -> bool:
    """Whether a mail may be the cause, rather than the connection or the sign-in."""
    if isinstance(error, TooMuch) or status_of(error):
        return True
    failure: MailboxError = translate(error)
    return isinstance(failure, Retry) and failure.code == "answer"
