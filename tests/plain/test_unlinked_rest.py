"""Killed anywhere, by two workers at once, or crossed by its Undo: a step with many
emails changes each of them once, and an undone one leaves nothing behind."""

import random
import time

import pytest
from odoo_processes import cloned_database, needs_odoo, query, run_odoo

pytestmark = needs_odoo

MAILS, SLICE = 600, 10

SETUP = f"""
from odoo.addons.easycrm_mail.easycrm_mail.messages import parse
from odoo.addons.easycrm_mail.easycrm_mail.models.ingest import Ingest, Read
from odoo.addons.easycrm_mail.easycrm_mail.providers import RemoteMessage

mira = env["res.users"].create({{
    "name": "Mira", "login": "mira", "email": "mira@own.example",
    "group_ids": [(4, env.ref("sales_team.group_sale_manager").id)]}})
account = env["easycrm.email.account"].create({{
    "email": "mira@own.example", "user_id": mira.id, "imap_host": "127.0.0.1",
    "sync_status": "paused"}})
env["res.partner"].create({{"name": "Company", "is_company": True}})
raws = [(f"From: x{{n}}@stray.example\\r\\nTo: mira@own.example\\r\\n"
         f"Subject: {{n}}\\r\\nMessage-ID: <{{n}}@stray.example>\\r\\n"
         f"Date: Tue, 4 Mar 2025 10:00:00 +0000\\r\\n\\r\\nHello").encode()
        for n in range({MAILS})]
Ingest(account.sudo(), "INBOX").store(
    [Read(RemoteMessage(f"1:{{n}}", raw, True), parse(raw))
     for n, raw in enumerate(raws)])
env.cr.commit()
"""

HELPERS = f"""
from odoo.service.model import retrying
type(env["easycrm.email.batch"])._slice = {SLICE}

def act(function):
    mira = env["res.users"].search([("login", "=", "mira")])
    copies = env["easycrm.email.copy"].with_user(mira)
    result = retrying(lambda: function(copies), env)
    env.cr.commit()
    return result

def waiting(copies):
    return copies.unlinked_ids([])["ids"][:1]
"""

IGNORE = """
act(lambda copies: copies.ignore(waiting(copies), "domain"))
"""
TEACH = """
company = env["res.partner"].search([("name", "=", "Company")])
done = act(lambda copies: copies.link_to(waiting(copies), "res.partner", company.id))
act(lambda copies: copies.teach(done["batch"], "domain"))
"""
UNDO = """
batch = env["easycrm.email.batch"].search([], limit=1).id
act(lambda copies: copies.undo(batch))
"""
GO_ON = """
env["easycrm.email.account"]._cron_backfill()
env.cr.commit()
"""
#: The cron is at it in a thread, with a cursor of its own.
UNDO_ACROSS = """
import threading, time

def go_on():
    with env.registry.cursor() as cr:
        env(cr=cr)["easycrm.email.account"]._cron_backfill()

def count():
    env.cr.rollback()
    return env["easycrm.email.batch.line"].search_count([])

before = count()
cron = threading.Thread(target=go_on)
cron.start()
while count() == before and cron.is_alive():
    time.sleep(0.005)
assert cron.is_alive(), "the cron was faster"
act(lambda copies: copies.undo(env["easycrm.email.batch"].search([], limit=1).id))
cron.join()
"""

#: The slices of the cron follow each other, so that its step is never free.
UNDO_BUSY = """
import threading, time

busy, stop = threading.Event(), threading.Event()

def hold():
    # (as a slice does: its row is locked, and changed)
    while not stop.is_set():
        with env.registry.cursor() as cr:
            cr.execute("UPDATE easycrm_email_batch SET done_count = done_count + 1")
            busy.set()
            stop.wait(0.3)

tries = []

def undo(copies):
    tries.append(1)
    return copies.undo(env["easycrm.email.batch"].search([], limit=1).id)

cron = threading.Thread(target=hold)
cron.start()
busy.wait()
env.cr.rollback()
try:
    for _click in range(2):
        answer = act(undo)
        assert "Undoing" in answer["message"], answer
    # its snapshot is older than the slice that was committed since
    env.cr.rollback()
    env.cr.execute("SELECT 1")
    time.sleep(0.8)
    answer = act(undo)
    assert "Undoing" in answer["message"], answer
finally:
    stop.set()
    cron.join()
assert len(tries) == 3, "it was tried anew"
env.cr.rollback()
assert not env["easycrm.email.batch"].search([("undone_at", "!=", False)])
"""


