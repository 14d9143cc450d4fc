import json
import random
from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import HttpCase, TransactionCase, tagged
from odoo.tools import mute_logger

from ..easycrm_mail.esp import Event, EventKind, Severity, Unverified
from .servers.bulk import Delivered, now
from .servers.mailgun import MailgunServer
from .servers.sendgrid import SendGridServer

K = EventKind


class EspFixtures:
    """A sender of each kind, and a mailing that went to some people."""

    def make_esp(self, provider="sendgrid", **values):
        return self.env["easycrm.esp"].create(
            {
                "provider": provider,
                "domain": "mg.example.com",
                "api_key": "secret",
                "webhook_key": "key",
                **values,
            }
        )

    def make_mailing(self, esp, count=3, lists=0):
        model = "mailing.contact" if lists else "res.partner"
        contacts = self.env[model].create(
            [{"name": f"P{n}", "email": f"p{n}@example.com"} for n in range(count)]
        )
        values = {
            "subject": "Spring offer",
            "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
            "body_html": "<p>Hello</p>",
        }
        if lists:
            self.list = self.env["mailing.list"].create(
                {"name": "News", "contact_ids": [Command.set(contacts.ids)]}
            )
            values["mailing_model_id"] = self.env["ir.model"]._get_id("mailing.list")
            values["contact_list_ids"] = [Command.set(self.list.ids)]
            self.env.invalidate_all()  # (a subscription is nothing that a list creates)
        mailing = self.env["mailing.mailing"].create(values)
        self.batch = self.env["easycrm.esp.batch"].create(
            {
                "esp_id": esp.id,
                "mailing_id": mailing.id,
                "key": f"batch-{mailing.id}",
                "state": "handed_over",
                "handed_at": fields.Datetime.now(),
            }
        )
        return self.env["mailing.trace"].create(
            [
                {
                    "mass_mailing_id": mailing.id,
                    "model": model,
                    "res_id": contact.id,
                    "email": contact.email,
                    "trace_status": "process",
                    "easycrm_batch_id": self.batch.id,
                    "easycrm_esp_id": esp.id,
                }
                for contact in contacts
            ]
        )

    def event(self, trace, kind, seconds=0, **values):
        """An event of a trace, that many seconds after the mailing."""
        at = self.start + timedelta(seconds=seconds)
        key = f"{trace.id}:{kind.value}:{seconds}:{sorted(map(str, values.items()))}"
        return Event(
            key=key,
            kind=kind,
            at=at,
            address=trace.email,
            recipient=str(trace.id),
            batch=trace.easycrm_batch_id.key,
            **values,
        )

    @property
    def start(self):
        return fields.Datetime.now().replace(hour=9, minute=0, second=0)

    def store(self, *events, token=""):
        return self.env["easycrm.esp.event"]._store(self.esp, list(events), token)

    def apply(self):
        while self.env["easycrm.esp.event"]._apply_page():
            pass

    def tell(self, *events):
        self.store(*events)
        self.apply()


