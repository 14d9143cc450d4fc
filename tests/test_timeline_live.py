"""Who is told that a timeline has changed, of what, and how often."""

import json
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..easycrm_mail.models import easycrm_email_live
from .common import raw_mail
from .live_case import TIMELINE, LiveCase
from .merge_case import MergeCase


@tagged("post_install", "-at_install")
class TestPings(LiveCase):
    def test_new_mail_is_told_to_each_record_once_a_batch(self):
        deal = self.add_lead("Deal", self.mira, "anna@acme.example")
        self.read_pings()
        now = datetime.now(timezone.utc)
        raws = [raw_mail(cc="bruno@beck.example", date=now) for _number in range(5)]
        self.deliver(self.mailbox, *raws)
        self.assertPinged(self.anna, self.acme, self.bruno, deal)

    def test_mail_that_is_here_already_is_no_news(self):
        raw = raw_mail(date=datetime.now(timezone.utc))
        self.deliver(self.mailbox, raw)
        self.read_pings()
        self.deliver(self.mailbox, raw)
        self.assertPinged()

    def test_a_first_reading_is_silent(self):
        self.receive_now(date=datetime.now(timezone.utc) - timedelta(days=30))
        self.assertPinged()

    def test_mail_that_matches_nobody_is_told_to_nobody(self):
        self.receive_now(sender="doctor@private.example")
        self.assertPinged()

    def test_what_is_done_by_hand_is_told(self):
        email = self.receive_now(sender="doctor@private.example")
        links = self.env["easycrm.email.link"]
        link = links.create({"email_id": email.id, "partner_id": self.bruno.id})
        self.assertPinged(self.bruno)
        self.as_user(link, self.mira).action_take_off()
        self.assertPinged(self.bruno)
        self.as_user(link, self.mira).action_put_back()
        self.assertPinged(self.bruno)
        link.unlink()
        self.assertPinged(self.bruno)

    def test_an_address_that_changes_is_told(self):
        self.receive_now(sender="second@beck.example")
        self.bruno.email = "second@beck.example"
        self.assertPinged(self.bruno)
        self.bruno.email = "third@beck.example"
        self.assertPinged(self.bruno)

    def test_a_record_that_is_deleted_is_not_told_but_its_company_is(self):
        deal = self.add_lead("Deal", self.mira, "bruno@beck.example")
        self.bruno.parent_id = self.acme
        self.receive_now(sender="bruno@beck.example")
        self.read_pings()
        self.bruno.unlink()
        self.assertPinged(self.acme)
        deal.unlink()
        self.assertPinged()

    def test_emails_that_are_deleted_are_told(self):
        deal = self.add_lead("Deal", self.mira, "bruno@beck.example")
        email = self.receive_now(sender="bruno@beck.example")
        self.read_pings()
        email._delete_for_good()
        self.assertPinged(self.bruno, deal)

    def test_what_not_all_readers_may_know_of_is_not_told(self):
        private = self.receive_now()
        self.make_private(private)
        self.read_pings()
        self.receive_now(references=[private.message_id])
        self.assertPinged()
        raw = raw_mail(
            sender=self.mailbox.email,
            to="doctor@private.example",
            bcc="bruno@beck.example",
            date=datetime.now(timezone.utc),
        )
        self.deliver(self.mailbox, raw, stream="Sent")
        self.assertPinged()

    def test_a_batch_tells_a_limited_number_in_as_many_queries(self):
        contacts = self.env["res.partner"].create(
            [{"name": str(i), "email": f"c{i}@many.example"} for i in range(150)]
        )
        self.cr.flush()

        def count_queries(contacts, at):
            raws = [
                raw_mail(sender=contact.email, date=at + timedelta(seconds=i))
                for i, contact in enumerate(contacts)
            ]
            self.deliver(self.mailbox, *raws)
            self.env.flush_all()
            before = self.cr.sql_log_count
            self.cr.flush()
            return self.cr.sql_log_count - before

        now = datetime.now(timezone.utc) - timedelta(hours=1)
        few = count_queries(contacts[:2], now)
        self.read_pings()
        # (core inserts a hundred rows at once, and the mailbox's list has a ping too)
        self.assertLessEqual(count_queries(contacts, now), few + 1)
        self.assertLessEqual(few, 4)
        pings = self.read_pings()
        self.assertEqual(len(pings), easycrm_email_live.PINGS)
        told = {payload["id"] for _channel, payload in pings}
        self.assertEqual(told, set(contacts[-easycrm_email_live.PINGS :].ids))


