"""The nightly comparison with the mailbox: what was lost is found, and fetched."""

from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..easycrm_mail.models.ingest import Ingest
from ..easycrm_mail.models.sync_compare import ATTEMPTS
from ..easycrm_mail.models.sync_run import SyncRun
from ..easycrm_mail.providers import Gone, Reconnect, Retry
from .compare_case import ComparingGmail, ComparingImap, ComparingOutlook


class Lost:
    """What holds for each service."""

    def test_what_was_lost_is_fetched(self):
        self.bring("One", "Two", "Three", "Four")
        self.start()
        self.drop("Two", "Three")
        self.run_cron()
        self.assertEqual(self.get_subjects(), ["Four", "One"], "nobody knows yet")
        self.compare()
        self.assertEqual(self.get_subjects(), ["Four", "One", "Three", "Two"])
        self.assertEqual(self.account.sync_status, "ok")
        self.assertWeek(4, 4, recovered=2)
        self.assertTrue(self.account.checked_at)
        self.assertLinkedToAnna(4)
        self.compare()
        self.assertWeek(4, 4)
        self.assertEqual(len(self.find_copies()), 4, "nothing twice")

    def test_what_lost_its_place_alone_gets_it_back(self):
        self.bring("One", "Two")
        self.start()
        self.find_copies("One").location_ids.unlink()
        self.compare()
        self.assertEqual(len(self.find_copies("One").location_ids), 1)
        self.assertEqual(len(self.find_copies()), 2)
        self.assertWeek(2, 2, recovered=1)

    def test_what_was_lost_on_its_way_in_is_fetched(self):
        self.start()
        store = Ingest.store

        def lose(ingest, reads):
            return store(ingest, [one for one in reads if "Lost" not in one[1].subject])

        self.bring("One", "Lost")
        with patch.object(Ingest, "store", lose):
            self.run_cron()
        self.assertEqual(self.get_subjects(), ["One"])
        self.compare()
        self.assertEqual(self.get_subjects(), ["Lost", "One"])
        self.assertWeek(2, 2, recovered=1)

    def test_what_comes_meanwhile_is_not_taken_for_lost(self):
        self.bring("One")
        self.start()
        held = self.get_provider().held

        def bring_more(provider, *args):
            self.bring("Two")
            return held(provider, *args)

        with patch.object(self.get_provider(), "held", bring_more):
            self.compare()
        self.assertWeek(len(self.find_copies()), len(self.find_copies()))
        self.assertIn("Two", self.get_subjects())

    def test_a_known_gap_is_never_up_to_date(self):
        self.bring("One", "Two")
        self.start()
        self.drop("Two")
        with patch.object(self.get_provider(), "fetch", side_effect=Retry("dropped")):
            self.compare()
            self.assertEqual(self.account.sync_status, "incomplete")
            self.assertEqual(self.account.gap_count, 1)
            self.assertWeek(1, 2)
            self.run_cron()
            self.assertEqual(self.account.sync_status, "incomplete")
        self.run_cron()
        self.assertEqual(self.account.sync_status, "ok")
        self.assertWeek(2, 2, recovered=1)

    def test_what_is_under_way_when_its_owner_leaves_is_not_stored(self):
        self.bring("One", "Two")
        self.start()
        self.drop("Two")
        store = SyncRun._store_gap

        def leave_first(run, account, *args):
            account.user_id.active = False
            return store(run, account, *args)

        with patch.object(SyncRun, "_store_gap", leave_first):
            self.compare()
        self.assertEqual(self.account.sync_status, "stopped")
        self.assertEqual(self.get_subjects(), ["One"])
        self.assertEqual(self.account.gap_count, 1, "it is still missing")
        self.assertEqual(
            self.account.week_words,
            {"title": "", "detail": ""},
        )

    def test_what_cannot_be_fetched_is_set_aside_in_the_end(self):
        self.bring("One", "Two")
        self.start()
        self.drop("Two")
        with patch.object(self.get_provider(), "fetch", side_effect=Retry("answer")):
            self.compare()
            self.run_cron()
            self.run_cron()
            self.assertFalse(self.account.gap_count)
            self.assertEqual(len(self.account.failure_ids), 1)
            self.assertIn("makes no sense", self.account.failure_ids.error)
        self.compare()
        self.assertEqual(self.account.sync_status, "incomplete")
        self.assertFalse(self.account.gap_count, "it waits for a Retry")

    def test_what_is_gone_by_then_is_no_gap(self):
        self.bring("One", "Two")
        self.start()
        self.drop("Two")
        with patch.object(self.get_provider(), "fetch", side_effect=Gone("mail")):
            self.compare()
        self.assertEqual(self.account.sync_status, "ok")
        self.assertWeek(1, 1)

    def test_killed_before_its_mail_is_stored_it_is_not_green(self):
        self.bring("One", "Two")
        self.start()
        self.drop("Two")
        self.kill_at("_store_gap")
        self.assertEqual(self.account.sync_status, "incomplete")
        self.assertEqual(self.account.gap_count, 1)
        self.run_cron()
        self.assertEqual(self.account.sync_status, "ok")
        self.assertEqual(self.get_subjects(), ["One", "Two"])

    def test_killed_while_it_compares_it_compares_again(self):
        self.bring("One", "Two")
        self.start()
        self.drop("Two")
        self.kill_at("_compare")
        self.assertFalse(self.account.checked_at)
        self.run_cron()
        self.assertTrue(self.account.checked_at)
        self.assertEqual(self.get_subjects(), ["One", "Two"])

    def test_what_is_not_stored_without_a_reason_is_a_gap_and_then_set_aside(self):
        self.bring("One", "Secret")
        self.start()
        self.drop("Secret")
        store = Ingest.store

        def swallow(ingest, reads):
            kept = [one for one in reads if "Secret" not in one[1].subject]
            return store(ingest, kept)

        with patch.object(Ingest, "store", swallow):
            self.compare()
            self.assertEqual(self.account.sync_status, "incomplete")
            self.assertWeek(1, 2)
            for _time in range(ATTEMPTS - 1):
                self.run_cron()
        self.assertFalse(self.account.gap_count)
        self.assertEqual(
            self.account.failure_ids.error,
            "The email was read, and could not be stored.",
        )

    def test_a_mailbox_that_is_not_read_is_not_compared(self):
        self.start()
        self.account.with_user(self.mira).action_pause()
        with self.assertRaises(UserError):
            self.account.with_user(self.mira).action_compare_now()
        self.assertEqual(self.account.sync_status, "paused")

    def test_a_comparison_that_fails_is_no_error_of_the_mailbox(self):
        self.bring("One")
        self.start()
        self.bring("Two")
        with patch.object(self.get_provider(), "held", side_effect=Retry("timeout")):
            self.compare()
        self.assertEqual(self.account.sync_status, "ok")
        self.assertEqual(self.get_subjects(), ["One", "Two"])
        self.assertFalse(self.account.checked_at)
        wait = self.account.check_at - fields.Datetime.now()
        self.assertGreater(wait, timedelta(minutes=50))

    def test_a_sign_in_that_has_expired_is(self):
        self.bring("One")
        self.start()
        with patch.object(self.get_provider(), "held", side_effect=Reconnect("grant")):
            self.compare()
        self.assertEqual(self.account.sync_status, "error")

    def test_a_folder_that_is_gone_does_not_hold_up_the_others(self):
        self.bring("One", "Two")
        self.start()
        self.drop("Two")
        held, gone = self.get_provider().held, self.choose_other_folder()

        def fail(provider, asked, *args):
            if asked == gone:
                raise Gone("folder")
            return held(provider, asked, *args)

        with patch.object(self.get_provider(), "held", fail):
            self.compare()
        self.assertEqual(self.get_subjects(), ["One", "Two"])
        self.assertEqual(self.account.sync_status, "incomplete")
        self.assertGreater(
            self.account.check_at, fields.Datetime.now(), "compared again next night"
        )


@tagged("post_install", "-at_install")
class TestCompareImap(Lost, ComparingImap):
    """On a real Dovecot."""

    def test_what_a_folder_lacks_that_is_not_read_any_more_is_not_missing(self):
        self.bring("One", "Two")
        self.start()
        self.drop("Two")
        with patch.object(self.get_provider(), "fetch", side_effect=Retry("answer")):
            self.compare()
        gaps = self.env["easycrm.email.gap"]
        gap = gaps.search([("account_id", "=", self.account.id)])
        self.assertEqual(self.account.gap_count, 1)
        folder = self.account.folder_ids.filtered(lambda one: one.stream == gap.stream)
        self.account.with_user(self.mira).folder_ids = [
            Command.update(folder.id, {"selected": False})
        ]
        self.assertEqual(self.account.gap_count, 0)
        self.assertFalse(gap.exists())


@tagged("post_install", "-at_install")
class TestCompareGmail(Lost, ComparingGmail):
    """Gmail."""


@tagged("post_install", "-at_install")
class TestCompareOutlook(Lost, ComparingOutlook):
    """Microsoft 365."""
