"""What is kept of mail on no record: all of it, its header, or nothing."""

from datetime import datetime, timezone
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, tagged

from ..easycrm_mail.messages import parse
from ..easycrm_mail.models import easycrm_email_large
from ..easycrm_mail.models import easycrm_email_retention as retention
from ..easycrm_mail.models.ingest import Ingest, Read
from ..easycrm_mail.models.ingest_bodies import BodyIngest
from ..easycrm_mail.providers import RemoteMessage
from .common import MailCase, raw_mail
from .mailbox import RealMailbox

#: What nobody is to find of a mail that is kept by its header.
TEXT = "The zebra crosses at noon."


def stranger_mail(**parts):
    parts.setdefault("sender", "somebody@far.example")
    parts.setdefault("subject", "Crossing")
    return raw_mail(text=TEXT, html=f"<p>{TEXT}</p>", **parts)


class Keeping:
    def get_stored(self, email):
        """Return what stands in the database of an email's text."""
        self.env.flush_all()
        self.cr.execute(
            """SELECT subject, snippet, body_html_raw, body_text, search_vector::text
               FROM easycrm_email_content WHERE email_id = %s""",
            [email.id],
        )
        return self.cr.fetchone()

    def assertBare(self, email):
        self.env.invalidate_all()
        self.assertTrue(email.headers_only)
        stored = self.get_stored(email)
        self.assertEqual(stored, ("Crossing", None, None, None, "'crossing'"))

    def assertWhole(self, email):
        self.env.invalidate_all()
        self.assertFalse(email.headers_only)
        stored = self.get_stored(email)
        self.assertEqual(stored[1], TEXT)
        self.assertIn("zebra", stored[2])
        self.assertIn("zebra", stored[3])
        self.assertIn("'zebra'", stored[4])


