"""Who gets a campaign, and through whom, whatever else is done with the mailing."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import file_open

from ..easycrm_mail.esp import Event, EventKind
from ..hooks import uninstall_hook
from .mailing_case import SEND, QueueCase


@tagged("post_install", "-at_install")
class TestEspChoice(QueueCase):
    """Through whom."""

    def setUp(self):
        super().setUp()
        self.company = self.env["res.company"].create({"name": "Other"})
        self.theirs = self.env["easycrm.esp"].create(
            {"provider": "sendgrid", "api_key": "k", "company_id": self.company.id}
        )
        self.user = new_test_user(
            self.env, "campaigner", groups="mass_mailing.group_mass_mailing_user"
        )

    def test_another_company_s_sender_is_no_default(self):
        Mailing = self.env["mailing.mailing"].with_user(self.user)
        values = {
            "subject": "Hello",
            "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
        }
        self.assertFalse(Mailing.create(dict(values)).easycrm_esp_id)
        with self.assertRaises(AccessError):
            Mailing.with_context(default_easycrm_esp_id=self.theirs.id).create(values)

    def test_a_copy_goes_through_a_sender_that_can_be_used(self):
        mailing = self.make_mailing(self.make_people(1), "<p>Hello</p>")
        self.assertEqual(mailing.with_user(self.user).copy().easycrm_esp_id, self.esp)
        mailing.easycrm_esp_id = self.theirs
        self.assertEqual(mailing.copy().easycrm_esp_id, self.theirs)
        self.assertFalse(mailing.with_user(self.user).copy().easycrm_esp_id)
        self.env["ir.config_parameter"].set_param("easycrm_mail.esp_id", self.other.id)
        self.assertEqual(mailing.with_user(self.user).copy().easycrm_esp_id, self.other)
        mailing.easycrm_esp_id = self.esp
        self.esp.active = False
        self.assertEqual(mailing.copy().easycrm_esp_id, self.other)

    def test_a_parameter_that_somebody_has_spoilt_is_no_sender(self):
        self.env["ir.config_parameter"].set_param("easycrm_mail.esp_id", "SendGrid")
        self.assertFalse(self.env["mailing.mailing"]._get_default_easycrm_esp())

    def test_a_text_message_goes_through_no_sender_of_mail(self):
        self.env["ir.config_parameter"].set_param("easycrm_mail.esp_id", self.esp.id)
        Mailing = self.env["mailing.mailing"]
        self.assertEqual(Mailing.new({}).easycrm_esp_id, self.esp)
        texts = Mailing.with_context(default_mailing_type="sms")
        self.assertFalse(texts._get_default_easycrm_esp())

    def test_nobody_sends_through_a_sender_that_he_may_not_see(self):
        mailing = self.make_mailing(self.make_people(1), "<p>Hello</p>")
        mailing.easycrm_esp_id = self.theirs
        with self.assertRaises(AccessError):
            mailing.with_user(self.user).action_put_in_queue()
        self.assertEqual(mailing.state, "draft")


@tagged("post_install", "-at_install")
class TestEspRecipients(QueueCase):
    """Nobody but those whom it was for when it was sent."""

    def make_mailing_to_city(self):
        people = self.make_people(3, city="Ghent")
        domain = repr([("city", "=", "Ghent")])
        return self.make_mailing(people, mailing_domain=domain)

    def add_one_more(self):
        self.make_people(1, city="Ghent", email="late@example.com")

    def get_addresses(self):
        return sorted(mail.address for mail in self.sendgrid.deliveries.all())

    def test_who_comes_while_it_is_sent_is_not_meant(self):
        mailing = self.make_mailing_to_city()
        mailing.action_put_in_queue()
        self.process()
        mailing.action_easycrm_pause()
        self.add_one_more()
        self.process()
        mailing.action_easycrm_resume()
        self.hand_over()
        self.assertNotIn("late@example.com", self.get_addresses())
        self.assertEqual(mailing.state, "done")

    def test_who_comes_while_it_waits_for_its_hour_is(self):
        mailing = self.make_mailing_to_city()
        mailing.action_put_in_queue()
        self.add_one_more()
        self.process()
        self.hand_over()
        self.assertIn("late@example.com", self.get_addresses())

    def test_what_was_not_confirmed_goes_again_to_those_alone(self):
        mailing = self.make_mailing_to_city()
        self.sendgrid.break_(SEND, "refuse")
        self.send(mailing)
        mailing.easycrm_batch_ids.handed_at -= timedelta(minutes=61)
        self.assertEqual(mailing.state, "done")
        self.add_one_more()
        mailing.action_easycrm_send_unconfirmed()
        self.process()
        self.hand_over()
        self.assertEqual(len(self.get_addresses()), 3)
        self.assertNotIn("late@example.com", self.get_addresses())
        self.assertEqual(mailing.state, "done")

    def test_what_was_not_confirmed_goes_again_though_the_rest_was_cancelled(self):
        mailing = self.make_mailing_to_city()
        self.sendgrid.break_(SEND, "refuse")
        mailing.state = "sending"
        mailing._action_send_mail()
        self.hand_over()
        mailing.easycrm_batch_ids.handed_at -= timedelta(minutes=61)
        mailing.easycrm_cancelled = True
        mailing.action_easycrm_send_unconfirmed()
        self.hand_over()
        self.assertEqual(len(self.get_addresses()), 3)

    def test_who_was_not_written_to_before_it_was_cancelled_stays_so(self):
        people = self.make_people(4)
        mailing = self.make_mailing(people)
        mailing._action_send_mail(people[:2].ids)
        mailing.write({"state": "sending", "easycrm_writing": True})
        self.traces(mailing)[0].email = "bad address"
        self.hand_over()
        mailing.action_easycrm_cancel()
        self.assertEqual((mailing.state, mailing.failed), ("done", 1))
        with self.assertRaises(UserError):
            mailing.action_retry_failed()
        self.assertEqual((mailing.state, mailing.failed), ("done", 1))
        self.process()
        self.hand_over()
        self.assertEqual(len(self.get_addresses()), 1)

    def test_and_also_after_what_was_not_confirmed_was_sent_again(self):
        people = self.make_people(5)
        mailing = self.make_mailing(people)
        mailing._action_send_mail(people[:2].ids)
        mailing.write({"state": "sending", "easycrm_writing": True})
        self.sendgrid.break_(SEND, "refuse")
        self.hand_over()
        mailing._action_send_mail(people[2:4].ids)
        mailing.action_easycrm_cancel()
        mailing._easycrm_get_batches("doubt").handed_at -= timedelta(minutes=61)
        mailing.action_easycrm_send_unconfirmed()
        self.hand_over()
        self.assertEqual(len(self.get_addresses()), 2)
        self.assertFalse(mailing.easycrm_cancelled)
        self.traces(mailing)[0].trace_status = "error"
        with self.assertRaises(UserError):
            mailing.action_retry_failed()
        self.process()
        self.hand_over()
        self.assertEqual(len(self.get_addresses()), 2)

    def test_what_was_written_to_the_end_is_tried_again_though_it_was_cancelled(self):
        people = self.make_people(2)
        mailing = self.make_mailing(people)
        mailing.state = "sending"
        mailing._action_send_mail()
        self.traces(mailing)[0].email = "bad address"
        self.hand_over()
        mailing.easycrm_cancelled = True
        mailing.action_retry_failed()
        self.process()
        self.hand_over()
        self.assertEqual(self.get_addresses(), sorted(people.mapped("email")))

    def test_who_takes_it_back_before_its_hour_leaves_no_trace(self):
        mailing = self.make_mailing(self.make_people(1))
        mailing.action_put_in_queue()
        self.assertTrue(mailing.easycrm_writing)
        mailing.action_cancel()
        self.assertFalse(mailing.easycrm_writing)


@tagged("post_install", "-at_install")
class TestEspSilence(QueueCase):
    """A sender that takes calls and says nothing."""

    def test_it_is_not_given_everybody(self):
        one, two = (self.make_mailing(self.make_people(2)) for _number in range(2))
        (one + two)._action_send_mail()
        self.sendgrid.break_(SEND, "reset")
        self.hand_over()
        states = (one + two).easycrm_batch_ids.mapped("state")
        self.assertEqual(sorted(states), ["doubt", "prepared"])
        self.hand_over()
        self.assertEqual(len(self.sendgrid.calls), 1)
        # after its time it is asked again
        doubt = (one + two).easycrm_batch_ids.filtered(lambda b: b.state == "doubt")
        doubt.handed_at -= timedelta(minutes=1, seconds=1)
        self.hand_over()
        self.assertEqual(len(self.sendgrid.calls), 2)
        self.assertEqual((one + two).mapped("state"), ["done", "done"])

    def test_its_time_grows(self):
        mailing = self.make_mailing(self.make_people(1))
        Batch = self.env["easycrm.esp.batch"]
        for count, minutes in ((1, 1), (2, 2), (3, 4), (4, 4)):
            batch = Batch.create(
                {
                    "esp_id": self.esp.id,
                    "mailing_id": mailing.id,
                    "key": str(count),
                    "state": "doubt",
                    "handed_at": fields.Datetime.now() - timedelta(minutes=minutes),
                }
            )
            self.assertFalse(Batch._get_silent_senders())
            batch.handed_at += timedelta(seconds=30)
            self.assertEqual(Batch._get_silent_senders(), self.esp)
            batch.handed_at -= timedelta(minutes=5)

    def test_the_other_sender_goes_on(self):
        one = self.make_mailing(self.make_people(2))
        two = self.make_mailing(self.make_people(2), esp=self.other)
        (one + two)._action_send_mail()
        self.sendgrid.break_(SEND, "reset")
        self.hand_over()
        self.assertEqual(len(self.mailgun.deliveries.all()), 2)


@tagged("post_install", "-at_install")
class TestEspLeaving(QueueCase):
    """What waits leaves neither a copy of the database nor one without the addon."""

    def test_what_waits_does_not_leave_through_odoo_s_mail_server(self):
        people = self.make_people(4)
        queued, sending, through, draft = (
            self.make_mailing(people) for _number in range(4)
        )
        queued.action_put_in_queue()
        sending._action_send_mail(people[:2].ids)
        sending.write({"state": "sending", "easycrm_writing": True})
        through._action_send_mail()
        through.easycrm_batch_ids._hand_over()
        own = self.make_mailing(people)
        own.write({"easycrm_esp_id": False})
        own.action_put_in_queue()
        uninstall_hook(self.env)
        self.assertEqual(
            (queued + sending + through + draft + own).mapped("state"),
            ["draft", "done", "done", "draft", "in_queue"],
        )
        self.assertEqual(set(self.statuses(sending).values()), {"cancel"})
        self.assertEqual(set(self.statuses(through).values()), {"process"})

    def test_a_copy_hands_nothing_over(self):
        people = self.make_people(3)
        mailing = self.make_mailing(people)
        mailing._action_send_mail()
        filling = mailing.easycrm_batch_ids.copy({"key": "x", "state": "filling"})
        self.traces(mailing)[0].easycrm_batch_id = filling
        self.env.flush_all()
        with file_open("easycrm_mail/data/neutralize.sql") as file:
            self.env.cr.execute(file.read())
        self.env.invalidate_all()
        self.assertEqual(set(mailing.easycrm_batch_ids.mapped("state")), {"cancelled"})
        self.assertEqual(set(self.statuses(mailing).values()), {"cancel"})
        self.assertFalse(any(self.traces(mailing).sudo().mapped("easycrm_values")))
        self.assertFalse(self.esp.has_api_key or self.esp.has_webhook_key)
        self.hand_over()
        self.assertFalse(self.sendgrid.calls)


@tagged("post_install", "-at_install")
class TestEspTexts(QueueCase):
    """The texts of a mailing go when nothing of it is sent any more."""

    def setUp(self):
        super().setUp()
        self.mailing = self.make_mailing(self.make_people(2))
        self.texts = self.env["easycrm.esp.content"]

    def count_after(self, days):
        self.mailing.sent_date = fields.Datetime.now() - timedelta(days=days)
        self.texts._gc_sent()
        return self.texts.search_count([("mailing_id", "=", self.mailing.id)])

    def test_they_stay_for_a_week(self):
        self.send(self.mailing)
        self.assertEqual(self.count_after(6), 1)
        self.assertEqual(self.count_after(8), 0)
        self.assertEqual(self.mailing.easycrm_batch_ids.state, "accepted")
        self.assertEqual(set(self.statuses(self.mailing).values()), {"pending"})

    def test_what_is_not_through_keeps_them(self):
        self.mailing.state = "sending"
        self.mailing._action_send_mail()
        self.assertEqual(self.count_after(8), 1)

    def test_what_may_be_sent_again_keeps_them(self):
        self.sendgrid.break_(SEND, "refuse")
        self.send(self.mailing)
        self.assertEqual(self.mailing.state, "done")
        self.assertEqual(self.count_after(8), 1)

    def test_who_is_tried_again_gets_a_text_again(self):
        self.mailing.state = "sending"
        self.mailing._action_send_mail()
        self.traces(self.mailing)[0].email = "bad address"
        self.hand_over()
        self.assertEqual(self.count_after(8), 0)
        self.mailing.action_retry_failed()
        self.process()
        self.hand_over()
        self.assertEqual(len(self.sendgrid.deliveries.all()), 2)

    def test_a_mailing_takes_them_along(self):
        self.send(self.mailing)
        batch = self.mailing.easycrm_batch_ids
        text = batch.content_id
        self.assertTrue(text)
        self.mailing.unlink()
        self.env.flush_all()
        self.assertFalse(batch.exists() or text.exists())


@tagged("post_install", "-at_install")
class TestEspOdds(QueueCase):
    def test_what_is_written_with_its_end_is_not_lost(self):
        mailing = self.make_mailing(self.make_people(1))
        mailing._action_send_mail()
        mailing.write({"state": "done", "name": "Renamed", "sent_date": "2026-01-01"})
        self.assertEqual((mailing.state, mailing.name), ("sending", "Renamed"))
        self.assertFalse(mailing.sent_date)

    def test_a_mailing_that_is_archived_is_sent_to_its_end(self):
        mailing = self.make_mailing(self.make_people(1))
        mailing._action_send_mail()
        mailing.active = False
        self.hand_over()
        self.assertEqual(mailing.state, "done")

    def test_a_recipient_that_is_no_number_stops_no_report(self):
        for recipient in ("9" * 5000, "9" * 11, "1" * 10):
            event = Event(
                recipient[:9], EventKind.OPENED, fields.Datetime.now(), "a@b.example",
                recipient, "batch",
            )  # fmt: skip
            self.env["easycrm.esp.event"]._store(self.esp, [event])

    def test_the_batches_of_a_large_mailing_are_not_read_to_show_how_far_it_is(self):
        mailing = self.make_mailing(self.make_people(2))
        mailing._action_send_mail()
        batch = mailing.easycrm_batch_ids
        for number in range(50):
            batch.copy({"key": str(number), "state": "accepted"})
        self.env.invalidate_all()
        mailing.easycrm_get_progress()
        read = self.env.cache.get_records(batch, batch._fields["key"])
        self.assertLess(len(read), 5)
