from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..easycrm_mail.messages import parse
from ..easycrm_mail.models import easycrm_email_large, files_run, sync_calls
from ..easycrm_mail.models.ingest_bodies import BodyIngest
from .common import MailHttpCase
from .large_mailbox import PLAN, LargeMailbox
from .live_case import LiveCase
from .mailbox import PASSWORD
from .servers.fault_proxy import FaultProxy


@tagged("post_install", "-at_install")
class TestLarge(LargeMailbox, LiveCase):
    def test_it_stands_on_the_timeline_at_once_and_says_what_it_is(self):
        raw = self.large_mail()
        self.put(raw)
        self.read_mailbox()
        self.assertEqual(self.account.sync_status, "ok")
        self.assertFalse(self.account.failure_ids)
        [row] = self.read_timeline(self.anna)
        self.assertEqual(row["subject"], "Plan")
        self.assertEqual(row["from"]["address"], "anna@acme.example")
        self.assertTrue(row["large"])
        self.assertIn("is large (0 MB)", row["snippet"])
        self.assertEqual([one["name"] for one in row["attachments"]], ["plan.pdf"])
        email = self.emails()
        self.assertEqual(email.size, len(raw.replace(b"\n", b"\r\n")))
        self.assertLinked(email, [self.anna])
        self.assertFalse(email.fetch_at)

    def test_one_that_is_long_to_copy_is_read_alike(self):
        raw = self.large_mail(attachments=[("a.pdf", "application/pdf", PLAN[:9_000])])
        self.put(raw)
        with patch.object(sync_calls, "COPIED_BYTES", 10_000):
            self.read_mailbox()
        whole = parse(raw.replace(b"\n", b"\r\n"))
        self.assertEqual(self.emails().digest, whole.digest)
        self.assertFalse(self.emails().headers_only)

    def test_opened_it_has_body_attachments_and_its_true_identity(self):
        raw = self.large_mail(html="<p>The plan of the <b>hall</b>.</p>")
        self.put(raw)
        self.read_mailbox()
        before = self.emails()
        self.assertTrue(self.is_found(before, "plan"))
        self.assertFalse(self.is_found(before, "hall"))
        line = before.attachment_line_ids
        email = self.open(before)
        self.assertEqual(email, before)
        whole = parse(raw.replace(b"\n", b"\r\n"))
        self.assertEqual(
            (email.message_id, email.digest), (whole.message_id, whole.digest)
        )
        self.assertFalse(email.headers_only)
        self.assertIn("hall", self.as_user(email, self.mira).easycrm_body()["document"])
        self.assertTrue(self.is_found(email, "hall"))
        self.assertEqual(email.attachment_line_ids, line)
        self.assertEqual(
            (line.size, line.checksum), (len(PLAN), whole.attachments[0].sha256)
        )
        [row] = self.read_timeline(self.anna)
        self.assertFalse(row["large"])
        self.assertEqual(row["snippet"], "The plan of the hall.")
        self.assertLinked(email, [self.anna])

    def is_found(self, email, word):
        self.env.flush_all()
        self.env.cr.execute(
            """SELECT search_vector @@ %s::tsquery FROM easycrm_email_content
               WHERE email_id = %s""",
            [word, email.id],
        )
        return self.env.cr.fetchone()[0]

    def test_opened_twice_it_is_read_once(self):
        self.put(self.large_mail())
        self.read_mailbox()
        email = self.open(self.emails())
        self.server.stop()
        self.addCleanup(self.server.restart)
        self.assertEqual(self.open(email), email)

    def test_an_attachment_that_is_opened_brings_the_body_too(self):
        self.put(self.large_mail())
        self.read_mailbox()
        line = self.as_user(self.emails().attachment_line_ids, self.mira)
        self.assertEqual(line._get_bytes().raw, PLAN)
        self.assertFalse(self.emails().headers_only)

    def test_it_stays_as_it_is_when_the_mailbox_does_not_answer(self):
        self.put(self.large_mail())
        self.read_mailbox()
        email = self.emails()
        self.server.stop()
        answer = self.as_user(email, self.mira).easycrm_read_large()
        self.server.restart()
        self.assertIn("does not answer", answer["error"])
        self.assertTrue(email.headers_only)
        self.assertEqual(self.open(email), email)

    def test_where_a_reader_would_wait_too_long_the_backfill_reads_it(self):
        self.put(self.large_mail())
        self.read_mailbox()
        email = self.emails()
        proxy = FaultProxy(self.server.host, self.server.port)
        self.addCleanup(proxy.close)
        self.account.write({"imap_port": proxy.port, "imap_password": PASSWORD})
        proxy.drip = 0.002
        with patch.object(easycrm_email_large, "BUTTON_TIMEOUT", 1):
            answer = self.as_user(email, self.mira).easycrm_read_large()
        self.assertIn("in the background", answer["error"])
        proxy.drip = 0
        self.run_cron("_cron_backfill")
        self.assertFalse(email.headers_only)
        self.assertIn("hall", email.body_html)
        self.assertFalse(email.fetch_at)

    def test_gone_from_the_mailbox_it_says_so(self):
        key = self.put(self.large_mail())
        self.read_mailbox()
        self.server.remove(self.login, key)
        answer = self.as_user(self.emails(), self.mira).easycrm_read_large()
        self.assertIn("not in the mailbox any more", answer["error"])

    def test_another_mail_in_its_place_is_not_taken_for_it(self):
        self.put(self.large_mail())
        self.read_mailbox()
        email = self.emails()
        other = self.large_mail(subject="Forged")
        self.put(other)
        self.read_mailbox()
        place = (self.emails() - email).copy_ids.location_ids
        ref = place.provider_ref
        place.unlink()
        email.copy_ids.location_ids.provider_ref = ref
        answer = self.as_user(email, self.mira).easycrm_read_large()
        self.assertIn("error", answer)
        self.assertTrue(email.headers_only)

    def test_who_may_not_read_the_body_may_not_have_it_read(self):
        self.put(self.large_mail())
        self.read_mailbox()
        email = self.emails()
        self.account.share_level = "subject"
        self.assertVisible(self.jonas, email, "subject")
        [row] = self.read_timeline(self.anna, self.jonas)
        self.assertFalse(row["large"] or row["snippet"])
        for user in (self.jonas, self.ingrid, self.portal):
            with self.assertRaises(AccessError):
                self.as_user(email, user).easycrm_read_large()

    def test_a_colleague_may_open_what_is_shared_with_him(self):
        self.put(self.large_mail())
        self.read_mailbox()
        email = self.open(self.emails(), self.jonas)
        self.assertVisible(self.jonas, email, "everything")

    # --- once, whatever happens ---

    def test_read_again_it_is_known_before_and_after_it_was_opened(self):
        self.put(self.large_mail())
        self.put(self.large_mail(message_id=""))
        self.read_mailbox()
        emails = self.emails()
        self.assertEqual(len(emails), 2)
        self.server.recreate(self.login)
        self.read_mailbox()
        self.assertEqual(self.emails(), emails)
        for email in emails:
            self.assertEqual(self.open(email), email)
        self.server.recreate(self.login)
        self.read_mailbox()
        self.assertEqual(self.emails(), emails)
        self.assertFalse(any(emails.mapped("headers_only")))
        self.assertEqual(len(emails.copy_ids.location_ids), 2)
        self.assertFalse(any(emails.copy_ids.mapped("removed_at")))

    def test_to_oneself_it_is_one_once_it_was_opened(self):
        raw = self.large_mail(sender=self.account.email, bcc="bruno@beck.example")
        self.put(raw)
        self.put(b"Received: by here\n" + raw, folder="Sent")
        self.read_mailbox()
        emails = self.emails()
        self.assertEqual(len(emails), 2, "their bodies may differ")
        email = self.open(emails[0])
        email = self.open(emails[1])
        self.assertEqual(self.emails(), email)
        self.assertEqual(len(email.copy_ids), 1)
        self.assertEqual(len(email.copy_ids.location_ids), 2)
        self.assertEqual(email.direction, "outbound")
        self.server.recreate(self.login)
        self.read_mailbox()
        self.assertEqual(self.emails(), email)

    def test_nobody_elses_copy_comes_to_it(self):
        """Law 6: whoever forges its header does not get at its body."""
        raw = self.large_mail(to="board@ours.example", sender="boss@acme.example")
        self.put(raw)
        self.read_mailbox()
        mine = self.emails()
        forger, login = self.connect_second()
        header = raw[: raw.index(b"\n\n") + 2]
        length = len(raw) + raw.count(b"\n") - len(header) - header.count(b"\n")
        forged = header + b"x" * (length - 2) + b"\n"
        self.put(forged, login=login)
        self.read_mailbox(forger)
        theirs = self.emails(forger)
        self.assertEqual(theirs.message_id, mine.message_id)
        self.assertEqual(theirs.size, mine.size)
        self.assertNotEqual(theirs, mine)
        self.assertVisible(self.jonas, mine, None)
        self.open(mine)
        self.open(theirs, self.jonas)
        self.assertNotEqual(self.emails(forger), self.emails())
        self.assertVisible(self.jonas, mine, None)

    def test_a_reader_who_was_first_is_no_failure_of_the_backfill(self):
        self.put(self.large_mail())
        self.read_mailbox()
        email = self.emails()
        email._read_large_later()
        keep = files_run.FilesRun._keep

        def cross(run, job, provider, result):
            held = run.env["easycrm.email"].browse(job.email_id)
            if held.headers_only:
                account = run.env["easycrm.email.account"].browse(job.places[0][0])
                BodyIngest(account).complete(held, *result)  # the reader
            return keep(run, job, provider, result)

        self.patch(files_run.FilesRun, "_keep", cross)
        self.run_cron("_cron_backfill")
        self.assertFalse(email.headers_only)
        self.assertFalse(email.fetch_attempts)
        self.assertFalse(email.fetch_at)
        self.assertTrue(all(email.attachment_line_ids.mapped("attachment_id")))

    def test_what_was_set_aside_as_too_large_comes_by_its_header(self):
        self.deliver("Hello")
        self.read_mailbox()
        self.put(self.large_mail())
        [folder] = self.account.folder_ids.filtered(lambda one: one.role == "inbox")
        place = self.emails().copy_ids.location_ids
        validity = place.provider_ref.partition(":")[0]
        self.env["easycrm.email.failure"].sudo().create(
            {
                "account_id": self.account.id,
                "stream": folder.stream,
                "provider_ref": f"{validity}:2",
                "error": "The email is larger than 25 MB (31 MB).",
            }
        ).with_user(self.mira).action_retry()
        self.run_cron("_cron_sync")
        self.assertFalse(self.account.failure_ids)
        self.assertEqual(self.emails().filtered("headers_only").subject, "Plan")
        self.assertEqual(self.account.sync_status, "ok")


@tagged("post_install", "-at_install")
class TestLargeUrls(LargeMailbox, MailHttpCase):
    def test_a_chip_that_the_body_does_not_hold_is_not_found_and_the_body_stays(self):
        self.put(self.large_mail())
        with mute_logger("odoo.tests.common"):  # (it is in test mode already)
            self.read_mailbox()
        email = self.emails()
        # as where the server takes a mail apart in another way than we do
        line = email.attachment_line_ids.copy({"part": "7"})
        self.env.flush_all()
        self.authenticate(self.mira.login, self.mira.login)
        with mute_logger("odoo.http"):
            response = self.url_open(f"/easycrm_mail/attachment/{line.id}")
        self.env.invalidate_all()
        self.assertEqual(response.status_code, 404)
        self.assertIn("not in the email", response.text)
        self.assertFalse(email.headers_only)
        self.assertIn("hall", email.body_html)
        self.assertFalse(line.exists())
