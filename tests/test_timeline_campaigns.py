"""Mailings on the timeline of contacts and leads."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import SQL

from ..easycrm_mail.esp import EventKind
from ..easycrm_mail.models.timeline_filters import Filters
from .timeline_case import AT, CampaignCase


@tagged("post_install", "-at_install")
class TestTimelineCampaigns(CampaignCase):
    def test_a_line_says_what_was_sent_and_by_whom(self):
        trace = self.add_trace()
        page = self.open()
        [conversation] = page["conversations"]
        [line] = conversation["emails"]
        self.assertEqual(conversation["thread_id"], -trace.id)
        self.assertEqual((line["id"], line["direction"]), (-trace.id, "campaign"))
        self.assertEqual(line["subject"], "Spring offer")
        self.assertEqual(line["date"], fields.Datetime.to_string(AT))
        self.assertEqual(line["from"]["name"], "Tallwood Furniture")
        self.assertEqual(line["from"]["address"], "news@tallwood.example")
        self.assertEqual(line["to"][0]["name"], "Anna Berg")
        self.assertEqual((page["count"], page["campaign_count"]), (0, 1))
        self.assertFalse(page["empty"])

    def test_a_lead_is_called_by_its_contact(self):
        lead = self.add_lead("Chairs", self.mira, contact_name="Carla Cho")
        self.add_trace(lead)
        [line] = self.lines(lead)
        self.assertEqual(line["to"][0]["name"], "Carla Cho")

    def test_what_is_written_for_each_is_left_open(self):
        self.mailing.subject = "For {{ object.name or 'you' }}: an offer"
        self.add_trace()
        self.assertEqual(self.lines()[0]["subject"], "For …: an offer")

    def test_what_became_of_it(self):
        trace = self.add_trace(trace_status="process", sent_datetime=False)
        url = "https://tallwood.example/pricing"
        picture = "https://www.tallwood.example/oak"
        self.env["link.tracker"].create(
            [
                {
                    "url": to,
                    "title": to,
                    "label": label,
                    "mass_mailing_id": self.mailing.id,
                }
                for to, label in (
                    (url, "[media] pricing.png"),
                    (url, "Pricing"),
                    (picture, "[media] oak.png"),
                )
            ]
        )
        self.tell(
            self.event(trace, EventKind.DELIVERED),
            self.event(trace, EventKind.OPENED, 1, is_machine=True),
            self.event(trace, EventKind.OPENED, 60),
            self.event(trace, EventKind.OPENED, 600),
            self.event(trace, EventKind.CLICKED, 660, url=url),
            self.event(trace, EventKind.CLICKED, 670, url=picture),
        )
        told = self.campaign()
        links = ["Pricing", "tallwood.example/oak"]
        self.assertEqual((told["opens"], told["links"]), (2, links))
        at = self.start + timedelta(seconds=60)
        self.assertEqual(told["opened_at"], fields.Datetime.to_string(at))
        self.assertTrue(told["last_opened_at"] > told["opened_at"])
        for name in ("replied", "bounced", "complained", "unsubscribed"):
            self.assertFalse(told[name])

    def test_what_machines_did_is_not_told(self):
        trace = self.add_trace()
        self.tell(
            self.event(trace, EventKind.DELIVERED),
            self.event(trace, EventKind.OPENED, 1, is_machine=True),
        )
        told = self.campaign()
        self.assertEqual((told["opens"], told["opened_at"]), (0, False))

    def test_what_went_wrong(self):
        self.add_trace(
            trace_status="bounce",
            failure_reason="550 5.2.2\n mailbox is full",
            easycrm_complained_at=AT,
            easycrm_unsubscribed_at=AT,
            easycrm_unsubscribed_from="News",
        )
        told = self.campaign()
        self.assertEqual(told["reason"], "mailbox is full")
        self.assertTrue(told["bounced"] and told["complained"])
        self.assertEqual(told["unsubscribed_from"], "News")

    def test_what_odoo_sent_itself(self):
        trace = self.add_trace(easycrm_esp_id=False, easycrm_batch_id=False)
        self.assertEqual(self.campaign()["opens"], 0)
        trace.set_opened()
        self.assertEqual(self.campaign()["opens"], 1)

    def test_what_was_not_sent_is_not_told(self):
        self.add_trace(trace_status="cancel", sent_datetime=False)
        self.add_trace(is_test_trace=True)
        page = self.open()
        self.assertEqual((page["conversations"], page["campaign_count"]), ([], 0))

    def test_a_contact_of_a_mailing_list_is_known_by_the_address(self):
        contact = self.env["mailing.contact"].create({"name": "A", "email": "x@y.z"})
        lead = self.add_lead("Chairs", self.mira, "anna@acme.example")
        self.follow_addresses()
        self.add_trace(contact)
        for record in (self.anna, lead):
            self.assertEqual(len(self.lines(record)), 1)
        self.assertFalse(self.lines(self.bruno))

    def test_what_went_to_another_record_stands_there(self):
        lead = self.add_lead("Chairs", self.jonas, "anna@acme.example")
        self.add_trace(lead)
        self.assertFalse(self.lines(self.anna))
        self.assertEqual(len(self.lines(lead, self.jonas)), 1)

    def test_what_a_merged_record_got_goes_over(self):
        self.add_trace(self.bruno, email="bruno@beck.example")
        leads = self.add_lead("One", self.mira) + self.add_lead("Two", self.mira)
        for lead in leads:
            self.add_trace(lead)
        self.env["base.partner.merge.automatic.wizard"]._merge(
            [self.anna.id, self.bruno.id], self.anna
        )
        self.assertEqual(len(self.lines()), 1)
        self.assertEqual(len(self.lines(leads.merge_opportunity())), 2)

    # --- who sees it ---

    def test_whoever_may_read_the_record_sees_it(self):
        lead = self.add_lead("Chairs", self.mira)
        self.add_trace(lead)
        self.add_trace()
        for user in (self.mira, self.leonie, self.sofia):
            self.assertEqual(len(self.lines(lead, user)), 1)
        with self.assertRaises(AccessError):
            self.lines(lead, self.jonas)
        self.assertEqual(len(self.lines(user=self.jonas)), 1)

    def test_nobody_else_sees_it(self):
        self.add_trace()
        for user in (self.portal, self.ingrid):
            with self.assertRaises(AccessError):
                self.anna.with_user(user).easycrm_timeline()
        own = self.anna.with_user(self.portal)
        self.assertEqual(own._easycrm_find_campaigns(Filters(), False).count, 0)

    def test_who_may_open_the_mailing_is_led_to_it(self):
        self.add_trace()
        self.assertFalse(self.campaign()["mailing_id"])
        self.mira.group_ids += self.env.ref("mass_mailing.group_mass_mailing_user")
        self.assertEqual(self.campaign()["mailing_id"], self.mailing.id)

    def test_another_company_s_campaigns_are_not_told(self):
        self.add_trace()
        own = self.add_trace(easycrm_esp_id=False)
        other = self.env["res.company"].create({"name": "Other"})
        self.esp.company_id = other
        self.assertEqual([line["id"] for line in self.lines()], [-own.id])
        self.mira.company_ids += other
        both = self.mira.company_ids.ids
        lines = self.anna.with_user(self.mira).with_context(allowed_company_ids=both)
        self.assertEqual(lines.easycrm_timeline()["campaign_count"], 2)

    # --- a company and its people ---

    def add_listed(self, email):
        contact = self.env["mailing.contact"].create({"name": "A", "email": email})
        mailing = self.mailing.copy({"subject": "News"})
        return self.add_trace(contact, email=email, mass_mailing_id=mailing.id)

    def test_a_company_shows_its_people_s_campaigns(self):
        trace = self.add_trace()
        listed = self.add_listed("anna@acme.example")
        self.add_trace(self.bruno, email="bruno@beck.example")
        lines = self.lines(self.acme)
        self.assertEqual([line["id"] for line in lines], [-trace.id, -listed.id])
        for line in lines:
            self.assertEqual(line["to"][0]["name"], "Anna Berg")
            self.assertEqual(line["to"][0]["partner_id"], self.anna.id)
        self.assertEqual(self.find(record=self.acme, person="anna@acme.example"),
                         [-trace.id, -listed.id])  # fmt: skip

    def test_a_company_shows_its_own_once(self):
        self.acme.email = "info@acme.example"
        self.follow_addresses()
        traces = self.add_trace(self.acme, email="info@acme.example")
        traces += self.add_listed("info@acme.example")
        lines = self.lines(self.acme)
        self.assertEqual({-line["id"] for line in lines}, set(traces.ids))
        self.assertEqual({line["to"][0]["name"] for line in lines}, {"ACME"})
        self.assertFalse(self.lines(self.anna))

    def test_campaigns_follow_who_moves(self):
        self.add_trace()
        self.add_listed("anna@acme.example")
        beck = self.env["res.partner"].create({"name": "Beck", "is_company": True})
        self.assertEqual(len(self.lines(self.acme)), 2)
        self.anna.parent_id = beck
        self.follow_addresses()
        self.assertFalse(self.lines(self.acme))
        self.assertEqual(len(self.lines(beck)), 2)
        self.assertEqual(len(self.lines(self.anna)), 2)

    def test_who_is_known_later_brings_his_campaigns_along(self):
        self.add_listed("carla@acme.example")
        self.assertFalse(self.lines(self.acme))
        carla = self.env["res.partner"].create(
            {"name": "Carla", "email": "carla@acme.example", "parent_id": self.acme.id}
        )
        self.follow_addresses()
        self.assertEqual(self.lines(self.acme)[0]["to"][0]["name"], "Carla")
        carla.email = "carla@elsewhere.example"
        self.follow_addresses()
        self.assertFalse(self.lines(self.acme) or self.lines(carla))

    def test_what_a_person_got_whom_one_may_not_read_is_not_told(self):
        self.bruno.parent_id = self.acme
        self.follow_addresses()
        self.add_trace(self.bruno, email="bruno@beck.example")
        self.add_listed("bruno@beck.example")
        self.assertEqual(len(self.lines(self.acme)), 2)
        self.bruno.company_id = self.env["res.company"].create({"name": "Other"})
        self.follow_addresses()
        page = self.open(record=self.acme)
        self.assertEqual((page["conversations"], page["campaign_count"]), ([], 0))
        with self.assertRaises(AccessError):
            self.lines(self.bruno)

    def test_a_person_who_is_deleted_leaves_no_line(self):
        self.add_trace(self.bruno, email="bruno@beck.example")
        self.bruno.parent_id = self.acme
        self.follow_addresses()
        self.assertEqual(len(self.lines(self.acme)), 1)
        self.bruno.unlink()
        self.assertFalse(self.lines(self.acme))

    def test_a_company_reads_along_its_index(self):
        self.env.cr.execute(
            """
            INSERT INTO mailing_trace (mass_mailing_id, trace_type, model, res_id,
                email, trace_status, sent_datetime, easycrm_commercial_partner_id)
            SELECT %s, 'mail', 'res.partner', partner, 'x@y.example', 'sent',
                timestamp '2025-03-01' - number * interval '1 minute', partner
            FROM generate_series(1, 5000) AS number,
                unnest(%s) AS partner
            """,
            [self.mailing.id, (self.acme + self.bruno).ids],
        )
        self.env.cr.execute("ANALYZE mailing_trace")
        record = self.as_user(self.acme, self.mira)
        self.env.cr.execute(
            SQL(
                "EXPLAIN (ANALYZE, COSTS FALSE, TIMING FALSE) %s",
                record._easycrm_select_campaigns(False, 31),
            )
        )
        plan = "\n".join(row[0] for row in self.env.cr.fetchall())
        self.assertIn("mailing_trace_easycrm_company_idx", plan)
        self.assertNotIn("Seq Scan on mailing_trace", plan)
        self.assertNotRegex(plan, r"rows=(\d{4,}|[1-9]\d{2,})(\.\d+)? loops")
