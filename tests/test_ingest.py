"""What a mailbox hands over is stored, once, and follows what happens to it there."""

from datetime import datetime, timedelta, timezone

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..easycrm_mail.messages import UnreadableMessage, parse
from ..easycrm_mail.models.ingest import Ingest, Read
from ..easycrm_mail.models.sync_run import SyncRun
from ..easycrm_mail.providers import ReadChange, RemoteMessage, SetAside
from .common import START, MailCase, raw_mail
from .plain.awkward import MAILS


@tagged("post_install", "-at_install")
class TestOnce(MailCase):
    def places(self, email):
        return sorted(
            (place.account_id.email, place.stream, place.provider_ref)
            for place in email.copy_ids.location_ids
        )

    def test_the_same_mail_twice_in_a_batch_is_one_email_in_two_places(self):
        raw = raw_mail()
        email = self.deliver(self.mailbox, raw, raw, refs=["1:1", "1:2"])[0]
        self.assertEqual(self.env["easycrm.email"].search([]), email)
        self.assertEqual(len(email.copy_ids), 1)
        self.assertEqual(
            self.places(email),
            [
                ("mira@ours.example", "INBOX", "1:1"),
                ("mira@ours.example", "INBOX", "1:2"),
            ],
        )
        self.assertEqual(len(email.content_ids), 1)
        self.assertEqual(len(email.participant_ids), 2)
        self.assertEqual(len(email.link_ids), 1)

    def test_the_same_batch_again_changes_nothing(self):
        raws = [
            raw_mail(attachments=[("a.txt", "text/plain", b"x")]) for _i in range(3)
        ]
        before = self.deliver(self.mailbox, *raws, refs=["1:1", "1:2", "1:3"])
        rows = self.count_rows()
        after = self.deliver(self.mailbox, *raws, refs=["1:1", "1:2", "1:3"])
        self.assertEqual(before, after)
        self.assertEqual(self.count_rows(), rows)

    def count_rows(self):
        return {
            model: self.env[model].search_count([])
            for model in self.env
            if model.startswith("easycrm.email") and not self.env[model]._abstract
        }

    def test_a_mail_to_oneself_stands_in_inbox_and_sent_as_one_copy(self):
        raw = raw_mail(sender="mira@ours.example", to="mira@ours.example")
        email = self.deliver(self.mailbox, raw, refs=["1:1"])
        again = self.deliver(self.mailbox, raw, stream="Sent", refs=["1:1"])
        self.assertEqual(email, again)
        self.assertEqual(len(email.copy_ids), 1)
        self.assertEqual(len(self.places(email)), 2)

    def test_the_same_mail_in_two_mailboxes_is_one_email_with_two_copies(self):
        raw = raw_mail(to="mira@ours.example, jonas@ours.example")
        email = self.deliver(self.mailbox, raw)
        again = self.deliver(self.jonas_mailbox, raw)
        self.assertEqual(email, again)
        self.assertEqual(len(email.copy_ids), 2)
        self.assertEqual(len(email.link_ids), 1)

    def test_a_mailing_lists_footer_makes_another_email_of_the_same_thread(self):
        parts = {"message_id": "<1@acme.example>", "subject": "List", "date": START}
        email = self.receive(self.mailbox, text="Hi.", **parts)
        other = self.receive(self.mailbox, text="Hi.\n--\nfooter", **parts)
        self.assertNotEqual(email, other)
        self.assertEqual(email.thread_id, other.thread_id)

    def test_both_of_them_may_come_in_one_batch(self):
        parts = {"message_id": "<1@acme.example>", "subject": "List", "date": START}
        emails = self.deliver(
            self.mailbox,
            raw_mail(text="Hi.", **parts),
            raw_mail(text="Hi.\n--\nfooter", **parts),
        )
        self.assertEqual(len(set(emails)), 2)
        self.assertEqual(len(emails.thread_id), 1)

    def test_a_mail_without_message_id_is_recognised(self):
        raw = raw_mail(message_id="")
        email = self.deliver(self.mailbox, raw)
        self.assertEqual(self.deliver(self.jonas_mailbox, raw), email)
        other = self.receive(self.mailbox, message_id="", text="Another.")
        self.assertNotEqual(other, email)

    def test_a_very_long_message_id_is_recognised_and_threads(self):
        for length in (499, 500, 501, 502, 503, 3000):
            with self.subTest(length=length):
                # put in afterwards: the library would fold and encode it
                short = "<short@x.example>"
                long_id = f"<{'x' * (length - 12)}@x.example>".encode()
                raw, answer = (
                    raw_mail(**parts).replace(short.encode(), long_id)
                    for parts in ({"message_id": short}, {"references": [short]})
                )
                email = self.deliver(self.mailbox, raw)
                self.assertEqual(self.deliver(self.mailbox, raw), email)
                answer = self.deliver(self.mailbox, answer)
                self.assertEqual(answer.thread_id, email.thread_id)


