"""Killed anywhere, or run twice at once: the mailbox's mail is here, exactly once.

Real commits and real processes: Odoo runs as in production, on a database of its own.
"""

import os
import random
import signal
import subprocess
import time
from email.message import EmailMessage

import psycopg2
import pytest
from servers.dovecot import Dovecot

pytestmark = pytest.mark.skipif(
    "EASYCRM_ODOO" not in os.environ,
    reason="needs a real Odoo: `make test` says where it is",
)

LOGIN, PASSWORD = "mira", "secret"
ADDRESS = "mira@own.example"
MAILS = 700

CONNECT = f"""
env["res.partner"].create({{"name": "Anna", "email": "anna@acme.example"}})
account = env["easycrm.email.account"].create({{
    "email": "{ADDRESS}", "imap_host": "127.0.0.1", "imap_port": %d,
    "imap_security": "none", "imap_login": "{LOGIN}", "imap_password": "{PASSWORD}",
}})
account.action_sync_now()
env.cr.commit()
"""

READ = """
for _round in range(50):
    env["easycrm.email.account"]._cron_backfill()
    env["easycrm.email.account"]._cron_sync()
    env.cr.commit()
    if env["easycrm.email.account"].search([]).last_sync:
        break
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
    name = f"{os.environ['EASYCRM_TEST_PREFIX']}crash"
    manage("clone", name)
    try:
        run_odoo(name, CONNECT % server.port).wait_for_success()
        yield name
    finally:
        manage("drop", name)


def manage(action, name):
    subprocess.run([os.environ["EASYCRM_DATABASE"], action, name], check=True)


class Odoo(subprocess.Popen):
    """An Odoo that runs a script."""

    def wait_for_success(self, timeout=120):
        out, _err = self.communicate(timeout=timeout)
        assert self.returncode == 0, out
        assert "Traceback" not in out, out


def run_odoo(database, script):
    process = Odoo(
        [
            os.environ["EASYCRM_ODOO"],
            "shell",
            "-d",
            database,
            "--no-http",
            "--log-level=warn",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    process.stdin.write(script)
    process.stdin.close()
    process.stdin = None
    return process


def query(database, statement):
    with (
        psycopg2.connect(dbname=database) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        return cursor.fetchall()


def count_emails(database):
    return query(database, "SELECT count(*) FROM easycrm_email")[0][0]


def assert_mailbox_is_here_once(database):
    """Compare mailbox and database mail by mail."""
    wanted = {f"<{number}@acme.example>" for number in range(MAILS)}
    rows = query(
        database,
        """
        SELECT email.message_id,
               count(DISTINCT copy.id), count(DISTINCT place.id),
               count(DISTINCT link.id), count(DISTINCT content.id),
               count(DISTINCT participant.id)
        FROM easycrm_email email
        LEFT JOIN easycrm_email_copy copy ON copy.email_id = email.id
        LEFT JOIN easycrm_email_location place ON place.copy_id = copy.id
        LEFT JOIN easycrm_email_link link ON link.email_id = email.id
        LEFT JOIN easycrm_email_content content ON content.email_id = email.id
        LEFT JOIN easycrm_email_participant participant
               ON participant.email_id = email.id
        GROUP BY email.id
        """,
    )
    assert len(rows) == MAILS
    assert {row[0] for row in rows} == wanted
    assert {row[1:] for row in rows} == {(1, 1, 1, 1, 2)}
    threads = query(database, "SELECT count(*) FROM easycrm_email_thread")[0][0]
    assert threads == MAILS // 10


def test_killed_in_mid_sync_nothing_is_lost_or_doubled(database):
    rng = random.Random(9)
    seen = []
    for _kill in range(4):
        process = run_odoo(database, READ)
        before, deadline = count_emails(database), time.monotonic() + 60
        while count_emails(database) == before and process.poll() is None:
            assert time.monotonic() < deadline, "nothing was read"
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.25))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        seen.append(count_emails(database))
    assert 0 < seen[0] < MAILS, (
        f"the first kill came too late to prove anything: {seen}"
    )
    run_odoo(database, READ).wait_for_success()
    assert_mailbox_is_here_once(database)


def test_two_workers_at_once_store_every_mail_once(database):
    workers = [run_odoo(database, READ) for _worker in range(2)]
    for worker in workers:
        worker.wait_for_success()
    assert_mailbox_is_here_once(database)
    state = query(database, "SELECT sync_status, failed_at FROM easycrm_email_account")
    assert state == [("ok", None)], "crossing each other is no failure"
