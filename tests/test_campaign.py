from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from odoo.addons.mail.tests.common import mail_new_test_user

from .mailing_case import SEND, MailingCase
from .servers.web import Answer

#: As Gmail says that a mailbox is full.
OUT_OF_ROOM = "452 4.2.2 The recipient's inbox is out of storage space."


@tagged("post_install", "-at_install")
class TestCampaignProgress(MailingCase):
    """How far a mailing is, as its form shows it."""

    def setUp(self):
        super().setUp()
        self.esp.write({"name": "SendGrid", "domain": "mail.tallwood.example"})
        self.user = mail_new_test_user(
            self.env,
            "mia",
            name="Mia",
            groups="base.group_user,mass_mailing.group_mass_mailing_user",
        )

    def progress(self, mailing):
        return mailing.with_user(self.user).easycrm_get_progress()

    def write_all(self, mailing):
        """Write it, as Odoo's own job does, and hand nothing over yet."""
        mailing.state = "sending"
        mailing._action_send_mail()
        self.assertEqual(mailing.state, "sending")

    def test_it_counts_recipients_and_says_who_was_left_out(self):
        people = self.make_people(6)
        people[1].email = people[0].email
        people[2].email = "no address"
        self.env["mail.blacklist"]._add(people[3].email)
        mailing = self.make_mailing(people)
        self.write_all(mailing)
        batch = mailing.easycrm_batch_ids
        for state in ("handed_over", "prepared"):  # (what is on its way may come back)
            batch.state = state
            told = self.progress(mailing)
            self.assertEqual((told["done"], told["total"]), (0, 3))
            self.assertEqual((told["batches_done"], told["batches"]), (0, 1))
        left_out = {row["type"]: row["count"] for row in told["left_out"]}
        self.assertEqual(
            left_out, {"mail_dup": 1, "mail_bl": 1, "mail_email_invalid": 1}
        )
        self.hand_over()
        told = self.progress(mailing)
        self.assertEqual((told["done"], told["total"], told["state"]), (3, 3, "done"))
        self.assertEqual(mailing.easycrm_recipient_count, 3)
        self.assertEqual(mailing.easycrm_left_out_count, 3)
        action = mailing.action_easycrm_view_recipients("left_out", "mail_dup")
        self.assertEqual(
            self.env["mailing.trace"].search(action["domain"]).failure_type, "mail_dup"
        )

    def test_the_total_is_known_while_it_is_still_being_written(self):
        people = self.make_people(4)
        mailing = self.make_mailing(people)
        mailing.easycrm_expected = 4
        mailing.state = "sending"
        self.assertEqual(self.progress(mailing)["total"], 4)
        mailing._action_send_mail(people[:2].ids)
        mailing._action_send_mail(people[2:].ids)
        self.assertEqual(mailing.easycrm_expected, 4)
        self.assertEqual(self.progress(mailing)["total"], 4)

    def test_the_time_left_goes_by_how_fast_it_is_now(self):
        mailing = self.make_mailing(self.make_people(4))
        self.write_all(mailing)
        batch = mailing.easycrm_batch_ids
        half = batch.copy({"key": "half"})
        batch.trace_ids[2:].write({"easycrm_batch_id": half.id})
        batch.write(
            {
                "state": "accepted",
                "handed_at": fields.Datetime.now() - timedelta(minutes=1),
            }
        )
        self.assertAlmostEqual(self.progress(mailing)["seconds_left"], 60, delta=3)
        batch.handed_at -= timedelta(hours=1)
        self.assertIsNone(self.progress(mailing)["seconds_left"])

    def test_a_pause_says_who_wanted_it(self):
        mailing = self.make_mailing(self.make_people(2))
        self.write_all(mailing)
        mailing.with_user(self.user).action_easycrm_pause()
        paused = self.progress(mailing)["paused"]
        self.assertTrue(paused["is_me"])
        self.assertEqual((paused["by"], paused["reason"]), ("Mia", ""))
        self.assertTrue(paused["at"])
        self.assertFalse(mailing.easycrm_get_progress()["paused"]["is_me"])
        self.assertFalse(self.progress(mailing)["others"])
        mailing.with_user(self.user).action_easycrm_resume()
        self.assertIsNone(self.progress(mailing)["paused"])

    def test_without_the_job_that_hands_over_it_stays_paused(self):
        mailing = self.make_mailing(self.make_people(2))
        self.env.ref("easycrm_mail.ir_cron_esp_send").unlink()
        self.write_all(mailing)
        mailing.with_user(self.user).action_easycrm_pause()
        with self.assertRaisesRegex(UserError, "scheduled action .* was deleted"):
            mailing.with_user(self.user).action_easycrm_resume()
        self.assertTrue(mailing.easycrm_paused)

    def test_without_the_job_that_hands_over_it_is_not_launched(self):
        mailing = self.make_mailing(self.make_people(2), "<p>Hello</p>")
        by_odoo = self.make_mailing(
            self.make_people(1), "<p>Hello</p>", easycrm_esp_id=False
        )
        self.env.ref("easycrm_mail.ir_cron_esp_send").unlink()
        with self.assertRaisesRegex(UserError, "scheduled action .* was deleted"):
            mailing.with_user(self.user).action_launch()
        self.assertFalse(mailing.easycrm_writing)
        by_odoo.with_user(self.user).action_launch()
        self.assertEqual(by_odoo.state, "in_queue")

    def test_a_launched_one_says_that_the_job_that_hands_over_was_deleted(self):
        mailing = self.make_mailing(self.make_people(2), "<p>Hello</p>")
        mailing.with_user(self.user).action_launch()
        self.env.ref("easycrm_mail.ir_cron_esp_send").unlink()
        self.write_all(mailing)
        paused = self.progress(mailing)["paused"]
        self.assertIsNone(paused["by"])
        self.assertRegex(paused["reason"], "scheduled action .* was deleted")
        told_of = mailing.message_ids[0]
        self.assertIn("was deleted", told_of.body)
        self.assertEqual(told_of.partner_ids, mailing.user_id.partner_id)
        with self.assertRaisesRegex(UserError, "scheduled action .* was deleted"):
            mailing.with_user(self.user).action_easycrm_resume()

    def test_a_sender_that_does_not_know_the_key_may_be_left_for_another(self):
        self.esp.api_key = "wrong"
        mailing = self.make_mailing(self.make_people(2))
        self.write_all(mailing)
        self.hand_over()
        told = self.progress(mailing)
        self.assertIsNone(told["paused"]["by"])
        self.assertIn("API key", told["paused"]["reason"])
        told_of = mailing.message_ids[0]
        self.assertIn("does not know this API key", told_of.body)
        self.assertEqual(told_of.partner_ids, mailing.user_id.partner_id)
        self.assertEqual([other["id"] for other in told["others"]], self.other.ids)
        mailing.with_user(self.user).action_easycrm_go_on_through(self.other.id)
        self.hand_over()
        self.assertEqual(len(self.mailgun.deliveries.all()), 2)

    def test_a_sender_that_is_silent_is_told_of_since_it_is(self):
        mailing = self.make_mailing(self.make_people(2))
        self.write_all(mailing)
        batch = mailing.easycrm_batch_ids
        for _time in range(2):
            self.sendgrid.break_(SEND, "answer", answer=Answer("", 503))
            self.hand_over()
            self.assertIsNone(self.progress(mailing)["failing"])
            batch.next_try_at = fields.Datetime.now()
        self.assertEqual(batch.attempts, 2)
        batch.put_off_at -= timedelta(minutes=4)
        told = self.progress(mailing)
        self.assertEqual(told["failing"]["esp"], "SendGrid")
        self.assertEqual(told["failing"]["minutes"], 4)
        self.assertEqual([other["id"] for other in told["others"]], self.other.ids)
        self.assertIsNone(told["seconds_left"])
        # what it takes again is no failure any more
        batch.next_try_at = fields.Datetime.now()
        self.sendgrid.mend()
        self.hand_over()
        self.assertFalse(batch.put_off_at)
        self.assertIsNone(self.progress(mailing)["failing"])

    def test_who_resumes_does_not_wait_for_the_next_try(self):
        mailing = self.make_mailing(self.make_people(2))
        self.write_all(mailing)
        self.sendgrid.break_(SEND, "answer", answer=Answer("", 503))
        self.hand_over()
        self.assertTrue(mailing.easycrm_batch_ids.next_try_at)
        mailing.action_easycrm_pause()
        mailing.action_easycrm_resume()
        self.hand_over()
        self.assertEqual(mailing.state, "done")

    def test_it_is_not_through_while_it_is_still_being_written(self):
        people = self.make_people(4)
        mailing = self.make_mailing(people)
        mailing._action_send_mail(people[:2].ids)
        # as another transaction sees it while the next page is written
        mailing.write({"state": "sending", "easycrm_writing": True})
        self.hand_over()
        self.assertEqual(mailing.easycrm_batch_ids.state, "accepted")
        self.assertEqual(mailing.state, "sending")
        mailing._action_send_mail(people[2:].ids)
        self.assertFalse(mailing.easycrm_writing)
        self.hand_over()
        self.assertEqual(mailing.state, "done")
        self.assertEqual(len(self.sendgrid.deliveries.all()), 4)

    def test_what_a_run_that_died_has_written_goes_as_it_is(self):
        mailing = self.make_mailing(self.make_people(2))
        mailing._action_send_mail()
        mailing.easycrm_batch_ids.state = "filling"
        mailing.write({"state": "sending", "easycrm_writing": True})
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["mailing.mailing"]._process_mass_mailing_queue()
        self.env.invalidate_all()
        self.assertEqual(mailing.state, "sending")
        self.hand_over()
        self.assertEqual(mailing.state, "done")
        self.assertEqual(len(self.sendgrid.deliveries.all()), 2)

    def test_what_two_have_overlooked_is_finished_by_the_next_run(self):
        mailing = self.make_mailing(self.make_people(2))
        self.send(mailing)
        mailing.state = "sending"
        self.hand_over()
        self.assertEqual(mailing.state, "done")

    def test_a_doubt_is_told_until_events_settle_it_or_its_time_is_over(self):
        mailing = self.make_mailing(self.make_people(2))
        self.sendgrid.break_(SEND, "reset")
        self.send(mailing)
        self.assertEqual(self.progress(mailing)["doubt_people"], 2)
        mailing.easycrm_batch_ids.handed_at -= timedelta(minutes=61)
        self.assertEqual(self.progress(mailing)["doubt_people"], 0)
        self.assertEqual(mailing.easycrm_get_results()["unconfirmed"]["count"], 2)

    def test_cancelling_while_it_is_written_stops_the_writing(self):
        people = self.make_people(4)
        mailing = self.make_mailing(people)
        self.write_all(mailing)
        mailing.action_easycrm_cancel()
        self.assertEqual(mailing.state, "done")
        more = self.make_people(2, email="later@example.com")
        mailing._action_send_mail(more.ids)
        self.hand_over()
        self.assertFalse(self.sendgrid.calls)
        told = self.progress(mailing)
        self.assertTrue(told["is_cancelled"])
        self.assertEqual((told["done"], told["total"]), (0, 0))
        self.assertNotIn("outgoing", self.statuses(mailing).values())

    def test_strangers_get_no_numbers(self):
        mailing = self.make_mailing(self.make_people(1))
        nobody = mail_new_test_user(self.env, "nobody", groups="base.group_user")
        for name in ("easycrm_get_progress", "easycrm_get_results"):
            with self.assertRaises(AccessError):
                getattr(mailing.with_user(nobody), name)()
        with self.assertRaises(AccessError):
            mailing.with_user(nobody).action_easycrm_pause()

    def test_a_sender_address_of_another_domain_is_told_of(self):
        mailing = self.make_mailing(self.make_people(1))
        for address, is_told in (
            ("mira@gmail.com", True),
            ('"News" <news@mail.tallwood.example>', False),
            ("news@tallwood.example", False),
            ("news@eu.mail.tallwood.example", False),
            ("news@notmail.tallwood.example.org", True),
            ("", False),
        ):
            mailing.email_from = address
            self.assertEqual(bool(mailing.easycrm_sender_hint), is_told, address)
        mailing.write({"email_from": "mira@gmail.com", "easycrm_esp_id": False})
        self.assertFalse(mailing.easycrm_sender_hint)

    def test_new_mailings_go_through_the_sender_of_the_settings(self):
        Settings = self.env["res.config.settings"]
        Settings.create({"easycrm_esp_id": self.other.id}).execute()
        Mailing = self.env["mailing.mailing"].with_user(self.user)
        with Form(Mailing, view="mass_mailing.view_mail_mass_mailing_form") as form:
            self.assertEqual(form.easycrm_esp_id, self.other)
            form.subject = "Hello"
        Settings.create({"easycrm_esp_id": False}).execute()
        self.assertFalse(Mailing.new({}).easycrm_esp_id)


