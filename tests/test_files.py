from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL

from ..easycrm_mail.models import files_run
from .common import PNG, MailCase
from .files_case import OFFER, TERMS, FilesCase

LOGO = ("logo.png", "image/png", PNG, "logo@x")


@tagged("post_install", "-at_install")
class TestFiles(FilesCase):
    """Attachments of linked mail are stored soon after it came."""

    def test_those_of_linked_mail_are_stored_and_of_others_not(self):
        self.put(OFFER, TERMS, LOGO, subject="Offer", html='<img src="cid:logo@x">')
        self.put(subject="Stranger", sender="stranger@else.example")
        self.put(subject="Later", sender="late@else.example")
        self.read()
        self.assertEqual(
            self.files(),
            {
                "Offer": ["offer.pdf", "terms.txt", "logo.png"],
                "Stranger": [],
                "Later": [],
            },
        )
        lines = self.emails().filtered("is_linked").attachment_line_ids
        self.assertEqual(lines.attachment_id.mapped("raw"), [OFFER[2], TERMS[2], PNG])
        # linked later, they come later
        self.env["res.partner"].create({"name": "L", "email": "late@else.example"})
        self.follow_addresses()
        self.run_cron("_cron_backfill")
        self.assertEqual(self.files()["Later"], ["offer.pdf"])
        self.assertFalse(self.emails().filtered("is_linked").mapped("fetch_at")[0])

    def test_each_mail_is_opened_once_for_all_its_parts(self):
        proxy = self.watch()
        self.put(OFFER, TERMS, LOGO, html='<img src="cid:logo@x">')
        self.put(TERMS)
        with patch.object(files_run.FilesRun, "run"):
            self.read()
        proxy.sent = b""
        self.run_cron("_cron_backfill")
        commands = proxy.commands()

        def count(word):
            return len([line for line in commands if word in line])

        self.assertEqual(count("AUTHENTICATE"), 1)
        self.assertEqual(count("BODYSTRUCTURE"), 2)
        self.assertEqual(count("BODY.PEEK"), 4)
        self.run_cron("_cron_backfill")
        self.assertNotIn(b"FETCH", proxy.sent)

    def test_the_newest_come_first(self):
        proxy = self.watch()
        for subject in ("One", "Two", "Three"):
            self.put(subject=subject)
        with patch.object(files_run.FilesRun, "run"):
            self.read()
        with patch.object(files_run, "CLAIMED", 1):
            proxy.sent = b""
            self.run_cron("_cron_backfill")
        asked = [line for line in proxy.commands() if "BODYSTRUCTURE" in line]
        self.assertEqual([line.split()[2] for line in asked], ["3", "2", "1"])

    def test_switched_off_nothing_is_stored_and_on_again_all(self):
        switch = self.env["ir.config_parameter"].sudo()
        switch.set_param("easycrm_mail.keep_attachments", "False")
        self.put(subject="Offer")
        self.read()
        self.assertEqual(self.files(), {"Offer": []})
        switch.set_param("easycrm_mail.keep_attachments", "True")
        self.run_cron("_cron_backfill")
        self.assertEqual(self.files(), {"Offer": ["offer.pdf"]})

    def test_the_sync_wakes_the_backfill_only_when_there_is_something(self):
        trigger = self.env["ir.cron.trigger"]
        cron = self.env.ref("easycrm_mail.ir_cron_email_backfill")
        self.start()
        self.put(subject="Stranger", sender="stranger@else.example")
        self.run_cron("_cron_sync")
        before = trigger.search_count([("cron_id", "=", cron.id)])
        self.put(subject="Offer")
        self.run_cron("_cron_sync")
        count = trigger.search_count([("cron_id", "=", cron.id)])
        self.assertEqual(count, before + 1)

    def test_what_somebody_opened_is_not_fetched_again(self):
        proxy = self.watch()
        self.put(subject="Offer")
        with patch.object(files_run.FilesRun, "run"):
            self.read()
        self.as_user(self.emails().attachment_line_ids, self.mira)._get_bytes()
        proxy.sent = b""
        self.run_cron("_cron_backfill")
        # (the connection of before may be closed only now)
        self.assertNotIn(b" LOGIN", proxy.sent)
        self.assertNotIn(b" AUTHENTICATE", proxy.sent)
        self.assertFalse(self.emails().fetch_at)
        self.assertEqual(self.files(), {"Offer": ["offer.pdf"]})

    # --- only what the mail held when it was read ---

    def test_a_part_that_is_another_one_is_looked_for_in_the_whole_mail(self):
        """As where the server takes a mail apart in another way than we do."""
        self.put(TERMS, OFFER)
        proxy = self.watch()
        # the first attachment is taken for a text, so that the second is the first
        proxy.replace = {b'("attachment" ("filename" "terms.txt"))': b"NIL"}
        with patch.object(files_run.FilesRun, "run"):
            self.read()
        proxy.sent = b""
        self.run_cron("_cron_backfill")
        lines = self.emails().attachment_line_ids
        self.assertEqual(lines.attachment_id.mapped("raw"), [TERMS[2], OFFER[2]])
        self.assertIn(b"BODY.PEEK[]", proxy.sent)

    def test_a_mail_that_was_read_before_there_were_checksums_comes_whole(self):
        self.put(OFFER, TERMS)
        with patch.object(files_run.FilesRun, "run"):
            self.read()
        lines = self.emails().attachment_line_ids
        lines.checksum = False
        self.run_cron("_cron_backfill")
        self.assertEqual(lines.attachment_id.mapped("raw"), [OFFER[2], TERMS[2]])

    def test_of_another_mail_in_its_place_nothing_is_taken(self):
        self.put(subject="Offer")
        other = ("offer.pdf", "application/pdf", b"%PDF-1.4 forged!!!")
        self.put(other, subject="Forged", sender="stranger@else.example")
        with patch.object(files_run.FilesRun, "run"):
            self.read()
        emails = self.emails()
        offer = emails.filtered(lambda email: email.subject == "Offer")
        place = (emails - offer).copy_ids.location_ids
        ref = place.provider_ref
        place.unlink()
        offer.copy_ids.location_ids.provider_ref = ref
        self.run_cron("_cron_backfill")
        with self.assertRaisesRegex(UserError, "not in the mailbox any more"):
            self.as_user(offer.attachment_line_ids, self.mira)._get_bytes()
        self.assertFalse(offer.attachment_line_ids.attachment_id)
        self.assertEqual(offer.fetch_attempts, 1)

    # --- what is stored stays ---

    def test_an_archived_mailbox_leaves_its_documents(self):
        self.put(subject="Offer")
        self.read()
        self.account.active = False
        self.server.stop()
        self.addCleanup(self.server.restart)
        line = self.as_user(self.emails().attachment_line_ids, self.jonas)
        self.assertEqual(line._get_bytes().raw, OFFER[2])

    def test_a_deleted_mailbox_leaves_those_that_others_hold_too(self):
        self.put(subject="Offer", message_id="<both@x>")
        self.read()
        email = self.emails()
        [path] = self.server._mails(self.login, "INBOX")
        self.deliver_to(self.jonas_mailbox, path.read_bytes())
        self.assertEqual(len(email.copy_ids), 2)
        email.link_ids.unlink()
        self.account.unlink()
        line = self.as_user(email.attachment_line_ids, self.jonas)
        self.assertEqual(line._get_bytes().raw, OFFER[2])

    def deliver_to(self, mailbox, raw):
        MailCase.deliver.__func__(
            type(self), mailbox, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        )

    # --- cost ---

    def test_what_is_due_is_found_along_an_index(self):
        """Among many linked mails that are done or wait, and unlinked ones."""
        self.put(subject="Offer")
        with patch.object(files_run.FilesRun, "run"):
            self.read()
        email = self.emails()
        self.env.flush_all()
        self.env.cr.execute(
            """
            INSERT INTO easycrm_email (company_id, thread_id, message_id, digest, date,
                                       direction, is_linked, has_files, fetch_at)
            SELECT company_id, thread_id, 'm' || n, digest, date, direction,
                   n % 3 <> 2, TRUE, CASE n % 3 WHEN 0 THEN now() + interval '1 day'
                                                WHEN 2 THEN date END
            FROM easycrm_email, generate_series(1, 50000) n WHERE id = %s
            """.replace(" % ", " %% "),
            [email.id],
        )
        self.env.cr.execute("ANALYZE easycrm_email")
        emails = self.env["easycrm.email"].sudo()
        self.assertEqual(emails._get_due_files(50), email)
        query = SQL("EXPLAIN (ANALYZE) %s", emails._get_due_files_sql(50))
        plan = "\n".join(row[0] for row in self.env.execute_query(query))
        self.assertIn("easycrm_email_fetch_idx", plan)
        for word in ("Seq Scan", "Sort", "Rows Removed"):
            self.assertNotIn(word, plan)
