"""Rules of what is never stored: what they leave out, and what brings it back."""

from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..easycrm_mail.models import easycrm_email_rule_effect
from ..easycrm_mail.models.easycrm_email_rule import MOST_PERSONAL
from ..easycrm_mail.models.ingest import Ingest
from .common import raw_mail
from .rule_case import RuleCase


@tagged("post_install", "-at_install")
class TestNeverStored(RuleCase):
    def setUp(self):
        super().setUp()
        self.some = [
            raw_mail(sender="x@bank.example", subject="From"),
            raw_mail(to="mira@ours.example, x@bank.example", subject="To"),
            raw_mail(cc="x@bank.example", subject="Cc"),
            raw_mail(sender="mira@ours.example", to="x@bank.example", subject="Sent"),
            raw_mail(subject="Other"),
        ]

    def deliver_some(self):
        refs = [f"1:{number}" for number in range(len(self.some))]
        return self.deliver(self.mailbox, *self.some, refs=refs)

    def test_mail_in_which_the_address_stands_is_not_stored_and_counted(self):
        for pattern in ("bank.example", "x@bank.example"):
            with self.subTest(pattern=pattern):
                rule = self.add_rule(pattern)
                self.deliver_some()
                self.assertEqual(self.get_subjects(), ["Other"])
                self.assertEqual(self.get_left_out(), [("rule", rule.pattern)] * 4)
                self.assertEqual(self.as_user(rule, self.mira).left_out_count, 4)
                self.assertFalse(
                    self.env["easycrm.email.content"].search_count(
                        [("subject", "in", ["From", "To", "Cc", "Sent"])]
                    )
                )
                rule.unlink()
                self.env["easycrm.email.exclusion"].search([]).unlink()
                self.env["easycrm.email"].search([]).unlink()

    def test_the_mailboxs_own_address_is_covered_by_no_rule_of_its_owner(self):
        self.add_rule("ours.example")
        self.receive(self.mailbox, subject="To me")
        self.receive(self.mailbox, subject="With a colleague", cc="jonas@ours.example")
        self.assertEqual(self.get_subjects(), ["To me"])

    def test_others_mailboxes_store_it_all_the_same(self):
        self.add_rule("acme.example")
        raw = raw_mail(to="mira@ours.example, jonas@ours.example", subject="Both")
        self.deliver(self.mailbox, raw)
        [email] = self.deliver(self.jonas_mailbox, raw)
        self.assertEqual(email.copy_ids.account_id, self.jonas_mailbox)
        self.assertLinked(email, self.anna)

    def test_the_same_page_once_more_counts_nothing_twice(self):
        self.add_rule("bank.example")
        for _time in range(2):
            self.deliver_some()
        self.assertEqual(len(self.get_left_out()), 4)
        self.assertEqual(self.get_subjects(), ["Other"])

    def test_a_mail_in_two_folders_counts_once(self):
        rule = self.add_rule("bank.example")
        raw = raw_mail(sender="x@bank.example")
        self.deliver(self.mailbox, raw, stream="INBOX")
        self.deliver(self.mailbox, raw, stream="Sent")
        self.assertEqual(len(self.get_left_out()), 2)
        self.assertEqual(self.as_user(rule, self.mira).left_out_count, 1)
        self.assertEqual(self.as_user(self.mailbox, self.mira).left_out_count, 1)

    def test_what_is_here_is_deleted_or_kept(self):
        self.deliver_some()
        self.assertEqual(len(self.get_subjects()), 5)
        rule = self.add_rule("bank.example")
        self.assertEqual(len(self.get_subjects()), 5, "kept")
        self.deliver_some()
        self.assertEqual(len(self.get_subjects()), 5, "kept, also when listed anew")
        self.assertFalse(self.get_left_out())
        self.remove_rule(rule)
        rule = self.add_rule("bank.example", clear=True)
        self.assertEqual(self.get_subjects(), ["Other"])
        self.assertEqual(self.get_left_out(), [("rule", "@bank.example")] * 4)
        self.assertEqual(self.as_user(rule, self.mira).left_out_count, 4)
        before = self.env["easycrm.email.exclusion"].search([]).mapped("mark")
        self.deliver_some()
        after = self.env["easycrm.email.exclusion"].search([]).mapped("mark")
        self.assertEqual(before, after, "known as the same, however they were left out")

    def test_only_the_own_copies_are_deleted_and_the_email_with_its_last(self):
        raw = raw_mail(to="mira@ours.example, jonas@ours.example", subject="Both")
        [email] = self.deliver(self.mailbox, raw)
        self.deliver(self.jonas_mailbox, raw)
        self.assertLinked(email, self.anna)
        self.add_rule("acme.example", clear=True)
        self.assertEqual(email.exists().copy_ids.account_id, self.jonas_mailbox)
        self.assertLinked(email, self.anna)
        self.assertVisible(self.jonas, email, "everything")
        thread = email.thread_id
        self.add_rule("anna@acme.example", user=self.jonas, clear=True)
        self.assertFalse(email.exists())
        self.assertFalse(thread.exists(), "its name was the email's")
        self.assertTimeline(self.anna, [])

    def test_many_are_cleared_away_by_the_cron_in_the_end(self):
        self.patch(easycrm_email_rule_effect, "CLEARED_AT_ONCE", 2)
        self.deliver_some()
        rule = self.add_rule("bank.example", clear=True)
        self.assertEqual(len(self.get_subjects()), 3, "two are gone at once")
        self.assertGreater(rule.follow_at, fields.Datetime.now())
        rule.follow_at = fields.Datetime.now()
        while self.env["easycrm.email.rule"]._follow_due():
            self.env.flush_all()
        self.assertEqual(self.get_subjects(), ["Other"])
        self.assertFalse(rule.follow_at)

    def test_what_was_just_being_stored_goes_a_minute_later(self):
        """Its transaction does not see the rule that is being added."""
        rule = self.add_rule("bank.example", clear=True)
        with patch.object(Ingest, "_get_rule", lambda ingest, read: None):
            self.deliver_some()
        self.assertEqual(len(self.get_subjects()), 5)
        rule.follow_at = fields.Datetime.now()
        self.assertTrue(self.env["easycrm.email.rule"]._follow_due())
        self.assertFalse(self.env["easycrm.email.rule"]._follow_due())
        self.assertEqual(self.get_subjects(), ["Other"])

    def test_a_rule_for_everybody_is_obeyed_by_all_who_have_not_switched_it_off(self):
        rule = self.add_rule("bank.example", user=self.sofia, everybody=True)
        mail = {"sender": "x@bank.example", "subject": "Bank"}
        for mailbox in (self.mailbox, self.jonas_mailbox):
            self.receive(mailbox, **mail)
            self.assertFalse(self.get_subjects(mailbox))
        self.remove_rule(rule, only_me=True)
        for mailbox, subjects in ((self.mailbox, ["Bank"]), (self.jonas_mailbox, [])):
            self.receive(mailbox, **mail)
            self.assertEqual(self.get_subjects(mailbox), subjects)
        rule.with_user(self.sofia).enforced = True
        self.receive(self.mailbox, **mail)
        self.assertEqual(self.get_subjects(), ["Bank"])

    def test_a_rule_of_another_company_is_none_here(self):
        manager = self.add_user(
            "mona", "sales_team.group_sale_manager", company=self.company_b
        )
        self.add_rule("bank.example", user=manager, everybody=True, enforced=True)
        self.receive(self.mailbox, sender="x@bank.example", subject="Bank")
        self.assertEqual(self.get_subjects(), ["Bank"])

    def test_a_user_has_a_thousand_rules_of_his_own_of_a_kind_and_no_more(self):
        rules = self.as_user(self.env["easycrm.email.rule"], self.mira)
        rules.create([{"pattern": f"x{n}@bank.example"} for n in range(MOST_PERSONAL)])
        with self.assertRaisesRegex(UserError, "1,000 rules of your own.*Never store"):
            rules.create({"pattern": "one@more.example"})
        rules.create({"pattern": "one@more.example", "kind": "never_link"})
        # the lists of administrators may be longer
        everybody = self.env["easycrm.email.rule"]
        company = {"company_id": self.company_a.id}
        everybody.create(
            [
                {"pattern": f"x{n}@spam.example", **company}
                for n in range(MOST_PERSONAL + 1)
            ]
        )

    def test_what_left_the_mailbox_is_no_more_counted(self):
        self.add_rule("bank.example")
        self.deliver_some()
        Ingest(self.mailbox, "INBOX").remove(["1:0", "1:1"])
        self.assertEqual(len(self.get_left_out()), 2)
        Ingest(self.mailbox, "Sent").reset()
        self.assertEqual(len(self.get_left_out()), 2)
        Ingest(self.mailbox, "INBOX").reset()
        self.assertFalse(self.get_left_out())

    def test_what_a_removed_rule_left_out_waits_until_it_is_asked_for(self):
        rule = self.add_rule("bank.example")
        self.deliver_some()
        self.remove_rule(rule)
        mailbox = self.as_user(self.mailbox, self.mira)
        self.assertEqual(mailbox.left_out_words, "4 by rules that were removed")
        self.assertEqual(mailbox.readmitted_count, 4)
        self.assertFalse(mailbox.failure_count)
        mailbox.action_read_left_out()
        self.assertEqual(mailbox.failure_count, 4)
        self.assertFalse(mailbox.left_out_count)
        self.assertEqual(len(mailbox.failure_ids.filtered("retry")), 4)
        # and a sync that lists them anew meanwhile stores each once
        self.deliver_some()
        self.assertEqual(len(self.get_subjects()), 5)

    def test_what_is_stored_is_no_more_counted_as_left_out(self):
        rule = self.add_rule("bank.example")
        self.deliver_some()
        self.remove_rule(rule)
        self.deliver_some()
        self.assertEqual(len(self.get_subjects()), 5)
        self.assertFalse(self.get_left_out())

    def test_only_its_owner_has_it_read_again(self):
        rule = self.add_rule("bank.example")
        self.deliver_some()
        self.remove_rule(rule)
        self.mailbox.member_ids = self.jonas
        for user in (self.jonas, self.leonie):
            with self.assertRaises(AccessError):
                self.as_user(self.mailbox, user).action_read_left_out()
        self.as_user(self.mailbox, self.sofia).action_read_left_out()
        self.assertEqual(len(self.get_left_out()), 4)
