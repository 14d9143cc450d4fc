"""The mails of one delta page, fetched as MIME.

No mail holds up the others: what fails in a batch is asked for alone, then left for
the end, and set aside after a third time; what does not come in time is asked for with
more patience then. But no mail is to blame where the service gives no other either.
What the service is too busy for waits in the backlog.
"""

import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from urllib.parse import quote

from ..messages import Attachment
from ..messages.attachments import safe_name
from .base import RemoteMessage, SetAside
from .errors import Gone, MailboxError, Permanent, Reconnect, Resync, Retry
from .graph_client import BATCH_PARTS, GraphClient, Part, TooLarge
from .graph_errors import ServerAnswer, translate
from .imap_page import (
    LONG_PATIENCE,
    MAX_MAIL_BYTES,
    PAGE_BYTES,
    PAGE_SECONDS,
    PROBE_PATIENCE,
    SLOW,
)
from .outlook_checkpoint import Checkpoint, Entry
from .outlook_delta import moment
from .outlook_folders import folder_path

# Larger ones are fetched alone: a batch comes in base64, and is held whole.
BATCH_BYTES = 4_000_000
HEAD_BYTES = 1_000_000
#: All that a page may sleep.
MAX_SLEEP = 5.0
MAX_TRIES = 3
# Mails that fail in one pull before it makes do with what it has.
MAX_FAILURES = 3
PROBES = 3
_MAX_ATTACHMENTS = 1_000
_MAX_PAGES = 20

_EMPTY = "The server lists the email but gives it without content."
_REFUSED = "The server lists the email but refuses to give it: {words}"


@dataclass
class Page:
    """What was read.

    :ivar pause: seconds that the service asks to wait
    """

    messages: list[RemoteMessage] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    pause: float = 0


class _Enough(Exception):
    """The page ends here, because of an error; what is left stays in the backlog."""

    def __init__(self, failure: MailboxError):
        super().__init__()
        self.failure = failure


