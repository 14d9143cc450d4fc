"""Rules of what is never linked: stored, and on no record."""

from odoo import fields
from odoo.tests import Form, tagged
from odoo.tools import SQL

from .common import raw_mail
from .rule_case import RuleCase


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
