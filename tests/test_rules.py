"""Rules of what is never stored and never linked: whose they are, what they cover."""

from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import SQL, mute_logger

from ..easycrm_mail.models import easycrm_email_rule_effect
from ..easycrm_mail.models.easycrm_email_rule import MOST_PERSONAL
from ..easycrm_mail.models.ingest import Ingest
from ..easycrm_mail.models.rule_conditions import patterns_of, read_pattern
from .common import MailCase, raw_mail


class RuleCase(MailCase):
    """Rules that people add and remove, as the windows do it."""

    def add_rule(self, pattern, kind="never_store", user=None, clear=False, **values):
        """Add a rule in the window; return it, as superuser."""
        user = user or self.mira
        adding = self.as_user(self.env["easycrm.email.rule.add"], user).create(
            {"pattern": pattern, "kind": kind, **values}
        )
        before = self.env["easycrm.email.rule"].sudo().search([])
        adding.action_add_and_clear() if clear else adding.action_add()
        self.env.flush_all()
        return self.env["easycrm.email.rule"].sudo().search([]) - before

    def remove_rule(self, rule, user=None, again=False, only_me=False):
        """Remove a rule in the window."""
        removing = self.as_user(
            self.env["easycrm.email.rule.remove"], user or self.mira
        ).create({"rule_id": rule.id, "only_me": only_me})
        removing.action_remove_and_read() if again else removing.action_remove()
        self.env.flush_all()
        self.env.invalidate_all()

    def get_left_out(self, mailbox=None):
        """Return [(reason, pattern)] of what a mailbox has left out."""
        mailbox = mailbox or self.mailbox
        rows = self.env["easycrm.email.exclusion"].search(
            [("account_id", "=", mailbox.id)], order="id"
        )
        return [(row.reason, row.rule_id.pattern) for row in rows]

    def get_subjects(self, mailbox=None):
        """Return the subjects of what a mailbox holds here."""
        mailbox = mailbox or self.mailbox
        copies = self.env["easycrm.email.copy"].search(
            [("account_id", "=", mailbox.id)], order="id"
        )
        return copies.email_id.mapped("subject")


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