class PageReader:
    """Reads a page of one folder's backlog."""

    def __init__(self, client: GraphClient, stream: str, state: Checkpoint):
        self._client = client
        self._stream = stream
        self._state = state
        self._page = Page()
        self._gives = False
        self._has_moved = False
        self._failures = 0
        self._slept = 0.0
        self._bytes = 0

    def read(self) -> Page:
        """The next mails of the backlog, which are gone from it then."""
        deadline = time.monotonic() + PAGE_SECONDS
        try:
            while chunk := self._next_chunk():
                self._read_chunk(chunk)
                if time.monotonic() > deadline:
                    break
        except _Enough as enough:
            failure = enough.failure
            if not self._has_moved:
                raise failure from None
            if isinstance(failure, Retry):
                self._page.pause = failure.retry_after or 0
        return self._page

    def _next_chunk(self) -> list[Entry]:
        """What is asked for at once; empty where the page is full or has come whole."""
        chunk: list[Entry] = []
        size = 0
        for entry in self._state.backlog[:BATCH_PARTS]:
            is_alone = bool(entry.tries) or entry.size > BATCH_BYTES
            size += entry.size
            if chunk and (is_alone or size > BATCH_BYTES):
                break
            chunk.append(entry)
            if is_alone:
                break
        taken = len(self._page.messages)
        if taken and self._bytes + min(size, MAX_MAIL_BYTES) > PAGE_BYTES:
            return []
        if self._failures and chunk and chunk[0].tries:
            # They have failed in this very pull.
            return []
        return chunk

    def _read_chunk(self, chunk: list[Entry]) -> None:
        if len(chunk) == 1:
            self._read_alone(chunk[0])
            return
        try:
            with self._patient(1):
                parts = self._client.batch([value_path(entry.id) for entry in chunk])
        except TooLarge:
            parts = [Part()] * len(chunk)
        except Exception as error:  # noqa: BLE001
            failure = translate(error, self._client.secrets)
            if isinstance(failure, (Gone, Resync)):
                # No mail, and no folder: it is said of the batch.
                failure = Retry("answer", failure.detail)
            if failure.code == "timeout" and self._gives_others():
                for entry in chunk:
                    self._put_off(entry)
            raise _Enough(failure) from None
        again = []
        for entry, part in zip(chunk, parts, strict=True):
            if part.content is not None:
                self._take(entry, part.content)
            elif part.error and part.error.is_gone:
                self._pass_over(entry)
            else:
                again.append((entry, part.error))
        errors = [error for _entry, error in again if error]
        if any(error.status == 401 for error in errors):
            self._client.renew()
        self._wait([one for one in errors if one.status in (429, 503)])
        for entry, _error in again:
            self._read_alone(entry)

    def _wait(self, errors: list[ServerAnswer]) -> None:
        """Waits as long as the service asks, unless that is long."""
        if not errors:
            return
        longest = max(errors, key=lambda error: error.retry_after or 0)
        wait = longest.retry_after or 0
        if self._slept + wait > MAX_SLEEP:
            raise _Enough(translate(longest, self._client.secrets))
        self._slept += wait
        time.sleep(wait)

    def _read_alone(self, entry: Entry) -> None:
        if entry.tries:
            # Afterwards there may be no time left to see.
            self._gives_others(entry)
        try:
            with self._patient(LONG_PATIENCE if entry.tries else 1):
                message = fetch(self._client, entry)
        except Gone:
            self._pass_over(entry)
        except Exception as error:  # noqa: BLE001
            self._blame(entry, error)
        else:
            self._keep(entry, message)

    def _take(self, entry: Entry, content: bytes) -> None:
        if len(content) > MAX_MAIL_BYTES:
            # (its size had not been told)
            self._read_alone(entry)
        else:
            self._keep(entry, remote_message(entry, content))

    def _keep(self, entry: Entry, message: RemoteMessage) -> None:
        self._pass_over(entry)
        self._state.remember(entry.id)
        if message.raw:
            self._gives = True
            self._bytes += len(message.raw)
            self._page.messages.append(message)
        else:
            self._page.set_aside.append(SetAside(entry.id, _EMPTY))

    def _blame(self, entry: Entry, error: Exception) -> None:
        """A mail that was not given: whose fault is it, and what becomes of it."""
        failure = translate(error, self._client.secrets)
        status = error.status if isinstance(error, ServerAnswer) else 0
        if isinstance(failure, Reconnect) or status in (429, 503):
            raise _Enough(failure)
        if isinstance(failure, Permanent) and failure.code != "forbidden":
            raise _Enough(failure)
        self._failures += 1
        if not self._gives_others(entry):
            raise _Enough(failure)
        self._put_off(entry)
        is_final = 400 <= status < 500 and failure.code != "busy"
        if is_final or entry.tries >= MAX_TRIES:
            self._pass_over(entry)
            self._state.remember(entry.id)
            words = _REFUSED.format(words=failure.detail or failure.code)
            if failure.code == "timeout":
                words = SLOW.format(tries=entry.tries)
            self._page.set_aside.append(SetAside(entry.id, words))
        if self._failures >= MAX_FAILURES or failure.code == "timeout":
            raise _Enough(failure)

    def _put_off(self, entry: Entry) -> None:
        """Leaves a mail for the end, to be asked for alone."""
        entry.tries += 1
        self._has_moved = True
        self._state.backlog.remove(entry)
        self._state.backlog.append(entry)

    def _gives_others(self, suspect: Entry | None = None) -> bool:
        """Whether the service hands over any mail but the suspect.

        If not, it is the service that is out of order, and no mail is to blame.
        """
        if self._gives:
            return True
        try:
            listed = self._client.get(
                f"{folder_path(self._stream)}/messages",
                **{"$select": "id", "$top": str(MAX_FAILURES + PROBES)},
            )
        except Exception:  # noqa: BLE001
            return False
        ids = [one.get("id") for one in listed.get("value", ())]
        ids = [one for one in ids if one and (not suspect or one != suspect.id)]
        # What has failed before tells something only where nothing else is there.
        doubtful = {entry.id for entry in self._state.backlog if entry.tries}
        ids.sort(key=doubtful.__contains__)
        for id_ in ids[:PROBES]:
            with (
                suppress(Exception),
                self._patient(PROBE_PATIENCE),
                closing(_value(self._client, id_)) as pieces,
            ):
                self._gives = bool(next(pieces, b""))
            if self._gives:
                return True
        return False

    def _patient(self, patience: float):
        """:param patience: the share of the time-out that what is asked for may take"""
        session = self._client.session
        return session.bounded(session.timeout * patience)

    def _pass_over(self, entry: Entry) -> None:
        self._has_moved = True
        self._state.backlog.remove(entry)
        if self._state.listing:
            self._state.done += 1


