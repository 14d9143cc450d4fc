"""A mailbox of Microsoft 365 by Microsoft Graph v1.0.

Each folder is read by delta query, the mails themselves as MIME: Graph's own JSON is
not the mail. Ids are immutable ones, so that a move leaves a mail's name as it is.

========  ==========================================================================
listing   the delta query's first round: page by page, newest first, all mail of the
          folder; what is older than the window is passed over
settled   the deltaLink tells what came, changed or went; one call if nothing did
========  ==========================================================================

A token that Graph does not take any more begins the listing anew, a few times. The
checkpoint holds what of a page is still to be fetched: the same one gives the same
mail.
"""

import contextlib
import functools
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import BinaryIO, TypeVar
from urllib.parse import quote

from ..messages import LargeMail, UnreadableMessage
from .base import (
    MAX_FOUND,
    SKIM_MAILS,
    Batch,
    Found,
    Held,
    ReadChange,
    RemoteMessage,
    Skim,
    Stream,
)
from .budget import Budget
from .errors import Doubtful, Gone, Resync, Retry
from .graph_client import GRAPH_LIMIT, GraphClient, TooLarge, is_own
from .graph_errors import ServerAnswer, translate
from .outlook_checkpoint import Checkpoint
from .outlook_delta import EXPAND_SIZE, FIELDS, Delta, advance, entry_of
from .outlook_folders import folder_path, streams_of
from .outlook_held import held_since
from .outlook_page import PageReader, fetch, value_path
from .outlook_send import Sending, clear_drafts, find_sent
from .outlook_skim import skim
from .sending import Outgoing, SendLimits, Sent
from .sign_in import TokenSource

# All of one call, against a server that sends a byte now and then.
CALL_TIMEOUTS = 2
# Exchange takes 150 MB, and hardly anybody more.
MAX_DOWNLOAD_BYTES = 160_000_000
#: Listings in a row that may end because their token is refused.
MAX_RESTARTS = 2
_SPOOL_BYTES = 8_000_000
# What a mailbox has unless its administrator says otherwise:
# https://learn.microsoft.com/en-us/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits
OUTLOOK_LIMITS = SendLimits(message_bytes=36_700_160, recipients=500)

_Result = TypeVar("_Result")


def _guarded(method: Callable[..., _Result]) -> Callable[..., _Result]:
    """Bounds a call in time and turns whatever it raises into a `MailboxError`.

    A connection that broke while it lay idle between two calls is replaced, once:
    every call only reads, and may be made again.
    """

    @functools.wraps(method)
    def call(self: "OutlookProvider", *args, **kwargs) -> _Result:
        was_used, self._was_used = self._was_used, True
        self._client.forget_token()
        bound = functools.partial(method, self, *args, **kwargs)
        result, failure = self._read(bound, was_used)
        if failure:
            raise failure
        return result

    return call


