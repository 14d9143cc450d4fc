"""Installed, upgraded, removed and installed again, on a database that is in use."""

import pytest
from odoo_processes import cloned_database, command_odoo, needs_odoo, query

pytestmark = needs_odoo

USE = """
from odoo.addons.easycrm_mail.easycrm_mail.messages import parse
from odoo.addons.easycrm_mail.easycrm_mail.models.ingest import Ingest, Read
from odoo.addons.easycrm_mail.easycrm_mail.providers import RemoteMessage

env["res.partner"].create({"name": "Anna", "email": "Anna <a@x.example>, b@x.example"})
env["crm.lead"].create({"name": "Deal", "email_from": "a@x.example"})
account = env["easycrm.email.account"].create({"email": "mira@own.example"})
raw = b"From: a@x.example\\nTo: mira@own.example\\nMessage-ID: <1@x>\\n\\nHello"
env.cr.flush()
Ingest(account, "INBOX").store([Read(RemoteMessage("1:1", raw, True), parse(raw))])
email = env["easycrm.email"].search([])
assert len(email.link_ids) == 2, email.link_ids
env["ir.attachment"].create({
    "name": "offer.pdf", "raw": b"x", "res_model": "easycrm.email.attachment",
    "res_id": 1})
env["res.config.settings"].create({"easycrm_keep_attachments": False}).execute()
esp = env["easycrm.esp"].create({"provider": "sendgrid", "api_key": "k"})
mailing = env["mailing.mailing"].create({
    "subject": "Offer", "easycrm_esp_id": esp.id, "state": "sending",
    "body_html": "<p>Hello</p>",
    "mailing_model_id": env["ir.model"]._get_id("res.partner"),
    "mailing_domain": "[('name', '=', 'Anna')]"})
batch = env["easycrm.esp.batch"].create({
    "esp_id": esp.id, "mailing_id": mailing.id, "key": "1"})
env["mailing.trace"].create({
    "mass_mailing_id": mailing.id, "model": "res.partner", "res_id": 1,
    "email": "a@x.example", "easycrm_batch_id": batch.id})
past = env["mailing.mailing"].create({
    "subject": "Past", "easycrm_esp_id": False, "state": "done"})
anna = env["res.partner"].search([("name", "=", "Anna")])
env["mailing.trace"].create({
    "mass_mailing_id": past.id, "model": "res.partner", "res_id": anna.id,
    "trace_status": "sent", "sent_datetime": "2026-01-01", "message_id": "<past@x>"})
env.cr.commit()
"""

#: Odoo's own campaigns, when it is gone.
MAILING = """
mailing = env["mailing.mailing"].search([("subject", "=", "Offer")])
assert (mailing.state, mailing.canceled) == ("done", 1), mailing.state
env["mailing.mailing"]._process_mass_mailing_queue()
assert not env["mail.mail"].search([("mailing_id", "=", mailing.id)])
again = mailing.copy()
again.action_send_mail(env["res.partner"].search([("name", "=", "Anna")]).ids)
assert (again.state, again.expected) == ("done", 1), (again.state, again.expected)
mailing.unlink()
env.cr.rollback()
"""

REMOVE = """
env["ir.module.module"].search([("name", "=", "easycrm_mail")]).\\
    button_immediate_uninstall()
"""

#: What is left of the addon, and where.
LEFT = {
    "tables": "SELECT relname FROM pg_class WHERE relname LIKE 'easycrm%'",
    "crons": """SELECT cron_name FROM ir_cron
                WHERE cron_name SIMILAR TO '(Email|Campaigns): %'""",
    "settings": "SELECT key FROM ir_config_parameter WHERE key LIKE 'easycrm%'",
    "fields": "SELECT name FROM ir_model_fields WHERE name LIKE 'easycrm%'",
    "views": "SELECT name FROM ir_ui_view WHERE arch_db::text LIKE '%easycrm_mail%'",
    "files": "SELECT name FROM ir_attachment WHERE res_model LIKE 'easycrm%'",
}

ADDRESSES = """SELECT address, partner_id IS NULL FROM easycrm_email_address
               WHERE address LIKE '%@x.example' ORDER BY 1, 2"""


#: Whether what Anna got before stands on her timeline.
PAST = """SELECT easycrm_commercial_partner_id = res_id FROM mailing_trace
          WHERE message_id = '<past@x>'"""


@pytest.fixture(scope="module")
def database():
    with cloned_database("install") as name:
        command_odoo(name, "shell", "--no-http", script=USE)
        yield name


def test_it_is_upgraded_removed_and_installed_again(database):
    addresses = query(database, ADDRESSES)
    assert len(addresses) == 3
    server = "server", "--stop-after-init", "--no-http"

    command_odoo(database, *server, "-u", "easycrm_mail")
    assert query(database, ADDRESSES) == addresses
    assert query(database, "SELECT count(*) FROM easycrm_email_link") == [(2,)]

    command_odoo(database, "shell", "--no-http", script=REMOVE)
    left = {what: query(database, statement) for what, statement in LEFT.items()}
    assert left == {what: [] for what in LEFT}
    command_odoo(database, "shell", "--no-http", script=MAILING)
    partner = "SELECT email FROM res_partner WHERE name = 'Anna'"
    assert query(database, partner) == [("Anna <a@x.example>, b@x.example",)]

    command_odoo(database, *server, "-i", "easycrm_mail")
    assert query(database, ADDRESSES) == addresses
    assert query(database, PAST) == [(True,)]
