"""The mailboxes behind the loopback Graph: folders, mails, and what changed in them."""

import email
import email.policy
import email.utils
import functools
import hashlib
import itertools
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone

#: well-known name -> what it is called here (in German: nobody may go by names)
WELL_KNOWN = {
    "inbox": "Posteingang",
    "sentitems": "Gesendete Elemente",
    "archive": "Archiv",
    "drafts": "Entwürfe",
    "deleteditems": "Gelöschte Elemente",
    "junkemail": "Junk-E-Mail",
    "outbox": "Postausgang",
    "conversationhistory": "Aufgezeichnete Unterhaltungen",
    "syncissues": "Synchronisierungsprobleme",
}

_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
_numbers = itertools.count(1)


@dataclass
class Folder:
    """One folder. `parent` is an id, or empty at the top."""

    id: str
    name: str
    parent: str = ""
    is_hidden: bool = False


@dataclass
class Message:
    """One mail. `key` lasts, `id` changes with each move.

    :ivar files: what was put to a draft: of each its MIME type, name, Content-ID, bytes
    :ivar stamp: an extended property, its id and its value
    :ivar changed: when it was last changed, should that be later than it was received
    :ivar lag: how often it is looked at before it moves to where it belongs
    """

    key: str
    raw: bytes
    folder: str
    received: datetime
    is_read: bool = False
    is_draft: bool = False
    moves: int = 0
    changed: datetime | None = None
    stamp: tuple[str, str] = ("", "")
    lag: int = 0
    files: list[tuple[str, str, str, bytes]] = field(default_factory=list)
    properties: dict = field(default_factory=dict)

    def touch(self) -> None:
        """Somebody changes it, now."""
        self.changed = datetime.now(timezone.utc)

    @property
    def id(self) -> str:
        return f"AAMk{self.key}.{self.moves}="


@dataclass(frozen=True)
class Change:
    """`kind`: `put` (it is new in the folder), `read`, or `gone`."""

    folder: str
    key: str
    id: str
    kind: str


class Mailbox:
    """One mailbox, of a user or shared.

    :param members: who may open it beside its owner
    """

    def __init__(self, address: str, aliases=(), members=()):
        self.address = address
        self.aliases = list(aliases)
        self.members = set(members)
        self.folders: dict[str, Folder] = {}
        self.well_known: dict[str, str] = {}
        self.messages: dict[str, Message] = {}
        self.changes: list[Change] = []
        self.lock = threading.RLock()
        for name, shown in WELL_KNOWN.items():
            self.well_known[name] = self.add_folder(shown)

    def add_folder(self, name: str, parent: str = "", is_hidden: bool = False) -> str:
        """Gives its id. `parent`: an id or a well-known name."""
        parent = self.well_known.get(parent, parent)
        id_ = f"AQMkF{next(_numbers)}=="
        self.folders[id_] = Folder(id_, name, parent, is_hidden)
        return id_

    def folder(self, name: str) -> str:
        """The id of a folder by that, by its well-known name, or by what it is called;
        empty where there is none."""
        if name in self.folders:
            return name
        if name.lower() in self.well_known:
            return self.well_known[name.lower()]
        return next((f.id for f in self.folders.values() if f.name == name), "")

    def remove_folder(self, name: str) -> None:
        """It goes with what is in it."""
        id_ = self.folder(name)
        with self.lock:
            del self.folders[id_]
            for message in list(self.in_folder(id_)):
                del self.messages[message.key]

    def in_folder(self, id_: str) -> list[Message]:
        """Its mails, newest first."""
        found = [one for one in self.messages.values() if one.folder == id_]
        return sorted(found, key=lambda one: one.received, reverse=True)

    def find(self, ref: str) -> Message | None:
        """A mail by either of its ids."""
        by_id = (one for one in self.messages.values() if one.id == ref)
        return self.messages.get(ref) or next(by_id, None)

    # --- what happens in it ---

    def deliver(
        self, raw: bytes, folder: str = "inbox", received=None, read=False, draft=False
    ) -> str:
        """A mail comes; gives its immutable id."""
        with self.lock:
            key = f"AAkALgAA{next(_numbers):06d}+/x="
            received = received or datetime.now(timezone.utc)
            message = Message(key, raw, self.folder(folder), received, read, draft)
            self.messages[key] = message
            self._log(message, "put")
            return key

    def move(self, key: str, folder: str) -> None:
        """Into another folder; its mutable id changes."""
        with self.lock:
            message = self.messages[key]
            self._log(message, "gone")
            message.folder = self.folder(folder)
            message.moves += 1
            message.touch()
            self._log(message, "put")

    def delete(self, key: str) -> None:
        """For good."""
        with self.lock:
            self._log(self.messages.pop(key), "gone")

    def mark_read(self, key: str, read: bool = True) -> None:
        """As somebody opens it."""
        with self.lock:
            message = self.messages[key]
            message.is_read = read
            message.touch()
            self._log(message, "read")

    def _log(self, message: Message, kind: str) -> None:
        self.changes.append(Change(message.folder, message.key, message.id, kind))

    def contents(self) -> dict:
        """All that there is, to compare."""
        return {
            key: (m.raw, m.folder, m.is_read, m.is_draft, m.moves)
            for key, m in self.messages.items()
        }


