"""A Gmail mailbox is listed whole, page by page, whatever happens meanwhile."""

import json
from datetime import datetime, timedelta, timezone

import pytest
from conftest import LONG_AGO, mail
from gmail_mailbox import Mirror, connect, fill
from servers.web import Answer

from easycrm_mail.providers import gmail_api, gmail_history


def test_a_first_sync_brings_every_mail_once(gmail, provider):
    fill(gmail, 120)
    mirror = Mirror().pull_all(provider)
    mirror.check(gmail)
    assert sorted(mirror.handed) == sorted(gmail.mailbox.mails)
    assert mirror.settled
    last = mirror.batches[-1]
    assert (last.done, last.total, last.settled) == (120, 120, True)


def test_what_a_first_sync_costs_in_calls(gmail, provider):
    fill(gmail, 620)
    Mirror().pull_all(provider).check(gmail)
    paths = [line.partition("?")[0].rpartition("/")[2] for line in gmail.calls]
    counts = {path: paths.count(path) for path in paths}
    # 500 and 120 ids, each with a look for large ones; 50 mails a batch.
    assert counts == {"profile": 1, "messages": 4, "v1": 13, "history": 12}
    assert len(gmail.parts) == 620


def test_an_idle_poll_is_one_call(gmail, provider):
    fill(gmail, 3)
    mirror = Mirror().pull_all(provider)
    gmail.calls.clear()
    batch = mirror.pull(provider)
    assert [line.partition("?")[0] for line in gmail.calls] == [
        "GET /gmail/v1/users/me/history"
    ]
    assert not (batch.messages or batch.changes or batch.removals or batch.more)
    assert batch.total == 0 and not batch.settled and not batch.reset


def test_an_empty_mailbox_is_settled_at_once(gmail, provider):
    batch = provider.pull("all", "", LONG_AGO)
    assert batch.settled and not batch.more and not batch.messages


def test_dying_between_any_two_pulls_is_harmless(gmail):
    """Every pull is made twice by a new provider; the answer of the first is lost."""
    fill(gmail, 130)
    mirror = Mirror()
    for round_ in range(20):
        lost = connect(gmail).pull("all", mirror.checkpoint, LONG_AGO)
        if round_ == 1:
            fill(gmail, 5, first=1_000)
        batch = mirror.pull(connect(gmail))
        known = {one.ref for one in lost.messages}
        again = {one.ref for one in batch.messages}
        assert known <= again or round_ == 1
        if not batch.more:
            break
    mirror.check(gmail)
    assert sorted(mirror.handed) == sorted(gmail.mailbox.mails)


def test_the_same_checkpoint_gives_the_same_page(gmail, provider):
    fill(gmail, 70)
    first = provider.pull("all", "", LONG_AGO)
    once = provider.pull("all", first.checkpoint, LONG_AGO)
    assert once == connect(gmail).pull("all", first.checkpoint, LONG_AGO)


def test_mail_that_arrives_during_the_listing_comes_before_the_rest(gmail, provider):
    fill(gmail, 120)
    mirror = Mirror()
    mirror.pull(provider)
    [new] = fill(gmail, 1, first=500)
    batch = mirror.pull(provider)
    assert [one.ref for one in batch.messages] == [new]
    mirror.pull_all(provider).check(gmail)
    assert sorted(mirror.handed) == sorted(gmail.mailbox.mails)
    assert mirror.batches[-1].done == mirror.batches[-1].total == 121


def test_the_newest_comes_first(gmail, provider):
    refs = fill(gmail, 60)
    mirror = Mirror().pull_all(provider)
    assert mirror.handed == refs[::-1]


def test_mail_that_goes_during_the_listing_is_no_loss(gmail, provider):
    refs = fill(gmail, 120)
    mirror = Mirror()
    mirror.pull(provider)
    gmail.mailbox.delete(refs[0])
    gmail.mailbox.trash(refs[1])
    gmail.mailbox.delete(refs[119])
    mirror.pull_all(provider).check(gmail)
    assert len(mirror.handed) == 118
    assert mirror.batches[-1].done == mirror.batches[-1].total == 120


def test_what_was_listed_and_is_gone_when_it_is_fetched_is_skipped(gmail, provider):
    refs = fill(gmail, 5)
    for ref in refs[1:3]:
        gone = {"error": {"code": 404, "message": "Requested entity was not found."}}
        gmail.break_(f"messages/{ref}", "answer", answer=Answer(gone, 404))
    mirror = Mirror().pull_all(provider)
    assert set(mirror.handed) == {refs[0], *refs[3:]}
    assert not mirror.set_aside and mirror.settled


