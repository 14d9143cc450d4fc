"""Mailings to people through the senders on loopback, for tests of them."""

import re
import time
from unittest.mock import patch

from odoo.tests import TransactionCase

from ..easycrm_mail.models.easycrm_esp_send import BulkRun
from .servers.mailgun import MailgunServer
from .servers.sendgrid import SendGridServer

SEND = "POST /v3/mail/send"

MODELS = "odoo.addons.easycrm_mail.easycrm_mail.models"
WIZARDS = "odoo.addons.easycrm_mail.easycrm_mail.wizards"

BODY = """
<div class="o_layout" style="background-color: #fff;">
  <p>Hello <t t-out="object.name">you</t>, <b t-out="object.city">nowhere</b></p>
  <a href="/shop?a=1&amp;b=2">Shop</a> <a href="https://example.com/x">X</a>
  <a href="/unsubscribe_from_list">Unsubscribe</a> <a href="/view">View</a>
</div>
"""


class MailingCase(TransactionCase):
    """Contacts, and mailings to them through the senders on loopback."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sendgrid = cls.enterClassContext(SendGridServer())
        cls.mailgun = cls.enterClassContext(MailgunServer())
        cls.startClassPatcher(_environ(EASYCRM_SENDGRID_API_URL=cls.sendgrid.url))
        cls.startClassPatcher(_environ(EASYCRM_MAILGUN_API_URL=cls.mailgun.url))
        cls.esp = cls.env["easycrm.esp"].create(
            {"provider": "sendgrid", "api_key": cls.sendgrid.key}
        )
        cls.other = cls.env["easycrm.esp"].create(
            {
                "provider": "mailgun",
                "api_key": cls.mailgun.key,
                "domain": cls.mailgun.domain,
            }
        )
        cls.tags = cls.env["res.partner.category"].create(
            [{"name": "Gold & silver"}, {"name": "Blue"}]
        )

    def setUp(self):
        super().setUp()
        for server in (self.sendgrid, self.mailgun):
            server.mend()
            server.deliveries.__init__()
            server.calls.clear()

    def make_people(self, count, **values):
        return self.env["res.partner"].create(
            [
                {
                    "name": f"Person <{number}> & Söhne",
                    "email": f"p{number}@example.com",
                    "city": f"City {number}" if number % 3 else False,
                    "category_id": self.tags[: number % 3].ids,
                    **values,
                }
                for number in range(count)
            ]
        )

    def make_mailing(self, people, body=BODY, esp=None, **values):
        return self.env["mailing.mailing"].create(
            {
                "name": "Spring",
                "subject": "Spring offer",
                "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                "mailing_domain": repr([("id", "in", people.ids)]),
                "body_html": body,
                "easycrm_esp_id": (esp or self.esp).id,
                "email_from": '"News" <news@tallwood.example>',
                "reply_to_mode": "new",
                "reply_to": "sales@tallwood.example",
                **values,
            }
        )

    def send(self, mailing):
        mailing.state = "sending"
        mailing._action_send_mail()
        self.hand_over()

    def hand_over(self):
        """Run the cron, whose commits are savepoints in here."""
        self.env.flush_all()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            BulkRun(self.env(cr=cr)).run()
        self.env.invalidate_all()

    def statuses(self, mailing):
        return {trace.email: trace.trace_status for trace in self.traces(mailing)}

    def traces(self, mailing):
        return self.env["mailing.trace"].search([("mass_mailing_id", "=", mailing.id)])

    def render_by_odoo(self, mailing):
        """What Odoo itself would send: {address: (subject, body)}."""
        composer = (
            self.env["mail.compose.message"]
            .with_context(
                active_ids=mailing._get_remaining_recipients(),
                default_composition_mode="mass_mail",
            )
            .create(
                {
                    "auto_delete": True,
                    "body": mailing._prepend_preview(
                        mailing.body_html or "", mailing.preview
                    ),
                    "composition_mode": "mass_mail",
                    "email_from": mailing.email_from,
                    "mass_mailing_id": mailing.id,
                    "model": mailing.mailing_model_real,
                    "reply_to_force_new": True,
                    "reply_to": mailing.reply_to,
                    "subject": mailing.subject,
                    "template_id": False,
                }
            )
        )
        values = composer._manage_mail_values(
            composer._prepare_mail_values(composer._evaluate_res_ids())
        )
        mails = self.env["mail.mail"].sudo().create(list(values.values()))
        found = {}
        for mail in mails:
            for sent in mail._prepare_outgoing_list():
                body = re.sub(r'\n<img src="[^"]*blank.gif"/?>\n', "", sent["body"])
                (address,) = sent["email_to_normalized"]
                found[address] = (sent["subject"], body.strip())
        return found


class QueueCase(MailingCase):
    """Mailings that Odoo's own cron takes up."""

    def process(self):
        self.env.flush_all()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["mailing.mailing"]._process_mass_mailing_queue()
        self.env.invalidate_all()

    def run_out_of_time(self, cron):
        """Let everything be a run of a job of Odoo's whose time is up already."""
        self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]).unlink()
        progress = self.env["ir.cron.progress"].create(
            {"cron_id": cron.id, "done": 0, "remaining": 0}
        )
        context = {
            **self.env.context,
            "cron_id": cron.id,
            "ir_cron_progress_id": progress.id,
            "cron_end_time": time.monotonic() - 1,
        }
        self.env = self.env(context=context)
        return progress

    def assert_it_goes_on_later(self, progress):
        # (else Odoo makes ten runs of it, however long they take)
        progress.invalidate_recordset()
        self.assertTrue(progress.done)
        self.assertFalse(progress.remaining)
        self.assertTrue(
            self.env["ir.cron.trigger"].search([("cron_id", "=", progress.cron_id.id)])
        )


def _environ(**values):
    return patch.dict("os.environ", values)