@tagged("post_install", "-at_install")
class TestEspEvents(EspFixtures, TransactionCase):
    def setUp(self):
        super().setUp()
        self.esp = self.make_esp()
        self.traces = self.make_mailing(self.esp)
        self.trace = self.traces[0]

    def test_a_delivery_is_told(self):
        self.tell(
            self.event(self.trace, K.PROCESSED), self.event(self.trace, K.DELIVERED, 2)
        )
        self.assertEqual(self.trace.trace_status, "sent")
        self.assertEqual(
            self.trace.easycrm_delivered_at, self.start + timedelta(seconds=2)
        )
        self.assertEqual(self.trace.sent_datetime, self.batch.handed_at)

    def test_an_event_settles_the_doubt_of_its_batch(self):
        self.batch.state = "doubt"
        self.tell(self.event(self.trace, K.DELIVERED))
        self.assertEqual(self.batch.state, "accepted")
        self.assertEqual(
            self.traces.mapped("trace_status"), ["sent", "pending", "pending"]
        )
        self.assertTrue(all(self.traces.mapped("sent_datetime")))

    def test_a_late_event_undoes_nothing(self):
        self.tell(
            self.event(
                self.trace, K.BOUNCED, 5, severity=Severity.HARD, reason="550 no"
            )
        )
        self.assertEqual(self.trace.trace_status, "bounce")
        self.assertEqual(self.trace.failure_reason, "550 no")
        self.assertEqual(self.trace.easycrm_bounce_kind, "hard")
        self.tell(
            self.event(self.trace, K.PROCESSED), self.event(self.trace, K.DELIVERED)
        )
        self.assertEqual(self.trace.trace_status, "bounce")

    def test_people_and_machines_are_told_apart(self):
        trace = self.trace
        self.tell(
            self.event(trace, K.DELIVERED),
            self.event(trace, K.OPENED, 2),  # within seconds
            self.event(trace, K.OPENED, 600, is_machine=True),
            self.event(trace, K.OPENED, 700, user_agent="Mozilla/5.0"),
            self.event(trace, K.CLICKED, 3, url="https://example.com/a"),
        )
        self.assertEqual(trace.trace_status, "sent")
        self.assertEqual(trace.easycrm_machine_open_count, 3)
        self.assertEqual(trace.easycrm_open_count, 0)
        self.assertEqual(trace.easycrm_click_count, 0)
        self.assertFalse(trace.links_click_ids)
        self.tell(
            self.event(trace, K.OPENED, 3600, user_agent="Mozilla/5.0 (Windows)"),
            self.event(trace, K.OPENED, 7200),
            self.event(trace, K.CLICKED, 7300, url="https://example.com/a"),
        )
        self.assertEqual(trace.trace_status, "open")
        self.assertEqual(trace.easycrm_open_count, 2)
        self.assertEqual(trace.open_datetime, self.start + timedelta(hours=1))
        self.assertEqual(
            trace.easycrm_last_open_at, self.start + timedelta(seconds=7300)
        )
        self.assertEqual(trace.easycrm_click_count, 1)
        self.assertEqual(len(trace.links_click_ids), 1)
        self.assertEqual(trace.links_click_ids.link_id.url, "https://example.com/a")

    def test_a_delivery_that_is_told_late_takes_off_a_machine_s_click(self):
        trace = self.trace
        self.tell(self.event(trace, K.CLICKED, 3, url="https://example.com/a"))
        self.assertEqual(len(trace.links_click_ids), 1)
        link = trace.links_click_ids.link_id
        self.assertEqual(link.count, 1)
        self.tell(self.event(trace, K.DELIVERED, 1))
        self.assertFalse(trace.links_click_ids)
        self.assertEqual(link.count, 0)
        self.assertEqual(trace.trace_status, "sent")

    def test_an_answer_stays_an_answer(self):
        self.trace.set_replied()
        self.tell(self.event(self.trace, K.OPENED, 600))
        self.assertEqual(self.trace.trace_status, "reply")

    def test_what_was_dropped_was_not_sent(self):
        self.tell(self.event(self.trace, K.DROPPED, reason="Unsubscribed Address"))
        self.assertEqual(self.trace.trace_status, "error")
        self.assertEqual(self.trace.failure_type, "mail_optout")
        self.assertFalse(self.trace.sent_datetime)
        self.tell(self.event(self.traces[1], K.DROPPED, reason="odd"))
        self.assertEqual(self.traces[1].failure_type, "unknown")

    def test_who_bounces_for_good_or_complains_is_blocked(self):
        one, two, three = self.traces
        self.tell(
            self.event(one, K.BOUNCED, severity=Severity.HARD, reason="550"),
            self.event(two, K.COMPLAINED),
            self.event(three, K.BOUNCED, severity=Severity.SOFT),
        )
        ledger = self.env["easycrm.esp.suppression"].search([])
        self.assertEqual(
            {row.address: row.reason for row in ledger},
            {one.email: "bounced", two.email: "complained"},
        )
        blocked = self.env["mail.blacklist"].search([])
        self.assertEqual(set(blocked.mapped("email")), {one.email, two.email})
        self.assertTrue(two.easycrm_complained_at)

    def test_reasons_only_get_stronger(self):
        ledger = self.env["easycrm.esp.suppression"]
        self.tell(self.event(self.trace, K.COMPLAINED))
        self.tell(self.event(self.trace, K.BOUNCED, 9, severity=Severity.HARD))
        self.assertEqual(ledger.search([]).reason, "complained")

    def test_who_is_taken_off_the_blocklist_is_taken_off_the_ledger(self):
        self.tell(self.event(self.trace, K.COMPLAINED))
        self.env["mail.blacklist"]._remove(self.trace.email)
        self.assertFalse(self.env["easycrm.esp.suppression"].search([]))
        self.tell(self.event(self.trace, K.COMPLAINED, 9))
        self.assertTrue(self.env["easycrm.esp.suppression"].search([]))
        self.assertTrue(self.env["mail.blacklist"].search([]).active)

    def test_who_unsubscribes_leaves_the_lists_of_the_mailing(self):
        traces = self.make_mailing(self.esp, lists=1)
        self.tell(self.event(traces[0], K.UNSUBSCRIBED))
        out = (
            self.env["mailing.subscription"]
            .search([("list_id", "=", self.list.id), ("opt_out", "=", True)])
            .contact_id
        )
        self.assertEqual(out.mapped("email"), [traces[0].email])
        self.assertFalse(self.env["mail.blacklist"].search([]))
        self.assertEqual(traces[0].easycrm_unsubscribed_from, "News")
        self.assertTrue(traces[0].easycrm_unsubscribed_at)

    def test_who_unsubscribes_from_a_mailing_without_lists_is_blocked(self):
        self.tell(self.event(self.trace, K.UNSUBSCRIBED))
        self.assertEqual(self.env["mail.blacklist"].search([]).email, self.trace.email)
        self.assertEqual(self.trace.easycrm_unsubscribed_from, "all emails")

    def test_another_batch_s_event_is_not_taken_for_ours(self):
        """A copy of the database has the same recipients, and other batches."""
        event = self.event(self.trace, K.DELIVERED)
        for other in (
            Event(
                event.key, K.DELIVERED, event.at, "p0@example.com", event.recipient, "x"
            ),
            Event("2", K.DELIVERED, event.at, "p0@example.com", "99999999999", "x"),
            Event("3", K.DELIVERED, event.at, "p0@example.com", "²", event.batch),
            Event("4", K.DELIVERED, event.at, "p0@example.com"),
        ):
            self.tell(other)
        self.assertEqual(self.trace.trace_status, "process")

    def test_another_sender_s_event_is_not_taken_for_ours(self):
        event = self.event(self.trace, K.DELIVERED)
        self.env["easycrm.esp.event"]._store(self.make_esp("mailgun"), [event])
        self.apply()
        self.assertEqual(self.trace.trace_status, "process")

    def test_a_token_is_taken_once(self):
        opened = self.event(self.trace, K.OPENED, 9)
        self.assertEqual(len(self.store(opened, token="t")), 1)
        # the same again is no news, and no fault
        self.assertFalse(self.store(opened, token="t"))
        with self.assertRaises(Unverified):
            self.store(self.event(self.trace, K.COMPLAINED, 9), token="t")
        # the sender tries it again with another token
        self.assertFalse(self.store(opened, token="u"))

    def test_any_order_and_any_repetition_give_the_same(self):
        traces = self.make_mailing(self.esp, 30)
        chance = random.Random(7)
        events = []
        for trace in traces:
            events.append(self.event(trace, K.PROCESSED))
            for kind in chance.sample(list(EventKind), chance.randint(1, 8)):
                at = chance.choice([1, 3, 60, 3600])
                url = "https://example.com/" if kind is K.CLICKED else ""
                severity = chance.choice(list(Severity))
                events.append(self.event(
                    trace, kind, at, url=url,
                    severity=severity if kind is K.BOUNCED else None,
                    is_machine=kind is K.OPENED and chance.random() < 0.5,
                ))  # fmt: skip

        def truth(events, page):
            with self.env.cr.savepoint() as savepoint:
                for start in range(0, len(events), page):
                    self.store(*events[start : start + page])
                    if page < 50:
                        self.apply()
                self.apply()
                names = [n for n in traces._fields if n.startswith("easycrm_")]
                names += ["trace_status", "open_datetime", "sent_datetime"]
                names += ["links_click_datetime", "failure_type", "failure_reason"]
                names.remove("easycrm_event_ids")
                found = traces.read(names)
                clicks = sorted(traces.links_click_ids.mapped("mailing_trace_id.id"))
                ledger = self.env["easycrm.esp.suppression"].search([])
                ledger = sorted((row.address, row.reason) for row in ledger)
                savepoint.rollback()
                self.env.invalidate_all()
            return found, clicks, ledger

        expected = truth(events, 1000)
        for page in (1000, 17):
            storm = events * 3
            chance.shuffle(storm)
            self.assertEqual(truth(storm, page), expected)

    def test_statements_do_not_grow_with_the_events(self):
        few = self.make_mailing(self.esp, 5)
        many = self.make_mailing(self.esp, 200)

        def cost(traces):
            self.store(*(self.event(t, K.DELIVERED) for t in traces))
            self.store(*(self.event(t, K.OPENED, 900) for t in traces))
            self.env.flush_all()
            before = self.cr.sql_log_count
            self.apply()
            return self.cr.sql_log_count - before

        self.assertLessEqual(abs(cost(many) - cost(few)), 2)

    def test_secrets_are_written_and_never_read(self):
        self.assertFalse(self.esp.api_key)
        self.assertFalse(self.esp.webhook_key)
        self.assertTrue(self.esp.has_api_key)
        secret = self.esp.sudo().api_secret
        self.assertNotIn("secret", secret)
        self.esp.region = "eu"  # another account: its key is another
        self.assertFalse(self.esp.has_api_key)

    def test_a_sender_that_reports_nothing_of_what_was_sent_says_so(self):
        self.assertIn("no event yet", self.esp.health)
        self.batch.handed_at -= timedelta(minutes=31)
        self.esp.invalidate_recordset()
        self.assertIn("is its webhook set up?", self.esp.health)
        self.tell(self.event(self.trace, K.DELIVERED))
        self.esp.invalidate_recordset()
        self.assertIn("last event", self.esp.health)

    def test_a_sender_opens_whom_it_has_told_of(self):
        other = self.make_esp("mailgun")
        self.tell(self.event(self.trace, K.COMPLAINED))
        self.assertEqual((self.esp + other).mapped("suppression_count"), [1, 0])
        action = self.esp.action_view_suppressions()
        found = self.env["easycrm.esp.suppression"].search(action["domain"])
        self.assertEqual(found.address, self.trace.email)

    def test_unknown_events_are_forgotten_in_time(self):
        event = Event("9", K.OPENED, self.event(self.trace, K.OPENED).at, "x@y.example")
        self.tell(event)
        row = self.env["easycrm.esp.event"].search([("event_key", "=", "9")])
        self.env["easycrm.esp.event"]._gc_unknown()
        self.assertTrue(row.exists())
        row.received_at -= timedelta(days=8)
        # (what is set aside is still to be looked at)
        row.error = "ValueError: odd"
        row.flush_recordset()
        self.env["easycrm.esp.event"]._gc_unknown()
        self.assertTrue(row.exists())
        row.error = False
        row.flush_recordset()
        self.env["easycrm.esp.event"]._gc_unknown()
        self.assertFalse(row.exists())