def properties_of(message: Message) -> dict:
    """A message as Graph describes it, as far as this server goes."""
    parsed = _parsed(message.raw)
    own_id = str(parsed.get("Message-ID") or f"<{message.key}@none>")
    root = (str(parsed.get("References") or "").split() or [own_id])[0]
    received = message.received.strftime(_MOMENT)
    changed = max(message.changed or message.received, message.received)
    return {
        "internetMessageId": own_id,
        "subject": str(parsed.get("Subject") or ""),
        "isRead": message.is_read,
        "isDraft": message.is_draft,
        "receivedDateTime": received,
        "sentDateTime": received,
        "createdDateTime": received,
        "lastModifiedDateTime": changed.strftime(_MOMENT),
        "hasAttachments": bool(attachments_of(message)),
        "parentFolderId": message.folder,
        "from": _people(parsed, "From")[0] if parsed["From"] else None,
        "toRecipients": _people(parsed, "To"),
        "ccRecipients": _people(parsed, "Cc"),
        "bccRecipients": _people(parsed, "Bcc"),
        "conversationId": "AAQk" + hashlib.sha1(root.encode()).hexdigest(),
        "internetMessageHeaders": [
            {"name": name, "value": str(value)} for name, value in parsed.items()
        ],
    }


def _people(parsed, name: str) -> list[dict]:
    values = [str(value) for value in parsed.get_all(name, [])]
    return [
        {"emailAddress": {"name": person, "address": address}}
        for person, address in email.utils.getaddresses(values)
    ]


def attachments_of(message: Message) -> list[dict]:
    """In an order of its own: the reverse of the mail's."""
    found = _files(message.raw)
    numbered = [{"id": f"{message.id}-{n}", **one} for n, one in enumerate(found)]
    return numbered[::-1]


@functools.lru_cache(maxsize=32)
def _parsed(raw: bytes):
    return email.message_from_bytes(raw, policy=email.policy.compat32)


@functools.lru_cache(maxsize=32)
def _files(raw: bytes) -> list[dict]:
    found = []
    for part in _parsed(raw).walk():
        if part.get_content_disposition() not in ("attachment", "inline"):
            continue
        content = part.get_payload(decode=True) or b""
        found.append(
            {
                "@odata.type": "#microsoft.graph.fileAttachment",
                "name": part.get_filename() or "",
                "contentType": part.get_content_type(),
                "size": len(content),
                "isInline": part.get_content_disposition() == "inline",
                "contentId": part.get("Content-ID"),
            }
        )
    return found
