"""Who wants no more: by Odoo's pages, by a mail program, by the ledger of senders."""

from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from lxml import html

from odoo import Command, fields
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..easycrm_mail.esp import SuppressionReason
from .esp_case import EspFixtures
from .mailing_case import MailingCase

QUIET = "odoo.addons.base.models.ir_http", "odoo.http"


@tagged("post_install", "-at_install")
class TestUnsubscribing(EspFixtures, HttpCase):
    def setUp(self):
        super().setUp()
        self.esp = self.make_esp()

    def one_click(self, trace):
        url = trace.mass_mailing_id._get_unsubscribe_oneclick_url(
            trace.email, trace.res_id
        )
        return urlsplit(url)._replace(scheme="", netloc="").geturl()

    def parameters(self, trace):
        """What Odoo's pages ask with: who answers to which mailing."""
        told = dict(parse_qsl(urlsplit(self.one_click(trace)).query))
        mailing = trace.mass_mailing_id.id
        return {**told, "mailing_id": mailing, "document_id": int(told["document_id"])}

    def is_blocked(self, trace):
        self.env.invalidate_all()
        entry = self.env["mail.blacklist"].search([("email", "=", trace.email)])
        return bool(entry)

    def test_a_mail_program_unsubscribes_at_once(self):
        trace, other, _third = self.make_mailing(self.esp)
        done = self.url_open(
            self.one_click(trace), data={"List-Unsubscribe": "One-Click"}
        )
        self.assertEqual(done.status_code, 200)
        self.assertTrue(self.is_blocked(trace))
        self.assertTrue(trace.easycrm_unsubscribed_at)
        self.assertEqual(trace.easycrm_unsubscribed_from, "all emails")
        self.assertFalse(other.easycrm_unsubscribed_at)

    def test_who_only_looks_gets_a_page(self):
        trace = self.make_mailing(self.esp)[0]
        for method in ("GET", "HEAD"):
            done = self.url_open(self.one_click(trace), method=method)
            self.assertEqual(done.status_code, 200)
            self.assertFalse(self.is_blocked(trace))
            self.assertFalse(trace.easycrm_unsubscribed_at)
        page = self.url_open(self.one_click(trace))
        self.assertIn('action="/mailing/confirm_unsubscribe"', page.text)
        self.assertIn('method="POST"', page.text)

    def test_the_page_that_asks(self):
        trace = self.make_mailing(self.esp)[0]
        page = html.fromstring(self.url_open(self.one_click(trace)).content)
        [form] = [form for form in page.forms if form.method == "POST"]
        self.url_open(form.action, data=dict(form.form_values()))
        self.assertTrue(self.is_blocked(trace))
        self.assertTrue(trace.easycrm_unsubscribed_at)

    @mute_logger(*QUIET)
    def test_nobody_unsubscribes_somebody_else(self):
        trace, other, _third = self.make_mailing(self.esp)
        wrong = self.one_click(trace).replace("p0%40", "p1%40")
        self.assertNotEqual(wrong, self.one_click(trace))
        for data in (None, {"List-Unsubscribe": "One-Click"}):
            self.assertEqual(self.url_open(wrong, data=data).status_code, 401)
        self.assertFalse(self.is_blocked(trace) or self.is_blocked(other))
        self.assertFalse((trace | other).filtered("easycrm_unsubscribed_at"))

    def test_the_lists_of_a_mailing_are_named(self):
        trace = self.make_mailing(self.esp, lists=1)[0]
        self.url_open(self.one_click(trace), data={"List-Unsubscribe": "One-Click"})
        self.assertFalse(self.is_blocked(trace))
        self.assertTrue(trace.easycrm_unsubscribed_at)
        self.assertEqual(trace.easycrm_unsubscribed_from, "News")

    def test_the_page_of_all_lists(self):
        trace = self.make_mailing(self.esp, lists=1)[0]
        path, told = "/mailing/list/update", self.parameters(trace)
        self.make_jsonrpc_request(path, {**told, "lists_optin_ids": self.list.ids})
        self.env.invalidate_all()
        self.assertFalse(trace.easycrm_unsubscribed_at)
        self.make_jsonrpc_request(path, {**told, "lists_optin_ids": []})
        self.env.invalidate_all()
        self.assertEqual(trace.easycrm_unsubscribed_from, "News")
        at = trace.easycrm_unsubscribed_at
        self.assertTrue(at)
        # and from there, of everything: since then it is all emails
        trace.easycrm_unsubscribed_at = at = fields.Datetime.subtract(at, days=1)
        self.make_jsonrpc_request("/mailing/blocklist/add", told)
        self.assertTrue(self.is_blocked(trace))
        self.assertEqual(trace.easycrm_unsubscribed_at, at)
        self.assertEqual(trace.easycrm_unsubscribed_from, "all emails")

    def test_the_page_of_all_lists_tells_of_those_that_he_was_on(self):
        trace, other, _third = self.make_mailing(self.esp, lists=1)
        people = self.list.contact_ids.sorted("id")
        more = self.env["mailing.list"].create({"name": "More"})
        more.contact_ids = people
        self.env.invalidate_all()
        # (he has left it before; this time it is another)
        people[0].subscription_ids.filtered(
            lambda one: one.list_id == self.list
        ).opt_out = True
        for one in (trace, other):
            self.make_jsonrpc_request(
                "/mailing/list/update",
                {**self.parameters(one), "lists_optin_ids": []},
            )
        self.env.invalidate_all()
        self.assertFalse(trace.easycrm_unsubscribed_at)
        self.assertEqual(other.easycrm_unsubscribed_from, "News")

    def test_a_list_that_a_mailing_to_contacts_has_left_over_is_not_its_own(self):
        trace = self.make_mailing(self.esp)[0]
        contact = self.env["mailing.contact"].create({"email": trace.email})
        news = self.env["mailing.list"].create(
            {"name": "News", "contact_ids": [Command.set(contact.ids)]}
        )
        trace.mass_mailing_id.contact_list_ids = news
        self.env.invalidate_all()
        told = {**self.parameters(trace), "lists_optin_ids": []}
        self.make_jsonrpc_request("/mailing/list/update", told)
        self.env.invalidate_all()
        self.assertTrue(contact.subscription_ids.opt_out)
        self.assertFalse(trace.easycrm_unsubscribed_at)

    def test_who_is_logged_in_answers_for_himself(self):
        self.env.ref("base.user_admin").email = "admin@ours.example"
        self.authenticate("admin", "admin")
        trace = self.make_mailing(self.esp)[0]
        told = {"mailing_id": trace.mass_mailing_id.id, "email": trace.email}
        self.make_jsonrpc_request("/mailing/blocklist/add", told)
        self.assertFalse(self.is_blocked(trace))
        self.assertFalse(trace.easycrm_unsubscribed_at)

    def test_the_page_without_a_mailing(self):
        self.env.ref("base.user_admin").email = "admin@ours.example"
        self.authenticate("admin", "admin")
        self.assertTrue(self.make_jsonrpc_request("/mailing/blocklist/add", {}))