@tagged("post_install", "-at_install")
class TestKeep(Keeping, MailCase):
    def store(self, mailbox, *raws, at=1):
        """Store mails as one batch.

        :return: ids of those that are new, refs of what was left out
        """
        reads = [
            Read(RemoteMessage(ref=f"{at}:{n}", raw=raw, is_read=True), parse(raw))
            for n, raw in enumerate(raws, 1)
        ]
        ingest = Ingest(mailbox.sudo(), "INBOX")
        ids = ingest.store(reads)
        missing, left_out = ingest.find_missing([read.remote.ref for read in reads])
        self.assertFalse(missing)
        return ids, left_out

    def open(self, email, raw, **options):
        """Open an email whose body is in the mailbox, by a mailbox that answers."""
        account, mail = email.copy_ids.account_id[:1], parse(raw)
        answer = patch.object(
            easycrm_email_large.EasycrmEmail,
            "_ask_mailboxes",
            lambda *_args: (account, mail, mail),
        )
        with answer:
            return self.as_user(email, self.mira).easycrm_read_large(**options)

    def test_everything_is_kept_unless_its_owner_says_otherwise(self):
        self.assertEqual(self.mailbox.unlinked_keep, "full")
        self.assertWhole(self.deliver(self.mailbox, stranger_mail()))

    def test_only_its_owner_says_what_is_kept(self):
        self.as_user(self.mailbox, self.mira).unlinked_keep = "nothing"
        for user in (self.jonas, self.admin):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.as_user(self.mailbox, user).unlinked_keep = "full"

    def test_only_its_owner_switches_on_again_what_is_left_out(self):
        switches = ("ignore_automatic", "ignore_colleagues", "ignore_private")
        self.as_user(self.mailbox, self.mira).write(dict.fromkeys(switches, True))
        for user in (self.jonas, self.admin):
            account = self.as_user(self.mailbox, user)
            for name in switches:
                with self.subTest(name), self.assertRaises(AccessError, msg=user.login):
                    account[name] = False
        self.as_user(self.mailbox, self.mira).ignore_automatic = False

    def test_it_is_chosen_when_a_mailbox_is_connected(self):
        options = self.as_user(self.mailbox, self.mira).connect_get_options()
        self.assertIn("unlinked_keep", options["fields"])

    # --- nothing ---

    def test_of_nothing_what_is_on_a_record_stays_and_the_rest_never_comes(self):
        self.mailbox.unlinked_keep = "nothing"
        threads = self.env["easycrm.email.thread"].search([])
        raws = [
            raw_mail(),
            stranger_mail(),
            # an address that is known, and matches nothing by itself
            raw_mail("jonas@ours.example"),
            raw_mail("jonas@ours.example", cc="bruno@beck.example"),
        ]
        ids, left_out = self.store(self.mailbox, *raws)
        emails = self.env["easycrm.email"].browse(ids)
        self.assertEqual(left_out, {"1:2", "1:3"})
        self.assertEqual(self.env["easycrm.email"].search([]), emails.sorted())
        self.assertEqual(len(emails), 2)
        self.assertEqual(
            self.env["easycrm.email.thread"].search([]) - threads, emails.thread_id
        )
        # the same again, as after being killed
        self.assertEqual(self.store(self.mailbox, *raws), ([], left_out))
        self.assertEqual(len(self.env["easycrm.email.copy"].search([])), 2)

    def test_what_was_left_out_is_told_and_may_be_read_again_once_more_is_kept(self):
        self.mailbox.unlinked_keep = "nothing"
        mailbox = self.as_user(self.mailbox, self.mira)
        self.store(self.mailbox, stranger_mail(), raw_mail())
        self.assertEqual(mailbox.left_out_words, "1 on no contact, lead or opportunity")
        self.assertFalse(mailbox.readmitted_count)
        mailbox.unlinked_keep = "headers"
        self.assertEqual(mailbox.readmitted_count, 1)
        mailbox.action_read_left_out()
        self.assertFalse(mailbox.left_out_count)
        failure = self.mailbox.failure_ids
        self.assertEqual((failure.provider_ref, failure.retry), ("1:1", True))
        # what is too old all the same is not read again
        Ingest(self.mailbox.sudo(), "INBOX").settle(["1:1"])
        mailbox.unlinked_keep = "nothing"
        self.store(self.mailbox, stranger_mail())
        mailbox.unlinked_keep = "full"
        self.env["ir.config_parameter"].set_param(retention.DAYS, "1")
        self.env.invalidate_all()
        self.assertFalse(mailbox.readmitted_count)

    def test_of_nothing_what_was_taught_finds_its_mail(self):
        self.mailbox.unlinked_keep = "nothing"
        self.env["easycrm.email.rule"].create(
            {
                "kind": "always_link",
                "pattern": "@far.example",
                "partner_id": self.acme.id,
                "user_id": self.mira.id,
            }
        )
        [id_], left_out = self.store(
            self.mailbox, stranger_mail(), raw_mail("x@y.example")
        )
        self.assertEqual(
            self.env["easycrm.email"].browse(id_).link_ids.partner_id, self.acme
        )
        self.assertEqual(left_out, {"1:2"})

    def test_of_nothing_another_mailbox_keeps_its_copy(self):
        raw = stranger_mail()
        email = self.deliver(self.jonas_mailbox, raw)
        self.mailbox.unlinked_keep = "nothing"
        ids, left_out = self.store(self.mailbox, raw)
        self.assertEqual((ids, left_out), ([], {"1:1"}))
        self.assertEqual(email.copy_ids.account_id, self.jonas_mailbox)
        self.assertWhole(email)
        self.assertVisible(self.mira, email, None)

    def test_of_nothing_what_was_here_before_stays(self):
        raw = stranger_mail()
        email = self.deliver(self.mailbox, raw)
        self.mailbox.unlinked_keep = "nothing"
        self.assertEqual(self.store(self.mailbox, raw), ([], set()))
        self.assertEqual(email.copy_ids.account_id, self.mailbox)
        self.assertWhole(email)

    # --- headers only ---

    def test_of_headers_the_text_is_nowhere(self):
        self.mailbox.unlinked_keep = "headers"
        raw = stranger_mail()
        email, linked = self.deliver(self.mailbox, raw, raw_mail(text=TEXT))
        self.assertBare(email)
        self.assertFalse(linked.headers_only)
        self.assertEqual(email.digest, parse(raw).digest)
        mine = self.as_user(email, self.mira)
        self.assertEqual(mine.subject, "Crossing")
        self.assertIn("in the mailbox", mine.easycrm_values()["snippet"])
        # the same again, as after being killed
        self.assertEqual(self.deliver(self.mailbox, raw), email)
        self.assertBare(email)
        self.assertEqual(len(email.copy_ids), 1)

    def test_of_headers_its_owner_reads_it_and_it_is_not_kept(self):
        self.mailbox.unlinked_keep = "headers"
        raw = stranger_mail()
        email = self.deliver(self.mailbox, raw)
        answer = self.open(email, raw)
        self.assertEqual(answer["email_id"], email.id)
        self.assertIn("zebra", answer["body"]["document"])
        self.assertBare(email)
        for user in (self.jonas, self.admin):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.as_user(email, user).easycrm_read_large()

    def test_of_headers_another_mail_in_its_place_is_not_shown(self):
        self.mailbox.unlinked_keep = "headers"
        email = self.deliver(self.mailbox, stranger_mail())
        answer = self.open(email, stranger_mail())
        self.assertEqual(list(answer), ["error"])
        self.assertBare(email)

    def test_of_headers_it_is_stored_once_it_is_linked(self):
        self.mailbox.unlinked_keep = "headers"
        raw = stranger_mail(attachments=[("a.pdf", "application/pdf", b"%PDF")])
        email = self.deliver(self.mailbox, raw)
        due = self.env["easycrm.email"]._get_due_files
        self.assertNotIn(email, due(50))
        self.env["res.partner"].create({"name": "X", "email": "somebody@far.example"})
        self.follow_addresses()
        self.assertTrue(email.is_linked)
        self.assertIn(email, due(50))
        mail = parse(raw)
        BodyIngest(self.mailbox.sudo()).complete(email, mail, mail)
        self.assertWhole(email)
        # the attachments come next
        self.assertIn(email, due(50))
        self.assertEqual(len(email.attachment_line_ids), 1)

    def test_of_headers_what_another_mailbox_keeps_is_whole_whoever_comes_first(self):
        self.mailbox.unlinked_keep = "headers"
        for mailboxes in (
            (self.mailbox, self.jonas_mailbox),
            (self.jonas_mailbox, self.mailbox),
        ):
            with self.subTest(mailboxes[0].email):
                raw = stranger_mail()
                for mailbox in mailboxes:
                    email = self.deliver(mailbox, raw)
                self.assertWhole(email)
                self.assertEqual(len(email.copy_ids), 2)
                self.assertNotIn("body", self.open(email, raw))
                self.assertWhole(email)

    def test_more_mails_take_no_more_queries(self):
        def count(number, at):
            raws = [stranger_mail() for _number in range(number)]
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.store(self.mailbox, *raws, at=at)
            self.env.flush_all()
            return self.cr.sql_log_count - before

        for keep in ("headers", "nothing"):
            with self.subTest(keep):
                self.mailbox.unlinked_keep = keep
                count(4, f"{keep}1")
                self.assertEqual(count(4, f"{keep}2"), count(60, f"{keep}3"))


