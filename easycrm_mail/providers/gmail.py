"""A mailbox by the Gmail API.

A stream goes through two states, kept in its checkpoint:

========  ==========================================================================
listing   the mails of the window are listed, newest first, 500 ids at a time, and
          handed over page by page
settled   one call of history.list tells whether anything changed
========  ==========================================================================

In both, each pull asks for the history first: what arrives meanwhile goes before the
rest. The historyId is taken before the listing begins, so nothing falls between them. A
historyId that Gmail has forgotten, or a checkpoint that is not ours, begins the listing
anew (https://developers.google.com/workspace/gmail/api/guides/sync).
"""

import functools
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import BinaryIO, TypeVar

from .base import (
    MAX_FOUND,
    SKIM_MAILS,
    Batch,
    Found,
    Held,
    RemoteMessage,
    Skim,
    Stream,
)
from .budget import Budget
from .errors import Doubtful, Gone, MailboxError, Resync, Retry
from .gmail_api import GmailApi, is_ref, refs_of
from .gmail_checkpoint import Checkpoint
from .gmail_download import RawDecoder
from .gmail_errors import status_of, translate
from .gmail_held import held_since
from .gmail_history import Changes, changes_since
from .gmail_http import MailboxHttp
from .gmail_labels import ALL, holds, label_of, query_of, streams_of
from .gmail_page import LARGE_BYTES, PageReader, describe, read_one, remote_message
from .gmail_send import copy_of, find_sent, hand_over, unseen
from .gmail_skim import skim
from .gmail_structure import attachments_of, decode
from .google_guard import guard
from .sending import Outgoing, SendLimits, Sent, written
from .sign_in import TokenSource

# All of one call, against a server that sends a byte now and then.
CALL_TIMEOUTS = 2
# Dates of mails need not be in the order in which Gmail lists them.
_SLACK_SECONDS = 86_400
# messages.send takes that many bytes (its description says so), and that many people:
# https://support.google.com/a/answer/166852
GMAIL_LIMITS = SendLimits(message_bytes=36_700_160, recipients=500)

_Result = TypeVar("_Result")


def _guarded(method: Callable[..., _Result]) -> Callable[..., _Result]:
    """Bounds a call in time and turns whatever it raises into a `MailboxError`."""

    @functools.wraps(method)
    def call(self: "GmailProvider", *args, **kwargs) -> _Result:
        bound = functools.partial(method, self, *args, **kwargs)
        api = self._api
        try:
            return guard(bound, api.http, self._time_left(), api.credentials.secrets)
        except Gone:
            raise
        except MailboxError:
            api.close()
            raise

    return call


