"""Steps of Unlinked Emails, and their Undo, that break in the cron."""

from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import ConcurrencyError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..easycrm_mail.models import easycrm_email_batch_again
from ..easycrm_mail.models.easycrm_email_batch_rest import EasycrmEmailBatch
from .unlinked_case import RestCase

ATTEMPTS = easycrm_email_batch_again.BROKEN_ATTEMPTS


@tagged("post_install", "-at_install")
class TestUnlinkedBroken(RestCase):
    def test_a_step_that_breaks_keeps_no_other_out(self):
        mine = self.ignore_domain()
        for number in range(8):
            self.stranger(number, mailbox=self.jonas_mailbox)
        [row, *_rest] = self.inbox(self.jonas).unlinked_page([])["rows"]
        theirs = self.inbox(self.jonas).ignore([row["id"]], "domain")
        (self.get_step(mine) + self.get_step(theirs)).again_at = "2025-01-01"
        go_on = EasycrmEmailBatch._do_some

        def break_one(step, limit):
            if step.id == mine["batch"]:
                raise ZeroDivisionError
            return go_on(step, limit)

        with (
            patch.object(EasycrmEmailBatch, "_do_some", break_one),
            mute_logger(easycrm_email_batch_again.__name__),
        ):
            self.go_on()
        self.assertFalse(self.get_step(theirs).todo)
        step = self.get_step(mine)
        self.assertTrue(step.todo)
        self.assertGreater(step.again_at, fields.Datetime.now())
        self.assertIn("will be tried again", self.tell_last())
        step.again_at = "2025-01-01"
        self.go_on()
        self.assertWaiting(1)
        self.assertNotIn("tried again", self.tell_last())

    def tell_last(self):
        [told, *_before] = self.as_user(self.emails[7], self.mira).easycrm_history()
        return told["sentence"]

    def test_a_step_that_violates_a_constraint_is_soon_left_for_a_while(self):
        done = self.ignore_domain()
        broken = patch.object(EasycrmEmailBatch, "_do_some", side_effect=IntegrityError)
        with broken as tried, mute_logger(easycrm_email_batch_again.__name__):
            self.go_on()
        self.assertEqual(tried.call_count, ATTEMPTS)
        step = self.get_step(done)
        self.assertGreater(step.again_at, fields.Datetime.now())
        step.again_at = "2025-01-01"
        self.go_on()
        self.assertWaiting(1)
        self.assertFalse(step.broken_count)

    def break_undo(self):
        """Let the Undo that waits come to its turn, and break."""
        Batch = self.registry["easycrm.email.batch"]
        broken = patch.object(Batch, "_undo", side_effect=ZeroDivisionError)
        with broken as tried, mute_logger(easycrm_email_batch_again.__name__):
            self.go_on()
        return tried.call_count

    def test_an_undo_that_breaks_is_wished_for_still(self):
        done = self.ignore_domain()
        self.undo_while_busy(done)
        self.assertEqual(self.break_undo(), 1)
        step, wish = self.get_step(done), self.env["easycrm.email.batch.wish"]
        self.assertGreater(step.again_at, fields.Datetime.now())
        self.assertIn("being undone", self.tell_last())
        self.assertWaiting(5)
        # (both are due at once: the wish comes first)
        step.again_at = wish.search([]).again_at = "2025-01-01"
        self.go_on()
        self.assertWaiting(9)
        self.assertTrue(step.undone_at)
        self.assertFalse(wish.search([]) or step.broken_count)

    def test_an_undo_that_breaks_each_time_is_told_and_can_be_asked_for_again(self):
        done = self.ignore_domain()
        self.undo_while_busy(done)
        step, wish = self.get_step(done), self.env["easycrm.email.batch.wish"]
        for _attempt in range(ATTEMPTS):
            self.assertEqual(self.break_undo(), 1)
            wish.search([]).again_at = "2025-01-01"
        self.assertFalse(wish.search([]))
        self.assertFalse(step.again_at, "it does not go on against the wish")
        self.assertIn("stopped: something went wrong", self.tell_last())
        self.inbox().undo(done["batch"])
        self.go_on()
        self.assertWaiting(9)

    def test_the_rest_of_an_undo_that_breaks_each_time_can_be_gone_on_with(self):
        done = self.ignore_domain()
        self.go_on()
        self.inbox().undo(done["batch"])
        step = self.get_step(done)
        self.assertTrue(step.todo)
        broken = patch.object(
            self.registry["easycrm.email.batch"],
            "_undo_emails",
            side_effect=ZeroDivisionError,
        )
        with broken, mute_logger(easycrm_email_batch_again.__name__):
            self.go_on()
            self.assertIn("will be tried again", self.tell_last())
            for _attempt in range(ATTEMPTS):
                step.again_at = step.again_at and "2025-01-01"
                self.go_on()
        self.assertFalse(step.again_at)
        self.assertIn("stopped: something went wrong", self.tell_last())
        self.inbox().undo(done["batch"])
        self.go_on()
        self.assertWaiting(9)
        self.assertFalse(step.broken_count)

    def test_a_step_that_another_worker_crosses_is_made_again(self):
        self.ignore_domain()
        with (
            patch.object(EasycrmEmailBatch, "_do_some", side_effect=ConcurrencyError),
            self.assertRaises(ConcurrencyError),
        ):
            self.go_on()
