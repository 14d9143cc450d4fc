import os
import time
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..easycrm_mail.models import easycrm_email_large, files_run
from ..easycrm_mail.models.easycrm_email_files import ATTEMPT_HOURS
from .common import raw_mail
from .files_case import OFFER, TERMS, FilesCase
from .mailbox import PASSWORD
from .servers.fault_proxy import FaultProxy


@tagged("post_install", "-at_install")
class TestFilesFaults(FilesCase):
    """What cannot be fetched now is tried again, and stops no other."""

    def add_mailbox(self):
        return self.account.copy(
            {
                "email": "mira.second@ours.example",
                "imap_login": next(self.logins),
                "imap_password": PASSWORD,
            }
        )

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

    def test_one_that_a_killed_worker_left_half_written_is_written_anew(self):
        content = b"%PDF-1.4 " + self.login.encode() * 100
        files = self.env["ir.attachment"]
        sha = files._compute_checksum(content)
        _name, path = files._get_path(content, sha)
        for left in (b"", content[:500]):
            with open(path, "wb") as file:
                file.write(left)
            self.put(("offer.pdf", "application/pdf", content))
            self.read()
            attachments = self.emails().attachment_line_ids.attachment_id
            self.assertEqual(set(attachments.mapped("raw")), {content})
        self.assertEqual(len(attachments), 2)
        self.assertEqual(os.listdir(os.path.dirname(path)).count(sha), 1)
        with open(path, "wb") as file:
            file.write(b"Something else")
        with self.assertRaisesRegex(UserError, "collides"):
            files.create({"name": "offer.pdf", "raw": content})

    def test_a_mailbox_that_fails_stops_no_other(self):
        second = self.add_mailbox()
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
            self.server.deliver(second.imap_login, raw)
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
        second = self.add_mailbox()
        raw = raw_mail(sender=self.account.email, attachments=[OFFER])
        for mailbox in (self.login, second.imap_login):
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
        with patch.object(easycrm_email_large, "BUTTON_TIMEOUT", 1.5):
            self.assertSlow(line, seconds=3)
            self.assertLessEqual(proxy.sprung, 2)
            # slow: the second gets the time that the first has left
            proxy.heal()
            proxy.drip = 0.01
            self.assertSlow(line, seconds=3)

    def assertSlow(self, line, seconds):
        begun = time.monotonic()
        with self.assertRaisesRegex(UserError, "in time"):
            line._get_bytes()
        self.assertLess(time.monotonic() - begun, seconds + 2)

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
