"""The protocol that every mailbox service speaks, and what passes through it.

A provider knows the wire and nothing of records. It is used by one thread at a time,
with no database transaction open. The state that it needs between two calls is the
`checkpoint` it gave with the last batch: a string that only itself can read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, BinaryIO, Protocol

from ..messages import Attachment
from .budget import Budget

if TYPE_CHECKING:
    from .sending import Outgoing, SendLimits, Sent

#: Mails of one page of a look, at most, and the seconds after which it ends.
SKIM_MAILS, SKIM_SECONDS = 500, 3


class StreamRole(str, Enum):
    """What a stream is to its mailbox; the values of `easycrm.email.folder.role`."""

    INBOX = "inbox"
    SENT = "sent"
    ALL = "all"
    ARCHIVE = "archive"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Stream:
    """One thing that is read with a checkpoint of its own: a folder, or all mail.

    :ivar stream: the provider's name of it, stable (IMAP: the decoded folder name)
    :ivar name: what to show
    :ivar default: read unless the user says otherwise
    """

    stream: str
    name: str
    role: StreamRole
    default: bool = False


@dataclass(frozen=True, slots=True)
class RemoteMessage:
    """One mail as the mailbox holds it, not parsed yet.

    :ivar ref: the mail within its stream; unique (account, stream, ref)
    :ivar raw: RFC 5322 bytes; of a mail that is too large the header alone
    :ivar headers_only: it is too large: its body is read when somebody opens it
    :ivar size: bytes in all, of a mail that is too large
    :ivar attachments: what the mailbox tells of them, of a mail that is too large
    :ivar received_at: when the mailbox got it, aware, or None
    :ivar thread_ref: the provider's own id of the conversation, or an empty string
    """

    ref: str
    raw: bytes
    is_read: bool
    received_at: datetime | None = None
    thread_ref: str = ""
    headers_only: bool = False
    size: int = 0
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadChange:
    """A mail that was read, or marked unread, in the mailbox."""

    ref: str
    is_read: bool


@dataclass(frozen=True, slots=True)
class SetAside:
    """A mail that the server lists but cannot hand over; `error` in plain words."""

    ref: str
    error: str


@dataclass(frozen=True, slots=True)
class Batch:
    """One resumable page of what happened in a stream.

    Storing a batch and its checkpoint in one transaction, or neither, is what makes a
    sync exact: the same checkpoint asked again gives the same mail again.

    :ivar checkpoint: where the next pull goes on
    :ivar reset: the refs of before are void (UIDVALIDITY changed, token expired): the
        stream is listed anew from here on, and what is known of it must be dropped
    :ivar settled: the listing that a first sync or a reset began is now complete
    :ivar more: another pull would give something now
    :ivar pause: seconds before which it must not be made: the service's limit for one
        mailbox is used up
    :ivar done: mails of the running first listing handed over, this batch included
    :ivar total: mails that the running first listing has in all (0: no listing runs)
    """

    checkpoint: str
    messages: Sequence[RemoteMessage] = ()
    changes: Sequence[ReadChange] = ()
    removals: Sequence[str] = ()
    set_aside: Sequence[SetAside] = ()
    reset: bool = False
    settled: bool = False
    more: bool = False
    pause: float = 0
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """What a stream holds: ids, and nothing of the mails.

    :ivar refs: ref -> which of the spans that were asked for the mailbox got it in
    :ivar page: where the next call goes on; empty at the end
    :ivar pause: seconds before which that call must not be made: the service's limit
        for one mailbox is used up
    """

    refs: Mapping[str, int]
    page: str = ""
    pause: float = 0


@dataclass(frozen=True, slots=True)
class Glance:
    """What the header of one mail tells, where mail is only looked at.

    :ivar key: the same for a mail that stands in two streams
    :ivar received_at: when the mailbox got it, aware, or None
    :ivar addresses: of its participants, From first
    :ivar senders: those of them that stand in From
    :ivar is_automatic: a newsletter, or nobody has written it
    :ivar list_id: the List-Id, or an empty string
    :ivar subject: in plain words, as `messages.looks_private` wants it
    """

    key: str
    received_at: datetime | None
    addresses: tuple[str, ...]
    senders: tuple[str, ...] = ()
    is_automatic: bool = False
    list_id: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Skim:
    """One page of a look at a stream of which nothing is kept.

    :ivar position: where the next page goes on; empty: all has been looked at
    :ivar done: mails passed so far, those of this page included
    :ivar total: mails that there are to look at in all
    :ivar is_estimate: the service only guesses the total
    :ivar pause: seconds before which the next page must not be asked for
    """

    glances: tuple[Glance, ...] = ()
    position: str = ""
    done: int = 0
    total: int = 0
    is_estimate: bool = False
    pause: float = 0


#: Emails that `find` gives at most, of each folder.
MAX_FOUND = 20


@dataclass(frozen=True, slots=True)
class Found:
    """Where an email stands that was looked for.

    :ivar stream: a `Stream.stream`; another one where it is in a folder never read
    """

    stream: str
    ref: str


class Provider(Protocol):
    """One connected mailbox. Every method raises a `MailboxError` and nothing else.

    :ivar budget: what the service lets be asked a minute, as far as it is used up; None
        where it does not count
    :ivar limits: what may be sent in one mail, as far as it is known without asking
    :ivar leaves_drafts: what could not be sent may be left as a draft: `clear` takes it
        away, which the others do not have
    """

    budget: Budget | None
    limits: "SendLimits"
    leaves_drafts: bool

    def streams(self) -> list[Stream]:
        """What can be read: never drafts, spam, trash or chat."""

    def aliases(self) -> list[str]:
        """The addresses that are this mailbox, as the service knows them."""

    def pull(self, stream: str, checkpoint: str, since: datetime) -> Batch:
        """The next page of a stream.

        :param stream: a `Stream.stream`
        :param checkpoint: of the last stored batch; empty for the first pull
        :param since: aware; mail that the mailbox got before it is left alone
        """

    def held(self, stream: str, starts: Sequence[datetime], page: str = "") -> Held:
        """The refs that a stream holds now of what it got since a moment.

        What `pull` would never hand over is left out.

        :param starts: aware, rising: where each span begins; it ends where the next
            begins, and the last one never
        :param page: of the answer before; empty for the first call
        """

    def skim(
        self,
        stream: str,
        since: datetime,
        until: datetime,
        position: str = "",
        size: int = SKIM_MAILS,
    ) -> Skim:
        """The next page of a look at the headers of a stream, newest first.

        It ends after some seconds, wherever it is by then.

        :param since: aware; mail that the mailbox got before it is left alone
        :param until: aware; neither is what it got from then on, so that what comes
            meanwhile shifts nothing
        :param position: of the page before; empty for the first one
        :param size: mails at most; 0 for the count alone
        """

    def fetch(self, stream: str, ref: str) -> RemoteMessage:
        """One mail, its header where it is too large. `Gone` where it is not there."""

    def fetch_parts(
        self, stream: str, ref: str, parts: Sequence[str]
    ) -> dict[str, bytes]:
        """Attachments of one mail, decoded, by `Attachment.part`.

        Left out is what cannot be told apart in the mailbox; what is found may still
        be another part than that of the mail when it was read.
        """

    def download(self, stream: str, ref: str, file: BinaryIO) -> None:
        """Writes one mail, whatever its size, without ever holding it."""

    def find(self, *, message_id: str = "", address: str = "") -> list[Found]:
        """Where the mailbox itself has emails now, whether they were read or not.

        Some of them, the newest, where they are many. One of the two is given.

        :param message_id: with its angle brackets
        :param address: of somebody who wrote them, or got them
        """

    def send(self, mail: "Outgoing") -> "Sent":
        """Sends a mail, once: nothing is repeated by which it could go out twice.

        After `Refused`, `Retry`, `Reconnect` or `Permanent` it has certainly not gone
        out; after `Doubtful` it may have, and `sent` tells in a while.
        """

    def sent(self, message_id: str) -> list[Found]:
        """Where a mail stands that went out, by the Message-ID it was sent with.

        The mailbox itself is asked, each time: an empty list says that it is not there
        by now, not that it will not be.

        :param message_id: with its angle brackets
        """

    def check(self) -> None:
        """Connects and signs in: raises what would keep a sync from working."""

    def close(self) -> None:
        """Ends the connection; never raises."""