def message_path(ref: str) -> str:
    """Where a mail stands."""
    return f"/messages/{quote(ref, safe='')}"


def value_path(ref: str) -> str:
    """Where the bytes of a mail stand."""
    return f"{message_path(ref)}/$value"


def _value(client: GraphClient, ref: str) -> Iterator[bytes]:
    return client.stream(value_path(ref), MAX_MAIL_BYTES)


def fetch(client: GraphClient, entry: Entry) -> RemoteMessage:
    """One mail; one that is too large by its header. Raises `Gone` too."""
    try:
        if entry.size > MAX_MAIL_BYTES:
            return _fetch_head(client, entry)
        try:
            return remote_message(entry, b"".join(_value(client, entry.id)))
        except TooLarge:
            return _fetch_head(client, entry)
    except ServerAnswer as answer:
        if answer.is_gone:
            raise Gone("mail") from None
        raise


def remote_message(entry: Entry, raw: bytes, **more) -> RemoteMessage:
    """A mail as it is handed over."""
    return RemoteMessage(
        ref=entry.id,
        raw=raw,
        is_read=entry.is_read,
        received_at=moment(entry.received),
        thread_ref=entry.conversation,
        **more,
    )


def _fetch_head(client: GraphClient, entry: Entry) -> RemoteMessage:
    """A mail that is too large: its header, and its attachments as Graph lists them.

    The header is the beginning of the bytes: `internetMessageHeaders` is empty for
    mail that was written in Outlook, and what is compared later is that of the bytes.
    """
    head = b""
    with closing(client.stream(value_path(entry.id), 2 * HEAD_BYTES)) as pieces:
        for piece in pieces:
            head += piece
            ends = [at for at in map(head.find, (b"\r\n\r\n", b"\n\n")) if at >= 0]
            if ends or len(head) > HEAD_BYTES:
                head = head[: min(ends, default=HEAD_BYTES)] + b"\r\n\r\n"
                break
    return remote_message(
        entry,
        head,
        headers_only=True,
        size=max(entry.size, MAX_MAIL_BYTES),
        attachments=_attachments(client, entry),
    )


def _attachments(client: GraphClient, entry: Entry) -> tuple[Attachment, ...]:
    """What is attached, near enough until the mail is opened: then its bytes tell."""
    try:
        page = client.get(
            f"/messages/{quote(entry.id, safe='')}/attachments",
            **{
                "$select": "id,name,contentType,size,isInline,"
                "microsoft.graph.fileAttachment/contentId"
            },
        )
    except ServerAnswer as answer:
        if answer.is_busy or answer.status == 401:
            raise
        # It is handed over without.
        return ()
    found: list[dict] = []
    for _page in range(_MAX_PAGES):
        found += [one for one in page.get("value", ()) if isinstance(one, dict)]
        link = page.get("@odata.nextLink")
        if not isinstance(link, str) or len(found) > _MAX_ATTACHMENTS:
            break
        page = client.follow(link)
    return tuple(
        Attachment(
            part=str(number),
            name=safe_name(str(one.get("name") or "")) or f"attachment-{number + 1}",
            mimetype=_mimetype(one),
            size=one["size"] if isinstance(one.get("size"), int) else 0,
            content_id=str(one.get("contentId") or "").strip("<> "),
            inline=bool(one.get("isInline")) and bool(one.get("contentId")),
        )
        for number, one in enumerate(found)
    )


def _mimetype(one: dict) -> str:
    if one.get("@odata.type") == "#microsoft.graph.itemAttachment":
        return "message/rfc822"
    kind = str(one.get("contentType") or "").partition(";")[0].strip().lower()
    return kind or "application/octet-stream"