class OutlookProvider:
    """One mailbox. See `base.Provider`.

    :param tokens: gives access tokens; see `MicrosoftSignIn`
    :param mailbox: the address of a shared mailbox; empty for one's own
    :param timeout: seconds to wait for any one answer; twice that for a whole call
    :param patience: seconds, from now on, for all calls together
    :param budget: what may still be asked of Graph; None for a mailbox that was not
        asked lately. It is far more than a sync needs, and only counted
    """

    limits = OUTLOOK_LIMITS
    leaves_drafts = True

    def __init__(
        self,
        tokens: TokenSource,
        mailbox: str = "",
        timeout: float = 30,
        patience: float = float("inf"),
        budget: Budget | None = None,
    ):
        self.budget = budget or Budget(**GRAPH_LIMIT)
        self._mailbox = mailbox
        self._timeout = timeout
        self._deadline = time.monotonic() + patience
        self._client = GraphClient(tokens, mailbox, timeout, self.budget)
        self._was_used = False

    def __repr__(self) -> str:
        return f"<OutlookProvider {self._mailbox or 'me'}>"

    @_guarded
    def check(self) -> None:
        """Looks at the inbox as a sync would."""
        self._ask_folder("inbox", "id")

    @_guarded
    def streams(self) -> list[Stream]:
        """The folders; inbox and sent mail are read by default."""
        return streams_of(self._client)

    @_guarded
    def aliases(self) -> list[str]:
        """The addresses that mail for the mailbox may bear, its main one too.

        None of a shared mailbox where the sign-in may read mail, but not the
        directory.
        """
        try:
            user = self._client.get("", **{"$select": "mail,proxyAddresses"})
        except ServerAnswer as answer:
            if self._mailbox and answer.status in (403, 404):
                return []
            raise
        found = [str(user.get("mail") or "")]
        for one in user.get("proxyAddresses") or ():
            kind, _colon, address = str(one).partition(":")
            if kind.lower() == "smtp":
                found.append(address)
        return list(dict.fromkeys(one.lower() for one in found if "@" in one))

    @_guarded
    def pull(self, stream: str, checkpoint: str, since: datetime) -> Batch:
        """The next page of a folder. An idle one costs one call."""
        state = Checkpoint.load(checkpoint)
        begins_anew = state is None or not is_own(state.link)
        if begins_anew:
            state = self._begin(stream)
        delta = Delta()
        if not state.backlog:
            try:
                delta = advance(self._client, stream, state, since)
            except ServerAnswer as answer:
                state = self._begin_again(stream, state, answer)
                begins_anew = True
                delta = self._advance_first(stream, state, since)
        page = PageReader(self._client, stream, state).read()
        done, total, settled = state.progress()
        return Batch(
            checkpoint=state.dump(),
            messages=page.messages,
            changes=[ReadChange(*one) for one in delta.read.items()],
            removals=sorted(delta.removed),
            set_aside=page.set_aside,
            reset=begins_anew and bool(checkpoint),
            settled=settled,
            more=not state.is_at_end,
            pause=page.pause,
            done=done,
            total=total,
        )

    @_guarded
    def held(self, stream: str, starts: Sequence[datetime], page: str = "") -> Held:
        """What a folder holds, page by page of a list that is narrowed by date."""
        try:
            return held_since(self._client, stream, starts, page)
        except ServerAnswer as answer:
            raise _of_folder(answer) from None

    @_guarded
    def skim(
        self,
        stream: str,
        since: datetime,
        until: datetime,
        position: str = "",
        size: int = SKIM_MAILS,
    ) -> Skim:
        """The next page of a look at a folder."""
        try:
            return skim(self._client, stream, since, until, position, size)
        except ServerAnswer as answer:
            raise _of_folder(answer) from None

    @_guarded
    def fetch(self, stream: str, ref: str) -> RemoteMessage:
        """The mail of a ref; of one that is too large the header."""
        return self._fetch(stream, ref)

    @_guarded
    def fetch_parts(
        self, stream: str, ref: str, parts: Sequence[str]
    ) -> dict[str, bytes]:
        """Attachments, out of the whole mail.

        Graph's own list of them is neither in the order of the mail nor complete: it
        has no invitations and no texts that are shown within the mail.
        """
        contents: dict[str, bytes] = {}
        with tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as file:
            self._download(ref, file)
            with contextlib.suppress(UnreadableMessage):
                mail = LargeMail(file)
                for part in parts:
                    with contextlib.suppress(UnreadableMessage):
                        contents[part] = mail.extract_part(part)
        return contents

    @_guarded
    def download(self, stream: str, ref: str, file: BinaryIO) -> None:
        """The mail of a ref, in pieces."""
        self._download(ref, file)

    @_guarded
    def find(self, *, message_id: str = "", address: str = "") -> list[Found]:
        """One search over all folders, also those that are never read."""
        words = {"$search": f'"participants:{address}"'}
        if message_id:
            escaped = message_id.replace("'", "''")
            words = {"$filter": f"internetMessageId eq '{escaped}'"}
        fields = {"$select": "id,parentFolderId", "$top": str(MAX_FOUND)}
        answer = self._client.get("/messages", **words, **fields)
        return [
            Found(str(one.get("parentFolderId") or ""), str(one["id"]))
            for one in answer.get("value") or ()
            if one.get("id")
        ]

    def send(self, mail: Outgoing) -> Sent:
        """Sends a draft that it makes; Exchange puts it among the sent mail itself.

        What is in doubt is looked at, once.
        """
        sending = Sending(self._client, mail, self.limits)
        # One that has lain idle might be broken, and nobody would know what arrived.
        self._client.close()
        self._client.forget_token()
        _none, failure = self._attempt(self._end(), sending.hand_over)
        if failure and sending.is_said:
            is_out, _failure = self._read(sending.is_gone_out)
            if not is_out:
                raise Doubtful(failure.code, failure.detail)
        elif failure:
            self._read(sending.clear)
            raise failure
        found, failure = self._read(sending.find_copy)
        result = sending.result(failure)
        if not found:
            return result
        fetch_copy = functools.partial(self._fetch, found.stream, found.ref)
        copy, failure = self._read(fetch_copy)
        if failure or copy.headers_only:
            return replace(result, stream=found.stream, ref=found.ref)
        return replace(result, stream=found.stream, ref=found.ref, raw=copy.raw)

    @_guarded
    def sent(self, message_id: str) -> list[Found]:
        """Asks for what bears the Message-ID and is no draft any more."""
        return find_sent(self._client, message_id)

    @_guarded
    def clear(self, message_id: str, before: datetime) -> None:
        """Takes away the drafts under a Message-ID of ours, never what has gone out.

        :param before: what was changed later stays
        """
        clear_drafts(self._client, message_id, before)

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()

    def _read(self, call: Callable, may_repeat: bool = True) -> tuple:
        """What a call gives that may be made twice, or the error to raise.

        :param may_repeat: the connection may have broken before
        """
        end = self._end()
        result, failure = self._attempt(end, call)
        if may_repeat and failure and failure.code == "dropped":
            result, failure = self._attempt(end, call)
        return result, failure

    def _attempt(self, end: float, call: Callable) -> tuple:
        """What a call gives, or the error to raise, once nothing is being handled.

        Raised within the handler, it would have the original as its context, and in
        the frames of that stands the token.
        """
        try:
            with self._client.session.bounded(end - time.monotonic()):
                result = call()
            return result, None
        except Exception as error:  # noqa: BLE001
            failure = translate(error, self._client.secrets)
        failure.__cause__ = failure.__context__ = None
        return None, failure.with_traceback(None)

    def _end(self) -> float:
        """When a call is to end that begins now."""
        return min(time.monotonic() + self._timeout * CALL_TIMEOUTS, self._deadline)

    def _fetch(self, stream: str, ref: str) -> RemoteMessage:
        address = f"{folder_path(stream)}/messages/{quote(ref, safe='')}"
        try:
            item = self._client.get(
                address, **{"$select": FIELDS, "$expand": EXPAND_SIZE}
            )
        except ServerAnswer as answer:
            raise _of_mail(answer) from None
        message = fetch(self._client, entry_of(ref, item))
        if not message.raw:
            raise Retry("answer", "the server gave an empty email")
        return message

    def _ask_folder(self, stream: str, fields: str) -> dict:
        try:
            return self._client.get(folder_path(stream), **{"$select": fields})
        except ServerAnswer as answer:
            raise _of_folder(answer) from None

    def _begin(self, stream: str) -> Checkpoint:
        total = self._ask_folder(stream, "totalItemCount").get("totalItemCount")
        return Checkpoint(total=total if isinstance(total, int) else 0)

    def _begin_again(
        self, stream: str, state: Checkpoint, answer: ServerAnswer
    ) -> Checkpoint:
        """A listing anew, where that is what the answer to a delta query calls for."""
        # Of a link that Graph has given, nothing but its token can be bad.
        is_void = answer.is_void or (bool(state.link) and answer.status == 400)
        if not is_void:
            raise _of_folder(answer) from None
        if state.restarts >= MAX_RESTARTS:
            raise Resync("checkpoint", translate(answer).detail) from None
        new = self._begin(stream)
        new.restarts = state.restarts + 1
        return new

    def _advance_first(self, stream: str, state: Checkpoint, since: datetime) -> Delta:
        try:
            return advance(self._client, stream, state, since)
        except ServerAnswer as answer:
            raise _of_folder(answer) from None

    def _download(self, ref: str, file: BinaryIO) -> None:
        # (it may be the second attempt)
        file.seek(0)
        file.truncate()
        try:
            file.writelines(self._client.stream(value_path(ref), MAX_DOWNLOAD_BYTES))
        except ServerAnswer as answer:
            raise _of_mail(answer) from None
        except TooLarge:
            raise Retry("answer", "the email is larger than any may be") from None


def _of_folder(answer: ServerAnswer) -> Exception:
    if answer.is_gone and not answer.is_void:
        return Gone("folder", translate(answer).detail)
    return answer


def _of_mail(answer: ServerAnswer) -> Exception:
    # A ref that Graph cannot even read is that of no mail.
    if answer.is_gone or answer.code == "errorinvalididmalformed":
        return Gone("mail", translate(answer).detail)
    return answer
