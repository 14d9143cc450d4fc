"""Of a mail that Gmail does not give: whose fault is it, and what becomes of it."""

import time

import pytest
from conftest import LONG_AGO
from gmail_mailbox import Mirror, connect, fill, running_gmail
from servers.gmail_answers import refusal

from easycrm_mail.providers import Budget, Gone, Permanent
from easycrm_mail.providers.gmail_api import GmailApi

ALWAYS = 1_000


@pytest.fixture
def gmail(monkeypatch):
    with running_gmail(monkeypatch) as server:
        yield server


@pytest.mark.parametrize(
    ("status", "reason"), [(400, "failedPrecondition"), (403, "forbidden")]
)
@pytest.mark.parametrize("count", [1, 5])
def test_one_mail_that_is_forbidden_holds_up_no_other(gmail, status, reason, count):
    refs = fill(gmail, 5)
    mirror, provider = Mirror(), connect(gmail)
    mirror.pull_all(provider)
    bad = fill(gmail, count, first=10)[0]
    answer = refusal(status, reason, "Precondition check failed.")
    gmail.break_(f"messages/{bad}", "answer", answer=answer, times=ALWAYS)
    mirror.pull_all(provider)
    assert list(mirror.set_aside) == [bad]
    assert "Precondition check failed." in mirror.set_aside[bad]
    assert len(mirror.mails) == len(refs) + count - 1


def test_a_mailbox_of_which_all_is_forbidden_is_said_so(gmail):
    fill(gmail, 5)
    answer = refusal(403, "domainPolicy", "told why")
    gmail.break_("messages/", "answer", answer=answer, times=ALWAYS)
    with pytest.raises(Permanent):
        connect(gmail).pull("all", "", LONG_AGO)


def test_what_fails_once_is_asked_again_though_the_budget_is_used_up(gmail):
    """The last page of a minute has no units left for asking again."""
    refs = fill(gmail, 30)
    budget = Budget(limit=655, window=2)  # (600 without the reserve: 29 mails)
    provider, mirror = connect(gmail, budget=budget), Mirror()
    answer = refusal(503, "backendError", "Backend Error")
    gmail.break_(f"messages/{refs[20]}", "answer", answer=answer)
    for _pull in range(6):
        batch = mirror.pull(provider)
        assert not batch.set_aside
        if not batch.more:
            break
        time.sleep(batch.pause)
    mirror.check(gmail)


def test_what_fails_once_is_no_mails_fault_while_gmail_asks_to_wait(gmail):
    refs = fill(gmail, 10)
    long = {"Retry-After": "60"}
    answer = refusal(429, "rateLimitExceeded", "slow down", long)
    gmail.break_(f"messages/{refs[4]}", "answer", answer=answer)
    answer = refusal(503, "backendError", "Backend Error")
    gmail.break_(f"messages/{refs[5]}", "answer", answer=answer)
    mirror, provider = Mirror(), connect(gmail)
    batch = mirror.pull(provider)
    assert not batch.set_aside and batch.pause == 60
    mirror.pull(provider)
    mirror.check(gmail)


def test_a_mail_that_always_fails_is_set_aside_with_little_budget_too(gmail):
    refs = fill(gmail, 40)
    bad = refs[20]
    budget = Budget(limit=655, window=1)
    provider, mirror = connect(gmail, budget=budget), Mirror()
    answer = refusal(503, "backendError", "Backend Error", {"Retry-After": "3600"})
    gmail.break_(f"messages/{bad}", "answer", answer=answer, times=ALWAYS)
    for _pull in range(12):
        batch = mirror.pull(provider)
        if not batch.more:
            break
        assert batch.pause < 5
        time.sleep(batch.pause)
    assert list(mirror.set_aside) == [bad] and len(mirror.mails) == 39


def test_a_label_that_goes_while_it_is_listed_is_gone(gmail):
    label = gmail.mailbox.label("Acme")
    for ref in fill(gmail, 520):
        gmail.mailbox.add_labels(ref, label)
    mirror, provider = Mirror(label), connect(gmail)
    while mirror.checkpoint == "" or '"backlog"' in mirror.checkpoint:
        assert mirror.pull(provider).more
    gmail.mailbox.delete_label(label)
    with pytest.raises(Gone):
        mirror.pull_all(provider)


def test_an_id_that_is_none_holds_up_no_mail(gmail, monkeypatch):
    """Nor one that comes twice."""
    fill(gmail, 3)
    list_ids, history = GmailApi.list_ids, GmailApi.history
    bad = ["a\0b", "\ud800", "é", "../labels", "", None]

    def forged_list(api, *args):
        answer = list_ids(api, *args)
        answer["messages"] = 2 * answer.get("messages", [])
        answer["messages"] += [{"id": one} for one in bad]
        return answer

    def forged_history(api, *args):
        answer = history(api, *args)
        events = [{"message": {"id": one}} for one in bad]
        record = {"id": args[0], "messagesAdded": events[:3]}
        record["messagesDeleted"] = events[3:]
        answer["history"] = [record, *answer.get("history", ())]
        return answer

    monkeypatch.setattr(GmailApi, "list_ids", forged_list)
    monkeypatch.setattr(GmailApi, "history", forged_history)
    mirror, provider = Mirror(), connect(gmail)
    mirror.pull_all(provider)
    fill(gmail, 1, first=5)
    mirror.pull_all(provider)
    mirror.check(gmail)
    assert len(mirror.handed) == 4 and not mirror.set_aside
    assert not any(batch.removals for batch in mirror.batches)
