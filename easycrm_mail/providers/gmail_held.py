"""What a Gmail stream holds of the last days: ids, and nothing of the mails.

A list of ids has no dates; each span is listed by itself, by the second.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from time import monotonic

from .base import Held
from .errors import Gone, Retry
from .gmail_api import COST_LIST, GmailApi, refs_of
from .gmail_errors import status_of
from .gmail_labels import label_of, query_of

#: Seconds of one call of ours, after which the next goes on.
CALL_SECONDS = 10


def held_since(
    api: GmailApi, stream: str, starts: Sequence[datetime], page: str
) -> Held:
    """The ids of a stream. See `base.Provider.held`.

    :param page: the span that is being listed, and Gmail's token of its next page
    """
    span, token = json.loads(page) if page else (0, "")
    refs: dict[str, int] = {}
    deadline = monotonic() + CALL_SECONDS
    while span < len(starts):
        is_late = monotonic() > deadline
        if is_late or api.budget.left() < COST_LIST:
            pause = 0 if is_late else api.budget.wait(COST_LIST)
            return Held(refs, json.dumps([span, token]), pause)
        end = starts[span + 1] if span + 1 < len(starts) else None
        if end == starts[span]:
            span += 1
            continue
        answer = _list(api, stream, starts[span], end, token)
        # (the one second that two spans share belongs to the later)
        refs |= dict.fromkeys(refs_of(answer.get("messages", ())), span)
        before, token = token, str(answer.get("nextPageToken") or "")
        if token and token == before:
            raise Retry("answer", "the list does not go on")
        span += not token
    return Held(refs)


def _list(
    api: GmailApi, stream: str, start: datetime, end: datetime | None, token: str
) -> dict:
    until = [f"before:{int(end.timestamp())}"] if end else []
    label = label_of(stream)
    try:
        return api.list_ids(query_of(start, *until), label, token)
    except Exception as error:
        if status_of(error) != 400:
            raise
        if token:
            # It holds for a while only: all is asked anew some other time.
            raise Retry("answer", "the list cannot be gone on with") from None
        if label:
            raise Gone("folder", "there is no such label any more") from None
        raise
