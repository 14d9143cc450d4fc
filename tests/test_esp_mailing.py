import re
from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import TransactionCase, tagged

from ..easycrm_mail.models.easycrm_esp_send import BulkRun
from .servers.mailgun import MailgunServer
from .servers.sendgrid import SendGridServer
from .servers.web import Answer

SEND = "POST /v3/mail/send"

BODY = """
<div class="o_layout" style="background-color: #fff;">
  <p>Hello <t t-out="object.name">you</t>, <b t-out="object.city">nowhere</b></p>
  <a href="/shop?a=1&amp;b=2">Shop</a> <a href="https://example.com/x">X</a>
  <a href="/unsubscribe_from_list">Unsubscribe</a> <a href="/view">View</a>
</div>
"""

LOGIC = """
<div class="o_layout">
  <p t-if="object.city">You are <t t-out="object.name"/>, <b t-out="object.city"/></p>
  <p t-else="">We do not know where you live.</p>
  <ul><li t-foreach="object.category_id" t-as="tag" t-out="tag.name"/></ul>
  <a t-attf-href="/my/{{ object.id }}" t-att-title="object.name">Yours</a>
  <t t-set="greeting"><i t-out="object.name"/></t>
  <p><t t-out="greeting"/><span t-field="object.email"/></p>
</div>
"""