@tagged("post_install", "-at_install")
class TestWhatIsStored(MailCase):
    def test_an_email_keeps_what_the_mail_says(self):
        raw = raw_mail(
            sender="Änna Berg <Anna@ACME.example>",
            to="mira@ours.example",
            cc="X <x@far.example>, x@FAR.example",
            subject="Grüße 日本",
            text="Guten Tag.\n\n> quoted",
            html="<p>Guten Tag.</p><script>x</script>",
            date=datetime(2026, 3, 2, 10, 30, tzinfo=timezone(timedelta(hours=2))),
            attachments=[("ä.pdf", "application/pdf", b"%PDF-1.4")],
        )
        email = self.deliver(self.mailbox, raw)
        self.assertEqual(email.date, datetime(2026, 3, 2, 8, 30))
        self.assertTrue(email.has_attachments)
        self.assertEqual(email.company_id, self.company_a)
        content = email.content_ids
        self.assertEqual(content.subject, "Grüße 日本")
        self.assertEqual(content.snippet, "Guten Tag.")
        self.assertIn("Guten Tag.", content.body_text)
        # as it came: it is sanitised when it is shown
        self.assertIn("<script>x</script>", content.body_html_raw)
        people = [(p.role, p.name, p.address) for p in email.participant_ids]
        self.assertEqual(
            people,
            [
                ("from", "Änna Berg", "anna@acme.example"),
                ("to", "", "mira@ours.example"),
                ("cc", "X", "x@far.example"),
            ],
        )
        line = email.attachment_line_ids
        self.assertEqual(
            (line.name, line.mimetype, line.size, line.inline),
            ("ä.pdf", "application/pdf", 8, False),
        )
        self.assertFalse(line.attachment_id)
        copy = email.copy_ids
        self.assertEqual(copy.from_address, "anna@acme.example")
        self.assertEqual(copy.date, email.date)

    def test_direction_is_per_mailbox_and_outbound_wins_for_the_email(self):
        raw = raw_mail(sender="mira@ours.example", to="jonas@ours.example")
        email = self.deliver(self.jonas_mailbox, raw)
        self.assertEqual(email.direction, "inbound")
        self.deliver(self.mailbox, raw, stream="Sent")
        self.assertEqual(email.direction, "outbound")
        for mailbox, direction in (
            (self.mailbox, "outbound"),
            (self.jonas_mailbox, "inbound"),
        ):
            self.assertEqual(self.copy_in(mailbox, email).direction, direction)

    def test_an_alias_is_the_mailbox_too(self):
        self.mailbox.alias_emails = "Sales@Ours.example"
        email = self.deliver(self.mailbox, raw_mail(sender="SALES@ours.example"))
        self.assertEqual(email.direction, "outbound")

    def test_a_mail_in_sent_by_another_is_inbound(self):
        email = self.deliver(self.mailbox, raw_mail(), stream="Sent")
        self.assertEqual(email.direction, "inbound")


