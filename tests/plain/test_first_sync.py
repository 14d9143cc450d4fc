"""The first mailbox is read at one pace, whatever PostgreSQL takes the tables for.

Real commits and a connection that lasts: in a test's own transaction nothing is ever
planned as it is here.
"""

import os
import subprocess

import psycopg2
import pytest
from servers.dovecot import Dovecot

pytestmark = pytest.mark.skipif(
    "EASYCRM_ODOO" not in os.environ,
    reason="needs a real Odoo: `make test` says where it is",
)

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
    name = f"{os.environ['EASYCRM_TEST_PREFIX']}first"
    manage("clone", name)
    try:
        yield name
    finally:
        manage("drop", name)


def manage(action, name):
    subprocess.run([os.environ["EASYCRM_DATABASE"], action, name], check=True)


def run_in_odoo(database, script):
    done = subprocess.run(
        [
            *(os.environ["EASYCRM_ODOO"], "shell", "-d", database),
            *("--no-http", "--log-level=warn"),
        ],
        input=script,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0 and "Traceback" not in done.stdout, done.stdout


def test_new_mail_does_not_scan_tables_that_were_analysed_empty(tmp_path, database):
    with Dovecot(tmp_path / "dovecot", {LOGIN: PASSWORD}) as server:
        for number in range(MAILS):
            raw = (
                f"From: anna@acme.example\r\nTo: mira@own.example\r\n"
                f"Subject: Number {number}\r\nMessage-ID: <{number}@acme.example>\r\n"
                f"Date: Tue, 4 Mar 2025 10:00:00 +0000\r\n\r\nGood morning.\r\n"
            )
            server.deliver(LOGIN, raw.encode())
        run_in_odoo(database, READ % server.port)
    with psycopg2.connect(dbname=database) as connection, connection.cursor() as cr:
        cr.execute(
            """
            SELECT relname, seq_tup_read FROM pg_stat_user_tables
            WHERE relname = ANY(%s)
            """,
            [list(TABLES)],
        )
        rows = dict(cr.fetchall())
    connection.close()
    # Where these tables are scanned, thousands of rows are looked at for each of the
    # last mails; before that is seen, hundreds for each of the first.
    assert rows.keys() == set(TABLES)
    assert max(rows.values()) < 500 * MAILS, rows
