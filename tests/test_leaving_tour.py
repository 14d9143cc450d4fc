"""What an administrator does when people leave, in a real browser."""

from datetime import datetime, timedelta, timezone

from odoo import Command
from odoo.tests import tagged

from .common import MailHttpCase


@tagged("post_install", "-at_install")
class TestLeavingTour(MailHttpCase):
    def setUp(self):
        super().setUp()
        self.sofia.password = "sofia.user" * 2
        self.sofia.group_ids = [
            Command.link(self.env.ref("base.group_partner_manager").id)
        ]
        self.at = datetime.now(timezone.utc) - timedelta(days=1)

    def tour(self, path, name):
        self.start_tour(f"/odoo/{path}", name, login=self.sofia.login)

    def test_the_conversations_of_somebody_who_left_are_handed_over(self):
        self.mailbox.share_level = "metadata"
        for sender in ("anna@acme.example", "bruno@beck.example"):
            self.receive(self.mailbox, sender=sender, subject="Secret", date=self.at)
        self.mira.action_archive()
        self.tour(
            "action-easycrm_mail.easycrm_email_account_action", "easycrm_hand_over_tour"
        )
        for contact in (self.anna, self.bruno):
            self.assertEqual(contact.activity_ids.user_id, self.jonas)

    def test_a_contact_is_deleted_with_its_emails(self):
        for mailbox in (self.mailbox, self.jonas_mailbox):
            self.receive(mailbox, sender="bruno@beck.example", date=self.at)
        emails = self.bruno.easycrm_email_link_ids.email_id
        self.tour(f"contacts/{self.bruno.id}", "easycrm_erase_tour")
        self.assertFalse(self.bruno.exists() or emails.exists())
