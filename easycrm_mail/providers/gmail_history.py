"""What happened in a Gmail stream since a historyId.

Of one mail several things may be told in one answer: they are folded, in order, to what
is true in the end. Gmail tells of a mail little more than its id: whether one that came
belongs to the stream is seen when it is fetched.

========================================  ==========================================
told                                      means
========================================  ==========================================
added, unless known to be a draft or so   an arrival
deleted                                   a removal
label TRASH, SPAM, DRAFT, CHAT added      a removal
the same removed                          an arrival
the stream's own label added, removed     an arrival, a removal
label UNREAD added, removed               marked unread, read
========================================  ==========================================

https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.history/list
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .base import ReadChange
from .errors import Retry
from .gmail_api import GmailApi, refs_of
from .gmail_labels import ALL, HIDDEN, UNREAD, holds

# Pages of one pull; the next goes on from there.
MAX_PAGES = 10


@dataclass
class Changes:
    """What to do about it.

    :ivar history: the historyId that it reaches to
    :ivar more: there is more behind it
    :ivar arrived: ids to fetch, newest first
    """

    history: str
    more: bool = False
    arrived: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    read: list[ReadChange] = field(default_factory=list)


@dataclass
class _Mail:
    """One mail in what is told; None: nothing was said of that."""

    is_here: bool | None = None
    is_read: bool | None = None


def changes_since(api: GmailApi, stream: str, history: str) -> Changes:
    """What happened; raises `HttpError` 404 where the historyId is too old.

    :param history: a historyId
    """
    mails: dict[str, _Mail] = {}
    page, reached, has_more = "", history, False
    for number in range(MAX_PAGES):
        answer = api.history(history, page)
        for record in answer.get("history", ()):
            reached = str(int(record["id"]))
            _fold(mails, stream, record)
        page = answer.get("nextPageToken", "")
        if not page:
            reached = str(int(answer.get("historyId") or reached))
            break
        if number == MAX_PAGES - 1 and reached == history:
            raise Retry("answer", "the history does not go on")
    else:
        has_more = True
    arrived = [ref for ref, mail in mails.items() if mail.is_here]
    return Changes(
        history=reached,
        more=has_more,
        arrived=arrived[::-1],
        removed=[ref for ref, mail in mails.items() if mail.is_here is False],
        read=[
            ReadChange(ref, mail.is_read)
            for ref, mail in mails.items()
            if mail.is_here is None and mail.is_read is not None
        ],
    )


def _fold(mails: dict[str, _Mail], stream: str, record: dict) -> None:
    for ref, _labels, message in _told(record, "messagesAdded"):
        labels = message.get("labelIds")
        # A draft is a new mail each time that it is saved: those are not worth a look.
        if labels is None or holds(stream, labels):
            mails.setdefault(ref, _Mail()).is_here = True
    for ref, labels, _message in _told(record, "labelsAdded"):
        mail = mails.setdefault(ref, _Mail())
        if not HIDDEN.isdisjoint(labels):
            mail.is_here = False
        elif stream != ALL and stream in labels:
            mail.is_here = True
        if UNREAD in labels:
            mail.is_read = False
    for ref, labels, _message in _told(record, "labelsRemoved"):
        mail = mails.setdefault(ref, _Mail())
        if stream != ALL and stream in labels:
            mail.is_here = False
        elif not HIDDEN.isdisjoint(labels):
            mail.is_here = True
        if UNREAD in labels:
            mail.is_read = True
    for ref, _labels, _message in _told(record, "messagesDeleted"):
        mails.setdefault(ref, _Mail()).is_here = False


def _told(record: dict, kind: str) -> Iterator[tuple[str, Iterable[str], dict]]:
    for event in record.get(kind, ()):
        message = event.get("message") or {}
        for ref in refs_of([message]):
            yield ref, event.get("labelIds") or (), message
