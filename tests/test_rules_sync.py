"""Rules forwards and backwards on real mailboxes: nothing lost, nothing twice."""

from datetime import datetime, timezone

from odoo import fields
from odoo.tests import TransactionCase, tagged

from ..easycrm_mail.models import sync_run, sync_store
from ..easycrm_mail.providers import Retry
from .api_mailbox import ApiMailbox, GmailService, OutlookService
from .common import MailFixtures, raw_mail
from .mailbox import RealMailbox


class RulesOfAMailbox:
    """What holds for every kind of mailbox."""

    #: It is the same after a look at a mailbox in which nothing happened.
    keeps_checkpoint = True

    def add_rule(self, pattern, kind="never_store", clear=False):
        adding = self.as_user(self.env["easycrm.email.rule.add"], self.mira).create(
            {"pattern": pattern, "kind": kind}
        )
        adding.action_add_and_clear() if clear else adding.action_add()
        return self.env["easycrm.email.rule"].search([("user_id", "=", self.mira.id)])

    def remove_rule(self, rule, again):
        removing = self.as_user(
            self.env["easycrm.email.rule.remove"], self.mira
        ).create({"rule_id": rule.id})
        removing.action_remove_and_read() if again else removing.action_remove()
        self.env.flush_all()
        self.env.invalidate_all()

    def get_subjects(self):
        """Return what is here of the mailbox: each mail, in each place."""
        places = self.env["easycrm.email.location"].search(
            [("account_id", "=", self.account.id)]
        )
        return sorted(places.copy_id.email_id.mapped("subject"))

    def count_left_out(self):
        return self.env["easycrm.email.exclusion"].search_count(
            [("account_id", "=", self.account.id)]
        )

    def list_anew(self):
        """Have the mailbox read from its beginning once more."""
        self.account.folder_ids.write({"checkpoint": False, "settled": False})
        self.run_cron("_cron_backfill")
        self.run_cron("_cron_sync")

    def test_forwards_and_backwards(self):
        self.deliver("Old")
        self.bring("Old bank", "x@bank.example")
        self.start()
        self.assertEqual(self.get_subjects(), ["Old", "Old bank"])
        rule = self.add_rule("bank.example", clear=True)
        self.assertEqual(self.get_subjects(), ["Old"])
        self.deliver("New")
        self.bring("New bank", "x@bank.example")
        self.run_cron()
        self.assertEqual(self.get_subjects(), ["New", "Old"])
        self.assertEqual(self.count_left_out(), 2)
        self.list_anew()
        self.assertEqual(self.get_subjects(), ["New", "Old"])
        self.assertEqual(self.count_left_out(), 2)
        before = {one: one.checkpoint for one in self.account._get_read_folders()}
        self.remove_rule(rule, again=True)
        self.assertEqual(self.account.failure_count, 2)
        self.assertEqual(self.account.sync_status, "incomplete", "a gap is known")
        self.run_cron()
        everything = ["New", "New bank", "Old", "Old bank"]
        self.assertEqual(self.get_subjects(), everything)
        self.assertEqual(self.count_left_out(), 0)
        self.assertFalse(self.account.failure_ids)
        self.assertEqual(self.account.sync_status, "ok")
        for folder, checkpoint in before.items():
            self.assertTrue(folder.settled)
            if self.keeps_checkpoint:
                self.assertEqual(folder.checkpoint, checkpoint)
        self.list_anew()
        self.assertEqual(self.get_subjects(), everything)

    def test_read_again_under_another_rule_it_is_left_out_again(self):
        rule = self.add_rule("bank.example")
        self.bring("Bank", "x@bank.example")
        self.start()
        self.assertEqual(self.count_left_out(), 1)
        self.add_rule("x@bank.example")
        self.remove_rule(rule, again=True)
        self.assertEqual(self.count_left_out(), 0)
        self.run_cron()
        self.assertEqual(self.count_left_out(), 1)
        self.assertFalse(self.get_subjects())
        self.assertFalse(self.account.failure_ids)

    def test_a_mailbox_that_is_not_there_loses_nothing_of_what_is_read_again(self):
        rule = self.add_rule("bank.example")
        for number in range(3):
            self.bring(f"Bank {number}", "x@bank.example")
        self.start()
        self.remove_rule(rule, again=True)
        fetch, calls = sync_run.fetch_again, []

        def drop(*args):
            calls.append(args)
            raise Retry("dropped")

        self.patch(sync_run, "fetch_again", drop)
        self.run_cron()
        self.assertEqual(len(calls), 1, "the others wait")
        self.assertEqual(self.account.last_error_kind, "retry")
        self.assertEqual(self.account.failure_ids.mapped("retry"), [True] * 3)
        self.patch(sync_run, "fetch_again", fetch)
        self.account.next_sync_at = fields.Datetime.now()
        self.run_cron()
        self.assertEqual(len(self.get_subjects()), 3)
        self.assertFalse(self.account.failure_ids)
        self.assertEqual(self.account.sync_status, "ok")

    def test_left_out_for_good_stays_out(self):
        rule = self.add_rule("bank.example")
        self.bring("Bank", "x@bank.example")
        self.start()
        self.remove_rule(rule, again=False)
        self.bring("Later", "x@bank.example")
        self.run_cron()
        self.assertEqual(self.get_subjects(), ["Later"])
        self.assertEqual(self.count_left_out(), 1)

    def test_a_page_whose_storing_fails_is_left_out_the_same_way(self):
        """Each mail is then stored alone."""
        self.add_rule("bank.example")
        for number in range(3):
            self.bring(f"Bank {number}", "x@bank.example")
        self.deliver("One", "Two")
        store, calls = sync_store.Ingest.store, []

        def fail_once(ingest, reads):
            result = store(ingest, reads)
            if len(reads) > 1 and not calls:
                calls.append(len(reads))
                raise ValueError("refused")
            return result

        self.patch(sync_store.Ingest, "store", fail_once)
        with self.assertLogs(sync_store.__name__, "WARNING"):
            self.start()
        self.assertTrue(calls)
        self.assertEqual(self.get_subjects(), ["One", "Two"])
        self.assertEqual(self.count_left_out(), 3)


