"""Rules of what is never linked, and what was taught in Unlinked Emails."""

from unittest.mock import patch

from odoo import fields
from odoo.tests import Form, tagged

from ..easycrm_mail.models import easycrm_email_rule_effect
from .rule_case import RuleCase
from .unlinked_case import TeachingCase


@tagged("post_install", "-at_install")
class TestRulesBesideTaught(RuleCase, TeachingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = cls.receive(
            cls.mailbox, sender="tobias@union.example", message_id="<1@union.example>"
        )

    def answer(self, sender="tobias@union.example"):
        return self.receive(
            self.mailbox, sender=sender, references=[self.first.message_id]
        )

    def keep_off(self, **values):
        return self.add_rule(
            "union.example", "never_link", user=self.sofia, everybody=True, **values
        )

    def test_what_a_rule_keeps_off_is_not_placed_beside_what_is(self):
        answer = self.answer()
        self.keep_off()
        for scope in ("thread", "domain"):
            with self.subTest(scope=scope):
                done, options = self.link(self.first)
                self.assertEqual(options[scope]["count"], 0)
                self.assertEqual(self.inbox().teach(done["batch"], scope)["count"], 0)
                self.assertLinked(answer, [])
                # (by hand it is placed all the same)
                self.assertLinked(self.first, [self.lena])
                self.inbox().undo(done["batch"])

    def test_a_rule_takes_off_what_was_taught_too(self):
        done, _options = self.link(self.first)
        answer = self.answer()
        self.inbox().teach(done["batch"], "thread")
        self.assertLinked(answer, [self.lena])
        form = Form(self.as_user(self.env["easycrm.email.rule.add"], self.mira))
        form.kind = "never_link"
        form.pattern = "union.example"
        self.assertEqual(form.linked_count, 1)
        form.save().action_add_and_clear()
        self.assertLinked(answer, [])
        self.assertLinked(self.first, [self.lena])

    def test_without_the_rule_what_was_taught_is_placed(self):
        for scope, record in (("thread", self.lena), ("domain", self.union)):
            with self.subTest(scope=scope):
                done, _options = self.link(self.first)
                rule = self.keep_off()
                self.inbox().teach(done["batch"], scope)
                late = self.answer()
                self.assertLinked(late, [])
                self.remove_rule(rule, self.sofia)
                self.assertLinked(late, [record])
                self.assertEqual(late.link_ids.origin, "rule")
                self.inbox().undo(done["batch"])
                self.assertLinked(late, [])

    def test_switched_off_it_is_placed_in_the_own_mailboxes(self):
        done, _options = self.link(self.first)
        rule = self.keep_off()
        self.inbox().teach(done["batch"], "domain")
        late = self.answer()
        self.assertLinked(late, [])
        self.as_user(rule, self.mira).action_switch()
        self.assertLinked(late, [self.union])

    def test_what_is_more_is_placed_by_the_cron(self):
        done, _options = self.link(self.first)
        rule = self.keep_off()
        self.inbox().teach(done["batch"], "thread")
        step = self.env["easycrm.email.batch"].browse(done["batch"])
        step.again_at = False
        late = self.answer() | self.answer()
        with patch.object(easycrm_email_rule_effect, "CLEARED_AT_ONCE", 1):
            self.remove_rule(rule, self.sofia)
        self.assertEqual(len(late.filtered("is_linked")), 1)
        self.assertTrue(step.again_at)
        step.again_at = fields.Datetime.now()
        step._look_again_due()
        self.env.invalidate_all()
        for email in late:
            self.assertLinked(email, [self.lena])
