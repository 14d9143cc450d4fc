import re

from odoo import Command, fields
from odoo.tests import tagged

from .mailing_case import SEND, MailingCase
from .servers.web import Answer


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

    def test_nobody_is_compared_with_all_before_him(self):
        mailing = self.make_mailing(self.make_people(1))
        composer = (
            self.env["mail.compose.message"]
            .with_context(easycrm_memo={})
            .new({"mass_mailing_id": mailing.id})
        )
        for find in (composer._get_done_emails, composer._get_optout_emails):
            known = find({})
            self.assertIsInstance(known, set)  # (a list is searched from end to end)
            known += ["p0@example.com"]  # as Odoo does for the next page
            self.assertEqual(find({}), {"p0@example.com"})

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

    def test_what_odoos_window_makes_a_mailing_of_goes_out(self):
        self.env["ir.config_parameter"].set_param("easycrm_mail.esp_id", self.esp.id)
        people = self.make_people(3)
        window = self.env["mail.compose.message"].create(
            {
                "composition_mode": "mass_mail",
                "model": "res.partner",
                "res_ids": repr(people.ids),
                "mass_mailing_name": "Spring",
                "subject": "Spring offer",
                "body": "<p>Hello</p>",
                "email_from": "news@tallwood.example",
            }
        )
        window.action_send_mail()
        mailing = window.mass_mailing_id
        self.assertEqual((mailing.state, mailing.easycrm_writing), ("sending", False))
        self.assertTrue(mailing.easycrm_planned_in)
        self.hand_over()
        addresses = [mail.address for mail in self.sendgrid.deliveries.all()]
        self.assertEqual(sorted(addresses), sorted(people.mapped("email")))
        self.assertEqual(mailing.state, "done")

    def test_who_has_left_while_it_waited_gets_nothing(self):
        contacts = self.env["mailing.contact"].create(
            [{"name": f"C{n}", "email": f"c{n}@example.com"} for n in range(4)]
        )
        lists = self.env["mailing.list"].create(
            [
                {"name": "News", "contact_ids": [Command.set(contacts.ids)]},
                {"name": "Offers", "contact_ids": [Command.set(contacts[2].ids)]},
            ]
        )
        mailing = self.make_mailing(
            contacts,
            body="<p>Hello</p>",
            mailing_model_id=self.env["ir.model"]._get_id("mailing.list"),
            contact_list_ids=[Command.set(lists.ids)],
        )
        mailing._action_send_mail()
        mailing.action_easycrm_pause()
        self.env["mail.blacklist"]._add(contacts[0].email)
        for contact in contacts[1:3]:  # (the second one stays on the other list)
            lists[0]._update_subscription_from_email(contact.email, opt_out=True)
        mailing.action_easycrm_resume()
        self.hand_over()
        addresses = [mail.address for mail in self.sendgrid.deliveries.all()]
        self.assertEqual(sorted(addresses), contacts[2:].mapped("email"))
        left_out = self.traces(mailing).filtered(lambda t: t.trace_status == "cancel")
        self.assertEqual(
            {trace.email: trace.failure_type for trace in left_out},
            {contacts[0].email: "mail_bl", contacts[1].email: "mail_optout"},
        )

    def test_the_blocklist_is_left_aside_where_the_mailing_says_so(self):
        people = self.make_people(1)
        mailing = self.make_mailing(people, use_exclusion_list=False)
        mailing._action_send_mail()
        self.env["mail.blacklist"]._add(people.email)
        self.hand_over()
        self.assertEqual(len(self.sendgrid.deliveries.all()), 1)

    def test_who_is_deleted_while_it_waits_gets_nothing(self):
        people = self.make_people(3)
        mailing = self.make_mailing(people)
        mailing._action_send_mail()
        gone, merged, into = people
        addresses = [merged.email, into.email]
        gone.unlink()
        wizard = self.env["base.partner.merge.automatic.wizard"]
        wizard._merge([merged.id, into.id], into, extra_checks=False)
        self.hand_over()
        mails = self.sendgrid.deliveries.all()
        self.assertEqual(sorted(mail.address for mail in mails), addresses)
        left_out = self.traces(mailing).filtered(lambda t: t.trace_status == "cancel")
        self.assertEqual(left_out.failure_type, "mail_email_missing")
        self.assertFalse(left_out.sudo().easycrm_values)

    def test_who_stays_gets_it_though_his_twin_is_deleted(self):
        twins = self.make_people(2, email="twin@example.com")
        mailing = self.make_mailing(twins)
        mailing._action_send_mail()
        written = self.traces(mailing).filtered("easycrm_batch_id").res_id
        twins.browse(written).unlink()
        self.hand_over()
        [mail] = self.sendgrid.deliveries.all()
        self.assertEqual(mail.address, "twin@example.com")

    def test_lists_that_a_mailing_to_contacts_has_left_over_say_nothing(self):
        people = self.make_people(1)
        # (a contact of a list who has, by chance, the same id)
        self.env.cr.execute(
            "INSERT INTO mailing_contact (id, name) VALUES (%s, 'Other')", people.ids
        )
        contact = self.env["mailing.contact"].browse(people.id)
        old = self.env["mailing.list"].create({"name": "Old"})
        self.env["mailing.subscription"].create(
            {"contact_id": contact.id, "list_id": old.id, "opt_out": True}
        )
        mailing = self.make_mailing(people, contact_list_ids=[Command.set(old.ids)])
        self.send(mailing)
        self.assertEqual(len(self.sendgrid.deliveries.all()), 1)

    def test_of_two_alike_who_stays_on_a_list_gets_it(self):
        contacts = self.env["mailing.contact"].create(
            [{"name": f"C{n}", "email": "c@example.com"} for n in range(2)]
        )
        news = self.env["mailing.list"].create({"name": "News"})
        news.contact_ids = contacts
        self.env.invalidate_all()
        mailing = self.make_mailing(
            contacts,
            body="<p>Hello</p>",
            mailing_model_id=self.env["ir.model"]._get_id("mailing.list"),
            contact_list_ids=[Command.set(news.ids)],
        )
        mailing._action_send_mail()
        written = self.traces(mailing).filtered("easycrm_batch_id").res_id
        contacts.browse(written).subscription_ids.opt_out = True
        self.hand_over()
        self.assertEqual(len(self.sendgrid.deliveries.all()), 1)

    def test_what_a_template_times_does_not_leave_before_its_hour(self):
        self.env["ir.config_parameter"].set_param("easycrm_mail.esp_id", self.esp.id)
        people = self.make_people(2)
        template = self.env["mail.template"].create(
            {
                "name": "Timed",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "subject": "Spring offer",
                "body_html": "<p>Hello</p>",
                "email_from": "news@tallwood.example",
                "scheduled_date": "2099-01-01 10:00:00",
            }
        )
        window = self.env["mail.compose.message"].create(
            {
                "composition_mode": "mass_mail",
                "model": "res.partner",
                "res_ids": repr(people.ids),
                "mass_mailing_name": "Spring",
                "template_id": template.id,
            }
        )
        window.action_send_mail()
        mailing = window.mass_mailing_id
        self.hand_over()
        self.assertFalse(self.sendgrid.deliveries.all())
        mails = self.env["mail.mail"].search([("mailing_id", "=", mailing.id)])
        self.assertEqual(
            [(mail.state, mail.scheduled_date.year) for mail in mails],
            [("outgoing", 2099)] * 2,
        )