@tagged("post_install", "-at_install")
class TestNeverLinked(RuleCase):
    def test_rules_are_looked_up_however_many_there_are(self):
        self.env.cr.execute(
            """INSERT INTO easycrm_email_rule (kind, pattern, company_id)
               SELECT 'never_link', '@' || number || '.example', %s
               FROM generate_series(1, 30000) AS number""",
            [self.company_a.id],
        )
        self.env.cr.execute("ANALYZE easycrm_email_rule")
        condition = self.env["easycrm.email.rule"]._get_linkable_sql()
        rows = self.env.execute_query(
            SQL("EXPLAIN SELECT FROM easycrm_email email WHERE %s", condition)
        )
        self.assertRegex("\n".join(row[0] for row in rows), r"Cond: .*pattern.* = ANY")
        email = self.receive(self.mailbox, sender="anna@acme.example")
        self.assertLinked(email, [self.anna])

    def test_mail_is_stored_and_stands_on_no_record(self):
        self.add_rule("acme.example", "never_link")
        email = self.receive(self.mailbox, subject="Private")
        self.assertLinked(email, [])
        self.assertEqual(self.get_subjects(), ["Private"])
        self.assertVisible(self.mira, email, "everything")
        self.assertVisible(self.jonas, email, None)

    def test_nor_when_its_contact_is_created_later(self):
        self.add_rule("later@new.example", "never_link")
        email = self.receive(self.mailbox, sender="later@new.example")
        other = self.receive(self.mailbox, sender="other@new.example")
        for local in ("later", "other"):
            self.env["res.partner"].create(
                {"name": local, "email": f"{local}@new.example"}
            )
        self.follow_addresses()
        self.assertLinked(email, [])
        self.assertTrue(other.is_linked)
        self.env["easycrm.email.address"].search(
            []
        ).look_again_at = fields.Datetime.now()
        self.env["easycrm.email.address"]._match_due()
        self.assertLinked(email, [])

    def test_by_hand_it_can_be_put_there(self):
        self.add_rule("acme.example", "never_link")
        email = self.receive(self.mailbox)
        self.env["easycrm.email.link"].create(
            {"email_id": email.id, "partner_id": self.anna.id}
        )
        self.assertLinked(email, self.anna)

    def test_what_is_on_records_is_taken_off_or_kept(self):
        email = self.receive(self.mailbox, cc="bruno@beck.example")
        manual = self.receive(self.mailbox)
        manual.link_ids.origin = "manual"
        self.assertLinked(email, self.anna | self.bruno)
        rule = self.add_rule("acme.example", "never_link")
        self.assertLinked(email, self.anna | self.bruno)
        self.remove_rule(rule)
        self.add_rule("acme.example", "never_link", clear=True)
        self.assertLinked(email, [])
        self.assertLinked(manual, self.anna)

    def test_the_window_counts_what_would_be_taken_off(self):
        raw = raw_mail(to="mira@ours.example, jonas@ours.example")
        self.deliver(self.mailbox, raw, raw_mail())
        self.deliver(self.jonas_mailbox, raw)
        form = Form(self.as_user(self.env["easycrm.email.rule.add"], self.mira))
        form.kind = "never_link"
        form.pattern = "acme.example"
        self.assertEqual((form.here_count, form.linked_count), (2, 1))
        told = form.save().action_add_and_clear()
        self.assertEqual(told["params"]["message"], "1 email was taken off.")
        self.assertEqual(
            self.env["easycrm.email.link"].search_count(
                [("partner_id", "=", self.anna.id)]
            ),
            1,
        )

    def test_what_it_tells_is_of_the_own_mailboxes(self):
        email = self.receive(self.jonas_mailbox, sender="x@far.example")
        adding = self.as_user(self.env["easycrm.email.rule.add"], self.sofia)
        adding = adding.with_context(easycrm_for_everybody=True)
        adding = adding.create({"pattern": "far.example"})
        self.assertTrue(adding.everybody)
        told = adding.action_add_and_clear()
        self.assertEqual(told["params"]["message"], "The rule was added.")
        self.assertFalse(email.exists())

    def test_removing_the_rule_places_them_at_once(self):
        rule = self.add_rule("acme.example", "never_link")
        email = self.receive(self.mailbox)
        tombstone = self.receive(self.mailbox)
        self.env["easycrm.email.link"].create(
            {"email_id": tombstone.id, "partner_id": self.anna.id, "removed": True}
        )
        self.assertLinked(email, [])
        self.remove_rule(rule)
        self.assertLinked(email, self.anna)
        self.assertLinked(tombstone, [])

    def test_switching_a_rule_off_places_those_of_the_own_mailboxes(self):
        rule = self.add_rule(
            "acme.example", "never_link", user=self.sofia, everybody=True
        )
        mine = self.receive(self.mailbox)
        his = self.receive(self.jonas_mailbox)
        self.as_user(rule, self.mira).action_switch()
        self.assertLinked(mine, self.anna)
        self.assertLinked(his, [])

    def test_a_mailbox_without_the_rule_has_it_linked_whoever_comes_first(self):
        self.add_rule("acme.example", "never_link")
        first, second = (
            raw_mail(to="mira@ours.example, jonas@ours.example") for _time in range(2)
        )
        [email] = self.deliver(self.mailbox, first)
        self.assertLinked(email, [])
        self.deliver(self.jonas_mailbox, first)
        self.assertLinked(email, self.anna)
        [email] = self.deliver(self.jonas_mailbox, second)
        self.deliver(self.mailbox, second)
        self.assertLinked(email, self.anna)

    def test_a_rule_of_both_keeps_it_off(self):
        for user in (self.mira, self.jonas):
            self.add_rule("acme.example", "never_link", user=user)
        raw = raw_mail(to="mira@ours.example, jonas@ours.example")
        self.deliver(self.mailbox, raw)
        [email] = self.deliver(self.jonas_mailbox, raw)
        self.assertLinked(email, [])


