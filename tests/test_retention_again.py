"""What was deleted because nobody knows who wrote it does not come back."""

from datetime import timedelta

from odoo.tests import tagged

from ..easycrm_mail.messages import parse
from ..easycrm_mail.models.ingest import Ingest, Read
from ..easycrm_mail.providers import RemoteMessage
from .common import raw_mail
from .retention_case import RetentionCase


@tagged("post_install", "-at_install")
class TestRetentionAgain(RetentionCase):
    def read_again(self, mailbox, *raws):
        """Bring mails as a mailbox does that is listed anew.

        :return: the emails that are new, the refs of what was left out
        """
        reads = [
            Read(RemoteMessage(ref=f"9:{n}", raw=raw, is_read=True), parse(raw))
            for n, raw in enumerate(raws, 1)
        ]
        ingest = Ingest(mailbox.sudo(), "INBOX")
        ids = ingest.store(reads)
        _missing, left_out = ingest.find_missing([read.remote.ref for read in reads])
        return self.env["easycrm.email"].browse(ids), left_out

    def test_what_was_deleted_is_not_stored_again(self):
        raws = [
            raw_mail("somebody@far.example", date=self.NOW - timedelta(days=age))
            for age in (12, 11, 3)
        ]
        emails = self.deliver(self.mailbox, *raws)
        self.keep(10)
        self.purge()
        self.assertKept(emails[2])
        new, left_out = self.read_again(self.mailbox, *raws)
        self.assertFalse(new)
        self.assertEqual(left_out, {"9:1", "9:2"})
        copies = self.env["easycrm.email.copy"]
        copies = copies.search([("account_id", "=", self.mailbox.id)])
        self.assertEqual(copies.email_id, emails[2])

    def test_old_mail_of_a_contact_is_read_and_old_mail_among_colleagues_is_not(self):
        self.keep(10)
        at = self.NOW - timedelta(days=50)
        threads = self.env["easycrm.email.thread"].search([])
        emails, left_out = self.read_again(
            self.mailbox,
            raw_mail("anna@acme.example", date=at),
            # an address that is known, and matches nothing by itself
            raw_mail("jonas@ours.example", date=at),
            raw_mail("somebody@far.example", date=at),
            raw_mail("jonas@ours.example", cc="bruno@beck.example", date=at),
        )
        self.assertEqual(left_out, {"9:2", "9:3"})
        self.assertEqual(len(emails), 2)
        self.assertLinked(emails[0], [self.anna])
        self.assertLinked(emails[1], [self.bruno])
        now = self.env["easycrm.email.thread"].search([])
        self.assertEqual(now - threads, emails.thread_id)

    def test_old_mail_that_another_mailbox_still_has_gets_its_copy(self):
        raw = raw_mail("somebody@far.example", date=self.NOW - timedelta(days=11))
        email = self.deliver(self.jonas_mailbox, raw)
        self.keep(10)
        self.assertEqual(self.deliver(self.mailbox, raw), email)
        self.assertEqual(len(email.copy_ids), 2)

    def test_a_contact_that_is_created_later_does_not_get_what_was_deleted(self):
        self.stranger(age=11)
        recent = self.stranger(age=2)
        self.keep(10)
        self.purge()
        contact = self.env["res.partner"].create(
            {"name": "Late", "email": "somebody@far.example"}
        )
        self.follow_addresses()
        self.assertEqual(contact.easycrm_email_link_ids.email_id, recent)

    def test_more_mails_take_no_more_queries(self):
        self.keep(10)

        def count(number):
            raws = [
                raw_mail(
                    "jonas@ours.example" if n % 2 else "somebody@far.example",
                    date=self.NOW - timedelta(days=50),
                )
                for n in range(number)
            ]
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            emails, left_out = self.read_again(self.mailbox, *raws)
            self.assertEqual((len(emails), len(left_out)), (0, number))
            return self.cr.sql_log_count - before

        count(4)
        self.assertEqual(count(4), count(60))