@tagged("post_install", "-at_install")
class TestLedger(MailingCase):
    """Nobody gets a mailing who must not, as the ledger stands when it is sent."""

    def suppress(self, address, reason):
        now = datetime(2026, 3, 2)
        self.env["easycrm.esp.suppression"]._add([(address, reason, now, "")], self.esp)

    def test_who_complained_gets_nothing_though_the_blocklist_is_left_aside(self):
        people = self.make_people(5)
        for number, reason in enumerate(SuppressionReason):
            self.suppress(people[number].email, reason)
        mailing = self.make_mailing(people, use_exclusion_list=False)
        self.send(mailing)
        got = sorted(mail.address for mail in self.sendgrid.deliveries.all())
        self.assertEqual(got, ["p0@example.com", "p1@example.com", "p4@example.com"])
        out = self.traces(mailing).filtered(lambda t: t.trace_status == "cancel")
        self.assertEqual(
            sorted(out.mapped("email")), ["p2@example.com", "p3@example.com"]
        )
        self.assertEqual(set(out.mapped("failure_type")), {"mail_bl"})
        self.assertFalse(any(out.sudo().mapped("easycrm_values")))
        self.assertEqual(mailing.state, "done")

    def test_who_unsubscribes_while_it_waits_gets_nothing(self):
        people = self.make_people(3)
        mailing = self.make_mailing(people)
        mailing._action_send_mail()
        self.suppress(people[1].email, SuppressionReason.UNSUBSCRIBED)
        self.hand_over()
        got = sorted(mail.address for mail in self.sendgrid.deliveries.all())
        self.assertEqual(got, ["p0@example.com", "p2@example.com"])
        self.assertEqual(self.statuses(mailing)["p1@example.com"], "cancel")

    def test_a_batch_of_which_nobody_is_left_is_not_sent(self):
        people = self.make_people(1)
        mailing = self.make_mailing(people, use_exclusion_list=False)
        mailing.state = "sending"
        mailing._action_send_mail()
        self.suppress(people.email, SuppressionReason.COMPLAINED)
        self.hand_over()
        self.assertFalse(self.sendgrid.calls)
        self.assertEqual(mailing.state, "done")

    def test_who_is_taken_off_the_blocklist_by_hand_gets_mail_again(self):
        people = self.make_people(1)
        self.suppress(people.email, SuppressionReason.COMPLAINED)
        self.env["mail.blacklist"]._remove(people.email)
        self.send(self.make_mailing(people))
        self.assertEqual(len(self.sendgrid.deliveries.all()), 1)
