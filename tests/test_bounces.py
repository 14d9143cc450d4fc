from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..easycrm_mail.messages import parse
from .common import raw_mail
from .sending_case import SendingCase

REPORT = """\
From: Mail Delivery System <MAILER-DAEMON@mx.example>
To: mira@ours.example
Subject: Undelivered Mail Returned to Sender
Date: {date}
Message-ID: <report{number}@mx.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B1"

--B1
Content-Type: text/plain

It did not get there.
--B1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {address}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 552 {status} said the server
--B1
Content-Type: text/rfc822-headers

{returned}
--B1--
"""


@tagged("post_install", "-at_install")
class TestBounces(SendingCase):
    """Mails that did not get there are marked; forged reports mark nothing."""

    number = 0

    def report(self, returned, address="anna@acme.example", **values):
        """Bring a report on the mail with that Message-ID, or on none by name."""
        self.number += 1
        if returned:
            returned = f"Message-ID: {returned}"
        values = {
            "action": "failed",
            "status": "5.2.2",
            # (after all that was sent just now)
            "date": format_datetime(datetime.now(timezone.utc) + timedelta(hours=1)),
            **values,
        }
        raw = REPORT.format(
            returned=returned, address=address, number=self.number, **values
        )
        return self.deliver(self.mailbox, raw.encode())

    def send_mail(self, **vals):
        mail = self.queue(lead_id=self.lead.id, **vals)
        self.run_outbox()
        return mail

    def read_row(self, user=None):
        rows = self.read_timeline(self.lead, user)
        return next(row for row in rows if row["direction"] == "outbound")

    def test_a_mail_that_did_not_get_there_says_so_in_words(self):
        mail = self.send_mail(to="anna@acme.example,bruno@beck.example")
        self.report(mail.message_id, "Anna@ACME.example")
        [bounce] = self.read_row()["bounces"]
        self.assertEqual(
            (bounce["address"], bounce["kind"], bounce["reason"]),
            ("anna@acme.example", "hard", "the mailbox is full"),
        )
        self.assertEqual(
            mail.recipient_ids.mapped("refused"), ["the mailbox is full", False]
        )
        self.assertEqual(mail.activity_id.user_id, self.mira)
        self.assertEqual(mail.state, "sent")

    def test_it_is_read_once_and_what_is_newer_counts(self):
        mail = self.send_mail()
        self.report(mail.message_id, action="delayed", status="4.4.1")
        [row] = self.read_row()["bounces"]
        self.assertEqual(row["kind"], "soft")
        bounce = self.env["easycrm.email.bounce"].browse(row["id"])
        bounce.at -= timedelta(hours=1)
        self.report(mail.message_id)
        self.assertEqual(bounce.kind, "hard")
        old = format_datetime(bounce.at - timedelta(hours=2))
        self.report(mail.message_id, action="delayed", status="4.4.1", date=old)
        self.assertEqual(bounce.kind, "hard")
        self.report(mail.message_id, action="delivered", status="2.0.0", date=old)
        self.assertEqual(len(self.read_row()["bounces"]), 1)
        bounce.at -= timedelta(hours=1)
        self.report(mail.message_id, action="delivered", status="2.0.0")
        self.assertEqual(self.read_row()["bounces"], [])

    def test_without_a_message_id_it_is_the_last_that_went_there(self):
        first, second = self.send_mail(), self.send_mail()
        second.email_id.date = first.email_id.date + timedelta(minutes=1)
        self.report("")
        bounces = self.env["easycrm.email.bounce"].search([])
        self.assertEqual(bounces.email_id, second.email_id)

    def test_a_report_on_what_was_never_sent_does_nothing(self):
        mail = self.send_mail()
        self.report("<other@ours.example>")
        self.report(mail.message_id, "stranger@far.example")
        self.report("", "stranger@far.example")
        # nor one that another mailbox gets
        [inbound] = self.receive(self.mailbox, message_id="<in@acme.example>")
        self.report(inbound.message_id, "mira@ours.example")
        self.assertFalse(self.env["easycrm.email.bounce"].search([]))

    def test_it_counts_also_where_automatic_mail_is_left_out(self):
        self.mailbox.ignore_automatic = True
        mail = self.send_mail()
        self.assertFalse(self.report(mail.message_id))
        self.assertEqual(len(self.read_row()["bounces"]), 1)

    def test_a_report_on_a_mail_in_doubt_says_that_it_went_out(self):
        mail = self.queue(lead_id=self.lead.id)
        mail._mark_sending()
        mail._mark_doubtful()
        self.report(mail.message_id)
        self.assertEqual(mail.state, "sent")

    def test_an_address_is_flagged_until_somebody_writes_from_it(self):
        mail = self.send_mail()
        self.report(mail.message_id)
        bounces = self.env["easycrm.email.bounce"]
        asked = ["Anna@acme.example", "bruno@beck.example"]
        flagged = bounces.with_user(self.mira).easycrm_flagged(asked)
        self.assertEqual(flagged, {"Anna@acme.example": "the mailbox is full"})
        self.assertEqual(bounces.with_user(self.bea).easycrm_flagged(asked), {})
        bounce = bounces.search([])
        bounce.at -= timedelta(days=1)
        date = bounce.at.replace(tzinfo=timezone.utc) + timedelta(hours=1)
        self.receive(self.mailbox, sender="anna@acme.example", date=date)
        self.assertEqual(bounces.with_user(self.mira).easycrm_flagged(asked), {})

    def test_who_was_in_bcc_is_not_told_to_others(self):
        mail = self.send_mail(bcc="bruno@beck.example")
        self.report(mail.message_id, "bruno@beck.example")
        self.assertEqual(len(self.read_row()["bounces"]), 1)
        self.assertEqual(self.read_row(self.leonie)["bounces"], [])
        bounce = self.env["easycrm.email.bounce"].search([])
        with self.assertRaises(AccessError):
            self.as_user(bounce, self.leonie).read(["address"])

    def test_it_is_sent_again_to_whom_it_did_not_get(self):
        mail = self.send_mail(to="anna@acme.example,bruno@beck.example")
        self.report(mail.message_id)
        bounce = self.env["easycrm.email.bounce"].search([]).with_user(self.mira)
        again = self.outbox.browse(bounce.action_send_again()["outgoing_id"])
        self.assertEqual((again.state, again.user_id), ("draft", self.mira))
        self.assertEqual(again.recipient_ids.mapped("address"), ["anna@acme.example"])
        self.assertEqual(again.subject, "Offer")

    def test_a_note_of_absence_is_told_from_an_answer(self):
        cases = {
            (): False,
            (("Auto-Submitted", "auto-replied"),): True,
            (("Auto-Submitted", "auto-generated (rule)"),): True,
            (("Auto-Submitted", "no"),): False,
            (("Auto-Submitted", "auto-replied"), ("List-Id", "<a.b>")): False,
        }
        for headers, is_auto in cases.items():
            raw = raw_mail(headers=headers, in_reply_to="<offer@ours.example>")
            [email] = self.deliver(self.mailbox, raw)
            self.assertEqual(email.is_auto_reply, is_auto, headers)
            [row] = [
                row for row in self.read_timeline(self.anna) if row["id"] == email.id
            ]
            self.assertEqual(row["auto_reply"], is_auto)
        [report] = self.report("<any@ours.example>")
        self.assertFalse(report.is_auto_reply)
        self.assertTrue(parse(raw).message_id)
