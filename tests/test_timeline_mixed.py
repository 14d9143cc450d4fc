"""Emails and mailings on one timeline: pages, filters and counts of both."""

from datetime import timedelta
from unittest.mock import patch

from odoo.tests import TransactionCase, tagged

from ..easycrm_mail.models import easycrm_email_timeline_campaigns
from ..easycrm_mail.models.timeline_merge import Stream, merge
from .common import START, raw_mail
from .timeline_case import AT, CampaignCase


@tagged("post_install", "-at_install")
class TestTimelineMixed(CampaignCase):
    def add_mixed(self, count):
        """Add emails and mailings, some of them at the same second."""
        emails = self.deliver(
            self.mailbox,
            *(
                raw_mail(date=START + timedelta(minutes=number // 2))
                for number in range(count)
            ),
        )
        traces = [
            self.add_trace(sent_datetime=AT + timedelta(minutes=number // 2))
            for number in range(count)
        ]
        found = [(email.date, email.id) for email in emails]
        found += [(trace.sent_datetime, -trace.id) for trace in traces]
        return [row_id for _date, row_id in sorted(found, reverse=True)]

    def test_pages_lose_and_double_nothing(self):
        expected = self.add_mixed(25)
        for size in (1, 2, 3, 7, 30, 50, 60):
            with self.pages_of(size):
                self.assertEqual(self.find(), expected)
                self.assertEqual(self.find(search="hello"), self.only(expected, 1))
                self.assertEqual(self.find(search="spring"), self.only(expected, -1))

    def only(self, ids, sign):
        return [row_id for row_id in ids if row_id * sign > 0]

    def pages_of(self, size):
        module = "odoo.addons.easycrm_mail.easycrm_mail.models.easycrm_email_timeline"
        for name in ("", "_campaigns"):
            self.startPatcher(patch(f"{module}{name}.PAGE", size))
        return self.subTest(size)

    def test_a_conversation_stands_where_its_newest_mail_does(self):
        old = self.receive(self.mailbox, date=START, message_id="<1@x.example>")
        trace = self.add_trace(sent_datetime=AT + timedelta(hours=1))
        new = self.receive(
            self.mailbox,
            date=START + timedelta(hours=2),
            references=["<1@x.example>"],
        )
        first, second = self.open()["conversations"]
        self.assertEqual([e["id"] for e in first["emails"]], [new.id, old.id])
        self.assertEqual(second["thread_id"], -trace.id)

    def test_filters(self):
        email = self.receive(self.mailbox, date=START)
        trace = self.add_trace(sent_datetime=AT + timedelta(hours=1))
        self.assertEqual(self.find(direction="campaign"), [-trace.id])
        self.assertEqual(self.find(direction="inbound"), [email.id])
        self.assertEqual(self.find(direction="outbound"), [])
        self.assertEqual(self.find(attachments=True), [])
        self.assertEqual(self.find(person="Anna@acme.example"), [-trace.id, email.id])
        self.assertEqual(self.find(search="Spring OFFER"), [-trace.id])
        self.assertEqual(self.find(search="tallwood"), [-trace.id])
        self.assertEqual(self.find(search="spring autumn"), [])
        self.assertEqual(self.find(search="%"), [])
        self.assertEqual(self.find(direction="campaign", search="spring"), [-trace.id])

    def test_counts(self):
        self.receive(self.mailbox, date=START)
        for _number in range(3):
            self.add_trace()
        page = self.open()
        self.assertEqual((page["count"], page["campaign_count"]), (1, 3))
        self.assertEqual(page["conversation_count"], 1)
        page = self.open(filters={"direction": "campaign"})
        self.assertEqual((page["count"], page["campaign_count"]), (3, 3))
        page = self.open(filters={"search": "nothing"})
        self.assertEqual((page["count"], page["empty"]), (0, "filtered"))
        self.assertEqual((page["looked_at"], page["campaign_count"]), (4, 3))
        module = easycrm_email_timeline_campaigns.__name__
        with patch(f"{module}.COUNT_LIMIT", 1):
            self.assertEqual(len(self.find(search="spring")), 3)
            # also where none of the first ones fits
            other = self.mailing.copy({"subject": "Autumn"})
            self.add_trace(
                mass_mailing_id=other.id, sent_datetime=AT - timedelta(days=1)
            )
            self.assertEqual(len(self.find(search="autumn")), 1)

    def test_mailings_take_the_same_queries_however_many_they_are(self):
        def count_queries():
            self.open()
            self.env.invalidate_all()
            record = self.as_user(self.anna, self.mira)
            before = self.cr.sql_log_count
            record.easycrm_timeline()
            return self.cr.sql_log_count - before

        self.receive(self.mailbox)
        without = count_queries()
        self.add_trace()
        one = count_queries()
        self.assertLessEqual(one, without + 3)
        for _number in range(40):
            self.add_trace()
        self.assertLessEqual(count_queries(), one)


@tagged("post_install", "-at_install")
class TestTimelineMerge(TransactionCase):
    def test_what_may_come_before_waits(self):
        emails = Stream([(9, 1), (5, 2)], (5, 2))
        mailings = Stream([(7, -1), (4, -2), (1, -3)], None)
        self.assertEqual(
            merge([emails, mailings], 10), ([(9, 1), (7, -1), (5, 2)], (5, 2))
        )

    def test_a_page_is_full(self):
        emails = Stream([(9, 1), (5, 2)], None)
        mailings = Stream([(7, -1), (4, -2)], (4, -2))
        self.assertEqual(merge([emails, mailings], 2), ([(9, 1), (7, -1)], (7, -1)))

    def test_the_end(self):
        streams = [Stream([(9, 1)], None), Stream([(9, -1)], None)]
        self.assertEqual(merge(streams, 2), ([(9, 1), (9, -1)], None))
        self.assertEqual(merge([Stream([], None)] * 2, 2), ([], None))
