from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..easycrm_mail.esp import EventKind as K
from ..easycrm_mail.esp import Severity
from ..easycrm_mail.models.mailing_recipients import RECIPIENTS
from .esp_case import EspFixtures
from .mailing_case import MailingCase
from .test_campaign import OUT_OF_ROOM


@tagged("post_install", "-at_install")
class TestCampaignResults(EspFixtures, MailingCase):
    """What became of a mailing, as its page shows it."""

    def setUp(self):
        super().setUp()
        self.env["easycrm.esp"].search([]).write({"webhook_key": "key"})
        people = self.make_people(12)
        people[8:].email = False
        for number, domain in enumerate(("far", "near", "off")):
            people[8 + number].email = f"who@{domain}.example"
        people[11].email = people[0].email
        body = '<p>Hi <a href="https://tallwood.example/pricing">Pricing</a></p>'
        self.mailing = MailingCase.make_mailing(self, people, body)
        self.send(self.mailing)
        self.people = self.traces(self.mailing).sorted("id")
        self.sent = self.people.filtered("easycrm_batch_id")
        self.at = self.mailing.easycrm_batch_ids.handed_at
        self.url = (
            self.env["link.tracker"]
            .search([("mass_mailing_id", "=", self.mailing.id)])
            .redirected_url
        )

    @property
    def start(self):
        return self.at

    def results(self):
        return self.mailing.easycrm_get_results()

    def tell_all(self):
        one, two, three, four, five, six, seven, *_rest = self.sent
        machine = {"is_machine": True}
        self.tell(
            *(self.event(trace, K.DELIVERED, 2) for trace in (one, two, three, seven)),
            self.event(one, K.OPENED, 3700),
            self.event(one, K.CLICKED, 3720, url=self.url),
            self.event(one, K.CLICKED, 3730, url=self.url),
            self.event(two, K.OPENED, 60, **machine),
            self.event(three, K.OPENED, 200),
            self.event(three, K.OPENED, 90, **machine),
            self.event(four, K.BOUNCED, 5, severity=Severity.HARD, reason="550 no one"),
            self.event(five, K.BOUNCED, 5, severity=Severity.SOFT, reason=OUT_OF_ROOM),
            self.event(six, K.DEFERRED, 5, reason="421 later"),
            self.event(seven, K.UNSUBSCRIBED, 90),
        )

    def test_each_number_opens_those_that_it_counts(self):
        self.tell_all()
        results = self.results()
        tiles = {"sent": results["sent"], **results["tiles"]}
        self.assertEqual(
            tiles,
            {
                "sent": 11,
                "delivered": 4,
                "opened": 2,
                "machine": 2,
                "clicked": 1,
                "replied": 0,
                "deferred": 1,
                "bounced": 2,
                "bounced_hard": 1,
                "unsubscribed": 1,
                "complained": 0,
            },
        )
        for kind, count in tiles.items():
            self.assertOpens(count, kind)
        self.assertLessEqual(set(tiles), set(RECIPIENTS))
        (link,) = results["links"]
        self.assertEqual((link["label"], link["people"]), ("Pricing", 1))
        self.assertOpens(1, "link", link["id"])
        for row in results["bounces"]:
            self.assertOpens(row["count"], "bounce", row["kind"])
        self.assertEqual(
            {row["kind"]: row["count"] for row in results["bounces"]},
            {"unknown": 1, "full": 1},
        )
        for row in results["domains"]:
            self.assertOpens(row["sent"], "domain", row["value"])
        self.assertEqual(results["domains"][0]["name"], "example.com")
        self.assertEqual(sum(row["sent"] for row in results["domains"]), 11)
        (sender,) = results["senders"]
        self.assertEqual(sender["sent"], 11)
        self.assertOpens(11, "sender", sender["value"])
        self.assertOpens(1, "left_out")

    def assertOpens(self, count, *args):
        action = self.mailing.action_easycrm_view_recipients(*args)
        self.assertEqual(
            self.env["mailing.trace"].search_count(action["domain"]), count, args
        )

    def test_domains_beyond_the_first_are_told_as_one(self):
        for number, trace in enumerate(self.sent[:3]):
            trace.email = f"a_%{number}@a_{number}.example"
        rows = self.results()["domains"]
        self.assertEqual(len(rows), 4)
        self.assertIn("others", rows[-1]["name"])
        for row in rows:
            self.assertOpens(row["sent"], "domain", row["value"])

    def test_the_curve_is_of_people_and_of_machines_apart(self):
        self.tell_all()
        curve = self.results()["curve"]
        self.assertEqual(len(curve), 24)
        self.assertEqual(
            curve[0]["hour"], fields.Datetime.to_string(self.at).split(".")[0]
        )
        self.assertEqual((curve[0]["opened"], curve[0]["machine"]), (1, 2))
        self.assertEqual((curve[1]["opened"], curve[1]["clicked"]), (1, 1))

    def test_a_mailing_that_was_clicked_can_be_deleted(self):
        self.tell_all()
        Click = self.env["link.tracker.click"]
        self.assertTrue(Click.search([("mass_mailing_id", "=", self.mailing.id)]))
        event = self.env["easycrm.esp.event"].search([], limit=1)
        self.sent[0].unlink()
        self.mailing.unlink()
        self.env.flush_all()
        self.assertFalse(Click.search([("easycrm_event_id", "!=", False)]))
        self.assertFalse(event.exists())

    def test_what_is_not_confirmed_stays_until_a_person_decides(self):
        self.assertFalse(self.results()["unconfirmed"]["count"])
        batch = self.mailing.easycrm_batch_ids
        batch.write({"state": "doubt", "handed_at": self.at - timedelta(minutes=61)})
        batch.trace_ids.trace_status = "process"
        told = self.results()["unconfirmed"]
        self.assertEqual((told["count"], told["minutes"]), (11, 60))
        self.assertEqual(told["at"], batch.handed_at)
        self.assertOpens(11, "unconfirmed")
        self.mailing.action_easycrm_send_unconfirmed()
        self.assertFalse(self.results()["unconfirmed"]["count"])
        with self.assertRaises(UserError):
            self.mailing.action_easycrm_send_unconfirmed()

    def test_it_costs_the_same_for_one_and_for_many(self):
        self.tell_all()
        self.results()
        self.env.invalidate_all()
        with self.assertQueryCount(20):
            self.results()
        self.env.invalidate_all()
        with self.assertQueryCount(20):
            self.mailing.easycrm_get_progress()
