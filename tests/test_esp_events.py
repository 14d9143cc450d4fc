import json
import random
from datetime import timedelta

from odoo import Command
from odoo.tests import TransactionCase, tagged

from ..easycrm_mail.esp import Event, EventKind, MailgunReports, Severity, Unverified
from .esp_case import EspFixtures

K = EventKind


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

    def test_whom_mailgun_itself_writes_to_no_more_is_in_the_ledger(self):
        self.esp = self.make_esp("mailgun")
        traces = self.make_mailing(self.esp)
        told = [
            ("suppress-bounce", 605, "Not delivering to previously bounced address"),
            ("suppress-unsubscribe", 606, "Not delivering to unsubscribed address"),
            (
                *("suppress-complaint", 607),
                "Not delivering to a user who marked your messages as spam",
            ),
        ]
        for trace, (reason, code, words) in zip(traces, told, strict=True):
            row = {
                "event": "failed",
                "id": reason,
                "timestamp": self.start.timestamp(),
                "severity": "permanent",
                "reason": reason,
                "delivery-status": {"code": code, "message": "", "description": words},
                "recipient": trace.email,
                "user-variables": {
                    "easycrm_key": str(trace.id),
                    "easycrm_batch": trace.easycrm_batch_id.key,
                },
            }
            body = json.dumps({"event-data": row}).encode()
            self.tell(*MailgunReports("").read(body))
        ledger = self.env["easycrm.esp.suppression"].search([])
        self.assertEqual(
            {row.address: row.reason for row in ledger},
            dict(
                zip(
                    traces.mapped("email"),
                    ("bounced", "unsubscribed", "complained"),
                    strict=True,
                )
            ),
        )
        self.assertEqual(set(traces.mapped("trace_status")), {"error"})
        self.assertEqual(
            traces.mapped("failure_type"), ["mail_bl", "mail_optout", "mail_bl"]
        )

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

    def test_a_list_that_a_mailing_to_contacts_has_left_over_says_nothing(self):
        # (Odoo puts the only list there is into every new mailing)
        contact = self.env["mailing.contact"].create({"email": self.trace.email})
        news = self.env["mailing.list"].create(
            {"name": "News", "contact_ids": [Command.set(contact.ids)]}
        )
        self.trace.mass_mailing_id.contact_list_ids = news
        self.env.invalidate_all()
        self.tell(self.event(self.trace, K.UNSUBSCRIBED))
        self.assertEqual(self.env["mail.blacklist"].search([]).email, self.trace.email)
        self.assertEqual(self.trace.easycrm_unsubscribed_from, "all emails")
        self.assertFalse(contact.subscription_ids.opt_out)

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