@tagged("post_install", "-at_install")
class TestKeepImap(Keeping, RealMailbox, TransactionCase):
    """On a real Dovecot."""

    def start(self):
        self.account.with_user(self.mira).action_sync_now()
        self.run_cron("_cron_backfill")
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)

    def bring(self):
        now = datetime.now(timezone.utc)
        for raw in (raw_mail(date=now), stranger_mail(date=now)):
            self.server.deliver(self.login, raw, folder="INBOX")

    def emails(self):
        domain = [("copy_ids.account_id", "=", self.account.id)]
        return self.env["easycrm.email"].sudo().search(domain)

    def compare(self):
        self.account.with_user(self.mira).action_compare_now()
        self.run_cron()
        self.assertEqual(self.account.sync_status, "ok")
        return self.account.week_stored, self.account.week_held

    def test_of_nothing_the_week_is_complete(self):
        self.account.unlinked_keep = "nothing"
        self.bring()
        self.start()
        self.assertEqual(self.compare(), (1, 1))
        self.assertTrue(self.emails().is_linked)

    def test_of_headers_the_text_is_read_live_and_stored_once_linked(self):
        self.account.unlinked_keep = "headers"
        self.bring()
        self.start()
        self.assertEqual(self.compare(), (2, 2))
        email = self.emails().filtered(lambda one: not one.is_linked)
        self.assertBare(email)
        self.env.flush_all()
        answer = email.with_user(self.mira).easycrm_read_large()
        self.assertIn("zebra", answer["body"]["document"])
        self.assertBare(email)
        link = self.env["easycrm.email.link"].create(
            {"email_id": email.id, "partner_id": self.anna.id}
        )
        # (that is of attachments alone)
        switch = self.env["ir.config_parameter"].sudo()
        switch.set_param("easycrm_mail.keep_attachments", "False")
        self.run_cron("_cron_backfill")
        self.assertWhole(email)
        self.assertTrue(link.exists())
