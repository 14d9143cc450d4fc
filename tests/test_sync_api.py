"""Mailboxes of Google and Microsoft in good health: moves, replays, what it costs."""

import json
from datetime import timedelta
from math import ceil
from unittest.mock import patch

from odoo import fields
from odoo.tests import TransactionCase, tagged

from ..easycrm_mail.models.sync_run import SyncRun
from ..easycrm_mail.providers import Permanent, Retry
from .api_mailbox import ApiMailbox, GmailService, OutlookService
from .common import MailFixtures, raw_mail


class Syncing:
    """What holds for both services."""

    #: Queries of a look at a mailbox in which nothing happened.
    IDLE_QUERIES = 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.service.server

    def start(self):
        """Sign in, and read the mailbox to its end."""
        self.assertFalse(self.sign_in())
        self.run_crons()
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)

    def get_copies(self):
        return self.env["easycrm.email.copy"].search(
            [("account_id", "=", self.account.id)]
        )

    def get_folders(self, copy):
        """Return the names of the folders that a mail stands in."""
        names = {one.stream: one.name for one in self.account.folder_ids}
        return sorted(names[place.stream] for place in copy.location_ids)

    def count_calls(self):
        """Return the requests of a run of the cron."""
        before = len(self.server.calls)
        self.run_cron()
        return self.server.calls[before:]

    def read_first(self, mails):
        """Return the requests of the first sync of a mailbox with so many mails."""
        self.deliver(*(f"Number {i}" for i in range(mails)))
        self.assertFalse(self.sign_in())
        before = len(self.server.calls)
        self.run_crons()
        self.assertMailboxIsHereOnce()
        return self.server.calls[before:]

    def test_the_same_page_once_more_changes_nothing(self):
        self.choose_folder("Customers")
        self.deliver("One", "Two")
        self.start()
        before = {one: one.checkpoint for one in self.account.folder_ids}
        refs = self.deliver("Three", "Four")
        self.deliver("Answer", sent=True)
        self.service.mark_read(self.address, refs[0])
        for _time in range(2):
            self.run_cron()
            self.assertMailboxIsHereOnce()
            for folder, checkpoint in before.items():
                self.assertTrue(not checkpoint or folder.checkpoint != checkpoint)
                folder.checkpoint = checkpoint
        self.assertEqual(len(self.get_copies()), 5)

    def test_a_first_listing_once_more_changes_nothing(self):
        self.deliver("One", "Two")
        self.start()
        self.account.folder_ids.checkpoint = False
        self.run_crons()
        self.assertMailboxIsHereOnce()

    def test_a_mail_to_oneself_is_one_email(self):
        self.deliver_to_oneself(raw_mail(sender=self.address, to=self.address))
        self.start()
        copy = self.get_copies()
        self.assertEqual(len(copy), 1)
        self.assertEqual(len(copy.email_id), 1)
        self.assertEqual(copy.direction, "outbound")
        self.assertEqual(self.get_folders(copy), sorted(self.folders_of_oneself))

    def test_what_was_asked_for_another_owner_is_not_kept(self):
        """The account is given away while its folders, or its mails, are asked for."""
        self.deliver("Private")
        finish = SyncRun._finish

        for kind in ("streams", "pull"):
            self.assertFalse(self.sign_in())

            def give_away(run, session, future, kind=kind):
                if session.task[0] == kind:
                    account = run.accounts.browse(session.account_id)
                    account.write({"user_id": self.jonas.id})
                return finish(run, session, future)

            with patch.object(SyncRun, "_finish", give_away):
                self.run_cron("_cron_backfill")
            self.assertEqual(self.account.user_id, self.jonas)
            self.assertFalse(self.get_copies(), kind)
            self.assertFalse(self.account.folder_ids.filtered("checkpoint"))
            self.account.user_id = self.mira
        self.assertFalse(self.sign_in())
        self.run_crons()
        self.assertMailboxIsHereOnce()

    def test_a_long_rest_is_no_longer_than_a_day(self):
        self.start()
        for seconds in (3e5, 3e11):
            self.account._mark_resting(seconds)
            wait = self.account.next_sync_at - fields.Datetime.now()
            self.assertLessEqual(wait, timedelta(hours=24))
            self.assertFalse(self.account._get_due(first=False) & self.account)

    def test_faults_between_which_it_went_on_are_not_one(self):
        """A first reading that rests a hundred times takes hours."""
        self.start()
        for _time in range(5):
            self.account._mark_failed(Retry("dropped"))
            self.assertEqual(self.account.retry_count, 0)
            self.assertNotEqual(self.account.sync_status, "error")
            self.account._mark_resting(60)
            self.assertFalse(self.account.last_error)
        for _time in range(4):
            self.account._mark_failed(Retry("dropped"))
        self.assertEqual(self.account.sync_status, "error")
        self.account._mark_resting(60)
        self.assertEqual(self.account.sync_status, "incomplete")
        self.assertFalse(self.account.activity_ids)

    def test_what_a_service_says_is_no_markup_in_the_notice(self):
        self.start()
        words = "<a href='https://evil.example'>Sign in here</a>"
        self.account._mark_failed(Permanent("forbidden", words))
        self.assertNotIn("<a", self.account.activity_ids.note)
        self.assertIn("Sign in here", self.account.activity_ids.note)

    def test_an_idle_look_costs_a_call_a_stream(self):
        self.choose_folder("Customers")
        self.deliver("One", "Two", "Three")
        self.start()
        calls = self.count_calls()
        self.assertEqual(len(calls), len(self.account._get_read_folders()), calls)

    def test_an_idle_look_takes_as_many_queries_with_many_mails(self):
        counts = []
        for number in (3, 60):
            self.deliver(*(f"Number {i}" for i in range(number)))
            if not self.get_grant():
                self.assertFalse(self.sign_in())
            self.run_crons(2)
            self.env.flush_all()
            before = self.cr.sql_log_count
            self.run_cron()
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])
        self.assertLess(counts[1], self.IDLE_QUERIES)


