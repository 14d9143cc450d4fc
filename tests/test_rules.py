"""Rules of what is never stored and never linked: whose they are, what they cover."""

from contextlib import contextmanager
from functools import partial

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..easycrm_mail.models.rule_conditions import patterns_of, read_pattern
from .rule_case import RuleCase


@tagged("post_install", "-at_install")
class TestRules(RuleCase):
    def test_a_pattern_is_an_address_or_a_domain_however_it_is_typed(self):
        for typed, pattern in (
            ("Anna@Bank.example ", "anna@bank.example"),
            ("Anna Berg <anna@bank.example>", "anna@bank.example"),
            ("bank.example", "@bank.example"),
            ("@Bank.Example", "@bank.example"),
            ("*@bank.example", "@bank.example"),
            ("bücher.example", "@bücher.example"),
            ("xn--bcher-kva.example", "@bücher.example"),
            ("anna@xn--bcher-kva.example", "anna@bücher.example"),
            ("example", ""),
            ("@", ""),
            ("", ""),
            (None, ""),
            ("two words.example", ""),
            ("a@b@c.example", ""),
            ("anna@b.example, bob@b.example", ""),
            ("%.example%", "@%.example%"),
        ):
            with self.subTest(typed=typed):
                self.assertEqual(read_pattern(typed), pattern)

    def test_a_domain_covers_those_below_it_and_no_other(self):
        covering = set(patterns_of("anna@news.bank.example"))
        self.assertLessEqual(
            {"anna@news.bank.example", "@news.bank.example", "@bank.example"}, covering
        )
        self.assertNotIn("@ank.example", covering)
        self.receive(self.mailbox, sender="a@news.bank.example", subject="Below")
        self.receive(self.mailbox, sender="a@mybank.example", subject="Other")
        self.receive(self.mailbox, sender="x.a@bank.example", subject="Same end")
        self.receive(self.mailbox, sender="a@ban_.example", subject="No wildcard")
        count = self.env["easycrm.email.rule"]._count_here
        for pattern, wanted in (
            ("@bank.example", 2),
            ("@news.bank.example", 1),
            ("a@bank.example", 0),
            ("@ban_.example", 1),
            ("@%.example", 0),
        ):
            with self.subTest(pattern=pattern):
                self.assertEqual(count(pattern, self.mailbox)[0], wanted)

    def test_words_that_are_no_rule_are_refused_in_words(self):
        rules = self.as_user(self.env["easycrm.email.rule"], self.mira)
        for typed, words in (
            ("anna", "neither an email address nor a domain"),
            ("gmail.com", "Anybody can have an address at gmail.com"),
            ("@GMAIL.com", "Anybody can have an address at gmail.com"),
        ):
            with self.assertRaisesRegex(ValidationError, words):
                rules.create({"pattern": typed})
        self.assertEqual(rules.create({"pattern": "a@gmail.com"}).user_id, self.mira)

    @contextmanager
    def assertRefused(self):
        """Assert that the database does not take it."""
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.cr.savepoint(),
        ):
            yield

    def test_a_rule_is_somebodys_or_a_companys(self):
        rules = self.env["easycrm.email.rule"]
        both = {"user_id": self.mira.id, "company_id": self.company_a.id}
        for values in (both, {"user_id": False}):
            with self.assertRefused():
                rules.create({"pattern": "bank.example", **values})

    def test_a_rule_stays_what_it_is(self):
        rule = self.add_rule("bank.example").with_user(self.mira)
        for values in ({"pattern": "@b.example"}, {"user_id": self.jonas.id}):
            with self.assertRaises(UserError):
                rule.write(values)

    def test_an_own_rule_is_unseen_by_others_by_every_road(self):
        rule = self.add_rule("secret.example")
        self.receive(self.mailbox, sender="x@secret.example")
        self.assertEqual(self.get_left_out(), [("rule", "@secret.example")])
        left_out = self.env["easycrm.email.exclusion"].search([])
        self.mailbox.member_ids = self.leonie  # who reads the mail, not the rules
        for user in (self.jonas, self.leonie, self.sofia, self.admin, self.bea):
            with self.subTest(user=user.login):
                rules = self.as_user(rule.browse(), user)
                self.assertFalse(rules.search([]))
                self.assertFalse(rules.search_count([("pattern", "ilike", "secret")]))
                self.assertFalse(rules.name_search("secret"))
                self.assertFalse(rules._read_group([], ["user_id"], ["__count"]))
                self.assertFalse(rules.search_read([("user_id", "=", self.mira.id)]))
                seen = self.as_user(rule, user)
                for call in (
                    lambda seen=seen: seen.read(["pattern"]),
                    lambda seen=seen: seen._export_rows([["pattern"]]),
                    lambda seen=seen: seen.write({"enforced": True}),
                    lambda seen=seen: seen.unlink(),
                    lambda seen=seen: seen.action_switch(),
                    lambda seen=seen: seen.action_remove(),
                    partial(self.remove_rule, seen, user, again=True),
                ):
                    with self.assertRaises(AccessError):
                        call()
                mailbox = self.as_user(self.mailbox, user)
                if mailbox.has_access("read"):
                    self.assertFalse(mailbox.left_out_count)
                    self.assertFalse(mailbox.left_out_words)
                with self.assertRaises(AccessError):
                    self.as_user(left_out, user).read(["reason"])
                self.assertFalse(self.as_user(left_out.browse(), user).search([]))
        for user in (self.ingrid, self.portal, self.public):
            with self.assertRaises(AccessError):
                self.as_user(rule.browse(), user).search([])
            with self.assertRaises(AccessError):
                self.as_user(left_out.browse(), user).search([])
        mine = self.as_user(self.mailbox, self.mira)
        self.assertEqual(mine.left_out_words, "1 by “@secret.example”")

    def test_no_window_tells_of_somebody_elses_rule(self):
        rule = self.add_rule("secret.example")
        for user in (self.jonas, self.sofia, self.admin):
            removing = self.as_user(self.env["easycrm.email.rule.remove"], user)
            with self.assertRaises(AccessError):
                removing.create({"rule_id": rule.id})
            values = removing.with_context(default_rule_id=rule.id).onchange(
                {}, [], {"rule_id": {"fields": {"display_name": {}}}, "only_me": {}}
            )
            self.assertNotIn("secret", str(values))
            self.assertEqual(rule.with_user(user).sudo().display_name, "")

    def test_two_people_may_have_the_same_rule_without_hearing_of_each_other(self):
        self.add_rule("bank.example")
        self.assertTrue(self.add_rule("bank.example", user=self.jonas))
        with self.assertRefused():
            self.add_rule("bank.example")

    def test_only_administrators_add_rules_for_everybody(self):
        for user in (self.mira, self.leonie):
            with self.assertRaises(AccessError):
                self.add_rule("bank.example", user=user, everybody=True)
            with self.assertRaises(AccessError):
                self.as_user(self.env["easycrm.email.rule"], user).create(
                    {"pattern": "b.example", "company_id": self.company_a.id}
                )
        rule = self.add_rule("bank.example", user=self.sofia, everybody=True)
        self.assertEqual(rule.company_id, self.company_a)
        self.assertFalse(rule.user_id)
        seen = self.as_user(rule, self.mira)
        self.assertEqual(seen.search([]), seen)
        for call in (
            lambda: seen.write({"enforced": True}),
            seen.unlink,
            lambda: self.remove_rule(rule),
        ):
            with self.assertRaises(AccessError):
                call()
        self.assertFalse(self.as_user(rule.browse(), self.bea).search([]))
        with self.assertRaises(AccessError):
            self.as_user(rule.browse(), self.sofia).create(
                {"pattern": "b.example", "company_id": self.company_b.id}
            )
        with self.assertRaises(AccessError):
            self.as_user(rule.browse(), self.sofia).create(
                {"pattern": "b.example", "user_id": self.mira.id}
            )

    def test_who_has_switched_a_rule_off_is_told_to_nobody(self):
        rule = self.add_rule("bank.example", user=self.sofia, everybody=True)
        self.as_user(rule, self.mira).action_switch()
        for user in (self.sofia, self.mira, self.admin):
            with self.assertRaises(AccessError):
                self.as_user(rule, user).read(["off_user_ids"])
            with self.assertRaises(AccessError):
                self.as_user(rule, user).formatted_read_group(
                    [], ["off_user_ids"], ["__count"]
                )
        self.assertFalse(self.as_user(rule, self.mira).is_on)
        self.assertTrue(self.as_user(rule, self.sofia).is_on)
        self.as_user(rule, self.mira).action_switch()
        self.assertTrue(self.as_user(rule, self.mira).is_on)

    def test_an_enforced_rule_cannot_be_switched_off(self):
        rule = self.add_rule(
            "bank.example", user=self.sofia, everybody=True, enforced=True
        )
        self.assertFalse(self.as_user(rule, self.mira).can_switch)
        with self.assertRaises(UserError):
            self.as_user(rule, self.mira).action_switch()
        own = self.add_rule("own.example")
        with self.assertRaises(UserError):
            self.as_user(own, self.mira).action_switch()

    def test_the_window_counts_what_is_here_before_anything_happens(self):
        self.receive(self.mailbox, sender="anna@acme.example")
        other = self.receive(self.mailbox, sender="x@acme.example")
        self.receive(self.mailbox, sender="y@else.example", cc="z@acme.example")
        self.receive(self.jonas_mailbox, sender="anna@acme.example")
        self.env.flush_all()
        form = Form(self.as_user(self.env["easycrm.email.rule.add"], self.mira))
        form.pattern = "acme"
        self.assertEqual((form.here_count, form.linked_count), (0, 0))
        form.pattern = "acme.example"
        self.assertEqual((form.here_count, form.linked_count), (3, 1))
        self.assertEqual(form.gone_count, 0)
        form.pattern = "x@acme.example"
        self.assertEqual((form.here_count, form.linked_count), (1, 0))
        self.copy_in(self.mailbox, other).removed_at = fields.Datetime.now()
        self.env.flush_all()
        form.pattern = "acme.example"
        self.assertEqual((form.here_count, form.gone_count), (3, 1))
        self.assertFalse(self.env["easycrm.email.rule"].search([]))

    def test_an_administrator_does_not_learn_who_writes_with_whom(self):
        """Else the window would answer whose mailbox holds mail of whom."""
        self.receive(self.mailbox, sender="lover@private.example")
        self.receive(self.mailbox, sender="anna@acme.example")
        form = Form(self.as_user(self.env["easycrm.email.rule.add"], self.sofia))
        form.everybody = True
        form.pattern = "lover@private.example"
        self.assertEqual(form.here_count, 0)
        form.pattern = "acme.example"
        self.assertEqual(form.here_count, 1, "it stands on a contact")
        rule = self.add_rule(
            "private.example", user=self.sofia, everybody=True, clear=True
        )
        self.assertFalse(self.get_subjects()[1:])
        self.assertEqual(self.as_user(rule, self.sofia).left_out_count, 0)
        self.assertEqual(self.as_user(rule, self.mira).left_out_count, 1)

    def test_the_windows_are_their_users_own(self):
        adding = self.as_user(self.env["easycrm.email.rule.add"], self.mira).create(
            {"pattern": "secret.example"}
        )
        with self.assertRaises(AccessError):
            self.as_user(adding, self.sofia).read(["pattern"])
