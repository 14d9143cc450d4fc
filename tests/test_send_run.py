from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ..easycrm_mail.models import easycrm_email_account_send
from ..easycrm_mail.providers import Reconnect, Refused, Retry
from .sending_case import SendingCase


@tagged("post_install", "-at_install")
class TestSendRun(SendingCase):
    def test_what_is_due_goes_out_once_and_stands_on_its_record_at_once(self):
        mail = self.queue(lead_id=self.lead.id, to="anna@acme.example")
        self.run_outbox()
        self.assertEqual((mail.state, len(self.provider.handed)), ("sent", 1))
        email = mail.email_id
        self.assertEqual(email.direction, "outbound")
        self.assertLinked(email, [self.lead, self.anna])
        link = email.link_ids.filtered("lead_id")
        self.assertEqual((link.origin, link.create_uid), ("sent", self.mira))
        self.assertTimeline(self.lead, ["Offer"])
        self.assertIn("Mira", self.as_user(link, self.mira).reason)
        self.run_outbox()
        self.assertEqual(len(self.provider.handed), 1)

    def test_the_next_sync_does_not_double_it(self):
        mail = self.queue(lead_id=self.lead.id)
        self.run_outbox()
        before = self.env["easycrm.email"].search_count([])
        self.assertEqual(self.sync_sent(), mail.email_id)
        self.assertEqual(self.env["easycrm.email"].search_count([]), before)
        self.assertEqual(len(mail.email_id.copy_ids.location_ids), 1)
        self.assertTimeline(self.lead, ["Offer"])

    def test_it_waits_until_its_time_has_come(self):
        mail = self.write_mail().sudo()
        mail.with_user(self.mira).action_queue("2199-01-01 08:00:00")
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("queued", []))
        mail.with_user(self.mira).action_send_now()
        self.run_outbox()
        self.assertEqual(mail.state, "sent")

    def test_what_was_taken_back_does_not_go_out(self):
        mail = self.queue()
        mail.with_user(self.mira).action_undo()
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("draft", []))

    def test_what_passes_by_itself_is_tried_again_and_told_after_the_third_time(self):
        mail = self.queue()
        self.provider.answers = [Retry("busy") for _attempt in range(4)]
        for attempt in range(4):
            self.assertFalse(mail.activity_id)
            self.run_outbox()
            self.assertEqual((mail.state, mail.attempts), ("queued", attempt + 1))
            self.assertEqual(mail.error_kind, "retry")
            before = len(self.provider.handed)
            self.run_outbox()  # not before its time
            self.assertEqual(len(self.provider.handed), before)
            self.pass_time(mail, seconds=270)
        self.assertEqual(mail.activity_id.user_id, self.mira)
        self.pass_time(mail, minutes=33)
        self.run_outbox()
        self.assertEqual((mail.state, len(self.provider.handed)), ("sent", 1))
        self.assertFalse(mail.activity_id.exists())
        self.assertFalse(mail.error)

    def test_what_waits_for_its_next_try_is_edited_however_long_it_waits(self):
        mail = self.queue()
        self.provider.answers = [Retry("busy", retry_after=3600)]
        self.run_outbox()
        self.pass_time(mail, minutes=30)
        self.assertTrue(mail.with_user(self.mira)._get_card()["can_edit"])
        # its mailbox is asked for it at its time, and cannot be
        self.provider.ask_error = Retry("dropped", retry_after=3600)
        self.pass_time(mail, minutes=35)
        self.run_outbox()
        self.assertEqual(self.provider.asked, [mail.message_id])
        self.pass_time(mail, minutes=15)
        self.assertTrue(mail.with_user(self.mira)._get_card()["can_edit"])
        self.assertTrue(mail.with_user(self.mira).action_undo()["undone"])

    def test_what_may_have_gone_out_at_its_next_try_is_not_edited(self):
        mail = self.queue()
        self.provider.answers = [Retry("busy")]
        self.run_outbox()
        # (this database was put back: that one has tried it since)
        self.pass_time(mail, minutes=30)
        self.assertFalse(mail.with_user(self.mira)._get_card()["can_edit"])
        self.provider.ask_error = Retry("dropped")
        self.run_outbox()
        self.assertGreater(mail.next_try_at, fields.Datetime.now())
        self.assertFalse(mail.with_user(self.mira).action_undo()["undone"])

    def test_a_service_that_says_when_is_obeyed(self):
        mail = self.queue()
        self.provider.answers = [Retry("busy", retry_after=3600)]
        self.run_outbox()
        wait = mail.next_try_at - fields.Datetime.now()
        self.assertGreater(wait, timedelta(minutes=59))

    def test_a_refusal_says_which_recipient(self):
        mail = self.queue(to="anna@acme.example,gone@acme.example")
        refused = (("Gone@acme.example", "no such mailbox"),)
        self.provider.answers = [Refused("recipients", "550", refused)]
        self.run_outbox()
        self.assertEqual(mail.state, "refused")
        self.assertEqual(
            mail.recipient_ids.mapped("refused"), [False, "no such mailbox"]
        )
        self.assertTrue(mail.activity_id)
        # and by hand it goes out again, as another mail
        before = mail.message_id
        mail.with_user(self.mira).action_send_again()
        self.assertNotEqual(mail.message_id, before)
        self.pass_time(mail, seconds=11)
        self.run_outbox()
        self.assertEqual(mail.state, "sent")

    def test_a_sign_in_that_is_missing_keeps_it_waiting(self):
        mail = self.queue()
        self.provider.answers = [Reconnect("password")]
        self.run_outbox()
        self.assertEqual((mail.state, mail.error_kind), ("queued", "reconnect"))
        self.assertTrue(mail.activity_id)
        self.mailbox.imap_password = "right"
        self.run_outbox()
        self.assertEqual(mail.state, "sent")
        self.assertFalse(mail.activity_id.exists())

    def test_one_mail_that_fails_does_not_stop_the_others(self):
        first, second = self.queue(), self.queue()
        self.provider.answers = [Refused("content", "spam")]
        self.run_outbox()
        self.assertEqual((first.state, second.state), ("refused", "sent"))

    def test_one_that_cannot_be_made_does_not_stop_the_others(self):
        first, second = self.queue(), self.queue()
        make = type(self.outbox)._make_outgoing

        def fail(mail):
            if mail == first:
                raise ValueError("broken")
            return make(mail)

        self.patch(type(self.outbox), "_make_outgoing", fail)
        with self.assertLogs("odoo.addons.easycrm_mail", "ERROR"):
            self.run_outbox()
        self.assertEqual((first.state, second.state), ("queued", "sent"))
        self.assertTrue(first.next_try_at)

    def test_what_nobody_foresaw_is_a_doubt_and_not_sent_again(self):
        mail = self.queue()
        self.provider.answers = [ZeroDivisionError()]
        with self.assertLogs("odoo.addons.easycrm_mail", "WARNING"):
            self.run_outbox()
        self.assertEqual(mail.state, "doubt")

    def test_it_does_not_leave_when_its_writer_or_its_mailbox_has_left(self):
        mail = self.queue()
        self.mailbox.user_id.active = False
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("refused", []))
        self.assertIn("Mira", mail.error)

    def queue_of_jonas(self):
        """Queue a mail of somebody of the team that is due."""
        self.mailbox.member_ids = self.jonas
        mail = self.write_mail(self.jonas).sudo()
        mail.with_user(self.jonas).action_queue()
        mail.scheduled_at -= timedelta(seconds=11)
        return mail

    def test_who_left_the_team_sends_nothing_from_its_mailbox(self):
        mail = self.queue_of_jonas()
        self.mailbox.member_ids = False
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("refused", []))

    def test_who_has_no_rights_to_email_any_more_sends_nothing(self):
        mail = self.queue_of_jonas()
        self.jonas.group_ids = self.env.ref("base.group_user")
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("refused", []))
        self.assertIn("Jonas", mail.error)

    def test_an_alias_that_was_taken_away_sends_nothing(self):
        self.mailbox.alias_emails = "sales@ours.example"
        mail = self.queue(from_address="sales@ours.example")
        self.mailbox.alias_emails = False
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("refused", []))

    def test_a_mailbox_that_is_deleted_refuses_what_waits_in_it(self):
        mail, sending = self.queue(), self.queue()
        sending._mark_sending()
        with self.assertRaisesRegex(Exception, "being sent"):
            self.mailbox.unlink()
        sending._mark_doubtful()
        self.mailbox.unlink()
        self.assertEqual(mail.state, "refused")
        self.assertEqual((sending.state, bool(sending.asked_at)), ("doubt", True))
        self.run_outbox()
        self.assertEqual(self.provider.handed, [])

    def test_what_a_service_takes_no_more_of_waits_and_was_told_before(self):
        account = self.mailbox.with_user(self.mira)
        self.patch(easycrm_email_account_send, "DAY_LIMITS", {"imap": 4})
        self.patch(easycrm_email_account_send, "MINUTE_LIMITS", {"imap": 2})
        mails = [self.queue() for _number in range(3)]
        self.run_outbox()
        self.assertEqual([m.state for m in mails], ["sent", "sent", "queued"])
        self.assertFalse(mails[2].attempts)
        self.assertEqual(
            mails[2].next_try_at, mails[0].handed_at + timedelta(minutes=1)
        )
        for mail in mails:
            self.pass_time(mail, minutes=2)
        self.assertFalse(account.easycrm_send_options()[0]["warning"])
        self.run_outbox()
        self.assertEqual(mails[2].state, "sent")
        self.patch(easycrm_email_account_send, "MINUTE_LIMITS", {})
        self.queue()
        last = self.queue()
        self.run_outbox()
        self.assertEqual(last.state, "queued")
        self.assertEqual(last.next_try_at, mails[0].handed_at + timedelta(days=1))
        warning = account.easycrm_send_options()[0]["warning"]
        self.assertIn("waits", warning)
        self.pass_time(last, minutes=30)
        self.assertTrue(last.with_user(self.mira)._get_card()["can_edit"])

    def test_two_mails_of_one_mailbox_go_one_after_the_other(self):
        mails = self.queue() + self.queue() + self.queue()
        self.run_outbox()
        ids = [mail.draft.message_id for mail in self.provider.handed]
        self.assertEqual(ids, mails.mapped("message_id"))
