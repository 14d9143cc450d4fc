import json
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..easycrm_mail.esp import EventKind
from .esp_case import WebhookCase
from .servers.bulk import Delivered, now


@tagged("post_install", "-at_install")
class TestEspWebhook(WebhookCase):
    def report(self, *events, kind="application/json;charset=utf-8"):
        body = (json.dumps(events) + "\r\n").encode()
        return self.call(body, self.sendgrid.sign(body), kind=kind)

    def test_a_signed_report_is_taken(self):
        event = self.sendgrid.event(self.mail, "delivered")
        self.assertEqual(self.report(event, event), 200)
        self.assertEqual(self.report(event), 200)
        self.apply()
        self.assertEqual(len(self.trace.easycrm_event_ids), 1)
        self.assertEqual(self.trace.trace_status, "sent")
        self.assertTrue(self.esp.last_event_at)

    def test_nothing_else_is(self):
        body = json.dumps([self.sendgrid.event(self.mail, "delivered")]).encode()
        signed = self.sendgrid.sign(body)
        self.assertEqual(self.call(body), 403)
        self.assertEqual(self.call(body + b" ", signed), 403)
        self.assertEqual(self.call(b"{", self.sendgrid.sign(b"{")), 400)
        self.assertEqual(self.call(body, signed, kind="text/plain"), 415)
        self.assertEqual(self.call(b"x" * 5_000_001, signed), 413)
        self.assertEqual(self.url_open(self.path(self.esp)).status_code, 405)
        other = self.path(self.esp) + "x"
        headers = {"Content-Type": "application/json", **signed}
        self.assertEqual(self.url_open(other, body, headers=headers).status_code, 404)
        self.assertFalse(self.env["easycrm.esp.event"].search([]))

    def test_what_comes_while_a_run_ends_is_applied_soon(self):
        cron = self.env.ref("easycrm_mail.ir_cron_esp_events")
        Trigger, Event = self.env["ir.cron.trigger"], self.env["easycrm.esp.event"]
        older = self.store(self.event(self.trace, EventKind.PROCESSED))
        store = type(Event)._store

        def end_run(records, *args):
            stored = store(records, *args)
            older.sudo().with_env(records.env).applied = True
            return stored

        def count():
            return Trigger.search_count([("cron_id", "=", cron.id)])

        before = count()
        self.assertEqual(self.report(self.sendgrid.event(self.mail, "delivered")), 200)
        self.assertEqual(count(), before)  # (a run is under way)
        self.apply()
        older.applied = False
        with patch.object(type(Event), "_store", end_run):
            event = self.sendgrid.event(self.mail, "open")
            self.assertEqual(self.report(event), 200)
        self.assertEqual(count(), before + 1)

    def test_without_a_key_nothing_is_taken(self):
        self.esp.sudo().webhook_secret = False
        self.assertEqual(self.report(self.sendgrid.event(self.mail, "open")), 403)

    def test_about_nobody_of_ours_is_no_fault(self):
        stranger = Delivered(1, "x@example.org", "", "", "", {}, {})
        self.assertEqual(self.report(self.sendgrid.event(stranger, "delivered")), 200)
        self.apply()

    def test_one_sender_s_address_takes_no_other_s_reports(self):
        path = self.path(self.esp).replace("sendgrid", "mailgun")
        body = self.mailgun.sign(self.mailgun.event(self.mail, "opened"))
        headers = {"Content-Type": "application/json"}
        self.assertEqual(self.url_open(path, body, headers=headers).status_code, 404)

    def test_mailgun_reports_are_taken_once(self):
        esp = self.make_esp("mailgun", webhook_key=self.mailgun.signing_key)
        trace = self.make_mailing(esp)[0]
        mail = self.delivered(trace)
        event = self.mailgun.event(mail, "opened", timestamp=now() + 0.5)
        body = self.mailgun.sign(event, token="t" * 50)
        self.assertEqual(self.call(body, esp=esp), 200)
        self.assertEqual(self.call(body, esp=esp), 200)
        # with the same token, which signs nothing of it, another event
        forged = json.loads(body)
        forged["event-data"] = self.mailgun.event(mail, "complained")
        self.assertEqual(self.call(json.dumps(forged).encode(), esp=esp), 406)
        stale = self.mailgun.sign(event, timestamp=str(now() - 90_000))
        self.assertEqual(self.call(stale, esp=esp), 406)
        self.assertEqual(self.call(b"{", esp=esp), 406)
        self.assertEqual(self.call(body, esp=esp, kind="text/plain"), 406)
        self.apply()
        self.assertEqual(trace.easycrm_open_count, 1)
        self.assertFalse(trace.easycrm_complained_at)

    def test_without_the_job_that_applies_it_a_report_is_kept(self):
        self.env.ref("easycrm_mail.ir_cron_esp_events").unlink()
        self.assertEqual(self.report(self.sendgrid.event(self.mail, "open")), 200)
        self.apply()
        self.assertEqual(self.trace.trace_status, "open")

    @mute_logger("odoo.http")
    def test_our_own_trouble_is_told_as_such(self):
        self.esp.sudo().webhook_secret = "not encrypted"
        self.assertEqual(self.report(self.sendgrid.event(self.mail, "open")), 500)
