"""What a loopback Gmail holds: mailboxes with their mails, labels and history."""

import email
import email.policy
import itertools
import re
import threading
import time
from dataclasses import dataclass, field

# Of the mailbox itself (https://developers.google.com/workspace/gmail/api/guides/labels)
SYSTEM_LABELS = (
    "INBOX",
    "SENT",
    "DRAFT",
    "SPAM",
    "TRASH",
    "CHAT",
    "UNREAD",
    "STARRED",
    "IMPORTANT",
    "CATEGORY_PROMOTIONS",
)


@dataclass
class Mail:
    """One mail; `at` is when the mailbox got it, in seconds since 1970."""

    id: str
    thread_id: str
    raw: bytes
    labels: set[str]
    at: float
    history_id: int = 0
    lies_about_size: int = 0  # what sizeEstimate says instead

    @property
    def size(self) -> int:
        return self.lies_about_size or len(self.raw)

    def header(self, name: str) -> str:
        return self.parsed[name] or ""

    @property
    def parsed(self):
        return email.message_from_bytes(self.raw, policy=email.policy.compat32)


@dataclass
class Event:
    """One line of the history; `kind` is the name of a typed list."""

    id: int
    kind: str
    mail_id: str
    thread_id: str
    labels: list[str] = field(default_factory=list)


class Mailbox:
    """One user's. All of it may be used in any thread.

    :ivar send_as: sendAs entries, the address itself first
    """

    def __init__(self, address: str, number: int):
        self.address = address
        self.lock = threading.RLock()
        self.mails: dict[str, Mail] = {}
        self.labels: dict[str, str] = {}  # id -> name, the user's own
        self.history: list[Event] = []
        self.history_id = 1_000 * number
        self.history_begins = self.history_id
        self.send_as = [
            {"sendAsEmail": address, "isPrimary": True, "isDefault": True},
        ]
        self.is_enabled = True
        self._ids = itertools.count(0x18F0_0000_0000_0000 + (number << 32), 0x51)
        self._gaps = itertools.cycle((1, 17, 3, 131, 8))

    def deliver(
        self,
        raw: bytes,
        labels=("INBOX", "UNREAD"),
        at: float | None = None,
        thread_id: str = "",
    ) -> str:
        """A mail that came; gives its id."""
        with self.lock:
            ref = f"{next(self._ids):x}"
            mail = Mail(
                id=ref,
                thread_id=thread_id or self._thread_of(raw) or ref,
                raw=raw,
                labels={self.label(name) for name in labels},
                at=time.time() if at is None else at,
            )
            self.mails[ref] = mail
            self._tell("messagesAdded", mail)
            return ref

    def draft(self, raw: bytes) -> str:
        """A draft that was saved."""
        return self.deliver(raw, ["DRAFT"])

    def add_labels(self, ref: str, *names: str) -> None:
        """Put labels on a mail, by id or by name."""
        with self.lock:
            mail = self.mails[ref]
            new = sorted({self.label(name) for name in names} - mail.labels)
            mail.labels.update(new)
            if new:
                self._tell("labelsAdded", mail, new)

    def remove_labels(self, ref: str, *names: str) -> None:
        """Take labels off a mail."""
        with self.lock:
            mail = self.mails[ref]
            gone = sorted({self.label(name) for name in names} & mail.labels)
            mail.labels.difference_update(gone)
            if gone:
                self._tell("labelsRemoved", mail, gone)

    def mark_read(self, ref: str, is_read: bool = True) -> None:
        """Mark a mail as read or unread."""
        (self.remove_labels if is_read else self.add_labels)(ref, "UNREAD")

    def archive(self, ref: str) -> None:
        """Out of the inbox."""
        self.remove_labels(ref, "INBOX")

    def trash(self, ref: str) -> None:
        """Into the trash; the mail keeps what other labels it has."""
        self.add_labels(ref, "TRASH")
        self.remove_labels(ref, "INBOX")

    def untrash(self, ref: str) -> None:
        """Out of the trash."""
        self.remove_labels(ref, "TRASH")

    def delete(self, ref: str) -> None:
        """For good."""
        with self.lock:
            mail = self.mails.pop(ref)
            self._tell("messagesDeleted", mail)

    def label(self, name: str) -> str:
        """The id of a label, which is made if it is not there."""
        with self.lock:
            if name in SYSTEM_LABELS or name in self.labels:
                return name
            for ref, known in self.labels.items():
                if known == name:
                    return ref
            ref = f"Label_{len(self.labels) + 1}"
            self.labels[ref] = name
            return ref

    def delete_label(self, name: str) -> None:
        """Take a label away from the mailbox and all its mails."""
        with self.lock:
            ref = self.label(name)
            del self.labels[ref]
            for mail in self.mails.values():
                mail.labels.discard(ref)

    def expire_history(self) -> None:
        """All historyIds that were given out so far are too old."""
        with self.lock:
            self.history.clear()
            self.history_id += 1
            self.history_begins = self.history_id

    def newest_first(self) -> list[Mail]:
        """All mails, as a list gives them."""
        with self.lock:
            mails = self.mails.values()
            return sorted(mails, key=lambda mail: (-mail.at, -int(mail.id, 16)))

    def snapshot(self) -> dict:
        """What must be as it was after a sync."""
        with self.lock:
            return {ref: (m.raw, frozenset(m.labels)) for ref, m in self.mails.items()}

    def _tell(self, kind: str, mail: Mail, labels=()) -> None:
        self.history_id += next(self._gaps)
        mail.history_id = self.history_id
        event = Event(self.history_id, kind, mail.id, mail.thread_id, list(labels))
        self.history.append(event)

    def _thread_of(self, raw: bytes) -> str:
        """The thread that a mail says that it belongs to."""
        head = email.message_from_bytes(raw, policy=email.policy.compat32)
        named = f"{head['References'] or ''} {head['In-Reply-To'] or ''}"
        wanted = set(re.findall(r"<[^<>\s]+>", named))
        if wanted:
            for mail in self.mails.values():
                if mail.header("Message-ID").strip() in wanted:
                    return mail.thread_id
        return ""
