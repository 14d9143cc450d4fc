"""Killed anywhere, what a rule leaves out is left out once, and read again once."""

from email.message import EmailMessage

import pytest
from odoo_processes import (
    READ,
    cloned_database,
    kill_in_mid_sync,
    needs_odoo,
    query,
    run_odoo,
)
from servers.dovecot import Dovecot

pytestmark = needs_odoo

LOGIN, PASSWORD = "mira", "secret"
ADDRESS = "mira@own.example"
MAILS = 500

CONNECT = f"""
env["easycrm.email.rule"].create({{"pattern": "bank.example"}})
account = env["easycrm.email.account"].create({{
    "email": "{ADDRESS}", "imap_host": "127.0.0.1", "imap_port": %d,
    "imap_security": "none", "imap_login": "{LOGIN}", "imap_password": "{PASSWORD}",
}})
account.action_sync_now()
env.cr.commit()
"""

REMOVE = """
rule = env["easycrm.email.rule"].search([])
env["easycrm.email.rule.remove"].create({"rule_id": rule.id}).action_remove_and_read()
env.cr.commit()
"""

# until nothing is left that was asked for again
READ_AGAIN = """
for _round in range(50):
    env["easycrm.email.account"]._cron_sync()
    env.cr.commit()
    if not env["easycrm.email.failure"].search_count([]):
        break
"""


@pytest.fixture
def database(tmp_path):
    with (
        cloned_database("crash_rules") as name,
        Dovecot(tmp_path / "dovecot", {LOGIN: PASSWORD}) as server,
    ):
        for number in range(MAILS):
            mail = EmailMessage()
            domain = "bank" if number % 2 else "acme"
            mail["From"] = f"x@{domain}.example"
            mail["To"] = ADDRESS
            mail["Subject"] = f"Number {number}"
            mail["Message-ID"] = f"<{number}@{domain}.example>"
            mail.set_content(f"This is number {number}. " + "x" * 3000)
            server.deliver(LOGIN, mail.as_bytes())
        run_odoo(name, CONNECT % server.port).wait_for_success()
        yield name


def count(database, domain):
    """Return how many emails of a domain are here, and how many places they have."""
    [row] = query(
        database,
        f"""SELECT count(DISTINCT email.id), count(place.id)
            FROM easycrm_email email
            LEFT JOIN easycrm_email_copy held ON held.email_id = email.id
            LEFT JOIN easycrm_email_location place ON place.copy_id = held.id
            WHERE email.message_id LIKE '%@{domain}.example>'""",
    )
    return row


def count_left_out(database):
    [row] = query(
        database,
        "SELECT count(*), count(DISTINCT mark) FROM easycrm_email_exclusion",
    )
    return row


def test_killed_in_mid_sync_the_rule_has_the_same_result(database):
    half = MAILS // 2
    seen = kill_in_mid_sync(database, times=2, within=0.15)
    assert 0 < seen[0] < half, f"the first kill came too late: {seen}"
    run_odoo(database, READ).wait_for_success()
    assert count(database, "acme") == (half, half)
    assert count(database, "bank") == (0, 0)
    assert count_left_out(database) == (half, half)

    run_odoo(database, REMOVE).wait_for_success()
    assert count_left_out(database) == (0, 0)
    seen = kill_in_mid_sync(database, times=1, within=0.3, script=READ_AGAIN)
    assert seen[0] < MAILS, f"the first kill came too late: {seen}"
    run_odoo(database, READ_AGAIN).wait_for_success()
    assert count(database, "acme") == (half, half)
    assert count(database, "bank") == (half, half)
    assert count_left_out(database) == (0, 0)
    state = query(database, "SELECT sync_status FROM easycrm_email_account")
    assert state == [("ok",)]
    assert query(database, "SELECT count(*) FROM easycrm_email_failure") == [(0,)]
