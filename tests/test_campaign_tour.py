import json

from odoo import Command
from odoo.tests import HttpCase, tagged

from odoo.addons.mail.tests.common import mail_new_test_user

from .mailing_case import MailingCase
from .servers.bulk import now

LIST = "/odoo/action-mass_mailing.mailing_mailing_action_mail"


@tagged("post_install", "-at_install")
class TestCampaignTour(MailingCase, HttpCase):
    """A campaign in a real browser: written, sent through SendGrid, and told of."""

    def setUp(self):
        super().setUp()
        self.mia = mail_new_test_user(
            self.env,
            "mia.campaign",
            name="Mia",
            groups="base.group_user,mass_mailing.group_mass_mailing_user",
        )
        self.mia.password = self.mia.login * 2
        self.esp.write(
            {"webhook_key": self.sendgrid.verification_key, "domain": "ours.example"}
        )
        contacts = self.env["mailing.contact"].create(
            [{"name": f"P{n}", "email": f"p{n}@example.com"} for n in range(4)]
        )
        contacts[3].email = contacts[0].email
        self.env["mailing.list"].create(
            {
                "name": "Hotels of the tour",
                "contact_ids": [Command.set(contacts.ids)],
            }
        )
        self.env.flush_all()
        self.env.invalidate_all()

    def tour(self, url, name):
        self.start_tour(url, name, login=self.mia.login)

    def test_write_send_and_see_what_became_of_it(self):
        self.tour(LIST, "easycrm_campaign_write_tour")
        mailing = self.env["mailing.mailing"].search(
            [("subject", "=", "Offer of the tour")]
        )
        self.assertEqual(
            (mailing.state, mailing.easycrm_esp_id), ("in_queue", self.esp)
        )
        self.run_queue()
        self.assertEqual(mailing.state, "sending")
        url = f"{LIST}/{mailing.id}"
        self.tour(url, "easycrm_campaign_sending_tour")
        self.assertFalse(mailing.easycrm_paused)
        self.hand_over()
        self.assertEqual(mailing.state, "done")
        self.report(mailing)
        self.tour(url, "easycrm_campaign_results_tour")

    def run_queue(self):
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["mailing.mailing"]._process_mass_mailing_queue()
        self.env.invalidate_all()

    def report(self, mailing):
        """Have the sender report, by its signed webhook, and apply it."""
        event, mails = self.sendgrid.event, self.sendgrid.deliveries.all()
        self.assertEqual(len(mails), 3)
        at = now()
        events = [
            event(mails[0], "delivered"),
            event(mails[1], "delivered"),
            event(mails[0], "open", timestamp=at + 60),
            event(mails[0], "open", timestamp=at + 90),
            event(mails[1], "open", timestamp=at + 60, sg_machine_open=True),
            event(mails[2], "bounce", type="bounce", reason="550 5.1.1 unknown"),
        ]
        body = json.dumps(events).encode()
        headers = {"Content-Type": "application/json", **self.sendgrid.sign(body)}
        path = f"/easycrm_mail/webhook/sendgrid/{self.esp.webhook_token}"
        answer = self.url_open(path, data=body, headers=headers)
        self.assertEqual(answer.status_code, 200)
        self.env.invalidate_all()
        self.env["easycrm.esp.event"]._apply_page()
        self.env.flush_all()
