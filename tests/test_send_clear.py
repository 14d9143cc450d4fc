from datetime import timedelta

from odoo.tests import TransactionCase, tagged

from .api_mailbox import ApiMailbox, GmailService, OutlookService
from .common import MailFixtures
from .servers.web import Answer
from .test_send_api import Sending


class Doubting(Sending):
    """A mail of which nobody knows whether it went out, and that its writer settles."""

    def doubt(self, kind="refuse"):
        """Return a mail that its writer is asked about."""
        # (neither does the answer come, nor is there one when it is looked for)
        self.service.server.break_(self.SEND, kind)
        self.service.server.break_("GET .*/messages/[^?]+[?]", "refuse", times=99)
        mail = self.queue()
        self.run_outbox()
        self.service.server.mend()
        self.assertEqual(mail.state, "doubt")
        self.pass_seconds(mail, 901)
        return mail

    def drafts(self):
        box = self.service.server.mailboxes[self.address]
        return box.in_folder(box.folder("drafts"))

    def count_deletions(self):
        return sum(call.startswith("DELETE") for call in self.service.server.calls)


@tagged("post_install", "-at_install")
class TestSendClear(Doubting, ApiMailbox, MailFixtures, TransactionCase):
    service_class = OutlookService
    SEND = "POST .*/send$"

    def pass_seconds(self, mail, seconds):
        result = super().pass_seconds(mail, seconds)
        for draft in self.drafts():
            draft.received -= timedelta(seconds=seconds)
            draft.changed = draft.changed and draft.changed - timedelta(seconds=seconds)
        return result

    def correct(self, mail):
        """Send what was refused once more, with other words."""
        mail.with_user(self.mira).action_undo()
        mail.subject = "Offer, corrected"
        mail.with_user(self.mira).action_queue()
        mail.scheduled_at -= timedelta(seconds=11)
        self.run_outbox()
        self.assertEqual((mail.state, len(self.held())), ("sent", 1))

    def test_the_draft_of_a_mail_that_is_discarded_goes(self):
        mail = self.doubt()
        own = self.write_draft_of_his_own()
        self.assertEqual(len(self.drafts()), 2)
        mail.with_user(self.mira).action_discard()
        self.run_outbox()
        self.assertEqual([one.key for one in self.drafts()], [own])
        self.assertEqual((mail.state, mail.clear_at), ("cancelled", False))

    def test_the_draft_of_a_mail_that_is_sent_again_goes(self):
        mail = self.doubt()
        mail.with_user(self.mira).action_send_again()
        again = mail.replaced_by_id
        again.scheduled_at -= timedelta(seconds=11)
        self.run_outbox()
        self.assertFalse(self.drafts())
        self.assertEqual((again.state, mail.clear_at), ("sent", False))
        self.assertEqual(len(self.held()), 1)

    def test_a_draft_that_its_writer_has_gone_on_with_stays(self):
        mail = self.doubt()
        [draft] = self.drafts()
        draft.touch()
        mail.with_user(self.mira).action_discard()
        self.run_outbox()
        self.assertEqual((self.drafts(), self.count_deletions()), ([draft], 0))
        self.assertFalse(mail.clear_at)

    def test_a_draft_that_its_writer_has_gone_on_with_stays_when_it_is_sent(self):
        mail = self.refuse()
        [draft] = self.drafts()
        draft.received -= timedelta(seconds=901)
        draft.touch()
        self.correct(mail)
        self.assertEqual((self.drafts(), self.count_deletions()), ([draft], 0))

    def test_the_draft_of_a_mail_that_is_taken_back_and_thrown_away_goes(self):
        self.service.server.break_("PATCH", "refuse", times=99)
        self.service.server.break_("DELETE", "refuse", times=99)
        mail = self.queue()
        self.run_outbox()
        self.service.server.mend()
        self.assertEqual((mail.state, len(self.drafts())), ("queued", 1))
        self.pass_seconds(mail, 901)
        mail.with_user(self.mira).action_undo()
        windows = self.env["easycrm.email.compose"].with_user(self.mira)
        window = windows.with_context(easycrm_outgoing_id=mail.id)
        window.browse(window.easycrm_open()["id"]).easycrm_discard()
        self.assertEqual(mail.state, "cancelled")
        self.run_outbox()
        self.assertFalse(self.drafts())
        self.assertFalse(mail.clear_at)

    def test_the_draft_of_a_mail_that_is_corrected_after_a_refusal_goes(self):
        mail = self.refuse()
        self.correct(mail)
        self.assertFalse(self.drafts())

    def test_the_draft_of_a_refused_mail_that_is_edited_and_thrown_away_goes(self):
        mail = self.refuse()
        mail.with_user(self.mira).action_undo()
        windows = self.env["easycrm.email.compose"].with_user(self.mira)
        window = windows.with_context(easycrm_outgoing_id=mail.id)
        window.browse(window.easycrm_open()["id"]).easycrm_discard()
        mail.clear_at -= timedelta(seconds=901)
        self.run_outbox()
        self.assertEqual((mail.state, mail.clear_at), ("cancelled", False))
        self.assertFalse(self.drafts())

    def test_the_draft_of_a_refused_mail_that_is_sent_again_goes(self):
        mail = self.refuse()
        mail.with_user(self.mira).action_send_again()
        mail.scheduled_at -= timedelta(seconds=11)
        self.assertLeavesNoDraft(mail)
        self.assertEqual((mail.state, len(self.held())), ("sent", 1))

    def test_the_draft_of_a_refused_mail_that_goes_from_another_mailbox_goes(self):
        mail = self.refuse()
        mail.with_user(self.mira).action_undo()
        window = self.env["easycrm.email.compose"].with_user(self.mira)
        window = window.with_context(easycrm_outgoing_id=mail.id)
        window = window.browse(window.easycrm_open()["id"])
        window.easycrm_save({"subject": "Offer, corrected"})
        self.assertFalse(self.find_left())
        other = self.connect(self.mira, "mira@other.example")
        old_id = mail.message_id
        window.easycrm_save({"account_id": other.id, "from_address": other.email})
        self.assertEqual((mail.account_id, mail.message_id), (other, False))
        self.assertEqual(self.find_left().message_id, old_id)
        self.assertLeavesNoDraft(mail)
        # (nor does anybody see it)
        cards = self.env["easycrm.email.outgoing"].with_user(self.mira)
        cards = cards.easycrm_planned("crm.lead", self.lead.id)
        self.assertEqual([card["id"] for card in cards], mail.ids)

    def find_left(self):
        return self.env["easycrm.email.outgoing"].search([("clear_at", "!=", False)])

    def assertLeavesNoDraft(self, mail):
        [left] = self.find_left()
        self.assertEqual((left.account_id, left.state), (self.account, "cancelled"))
        self.assertEqual(left.clear_at, left.handed_at + timedelta(seconds=900))
        left.clear_at -= timedelta(seconds=901)
        self.run_outbox()
        self.assertFalse(self.drafts())
        self.assertFalse(left.clear_at)

    def refuse(self):
        """Return a mail that was refused, and whose draft could not be taken away."""
        answer = Answer({"error": {"code": "ErrorInvalidRecipients"}}, 400)
        self.service.server.break_(self.SEND, "answer", answer=answer)
        self.service.server.break_("DELETE", "refuse", times=99)
        mail = self.queue()
        self.run_outbox()
        self.service.server.mend()
        self.assertEqual((mail.state, len(self.drafts())), ("refused", 1))
        return mail

    def test_one_that_had_gone_out_all_the_same_stays(self):
        mail = self.doubt("reset")
        self.assertEqual(len(self.held()), 1)
        mail.with_user(self.mira).action_discard()
        self.run_outbox()
        self.assertEqual((len(self.held()), self.count_deletions()), (1, 0))
        self.assertFalse(mail.clear_at)

    def test_it_waits_until_no_call_can_be_under_way(self):
        mail = self.doubt()
        mail.handed_at += timedelta(seconds=600)
        mail.with_user(self.mira).action_discard()
        self.run_outbox()
        self.assertEqual(len(self.drafts()), 1)
        self.assertEqual(mail.clear_at, mail.handed_at + timedelta(seconds=900))

    def test_a_mailbox_that_cannot_be_asked_is_asked_some_times(self):
        mail = self.doubt()
        mail.with_user(self.mira).action_discard()
        self.service.server.break_("/messages[?]", "refuse", times=99)
        for _attempt in range(5):
            self.assertTrue(mail.clear_at)
            mail.clear_at -= timedelta(minutes=31)
            self.run_outbox()
        self.assertFalse(mail.clear_at)
        self.service.server.mend()
        self.assertEqual(len(self.drafts()), 1)

    def test_a_copy_of_the_database_leaves_the_mailbox_alone(self):
        mail = self.doubt()
        params = self.env["ir.config_parameter"]
        params.set_param("database.uuid", "a copy")
        mail.with_user(self.mira).action_discard()
        self.assertFalse(mail.clear_at)

    def test_a_database_that_was_copied_since_leaves_the_mailbox_alone(self):
        mail = self.discard_one()
        self.env["ir.config_parameter"].set_param("database.uuid", "a copy")
        self.assertAsksNothing(mail)

    def test_a_mailbox_that_is_at_another_service_by_now_is_asked_nothing(self):
        mail = self.discard_one()
        self.account.write({"provider": "imap", "imap_host": "imap.own.example"})
        self.assertAsksNothing(mail)

    def test_a_mailbox_that_was_deleted_since_is_asked_nothing(self):
        mail = self.discard_one()
        self.account.unlink()
        self.assertAsksNothing(mail)

    def discard_one(self):
        mail = self.doubt()
        mail.with_user(self.mira).action_discard()
        self.assertTrue(mail.clear_at)
        return mail

    def assertAsksNothing(self, mail):
        before = len(self.service.server.calls)
        self.run_outbox()
        self.assertEqual(len(self.service.server.calls), before)
        self.assertEqual((mail.state, mail.clear_at), ("cancelled", False))
        self.assertEqual(len(self.drafts()), 1)

    def test_a_mail_that_was_never_handed_over_asks_nothing(self):
        mail = self.queue()
        mail.with_user(self.mira).action_cancel()
        self.assertEqual((mail.state, mail.clear_at), ("cancelled", False))

    def write_draft_of_his_own(self):
        raw = b"From: mira@own.example\r\nSubject: Offer\r\n\r\nNot yet"
        box = self.service.server.mailboxes[self.address]
        key = box.deliver(raw, "drafts")
        box.messages[key].is_draft = True
        return key


@tagged("post_install", "-at_install")
class TestSendClearGmail(Doubting, ApiMailbox, MailFixtures, TransactionCase):
    service_class = GmailService
    SEND = "messages/send"

    def test_a_service_that_makes_no_draft_is_asked_nothing(self):
        mail = self.doubt()
        mail.with_user(self.mira).action_discard()
        self.assertEqual((mail.state, mail.clear_at), ("cancelled", False))
