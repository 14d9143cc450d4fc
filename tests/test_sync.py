from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import Form, TransactionCase, tagged
from odoo.tools import mute_logger

from odoo.addons.base.tests.test_ir_cron import CronMixinCase

from ..easycrm_mail.models import sync_run, sync_store
from .common import raw_mail
from .mailbox import PASSWORD, RealMailbox


@tagged("post_install", "-at_install")
class TestSync(RealMailbox, TransactionCase, CronMixinCase):
    """A real mailbox on a real Dovecot, read by the crons."""

    def get_subjects(self, contact):
        timeline = contact.with_user(self.mira).easycrm_timeline()
        return [
            email["subject"]
            for conversation in timeline["conversations"]
            for email in conversation["emails"]
        ]

    def test_a_mail_in_the_mailbox_stands_on_its_contact(self):
        self.deliver("Offer for 40 chairs")
        self.start()
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.assertEqual(self.account.sync_stage, "idle")
        self.assertTrue(self.account.last_sync)
        self.assertEqual(self.get_subjects(self.anna), ["Offer for 40 chairs"])

    def test_sent_mail_is_outbound(self):
        self.deliver(
            "Our offer",
            folder="Sent",
            sender=self.account.email,
            to="anna@acme.example",
        )
        self.start()
        emails = self.anna.easycrm_email_link_ids.email_id
        self.assertEqual(emails.mapped("direction"), ["outbound"])

    def test_the_five_minute_cron_brings_what_is_new_and_nothing_twice(self):
        self.deliver("First")
        self.start()
        self.deliver("Second")
        self.run_cron()
        self.run_cron()
        self.assertEqual(self.get_subjects(self.anna), ["Second", "First"])
        self.assertEqual(self.account.sync_status, "ok")

    def test_a_first_reading_is_not_the_five_minute_crons_work(self):
        self.deliver("First")
        self.account.with_user(self.mira).action_sync_now()
        self.run_cron("_cron_sync")
        self.assertFalse(self.account.last_sync)
        self.run_cron("_cron_backfill")
        self.assertTrue(self.account.last_sync)

    def test_off_in_the_settings_is_obeyed_at_once(self):
        self.start()
        self.deliver("Late")
        parameters = self.env["ir.config_parameter"].sudo()
        parameters.set_param("easycrm_mail.sync_enabled", "False")
        self.run_cron()
        self.assertFalse(self.get_subjects(self.anna))
        parameters.set_param("easycrm_mail.sync_enabled", "True")
        self.run_cron()
        self.assertEqual(self.get_subjects(self.anna), ["Late"])

    def test_a_wrong_password_asks_for_it_and_the_new_one_mends_it(self):
        self.deliver("Offer")
        self.account.imap_password = "wrong"
        self.start()
        self.assertEqual(self.account.sync_status, "error")
        self.assertEqual(self.account.last_error_kind, "reconnect")
        self.account.with_user(self.mira).imap_password = PASSWORD
        self.start()
        self.assertEqual(self.account.sync_status, "ok")
        self.assertEqual(self.get_subjects(self.anna), ["Offer"])

    def test_a_server_that_does_not_answer_is_tried_again(self):
        self.start()
        self.server.stop()
        self.addCleanup(self.server.start)
        self.run_cron()
        self.assertEqual(self.account.last_error_kind, "retry")
        self.assertEqual(self.account.sync_status, "ok")
        self.assertGreater(self.account.next_sync_at, fields.Datetime.now())

    def test_an_unreadable_mail_is_set_aside_and_can_be_tried_again(self):
        self.deliver("Good one")
        self.server.deliver(self.login, b"\n")
        self.start()
        self.assertEqual(self.get_subjects(self.anna), ["Good one"])
        failure = self.account.failure_ids
        self.assertEqual(len(failure), 1)
        self.assertEqual(self.account.sync_status, "incomplete")
        failure.with_user(self.mira).action_retry()
        self.run_cron()
        self.assertEqual(self.account.failure_ids.attempts, 2)

    def test_a_mail_that_the_database_refuses_does_not_hold_up_the_others(self):
        self.deliver("One", "Two", "Three")
        store = sync_run.Ingest.store

        def refuse(ingest, reads):
            if any(read.message.subject == "Two" for read in reads):
                raise ValueError("refused")
            return store(ingest, reads)

        self.patch(sync_run.Ingest, "store", refuse)
        with mute_logger(sync_store.__name__):
            self.start()
        self.assertCountEqual(self.get_subjects(self.anna), ["One", "Three"])
        self.assertEqual(len(self.account.failure_ids), 1)

    def test_a_mailbox_that_is_listed_anew_doubles_and_loses_nothing(self):
        self.deliver("One", "Two")
        self.start()
        before = self.anna.easycrm_email_link_ids.email_id
        places = before.copy_ids.location_ids.mapped("provider_ref")
        self.server.recreate(self.login, "INBOX")  # UIDVALIDITY changes
        self.deliver("Three")
        self.run_cron()
        self.run_cron("_cron_backfill")
        self.assertEqual(self.get_subjects(self.anna), ["Three", "Two", "One"])
        self.assertFalse(before.copy_ids.filtered("removed_at"))
        self.assertFalse(
            set(places) & set(before.copy_ids.location_ids.mapped("provider_ref"))
        )

    def test_the_same_mail_in_two_mailboxes_is_one_email_with_two_copies(self):
        raw = raw_mail(
            subject="To both",
            to=f"{self.account.email}, jonas.real@ours.example",
        )
        self.server.deliver(self.login, raw)
        other = self.account.copy(
            {
                "email": "jonas.real@ours.example",
                "user_id": self.jonas.id,
                "imap_password": PASSWORD,
            }
        )
        other.action_sync_now()
        self.start()
        email = self.anna.easycrm_email_link_ids.email_id
        self.assertEqual(len(email), 1)
        self.assertEqual(email.copy_ids.account_id, self.account | other)

    def test_an_attachment_is_fetched_from_the_mailbox_when_it_is_opened(self):
        self.deliver(
            "With a file",
            sender="stranger@else.example",
            attachments=[("offer.pdf", "application/pdf", b"%PDF-1")],
        )
        self.start()
        copies = self.env["easycrm.email.copy"].sudo()
        copy = copies.search([("account_id", "=", self.account.id)])
        line = copy.email_id.attachment_line_ids
        self.assertFalse(line.attachment_id, "its bytes are not read by the sync")
        self.assertEqual(line.with_user(self.mira)._get_bytes().raw, b"%PDF-1")

    def test_the_connection_test_lists_the_folders_and_says_what_is_wrong(self):
        action = self.account.with_user(self.mira).action_test_connection()
        self.assertEqual(action["params"]["type"], "success")
        self.assertIn("INBOX", self.account.folder_ids.mapped("stream"))

    def choose(self, **folders):
        """Have Mira choose folders on the form of her account."""
        with Form(self.account.with_user(self.mira)) as form:
            for index in range(len(form.folder_ids)):
                with form.folder_ids.edit(index) as folder:
                    if folder.name in folders:
                        folder.selected = folders.pop(folder.name)
        self.assertFalse(folders, "there is no such folder")
        self.env.flush_all()

    def test_a_folder_that_is_chosen_is_read_with_the_next_sync(self):
        self.deliver("In the inbox")
        self.server.create_folder(self.login, "Projects")
        self.deliver("In a project", folder="Projects")
        self.start()
        self.assertEqual(self.get_subjects(self.anna), ["In the inbox"])
        backfill = self.env.ref("easycrm_mail.ir_cron_email_backfill")
        with self.capture_triggers(backfill.id) as captured:
            self.choose(Projects=True)
        self.assertTrue(captured.records)
        self.run_cron("_cron_sync")
        self.run_cron("_cron_backfill")
        subjects = ["In a project", "In the inbox"]
        self.assertEqual(sorted(self.get_subjects(self.anna)), subjects)
        self.assertEqual(self.account.sync_status, "ok")
        # from then on the five-minute cron reads it
        self.deliver("New in a project", folder="Projects")
        self.run_cron("_cron_sync")
        self.assertIn("New in a project", self.get_subjects(self.anna))

    def test_a_folder_that_is_switched_off_is_not_read_and_its_mail_stays(self):
        self.deliver("First")
        self.deliver("Sent before", folder="Sent", sender=self.account.email)
        self.start()
        self.choose(Sent=False)
        self.deliver("Second")
        self.deliver("Sent later", folder="Sent", to="anna@acme.example")
        self.run_cron("_cron_sync")
        self.run_cron("_cron_backfill")
        self.assertEqual(self.get_subjects(self.anna), ["Second", "First"])
        copies = self.env["easycrm.email.copy"].search(
            [("account_id", "=", self.account.id)]
        )
        self.assertIn("Sent before", copies.mapped("subject"))
        self.assertFalse(any(copies.mapped("removed_at")))
        # switched on again, it goes on where it was
        self.choose(Sent=True)
        self.run_cron("_cron_sync")
        self.assertIn("Sent later", self.get_subjects(self.anna))

    def test_at_least_one_folder_is_read(self):
        self.start()
        with self.assertRaises(ValidationError):
            self.choose(Inbox=False, Sent=False)
        self.choose(Inbox=False)
