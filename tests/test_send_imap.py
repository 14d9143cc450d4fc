import os
from datetime import timedelta

from odoo import Command
from odoo.tests import TransactionCase, tagged

from ..easycrm_mail.messages import parse
from .mailbox import RealMailbox


@tagged("post_install", "-at_install")
class TestSendImap(RealMailbox, TransactionCase):
    """Sent by a real SMTP server, kept by a real Dovecot, read back by a sync."""

    def setUp(self):
        super().setUp()
        self.connect_smtp()
        self.lead = self.add_lead("40 chairs", self.mira, "anna@acme.example")
        self.start()

    def queue(self, to="anna@acme.example", files=(), **vals):
        outbox = self.env["easycrm.email.outgoing"].with_user(self.mira)
        mail = outbox.create(
            {
                "account_id": self.account.id,
                "lead_id": self.lead.id,
                "recipient_ids": [
                    Command.create({"address": one}) for one in to.split(",")
                ],
                "subject": "Offer",
                "body": "<p>Dear Anna</p>",
                **vals,
            }
        )
        for name, content in files:
            file = {"name": name, "raw": content, "res_model": mail._name}
            file = (
                self.env["ir.attachment"]
                .with_user(self.mira)
                .create({**file, "res_id": mail.id})
            )
            mail.attachment_ids += file
        mail.action_queue()
        mail.sudo().scheduled_at -= timedelta(seconds=11)
        return mail.sudo()

    def run_outbox(self):
        self.run_as_cron(self.env["easycrm.email.outgoing"], "_cron_send")

    def sync(self):
        self.run_cron("_cron_sync")

    def held(self, folder="Sent"):
        return list(self.server.held(self.login, folder).values())

    def test_it_goes_out_stands_in_sent_and_once_on_the_timeline(self):
        mail = self.queue(files=[("plan 📐.pdf", b"%PDF-1"), ("empty.txt", b"")])
        self.run_outbox()
        self.assertEqual((mail.state, mail.error), ("sent", False))
        [taken] = self.sink.taken
        self.assertEqual(taken.recipients, ["anna@acme.example"])
        [(raw, is_read)] = self.held()
        self.assertTrue(is_read)
        self.assertEqual(parse(raw).message_id, mail.message_id)
        self.assertTimeline(self.lead, ["Offer"])
        names = mail.email_id.attachment_line_ids.mapped("name")
        self.assertEqual(names, ["plan 📐.pdf", "empty.txt"])
        for _sync in range(2):
            self.sync()
            self.assertTimeline(self.lead, ["Offer"])
            self.assertTimeline(self.anna, ["Offer"])
            self.assertEqual(len(mail.email_id.copy_ids.location_ids), 1)
        self.assertFalse(self.account.failure_ids)

    def test_odd_names_and_a_hundred_people_arrive_as_they_were(self):
        names = ['a "quoted", b.txt', "חוזה.pdf", "two\nlines.txt", "📐" * 40 + ".png"]
        people = ",".join(f"p{number}@acme.example" for number in range(100))
        mail = self.queue(
            to=people,
            files=[(name, b"x") for name in names],
            subject="Angebot 📐 " * 20,
        )
        self.run_outbox()
        self.assertEqual((mail.state, mail.error), ("sent", False))
        [taken] = self.sink.taken
        self.assertEqual(taken.recipients, people.split(","))
        message = parse(taken.raw)
        self.assertEqual(message.subject, ("Angebot 📐 " * 20).strip())
        got = [one.name for one in message.attachments]
        self.assertEqual(got, [" ".join(name.split("\n")) for name in names])
        self.sync()
        self.assertEqual(len(self.read_timeline(self.lead)), 1)

    def test_24_mb_go_out_and_come_back_as_the_same_email(self):
        content = os.urandom(24 << 20)
        mail = self.queue(files=[("large.bin", content)])
        self.run_outbox()
        self.assertEqual((mail.state, len(self.sink.taken)), ("sent", 1))
        self.sync()
        self.assertTimeline(self.lead, ["Offer"])
        line = mail.email_id.attachment_line_ids
        self.assertEqual(line.size, len(content))

    def test_what_was_accepted_without_an_answer_is_sent_once(self):
        """Nothing stands in Sent then: it is asked of its writer, who knows."""
        self.sink.break_("CONTENT", "lose")
        mail = self.queue()
        self.run_outbox()
        self.assertEqual((mail.state, len(self.sink.taken)), ("doubt", 1))
        self.pass_minutes(mail, 16)
        self.run_outbox()
        self.assertTrue(mail.asked_at)
        self.assertEqual((mail.state, len(self.sink.taken)), ("doubt", 1))

    def test_it_is_found_where_the_server_has_kept_it_by_itself(self):
        self.sink.break_("CONTENT", "lose")
        self.sink.deliver = lambda taken: self.server.deliver(
            self.login, taken.raw, folder="Sent"
        )
        mail = self.queue()
        self.run_outbox()
        self.assertEqual(mail.state, "doubt")
        self.pass_minutes(mail, 1)
        self.run_outbox()
        self.assertEqual((mail.state, len(self.sink.taken)), ("sent", 1))
        self.sync()
        self.assertTimeline(self.lead, ["Offer"])

    def pass_minutes(self, mail, minutes):
        mail.handed_at -= timedelta(minutes=minutes)
        mail.next_try_at -= timedelta(minutes=minutes)

    def test_one_of_two_recipients_who_is_refused_is_named(self):
        self.sink.refused = {"gone@acme.example": "550 5.1.1 no such mailbox"}
        mail = self.queue(to="anna@acme.example,gone@acme.example")
        self.run_outbox()
        self.assertEqual((mail.state, len(self.sink.taken)), ("sent", 1))
        first, second = mail.recipient_ids.mapped("refused")
        self.assertFalse(first)
        self.assertIn("no such mailbox", second)
        self.assertTrue(mail.activity_id)

    def test_what_is_said_of_a_recipient_is_said_once(self):
        self.sink.refused = {"gone@acme.example": "550 5.1.1 no such mailbox"}
        mail = self.queue(to="gone@acme.example")
        self.run_outbox()
        self.assertEqual(mail.state, "refused")
        self.assertEqual(
            mail._get_trouble().splitlines(),
            [
                "127.0.0.1 takes it for none of its recipients.",
                "gone@acme.example: 550 5.1.1 no such mailbox",
            ],
        )

    def test_a_conversation_of_five_turns_stays_one(self):
        thread = None
        for turn in range(5):
            answered = thread and self.env["easycrm.email"].search(
                [("thread_id", "=", thread.id)], limit=1, order="id desc"
            )
            mail = self.queue(
                subject=f"Turn {turn}",
                reply_kind="reply" if answered else "new",
                reply_to_id=answered and answered.id,
            )
            self.run_outbox()
            self.assertEqual(mail.state, "sent")
            thread = thread or mail.email_id.thread_id
            self.assertEqual(mail.email_id.thread_id, thread)
            sent = parse(self.sink.taken[-1].raw)
            self.deliver(
                f"Re: Turn {turn}",
                message_id=f"<answer{turn}@acme.example>",
                in_reply_to=sent.message_id,
                references=[*sent.references, sent.message_id],
            )
            self.sync()
        emails = self.env["easycrm.email"].search([("thread_id", "=", thread.id)])
        self.assertEqual(len(emails), 10)
        last = parse(self.sink.taken[-1].raw)
        self.assertEqual(last.in_reply_to, "<answer3@acme.example>")
