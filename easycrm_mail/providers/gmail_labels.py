"""What Gmail's labels are to a sync.

https://developers.google.com/workspace/gmail/api/guides/labels
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from .base import Stream, StreamRole

# The stream that is the whole mailbox: people archive by filter, and then nothing of it
# is in the inbox. No label has this name: Gmail's are capitals or `Label_1`.
ALL = "all"

UNREAD = "UNREAD"
# What is never synced.
HIDDEN = frozenset({"DRAFT", "SPAM", "TRASH", "CHAT"})

# Spam and trash are left out of a list unless asked for.
_QUERY = "-in:drafts -in:chats"


def streams_of(labels: Iterable[dict]) -> list[Stream]:
    """The whole mailbox, and what may be chosen instead."""
    named = [
        Stream(ALL, "All mail", StreamRole.ALL, default=True),
        Stream("INBOX", "Inbox", StreamRole.INBOX),
        Stream("SENT", "Sent", StreamRole.SENT),
    ]
    own = [
        Stream(
            str(label["id"]), str(label.get("name") or label["id"]), StreamRole.OTHER
        )
        for label in labels
        if label.get("type") == "user" and label.get("id")
    ]
    return named + sorted(own, key=lambda stream: stream.name.casefold())


def holds(stream: str, labels: Collection[str]) -> bool:
    """Whether a mail with these labels stands in a stream."""
    return HIDDEN.isdisjoint(labels) and (stream == ALL or stream in labels)


def label_of(stream: str) -> str:
    """The label that a list of the stream is narrowed to; empty: none."""
    return "" if stream == ALL else stream


def query_of(since: datetime, *more: str) -> str:
    """The query that finds what is synced.

    Gmail takes seconds since 1970 (https://developers.google.com/workspace/gmail/api/
    guides/filtering); one less, and whoever reads the mails looks at the moment.
    """
    seconds = int(since.timestamp()) - 1
    after = [f"after:{seconds}"] if seconds > 0 else []
    return " ".join([_QUERY, *after, *more])
