import json

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..easycrm_mail.esp import EventKind, Severity
from .esp_case import WebhookCase


@tagged("post_install", "-at_install")
class TestEspReportFaults(WebhookCase):
    """What is reported, and no sender would."""

    def report(self, **values):
        event = {
            "sg_event_id": "1",
            "event": "spamreport",
            "timestamp": 1_700_000_000,
            "email": self.trace.email,
            "easycrm_key": str(self.trace.id),
            "easycrm_batch": self.batch.key,
            **values,
        }
        body = json.dumps([event]).encode()
        return self.call(body, self.sendgrid.sign(body))

    def test_an_address_that_no_database_takes_is_nobody_s(self):
        for token in ("%00", "%FF", "x" * 5000):
            path = f"/easycrm_mail/webhook/sendgrid/{token}"
            headers = {"Content-Type": "application/json"}
            answer = self.url_open(path, data=b"[]", headers=headers)
            self.assertEqual(answer.status_code, 404)

    def test_halves_of_characters_are_taken(self):
        half = "\ud800"
        self.assertEqual(self.report(reason=half, useragent=half, url=half), 200)
        self.assertEqual(len(self.trace.easycrm_event_ids), 1)

    def test_a_signature_of_halves_is_none(self):
        esp = self.make_esp("mailgun", webhook_key=self.mailgun.signing_key)
        for name in ("token", "signature"):
            signed = {"timestamp": "1", "token": "a", "signature": "b", name: "\ud800"}
            body = json.dumps({"signature": signed, "event-data": {}}).encode()
            self.assertEqual(self.call(body, esp=esp), 406)

    def test_an_archived_sender_is_still_heard(self):
        self.esp.active = False
        self.assertEqual(self.report(), 200)
        self.apply()
        self.assertTrue(self.trace.easycrm_complained_at)

    def test_a_click_that_is_on_no_link_stops_nothing(self):
        one, two, _three = self.traces
        self.tell(
            self.event(one, EventKind.CLICKED, 900, url="#top"),
            self.event(one, EventKind.CLICKED, 901, url="javascript:alert(1)"),
            self.event(two, EventKind.CLICKED, 902, url="https://example.com/a"),
        )
        self.assertEqual((one + two).mapped("easycrm_click_count"), [2, 1])
        self.assertEqual(two.links_click_ids.link_id.url, "https://example.com/a")
        self.assertEqual(two.links_click_ids.link_id.count, 1)
        self.assertFalse(one.links_click_ids)

    def test_each_sender_s_complaints_are_its_own(self):
        other = self.make_esp("mailgun")
        traces = self.make_mailing(other)
        self.store(self.event(self.trace, EventKind.COMPLAINED))
        self.esp, first = other, self.esp
        bounce = self.event(traces[1], EventKind.BOUNCED, severity=Severity.HARD)
        self.store(bounce)
        self.apply()
        kept = self.env["easycrm.esp.suppression"].search([])
        self.assertEqual(
            {row.address: row.esp_id for row in kept},
            {self.trace.email: first, traces[1].email: other},
        )

    @mute_logger("odoo.addons.easycrm_mail.easycrm_mail.esp.sendgrid_reports")
    def test_the_time_of_an_event_is_the_sender_s(self):
        self.assertEqual(self.report(timestamp=10**18), 400)
        self.assertEqual(self.report(timestamp="soon"), 400)
        self.assertFalse(self.trace.easycrm_event_ids)
