"""What a folder of Microsoft 365 holds of the last days: ids and dates, no mails."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timezone

from .base import Held
from .errors import Retry
from .graph_client import GraphClient, is_ref
from .outlook_delta import moment
from .outlook_folders import folder_path

#: As many as Graph gives in a page.
PAGE_MAILS = 1_000
#: Pages of one call of ours.
MAX_PAGES = 5


def held_since(
    client: GraphClient, stream: str, starts: Sequence[datetime], page: str
) -> Held:
    """The ids of a folder. See `base.Provider.held`.

    :param page: Graph's link to its next page
    """
    refs: dict[str, int] = {}
    for _page in range(MAX_PAGES):
        answer = client.follow(page) if page else _first(client, stream, starts[0])
        items = answer.get("value")
        if not isinstance(items, list):
            raise Retry("answer", "this is no list of emails")
        for item in items:
            ref = item.get("id") if isinstance(item, dict) else None
            received = moment(item.get("receivedDateTime")) if is_ref(ref) else None
            if received is None or item.get("isDraft"):
                continue
            span = bisect_right(starts, received) - 1
            if span >= 0:
                refs[ref] = span
        before, page = page, str(answer.get("@odata.nextLink") or "")
        if not page:
            break
        if page == before:
            raise Retry("answer", "the list does not go on")
    return Held(refs, page)


def _first(client: GraphClient, stream: str, since: datetime) -> dict:
    since = since.astimezone(timezone.utc)
    return client.get(
        f"{folder_path(stream)}/messages",
        **{
            "$select": "id,receivedDateTime,isDraft",
            "$filter": f"receivedDateTime ge {since:%Y-%m-%dT%H:%M:%SZ}",
            "$orderby": "receivedDateTime desc",
            "$top": str(PAGE_MAILS),
        },
    )
