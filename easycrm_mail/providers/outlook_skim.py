"""A look at the headers of an Outlook folder, of which nothing is kept.

https://learn.microsoft.com/en-us/graph/api/user-list-messages: what is ordered by must
come first in the filter.
"""

from datetime import datetime, timezone
from time import monotonic

from .base import SKIM_SECONDS, Glance, Skim
from .graph_client import GraphClient
from .graph_errors import translate
from .outlook_delta import moment
from .outlook_folders import folder_path
from .skim_glance import FIELDS, glance

PAGE_MAILS = 100
_PEOPLE = {
    "from": "From",
    "toRecipients": "To",
    "ccRecipients": "Cc",
    "bccRecipients": "Bcc",
}
# Mail that was written here has none of the header that mail gets on its way.
_SELECT = ",".join(
    [
        "id",
        "internetMessageId",
        "internetMessageHeaders",
        "isDraft",
        "receivedDateTime",
        "subject",
        *_PEOPLE,
    ]
)
_MARKS = frozenset(
    name.lower()
    for name in FIELDS
    if name not in (*_PEOPLE.values(), "Message-ID", "Subject")
)
# Where Graph says that it was asked too often, but not for how long.
_PAUSE = 20.0


def skim(
    client: GraphClient,
    stream: str,
    since: datetime,
    until: datetime,
    position: str,
    size: int,
) -> Skim:
    """See `base.Provider.skim`. The position is how many mails were looked at."""
    done = int(position) if position.isdecimal() and len(position) < 9 else 0
    first, end = done, done + size
    deadline = monotonic() + SKIM_SECONDS
    glances: list[Glance] = []
    total, pause, is_over = done, 0.0, False
    while True:
        wanted = min(PAGE_MAILS, end - done)
        try:
            page = _page(client, stream, since, until, done, max(wanted, 1))
        except Exception as error:
            failure = translate(error)
            pause = getattr(failure, "retry_after", None) or 0
            if failure.code != "busy" or (not pause and done == first):
                raise
            pause = pause or _PAUSE
            break
        items = [one for one in page.get("value") or () if isinstance(one, dict)]
        count = page.get("@odata.count")
        total = max(count if isinstance(count, int) else 0, done + len(items))
        if wanted <= 0:
            is_over = not total
            break
        glances += [_glance(one) for one in items if not one.get("isDraft")]
        done += len(items)
        is_over = done >= total or not items
        if is_over or done >= end or monotonic() > deadline:
            break
    return Skim(
        glances=tuple(glances),
        position="" if is_over else str(done),
        done=done,
        total=max(total, done),
        pause=pause,
    )


def _page(
    client: GraphClient,
    stream: str,
    since: datetime,
    until: datetime,
    done: int,
    size: int,
) -> dict:
    return client.get(
        f"{folder_path(stream)}/messages",
        **{
            "$select": _SELECT,
            "$filter": f"receivedDateTime ge {_text(since)} and "
            f"receivedDateTime lt {_text(until)}",
            "$orderby": "receivedDateTime desc",
            "$count": "true",
            "$top": str(size),
            "$skip": str(done),
        },
    )


def _text(moment_: datetime) -> str:
    return moment_.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _glance(item: dict) -> Glance:
    lines = [
        ("Message-ID", item.get("internetMessageId")),
        ("Subject", item.get("subject")),
    ]
    for field, name in _PEOPLE.items():
        people = item.get(field)
        for one in people if isinstance(people, list) else [people]:
            address = ((one or {}).get("emailAddress") or {}).get("address")
            lines.append((name, f"<{address}>" if address else ""))
    for one in item.get("internetMessageHeaders") or ():
        if str(one.get("name")).lower() in _MARKS:
            lines.append((one["name"], one.get("value")))
    head = "\r\n".join(
        f"{name}: {' '.join(str(value).split())}" for name, value in lines if value
    )
    received = moment(item.get("receivedDateTime"))
    return glance(str(item.get("id")), head.encode("utf-8", "replace"), received)
