"""A mailbox by IMAP: RFC 3501, and QRESYNC, CONDSTORE (RFC 7162) and ESEARCH (RFC 4731)
where the server has them.

A folder goes through two states, kept in its checkpoint:

========  ==========================================================================
listing   the mails of the window are found by one search, then handed over page by
          page, newest first; mail that arrives meanwhile goes before the rest
settled   one STATUS tells whether anything changed; then new mail by UID, flags and
          removals are found (see `imap_changes.sweep`)
========  ==========================================================================

Another UIDVALIDITY, or a checkpoint that is not ours, begins the listing anew. Pages
are chosen by UID, which a removal does not shift: the same checkpoint gives the same
page.
"""

import functools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
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
from .errors import Gone, MailboxError, Permanent, Retry
from .imap_changes import add_arrivals, begin, is_unchanged, is_void, sweep
from .imap_checkpoint import Checkpoint
from .imap_connection import Connection
from .imap_errors import TokenError, translate
from .imap_folders import streams_of
from .imap_held import held_since
from .imap_page import MAX_MAIL_BYTES, PageReader, read_head, remote_message
from .imap_sent import Copy, find_sent, keep_copy
from .imap_settings import check_settings, secrets_of
from .imap_skim import skim
from .imap_structure import attachments_of, decode_pieces
from .sending import Outgoing, SendLimits, Sent, SmtpSettings, written
from .sign_in import TokenSource
from .smtp_send import send_by_smtp
from .xoauth import secrets_of as secrets_of_tokens

# All of one call, against a server that sends a byte now and then.
CALL_TIMEOUTS = 2
# Of one mail: Exchange takes 150 MB, and hardly anybody more.
MAX_PIECES_BYTES = 160_000_000
# What is taken where the server does not tell another size: with less, 24 MB of files
# would not go. A hundred recipients are what every server takes (RFC 5321, 4.5.3.1.8).
SMTP_LIMITS = SendLimits(message_bytes=36_700_160, recipients=100)

_Result = TypeVar("_Result")


def _guarded(method: Callable[..., _Result]) -> Callable[..., _Result]:
    """Bounds a call in time and turns whatever it raises into a `MailboxError`.

    After any error but a plain "not there" the connection is given up, as nobody knows
    what is still to come on it. One that broke while it lay idle between two calls is
    replaced, once: every call only reads, and may be made again.
    """

    @functools.wraps(method)
    def call(self: "ImapProvider", *args, **kwargs) -> _Result:
        self._is_expired = False
        timer = threading.Timer(self._time_left(), self._expire)
        timer.daemon = True
        timer.start()
        try:
            was_open = self._connection is not None
            result, failure = self._attempt(method, *args, **kwargs)
            if was_open and failure and failure.code == "dropped":
                result, failure = self._attempt(method, *args, **kwargs)
        finally:
            timer.cancel()
        if failure:
            raise failure
        return result

    return call


