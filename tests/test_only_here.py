"""A conversation that stands on one of several opportunities only."""

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import raw_mail
from .merge_case import MergeCase

ROOT = "<root@acme.example>"


@tagged("post_install", "-at_install")
class TestOnlyHere(MergeCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.chairs = cls.add_lead("Chairs", cls.mira, "anna@acme.example")
        cls.tables = cls.add_lead("Tables", cls.mira, "anna@acme.example")
        cls.of_jonas = cls.add_lead("Lamps", cls.jonas, "anna@acme.example")
        cls.first = cls.receive(cls.mailbox, message_id=ROOT)
        cls.thread = cls.first.thread_id

    def answer(self, **parts):
        return self.receive(self.mailbox, references=[ROOT], **parts)

    def narrow(self, lead=None, user=None):
        lead = self.as_user(lead or self.chairs, user or self.mira)
        return lead.easycrm_only_here(self.thread.id)

    def undo(self, user=None):
        leads = self.as_user(self.env["crm.lead"], user or self.mira)
        return leads.easycrm_undo_only_here(self.thread.id)

    def why(self, email, lead, user=None):
        reasons = self.as_user(email, user or self.mira).easycrm_why(
            "crm.lead", lead.id
        )
        return {reason["record"]["name"]: reason for reason in reasons}

    def test_it_stands_on_all_that_match_until_one_is_chosen(self):
        everywhere = [self.anna, self.chairs, self.tables, self.of_jonas]
        self.assertLinked(self.first, everywhere)
        self.assertTrue(self.why(self.first, self.chairs)["Chairs"]["can_narrow"])
        self.assertEqual(self.narrow(), {"count": 1})
        # Jonas's is not Mira's to change
        here = [self.anna, self.chairs, self.of_jonas]
        self.assertLinked(self.first, here)
        self.assertLinked(self.answer(), here)
        self.assertLinked(self.receive(self.mailbox), everywhere)
        self.assertTimeline(self.tables, ["Hello"])
        reasons = self.why(self.first, self.chairs)
        self.assertEqual(reasons["Chairs"]["only"], "Only here: Mira Maas chose that")
        self.assertFalse(reasons["Chairs"]["can_narrow"])
        self.assertTrue(reasons["Tables"]["removed"])
        self.assertIn("elsewhere only", reasons["Tables"]["sentence"])

    def test_undo_puts_all_back_and_twice_is_told(self):
        self.narrow()
        late = self.answer()
        self.assertEqual(self.undo(), {"count": 1})
        everywhere = [self.anna, self.chairs, self.tables, self.of_jonas]
        self.assertLinked(self.first, everywhere)
        self.assertLinked(late, [self.anna, self.chairs, self.of_jonas])
        self.assertLinked(self.answer(), everywhere)
        with self.assertRaises(AccessError):
            self.undo()

    def test_mail_that_found_another_only_comes_along_and_goes_with_undo(self):
        self.tables.email_from = "anna@acme.example, berg@acme.example"
        self.follow_addresses()
        aside = self.answer(sender="berg@acme.example")
        self.assertLinked(aside, [self.tables])
        self.narrow()
        self.assertLinked(aside, [self.chairs])
        self.assertLinked(self.answer(sender="berg@acme.example"), [self.chairs])
        self.undo()
        self.assertLinked(aside, [self.tables])

    def test_what_was_put_back_by_hand_is_followed(self):
        self.narrow()
        off = self.link_on(self.first, self.tables)
        self.as_user(off, self.mira).action_put_back()
        self.assertLinked(
            self.answer(), [self.anna, self.chairs, self.tables, self.of_jonas]
        )

    def test_an_opportunity_that_comes_later_gets_nothing_of_it(self):
        self.narrow()
        later = self.add_lead("Later", self.mira, "anna@acme.example")
        self.follow_addresses()
        self.assertNotIn(later, self.first.link_ids.lead_id)
        self.assertNotIn(later, self.answer().link_ids.lead_id)
        self.assertIn(later, self.receive(self.mailbox).link_ids.lead_id)

    def test_another_choice_takes_its_place(self):
        self.narrow()
        answer = self.answer()
        self.as_user(self.link_on(self.first, self.tables), self.mira).action_put_back()
        self.narrow(self.tables)
        for email in (self.first, answer):
            self.assertLinked(email, [self.anna, self.tables, self.of_jonas])
        self.assertLinked(self.answer(), [self.anna, self.tables, self.of_jonas])

    def test_mail_that_was_just_being_stored_follows_a_minute_later(self):
        self.narrow()
        late = self.answer()
        link = self.env["easycrm.email.link"].create(
            {"email_id": late.id, "lead_id": self.tables.id, "origin": "auto"}
        )
        by_hand = self.answer()
        self.place(by_hand, self.tables)
        self.env.flush_all()
        self.thread.sudo().only_again_at = fields.Datetime.now()
        Thread = self.env["easycrm.email.thread"]
        self.assertTrue(Thread._narrow_due())
        self.assertFalse(Thread._narrow_due())
        self.assertTrue(link.removed)
        self.assertFalse(self.link_on(by_hand, self.tables).removed)
        self.assertEqual(self.undo(), {"count": 2})

    def test_conversations_that_turn_out_to_be_one_remember(self):
        self.narrow()
        other = self.receive(self.mailbox, message_id="<other@acme.example>")
        self.receive(self.mailbox, references=["<other@acme.example>", ROOT])
        self.env.invalidate_all()
        self.assertEqual(other.thread_id.exists(), self.first.thread_id)
        self.assertEqual(self.first.thread_id.only_lead_id, self.chairs)

    def test_merged_into_the_other_the_mail_stays_and_the_choice_moves(self):
        self.narrow()
        for number, lead in enumerate((self.chairs, self.tables)):
            lead.probability = 60 - 50 * number
        self.env.flush_all()
        head = (self.chairs | self.tables)._sort_by_confidence_level(reverse=True)[0]
        other = (self.chairs | self.tables) - head
        self.as_user(head | other, self.admin).merge_opportunity()
        self.follow_addresses()
        self.env.invalidate_all()
        self.assertEqual(self.first.thread_id.only_lead_id, head)
        self.assertLinked(self.first, [self.anna, head, self.of_jonas])

    def test_undo_leaves_what_somebody_else_has_chosen_since(self):
        self.narrow()
        self.narrow(self.of_jonas, self.jonas)
        self.assertEqual(self.undo(), {"count": 1})
        self.assertEqual(self.thread.only_lead_id, self.of_jonas)
        self.assertEqual(self.thread.only_uid, self.jonas)
        there = self.first.link_ids.filtered(lambda link: not link.removed)
        self.assertIn(self.tables, there.lead_id)

    def test_undo_after_the_opportunity_was_deleted(self):
        self.narrow()
        self.chairs.unlink()
        self.env.invalidate_all()
        self.assertLinked(self.first, [self.anna, self.of_jonas])
        self.assertEqual(self.undo(), {"count": 1})
        self.assertLinked(self.first, [self.anna, self.tables, self.of_jonas])

    def test_who_may_choose_and_who_may_undo(self):
        with self.assertRaises(AccessError):
            self.narrow(self.chairs, self.jonas)
        with self.assertRaises(AccessError):
            self.narrow(self.chairs, self.ingrid)
        secret = self.receive(self.mailbox, message_id="<secret@acme.example>")
        self.make_private(secret)
        for thread_id in (secret.thread_id.id, 0, "1", True):
            with self.assertRaises(UserError):
                self.as_user(self.of_jonas, self.jonas).easycrm_only_here(thread_id)
        self.narrow()
        for user in (self.jonas, self.ingrid, self.portal):
            with self.assertRaises(AccessError):
                self.undo(user)
        with self.assertRaises(AccessError):
            self.as_user(self.chairs, self.mira).easycrm_undo_only_here("1")
        self.assertLinked(self.first, [self.anna, self.chairs, self.of_jonas])
        # who may change the opportunity lifts the choice; what Mira took off is hers
        self.assertEqual(self.undo(self.leonie), {"count": 0})
        self.assertLinked(self.first, [self.anna, self.chairs, self.of_jonas])
        self.assertFalse(self.first.thread_id.sudo().only_lead_id)

    def test_once_it_is_lost_answers_find_the_open_ones_again(self):
        self.narrow()
        self.chairs.action_set_lost()
        self.follow_addresses()
        self.assertLinked(self.answer(), [self.anna, self.tables, self.of_jonas])
        self.chairs.action_unarchive()
        self.follow_addresses()
        back = self.answer()
        self.assertIn(self.chairs, back.link_ids.lead_id)

    def find_aside(self):
        """Return a mail of the conversation that finds the tables only."""
        self.tables.email_from = "anna@acme.example, berg@acme.example"
        self.follow_addresses()
        return self.answer(sender="berg@acme.example")

    def test_what_cannot_go_back_by_undo_stays_where_it_is(self):
        aside = self.find_aside()
        self.narrow()
        self.tables.user_id = self.jonas
        self.assertEqual(self.undo(), {"count": 0})
        self.assertLinked(aside, [self.chairs])
        self.assertFalse(self.link_on(aside, self.chairs).narrowed)

    def test_what_was_put_there_by_hand_too_stays_after_undo(self):
        aside = self.find_aside()
        self.narrow()
        copy = self.copy_in(self.mailbox, aside)
        inbox = self.as_user(copy, self.mira)
        inbox.link_to(copy.ids, "crm.lead", self.chairs.id)
        self.undo()
        self.assertLinked(aside, [self.chairs, self.tables])

    def test_what_is_put_back_by_hand_and_undone_is_off_as_before(self):
        self.narrow()
        off = self.link_on(self.first, self.tables)
        copy = self.copy_in(self.mailbox, self.first)
        inbox = self.as_user(copy, self.mira)
        step = inbox.link_to(copy.ids, "crm.lead", self.tables.id)["batch"]
        self.assertEqual((off.removed, off.narrowed), (False, False))
        inbox.undo(step)
        self.assertEqual((off.removed, off.narrowed), (True, True))
        self.assertEqual(self.undo(), {"count": 1})

    def test_it_costs_a_batch_no_query(self):
        def count_queries():
            raws = [raw_mail(references=[ROOT]) for _number in range(5)]
            self.env.flush_all()
            before = self.cr.sql_log_count
            self.deliver(self.mailbox, *raws)
            return self.cr.sql_log_count - before

        count_queries()
        before = count_queries()
        self.narrow()
        count_queries()
        self.assertEqual(count_queries(), before)

    def test_only_this_opportunity_is_no_field_to_be_written_by_users(self):
        with self.assertRaises(AccessError):
            self.as_user(self.thread, self.mira).only_lead_id = self.tables
        with self.assertRaises(AccessError):
            self.as_user(self.first.link_ids, self.mira).narrowed = True

    @mute_logger("odoo.sql_db")
    def test_a_conversation_is_about_an_opportunity_that_exists(self):
        with self.assertRaises(IntegrityError), self.cr.savepoint():
            self.cr.execute(
                "UPDATE easycrm_email_thread SET only_lead_id = -1 WHERE id = %s",
                [self.thread.id],
            )