@tagged("post_install", "-at_install")
class TestCampaignAsInOdoo(MailingCase):
    """What Odoo does with mailings goes through the bulk sender as well."""

    def test_a_test_mail_goes_through_the_sender(self):
        people = self.make_people(1)
        file = self.env["ir.attachment"].create({"name": "a.pdf", "raw": b"%PDF"})
        mailing = self.make_mailing(people, attachment_ids=[Command.set(file.ids)])
        mailing.preview = "In short"
        self.send_test(mailing, "one@tallwood.example\ntwo@tallwood.example\nnobody")
        mails = self.sendgrid.deliveries.all()
        self.assertEqual(
            [mail.address for mail in mails],
            ["one@tallwood.example", "two@tallwood.example"],
        )
        self.assertEqual(mails[0].subject, "[TEST] Spring offer")
        self.assertIn("In short", mails[0].html)
        self.assertIn("Hello", mails[0].text)
        self.assertEqual(mails[0].files, ("a.pdf",))
        self.assertIn("one@tallwood.example", mailing.message_ids[0].body)
        self.assertFalse(self.traces(mailing))
        self.assertFalse(
            self.env["mail.mail"].search([("mailing_id", "=", mailing.id)])
        )

    def test_a_test_mail_that_is_not_taken_says_why(self):
        mailing = self.make_mailing(self.make_people(1))
        self.esp.api_key = "wrong"
        self.send_test(mailing, "one@tallwood.example")
        self.assertIn("does not know this API key", mailing.message_ids[0].body)
        self.assertFalse(self.sendgrid.deliveries.all())

    def test_a_test_mail_goes_through_no_sender_that_one_may_not_see(self):
        company = self.env["res.company"].create({"name": "Other"})
        user = mail_new_test_user(
            self.env,
            "mia",
            groups="base.group_user,mass_mailing.group_mass_mailing_user",
        )
        mailing = self.make_mailing(self.make_people(1))
        self.esp.company_id = company
        self.send_test(mailing.with_user(user), "one@tallwood.example")
        self.assertFalse(self.sendgrid.deliveries.all())
        self.assertIn("Bulk Sender", mailing.message_ids[0].body)

    def send_test(self, mailing, addresses):
        mailing.env["mailing.mailing.test"].create(
            {"email_to": addresses, "mass_mailing_id": mailing.id}
        ).send_mail_test()

    def test_retry_writes_again_to_whom_it_could_not_be_sent(self):
        people = self.make_people(3)
        mailing = self.make_mailing(people)
        mailing.state = "sending"
        mailing._action_send_mail()
        mailing.easycrm_batch_ids.trace_ids[1].email = "bad address"
        self.hand_over()
        self.assertEqual(mailing.failed, 1)
        mailing.action_retry_failed()
        self.assertEqual(mailing.state, "in_queue")
        self.run_queue()
        self.hand_over()
        self.assertEqual(mailing.state, "done")
        self.assertEqual(
            sorted(mail.address for mail in self.sendgrid.deliveries.all()),
            sorted(people.mapped("email")),
        )

    def run_queue(self):
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["mailing.mailing"]._process_mass_mailing_queue()
        self.env.invalidate_all()

    def test_the_winner_of_an_a_b_test_goes_to_the_others_through_the_sender(self):
        people = self.make_people(20)
        first = self.make_mailing(
            people, ab_testing_enabled=True, ab_testing_pc=10, subject="First"
        )
        second = first.copy({"subject": "Second"})
        self.assertEqual(second.easycrm_esp_id, self.esp)
        for mailing in first | second:
            mailing.action_launch()
        self.run_queue()
        self.hand_over()
        self.assertEqual(len(self.sendgrid.deliveries.all()), 4)
        first.action_select_as_winner()
        final = first.campaign_id.ab_testing_winner_mailing_id
        self.assertEqual(final.easycrm_esp_id, self.esp)
        self.run_queue()
        self.hand_over()
        self.assertEqual(final.state, "done")
        addresses = [mail.address for mail in self.sendgrid.deliveries.all()]
        self.assertEqual(sorted(addresses), sorted(people.mapped("email")))

    def test_a_scheduled_mailing_waits_for_its_time(self):
        mailing = self.make_mailing(self.make_people(1))
        mailing.schedule_date = fields.Datetime.now() + timedelta(hours=1)
        mailing.action_schedule()
        self.run_queue()
        self.assertEqual(mailing.state, "in_queue")
        mailing.schedule_date = fields.Datetime.now() - timedelta(minutes=1)
        self.run_queue()
        self.hand_over()
        self.assertEqual(mailing.state, "done")
        self.assertEqual(len(self.sendgrid.deliveries.all()), 1)