@tagged("post_install", "-at_install")
class TestPingsOfMerges(MergeCase, LiveCase):
    def test_what_a_merge_moves_is_told(self):
        email = self.receive_now(sender="doctor@private.example")
        deal = self.add_lead("Deal", self.mira, "x@buyer.example")
        lead = self.add_lead("Lead", self.mira, "x@buyer.example", type="lead")
        links = self.env["easycrm.email.link"]
        links.create({"email_id": email.id, "partner_id": self.twin.id})
        links.create({"email_id": email.id, "lead_id": lead.id})
        self.read_pings()
        self.merge(self.bruno, self.twin)
        self.assertPinged(self.bruno)
        self.merge(deal, lead)
        self.assertPinged(deal)


@tagged("post_install", "-at_install")
class TestListening(LiveCase):
    def listen(self, user, *names):
        """Return the records whose timelines these names let somebody listen to."""
        websocket = self.as_user(self.env["ir.websocket"], user)
        channels = websocket.env["easycrm.email.link"]._get_channels(names)
        for _record, name in channels:
            self.assertTrue(name.startswith(f"{TIMELINE}/"))
            self.assertIn(int(name.rpartition("/")[2]), user.company_ids.ids)
        return {record for record, _name in channels}

    def name(self, record):
        return f"{TIMELINE}/{record._name}/{record.id}"

    def test_who_may_read_the_record_may_listen(self):
        deal = self.add_lead("Deal", self.mira, "anna@acme.example")
        names = [self.name(self.anna), self.name(deal)]
        self.assertEqual(self.listen(self.mira, *names), {self.anna, deal})
        self.assertEqual(self.listen(self.jonas, *names), {self.anna})
        for user in (self.ingrid, self.portal, self.public):
            with mute_logger("odoo.addons.base.models.ir_model"):
                self.assertEqual(self.listen(user, *names), set())

    def test_a_browser_gets_the_channels_and_no_others_of_ours(self):
        session = SimpleNamespace(session=SimpleNamespace(uid=self.jonas.id))
        deal = self.add_lead("Deal", self.mira, "anna@acme.example")
        names = [self.name(self.anna), self.name(deal), "another"]
        websocket = self.as_user(self.env["ir.websocket"], self.jonas)
        with patch("odoo.addons.bus.models.ir_websocket.wsrequest", new=session):
            channels = websocket._build_bus_channel_list(list(names))
        ours = [channel for channel in channels if TIMELINE in str(channel)]
        self.assertEqual(ours, [(self.anna, f"{TIMELINE}/{self.company_a.id}")])
        self.assertIn("another", channels)

    def test_another_companys_mail_is_not_heard(self):
        mine, other = (
            {company for _record, company in self.channels(user)}
            for user in (self.mira, self.bea)
        )
        self.assertTrue(mine and other)
        self.assertFalse(mine & other)

    def channels(self, user):
        links = self.as_user(self.env["easycrm.email.link"], user)
        return links._get_channels([self.name(self.anna)])

    def test_a_name_that_is_none_opens_nothing(self):
        for name in (
            f"{TIMELINE}/res.users/2",
            f"{TIMELINE}/res.partner/{self.anna.id}/x",
            f"{TIMELINE}/res.partner/99999999999999",
            f"{TIMELINE}/res.partner/999999999",
            f"{TIMELINE}/res.partner/-1",
            f"{TIMELINE}/",
            TIMELINE,
            json.dumps(["res.partner", self.anna.id, f"{TIMELINE}/1"]),
        ):
            with self.subTest(name=name):
                self.assertEqual(self.listen(self.mira, name), set())
