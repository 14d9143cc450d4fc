"""A look at the headers of a Gmail stream, of which nothing is kept."""

from collections.abc import Sequence
from datetime import datetime
from time import monotonic

from .base import SKIM_SECONDS, Glance, Skim
from .errors import Gone, Retry
from .gmail_api import COST_GET, LIST_PAGE, MAX_BATCH, GmailApi
from .gmail_errors import status_of, translate
from .gmail_labels import holds, label_of, query_of
from .gmail_page import moment
from .gmail_structure import head_of
from .skim_glance import FIELDS, glance

# Where Gmail says that it was asked too often, but not for how long.
_PAUSE = 20.0


class _Pause(Exception):
    """Gmail wants to be left alone for so many seconds."""


def skim(
    api: GmailApi,
    stream: str,
    since: datetime,
    until: datetime,
    position: str,
    size: int,
) -> Skim:
    """See `base.Provider.skim`. The position is how many mails were looked at, how many
    of them of the page of ids that is under way, and the token of that page."""
    done, offset, token = _read_position(position)
    query = query_of(since, f"before:{int(until.timestamp())}")
    label = label_of(stream)
    deadline = monotonic() + SKIM_SECONDS
    glances: list[Glance] = []
    end, pause = done + size, 0.0
    while True:
        answer = _list(api, query, label, token)
        refs = [str(one["id"]) for one in answer.get("messages", ())]
        following = str(answer.get("nextPageToken") or "")
        while offset < len(refs) and done < end and not pause:
            chunk = refs[offset : offset + min(MAX_BATCH, end - done)]
            try:
                found = _look(api, stream, chunk)
            except _Pause as asked:
                pause = asked.args[0]
                break
            glances += [one for one in found if _is_within(one, since, until)]
            offset, done = offset + len(chunk), done + len(chunk)
            if monotonic() > deadline:
                end = done
        total = done + max(len(refs) - offset, 0)
        if offset < len(refs) or done >= end or pause or not following:
            break
        offset, token = 0, following
    is_over = offset >= len(refs) and not following
    if following:
        # (of the whole list; of small lists it is exact)
        total = max(int(answer.get("resultSizeEstimate") or 0), total + 1)
    return Skim(
        glances=tuple(glances),
        position="" if is_over else f"{done}:{offset}:{token}",
        done=done,
        total=total,
        is_estimate=bool(following),
        pause=pause,
    )


def _read_position(position: str) -> tuple[int, int, str]:
    done, _colon, rest = position.partition(":")
    offset, _colon, token = rest.partition(":")
    if len(position) < 2_000 and done.isdecimal() and offset.isdecimal():
        return int(done[:9]), min(int(offset[:9]), LIST_PAGE), token
    return 0, 0, ""


def _list(api: GmailApi, query: str, label: str, token: str) -> dict:
    try:
        return api.list_ids(query, label, token)
    except Exception as error:
        if label and status_of(error) == 400:
            raise Gone("folder", "there is no such label any more") from None
        raise


def _look(api: GmailApi, stream: str, refs: Sequence[str]) -> list[Glance]:
    """The mails of one batch; what is gone meanwhile is left out."""
    cost = COST_GET * len(refs)
    if api.budget.left() < cost:
        raise _Pause(max(api.budget.wait(cost), 1.0))
    found = []
    for ref, answer in api.get_many(refs, "metadata", FIELDS).items():
        if isinstance(answer, dict):
            if holds(stream, answer.get("labelIds") or ()):
                head = head_of(answer.get("payload") or {}) or b""
                found.append(glance(ref, head, moment(answer.get("internalDate"))))
            continue
        failure = translate(answer)
        if isinstance(failure, Gone):
            continue
        if isinstance(failure, Retry) and failure.code == "busy":
            raise _Pause(failure.retry_after or _PAUSE)
        raise failure
    return found


def _is_within(one: Glance, since: datetime, until: datetime) -> bool:
    return one.received_at is None or since <= one.received_at < until