class MailingCase(TransactionCase):
    """Contacts, and mailings to them through the senders on loopback."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sendgrid = cls.enterClassContext(SendGridServer())
        cls.mailgun = cls.enterClassContext(MailgunServer())
        cls.startClassPatcher(_environ(EASYCRM_SENDGRID_API_URL=cls.sendgrid.url))
        cls.startClassPatcher(_environ(EASYCRM_MAILGUN_API_URL=cls.mailgun.url))
        cls.esp = cls.env["easycrm.esp"].create(
            {"provider": "sendgrid", "api_key": cls.sendgrid.key}
        )
        cls.other = cls.env["easycrm.esp"].create(
            {
                "provider": "mailgun",
                "api_key": cls.mailgun.key,
                "domain": cls.mailgun.domain,
            }
        )
        cls.tags = cls.env["res.partner.category"].create(
            [{"name": "Gold & silver"}, {"name": "Blue"}]
        )

    def setUp(self):
        super().setUp()
        for server in (self.sendgrid, self.mailgun):
            server.mend()
            server.deliveries.__init__()
            server.calls.clear()

    def make_people(self, count, **values):
        return self.env["res.partner"].create(
            [
                {
                    "name": f"Person <{number}> & Söhne",
                    "email": f"p{number}@example.com",
                    "city": f"City {number}" if number % 3 else False,
                    "category_id": self.tags[: number % 3].ids,
                    **values,
                }
                for number in range(count)
            ]
        )

    def make_mailing(self, people, body=BODY, esp=None, **values):
        return self.env["mailing.mailing"].create(
            {
                "name": "Spring",
                "subject": "Spring offer",
                "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                "mailing_domain": repr([("id", "in", people.ids)]),
                "body_html": body,
                "easycrm_esp_id": (esp or self.esp).id,
                "email_from": '"News" <news@tallwood.example>',
                "reply_to_mode": "new",
                "reply_to": "sales@tallwood.example",
                **values,
            }
        )

    def send(self, mailing):
        mailing.state = "sending"
        mailing._action_send_mail()
        self.hand_over()

    def hand_over(self):
        """Run the cron, whose commits are savepoints in here."""
        self.env.flush_all()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            BulkRun(self.env(cr=cr)).run()
        self.env.invalidate_all()

    def statuses(self, mailing):
        return {trace.email: trace.trace_status for trace in self.traces(mailing)}

    def traces(self, mailing):
        return self.env["mailing.trace"].search([("mass_mailing_id", "=", mailing.id)])

    def render_by_odoo(self, mailing):
        """What Odoo itself would send: {address: (subject, body)}."""
        composer = (
            self.env["mail.compose.message"]
            .with_context(
                active_ids=mailing._get_remaining_recipients(),
                default_composition_mode="mass_mail",
            )
            .create(
                {
                    "auto_delete": True,
                    "body": mailing._prepend_preview(
                        mailing.body_html or "", mailing.preview
                    ),
                    "composition_mode": "mass_mail",
                    "email_from": mailing.email_from,
                    "mass_mailing_id": mailing.id,
                    "model": mailing.mailing_model_real,
                    "reply_to_force_new": True,
                    "reply_to": mailing.reply_to,
                    "subject": mailing.subject,
                    "template_id": False,
                }
            )
        )
        values = composer._manage_mail_values(
            composer._prepare_mail_values(composer._evaluate_res_ids())
        )
        mails = self.env["mail.mail"].sudo().create(list(values.values()))
        found = {}
        for mail in mails:
            for sent in mail._prepare_outgoing_list():
                body = re.sub(r'\n<img src="[^"]*blank.gif"/?>\n', "", sent["body"])
                (address,) = sent["email_to_normalized"]
                found[address] = (sent["subject"], body.strip())
        return found


def _environ(**values):
    return patch.dict("os.environ", values)


@tagged("post_install", "-at_install")
class TestEspRendering(MailingCase):
    def check_equal(self, body, subject="Spring offer", people=None, **values):
        self.esp.tracks_clicks = False
        people = people or self.make_people(8)
        mailing = self.make_mailing(people, body, subject=subject, **values)
        self.env.flush_all()
        self.env.invalidate_all()
        with self.env.cr.savepoint() as savepoint:
            expected = self.render_by_odoo(mailing)
            savepoint.rollback()
            self.env.invalidate_all()
        self.send(mailing)
        got = {
            mail.address: (mail.subject, mail.html.strip())
            for mail in self.sendgrid.deliveries.all()
        }
        self.assertEqual(set(got), set(expected))
        for address, value in expected.items():
            self.assertEqual(got[address], value)
        return mailing

    def test_values_of_fields(self):
        mailing = self.check_equal(BODY)
        self.assertEqual(len(mailing.easycrm_batch_ids), 1)

        self.assertLess(self.count_values(mailing), 1000)

    def count_values(self, mailing):
        """Return the characters of the values of the first recipient."""
        content = mailing.easycrm_batch_ids.content_id.content
        self.assertGreater(len(content), 1000)
        block = self.sendgrid.bodies[-1]["personalizations"][0]
        return sum(map(len, block["substitutions"].values()))

    def test_logic_on_the_recipient(self):
        mailing = self.check_equal(LOGIC)
        self.assertGreater(len(mailing.easycrm_batch_ids), 1)

    def test_a_value_that_is_set_and_compared(self):
        self.check_equal(
            """
            <div>
              <t t-set="town"><t t-out="object.city"/></t>
              <p t-if="town == 'City 1'">You are of the first.</p>
              <p t-elif="len(str(town)) == 6">You are of the others.</p>
              <p t-else="">You are of none.</p>
              <p t-att-title="town">In <t t-out="town"/> or <i t-out="town"/></p>
              <t t-set="both"><b t-out="town"/> and <t t-out="object.name"/></t>
              <p t-if="'City 2' in str(both)" t-out="both"/>
            </div>
            """
        )

    def test_a_template_is_compiled_once(self):
        qweb = type(self.env["ir.qweb"])
        mailing = self.make_mailing(self.make_people(20), LOGIC)
        with patch.object(
            qweb, "_generate_code", autospec=True, side_effect=qweb._generate_code
        ) as compiling:
            self.send(mailing)
        self.assertEqual(len(self.sendgrid.deliveries.all()), 20)
        templates = [call.args[1] for call in compiling.call_args_list]
        self.assertLess(len(templates), 10, templates)

    def test_a_subject_with_values(self):
        self.check_equal(BODY, "For {{ object.name }} ({{ object.city or 'no city' }})")

    def test_a_preview(self):
        self.check_equal(BODY, preview="Only for {{ object.name }}")

    def test_values_that_are_large(self):
        people = self.make_people(3)
        people[0].comment = "<p>long</p>" * 3000
        body = '<div><t t-out="object.comment"/><t t-out="object.name"/></div>'
        mailing = self.check_equal(body, people=people)
        self.assertEqual(len(mailing.easycrm_batch_ids), 2)

    def test_odoo_s_own_templates(self):
        views = self.env["ir.ui.view"].search(
            [
                ("key", "=like", "mass_mailing.theme_%template%"),
                ("type", "=", "qweb"),
            ]
        )
        self.assertTrue(views)
        people = self.make_people(3)
        values = {"company_id": self.env.company}
        for view in views:
            body = str(self.env["ir.qweb"]._render(view.id, values))
            body += "<p>For <t t-out='object.name'/></p>"
            with self.subTest(view.key):
                self.sendgrid.deliveries.__init__()
                self.check_equal(body, people=people)


@tagged("post_install", "-at_install")
class TestEspMailing(MailingCase):
    def test_everybody_gets_his_own_once(self):
        people = self.make_people(5)
        mailing = self.make_mailing(people)
        self.send(mailing)
        mails = self.sendgrid.deliveries.all()
        self.assertEqual(
            sorted(m.address for m in mails), sorted(people.mapped("email"))
        )
        self.assertEqual(mailing.state, "done")
        self.assertEqual(set(self.statuses(mailing).values()), {"pending"})
        for mail in mails:
            number = re.search(r"\d", mail.address)[0]
            self.assertIn(f"Person &lt;{number}&gt; &amp; Söhne", mail.html)
            self.assertIn(f"Person <{number}> & Söhne", mail.text)
            self.assertIn("unsubscribe_oneclick", mail.headers["List-Unsubscribe"])
            self.assertEqual(
                mail.headers["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click"
            )
            self.assertIn("confirm_unsubscribe", mail.html)
            self.assertNotIn("unsubscribe_from_list", mail.html)
        # nothing of the mails is kept longer than it is needed
        traces = self.env["mailing.trace"].search(
            [("mass_mailing_id", "=", mailing.id)]
        )
        self.assertFalse(any(traces.sudo().mapped("easycrm_values")))
        self.assertFalse(
            self.env["mail.mail"].search([("mailing_id", "=", mailing.id)])
        )

    def test_links_say_which_mailing_they_come_from(self):
        mailing = self.make_mailing(self.make_people(2))
        self.send(mailing)
        mail = self.sendgrid.deliveries.all()[0]
        self.assertIn('href="https://example.com/x?utm_', mail.html)
        links = self.env["link.tracker"].search([("mass_mailing_id", "=", mailing.id)])
        self.assertEqual(len(links), 2)
        self.assertNotIn("/r/", mail.html)

    def test_calls_are_as_few_as_can_be(self):
        mailing = self.make_mailing(self.make_people(2100))
        self.send(mailing)
        self.assertEqual(len(self.sendgrid.deliveries.all()), 2100)
        self.assertEqual(len(self.sendgrid.calls), 3)

    def test_whom_odoo_leaves_out_is_left_out(self):
        people = self.make_people(5)
        people[1].email = people[0].email
        people[2].email = "no address"
        self.env["mail.blacklist"]._add(people[3].email)
        mailing = self.make_mailing(people)
        self.send(mailing)
        self.assertEqual(
            sorted(mail.address for mail in self.sendgrid.deliveries.all()),
            ["p0@example.com", "p4@example.com"],
        )
        traces = self.env["mailing.trace"].search(
            [("mass_mailing_id", "=", mailing.id)]
        )
        self.assertEqual(
            sorted(filter(None, traces.mapped("failure_type"))),
            ["mail_bl", "mail_dup", "mail_email_invalid"],
        )

    def test_mailgun_takes_it_as_well(self):
        mailing = self.make_mailing(self.make_people(3), esp=self.other)
        self.send(mailing)
        mails = self.mailgun.deliveries.all()
        self.assertEqual(len(mails), 3)
        self.assertEqual(self.mailgun.sends, 1)
        self.assertIn("Person &lt;1&gt;", mails[1].html)

    def test_files_go_along(self):
        file = self.env["ir.attachment"].create({"name": "a.pdf", "raw": b"%PDF"})
        mailing = self.make_mailing(
            self.make_people(2), attachment_ids=[Command.set(file.ids)]
        )
        count = self.env["ir.attachment"].search_count([])
        self.send(mailing)
        self.assertEqual(self.sendgrid.deliveries.all()[0].files, ("a.pdf",))
        self.assertEqual(self.env["ir.attachment"].search_count([]), count)

    # --- what goes wrong ---

    def test_a_sender_that_is_busy_is_asked_again(self):
        mailing = self.make_mailing(self.make_people(3))
        self.sendgrid.break_(
            SEND, "answer", answer=Answer("", 429, {"Retry-After": "90"})
        )
        self.send(mailing)
        batch = mailing.easycrm_batch_ids
        self.assertEqual((batch.state, batch.attempts), ("prepared", 1))
        self.assertGreater(batch.next_try_at, fields.Datetime.now())
        self.assertEqual(mailing.state, "sending")
        self.hand_over()
        self.assertFalse(self.sendgrid.deliveries.all())  # not before its time
        batch.next_try_at = fields.Datetime.now()
        self.hand_over()
        self.assertEqual(len(self.sendgrid.deliveries.all()), 3)
        self.assertEqual(mailing.state, "done")

    def test_an_answer_that_is_lost_is_a_doubt_and_never_sent_again(self):
        mailing = self.make_mailing(self.make_people(3))
        self.sendgrid.break_(SEND, "reset")
        self.send(mailing)
        self.hand_over()
        self.assertEqual(mailing.easycrm_batch_ids.state, "doubt")
        self.assertEqual(len(self.sendgrid.deliveries.all()), 3)
        self.assertEqual(set(self.statuses(mailing).values()), {"process"})
        self.assertEqual(mailing.state, "done")
        self.assertFalse(mailing._easycrm_get_unconfirmed())

    def test_what_is_never_confirmed_is_sent_again_by_a_person_alone(self):
        mailing = self.make_mailing(self.make_people(3))
        self.sendgrid.break_(SEND, "refuse")
        self.send(mailing)
        batch = mailing.easycrm_batch_ids
        self.assertEqual(batch.state, "doubt")
        batch.handed_at = fields.Datetime.subtract(batch.handed_at, minutes=61)
        key = batch.key
        mailing.action_easycrm_send_unconfirmed()
        self.assertEqual(mailing.state, "sending")
        self.hand_over()
        self.assertEqual(len(self.sendgrid.deliveries.all()), 3)
        self.assertEqual(batch.state, "accepted")
        self.assertNotEqual(batch.key, key)
        self.assertEqual(mailing.state, "done")

    def test_a_worker_that_died_leaves_a_doubt(self):
        mailing = self.make_mailing(self.make_people(3))
        mailing._action_send_mail()
        batch = mailing.easycrm_batch_ids
        batch._hand_over()
        batch.handed_at = fields.Datetime.subtract(batch.handed_at, minutes=6)
        self.hand_over()
        self.assertEqual(batch.state, "doubt")
        self.assertFalse(self.sendgrid.calls)

    def test_one_bad_address_fails_only_itself(self):
        people = self.make_people(5)
        mailing = self.make_mailing(people)
        mailing._action_send_mail()
        trace = mailing.easycrm_batch_ids.trace_ids[2]
        trace.email = "bad address"
        self.hand_over()
        self.assertEqual(len(self.sendgrid.deliveries.all()), 4)
        self.assertEqual(trace.trace_status, "error")
        self.assertEqual(trace.failure_type, "mail_email_invalid")
        self.assertEqual(mailing.state, "done")

    def test_one_bad_address_is_found_where_the_sender_does_not_name_it(self):
        mailing = self.make_mailing(self.make_people(9), esp=self.other)
        mailing._action_send_mail()
        trace = mailing.easycrm_batch_ids.trace_ids[4]
        trace.email = "bad@nowhere"
        self.hand_over()
        self.assertEqual(len(self.mailgun.deliveries.all()), 8)
        self.assertEqual(len({m.address for m in self.mailgun.deliveries.all()}), 8)
        self.assertEqual(trace.trace_status, "error")
        self.assertEqual(mailing.state, "done")

    def test_a_wrong_key_pauses_and_says_so(self):
        self.esp.api_key = "wrong"
        mailing = self.make_mailing(self.make_people(3))
        self.send(mailing)
        self.assertTrue(mailing.easycrm_paused)
        self.assertIn("API key", mailing.easycrm_pause_reason)
        self.assertEqual(mailing.easycrm_batch_ids.state, "prepared")
        self.esp.api_key = self.sendgrid.key
        mailing.action_easycrm_resume()
        self.hand_over()
        self.assertEqual(mailing.state, "done")
        self.assertEqual(len(self.sendgrid.deliveries.all()), 3)

    def test_pause_resume_cancel(self):
        mailing = self.make_mailing(self.make_people(3))
        mailing._action_send_mail()
        mailing.action_easycrm_pause()
        self.hand_over()
        self.assertFalse(self.sendgrid.calls)
        mailing.action_easycrm_cancel()
        self.hand_over()
        self.assertFalse(self.sendgrid.calls)
        self.assertEqual(set(self.statuses(mailing).values()), {"cancel"})
        self.assertEqual(mailing.state, "done")

    def test_the_rest_goes_on_through_the_other_sender(self):
        mailing = self.make_mailing(self.make_people(3))
        mailing._action_send_mail()
        self.sendgrid.break_(SEND, "answer", answer=Answer("", 503))
        self.hand_over()
        self.assertEqual(mailing.state, "sending")
        mailing.action_easycrm_go_on_through(self.other.id)
        self.hand_over()
        self.assertEqual(len(self.mailgun.deliveries.all()), 3)
        self.assertFalse(self.sendgrid.deliveries.all())
        self.assertEqual(mailing.state, "done")

    def test_written_twice_nobody_is_written_to_twice(self):
        """A run that died after a page was written goes on where it was."""
        people = self.make_people(4)
        mailing = self.make_mailing(people)
        mailing._action_send_mail(people[:2].ids)
        mailing.easycrm_batch_ids.state = "filling"
        mailing.write({"state": "sending", "easycrm_writing": True})
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["mailing.mailing"]._process_mass_mailing_queue()
        self.env.invalidate_all()
        self.hand_over()
        addresses = [mail.address for mail in self.sendgrid.deliveries.all()]
        self.assertEqual(sorted(addresses), sorted(people.mapped("email")))
        self.assertEqual(mailing.state, "done")
