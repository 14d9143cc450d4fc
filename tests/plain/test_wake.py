"""Many who have the outbox looked at: one row for all, and nobody is missed."""

import pytest
from odoo_processes import cloned_database, needs_odoo, run_odoo

pytestmark = needs_odoo

PREPARE = """
from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import LockNotAvailable

from odoo import fields
from odoo.addons.base.models.ir_cron import IrCron

cron = env.ref("easycrm_mail.ir_cron_email_send")
Outgoing = env["easycrm.email.outgoing"].with_user(env.ref("base.user_admin"))
env.cr.execute("DELETE FROM ir_cron_trigger")
env.cr.commit()


def other():
    return env(cr=env.registry.cursor())


def count():
    env.cr.commit()
    env.cr.execute(
        "SELECT count(*) FROM ir_cron_trigger WHERE cron_id = %s", [cron.id])
    return env.cr.fetchone()[0]


def take(of):
    # as a run begins; it commits when it ends
    cron.with_env(of)._clear_schedule({"id": cron.id})
"""

BURST = (
    PREPARE
    + """
for _call in range(50):
    Outgoing.easycrm_wake()
    env.cr.commit()
assert count() == 1, count()
at = fields.Datetime.now() + timedelta(minutes=5)
for _call in range(1000):
    Outgoing._wake(at)
assert count() == 2, count()
"""
)

TAKEN = (
    PREPARE
    + """
Outgoing.easycrm_wake()
assert count() == 1
run = other()
take(run)
Outgoing.easycrm_wake()
assert count() == 2, "the run may have looked already"
run.cr.commit()
run.cr.close()
assert count() == 1, "another run follows"
"""
)

HELD = (
    PREPARE
    + """
Outgoing.easycrm_wake()
assert count() == 1
writer, run = other(), other()
Outgoing.with_env(writer)._wake()
try:
    run.cr.execute("SELECT FROM ir_cron_trigger FOR UPDATE NOWAIT")
    raise AssertionError("a run would not see what this one writes")
except LockNotAvailable:
    run.cr.rollback()
writer.cr.commit()
take(run)
run.cr.commit()
assert count() == 0
for one in (writer, run):
    one.cr.close()
"""
)

NOTIFIED = (
    PREPARE
    + """
cron._trigger(at=fields.Datetime.now() + timedelta(hours=1))
env.cr.execute("UPDATE ir_cron_trigger SET call_at = call_at - interval '2 hours'")
env.cr.commit()
with patch.object(IrCron, "_notifydb") as told:
    Outgoing.easycrm_wake()
    assert not told.called, "before it is committed"
    env.cr.commit()
assert told.called, "a moment that comes wakes nobody"
assert count() == 1
"""
)


@pytest.fixture(scope="module")
def database():
    with cloned_database("wake") as name:
        yield name


def test_all_who_want_it_at_one_moment_make_one_row(database):
    run_odoo(database, BURST).wait_for_success()


def test_a_run_that_has_begun_is_followed_by_another(database):
    run_odoo(database, TAKEN).wait_for_success()


def test_no_run_begins_before_it_can_see_what_it_is_for(database):
    run_odoo(database, HELD).wait_for_success()


def test_a_row_that_was_made_for_later_is_told_when_it_is_due(database):
    run_odoo(database, NOTIFIED).wait_for_success()
