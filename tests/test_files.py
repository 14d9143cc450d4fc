import time
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ..easycrm_mail.models import easycrm_email_large, files_run
from ..easycrm_mail.models.easycrm_email_files import ATTEMPT_HOURS
from .common import PNG, MailCase, raw_mail
from .mailbox import PASSWORD, RealMailbox
from .servers.fault_proxy import FaultProxy

OFFER = ("offer.pdf", "application/pdf", b"%PDF-1.4 the offer")
TERMS = ("terms.txt", "text/plain", b"The terms.\n")
LOGO = ("logo.png", "image/png", PNG, "logo@x")


@tagged("post_install", "-at_install")
class TestFiles(RealMailbox, MailCase):
    """Attachments of linked mail are stored soon after it came."""

    def put(self, *attachments, login=None, **values):
        values.setdefault("to", self.account.email)
        raw = raw_mail(attachments=attachments or [OFFER], **values)
        return self.server.deliver(login or self.login, raw)

    def read(self):
        """Read the mailbox, and let the backfill do what it finds."""
        self.account.with_user(self.mira).action_sync_now()
        self.run_cron("_cron_sync")
        self.run_cron("_cron_backfill")

    def emails(self):
        domain = [("copy_ids.account_id", "=", self.account.id)]
        return self.env["easycrm.email"].sudo().search(domain)

    def files(self):
        """Return {subject: names of the attachments that are here}."""
        return {
            email.subject: email.attachment_line_ids.attachment_id.mapped("name")
            for email in self.emails()
        }

    def make_due(self):
        """Let the time pass until those that failed are tried again."""
        due = self.emails().filtered("fetch_at")
        due.fetch_at = fields.Datetime.now() - timedelta(minutes=1)

    def watch(self):
        """Have the mailbox read past a witness."""
        proxy = FaultProxy(self.server.host, self.server.port)
        self.addCleanup(proxy.close)
        self.account.write({"imap_port": proxy.port, "imap_password": PASSWORD})
        return proxy

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

    # --- what cannot be fetched ---

    def test_one_that_cannot_be_read_stops_no_other_and_is_tried_some_times(self):
        self.put(subject="Old")
        key = self.put(subject="Broken")
        self.put(subject="New")
        with patch.object(files_run.FilesRun, "run"):
            self.read()
        self.server.remove(self.login, key)
        self.run_cron("_cron_backfill")
        self.assertEqual(
            self.files(), {"Old": ["offer.pdf"], "Broken": [], "New": ["offer.pdf"]}
        )
        broken = self.emails().filtered("fetch_at")
        self.assertEqual((broken.subject, broken.fetch_attempts), ("Broken", 1))
        waits = []
        while broken.fetch_at:
            waits.append(broken.fetch_at - fields.Datetime.now())
            self.make_due()
            self.run_cron("_cron_backfill")
        self.assertEqual(len(waits), len(ATTEMPT_HOURS))
        self.assertEqual(waits, sorted(waits))
        self.assertEqual(broken.fetch_attempts, len(ATTEMPT_HOURS) + 1)

    def test_a_mailbox_that_fails_stops_no_other(self):
        login = next(self.logins)
        second = self.account.copy(
            {
                "email": "mira.second@ours.example",
                "imap_login": login,
                "imap_password": PASSWORD,
            }
        )
        self.put(subject="Lost")
        self.put(subject="Elsewhere", message_id="<both@x>")
        with patch.object(files_run.FilesRun, "run"):
            self.read()
            second.action_sync_now()
            # the same mail in the second mailbox
            [raw] = [
                path.read_bytes()
                for path in self.server._mails(self.login, "INBOX")
                if b"Elsewhere" in path.read_bytes()
            ]
            self.server.deliver(login, raw)
            self.run_cron("_cron_backfill")
        self.assertEqual(len(second.folder_ids.filtered("settled")), 2)
        self.server.set_password(self.login, "another")
        self.run_cron("_cron_backfill")
        self.assertEqual(self.files(), {"Lost": [], "Elsewhere": ["offer.pdf"]})
        lost = self.emails().filtered("fetch_at")
        self.assertEqual((lost.subject, lost.fetch_attempts), ("Lost", 1))

    def test_a_mailbox_in_error_is_not_asked(self):
        proxy = self.watch()
        self.put(subject="Offer")
        with patch.object(files_run.FilesRun, "run"):
            self.read()
        self.account.write({"sync_status": "error", "next_sync_at": False})
        proxy.sent = b""
        self.run_cron("_cron_backfill")
        # (whoever read before may only now say goodbye)
        said = [one for one in proxy.sent.splitlines() if b"LOGOUT" not in one]
        self.assertEqual(said, [])

    def test_a_mailbox_that_rests_uses_up_no_attempts_and_works_again(self):
        self.put(subject="Offer")
        with patch.object(files_run.FilesRun, "run"):
            self.read()
        email = self.emails()
        for status in ("paused", "error"):
            with self.subTest(status=status):
                email.attachment_line_ids.attachment_id.unlink()
                email.fetch_at = email.date
                self.account.write({"sync_status": status, "next_sync_at": False})
                for _time in range(len(ATTEMPT_HOURS) + 2):
                    self.run_cron("_cron_backfill")
                    # not looked at over and over again
                    self.assertFalse(self.env["easycrm.email"]._get_due_files(1))
                    self.make_due()
                self.run_cron("_cron_backfill")
                self.assertEqual(email.fetch_attempts, 0)
                self.account.with_user(self.mira).action_sync_now()
                self.run_cron("_cron_sync")
                self.run_cron("_cron_backfill")
                self.assertEqual(self.files(), {"Offer": ["offer.pdf"]})

    def test_what_was_not_asked_for_when_its_mailbox_failed_uses_up_no_attempt(self):
        for subject in ("One", "Two", "Three"):
            self.put(subject=subject)
        with patch.object(files_run.FilesRun, "run"):
            self.read()
        self.server.stop()
        self.run_cron("_cron_backfill")
        self.assertEqual(
            {email.subject: email.fetch_attempts for email in self.emails()},
            {"One": 0, "Two": 0, "Three": 1},
        )
        self.assertFalse(self.env["easycrm.email"]._get_due_files(1))
        # the sync finds out, too, and then that it works again
        self.run_cron("_cron_sync")
        self.assertTrue(self.account.failed_at)
        self.server.restart()
        self.read()
        self.assertTrue(all(self.files().values()))

    def test_an_unarchived_mailbox_is_asked_for_what_waited(self):
        self.put(subject="Offer")
        with patch.object(files_run.FilesRun, "run"):
            self.read()
        self.account.active = False
        self.run_cron("_cron_backfill")
        self.assertFalse(self.env["easycrm.email"]._get_due_files(1))
        self.account.active = True
        self.run_cron("_cron_backfill")
        self.assertEqual(self.files(), {"Offer": ["offer.pdf"]})

    def test_a_reader_waits_as_for_one_call_however_many_places_hold_it(self):
        login = next(self.logins)
        second = self.account.copy(
            {
                "email": "mira.second@ours.example",
                "imap_login": login,
                "imap_password": PASSWORD,
            }
        )
        raw = raw_mail(sender=self.account.email, attachments=[OFFER])
        for mailbox in (self.login, login):
            for folder in ("INBOX", "Sent"):
                self.server.deliver(mailbox, raw, folder=folder)
        with patch.object(files_run.FilesRun, "run"):
            second.action_sync_now()
            self.read()
        email = self.emails()
        self.assertEqual(len(email._get_places()), 4)
        proxy = FaultProxy(self.server.host, self.server.port)
        self.addCleanup(proxy.close)
        for account in self.account | second:
            account.write({"imap_port": proxy.port, "imap_password": PASSWORD})
        line = self.as_user(email.attachment_line_ids, self.mira)
        # silent: neither account is asked a second time
        proxy.spring(b"EXAMINE", "silence")
        with patch.object(easycrm_email_large, "BUTTON_TIMEOUT", 0.5):
            self.assertSlow(line, seconds=1)
            self.assertLessEqual(proxy.sprung, 2)
            # slow: the second gets the time that the first has left
            proxy.heal()
            proxy.drip = 0.01
            self.assertSlow(line, seconds=1)

    def assertSlow(self, line, seconds):
        begun = time.monotonic()
        with self.assertRaisesRegex(UserError, "in time"):
            line._get_bytes()
        self.assertLess(time.monotonic() - begun, seconds + 0.5)

    def test_one_that_the_database_refuses_stops_no_other(self):
        self.put(subject="Old")
        self.put(TERMS, subject="Refused")
        keep = type(self.env["easycrm.email"])._keep_files

        def refuse(email, files):
            keep(email, files)
            if email.subject == "Refused":
                raise ValueError("no room")

        with (
            patch.object(type(self.env["easycrm.email"]), "_keep_files", refuse),
            mute_logger("odoo.addons.easycrm_mail.easycrm_mail.models.files_run"),
        ):
            self.read()
        self.assertEqual(self.files(), {"Old": ["offer.pdf"], "Refused": []})
        self.make_due()
        self.run_cron("_cron_backfill")
        self.assertEqual(self.files()["Refused"], ["terms.txt"])

    def test_the_run_ends_when_the_crons_time_is_up(self):
        self.put(subject="One")
        self.put(subject="Two")
        with patch.object(files_run.FilesRun, "run"):
            self.read()

        def report(run, count, remaining=1):
            run.stopped = run.stopped or count > 0

        with patch.object(files_run.FilesRun, "_report", report):
            self.run_cron("_cron_backfill")
        self.assertEqual(self.files(), {"One": [], "Two": ["offer.pdf"]})
        self.run_cron("_cron_backfill")
        self.assertTrue(all(self.files().values()))

    def test_first_readings_that_use_up_the_time_leave_some_once_in_a_run(self):
        for number in range(3):
            self.put(subject=str(number))
        with patch.object(files_run.FilesRun, "run"):
            self.read()
        self.account.folder_ids.settled = False  # to be read as for the first time
        Cron = type(self.env["ir.cron"])
        commit = Cron._commit_progress
        told = []

        def no_time(cron, processed=0, remaining=None):
            commit(cron, processed, remaining=remaining)
            told.append(remaining)
            return 0

        for late, stored in ((1, 0), (-1, 3)):
            end = time.monotonic() - late
            self.env = self.env(context={**self.env.context, "cron_end_time": end})
            with patch.object(Cron, "_commit_progress", no_time):
                self.run_cron("_cron_backfill")
            lines = self.emails().attachment_line_ids
            self.assertEqual(len(lines.attachment_id), stored)
            self.assertNotIn(0, told, "the mailbox remains")

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
