import base64
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import SQL

from ..easycrm_mail.messages import parse, write
from ..easycrm_mail.models import easycrm_email_account_send, send_run
from ..easycrm_mail.models.ingest import Ingest, Read
from ..easycrm_mail.providers import RemoteMessage
from .common import PNG
from .sending_case import SendingCase
from .test_bounces import REPORT


@tagged("post_install", "-at_install")
class TestSendAbuse(SendingCase):
    """What somebody could do with the outbox, and must not."""

    def test_nobody_leaves_a_mail_that_is_on_its_way(self):
        mail = self.write_mail(to="anna@acme.example,bruno@beck.example")
        other = self.write_mail()
        mail.action_queue()
        with self.assertRaisesRegex(UserError, "draft no more"):
            mail.recipient_ids[0].outgoing_id = other
        with self.assertRaisesRegex(UserError, "draft no more"):
            other.recipient_ids.outgoing_id = mail

    def test_nobody_gets_a_colleagues_mail_as_well(self):
        mail = self.write_mail()
        outgoing = self.env["easycrm.email.outgoing"]
        person = {"address": "jonas@ours.example", "role": "bcc"}
        own = self.as_user(outgoing, self.jonas).create(
            {"recipient_ids": [Command.create(person)]}
        )
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            own.recipient_ids.outgoing_id = mail.id
        self.env.invalidate_all()
        self.assertEqual(mail.sudo().recipient_ids.mapped("role"), ["to"])

    def test_users_do_not_say_that_somebody_was_refused(self):
        mail = self.write_mail()
        person = {"outgoing_id": mail.id, "address": "bruno@beck.example"}
        people = mail.recipient_ids
        with self.assertRaises(AccessError):
            people.create({**person, "refused": "no"})
        with self.assertRaises(AccessError):
            people.with_context(default_refused="no").create(person)

    def test_a_call_that_never_began_is_no_doubt(self):
        """All threads may be busy with calls that were given up."""
        mail = self.queue()

        class Stuck:
            def __init__(self, *args, **kwargs):
                pass

            def submit(self, function, *args):
                return send_run.Future()

            def shutdown(self, wait):
                pass

        self.patch(send_run, "ThreadPoolExecutor", Stuck)
        self.patch(send_run, "PULL_SECONDS", 0)
        self.run_outbox()
        self.assertEqual((mail.state, mail.error_kind), ("queued", "retry"))

    def test_what_is_sent_again_is_an_email_of_its_own(self):
        mail = self.queue(lead_id=self.lead.id)
        self.run_outbox()
        self.report(f"Message-ID: {mail.message_id}")
        bounce = self.env["easycrm.email.bounce"].search([]).with_user(self.mira)
        again = self.outbox.browse(bounce.action_send_again()["outgoing_id"])
        self.assertFalse(again.email_id)
        again.with_user(self.mira).action_queue()
        self.pass_time(again, seconds=11)
        self.provider.answers = [ZeroDivisionError()]
        with self.assertLogs("odoo.addons.easycrm_mail", "WARNING"):
            self.run_outbox()
        self.provider.put(write(again._make_draft(), bcc=True), None)
        self.sync_sent()
        self.assertEqual(again.state, "sent")
        self.assertNotEqual(again.email_id, mail.email_id)
        self.assertTimeline(self.lead, ["Offer", "Offer"])

    def test_who_has_not_written_it_is_told_so(self):
        mail = self.queue(lead_id=self.lead.id)
        self.run_outbox()
        self.report(f"Message-ID: {mail.message_id}")
        bounce = self.env["easycrm.email.bounce"].search([])
        with self.assertRaises(UserError):
            bounce.with_user(self.leonie).action_send_again()

    def report(self, returned, date="Mon, 30 Nov 2026 23:00:00 +0000", at=None):
        """Bring a report on a mail to Anna, which the mailbox got at that moment."""
        values = {"address": "anna@acme.example", "action": "failed", "number": 1}
        raw = REPORT.format(returned=returned, date=date, status="5.2.2", **values)
        remote = RemoteMessage("8:1", raw.encode(), is_read=True, received_at=at)
        Ingest(self.mailbox, "INBOX").store([Read(remote, parse(raw.encode()))])

    def test_a_report_that_is_dated_back_marks_nothing_of_then(self):
        mail = self.queue(lead_id=self.lead.id)
        self.run_outbox()
        mail.email_id.date = datetime(2020, 3, 2, 9)
        self.env.flush_all()
        now = datetime.now().astimezone()
        self.report("", "Mon, 02 Mar 2020 09:30:00 +0000", now)
        self.assertFalse(self.env["easycrm.email.bounce"].search([]))

    def test_an_image_in_the_text_counts_as_what_it_is(self):
        data = base64.b64encode(bytes(3_000_000)).decode()
        body = f'<p>See <img src="data:image/png;base64,{data}"></p>'
        mail = self.write_mail(body=body)
        mail.action_queue()
        self.assertEqual(mail.state, "queued")

    def test_a_file_goes_along_as_this_mails_own_and_no_more(self):
        vals = {"res_model": "res.partner", "res_id": self.anna.id, "public": True}
        files = self.env["ir.attachment"]
        image = files.create({"name": "a.png", "raw": PNG, **vals})
        image.generate_access_token()
        self.anna.image_1920 = base64.b64encode(PNG)
        face = files.search(
            [
                ("res_model", "=", "res.partner"),
                ("res_id", "=", self.anna.id),
                ("res_field", "=", "image_1920"),
            ]
        )
        body = "".join(f'<img src="/web/image/{one.id}">' for one in image + face)
        mail = self.write_mail(body=body)
        mail.action_queue()
        kept = mail.sudo().attachment_ids
        self.assertEqual(len(kept), 2)
        self.assertEqual(set(kept.mapped("public")), {False})
        self.assertEqual(set(kept.mapped("access_token")), {False})
        self.assertEqual(mail.sudo()._make_draft().html.count("cid:"), 2)

    def test_a_copy_of_the_database_sends_nothing_that_was_planned_before(self):
        mail = self.queue()
        self.env["ir.config_parameter"].init(force=True)
        self.run_outbox()
        self.assertEqual((mail.state, self.provider.handed), ("refused", []))

    def test_what_waits_for_its_service_is_put_off_in_one_go(self):
        self.patch(easycrm_email_account_send, "DAY_LIMITS", {"imap": 1})
        sent, *waiting = [self.queue() for _number in range(4)]
        calls = []
        rest = type(self.outbox)._mark_resting

        def note(mail, at):
            calls.append(mail)
            return rest(mail, at)

        self.patch(type(self.outbox), "_mark_resting", note)
        self.run_outbox()
        self.assertEqual((sent.state, len(calls)), ("sent", 1))
        at = sent.handed_at + timedelta(days=1)
        self.assertEqual({mail.next_try_at for mail in waiting}, {at})
        self.assertEqual({mail.state for mail in waiting}, {"queued"})

    def test_what_cannot_be_made_is_told_before_it_is_queued(self):
        mail = self.write_mail()
        vals = {"name": "a.png", "raw": PNG, "res_model": mail._name, "res_id": mail.id}
        mail.attachment_ids = self.env["ir.attachment"].create(vals)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE ir_attachment SET file_size = 7 WHERE id = %s",
            mail.attachment_ids.ids,
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "not there any more"):
            mail.action_queue()

    def test_the_files_of_a_mail_on_its_way_stay_as_they_are(self):
        mail = self.write_mail()
        vals = {"name": "a.png", "raw": PNG, "res_model": mail._name, "res_id": mail.id}
        files = self.env["ir.attachment"].with_user(self.mira)
        mail.attachment_ids = files.create(vals)
        mail.action_queue()
        with self.assertRaisesRegex(UserError, "draft no more"):
            mail.attachment_ids.unlink()
        with self.assertRaisesRegex(UserError, "draft no more"):
            mail.attachment_ids.raw = b"another"
        mail.action_undo()
        mail.attachment_ids.unlink()

    def test_what_is_due_is_found_without_a_scan(self):
        self.env.cr.execute(
            """
            INSERT INTO easycrm_email_outgoing
                (user_id, state, reply_kind, scheduled_at)
            SELECT %s, 'sent', 'new', now() - n * interval '1 minute'
            FROM generate_series(1, 20000) n
            """,
            [self.mira.id],
        )
        self.env.cr.execute("ANALYZE easycrm_email_outgoing")
        queries = []
        ask = type(self.env).execute_query

        def note(env, query):
            queries.append(query)
            return ask(env, query)

        with patch.object(type(self.env), "execute_query", note):
            self.outbox._claim_due([self.mailbox.id])
        [query] = [one for one in queries if "SKIP LOCKED" in one.code]
        plan = self.env.execute_query(SQL("EXPLAIN %s", query))
        self.assertNotIn("Seq Scan", str(plan))