def test_drafts_spam_trash_and_chats_are_left_alone(gmail, provider):
    [kept] = fill(gmail, 1)
    for number, label in enumerate(["DRAFT", "SPAM", "TRASH", "CHAT"]):
        fill(gmail, 1, first=10 + number, labels=[label])
    before = gmail.mailbox.snapshot()
    mirror = Mirror().pull_all(provider)
    assert mirror.handed == [kept]
    for number, label in enumerate(["DRAFT", "SPAM", "TRASH", "CHAT"]):
        fill(gmail, 1, first=20 + number, labels=[label, "UNREAD"])
        before = gmail.mailbox.snapshot()
    mirror.pull_all(provider).check(gmail)
    assert mirror.handed == [kept]
    assert gmail.mailbox.snapshot() == before


def test_archived_mail_is_part_of_the_whole(gmail, provider):
    refs = fill(gmail, 2, labels=[])
    assert sorted(Mirror().pull_all(provider).handed) == sorted(refs)


def test_mail_from_before_the_window_is_left_alone(gmail, provider):
    now = datetime.now(timezone.utc).replace(microsecond=400_000)
    since = now - timedelta(days=30)
    moments = [-1, -0.2, 0, 0.2, 1]
    refs = [
        gmail.mailbox.deliver(mail(n), at=since.timestamp() + moment)
        for n, moment in enumerate(moments)
    ]
    mirror = Mirror(since=since).pull_all(provider)
    assert sorted(mirror.handed) == refs[2:]
    # Nor is it taken when it is touched, or put in later.
    gmail.mailbox.trash(refs[0])
    gmail.mailbox.untrash(refs[0])
    gmail.mailbox.deliver(mail(9), at=since.timestamp() - 86_400)
    mirror.pull_all(provider)
    assert sorted(mirror.handed) == refs[2:]


def test_a_mail_says_when_it_came_whether_it_is_read_and_its_thread(gmail, provider):
    at = 1_741_082_400.5
    first = gmail.mailbox.deliver(mail(1), ["INBOX"], at=at)
    reply = mail(2).replace(b"\r\n\r\n", b"\r\nIn-Reply-To: <1@example.com>\r\n\r\n", 1)
    second = gmail.mailbox.deliver(reply, ["INBOX", "UNREAD"], at=at + 60)
    one, two = sorted(
        provider.pull("all", "", LONG_AGO).messages, key=lambda each: each.ref
    )
    assert (one.ref, two.ref) == (first, second)
    assert one.received_at == datetime.fromtimestamp(at, timezone.utc)
    assert (one.is_read, two.is_read) == (True, False)
    assert one.thread_ref == two.thread_ref == first
    assert one.raw == mail(1) and not one.headers_only


@pytest.mark.parametrize(
    "checkpoint",
    [
        "junk",
        "{}",
        "[]",
        "null",
        '{"gmail":0,"history":"1"}',
        '{"gmail":1}',
        '{"gmail":1,"history":"x"}',
        '{"gmail":1,"history":"1","listing":[1]}',
        '{"imap":1,"at":[1,2,3,4,5],"known":""}',
    ],
)
def test_a_checkpoint_that_is_not_ours_begins_anew(gmail, provider, checkpoint):
    fill(gmail, 3)
    batch = provider.pull("all", checkpoint, LONG_AGO)
    assert batch.reset and batch.settled and len(batch.messages) == 3


def test_a_forgotten_history_begins_anew_within_the_window(gmail, provider):
    fill(gmail, 60)
    mirror = Mirror().pull_all(provider)
    refs = fill(gmail, 4, first=100)
    gmail.mailbox.delete(refs[0])
    gmail.mailbox.expire_history()
    batch = mirror.pull(provider)
    assert batch.reset and batch.more
    mirror.pull_all(provider).check(gmail)
    assert mirror.settled


def test_a_page_token_that_is_refused_lists_from_the_beginning(gmail, provider):
    fill(gmail, 520)
    mirror = Mirror()
    while "backlog" in (mirror.checkpoint or "backlog"):
        mirror.pull(provider)
    state = json.loads(mirror.checkpoint)
    state["page"] = "spent"
    mirror.checkpoint = json.dumps(state)
    mirror.pull_all(provider).check(gmail)
    assert mirror.settled and not any(batch.reset for batch in mirror.batches)


def test_it_goes_on_while_the_history_is_long(gmail, provider, monkeypatch):
    monkeypatch.setattr(gmail_api, "LIST_PAGE", 20)
    monkeypatch.setattr(gmail_history, "MAX_PAGES", 2)
    fill(gmail, 10)
    mirror = Mirror().pull_all(provider)
    refs = fill(gmail, 110, first=100)
    for ref in refs[::2]:
        gmail.mailbox.mark_read(ref)
    gmail.mailbox.trash(refs[3])
    assert mirror.pull(provider).more
    mirror.pull_all(provider).check(gmail)
    assert sorted(mirror.handed) == sorted({*gmail.mailbox.mails} - {refs[3]})
