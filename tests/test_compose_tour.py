from datetime import timedelta

from odoo.tests import HttpCase, tagged

from ..easycrm_mail.messages import parse
from .mailbox import RealMailbox


@tagged("post_install", "-at_install")
class TestComposeTour(RealMailbox, HttpCase):
    """What a salesman writes in a real browser, sent by a real server."""

    def setUp(self):
        super().setUp()
        self.connect_smtp()
        # it writes from this one
        self.mailbox.active = False

    def tour(self, name):
        self.mira.password = self.mira.login * 2
        self.start_tour(
            f"/odoo/contacts/{self.anna.id}", name, login=self.mira.login, timeout=120
        )

    def send(self):
        """Let the seconds pass in which it can be taken back; return what has left."""
        mail = self.env["easycrm.email.outgoing"].search(
            [("user_id", "=", self.mira.id), ("state", "=", "queued")]
        )
        mail.ensure_one()
        mail.scheduled_at -= timedelta(seconds=20)
        self.run_as_cron(mail, "_cron_send")
        self.assertEqual(mail.state, "sent")
        [taken] = self.sink.taken
        return taken.raw, parse(taken.raw)

    def test_send_with_a_template_and_a_file(self):
        self.env["mail.template"].create(
            {
                "name": "Final offer",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "subject": "Offer for {{ object.name }}",
                "body_html": '<p>Dear <t t-out="object.name"></t>, see '
                '<t t-out="object.website"></t>.</p>',
            }
        )
        self.start()
        self.tour("easycrm_compose_tour")
        raw, message = self.send()
        self.assertEqual(message.subject, "Offer for Anna Berg")
        self.assertIn("Dear Anna Berg, see acme.example.", message.text)
        self.assertIn(b"Plan.pdf", raw)
        self.assertNotIn(b"o_easycrm_missing", raw)
        self.assertTimeline(self.anna, ["Offer for Anna Berg"])

    def test_reply(self):
        self.deliver(
            "40 chairs",
            sender="Anna Berg <anna@acme.example>",
            html="<p>Which colour?</p>" + "<p>They come on Tuesday.</p>" * 80,
            message_id="<question@acme.example>",
        )
        self.start()
        self.tour("easycrm_reply_tour")
        _raw, message = self.send()
        self.assertEqual(message.subject, "Re: 40 chairs")
        self.assertEqual(message.in_reply_to, "<question@acme.example>")
        self.assertIn("Green, as ever.", message.text)
        self.assertIn("Which colour?", message.text)
        self.assertTimeline(self.anna, ["Re: 40 chairs", "40 chairs"])
        emails = self.anna.easycrm_email_link_ids.email_id
        self.assertEqual(len(emails.thread_id), 1)
