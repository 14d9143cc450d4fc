"""Settings while the sync runs: never an error, and the wish comes true.

Real commits and real processes: what a running cron holds is the lock on its row.
"""

from contextlib import contextmanager

import psycopg2
import pytest
from odoo_processes import cloned_database, needs_odoo, run_odoo

pytestmark = needs_odoo

CRON = """SELECT res_id FROM ir_model_data
          WHERE module = 'easycrm_mail' AND name = 'ir_cron_email_sync'"""

HELPERS = """
from time import monotonic
from odoo.service.model import retrying

def save(**values):
    names = {f"easycrm_{name}": value for name, value in values.items()}
    retrying(lambda: env["res.config.settings"].create(names).execute(), env)
    env.cr.commit()

def run(name):
    env.ref(f"easycrm_mail.{name}").method_direct_trigger()
    env.cr.commit()

def read_row():
    cron = env.ref("easycrm_mail.ir_cron_email_sync")
    cron.invalidate_recordset()
    return cron.active, cron.interval_number, cron.interval_type

account = env["easycrm.email.account"].search([], limit=1)
"""

#: A mailbox without a password: it fails at once as soon as the sync takes it on.
MAILBOX = """
account = account.create({
    "email": "mira@own.example", "imap_host": "127.0.0.1", "sync_status": "ok",
    "folder_ids": [(0, 0, {"stream": "INBOX", "name": "INBOX", "role": "inbox",
                           "selected": True, "settled": True})],
})
env.cr.commit()
"""

WHILE_IT_RUNS = """
start = monotonic()
save(sync_enabled=False, sync_minutes=7)
assert monotonic() - start < 10, "saving has waited for the cron"
assert read_row() == (True, 5, "minutes"), "the row is locked"
# off is obeyed at once, though the row says otherwise
account._cron_sync()
assert account.sync_status == "ok", account.last_error
# the backfill cron does not stumble over it, and comes again
run("ir_cron_email_backfill")
assert read_row() == (True, 5, "minutes")
assert env["ir.cron.trigger"].search_count([
    ("cron_id", "=", env.ref("easycrm_mail.ir_cron_email_backfill").id),
    ("call_at", ">", env.cr.now())])
# the page shows what was wished for
names = ["easycrm_sync_enabled", "easycrm_sync_minutes"]
values = env["res.config.settings"].default_get(names)
assert [values[name] for name in names] == [False, 7], values
"""

WHEN_IT_IS_FREE = """
run("ir_cron_email_backfill")
assert read_row() == (False, 7, "minutes")
save(sync_enabled=True)
assert read_row() == (True, 7, "minutes")
account._cron_sync()
assert account.sync_status == "error", "it is read again"
"""

OLD_SNAPSHOT = """
assert read_row() == (True, 7, "minutes")
print("ready", flush=True)
env.cr.execute("SELECT pg_advisory_xact_lock(19)")
save(sync_minutes=8)
assert read_row() == (True, 8, "minutes")
"""


@pytest.fixture(scope="module")
def database():
    with cloned_database("settings") as name:
        yield name


def start_odoo(database, script):
    return run_odoo(database, HELPERS + script)


@contextmanager
def connect(database):
    connection = psycopg2.connect(dbname=database)
    try:
        yield connection.cursor()
    finally:
        connection.close()


def lock_row(cursor):
    """Hold the sync cron's row as Odoo's worker does while the cron runs."""
    cursor.execute(
        f"SELECT id FROM ir_cron WHERE id = ({CRON}) FOR NO KEY UPDATE SKIP LOCKED"
    )
    assert cursor.fetchone()


def test_settings_are_saved_while_the_cron_runs_and_followed_when_it_is_free(database):
    with connect(database) as cursor:
        lock_row(cursor)
        start_odoo(database, MAILBOX + WHILE_IT_RUNS).wait_for_success()
    start_odoo(database, WHEN_IT_IS_FREE).wait_for_success()


def test_a_run_that_ends_while_settings_are_saved_is_no_error(database):
    """The worker then has just written the row: it is newer than our snapshot."""
    with connect(database) as row, connect(database) as gate:
        gate.execute("SELECT pg_advisory_lock(19)")
        lock_row(row)
        process = start_odoo(database, OLD_SNAPSHOT)
        while "ready" not in (line := process.stdout.readline()):
            assert line, "the process has ended before"
        row.execute(f"UPDATE ir_cron SET lastcall = now() WHERE id = ({CRON})")
        row.connection.commit()
        gate.execute("SELECT pg_advisory_unlock(19)")
        process.wait_for_success()
