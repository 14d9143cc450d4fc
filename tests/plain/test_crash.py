"""Killed anywhere, or run twice at once: the mailbox's mail is here, exactly once.

Real commits and real processes: Odoo runs as in production, on a database of its own.
"""

import time
from email.message import EmailMessage

import pytest
from odoo_processes import (
    READ,
    assert_mailbox_is_here_once,
    cloned_database,
    count_emails,
    kill_in_mid_sync,
    needs_odoo,
    query,
    run_odoo,
)
from servers.dovecot import Dovecot

pytestmark = needs_odoo

LOGIN, PASSWORD = "mira", "secret"
ADDRESS = "mira@own.example"
MAILS = 700

LOSE = """
copies = env["easycrm.email.copy"].search([], limit=300)
emails = copies.email_id
copies.unlink()
emails.unlink()
env["easycrm.email.account"].search([]).action_compare_now()
env.cr.commit()
"""

HEAL = """
for _round in range(50):
    env["easycrm.email.account"]._cron_sync()
    env.cr.commit()
    account = env["easycrm.email.account"].search([])
    if account.checked_at and not account.gap_count:
        break
"""

CONNECT = f"""
env["res.partner"].create({{"name": "Anna", "email": "anna@acme.example"}})
account = env["easycrm.email.account"].create({{
    "email": "{ADDRESS}", "imap_host": "127.0.0.1", "imap_port": %d,
    "imap_security": "none", "imap_login": "{LOGIN}", "imap_password": "{PASSWORD}",
}})
account.action_sync_now()
env.cr.commit()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Dovecot(tmp_path_factory.mktemp("dovecot"), {LOGIN: PASSWORD}) as dovecot:
        for number in range(MAILS):
            mail = EmailMessage()
            mail["From"] = "Anna <anna@acme.example>"
            mail["To"] = ADDRESS
            mail["Subject"] = f"Number {number}"
            mail["Message-ID"] = f"<{number}@acme.example>"
            mail["References"] = f"<{number // 10 * 10}@acme.example>"
            mail.set_content(f"This is number {number}. " + "x" * 3000)
            dovecot.deliver(LOGIN, mail.as_bytes())
        yield dovecot


@pytest.fixture
def database(server):
    with cloned_database("crash") as name:
        run_odoo(name, CONNECT % server.port).wait_for_success()
        yield name


def test_killed_in_mid_sync_nothing_is_lost_or_doubled(database):
    seen = kill_in_mid_sync(database, times=4, within=0.25)
    assert 0 < seen[0] < MAILS, (
        f"the first kill came too late to prove anything: {seen}"
    )
    run_odoo(database, READ).wait_for_success()
    assert_mailbox_is_here_once(database, MAILS)


def test_killed_while_it_heals_it_is_never_green_and_ends_whole(database):
    run_odoo(database, READ).wait_for_success()
    run_odoo(database, LOSE).wait_for_success()
    for _kill in range(3):
        before, deadline = count_emails(database), time.monotonic() + 180
        process = run_odoo(database, HEAL)
        while count_emails(database) < before + 10 and process.poll() is None:
            assert time.monotonic() < deadline, "nothing was healed"
            assert_not_green_over_a_gap(database)
            time.sleep(0.005)
        process.kill_at_once()
        assert_not_green_over_a_gap(database)
    assert count_emails(database) < MAILS, "the kills came too late to prove anything"
    run_odoo(database, HEAL).wait_for_success()
    assert_mailbox_is_here_once(database, MAILS)
    [state] = query(
        database, "SELECT sync_status, week_recovered FROM easycrm_email_account"
    )
    assert state == ("ok", 300)


def assert_not_green_over_a_gap(database):
    green = query(
        database,
        """SELECT count(*) FROM easycrm_email_gap gap
           JOIN easycrm_email_account account ON account.id = gap.account_id
           WHERE account.sync_status = 'ok'""",
    )
    assert green == [(0,)]


def test_two_workers_at_once_store_every_mail_once(database):
    workers = [run_odoo(database, READ) for _worker in range(2)]
    for worker in workers:
        worker.wait_for_success()
    assert_mailbox_is_here_once(database, MAILS)
    state = query(database, "SELECT sync_status, failed_at FROM easycrm_email_account")
    assert state == [("ok", None)], "crossing each other is no failure"
