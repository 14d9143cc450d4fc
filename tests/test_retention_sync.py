"""What retention deleted is not brought back by a mailbox that is listed anew."""

from datetime import datetime, timedelta, timezone

from odoo.tests import TransactionCase, tagged

from ..easycrm_mail.models import easycrm_email_retention as retention
from .api_mailbox import ApiMailbox, GmailService, OutlookService
from .common import MailCase, MailFixtures, raw_mail
from .mailbox import RealMailbox


@tagged("post_install", "-at_install")
class TestRetentionSync(RealMailbox, MailCase):
    def test_a_mailbox_that_is_listed_anew_brings_nothing_back(self):
        now = datetime.now(timezone.utc)
        for subject, age in (("Old", 40), ("New", 2)):
            self.deliver(
                subject,
                sender="somebody@far.example",
                date=now - timedelta(days=age),
            )
        self.deliver("Anna", date=now - timedelta(days=40))
        self.start()
        self.assertEqual(self.get_subjects(), ["Anna", "New", "Old"])
        self.env["ir.config_parameter"].set_param(retention.DAYS, "10")
        self.env["easycrm.email"]._gc_unlinked()
        self.assertEqual(self.get_subjects(), ["Anna", "New"])
        self.account.folder_ids.write({"checkpoint": False, "settled": False})
        self.run_cron("_cron_backfill")
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.assertTrue(
            all(self.account.folder_ids.filtered("selected").mapped("settled"))
        )
        self.assertEqual(self.get_subjects(), ["Anna", "New"])
        # the mailbox is as it was
        self.assertEqual(len(self.server.held(self.login)), 3)

    def test_what_was_deleted_with_a_contact_does_not_come_back_either(self):
        self.deliver("One", sender="bruno@beck.example")
        self.start()
        self.assertEqual(self.get_subjects(), ["One"])
        erase = self.env["easycrm.email.erase"].create(
            {"partner_ids": self.bruno.ids, "emails": "delete"}
        )
        erase.action_erase()
        self.account.folder_ids.write({"checkpoint": False, "settled": False})
        self.deliver("Two", sender="bruno@beck.example")
        self.run_cron("_cron_backfill")
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.assertEqual(self.get_subjects(), ["Two"])

    def get_subjects(self):
        copies = self.env["easycrm.email.copy"].search(
            [("account_id", "=", self.account.id)]
        )
        return sorted(copies.email_id.sudo().mapped("subject"))


class RetentionApi(ApiMailbox, MailFixtures):
    """A mailbox whose checkpoint expires is listed anew."""

    allow_inherited_tests_method = True

    def test_a_mailbox_that_is_listed_anew_brings_nothing_back(self):
        now = datetime.now(timezone.utc)
        for subject, age, sender in (
            ("Old", 40, "somebody@far.example"),
            ("New", 2, "somebody@far.example"),
            ("Anna", 40, "anna@acme.example"),
        ):
            at = now - timedelta(days=age)
            raw = raw_mail(sender, self.address, subject=subject, date=at)
            self.service.deliver(self.address, raw, received=at)
        self.sign_in()
        self.run_crons()
        self.assertEqual(self.get_subjects(), ["Anna", "New", "Old"])
        self.env["ir.config_parameter"].set_param(retention.DAYS, "10")
        self.env["easycrm.email"]._gc_unlinked()
        self.assertEqual(self.get_subjects(), ["Anna", "New"])
        held = self.service.contents(self.address)
        self.service.expire_checkpoint(self.address)
        self.run_crons(2)
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.assertEqual(self.get_subjects(), ["Anna", "New"])
        self.assertEqual(self.service.contents(self.address), held)

    def get_subjects(self):
        copies = self.env["easycrm.email.copy"].search(
            [("account_id", "=", self.account.id)]
        )
        return sorted(copies.email_id.sudo().mapped("subject"))


@tagged("post_install", "-at_install")
class TestRetentionGmail(RetentionApi, TransactionCase):
    service_class = GmailService


@tagged("post_install", "-at_install")
class TestRetentionOutlook(RetentionApi, TransactionCase):
    service_class = OutlookService