class ImapProvider:
    """One mailbox, signed in when first needed. See `base.Provider`.

    :param security: `ssl` (TLS from the first byte), `starttls` or `none`
    :param timeout: seconds to wait for any one answer; twice that for a whole call
    :param patience: seconds, from now on, for all calls together
    :param smtp: where mail goes out; None for a mailbox that is only read
    :param tokens: gives access tokens, and the password counts for nothing
    """

    limits = SMTP_LIMITS
    leaves_drafts = False
    budget = None  # IMAP servers count connections, not calls

    def __init__(
        self,
        host: str,
        port: int,
        security: str,
        login: str,
        password: str,
        timeout: float = 30,
        patience: float = float("inf"),
        smtp: SmtpSettings | None = None,
        tokens: TokenSource | None = None,
    ):
        self._host = host
        self._port = port
        self._security = security
        self._login = login
        self._password = password
        self._tokens = tokens
        # (the last one, and that before it, which may have been refused)
        self._given = ("", "")
        self._timeout = timeout
        self._smtp = smtp
        self._deadline = time.monotonic() + patience
        self._connection: Connection | None = None
        self._is_expired = False

    def __repr__(self) -> str:
        return f"<ImapProvider {self._login} at {self._host}:{self._port}>"

    @_guarded
    def check(self) -> None:
        """Signs in and opens the inbox as a sync would."""
        connection = self._connected()
        for stream in streams_of(connection.folders()):
            if stream.default:
                connection.examine(stream.stream)
                return
        raise Gone("folder", "the mailbox shows no folder that could be read")

    @_guarded
    def streams(self) -> list[Stream]:
        """The folders; inbox and sent mail are read by default."""
        return streams_of(self._connected().folders())

    def aliases(self) -> list[str]:
        """None: IMAP does not know."""
        return []

    @_guarded
    def pull(self, stream: str, checkpoint: str, since: datetime) -> Batch:
        """The next page of a folder. An idle one costs one STATUS."""
        connection = self._connected()
        state = Checkpoint.load(checkpoint)
        unseen = -1
        if state and not state.listing and not state.backlog:
            status = connection.status(stream, with_unseen=not state.mod_seq)
            if is_unchanged(state, status):
                return Batch(checkpoint=checkpoint)
            unseen = status.unseen
        folder = connection.examine(stream)
        begins_anew = is_void(connection, state, folder)
        if begins_anew:
            state = begin(connection, folder, since)
        else:
            add_arrivals(connection, state, folder)
        known = frozenset(state.known)
        reader = PageReader(connection, functools.partial(self._reopen, stream))
        page = reader.read(state, since)
        changes, removals = [], []
        if page.is_cut:
            # The checkpoint goes on from here as if the rest had not been looked at.
            self._drop()
        elif not state.listing and not state.backlog:
            changes, removals = sweep(reader.connection, state, folder, known, unseen)
        done, total, settled = state.progress()
        return Batch(
            checkpoint=state.dump(),
            messages=page.messages,
            changes=changes,
            removals=removals,
            set_aside=page.set_aside,
            reset=begins_anew and bool(checkpoint),
            settled=settled,
            more=bool(state.backlog),
            done=done,
            total=total,
        )

    @_guarded
    def held(self, stream: str, starts: Sequence[datetime], page: str = "") -> Held:
        """What a folder holds, in pieces by UID: a search, and the dates of a piece.

        :param page: the UIDVALIDITY and the last UID of the piece before
        """
        connection = self._connected()
        folder = connection.examine(stream)
        uid_validity, _colon, last = page.partition(":")
        if page and int(uid_validity) != folder.uid_validity:
            raise Retry("answer", "the folder was set up anew meanwhile")
        return held_since(connection, folder, starts, int(last or 0))

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
        return skim(self._connected(), stream, since, until, position, size)

    @_guarded
    def fetch(self, stream: str, ref: str) -> RemoteMessage:
        """The mail of a ref; of one that is too large the header."""
        connection, uid = self._find(stream, ref)
        outline = connection.outlines([uid]).get(uid)
        is_large = outline is not None and outline.size > MAX_MAIL_BYTES
        found = (
            read_head(connection, uid)
            if is_large
            else connection.mails([uid], CALL_TIMEOUTS)
        )
        if uid not in found:
            raise Gone("mail")
        if not found[uid].raw:
            raise Retry("answer", "the server gave an empty email")
        return remote_message(ref, found[uid])

    @_guarded
    def fetch_parts(
        self, stream: str, ref: str, parts: Sequence[str]
    ) -> dict[str, bytes]:
        """Attachments, each by the section that the server calls it."""
        connection, uid = self._find(stream, ref)
        found = connection.structures([uid])
        if uid not in found:
            raise Gone("mail")
        leaves = attachments_of(found[uid].structure)
        contents: dict[str, bytes] = {}
        room = MAX_PIECES_BYTES
        for number, leaf in enumerate(leaves):
            if str(number) in parts:
                pieces = connection.pieces(uid, leaf.section, room)
                content = decode_pieces(pieces, leaf.encoding)
                if content is not None:
                    contents[str(number)] = content
                    room -= len(content)
        return contents

    @_guarded
    def download(self, stream: str, ref: str, file: BinaryIO) -> None:
        """The mail of a ref, in pieces."""
        connection, uid = self._find(stream, ref)
        # (it may be the second attempt)
        file.seek(0)
        file.truncate()
        file.writelines(connection.pieces(uid, "", MAX_PIECES_BYTES))

    @_guarded
    def find(self, *, message_id: str = "", address: str = "") -> list[Found]:
        """Looks through all folders that can be read, one after the other."""
        keys = ["HEADER Message-ID"] if message_id else ["OR FROM", "OR TO", "CC"]
        connection = self._connected()
        found = []
        for stream in streams_of(connection.folders()):
            validity = connection.examine(stream.stream).uid_validity
            found += [
                Found(stream.stream, f"{validity}:{uid}")
                for uid in connection.find(keys, message_id or address, MAX_FOUND)
            ]
        return found

    def send(self, mail: Outgoing) -> Sent:
        """Sends by SMTP, then puts a copy among the sent mail.

        Once it has gone out it is sent, whatever becomes of the copy.
        """
        if not self._smtp:
            raise Permanent("setting", "no server to send through")
        draft = mail.draft
        raw = written(draft, self.limits, bcc=False)
        account = self._login, self._password
        seconds = self._time_left()
        refused = send_by_smtp(self._smtp, *account, draft, raw, seconds, self._tokens)
        sent = Sent(draft.message_id, refused=refused)
        if draft.bcc:
            raw = written(draft, self.limits, bcc=True)
        try:
            copy = self._keep_copy(raw, draft.message_id, draft.date)
        except MailboxError as error:
            return replace(sent, raw=raw, note=str(error))
        return replace(sent, raw=raw, stream=copy.stream, ref=copy.ref)

    @_guarded
    def sent(self, message_id: str) -> list[Found]:
        """Looks through the folders of sent mail, and of all mail."""
        return find_sent(self._connected(), message_id)

    @_guarded
    def _keep_copy(self, raw: bytes, message_id: str, date: datetime) -> Copy:
        # (made again, it finds what it had put there)
        return keep_copy(self._connected(), raw, message_id, date, self._smtp.host)

    def close(self) -> None:
        """Signs out."""
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    def _attempt(self, method: Callable, *args, **kwargs) -> tuple:
        """What a method gives, or the error to raise, once nothing is being handled.

        Raised within the handler, it would have the original as its context, and in
        the frames of that stands the password.
        """
        try:
            return method(self, *args, **kwargs), None
        except Exception as error:  # noqa: BLE001
            failure = translate(error, self._secrets())
        if self._is_expired:
            failure = Retry("timeout", "the answer took too long")
        if not isinstance(failure, Gone):
            self._drop()
        failure.__cause__ = failure.__context__ = None
        return None, failure.with_traceback(None)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.drop()

    def _find(self, stream: str, ref: str) -> tuple[Connection, int]:
        """The UID of a ref, and a connection with its folder open."""
        uid_validity, _colon, uid = ref.partition(":")
        if not (uid_validity.isdecimal() and uid.isdecimal() and len(ref) < 30):
            raise Gone("mail", "not the reference of a mail")
        connection = self._connected()
        if connection.examine(stream).uid_validity != int(uid_validity):
            raise Gone("mail", "the folder was set up anew")
        return connection, int(uid)

    def _connected(self) -> Connection:
        if self._connection is None:
            check_settings(*self._settings, with_token=bool(self._tokens))
            self._open(self._next_token() if self._tokens else "")
        return self._connection

    def _open(self, token: str, is_last: bool = False) -> None:
        # Known before it is open, for `_expire` to cut.
        self._connection = Connection(self._timeout)
        if self._is_expired:
            raise Retry("timeout", "the answer took too long")
        try:
            self._connection.open(*self._settings, token)
        except TokenError as error:
            # It may have ended before its time: a new one is tried, once.
            if is_last or translate(error).code != "token":
                raise
            self._open(self._next_token(token), is_last=True)

    @property
    def _settings(self) -> tuple[str, int, str, str, str]:
        return self._host, self._port, self._security, self._login, self._password

    def _next_token(self, refused: str = "") -> str:
        token = self._tokens(refused)
        self._given = self._given[-1], token
        return token

    def _secrets(self) -> list[str]:
        tokens = secrets_of_tokens(self._login, self._given)
        return secrets_of(self._login, self._password) + tokens

    def _reopen(self, stream: str, uid_validity: int) -> Connection:
        """A new connection with the folder open, after the server broke the old one."""
        self._drop()
        connection = self._connected()
        if connection.examine(stream).uid_validity != uid_validity:
            raise Retry("dropped", "the folder was set up anew meanwhile")
        return connection

    def _time_left(self) -> float:
        """Seconds that one call may take that begins now."""
        return min(self._timeout * CALL_TIMEOUTS, self._deadline - time.monotonic())

    def _expire(self) -> None:
        self._is_expired = True
        connection = self._connection
        if connection:
            connection.expire()
