"""The first mailbox is read at one pace, whatever PostgreSQL takes the tables for.

Real commits and a connection that lasts: in a test's own transaction nothing is ever
planned as it is here.
"""

import pytest
from odoo_processes import cloned_database, needs_odoo, query, run_odoo
from servers.dovecot import Dovecot

pytestmark = needs_odoo

LOGIN, PASSWORD = "mira", "secret"
MAILS = 2_000

#: Tables that the foreign keys of every new mail point at.
TABLES = ("easycrm_email", "easycrm_email_copy", "easycrm_email_thread")

READ = f"""
env["res.partner"].create({{"name": "Anna", "email": "anna@acme.example"}})
account = env["easycrm.email.account"].create({{
    "email": "mira@own.example", "imap_host": "127.0.0.1", "imap_port": %d,
    "imap_security": "none", "imap_login": "{LOGIN}", "imap_password": "{PASSWORD}",
}})
account.action_sync_now()
env.cr.commit()
env.cr.execute("ANALYZE")  # as it is done to a database that was restored
env.cr.commit()
env["easycrm.email.account"]._cron_backfill()
assert env["easycrm.email.copy"].search_count([]) == {MAILS}
"""


@pytest.fixture
def database():
    with cloned_database("first") as name:
        yield name


def test_new_mail_does_not_scan_tables_that_were_analysed_empty(tmp_path, database):
    with Dovecot(tmp_path / "dovecot", {LOGIN: PASSWORD}) as server:
        for number in range(MAILS):
            raw = (
                f"From: anna@acme.example\r\nTo: mira@own.example\r\n"
                f"Subject: Number {number}\r\nMessage-ID: <{number}@acme.example>\r\n"
                f"Date: Tue, 4 Mar 2025 10:00:00 +0000\r\n\r\nGood morning.\r\n"
            )
            server.deliver(LOGIN, raw.encode())
        run_odoo(database, READ % server.port).wait_for_success()
    read = "SELECT relname, seq_tup_read FROM pg_stat_user_tables"
    rows = dict(query(database, f"{read} WHERE relname IN {TABLES}"))
    # Where these tables are scanned, thousands of rows are looked at for each of the
    # last mails; before that is seen, hundreds for each of the first.
    assert rows.keys() == set(TABLES)
    assert max(rows.values()) < 500 * MAILS, rows
