"""Private conversations: who makes and shares them, and what others then see."""

from datetime import datetime, timezone

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import MailCase, raw_mail
from .live_case import LiveCase

ROOT = "<root@acme.example>"


class PrivacyCase(MailCase):
    def thread(self, email, user=None):
        return self.as_user(email.thread_id, user or self.mira)

    def make_it_private(self, email, user=None):
        return self.thread(email, user).action_make_private()

    def share(self, email, user=None):
        return self.thread(email, user).action_share()

    def open(self, user, record=None):
        """Return {thread id: whose it is} of what stands on the timeline."""
        page = self.as_user(record or self.anna, user).easycrm_timeline()
        return {one["thread_id"]: one["privacy"] for one in page["conversations"]}

    def receive_in_both(self, **parts):
        """Bring a mail that Mira and Jonas both got."""
        raw = raw_mail(to="mira@ours.example, jonas@ours.example", **parts)
        [email] = self.deliver(self.mailbox, raw)
        [same] = self.deliver(self.jonas_mailbox, raw)
        self.assertEqual(email, same)
        return email


@tagged("post_install", "-at_install")
class TestPrivacy(PrivacyCase):
    def test_made_private_it_is_gone_for_others_and_shared_it_is_back(self):
        first = self.receive(self.mailbox, message_id=ROOT)
        answer = self.send(self.mailbox, references=[ROOT])
        self.assertEqual(self.make_it_private(first), "private")
        for email in (first, answer):
            self.assertVisible(self.mira, email, "everything")
            for user in (self.jonas, self.leonie, self.sofia):
                self.assertVisible(user, email, None)
        self.assertEqual(self.as_user(self.anna, self.jonas).easycrm_email_count, 0)
        self.assertEqual(self.as_user(self.anna, self.mira).easycrm_email_count, 2)
        self.assertEqual(self.share(answer), "shared")
        for user in (self.mira, self.jonas):
            self.assertVisible(user, first, "everything")

    def test_what_comes_later_is_private_too(self):
        first = self.receive(self.mailbox, message_id=ROOT)
        self.make_it_private(first)
        later = self.receive(self.mailbox, references=[ROOT])
        self.assertVisible(self.jonas, later, None)
        self.assertVisible(self.mira, later, "everything")

    def test_a_colleagues_own_copy_is_still_his(self):
        both = self.receive_in_both(message_id=ROOT)
        mine = self.receive(self.mailbox, references=[ROOT])
        self.make_it_private(both)
        self.assertVisible(self.jonas, both, "everything")
        self.assertVisible(self.jonas, mine, None)
        self.assertVisible(self.leonie, both, None)
        self.assertTimeline(self.anna, ["Hello"], self.jonas)

    def test_the_timeline_tells_its_holders_whose_it_is(self):
        email = self.receive_in_both()
        thread = email.thread_id.id
        self.assertEqual(self.open(self.mira), {thread: "shared"})
        self.assertEqual(self.open(self.leonie), {thread: False})
        self.make_it_private(email)
        self.assertEqual(self.open(self.mira), {thread: "private"})
        self.assertEqual(self.open(self.jonas), {thread: "kept"})
        self.assertEqual(self.open(self.leonie), {})

    def test_the_strictest_holder_wins(self):
        email = self.receive_in_both()
        self.make_it_private(email)
        with self.assertRaises(AccessError):
            self.share(email, self.jonas)
        self.assertEqual(self.make_it_private(email, self.jonas), "kept")
        self.assertEqual(self.share(email), "kept")
        self.assertVisible(self.leonie, email, None)
        self.assertEqual(self.share(email, self.jonas), "shared")
        self.assertVisible(self.leonie, email, "everything")

    def test_a_team_decides_for_its_mailbox(self):
        email = self.receive(self.mailbox)
        self.mailbox.member_ids = self.jonas
        self.make_it_private(email, self.jonas)
        self.assertVisible(self.leonie, email, None)
        self.assertEqual(self.share(email), "shared")

    def test_who_has_nothing_of_it_in_a_mailbox_decides_nothing(self):
        email = self.receive(self.mailbox)
        for user in (self.jonas, self.sofia, self.admin, self.bea):
            for name in ("action_make_private", "action_share"):
                with (
                    self.subTest(user=user.login, name=name),
                    self.assertRaises(AccessError),
                ):
                    getattr(self.thread(email, user), name)()
        for user in (self.ingrid, self.portal, self.public):
            with self.assertRaises(AccessError):
                self.make_it_private(email, user)
        self.assertEqual(email.thread_id.privacy, "shared")

    def test_a_conversation_that_is_none_is_answered_like_a_strangers(self):
        email = self.receive(self.mailbox)
        answers = []
        for thread_id in (email.thread_id.id, email.thread_id.id + 1000):
            thread = self.as_user(email.thread_id, self.jonas).browse(thread_id)
            with self.assertRaises(AccessError) as caught:
                thread.action_share()
            answers.append(str(caught.exception))
        self.assertEqual(*answers)

    def test_a_forged_answer_shares_nothing_that_others_keep(self):
        """Whoever knows a Message-ID can join its conversation from his own mailbox."""
        secret = self.receive(self.mailbox, message_id=ROOT)
        self.make_it_private(secret)
        forged = self.receive(self.jonas_mailbox, references=[ROOT])
        self.assertEqual(forged.thread_id, secret.thread_id)
        with self.assertRaises(AccessError):
            self.share(forged, self.jonas)
        self.make_it_private(forged, self.jonas)
        self.assertEqual(self.share(forged, self.jonas), "kept")
        self.assertVisible(self.jonas, secret, None)

    def test_kept_by_no_mailbox_it_is_nobodys_to_share(self):
        secret = self.receive(self.mailbox, message_id=ROOT)
        self.make_private(secret)  # as a script does it
        forged = self.receive(self.jonas_mailbox, references=[ROOT])
        for user in (self.mira, self.jonas):
            self.assertEqual(self.open(user), {secret.thread_id.id: "kept"})
            self.assertEqual(self.make_it_private(forged, user), "kept")
            with self.assertRaises(AccessError):
                self.share(forged, user)
        self.assertVisible(self.jonas, secret, None)

    def test_a_mailbox_that_is_deleted_leaves_what_others_keep(self):
        both = self.receive_in_both(sender="doctor@private.example")
        self.make_it_private(both)
        self.make_it_private(both, self.jonas)
        self.mailbox.unlink()
        self.assertEqual(both.thread_id.privacy, "private")
        self.assertEqual(self.share(both, self.jonas), "shared")

    def test_what_a_deleted_mailbox_kept_is_shared_by_those_who_have_it(self):
        both = self.receive_in_both(sender="doctor@private.example")
        self.make_it_private(both)
        self.mailbox.unlink()
        self.assertEqual(both.thread_id.privacy, "shared")

    def test_an_archived_mailbox_goes_on_keeping(self):
        email = self.receive_in_both()
        self.make_it_private(email)
        self.mailbox.active = False
        self.make_it_private(email, self.jonas)
        self.assertEqual(self.share(email, self.jonas), "kept")
        self.assertVisible(self.leonie, email, None)
        self.assertEqual(self.share(email), "shared")

    def test_merged_conversations_are_kept_by_those_who_kept_any(self):
        mine = self.receive(self.mailbox, message_id="<a@acme.example>")
        theirs = self.receive(self.jonas_mailbox, message_id="<b@acme.example>")
        third = self.receive(self.jonas_mailbox, message_id="<c@acme.example>")
        self.make_it_private(third, self.jonas)
        self.make_it_private(mine)
        raw = raw_mail(
            to="mira@ours.example",
            references=["<a@acme.example>", "<b@acme.example>"],
            in_reply_to="<b@acme.example>",
        )
        [joins] = self.deliver(self.mailbox, raw)
        raw = raw_mail(
            to="mira@ours.example",
            references=["<c@acme.example>", "<a@acme.example>"],
            in_reply_to="<a@acme.example>",
        )
        self.deliver(self.mailbox, raw)
        self.env.invalidate_all()
        self.assertEqual(len((mine | theirs | third | joins).thread_id), 1)
        self.assertEqual(
            mine.thread_id.sudo().keeper_ids, self.mailbox | self.jonas_mailbox
        )
        for email in (mine, theirs, third):
            self.assertVisible(self.leonie, email, None)
        self.assertEqual(self.share(mine), "kept")
        self.assertEqual(self.share(third, self.jonas), "shared")

    def test_who_keeps_what_is_told_to_nobody(self):
        email = self.receive(self.mailbox)
        self.make_it_private(email)
        for user in (self.mira, self.jonas, self.sofia, self.admin):
            thread = self.thread(email, user)
            for call in (
                lambda thread=thread: thread.read(["keeper_ids"]),
                lambda thread=thread: thread.search(
                    [("keeper_ids.email", "=", "mira@ours.example")]
                ),
                lambda thread=thread: thread.write({"privacy": "shared"}),
                lambda thread=thread: thread.write({"keeper_ids": [Command.clear()]}),
            ):
                with self.assertRaises(AccessError):
                    call()

    def test_the_panel_says_who_reads_it(self):
        email = self.receive_in_both()

        def ask(user):
            return self.as_user(email, user).easycrm_sharing()

        def words():
            return ask(self.mira)["sentence"]

        self.assertEqual(ask(self.leonie), {"privacy": False, "sentence": False})
        self.assertEqual(ask(self.mira)["privacy"], "shared")
        self.assertEqual(words(), "Everybody who may open these records.")
        self.mailbox.share_level = "metadata"
        self.assertEqual(words(), "Everybody who may open these records.")
        self.jonas_mailbox.share_level = "subject"
        self.assertIn("sees the subject", words())
        self.jonas_mailbox.share_level = "metadata"
        self.assertIn("sees who wrote and when", words())
        self.make_it_private(email)
        self.assertEqual(ask(self.mira)["privacy"], "private")
        self.assertNotIn("colleague", words())
        self.assertEqual(ask(self.jonas)["privacy"], "kept")
        self.assertIn("A colleague keeps it so", ask(self.jonas)["sentence"])
        with self.assertRaises(AccessError):
            ask(self.leonie)

    def test_a_page_asks_as_much_for_private_conversations_as_for_shared_ones(self):
        emails = [self.receive(self.mailbox) for _number in range(8)]

        def count_queries():
            timeline = self.as_user(self.anna, self.mira)
            timeline.easycrm_timeline()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            timeline.easycrm_timeline()
            return self.cr.sql_log_count - before

        shared = count_queries()
        for email in emails[::2]:
            self.make_it_private(email)
        self.assertEqual(count_queries(), shared)


@tagged("post_install", "-at_install")
class TestPrivacyPings(PrivacyCase, LiveCase):
    def test_open_screens_are_told_once_a_record_and_nothing_else(self):
        deal = self.add_lead("Deal", self.mira, "anna@acme.example")
        now = datetime.now(timezone.utc)
        email = self.receive_now(message_id=ROOT, date=now)
        self.receive_now(references=[ROOT], date=now)
        self.read_pings()
        self.make_it_private(email)
        self.assertPinged(self.anna, self.acme, deal)
        self.make_it_private(email)
        self.assertPinged()
        self.share(email)
        self.assertPinged(self.anna, self.acme, deal)

    def test_who_is_in_bcc_hears_of_it_no_more_than_of_the_mail(self):
        raw = raw_mail(
            sender=self.mailbox.email,
            to="doctor@private.example",
            bcc="bruno@beck.example",
        )
        [email] = self.deliver(self.mailbox, raw, stream="Sent")
        self.make_it_private(email)
        self.assertPinged()