@tagged("post_install", "-at_install")
class TestRulesImap(RulesOfAMailbox, RealMailbox, TransactionCase):
    """On a real Dovecot."""

    allow_inherited_tests_method = True

    def bring(self, subject, sender):
        self.deliver(subject, sender=sender)

    def start(self):
        result = super().start()
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        return result

    def test_gone_from_the_mailbox_meanwhile_it_is_no_gap(self):
        rule = self.add_rule("bank.example")
        self.bring("Bank", "x@bank.example")
        self.start()
        self.remove_rule(rule, again=True)
        [key] = self.server.keys(self.login)
        self.server.remove(self.login, key)
        self.run_cron()
        self.assertFalse(self.account.failure_ids)
        self.assertFalse(self.get_subjects())
        self.assertEqual(self.account.sync_status, "ok")


class RulesOfAService(RulesOfAMailbox, ApiMailbox, MailFixtures):
    def bring(self, subject, sender):
        self.service.deliver(self.address, self.get_raw(subject, sender))

    def get_raw(self, subject, sender):
        return raw_mail(
            subject=subject,
            sender=sender,
            to=self.address,
            date=datetime.now(timezone.utc),
        )

    def start(self):
        self.assertFalse(self.sign_in())
        self.run_crons()
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)


@tagged("post_install", "-at_install")
class TestRulesGmail(RulesOfAService, TransactionCase):
    """On Gmail."""

    allow_inherited_tests_method = True
    service_class = GmailService

    def test_many_are_read_again_within_the_limit_of_a_minute(self):
        rule = self.add_rule("bank.example")
        mails = 40
        for number in range(mails):
            self.bring(f"Bank {number}", "x@bank.example")
        self.start()
        self.assertEqual(self.count_left_out(), mails)
        self.remove_rule(rule, again=True)
        self.env["ir.config_parameter"].set_param("easycrm_mail.gmail_units", "600")
        self.run_cron()
        held = len(self.get_subjects())
        self.assertLess(held, mails)
        self.assertEqual(self.account.sync_status, "incomplete")
        self.assertEqual(self.account.sync_stage, "waiting")
        self.assertGreater(self.account.next_sync_at, fields.Datetime.now())
        self.assertFalse(self.account.last_error)
        for _minute in range(3):
            self.account.write({"quota_state": False, "next_sync_at": False})
            self.run_cron()
        self.assertEqual(len(self.get_subjects()), mails)
        self.assertEqual(self.account.sync_status, "ok")


@tagged("post_install", "-at_install")
class TestRulesOutlook(RulesOfAService, TransactionCase):
    """On Microsoft 365."""

    allow_inherited_tests_method = True
    service_class = OutlookService
    keeps_checkpoint = False