class GmailProvider:
    """One mailbox. See `base.Provider`.

    :param email: whose mailbox it is
    :param tokens: gives access tokens; asked once more where one is refused
    :param timeout: seconds to wait for any one answer; twice that for a whole call
    :param patience: seconds, from now on, for all calls together
    :param budget: what may still be asked of Gmail; None for a mailbox that was not
        asked lately
    """

    limits = GMAIL_LIMITS
    leaves_drafts = False

    def __init__(
        self,
        email: str,
        tokens: TokenSource,
        timeout: float = 30,
        patience: float = float("inf"),
        budget: Budget | None = None,
    ):
        self._email = email
        self._timeout = timeout
        self._deadline = time.monotonic() + patience
        self.budget = budget or Budget()
        self._api = GmailApi(tokens, MailboxHttp(timeout), self.budget)

    def __repr__(self) -> str:
        return f"<GmailProvider {self._email}>"

    @_guarded
    def check(self) -> None:
        """Reads the mailbox's profile, and lists a page as a sync would."""
        self._api.profile()
        self._api.list_ids("")

    @_guarded
    def streams(self) -> list[Stream]:
        """The whole mailbox, read by default; inbox, sent mail and labels to choose."""
        return streams_of(self._api.labels())

    @_guarded
    def aliases(self) -> list[str]:
        """The addresses to send as, the main one too: those that are verified."""
        return [
            str(one["sendAsEmail"])
            for one in self._api.send_as()
            if one.get("verificationStatus") == "accepted" or one.get("isPrimary")
            if one.get("sendAsEmail")
        ]

    @_guarded
    def pull(self, stream: str, checkpoint: str, since: datetime) -> Batch:
        """The next page of a stream. An idle one costs one call of history.list."""
        state = Checkpoint.load(checkpoint)
        changes = self._changes(stream, state)
        begins_anew = state is None or changes is None
        if begins_anew:
            # Asked before the listing: what comes meanwhile is in the history.
            state = Checkpoint(str(int(self._api.profile()["historyId"])), listing=True)
            changes = Changes(state.history)
            self._list(stream, state, since)
        else:
            state.history = changes.history
            state.drop(changes.removed)
            state.add(changes.arrived)
            if len(changes.arrived) > 1:
                self._note_large(stream, state, changes.arrived, since)
            if state.page and not state.arrived and not state.backlog:
                self._list(stream, state, since)
        page = PageReader(self._api, stream, since).read(state)
        more = state.waits or changes.more
        done, total, settled = state.progress()
        return Batch(
            checkpoint=state.dump(),
            messages=page.messages,
            changes=changes.read,
            removals=list(dict.fromkeys([*changes.removed, *page.removed])),
            set_aside=page.set_aside,
            reset=begins_anew and bool(checkpoint),
            settled=settled,
            more=more,
            pause=page.pause if more else 0,
            done=done,
            total=total,
        )

    @_guarded
    def held(self, stream: str, starts: Sequence[datetime], page: str = "") -> Held:
        """What a stream holds, span by span, 500 ids a call."""
        return held_since(self._api, stream, starts, page)

    @_guarded
    def skim(
        self,
        stream: str,
        since: datetime,
        until: datetime,
        position: str = "",
        size: int = SKIM_MAILS,
    ) -> Skim:
        """The next page of a look at a stream."""
        return skim(self._api, stream, since, until, position, size)

    @_guarded
    def fetch(self, stream: str, ref: str) -> RemoteMessage:
        """The mail of a ref; of one that is too large the header."""
        answer = self._found(ref, lambda: read_one(self._api, ref))
        if not holds(stream, answer.get("labelIds") or ()):
            raise Gone("mail", "it is not in there any more")
        mail = remote_message(ref, answer)
        if mail is None:
            raise Retry("answer", "the email cannot be decoded")
        return mail

    @_guarded
    def fetch_parts(
        self, stream: str, ref: str, parts: Sequence[str]
    ) -> dict[str, bytes]:
        """Attachments, each by its place among those that Gmail tells of."""
        payload = self._found(ref, lambda: describe(self._api, ref)).get("payload")
        contents: dict[str, bytes] = {}
        for number, leaf in enumerate(attachments_of(payload or {})):
            if str(number) not in parts:
                continue
            data = leaf.data
            if leaf.attachment_id:
                data = self._api.attachment(ref, leaf.attachment_id).get("data", "")
            content = decode(data) if data or not leaf.size else None
            if content is not None:
                contents[str(number)] = content
        return contents

    @_guarded
    def download(self, stream: str, ref: str, file: BinaryIO) -> None:
        """The mail of a ref, decoded as it comes in."""
        file.seek(0)
        file.truncate()
        decoder = RawDecoder(file)
        self._found(ref, lambda: self._api.stream(ref, decoder.feed))
        decoder.finish()

    @_guarded
    def find(self, *, message_id: str = "", address: str = "") -> list[Found]:
        """One search over all mail."""
        words = f"{{from:{address} to:{address} cc:{address} bcc:{address}}}"
        if message_id:
            words = f"rfc822msgid:{message_id.strip('<>')}"
        query = " ".join([query_of(datetime.fromtimestamp(0, timezone.utc)), words])
        refs = refs_of(self._api.list_ids(query).get("messages") or [])
        return [Found(ALL, ref) for ref in refs[:MAX_FOUND]]

    def send(self, mail: Outgoing) -> Sent:
        """Sends by messages.send; Gmail puts the copy among the sent mail itself."""
        raw = written(mail.draft, self.limits, bcc=True)
        try:
            answer, doubt = self._hand_over(raw, mail.thread_ref), None
        except MailboxError as error:
            if not self._api.http.is_open:
                raise
            doubt = Doubtful(error.code, error.detail)
        if doubt:
            raise doubt
        try:
            return self._copy_of(mail, raw, answer)
        except MailboxError as error:
            # It has gone out all the same.
            return unseen(mail, raw, answer, error)

    @_guarded
    def sent(self, message_id: str) -> list[Found]:
        """Looks through the sent mail, also for what Gmail has renamed."""
        return find_sent(self._api, message_id)

    @_guarded
    def _hand_over(self, raw: bytes, thread: str) -> dict:
        self._api.http.is_open = False
        return hand_over(self._api, raw, thread)

    @_guarded
    def _copy_of(self, mail: Outgoing, raw: bytes, answer: dict) -> Sent:
        return copy_of(self._api, mail, self.limits, raw, answer)

    def close(self) -> None:
        """Ends the connection."""
        self._api.close()

    def _changes(self, stream: str, state: Checkpoint | None) -> Changes | None:
        """What happened since a checkpoint; None where Gmail cannot tell any more."""
        if state is None:
            return None
        try:
            return changes_since(self._api, stream, state.history)
        except Exception as error:
            if status_of(error) == 404:
                return None
            raise

    def _list(self, stream: str, state: Checkpoint, since: datetime) -> None:
        """Puts the next page of the listing into the backlog."""
        query, label = query_of(since), label_of(stream)
        try:
            answer = self._list_page(
                lambda page: self._api.list_ids(query, label, page), state
            )
        except Exception as error:
            if label and status_of(error) == 400:
                raise Gone("folder", "there is no such label any more") from None
            raise
        state.backlog = refs_of(answer.get("messages", ()))
        state.page = str(answer.get("nextPageToken") or "")
        listed = state.done + len(state.backlog)
        guess = answer.get("resultSizeEstimate") or 0
        state.total = max(state.total, listed, guess if state.page else 0)
        if len(state.backlog) > 1:
            self._note_large(stream, state, state.backlog, since)

    @staticmethod
    def _list_page(ask: Callable[[str], dict], state: Checkpoint) -> dict:
        """The next page of the listing; the first where the page's token is refused:
        mails that are here already are recognised."""
        try:
            answer = ask(state.page)
        except Exception as error:
            if status_of(error) != 400 or not state.page:
                raise
        else:
            if state.page and answer.get("nextPageToken") == state.page:
                raise Resync("checkpoint", "the list does not go on")
            return answer
        state.done = state.reached = 0
        return ask("")

    def _note_large(
        self, stream: str, state: Checkpoint, refs: Sequence[str], since: datetime
    ) -> None:
        """Notes which of some mails are large: one call tells of the newest 500."""
        narrowed = [f"larger:{LARGE_BYTES}"]
        if state.reached and refs is state.backlog:
            narrowed.append(f"before:{state.reached + _SLACK_SECONDS}")
        answer = self._api.list_ids(query_of(since, *narrowed), label_of(stream))
        large = refs_of(answer.get("messages", ()))
        state.large |= set(refs).intersection(large)

    @staticmethod
    def _found(ref: str, ask: Callable):
        """What was asked for, `Gone` where the ref is none."""
        if not is_ref(ref):
            raise Gone("mail", "not the reference of a mail")
        try:
            return ask()
        except Exception as error:
            if status_of(error) == 400 and isinstance(translate(error), Retry):
                raise Gone("mail", "not the reference of a mail") from None
            raise

    def _time_left(self) -> float:
        """Seconds that one call may take that begins now."""
        return min(self._timeout * CALL_TIMEOUTS, self._deadline - time.monotonic())
