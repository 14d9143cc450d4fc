"""A sync keeps within what Gmail allows one mailbox, and never waits long itself."""

import time

import pytest
from conftest import LONG_AGO
from gmail_mailbox import Mirror, connect, fill
from servers.gmail_answers import refusal

from easycrm_mail.providers import Budget


class Clock:
    """A wall's clock that is set by hand."""

    def __init__(self, now: float = 1_000_000.0):
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_first_sync_keeps_within_the_limit(gmail):
    """Each pull by a session of its own, the budget being kept as a text."""
    gmail.limit, gmail.window = 2_400, 1.0
    fill(gmail, 300)
    kept, mirror = "", Mirror()
    while True:
        budget = Budget.load(kept, limit=2_400, window=1.0)
        batch = mirror.pull(connect(gmail, budget=budget))
        kept = budget.dump()
        time.sleep(batch.pause)
        if not batch.more:
            break
    mirror.check(gmail)
    assert gmail.refused == 0
    assert len(mirror.handed) == 300


def test_it_ends_whole_though_it_is_refused(gmail):
    """The limit is less than was thought: another program uses it as well."""
    gmail.limit, gmail.window = 1_500, 0.5
    fill(gmail, 120)
    mirror = Mirror().pull_all(connect(gmail))
    mirror.check(gmail)
    assert gmail.refused and mirror.settled and not mirror.set_aside
    assert len(mirror.handed) == 120


def test_a_budget_that_is_used_up_pauses_without_asking(gmail):
    fill(gmail, 60)
    budget = Budget()
    mirror, provider = Mirror(), connect(gmail, budget=budget)
    mirror.pull(provider)
    budget.spend(6_000)
    gmail.parts.clear()
    started = time.monotonic()
    batch = mirror.pull(provider)
    assert time.monotonic() - started < 20
    assert not gmail.parts and not batch.messages
    assert batch.more and 50 < batch.pause < 70


def test_an_idle_poll_is_made_though_the_budget_is_used_up(gmail):
    refs = fill(gmail, 3)
    budget = Budget()
    mirror, provider = Mirror(), connect(gmail, budget=budget)
    mirror.pull_all(provider)
    budget.spend(6_000)
    gmail.mailbox.trash(refs[0])
    batch = mirror.pull(provider)
    assert batch.removals == [refs[0]] and not batch.more and not batch.pause


def test_a_page_that_uses_it_up_says_when_to_go_on(gmail):
    fill(gmail, 120)
    budget = Budget()
    budget.spend(4_000)
    batch = connect(gmail, budget=budget).pull("all", "", LONG_AGO)
    assert len(batch.messages) == 50
    assert batch.more and 50 < batch.pause < 70


def test_as_many_are_fetched_as_fit(gmail):
    fill(gmail, 120)
    budget = Budget()
    budget.spend(5_200)
    batch = connect(gmail, budget=budget).pull("all", "", LONG_AGO)
    assert 5 < len(batch.messages) < 20 and batch.more and batch.pause


def test_a_short_wait_is_slept(gmail):
    fill(gmail, 3)
    answer = refusal(429, "rateLimitExceeded", "soon", {"Retry-After": "1"})
    gmail.break_("messages/", "answer", answer=answer)
    batch = connect(gmail).pull("all", "", LONG_AGO)
    assert len(batch.messages) == 3 and not batch.pause


def test_what_was_spent_comes_back_after_the_window(clock):
    budget = Budget(limit=1_200, window=60, clock=clock)
    assert budget.left() == 1_100
    budget.spend(600)
    clock.now += 30
    budget.spend(400)
    assert budget.left() == 100
    assert budget.wait(100) == 0
    assert budget.wait(500) == pytest.approx(33)
    assert budget.wait(1_100) == budget.wait(9_999) == pytest.approx(63)
    clock.now += 34
    assert budget.left() == 700


def test_it_outlives_its_session_in_few_words(clock):
    budget = Budget(clock=clock)
    for _call in range(3_000):
        budget.spend(2)
        clock.now += 0.03
    kept = budget.dump()
    assert len(kept) < 2_000
    again = Budget.load(kept, clock=clock)
    assert again.left() == budget.left() and again.dump() == kept


@pytest.mark.parametrize(
    "text",
    ["", "junk", "{}", "[1]", "[[1]]", '[["a",2]]', "null", "[[NaN,1]]", "[" * 99_999]
    + ["[[1e400,1]]", "[[1,1e400]]", "[[null,1]]", "[[1000000,-5]]"],
)
def test_a_text_that_is_not_ours_counts_as_nothing(text, clock):
    assert Budget.load(text, clock=clock).left() >= 0
    assert len(Budget.load(text, clock=clock).dump()) < 100


def test_a_clock_that_is_set_back_blocks_nobody_for_long(clock):
    budget = Budget(clock=clock)
    budget.spend(6_000)
    clock.now -= 86_400
    assert budget.wait(20) <= 63
    clock.now += 64
    assert budget.left() == 5_500


def test_a_budget_keeps_to_the_limit_in_every_window(clock):
    budget = Budget(limit=600, window=60, clock=clock)
    spent = []
    for _second in range(400):
        clock.now += 0.7
        if budget.left() >= 20:
            budget.spend(20)
            spent.append(clock.now)
    for start in spent:
        assert sum(20 for at in spent if start <= at < start + 60) <= 600
    assert len(spent) > 100
