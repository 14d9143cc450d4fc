from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .unlinked_case import SLICE, RestCase


@tagged("post_install", "-at_install")
class TestUnlinkedRest(RestCase):
    """A step with more emails than a click can wait for: the cron does the rest."""

    # --- ignored ---

    def test_a_domain_of_many_is_ignored_by_slices(self):
        done = self.ignore_domain()
        self.assertEqual((done["count"], done["message"]), (8, "Ignoring 8 mails…"))
        # (the one that was clicked, and the newest)
        self.assertWaiting(9 - SLICE - 1)
        self.assertTrue(self.emails[0].copy_ids.ignored)
        self.assertTrue(self.emails[7].copy_ids.ignored)
        self.assertEqual(self.go_on(1), 1)
        self.assertWaiting(9 - 2 * SLICE - 1)
        self.go_on()
        self.assertWaiting(1)
        step = self.get_step(done)
        self.assertFalse(step.todo)
        self.assertEqual((step.done_count, len(step.line_ids)), (8, 8))
        self.assertTrue(step.again_at, "mail that was just being stored goes then")
        self.assertFalse(self.kept.copy_ids.ignored)
        history = self.as_user(self.emails[4], self.mira).easycrm_history()
        self.assertEqual(history[0]["sentence"], "Ignored · Always this domain")

    def test_as_many_as_a_click_changes_leave_no_rest(self):
        done = self.inbox().ignore(self.ids(self.emails[0]), "address")
        self.assertEqual(done["message"], "1 mail ignored")
        self.assertFalse(self.get_step(done).todo)
        self.assertEqual(self.go_on(), 0)

    def test_the_cron_is_woken_at_once(self):
        cron = self.env.ref("easycrm_mail.ir_cron_email_backfill")
        triggers = self.env["ir.cron.trigger"]
        triggers.search([]).unlink()
        self.ignore_domain()
        trigger = triggers.search([("cron_id", "=", cron.id)])
        self.assertLessEqual(trigger.call_at, fields.Datetime.now())

    def test_the_cron_does_all_of_it(self):
        self.ignore_domain()
        self.run_as_cron(self.env["easycrm.email.account"].browse(), "_cron_backfill")
        self.assertWaiting(1)

    def test_mail_that_comes_meanwhile_goes_too(self):
        done = self.ignore_domain()
        new = self.stranger(20)
        self.assertTrue(new.copy_ids.ignored)
        self.go_on()
        self.inbox().undo(done["batch"])
        self.go_on()
        self.assertWaiting(10)

    def test_what_was_brought_back_meanwhile_stays_back(self):
        self.ignore_domain()
        self.inbox().bring_back(self.ids(self.emails[7]))
        self.go_on()
        self.look_again()
        self.assertFalse(self.emails[7].copy_ids.ignored)
        self.assertWaiting(2)

    def test_a_rule_that_was_removed_meanwhile_ignores_no_more(self):
        done = self.ignore_domain()
        waiting = self.inbox().unlinked_count()
        rules = self.env["easycrm.email.rule"]
        rules.search([("batch_id", "=", done["batch"])]).unlink()
        self.go_on()
        self.assertWaiting(waiting)

    # --- undone ---

    def test_undone_in_the_middle_all_of_it_is_back_by_slices(self):
        for slices in (0, 1, 100):
            with self.subTest(slices=slices):
                done = self.ignore_domain()
                self.go_on(slices)
                before = self.inbox().unlinked_count()
                undone = self.inbox().undo(done["batch"])
                self.assertIn("come back", undone["message"])
                self.assertWaiting(before + SLICE)
                self.assertTrue(self.get_step(done).todo)
                self.go_on()
                self.assertWaiting(9)
                self.assertFalse(self.get_step(done).todo)
                self.assertFalse(self.env["easycrm.email.rule"].search([]))
                self.look_again()
                self.assertWaiting(9)
                again = self.inbox().undo(done["batch"])
                self.assertEqual(again["message"], "This was undone already.")

    def test_undo_by_slices_leaves_what_somebody_did_since(self):
        done = self.ignore_domain()
        self.go_on()
        self.inbox().undo(done["batch"])
        back = self.emails.copy_ids.filtered(lambda copy: not copy.ignored)
        self.assertEqual(len(back), SLICE)
        self.inbox().ignore(back[:1].ids)
        self.go_on()
        self.assertEqual(self.emails.copy_ids.filtered("ignored"), back[:1])

    def test_undo_also_brings_back_what_is_in_a_company_that_is_not_at_work(self):
        self.mira.company_ids += self.company_b
        branch = self.connect(
            self.mira, "mira@branch.example", company_id=self.company_b.id
        )
        done = self.inbox().ignore(self.ids(self.emails[0]), "domain")
        self.go_on()
        self.stranger(30, mailbox=branch)
        self.assertWaiting(1)
        only_here = self.inbox().with_context(allowed_company_ids=self.company_a.ids)
        only_here.undo(done["batch"])
        self.go_on()
        self.assertWaiting(10)

    def test_undo_leaves_what_is_ignored_again_meanwhile(self):
        done = self.ignore_domain()
        self.go_on()
        self.inbox().undo(done["batch"])
        again = self.inbox().ignore(
            self.ids(self.emails.filtered(lambda one: not one.copy_ids.ignored)[0]),
            "domain",
        )
        # (it comes to its end before the other does)
        self.get_step(done).again_at = "2100-01-01"
        self.go_on()
        self.assertWaiting(1)
        self.get_step(done).again_at = "2025-01-01"
        self.go_on()
        self.assertWaiting(1)
        self.assertTrue(all(self.emails.copy_ids.mapped("ignored")))
        self.assertFalse(self.get_step(again).todo)

    def test_undone_while_the_cron_is_at_it_the_next_slice_undoes_it(self):
        for act in (self.ignore_domain, lambda: self.teach("domain")):
            with self.subTest(act=act):
                done = act()
                waiting = self.inbox().unlinked_count()
                self.undo_while_busy(done)
                self.undo_while_busy(done)
                [told, *_before] = self.as_user(
                    self.emails[7], self.mira
                ).easycrm_history()
                self.assertIn("being undone", told["sentence"])
                self.assertFalse(told["can_undo"])
                self.assertEqual(self.go_on(1), 1)
                self.assertWaiting(waiting + SLICE)
                step = self.get_step(done)
                self.assertEqual(step.undone_uid, self.mira)
                self.go_on()
                self.assertWaiting(9)
                self.assertFalse(self.env["easycrm.email.batch.wish"].search([]))

    def test_who_may_not_any_more_undoes_nothing_either(self):
        done = self.ignore_domain()
        self.undo_while_busy(done)
        self.mira.group_ids = [Command.set(self.env.ref("base.group_user").ids)]
        self.go_on()
        step = self.get_step(done)
        self.assertFalse(step.undone_at)
        self.assertTrue(step.stopped_at)
        self.assertFalse(self.env["easycrm.email.batch.wish"].search([]))

    # --- a minute later ---

    def test_what_came_unseen_is_followed_by_slices(self):
        for act in (self.ignore_domain, lambda: self.teach("domain")):
            with self.subTest(act=act):
                done = act()
                self.go_on()
                self.receive_unseen(2 * SLICE)
                self.assertWaiting(1 + 2 * SLICE)
                self.get_step(done).again_at = "2025-01-01"
                self.assertEqual(self.go_on(1), 1)
                self.assertWaiting(1 + SLICE)
                self.go_on()
                self.assertWaiting(1)
                self.assertFalse(self.get_step(done).again_at)
                self.inbox().undo(done["batch"])
                self.go_on()
                self.assertWaiting(9 + 2 * SLICE)
                self.emails.browse().search([("id", ">", self.kept.id)]).unlink()

    def test_what_came_unseen_is_followed_in_the_companies_of_the_step(self):
        self.mira.company_ids += self.company_b
        branch = self.connect(
            self.mira, "mira@branch.example", company_id=self.company_b.id
        )
        only_here = self.inbox().with_context(allowed_company_ids=self.company_a.ids)
        done = only_here.ignore(self.ids(self.emails[0]), "domain")
        self.go_on()
        self.receive_unseen(1)
        self.receive_unseen(1, mailbox=branch)
        self.look_again()
        self.assertFalse(self.get_step(done).again_at)
        self.assertWaiting(2)

    # --- taught ---

    def test_a_domain_of_many_goes_to_the_company_by_slices(self):
        done = self.teach("domain")
        self.assertEqual(
            (done["count"], done["message"]), (7, "Linking 7 other mails to Union…")
        )
        self.assertWaiting(9 - 1 - SLICE)
        with self.assertRaises(UserError):
            self.inbox().teach(done["batch"], "address")
        self.assertEqual(self.go_on(1), 1)
        self.assertWaiting(9 - 1 - 2 * SLICE)
        self.go_on()
        self.assertWaiting(1)
        for email in self.emails:
            self.assertLinked(email, [self.union])
        self.assertEqual(set(self.emails.link_ids.create_uid), set(self.mira))
        self.assertEqual(len(self.get_step(done).line_ids), 8)

    def test_a_domain_is_untaught_in_the_middle(self):
        for slices in (0, 1, 100):
            with self.subTest(slices=slices):
                done = self.teach("domain")
                self.go_on(slices)
                before = self.inbox().unlinked_count()
                self.inbox().undo(done["batch"])
                self.assertWaiting(before + SLICE)
                self.go_on()
                self.assertWaiting(9)
                for email in self.emails:
                    self.assertLinked(email, [])
                self.look_again()
                self.assertWaiting(9)

    def test_a_conversation_of_many_is_placed_and_taken_back(self):
        first = self.emails[0]
        answers = self.emails.browse()
        for number in range(7):
            answers += self.receive(
                self.mailbox,
                sender=f"other{number}@elsewhere.example",
                references=[first.message_id],
            )
        done = self.teach("thread")
        self.assertEqual(done["count"], 7)
        self.go_on()
        for email in answers:
            self.assertLinked(email, [self.union])
        self.inbox().undo(done["batch"])
        self.go_on()
        for email in answers + first:
            self.assertLinked(email, [])

    def test_an_address_of_many_is_placed_and_taken_back(self):
        self.mira.group_ids += self.env.ref("base.group_partner_manager")
        others = self.emails.browse()
        for number in range(7):
            others += self.stranger(0, subject=f"Further {number}")
        with patch(
            "odoo.addons.easycrm_mail.easycrm_mail.models"
            ".easycrm_email_address_match.MATCHED_AT_ONCE",
            0,
        ):
            done = self.teach("address")
            self.assertEqual(done["count"], 7)
            self.assertWaiting(16 - 1 - SLICE)
            self.go_on()
        self.assertWaiting(8)
        for email in others:
            self.assertLinked(email, [self.union])
        self.inbox().undo(done["batch"])
        self.go_on()
        self.assertWaiting(16)

    def test_undo_of_an_address_ends_where_it_is_there_again(self):
        self.mira.group_ids += self.env.ref("base.group_partner_manager")
        for number in range(7):
            self.stranger(0, subject=f"Further {number}")
        done = self.teach("address")
        self.go_on()
        self.assertWaiting(8)
        address = "tobias0@union.example"
        self.inbox().undo(done["batch"])
        self.env["easycrm.email.address"].create(
            {"partner_id": self.union.id, "address": address, "source": "extra"}
        )._match()
        self.assertLess(self.go_on(), 10, "it ends")
        self.assertFalse(self.get_step(done).todo)
        self.assertWaiting(8)

    def test_undo_of_an_address_follows_a_contact_that_is_merged_meanwhile(self):
        self.mira.group_ids += self.env.ref("base.group_partner_manager")
        for number in range(7):
            self.stranger(0, subject=f"Further {number}")
        done = self.teach("address")
        self.go_on()
        self.inbox().undo(done["batch"])
        self.assertTrue(self.get_step(done).todo)
        into = self.env["res.partner"].create({"name": "Union Inc."})
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        merge._merge((self.union | into).ids, into)
        self.go_on()
        self.assertFalse(self.get_step(done).todo)
        self.assertWaiting(16)

    def test_emails_in_two_mailboxes_are_all_of_them(self):
        team = self.connect(self.jonas, "team@ours.example", member_ids=self.mira.ids)
        for number in range(4):
            self.deliver(team, self.raws[number])
        done = self.teach("domain")
        self.assertEqual(done["count"], 7)
        self.go_on()
        self.assertWaiting(1)
