"""An answer to a mailing counts, in whichever mailbox it lands."""

from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ..easycrm_mail.esp import EventKind
from ..easycrm_mail.messages import parse
from ..easycrm_mail.models.ingest import Ingest
from .common import START, MailCase, raw_mail
from .esp_case import EspFixtures

OFFER = "<offer@odoo.example>"


@tagged("post_install", "-at_install")
class TestReplies(EspFixtures, MailCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sent = fields.Datetime.to_datetime("2026-03-01 09:00:00")

    def setUp(self):
        super().setUp()
        self.esp = self.make_esp()
        self.traces = self.make_mailing(self.esp, count=1)
        self.trace = self.add_trace(self.traces.mass_mailing_id, self.anna)

    def add_trace(self, mailing, record, **values):
        return self.env["mailing.trace"].create(
            {
                "mass_mailing_id": mailing.id,
                "model": record._name,
                "res_id": record.id,
                "email": "anna@acme.example",
                "message_id": OFFER,
                "trace_status": "sent",
                "sent_datetime": self.sent,
                "easycrm_batch_id": self.batch.id,
                **values,
            }
        )

    def answer(self, mailbox=None, **parts):
        parts.setdefault("subject", "Something else")
        return self.receive(mailbox or self.mailbox, **parts)

    def assertReplied(self, trace, email):
        self.assertEqual(trace.trace_status, "reply")
        self.assertEqual(trace.reply_datetime, email.date)
        self.assertTrue(trace.open_datetime)

    def test_an_answer_refers_to_the_mailing(self):
        email = self.answer(in_reply_to=OFFER)
        self.assertReplied(self.trace, email)
        self.assertEqual(self.trace.open_datetime, email.date)
        self.assertNotEqual(self.traces.trace_status, "reply")

    def test_an_answer_in_the_middle_of_references(self):
        email = self.answer(
            references=["<a@x.example>", OFFER, "<b@x.example>"], subject="Re: x"
        )
        self.assertReplied(self.trace, email)

    def test_an_answer_from_another_address(self):
        email = self.answer(sender="private@elsewhere.example", in_reply_to=OFFER)
        self.assertReplied(self.trace, email)

    def test_an_answer_in_a_mailbox_of_anybody(self):
        email = self.answer(self.jonas_mailbox, in_reply_to=OFFER)
        self.assertReplied(self.trace, email)

    def test_the_first_answer_counts(self):
        first = raw_mail(in_reply_to=OFFER)
        self.deliver(self.mailbox, raw_mail(in_reply_to=OFFER), first)
        second, first = self.deliver(
            self.jonas_mailbox, raw_mail(in_reply_to=OFFER), first
        )
        self.assertEqual(self.trace.reply_datetime, first.date)
        self.assertGreater(second.date, first.date)

    def test_an_answer_by_its_subject(self):
        for subject in (
            "Re: Spring offer",
            "AW: RE:  spring Offer",
            "回复：Spring offer",
        ):
            with self.subTest(subject):
                self.trace.trace_status = "sent"
                self.assertReplied(self.trace, self.answer(subject=subject))

    def test_what_is_no_answer_by_its_subject(self):
        late = START + timedelta(days=31)
        early = START - timedelta(days=2)
        for parts in (
            {"subject": "Spring offer"},
            {"subject": "Fwd: Spring offer"},
            {"subject": "Re: Spring offer", "sender": "other@acme.example"},
            {"subject": "Re: Spring offer", "date": late},
            {"subject": "Re: Spring offer", "date": early},
            {"subject": "Re: Autumn offer"},
            {"subject": "Re:"},
        ):
            with self.subTest(parts):
                self.answer(**parts)
                self.assertEqual(self.trace.trace_status, "sent")

    def test_of_two_mailings_with_one_subject_the_newer_is_answered(self):
        mailing = self.trace.mass_mailing_id
        newer = self.add_trace(
            mailing.copy({"subject": mailing.subject}),
            self.anna,
            message_id="<again@odoo.example>",
            sent_datetime=self.sent + timedelta(hours=2),
        )
        self.assertReplied(newer, self.answer(subject="Re: Spring offer"))
        self.assertEqual(self.trace.trace_status, "sent")

    def test_no_person_answers(self):
        for parts in (
            {"headers": [("Auto-Submitted", "auto-replied")]},
            {"headers": [("Precedence", "bulk")]},
            {"sender": "MAILER-DAEMON@mx.example"},
        ):
            with self.subTest(parts):
                self.answer(in_reply_to=OFFER, subject="Re: Spring offer", **parts)
                self.assertEqual(self.trace.trace_status, "sent")

    def test_our_own_people_are_not_taken_for_the_customer(self):
        self.send(self.mailbox, in_reply_to=OFFER)
        self.answer(self.jonas_mailbox, sender="mira@ours.example", in_reply_to=OFFER)
        self.answer(self.jonas_mailbox, sender="leonie@ours.example", in_reply_to=OFFER)
        self.assertEqual(self.trace.trace_status, "sent")

    def test_one_of_our_own_people_who_got_it_himself(self):
        trace = self.add_trace(
            self.trace.mass_mailing_id,
            self.leonie.partner_id,
            email="leonie@ours.example",
            message_id="<hers@odoo.example>",
        )
        email = self.answer(
            sender="leonie@ours.example", in_reply_to="<hers@odoo.example>"
        )
        self.assertReplied(trace, email)

    def test_of_two_addresses_of_a_record_the_one_that_answers(self):
        other = self.add_trace(
            self.trace.mass_mailing_id, self.anna, email="anna@home.example"
        )
        email = self.answer(sender="anna@home.example", in_reply_to=OFFER)
        self.assertReplied(other, email)
        self.assertEqual(self.trace.trace_status, "sent")

    def test_a_test_mail_has_no_answers(self):
        self.trace.is_test_trace = True
        self.answer(in_reply_to=OFFER)
        self.assertEqual(self.trace.trace_status, "sent")

    def test_what_comes_after_leaves_it_an_answer(self):
        email = self.answer(in_reply_to=OFFER)
        self.tell(self.event(self.trace, EventKind.DELIVERED))
        self.assertReplied(self.trace, email)
        self.assertEqual(self.trace.open_datetime, email.date)

    def test_who_had_no_mailbox_for_it_is_told_nothing_else(self):
        """An answer of a stranger counts though nothing of it is kept."""
        self.mailbox.unlinked_keep = "nothing"
        self.deliver(
            self.mailbox,
            raw_mail(sender="stranger@elsewhere.example", in_reply_to=OFFER),
        )
        self.assertEqual(self.trace.trace_status, "reply")

    def test_where_nobody_answers_it_takes_one_query(self):
        for number in (1, 60):
            messages = [
                parse(raw_mail(in_reply_to=f"<{n}@x.example>", subject="Re: x"))
                for n in range(number)
            ]
            ingest = Ingest(self.mailbox.sudo(), "INBOX")
            self.env.flush_all()
            with self.assertQueryCount(1):
                ingest._count_replies(messages)
