from odoo import Command
from odoo.tests import tagged

from .unlinked_case import SLICE, RestCase


@tagged("post_install", "-at_install")
class TestUnlinkedRestStopped(RestCase):
    """A step that goes on by the cron: what stops it, and what goes on beside it."""

    def assertStopped(self, done, waiting):
        self.assertEqual(self.go_on(), 1)
        self.look_again()
        step = self.get_step(done)
        self.assertTrue(step.stopped_at)
        self.assertFalse(step.todo or step.again_at)
        copies = self.Copy.search([("account_id", "=", self.mailbox.id)])
        left = copies.filtered(lambda copy: copy.is_unlinked and not copy.ignored)
        self.assertEqual(len(left), waiting)

    def test_who_was_archived_does_nothing_more(self):
        done = self.ignore_domain()
        self.mira.active = False
        self.assertStopped(done, 5)

    def test_who_has_lost_the_group_does_nothing_more(self):
        done = self.ignore_domain()
        self.mira.group_ids = [Command.set(self.env.ref("base.group_user").ids)]
        self.assertStopped(done, 5)
        self.mira.group_ids += self.env.ref("sales_team.group_sale_salesman")
        [step] = self.as_user(self.emails[0], self.mira).easycrm_history()
        self.assertIn("not for all mails", step["sentence"])
        self.assertTrue(step["can_undo"])
        self.inbox().undo(done["batch"])
        self.go_on()
        self.assertWaiting(9)

    def test_an_undo_that_was_stopped_can_be_gone_on_with(self):
        done = self.ignore_domain()
        self.go_on()
        self.inbox().undo(done["batch"])
        self.mira.group_ids = [Command.set(self.env.ref("base.group_user").ids)]
        self.go_on()
        step = self.get_step(done)
        self.assertTrue(step.stopped_at)
        self.assertFalse(step.again_at)
        self.mira.group_ids += self.env.ref("sales_team.group_sale_salesman")
        self.assertWaiting(1 + SLICE)
        [told] = self.as_user(self.emails[7], self.mira).easycrm_history()
        self.assertTrue(told["can_undo"])
        undone = self.inbox().undo(done["batch"])
        self.assertIn("Undoing", undone["message"])
        self.go_on()
        self.assertWaiting(9)
        self.assertFalse(step.stopped_at or step.todo)
        [told] = self.as_user(self.emails[7], self.mira).easycrm_history()
        self.assertFalse(told["can_undo"])
        self.assertNotIn("not for all", told["sentence"])

    def test_who_may_not_read_the_record_any_more_links_nothing_more(self):
        done = self.teach("domain")
        self.union.company_id = self.company_b
        self.assertStopped(done, 5)

    def test_a_domain_goes_on_when_only_the_lead_is_gone(self):
        lead = self.add_lead("Chairs", self.mira, partner_id=self.union.id)
        done = self.inbox().link_to(self.ids(self.emails[0]), "crm.lead", lead.id)
        done = self.inbox().teach(done["batch"], "domain")
        lead.unlink()
        self.go_on()
        self.assertFalse(self.get_step(done).stopped_at)
        for email in self.emails[1:]:
            self.assertLinked(email, [self.union])

    def test_a_record_that_was_deleted_gets_nothing_more(self):
        done = self.teach("domain")
        self.union.unlink()
        self.assertStopped(done, 9)

    def test_a_mailbox_that_was_given_away_is_left_alone(self):
        done = self.ignore_domain()
        self.mailbox.user_id = self.jonas
        self.go_on()
        left = self.Copy.search_count(
            [("account_id", "=", self.mailbox.id), ("ignored", "=", False)]
        )
        self.assertEqual(left, 5)
        self.assertFalse(self.get_step(done).todo)

    def test_one_step_holds_up_no_other(self):
        mine = self.ignore_domain()
        for number in range(8):
            self.stranger(number, mailbox=self.jonas_mailbox)
        [row, *_rest] = self.inbox(self.jonas).unlinked_page([])["rows"]
        theirs = self.inbox(self.jonas).ignore([row["id"]], "domain")
        steps = self.get_step(mine) + self.get_step(theirs)
        steps.again_at = "2025-01-01"
        self.go_on(2)
        self.assertEqual([step.done_count > SLICE + 1 for step in steps], [True, True])
