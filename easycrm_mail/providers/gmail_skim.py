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
    look = _Look(api, stream, since, until)
    end = done + size
    while True:
        refs, following, guess = look.read_ids(token)
        taken = look.take(refs[offset:][: end - done])
        offset, done = offset + taken, done + taken
        is_page_over = offset >= len(refs)
        if not (is_page_over and following) or done >= end or look.is_late():
            break
        offset, token = 0, following
    left = max(len(refs) - offset, 0)
    is_over = is_page_over and not following
    return Skim(
        glances=tuple(look.glances),
        position="" if is_over else f"{done}:{offset}:{token}",
        done=done,
        total=max(done + left, guess if following else 0),
        is_estimate=bool(following),
        pause=look.pause,
    )


def _read_position(position: str) -> tuple[int, int, str]:
    done, _colon, rest = position.partition(":")
    offset, _colon, token = rest.partition(":")
    if len(position) < 2_000 and done.isdecimal() and offset.isdecimal():
        return int(done[:9]), min(int(offset[:9]), LIST_PAGE), token
    return 0, 0, ""


class _Look:
    """What one page has found so far.

    :ivar pause: seconds that Gmail wants to be left alone
    """

    def __init__(self, api: GmailApi, stream: str, since: datetime, until: datetime):
        self._api = api
        self._stream = stream
        self._since, self._until = since, until
        self._deadline = monotonic() + SKIM_SECONDS
        self.glances: list[Glance] = []
        self.pause = 0.0

    def is_late(self) -> bool:
        """Whether the page ends here."""
        return monotonic() > self._deadline

    def read_ids(self, token: str) -> tuple[list[str], str, int]:
        """A page of ids, the token of the next, and Gmail's guess how many there are in
        all."""
        query = query_of(self._since, f"before:{int(self._until.timestamp())}")
        label = label_of(self._stream)
        try:
            answer = self._api.list_ids(query, label, token)
        except Exception as error:
            if label and status_of(error) == 400:
                raise Gone("folder", "there is no such label any more") from None
            raise
        refs = [str(one["id"]) for one in answer.get("messages", ())]
        following = str(answer.get("nextPageToken") or "")
        return refs, following, int(answer.get("resultSizeEstimate") or 0)

    def take(self, refs: Sequence[str]) -> int:
        """Looks at mails, as far as Gmail and the time let it; how many that were."""
        taken = 0
        while taken < len(refs) and not (taken and self.is_late()):
            chunk = refs[taken : taken + MAX_BATCH]
            try:
                found = self._ask(chunk)
            except _Pause as asked:
                self.pause = asked.args[0]
                break
            self.glances += [one for one in found if self._is_within(one)]
            taken += len(chunk)
        return taken

    def _ask(self, refs: Sequence[str]) -> list[Glance]:
        """The mails of one batch; what is gone meanwhile is left out."""
        cost = COST_GET * len(refs)
        if self._api.budget.left() < cost:
            raise _Pause(max(self._api.budget.wait(cost), 1.0))
        found = []
        for ref, answer in self._api.get_many(refs, "metadata", FIELDS).items():
            if isinstance(answer, dict):
                if holds(self._stream, answer.get("labelIds") or ()):
                    head = head_of(answer.get("payload") or {})
                    received = moment(answer.get("internalDate"))
                    found.append(glance(ref, head, received))
                continue
            failure = translate(answer)
            if isinstance(failure, Gone):
                continue
            if isinstance(failure, Retry) and failure.code == "busy":
                raise _Pause(failure.retry_after or _PAUSE)
            raise failure
        return found

    def _is_within(self, one: Glance) -> bool:
        at = one.received_at
        return at is None or self._since <= at < self._until
