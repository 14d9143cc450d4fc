from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.tests import TransactionCase, tagged

from ..easycrm_mail.messages import parse
from ..easycrm_mail.models.send_run import SendRun
from .api_mailbox import ApiMailbox, GmailService, OutlookService
from .common import MailFixtures


class Sending:
    """What holds for both services: mail goes out by the API, and is here once."""

    #: The call that has the mail go out.
    SEND = ""

    allow_inherited_tests_method = True

    def setUp(self):
        super().setUp()
        self.lead = self.add_lead("40 chairs", self.mira, "anna@acme.example")
        self.assertFalse(self.sign_in())
        self.run_crons()

    def queue(self, files=(), **vals):
        outbox = self.env["easycrm.email.outgoing"].with_user(self.mira)
        mail = outbox.create(
            {
                "account_id": self.account.id,
                "lead_id": self.lead.id,
                "recipient_ids": [Command.create({"address": "anna@acme.example"})],
                "subject": "Offer",
                "body": "<p>Dear Anna</p>",
                **vals,
            }
        )
        for name, content in files:
            file = {"name": name, "raw": content, "res_model": mail._name}
            mail.attachment_ids += (
                self.env["ir.attachment"]
                .with_user(self.mira)
                .create({**file, "res_id": mail.id})
            )
        mail.action_queue()
        mail.sudo().scheduled_at -= timedelta(seconds=11)
        return mail.sudo()

    def run_outbox(self):
        self.run_as_cron(self.env["easycrm.email.outgoing"], "_cron_send")

    def pass_seconds(self, mail, seconds):
        mail.handed_at -= timedelta(seconds=seconds)
        mail.next_try_at -= timedelta(seconds=seconds)

    def held(self):
        return [raw for raw, _read in self.service.held(self.address).values()]

    def assertSentOnce(self, mail):
        self.assertEqual((mail.state, mail.error), ("sent", False))
        self.assertEqual(len(self.held()), 1)
        for _sync in range(2):
            self.run_cron()
            self.assertTimeline(self.lead, ["Offer"])
            copy = mail.email_id.copy_ids
            self.assertEqual(len(copy.location_ids), 1)
            self.assertEqual(copy.direction, "outbound")
        self.assertFalse(self.account.failure_ids)

    def test_it_goes_out_and_stands_once_on_the_timeline(self):
        mail = self.queue([("plan.pdf", b"%PDF" * 10)])
        self.run_outbox()
        self.assertTimeline(self.lead, ["Offer"])
        self.assertSentOnce(mail)
        self.assertEqual(mail.email_id.attachment_line_ids.name, "plan.pdf")

    def test_a_large_one_goes_out_too(self):
        mail = self.queue([("large.bin", bytes(range(256)) * 30_000)])
        self.run_outbox()
        self.assertSentOnce(mail)

    def test_where_the_answer_is_lost_it_is_found_and_sent_once(self):
        self.service.server.break_(self.SEND, "reset")
        mail = self.queue()
        self.run_outbox()
        for _look in range(3):
            if mail.state != "doubt":
                break
            self.pass_seconds(mail, 61)
            self.run_outbox()
        self.assertSentOnce(mail)

    def test_a_sync_that_is_first_settles_it(self):
        mail = self.queue()
        with patch.object(SendRun, "_conclude"):  # as if it were killed then
            self.run_outbox()
        self.assertEqual(mail.state, "sending")
        self.run_cron()
        self.assertSentOnce(mail)

    def test_an_answer_stays_in_its_conversation(self):
        [ref] = self.deliver("Chairs", sender="anna@acme.example")
        self.run_cron()
        copy = self.env["easycrm.email.copy"].search(
            [("account_id", "=", self.account.id)]
        )
        mail = self.queue(
            subject="Re: Chairs", reply_kind="reply", reply_to_id=copy.email_id.id
        )
        self.run_outbox()
        self.assertEqual((mail.state, mail.error), ("sent", False))
        self.assertEqual(mail.email_id.thread_id, copy.email_id.thread_id)
        answered = self.get_id(ref)
        sent = [parse(raw) for raw in self.held()]
        self.assertIn(answered, [one.in_reply_to for one in sent])
        refs = (copy + mail.email_id.copy_ids).mapped("thread_ref")
        self.run_cron()
        self.assertEqual(len(set(refs)), 1)
        self.assertTimeline(self.lead, ["Re: Chairs", "Chairs"])


@tagged("post_install", "-at_install")
class TestSendGmail(Sending, ApiMailbox, MailFixtures, TransactionCase):
    service_class = GmailService
    SEND = "messages/send"


@tagged("post_install", "-at_install")
class TestSendOutlook(Sending, ApiMailbox, MailFixtures, TransactionCase):
    service_class = OutlookService
    SEND = "POST .*/send$"