@tagged("post_install", "-at_install")
class TestSwitches(RuleCase):
    def receive_automatic(self, name, value, **values):
        values.setdefault("sender", "news@shop.example")
        return self.receive(
            self.mailbox, subject=name, headers=[(name, value)], **values
        )

    def test_they_are_off_unless_somebody_switches_them_on(self):
        self.assertFalse(self.mailbox.ignore_automatic)
        self.assertFalse(self.mailbox.ignore_colleagues)
        self.receive_automatic("List-Id", "<news.shop.example>")
        self.receive(self.mailbox, sender="jonas@ours.example", subject="Lunch")
        self.assertEqual(self.get_subjects(), ["List-Id", "Lunch"])

    def test_newsletters_and_automatic_mail_are_left_out(self):
        self.mailbox.with_user(self.mira).ignore_automatic = True
        for name, value, stored in (
            ("List-Id", "<news.shop.example>", False),
            ("List-Unsubscribe", "<https://shop.example/u>", False),
            ("Precedence", "Bulk", False),
            ("Precedence", "list", False),
            ("Precedence", "first-class", True),
            ("Auto-Submitted", "auto-generated", False),
            ("Auto-Submitted", "auto-replied; x=y", False),
            ("Auto-Submitted", "no", True),
            ("List-Id", "Sales <sales.ours.example>", True),
            ("List-Id", "<sales.notours.example>", False),
            ("X-Other", "list", True),
        ):
            with self.subTest(name=name, value=value):
                before = len(self.get_left_out())
                email = self.receive_automatic(name, value)
                self.assertEqual(bool(email), stored)
                self.assertEqual(len(self.get_left_out()) - before, not stored)

    def test_what_a_contact_wrote_or_oneself_is_kept(self):
        self.mailbox.ignore_automatic = True
        absence = [("Auto-Submitted", "auto-replied"), ("Precedence", "bulk")]
        self.assertLinked(
            self.receive(self.mailbox, subject="Away", headers=absence), self.anna
        )
        self.send(self.mailbox, subject="Ours", headers=[("Precedence", "bulk")])
        self.receive(self.mailbox, sender="jonas@ours.example", headers=absence)
        self.assertEqual(self.get_subjects(), ["Away", "Ours"])

    def test_mail_among_colleagues_is_left_out(self):
        self.mailbox.ignore_colleagues = True
        self.connect(self.leonie, "team@ours.example")
        for people, stored in (
            ({"sender": "jonas@ours.example"}, False),
            ({"sender": "jonas@ours.example", "cc": "ingrid@ours.example"}, False),
            ({"sender": "jonas@ours.example", "cc": "team@ours.example"}, False),
            ({"sender": "jonas@ours.example", "cc": "anna@acme.example"}, True),
            ({"sender": "jonas@ours.example", "bcc": "x@else.example"}, True),
            ({"sender": "unknown@ours.example"}, True),
            ({"sender": "mira@ours.example", "to": "jonas@ours.example"}, False),
            ({"sender": "mira@ours.example", "to": "mira@ours.example"}, False),
            ({"sender": "", "to": ""}, True),
        ):
            with self.subTest(people=people):
                self.assertEqual(bool(self.receive(self.mailbox, **people)), stored)

    def test_the_form_says_how_many_for_which_reason(self):
        mailbox = self.as_user(self.mailbox, self.mira)
        mailbox.write({"ignore_automatic": True, "ignore_colleagues": True})
        self.add_rule("bank.example")
        for _time in range(3):
            self.receive_automatic("Precedence", "bulk")
        for _time in range(2):
            self.receive(self.mailbox, sender="x@bank.example")
        self.receive(self.mailbox, sender="jonas@ours.example")
        self.assertEqual(
            self.as_user(self.mailbox, self.mira).left_out_words,
            "3 newsletters and automatic emails · 2 by “@bank.example” "
            "· 1 among colleagues",
        )
        self.assertEqual(self.as_user(self.mailbox, self.mira).readmitted_count, 0)
        self.as_user(self.mailbox, self.mira).ignore_automatic = False
        mailbox = self.as_user(self.mailbox, self.mira)
        self.assertEqual(mailbox.readmitted_count, 3)
        mailbox.action_read_left_out()
        self.assertEqual(
            [reason for reason, _rule in self.get_left_out()],
            ["rule", "rule", "colleagues"],
        )