@pytest.fixture
def database():
    with cloned_database("unlinked_rest") as name:
        yield name


def start(database, script):
    return run_odoo(database, f"exec({HELPERS + script!r})\n")


def count_waiting(database):
    [[count]] = query(
        database,
        """SELECT count(*) FROM easycrm_email_copy
           WHERE is_unlinked IS TRUE AND ignored IS NOT TRUE""",
    )
    return count


def wait_for_change(database, process):
    before, deadline = count_waiting(database), time.monotonic() + 180
    while count_waiting(database) == before and process.poll() is None:
        assert time.monotonic() < deadline, "nothing was done"
        time.sleep(0.005)


def kill_in_the_middle(database):
    """Let the cron go on, and kill it at a random moment; return how many wait then."""
    process = start(database, GO_ON)
    wait_for_change(database, process)
    time.sleep(random.Random(6).uniform(0, 0.1))
    process.kill_at_once()
    return count_waiting(database)


def finish_by_two(database):
    workers = [start(database, GO_ON) for _worker in range(2)]
    for worker in workers:
        worker.wait_for_success()
    assert query(
        database, "SELECT count(*) FROM easycrm_email_batch WHERE todo IS NOT NULL"
    ) == [(0,)]


def assert_counts(database):
    """Assert that the badge says what is so."""
    [[badge]] = query(
        database,
        "SELECT coalesce(sum(mails), 0) FROM easycrm_email_tally WHERE NOT is_ignored",
    )
    assert badge == count_waiting(database)


def count_lines(database):
    """Return how many emails the step has changed, and how many of them twice."""
    [row] = query(
        database,
        """SELECT count(DISTINCT email_id), count(*) - count(DISTINCT email_id)
           FROM easycrm_email_batch_line
           WHERE batch_id = (SELECT max(id) FROM easycrm_email_batch)""",
    )
    return row


@pytest.mark.parametrize("script", [IGNORE, TEACH], ids=["ignored", "taught"])
def test_killed_in_the_middle_each_mail_is_changed_once(database, script):
    start(database, SETUP + script).wait_for_success()
    first = count_waiting(database)
    assert MAILS - 3 * SLICE < first < MAILS, "the click does no more than a slice"
    assert first > kill_in_the_middle(database) > 0, "the kill came too late"
    finish_by_two(database)
    assert count_waiting(database) == 0
    assert count_lines(database) == (MAILS, 0)
    assert_counts(database)

    start(database, UNDO).wait_for_success()
    assert 0 < count_waiting(database) < 3 * SLICE
    assert kill_in_the_middle(database) < MAILS, "the kill came too late"
    finish_by_two(database)
    assert count_waiting(database) == MAILS
    assert query(database, "SELECT count(*) FROM easycrm_email_link") == [(0,)]
    assert query(database, "SELECT count(*) FROM easycrm_email_rule") == [(0,)]
    assert_counts(database)


@pytest.mark.parametrize("script", [IGNORE, TEACH], ids=["ignored", "taught"])
def test_undone_while_the_cron_is_at_it_nothing_is_left_of_it(database, script):
    start(database, SETUP + script + UNDO_ACROSS).wait_for_success()
    finish_by_two(database)
    assert count_waiting(database) == MAILS
    assert query(database, "SELECT count(*) FROM easycrm_email_link") == [(0,)]
    assert_counts(database)


@pytest.mark.parametrize("script", [IGNORE, TEACH], ids=["ignored", "taught"])
def test_undo_does_not_wait_for_a_busy_cron_which_takes_all_back(database, script):
    start(database, SETUP + script + UNDO_BUSY).wait_for_success()
    finish_by_two(database)
    assert count_waiting(database) == MAILS
    assert query(database, "SELECT count(*) FROM easycrm_email_link") == [(0,)]
    assert query(database, "SELECT count(*) FROM easycrm_email_rule") == [(0,)]
    assert query(database, "SELECT count(*) FROM easycrm_email_batch_wish") == [(0,)]
    assert_counts(database)