@tagged("post_install", "-at_install")
class TestGmailSync(Syncing, ApiMailbox, MailFixtures, TransactionCase):
    """Gmail."""

    allow_inherited_tests_method = True
    service_class = GmailService
    IDLE_QUERIES = 60
    folders_of_oneself = ("All mail",)

    def deliver_to_oneself(self, raw):
        mailbox = self.server.mailboxes[self.address]
        mailbox.deliver(raw, ["INBOX", "SENT", "UNREAD"])

    def test_archive_label_trash_and_back(self):
        label = self.choose_folder("Customers")
        [ref] = self.deliver("Offer")
        self.start()
        copy, mailbox = self.get_copies(), self.server.mailboxes[self.address]
        everywhere = ["All mail", "Customers"]
        for change, folders in (
            (lambda: mailbox.archive(ref), ["All mail"]),
            (lambda: mailbox.add_labels(ref, label), everywhere),
            (lambda: mailbox.trash(ref), []),
            (lambda: mailbox.untrash(ref), everywhere),
            (lambda: mailbox.remove_labels(ref, label), ["All mail"]),
            (lambda: mailbox.add_labels(ref, "INBOX"), ["All mail"]),
        ):
            change()
            self.run_cron()
            self.assertEqual(self.get_copies(), copy, "no other one")
            self.assertEqual(self.get_folders(copy), folders)
            self.assertEqual(bool(copy.removed_at), not folders)

    def test_a_first_sync_costs_its_batches_and_no_more(self):
        mails = 230
        calls = self.read_first(mails)
        batches = [call for call in calls if call.startswith("POST /batch")]
        self.assertEqual(len(batches), ceil(mails / 50))
        # labels and profile; ids, and which of them are large; a look before each page
        # but the first, and one of the second cron
        self.assertLessEqual(len(calls), 2 * len(batches) + 4, calls)
        self.assertEqual(self.server.refused, 0)

    def test_a_mailbox_that_is_out_of_units_rests_and_others_go_on(self):
        self.server.limit = 6_000
        mails = 300
        self.deliver(*(f"Number {i}" for i in range(mails)))
        self.assertFalse(self.sign_in())
        other = self.connect_other()
        self.run_cron("_cron_backfill")
        account, held = self.account, len(self.get_copies())
        self.assertGreater(held, 200)
        self.assertLess(held, mails)
        self.assertEqual(account.sync_status, "incomplete")
        self.assertEqual(account.sync_stage, "waiting")
        self.assertFalse(account.last_error)
        self.assertFalse(account.retry_count)
        wait = account.next_sync_at - fields.Datetime.now()
        self.assertTrue(timedelta(seconds=5) < wait < timedelta(seconds=65), wait)
        self.assertEqual(other.sync_status, "ok", other.last_error)
        self.assertTrue(other.last_sync, "nobody waits for another's limit")

        self.run_crons()
        self.assertEqual(len(self.get_copies()), held, "its time has not come")
        self.as_user(account, self.mira).action_sync_now()
        self.run_crons()
        # (what was too little for a page is spent now)
        self.assertLess(len(self.get_copies()), mails, "the limit holds for buttons")
        self.assertTrue(account.next_sync_at)
        self.assertEqual(self.server.refused, 0)

        self.let_a_minute_pass()
        self.run_crons()
        self.assertEqual(account.sync_status, "ok", account.last_error)
        self.assertFalse(account.next_sync_at)
        self.assertMailboxIsHereOnce()
        self.assertEqual(self.server.refused, 0)

    def connect_other(self):
        """Connect another mailbox, with one mail in it."""
        other = self.account.copy({"email": f"other.{self.address}"})
        self.service.deliver(other.email, raw_mail(to=other.email))
        answer = self.get_answer(self.begin(other), other.email)
        self.assertFalse(self.finish(answer)[1])
        return other

    def let_a_minute_pass(self):
        """For the account, its budget, and the server's."""
        account, spent = self.account, self.server._spent[self.address]
        account.next_sync_at -= timedelta(seconds=70)
        quota = json.loads(account.quota_state)
        account.quota_state = json.dumps([[at - 70, units] for at, units in quota])
        past = [(at - 70, units) for at, units in spent]
        spent.clear()
        spent.extend(past)


