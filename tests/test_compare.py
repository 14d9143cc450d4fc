"""The nightly comparison with the mailbox: what was lost is found, and fetched."""

from contextlib import suppress
from datetime import datetime, timedelta, timezone
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import TransactionCase, tagged

from ..easycrm_mail.models import easycrm_email_retention as retention
from ..easycrm_mail.models.ingest import Ingest
from ..easycrm_mail.models.sync_compare import ATTEMPTS
from ..easycrm_mail.models.sync_run import SyncRun
from ..easycrm_mail.providers import Gone, Reconnect, Retry
from .api_mailbox import ApiMailbox, GmailService, OutlookService
from .common import MailFixtures
from .mailbox import RealMailbox


class Killed(BaseException):
    """The process dies: nothing is caught any more."""


class Comparing:
    """What holds for each service."""

    def start(self):
        """Read the mailbox to its end."""
        raise NotImplementedError

    def get_provider(self):
        """Return the class of the mailbox's provider."""
        return type(self.account._make_provider())

    def bring(self, *subjects):
        """Mails that come now."""
        self.deliver(*subjects, date=datetime.now(timezone.utc))

    def compare(self):
        """Have the mailbox compared, as the button does."""
        action = self.account.with_user(self.mira).action_compare_now()
        self.assertIn("are being compared", action["params"]["message"])
        self.run_cron()

    def kill_at(self, step):
        """Have the process die while it compares."""
        with suppress(Killed), patch.object(SyncRun, step, side_effect=Killed):
            self.compare()
            self.fail("it did not come to that")
        self.env.invalidate_all()

    def find_copies(self, *subjects):
        copies = self.env["easycrm.email.copy"].search(
            [("account_id", "=", self.account.id)]
        )
        return copies.filtered(
            lambda copy: not subjects or copy.email_id.sudo().subject in subjects
        )

    def drop(self, *subjects):
        """Lose mails that are here."""
        copies = self.find_copies(*subjects)
        self.assertEqual(len(copies), len(subjects))
        emails = copies.email_id
        copies.unlink()
        emails.unlink()
        self.env.flush_all()

    def get_subjects(self):
        return sorted(copy.email_id.sudo().subject for copy in self.find_copies())

    def assertWeek(self, stored, held, recovered=0):
        account = self.account
        self.assertEqual(
            (account.week_stored, account.week_held, account.week_recovered),
            (stored, held, recovered),
        )

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

    def assertLinkedToAnna(self, count):
        links = self.anna.easycrm_email_link_ids.filtered(lambda link: not link.removed)
        self.assertEqual(len(links), count)

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

    def test_what_a_rule_leaves_out_is_fetched_once_and_not_missing(self):
        self.bring("One")
        self.deliver("Bank", sender="x@bank.example", date=datetime.now(timezone.utc))
        self.start()
        self.drop("Bank")
        self.env["easycrm.email.rule"].create(
            {"pattern": "bank.example", "user_id": self.mira.id}
        )
        self.compare()
        self.assertEqual(self.account.sync_status, "ok")
        self.assertWeek(1, 1)
        self.assertNothingFetched()

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

    def test_what_retention_has_deleted_is_not_fetched_again(self):
        self.bring("One")
        self.deliver(
            "Stranger",
            sender="somebody@far.example",
            date=datetime.now(timezone.utc) - timedelta(days=3),
        )
        self.deliver(
            "Old",
            sender="somebody@far.example",
            date=datetime.now(timezone.utc) - timedelta(days=20),
        )
        self.start()
        self.env["ir.config_parameter"].set_param(retention.DAYS, "1")
        self.env["easycrm.email"]._gc_unlinked()
        self.assertEqual(self.get_subjects(), ["One"])
        self.assertNothingFetched()
        self.assertNothingFetched()  # what says it is old, and came just now, neither
        # kept for longer: it comes back as far as it is kept now
        self.env["res.config.settings"].create(
            {"easycrm_unlinked_days": 10}
        ).set_values()
        self.assertEqual(self.account.sync_status, "incomplete")
        self.run_cron()
        self.assertEqual(self.get_subjects(), ["One", "Stranger"])
        self.env["res.config.settings"].create(
            {"easycrm_unlinked_days": 0}
        ).set_values()
        self.run_cron()
        self.assertEqual(self.get_subjects(), ["Old", "One", "Stranger"])
        self.assertEqual(self.account.sync_status, "ok")
        self.assertFalse(self.account.with_user(self.mira).left_out_count)

    def test_what_was_deleted_with_its_contact_is_not_fetched_again(self):
        self.bring("One")
        self.deliver(
            "Bruno", sender="bruno@beck.example", date=datetime.now(timezone.utc)
        )
        self.start()
        self.env["easycrm.email.erase"].create(
            {"partner_ids": self.bruno.ids, "emails": "delete"}
        ).action_erase()
        self.assertEqual(self.get_subjects(), ["One"])
        self.assertNothingFetched()
        self.assertEqual(
            self.account.with_user(self.mira).left_out_words, "1 deleted for good"
        )
        self.assertFalse(self.account.with_user(self.mira).readmitted_count)

    def assertNothingFetched(self):
        """Only "One" counts, and nothing is asked for."""
        fetch = patch.object(self.get_provider(), "fetch", autospec=True)
        with fetch as fetched:
            self.compare()
        self.assertFalse(fetched.called)
        self.assertEqual(self.account.sync_status, "ok")
        self.assertWeek(1, 1)

    def test_what_was_left_out_and_is_read_again_counts_and_is_healed(self):
        self.bring("One")
        self.deliver("Bank", sender="x@bank.example", date=datetime.now(timezone.utc))
        self.start()
        self.drop("Bank")
        rule = self.env["easycrm.email.rule"].create(
            {"pattern": "bank.example", "user_id": self.mira.id}
        )
        self.compare()  # it is missing, and left out when it comes
        self.assertEqual(self.get_subjects(), ["One"])
        self.assertWeek(1, 1)
        exclusions = self.env["easycrm.email.exclusion"].search(
            [("rule_id", "=", rule.id)]
        )
        self.assertEqual(len(exclusions), 1)
        rule.unlink()
        exclusions._read_again()
        self.run_cron()
        self.assertEqual(self.get_subjects(), ["Bank", "One"])
        self.compare()
        self.assertWeek(2, 2)
        self.drop("Bank")
        self.compare()
        self.assertEqual(self.get_subjects(), ["Bank", "One"])

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
class TestCompareImap(Comparing, RealMailbox, TransactionCase):
    """On a real Dovecot."""

    allow_inherited_tests_method = True

    def start(self):
        self.account.with_user(self.mira).action_sync_now()
        self.run_cron("_cron_backfill")
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.account.checked_at = False

    def choose_other_folder(self):
        return "Sent"

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


class ComparingApi(Comparing):
    def start(self):
        self.assertFalse(self.sign_in())
        self.run_crons()
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)

    def choose_other_folder(self):
        stream = self.choose_folder("Customers")
        self.run_crons()
        return stream


@tagged("post_install", "-at_install")
class TestCompareGmail(ComparingApi, ApiMailbox, MailFixtures, TransactionCase):
    """Gmail."""

    allow_inherited_tests_method = True
    service_class = GmailService


@tagged("post_install", "-at_install")
class TestCompareOutlook(ComparingApi, ApiMailbox, MailFixtures, TransactionCase):
    """Microsoft 365."""

    allow_inherited_tests_method = True
    service_class = OutlookService
