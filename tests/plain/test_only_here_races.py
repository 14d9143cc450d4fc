"""A conversation is narrowed while others narrow it, and while its mail comes in."""

import pytest
from odoo_processes import cloned_database, needs_odoo, run_odoo

pytestmark = needs_odoo

ROOT = "<root@acme.example>"

# Mira has two opportunities of one person, and a conversation that stands on both.
PREPARE = f"""
from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.addons.easycrm_mail.tests.common import MailFixtures


class Fixtures(MailFixtures):
    pass


def fixtures(of):
    Fixtures.env, Fixtures.cr = of, of.cr
    return Fixtures


env.user.email = "mira@own.example"
mailbox = fixtures(env).connect(env.user)
chairs, tables = (
    Fixtures.add_lead(name, env.user, "anna@acme.example")
    for name in ("Chairs", "Tables")
)
first = Fixtures.receive(mailbox, message_id="{ROOT}")
thread = first.thread_id
assert first.link_ids.lead_id == chairs + tables
env.cr.commit()


def look(of):
    of.cr.execute("SELECT 1 FROM easycrm_email_thread")  # its snapshot is of now
    return of


def live():
    env.cr.commit()
    env.invalidate_all()
    links = env["easycrm.email.link"].search([("removed", "=", False)])
    return set(links.filtered("lead_id").mapped("lead_id.name"))


def other():
    return env(cr=env.registry.cursor())
"""

TWO_CHOOSE = (
    PREPARE
    + """
here, there = look(other()), look(other())
chairs.with_env(here).easycrm_only_here(thread.id)
here.cr.commit()
try:
    tables.with_env(there).easycrm_only_here(thread.id)
    there.cr.commit()
    raise AssertionError("the second has overlooked the first")
except SerializationFailure:
    there.cr.rollback()
    there.invalidate_all()
assert live() == {"Chairs"}, live()
for one in (here, there):
    one.cr.close()
"""
)

MAIL_COMES = (
    PREPARE
    + f"""
storing, choosing = look(other()), other()
chairs.with_env(choosing).easycrm_only_here(thread.id)
choosing.cr.commit()
late = fixtures(storing).receive(
    mailbox.with_env(storing), references=["{ROOT}"], subject="Late"
)
storing.cr.commit()
assert live() == {{"Chairs", "Tables"}}, "there was no race"
env["easycrm.email.thread"].browse(thread.id).only_again_at = fields.Datetime.now()
assert env["easycrm.email.thread"]._narrow_due()
assert live() == {{"Chairs"}}, live()
assert len(env["easycrm.email.link"].search([("lead_id", "=", chairs.id)])) == 2
for one in (storing, choosing):
    one.cr.close()
"""
)


@pytest.fixture
def database():
    with cloned_database("only_here") as name:
        yield name


def test_of_two_who_choose_at_once_the_second_begins_anew(database):
    run_odoo(database, TWO_CHOOSE).wait_for_success()


def test_mail_that_was_being_stored_follows_the_choice(database):
    run_odoo(database, MAIL_COMES).wait_for_success()