@tagged("post_install", "-at_install")
class TestEspWebhook(EspFixtures, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sendgrid = cls.enterClassContext(SendGridServer())
        cls.mailgun = cls.enterClassContext(MailgunServer())

    def setUp(self):
        super().setUp()
        self.esp = self.make_esp(webhook_key=self.sendgrid.verification_key)
        self.trace = self.make_mailing(self.esp)[0]
        self.mail = self.delivered(self.trace)

    def delivered(self, trace):
        custom = {
            "easycrm_key": str(trace.id),
            "easycrm_batch": trace.easycrm_batch_id.key,
        }
        return Delivered(trace.id, trace.email, "", "", "", {}, custom)

    def path(self, esp):
        return f"/easycrm_mail/webhook/{esp.provider}/{esp.webhook_token}"

    def call(self, body, headers=None, esp=None, kind="application/json"):
        headers = {"Content-Type": kind, **(headers or {})}
        path = self.path(esp or self.esp)
        return self.url_open(path, data=body, headers=headers).status_code

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
        for path in (other, self.path(self.esp) + "%00"):
            answer = self.url_open(path, body, headers=headers)
            self.assertEqual(answer.status_code, 404)
        self.assertFalse(self.env["easycrm.esp.event"].search([]))

    def test_what_comes_while_a_run_ends_is_applied_soon(self):
        cron = self.env.ref("easycrm_mail.ir_cron_esp_events")
        Trigger, Event = self.env["ir.cron.trigger"], self.env["easycrm.esp.event"]
        older = self.store(self.event(self.trace, K.PROCESSED))
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

    @mute_logger("odoo.http")
    def test_our_own_trouble_is_told_as_such(self):
        self.esp.sudo().webhook_secret = "not encrypted"
        self.assertEqual(self.report(self.sendgrid.event(self.mail, "open")), 500)
