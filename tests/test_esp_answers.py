"""Answers to a mailing that come in by Odoo's own gateway."""

from odoo.tests import tagged
from odoo.tools import mute_logger

from .mailing_case import MailingCase

REPLY = """\
From: {sender}
To: {to}
Subject: Re: Spring offer
Message-ID: <answer-{number}@example.com>
In-Reply-To: {message_id}
References: <earlier@example.com> {message_id}
Content-Type: text/plain; charset=utf-8

Yes, please.
"""


@tagged("post_install", "-at_install")
class TestEspAnswers(MailingCase):
    """Where followers get the answers, each is posted on the record it is of."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.domain = cls.env["mail.alias.domain"].create(
            {
                "name": "answers.example",
                "bounce_alias": "bounce",
                "catchall_alias": "catchall",
            }
        )
        cls.env.company.alias_domain_id = cls.domain
        cls.team = cls.env["crm.team"].create(
            {
                "name": "Answers",
                "use_leads": True,
                "alias_name": "team",
                "alias_domain_id": cls.domain.id,
            }
        )
        cls.leads = cls.env["crm.lead"].create(
            [
                {
                    "name": f"Lead {number}",
                    "type": "opportunity",
                    "team_id": cls.team.id,
                    "email_from": f"lead{number}@example.com",
                }
                for number in range(2)
            ]
        )

    def setUp(self):
        super().setUp()
        self.number = 0

    def mail(self, records, **values):
        mailing = self.make_mailing(
            records,
            "<p>Hello</p>",
            mailing_model_id=self.env["ir.model"]._get_id(records._name),
            **{"reply_to_mode": "update", **values},
        )
        self.send(mailing)
        return self.traces(mailing).sorted("res_id")

    @mute_logger("odoo.addons.mail.models.mail_thread")
    def answer(self, trace, to, sender=None):
        """Let Odoo's gateway have an answer; return the messages it has made of it."""
        self.number += 1
        last = self.env["mail.message"].search([], order="id desc", limit=1).id
        self.env["mail.thread"].message_process(
            False,
            REPLY.format(
                sender=sender or trace.email,
                to=to,
                number=self.number,
                message_id=trace.message_id,
            ),
        )
        return self.env["mail.message"].search(
            [
                ("id", ">", last),
                ("message_id", "=", f"<answer-{self.number}@example.com>"),
            ]
        )

    def assert_posted(self, message, record):
        self.assertEqual((message.model, message.res_id), (record._name, record.id))
        self.assertIn("Yes, please.", message.body)

    def test_one_to_the_catchall_is_posted_on_its_record(self):
        people = self.make_people(2)
        traces = self.mail(people)
        self.assertFalse(
            self.env["mail.message"].search(
                [("message_id", "in", traces.mapped("message_id"))]
            )
        )
        bounces = self.env["mail.mail"].search_count([])
        message = self.answer(traces[1], "News <catchall@answers.example>")
        self.assert_posted(message, people[1])
        self.assertEqual(self.env["mail.mail"].search_count([]), bounces)
        self.assertEqual(traces.mapped("trace_status"), ["pending", "reply"])

    def test_one_to_a_team_is_posted_on_its_opportunity(self):
        traces = self.mail(self.leads)
        count = self.env["crm.lead"].search_count([])
        message = self.answer(traces[0], "team@answers.example")
        self.assert_posted(message, self.leads[0])
        self.assertEqual(self.env["crm.lead"].search_count([]), count)
        self.assertEqual(traces.mapped("trace_status"), ["reply", "pending"])

    def test_one_that_goes_to_another_kind_of_record_is_something_new(self):
        traces = self.mail(self.make_people(1))
        message = self.answer(traces, "team@answers.example")
        self.assertEqual(message.model, "crm.lead")
        self.assertNotIn(message.res_id, self.leads.ids)

    def test_one_whose_record_was_deleted_goes_by_its_address(self):
        traces = self.mail(self.leads)
        self.leads[0].unlink()
        other = self.env["crm.team"].create({"name": "Not theirs", "sequence": -1})
        message = self.answer(traces[0], "team@answers.example")
        self.assertEqual(message.model, "crm.lead")
        lead = self.env["crm.lead"].browse(message.res_id)
        self.assertEqual(lead.team_id, self.team)
        self.assertNotEqual(lead.team_id, other)

    def test_where_an_address_gets_the_answers_it_goes_by_that_address(self):
        traces = self.mail(self.leads[0], reply_to_mode="new")
        message = self.answer(traces, "team@answers.example")
        self.assertEqual(message.model, "crm.lead")
        self.assertNotIn(message.res_id, self.leads.ids)

    def test_what_is_known_to_odoo_goes_where_odoo_has_it(self):
        [trace] = self.mail(self.make_people(1))
        self.leads[0].message_post(body="Hello", message_id=trace.message_id)
        known = self.leads[0].message_ids[0]
        known.message_id = trace.message_id
        message = self.answer(trace, "catchall@answers.example")
        self.assert_posted(message, self.leads[0])