@tagged("post_install", "-at_install")
class TestFollowing(MailCase):
    """What happens in the mailbox changes copies and places, never the email."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.raw = raw_mail()
        [cls.email] = cls.deliver(cls.mailbox, cls.raw, refs=["1:7"], is_read=False)
        cls.copy = cls.email.copy_ids
        cls.ingest = Ingest(cls.mailbox, "INBOX")

    def assertHere(self, removed=False):
        self.env.invalidate_all()
        self.assertTrue(self.email.exists())
        self.assertLinked(self.email, [self.anna])
        self.assertEqual(bool(self.copy.removed_at), removed)

    def test_read_and_unread(self):
        self.assertFalse(self.copy.is_read)
        self.ingest.change([ReadChange("1:7", True), ReadChange("1:99", True)])
        self.assertTrue(self.copy.is_read)
        self.ingest.change([ReadChange("1:7", False)])
        self.assertFalse(self.copy.is_read)

    def test_a_change_in_another_stream_or_mailbox_is_not_this_ones(self):
        Ingest(self.mailbox, "Sent").change([ReadChange("1:7", True)])
        Ingest(self.jonas_mailbox, "INBOX").change([ReadChange("1:7", True)])
        Ingest(self.mailbox, "Sent").remove(["1:7"])
        Ingest(self.jonas_mailbox, "INBOX").remove(["1:7"])
        self.assertHere()
        self.assertFalse(self.copy.is_read)
        self.assertEqual(self.copy.location_ids.provider_ref, "1:7")

    def test_a_removed_mail_stays_in_the_crm(self):
        self.ingest.remove(["1:7"])
        self.assertHere(removed=True)
        self.assertFalse(self.copy.location_ids)
        self.assertTimeline(self.anna, ["Hello"])
        self.assertVisible(self.mira, self.email, "everything")

    def test_only_the_last_place_that_goes_marks_it_removed(self):
        self.deliver(self.mailbox, self.raw, refs=["1:8"])
        self.deliver(self.mailbox, self.raw, stream="Archive", refs=["1:1"])
        self.ingest.remove(["1:7"])
        self.assertHere()
        self.ingest.remove(["1:8"])
        self.assertHere()
        Ingest(self.mailbox, "Archive").remove(["1:1"])
        self.assertHere(removed=True)

    def test_all_places_gone_at_once_mark_it_removed(self):
        self.deliver(self.mailbox, self.raw, refs=["1:8"])
        self.ingest.remove(["1:7", "1:8"])
        self.assertHere(removed=True)

    def test_a_mail_that_comes_back_is_no_longer_removed(self):
        self.ingest.remove(["1:7"])
        self.deliver(self.mailbox, self.raw, refs=["1:9"])
        self.assertHere()
        self.assertEqual(len(self.email.copy_ids), 1)

    def test_a_move_is_a_new_place_in_whatever_order_it_is_told(self):
        archive = Ingest(self.mailbox, "Archive")
        self.deliver(self.mailbox, self.raw, stream="Archive", refs=["1:1"])
        self.ingest.remove(["1:7"])
        self.assertHere()
        archive.remove(["1:1"])
        self.assertHere(removed=True)
        self.deliver(self.mailbox, self.raw, refs=["1:10"])
        self.assertHere()

    def test_a_stream_listed_anew_finds_its_mail_again(self):
        gone = self.receive(self.mailbox)
        old = self.receive(self.mailbox, date=START - timedelta(days=300))
        sent = self.send(self.mailbox)
        self.ingest.reset()
        self.assertHere()
        self.deliver(self.mailbox, self.raw, refs=["2:1"])
        self.ingest.sweep(START - timedelta(days=90))
        self.assertHere()
        self.assertEqual(self.copy.location_ids.provider_ref, "2:1")
        self.env.invalidate_all()
        self.assertTrue(gone.copy_ids.removed_at)
        # what was not listed is not known to be gone
        self.assertFalse(old.copy_ids.removed_at)
        self.assertFalse(sent.copy_ids.removed_at)
        self.assertEqual(len(sent.copy_ids.location_ids), 1)


@tagged("post_install", "-at_install")
class TestSettingAside(MailCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ingest = Ingest(cls.mailbox, "INBOX")

    def failures(self):
        self.env.invalidate_all()
        return [
            (failure.provider_ref, failure.error, failure.attempts, failure.retry)
            for failure in self.mailbox.failure_ids.sorted("provider_ref")
        ]

    def test_it_is_kept_with_its_reason_and_counted(self):
        self.ingest.set_aside([SetAside("1:1", "Broken."), SetAside("1:2", "Bad.")])
        self.assertEqual(self.mailbox.failure_count, 2)
        self.mailbox.failure_ids.retry = True
        self.env.flush_all()
        self.ingest.set_aside([SetAside("1:1", "Still broken.")])
        self.assertEqual(
            self.failures(),
            [("1:1", "Still broken.", 2, False), ("1:2", "Bad.", 1, True)],
        )

    def test_it_is_settled_in_its_own_stream_and_mailbox_alone(self):
        self.ingest.set_aside([SetAside("1:1", "Broken.")])
        Ingest(self.mailbox, "Sent").settle(["1:1"])
        Ingest(self.jonas_mailbox, "INBOX").settle(["1:1"])
        self.assertEqual(len(self.failures()), 1)
        self.ingest.settle(["1:1", "1:2"])
        self.assertEqual(self.failures(), [])
        self.assertEqual(self.mailbox.failure_count, 0)

    def test_a_mail_that_the_database_refuses_does_not_block_the_rest(self):
        reads = [self.read(raw_mail(), f"1:{i}") for i in range(3)]
        reads.insert(1, self.read(self.make_refused(), "1:bad"))
        self.env.flush_all()
        with mute_logger(
            "odoo.sql_db", "odoo.addons.easycrm_mail.easycrm_mail.models.sync_store"
        ):
            failed = SyncRun(self.mailbox)._store_reads(self.ingest, reads)
        self.assertEqual([one.ref for one in failed], ["1:bad"])
        self.assertEqual(self.env["easycrm.email"].search_count([]), 3)
        self.assertEqual(len(self.anna.easycrm_email_link_ids), 3)

    def test_whatever_the_parser_lets_through_is_stored(self):
        reads = []
        for number, raw in enumerate(MAILS.values()):
            try:
                reads.append(self.read(raw, f"2:{number}"))
            except UnreadableMessage:
                continue
        self.assertGreater(len(reads), 30)
        self.assertEqual(SyncRun(self.mailbox)._store_reads(self.ingest, reads), [])
        places = self.env["easycrm.email.location"].search_count([])
        self.assertEqual(places, len(reads))

    def read(self, raw, ref):
        remote = RemoteMessage(ref=ref, raw=raw, is_read=True)
        return Read(remote, raw if not isinstance(raw, bytes) else parse(raw))

    def make_refused(self):
        message = parse(raw_mail())
        return type(message)(
            **{name: getattr(message, name) for name in message.__slots__}
            | {"subject": "NUL \x00"}
        )

    def test_nothing_of_a_refused_mail_stays(self):
        read = self.read(self.make_refused(), "1:1")
        with mute_logger(
            "odoo.sql_db", "odoo.addons.easycrm_mail.easycrm_mail.models.sync_store"
        ):
            SyncRun(self.mailbox)._store_reads(self.ingest, [read])
        for model in ("email", "email.thread", "email.copy", "email.participant"):
            self.assertFalse(self.env[f"easycrm.{model}"].search_count([]))

    def test_removing_a_mailbox_removes_what_nobody_else_holds_or_sees(self):
        mailbox = self.connect(self.leonie)
        raw = raw_mail(sender="x@far.example")
        alone = self.receive(mailbox, sender="x@far.example")
        shared = self.deliver(mailbox, raw)
        self.deliver(self.mailbox, raw)
        mailbox.unlink()
        self.assertFalse(alone.exists())
        self.assertTrue(shared.exists())
        self.assertEqual(shared.copy_ids.account_id, self.mailbox)

    def test_a_mailbox_with_linked_mail_is_not_removed(self):
        self.receive(self.mailbox)
        with self.assertRaises(UserError):
            self.mailbox.unlink()
        self.mailbox.active = False
        self.assertTimeline(self.anna, ["Hello"], self.jonas)
        self.assertTimeline(self.anna, ["Hello"], self.mira)
