"""Nobody knows whether a mail went out: it is found, or its writer decides."""

from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..easycrm_mail.messages import write
from ..easycrm_mail.models.send_run import SendRun
from ..easycrm_mail.providers import Doubtful, Refused, Retry
from .sending_case import SendingCase


@tagged("post_install", "-at_install")
class TestSendDoubt(SendingCase):
    def test_what_was_accepted_without_an_answer_is_found_and_not_sent_again(self):
        mail = self.queue(lead_id=self.lead.id)
        self.provider.answers = [Doubtful("timeout")]
        self.run_outbox()
        self.assertEqual(mail.state, "doubt")
        self.pass_time(mail, seconds=21)
        self.run_outbox()
        self.assertEqual((mail.state, len(self.provider.handed)), ("sent", 1))
        self.assertTimeline(self.lead, ["Offer"])
        self.assertEqual(self.sync_sent(), mail.email_id)

    def test_what_is_not_found_is_asked_of_its_writer_and_never_sent_blindly(self):
        mail = self.queue()
        self.provider.answers = [Doubtful("timeout", "it did not arrive")]
        self.run_outbox()
        for passed, asked in ((21, 1), (40, 2), (120, 3), (300, 4)):
            self.pass_time(mail, seconds=passed)
            self.run_outbox()
            self.assertEqual((mail.state, len(self.provider.asked)), ("doubt", asked))
            self.assertFalse(mail.asked_at)
        self.pass_time(mail, seconds=421)
        self.run_outbox()
        self.assertTrue(mail.asked_at)
        self.assertEqual(mail.activity_id.user_id, self.mira)
        self.assertFalse(mail.next_try_at)
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("doubt", []))

        told = mail.with_user(self.mira).action_send_again()
        again = self.outbox.browse(told["id"])
        self.assertNotEqual(again.message_id, mail.message_id)
        self.assertEqual(again.recipient_ids.mapped("address"), ["anna@acme.example"])
        self.pass_time(again, seconds=11)
        self.run_outbox()
        self.assertEqual((again.state, mail.state), ("sent", "cancelled"))

    def test_where_its_writer_has_left_whoever_answers_for_the_mailbox_is_asked(self):
        self.mailbox.member_ids = self.jonas | self.leonie
        mails = [self.write_mail(self.jonas).sudo() for _number in range(3)]
        for mail in mails:
            mail.with_user(self.jonas).action_queue()
            mail._mark_sending()
            mail._mark_doubtful()
            self.pass_time(mail, seconds=901)
        self.jonas.active = False
        mails[0]._mark_not_found()
        self.assertEqual(mails[0].activity_id.user_id, self.mira)
        self.mira.active = False
        mails[1]._mark_not_found()
        self.assertEqual(mails[1].activity_id.user_id, self.leonie)
        # (he may have planned hundreds)
        mails[2]._refuse("It is too large.")
        self.assertFalse(mails[2].activity_id)

    def test_one_that_turns_up_after_it_was_sent_again_keeps_the_other_from_going(self):
        mail = self.queue(lead_id=self.lead.id)
        self.provider.answers = [Doubtful("timeout")]
        self.run_outbox()
        again = self.outbox.browse(mail.with_user(self.mira).action_send_again()["id"])
        self.sync_sent()
        self.assertEqual((mail.state, again.state), ("sent", "cancelled"))
        self.pass_time(again, seconds=11)
        self.run_outbox()
        self.assertEqual(len(self.provider.handed), 1)
        self.assertTimeline(self.lead, ["Offer"])

    def test_what_was_taken_back_and_rewritten_goes_out_beside_the_one_in_doubt(self):
        mail = self.queue(lead_id=self.lead.id)
        self.provider.answers = [Doubtful("timeout")]
        self.run_outbox()
        again = self.outbox.browse(mail.with_user(self.mira).action_send_again()["id"])
        mine = again.with_user(self.mira)
        self.assertTrue(mine.action_undo()["undone"])
        mine.subject = "Another offer"
        mine.action_queue()
        self.sync_sent()
        self.assertEqual((mail.state, again.state), ("sent", "queued"))
        self.pass_time(again, seconds=11)
        self.run_outbox()
        self.assertEqual(again.state, "sent")
        self.assertTimeline(self.lead, ["Another offer", "Offer"])

    def test_a_second_click_is_not_told_that_it_was_sent(self):
        mail = self.queue()
        self.provider.answers = [Doubtful("timeout")]
        self.run_outbox()
        mine = mail.with_user(self.mira)
        mine.action_send_again()
        with self.assertRaisesRegex(UserError, "on its way already"):
            mine.action_send_again()
        self.sync_sent()
        with self.assertRaisesRegex(UserError, "sent meanwhile"):
            mine.action_send_again()

    def test_a_mailbox_that_cannot_be_asked_is_asked_later(self):
        mail = self.queue()
        self.provider.answers = [Doubtful("timeout")]
        self.run_outbox()
        self.provider.ask_error = Retry("refused")
        self.pass_time(mail, seconds=901)
        self.run_outbox()
        self.assertEqual((mail.state, bool(mail.asked_at)), ("doubt", True))
        self.assertTrue(mail.next_try_at)
        self.provider.ask_error = None
        self.pass_time(mail, minutes=31)
        self.run_outbox()
        self.assertEqual(mail.state, "sent")
        self.assertFalse(mail.activity_id.exists())

    def test_a_failure_that_comes_late_undoes_no_decision(self):
        """Its worker was taken for dead, and its writer has sent it again meanwhile."""
        for error in (Retry("dropped"), Doubtful("timeout"), Refused("content")):
            with self.subTest(error=error.kind):
                mail = self.queue()
                self.provider.answers = [error]
                finish = SendRun._finish

                def decide_and_finish(run, future, mail=mail, finish=finish):
                    known = mail.with_env(run.env)
                    known._mark_doubtful()
                    known.action_discard()
                    run.env.cr.commit()
                    return finish(run, future)

                with patch.object(SendRun, "_finish", decide_and_finish):
                    self.run_outbox()
                self.assertEqual(mail.state, "cancelled")

    def test_what_a_dead_worker_was_sending_is_a_doubt(self):
        mail = self.queue()
        mail._mark_sending()
        self.run_outbox()
        self.assertEqual(mail.state, "sending", "its worker may still be at it")
        self.pass_time(mail, seconds=151)
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("doubt", []))
        self.provider.put(write(mail._make_draft(), bcc=True), None)
        self.pass_time(mail, seconds=60)
        self.run_outbox()
        self.assertEqual(mail.state, "sent")
        self.assertTrue(mail.email_id)

    def test_an_old_copy_of_the_database_asks_before_it_sends(self):
        mail = self.queue(late=timedelta(minutes=30))
        self.provider.put(write(mail._make_draft(), bcc=True), None)
        self.provider.handed.clear()
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("sent", []))
        self.assertTrue(mail.email_id)

        other = self.queue(late=timedelta(minutes=30))
        # (whoever sees it wait, and has it sent, does not know either)
        other.action_send_now()
        self.run_outbox()
        self.assertIn(other.message_id, self.provider.asked)
        self.assertEqual((other.state, len(self.provider.handed)), ("sent", 1))

    def test_an_old_copy_that_cannot_ask_asks_again_before_it_sends(self):
        mail = self.queue(late=timedelta(minutes=30))
        self.provider.put(write(mail._make_draft(), bcc=True), None)
        self.provider.handed.clear()
        self.provider.ask_error = Retry("busy")
        self.run_outbox()
        self.assertEqual(mail.state, "queued")
        self.provider.ask_error = None
        self.pass_time(mail, minutes=3)
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("sent", []))