@tagged("post_install", "-at_install")
class TestOutlookSync(Syncing, ApiMailbox, MailFixtures, TransactionCase):
    """Microsoft 365."""

    allow_inherited_tests_method = True
    service_class = OutlookService
    IDLE_QUERIES = 60
    folders_of_oneself = ("Inbox", "Gesendete Elemente")

    def setUp(self):
        super().setUp()
        self.box = self.server.mailboxes[self.address]
        self.server.immutable_ids = True

    def deliver_to_oneself(self, raw):
        self.box.deliver(raw, "inbox")
        self.box.deliver(raw, "sentitems", read=True)

    def check_moves(self, between=lambda: None):
        """Move a mail to folders that are read later in a round, and earlier.

        :param between: done after each move
        """
        early, late = self.choose_folder("Early"), self.choose_folder("Late")
        names = {early: "Early", late: "Late"}
        ref = self.box.deliver(raw_mail(to=self.address), early)
        self.deliver("Another")
        self.start()
        copy = self.get_copies().filtered(
            lambda one: self.get_folders(one) == ["Early"]
        )
        for target in (late, early, late):
            self.box.move(ref, target)
            between()
            self.run_cron()
            self.assertMailboxIsHereOnce()
            self.assertEqual(self.get_folders(copy), [names[target]])
            self.assertFalse(copy.removed_at)
        # away from what is read, and back
        self.box.move(ref, "archive")
        self.run_cron()
        self.assertTrue(copy.removed_at)
        self.box.move(ref, early)
        self.run_cron()
        self.assertFalse(copy.removed_at)
        self.assertMailboxIsHereOnce()

    def test_a_moved_mail_is_the_same(self):
        self.check_moves()

    def test_a_moved_mail_is_the_same_where_its_id_changes(self):
        self.server.immutable_ids = False
        self.check_moves()

    def break_between_folders(self):
        """The run ends after the first folder, with what it has stored."""
        self.server.break_("GET .*/messages/delta", "reset", after=2, times=9)
        self.run_cron()
        self.assertEqual(self.account.last_error_kind, "retry")
        self.server.mend()
        self.account.next_sync_at = False

    def test_a_round_that_ends_between_the_folders_is_harmless(self):
        self.check_moves(self.break_between_folders)

    def test_a_round_that_ends_between_is_harmless_where_ids_change(self):
        self.server.immutable_ids = False
        self.check_moves(self.break_between_folders)

    def test_a_first_sync_costs_its_batches_and_no_more(self):
        mails = 230
        calls = self.read_first(mails)
        batches = [call for call in calls if call.startswith("POST /v1.0/$batch")]
        self.assertEqual(len(batches), ceil(mails / 4))
        parts = [call for call in calls if call.startswith("PART ")]
        self.assertLessEqual(len(parts), mails)
        # which folders there are, how much is in the two, their pages, and a look of
        # the second cron
        self.assertLess(len(calls) - len(batches) - len(parts), 30)
        self.assertLessEqual(self.server.most_at_once, 4)
