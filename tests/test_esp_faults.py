import json
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..easycrm_mail.esp import SendGrid
from ..easycrm_mail.models.easycrm_esp_send import BulkRun
from .mailing_case import MODELS, SEND, WIZARDS, QueueCase
from .servers.web import Answer


@tagged("post_install", "-at_install")
class TestEspFaults(QueueCase):
    """What must not lose, double or stop a mailing."""

    def report(self, mailing, kind, people=1):
        """Have the sender report about some of those who got the mailing."""
        traces = self.traces(mailing)[:people]
        rows = [
            {
                "sg_event_id": f"{trace.id}{kind}",
                "event": kind,
                "timestamp": 1_700_000_000,
                "email": trace.email,
                "easycrm_key": str(trace.id),
                "easycrm_batch": trace.easycrm_batch_id.key,
            }
            for trace in traces
        ]
        events = self.esp._make_reports().read(json.dumps(rows).encode())
        self.env["easycrm.esp.event"]._store(self.esp, events)

    def tell(self, mailing, kind, people=1):
        """Have it report, and the addon hear."""
        self.report(mailing, kind, people)
        self.env["easycrm.esp.event"]._apply_page()

    # --- done, and not before ---

    def test_what_is_still_being_written_is_not_done(self):
        people = self.make_people(4)
        mailing = self.make_mailing(people)
        mailing._action_send_mail(people[:2].ids)
        mailing.write({"easycrm_writing": True})
        self.hand_over()
        self.assertEqual(len(self.sendgrid.deliveries.all()), 2)
        self.assertEqual(mailing.state, "sending")
        self.process()
        self.hand_over()
        self.assertEqual(len(self.sendgrid.deliveries.all()), 4)
        self.assertEqual(mailing.state, "done")

    def test_a_run_that_died_at_its_very_end_is_ended_by_the_next(self):
        mailing = self.make_mailing(self.make_people(3))
        mailing._action_send_mail()
        mailing.write({"easycrm_writing": True})
        mailing.easycrm_batch_ids.state = "filling"
        self.hand_over()
        self.assertFalse(self.sendgrid.deliveries.all())
        self.assertEqual(mailing.state, "sending")
        self.process()
        self.hand_over()
        self.assertEqual(len(self.sendgrid.deliveries.all()), 3)
        self.assertEqual(mailing.state, "done")

    def test_a_run_whose_time_is_up_goes_on_in_the_next(self):
        mailing = self.make_mailing(self.make_people(5))
        mailing.state = "sending"
        with (
            # (Odoo commits page by page unless it is tested)
            patch("odoo.addons.mass_mailing.models.mailing.modules") as modules,
            patch(f"{WIZARDS}.mail_compose_message.MAX_RECIPIENTS", 2),
        ):
            modules.module.current_test = None
            with patch.object(
                type(self.env["ir.cron"]), "_commit_progress", return_value=0
            ):
                self.process()
            self.assertEqual(len(self.traces(mailing)), 2)
            self.assertEqual(mailing.state, "sending")
            self.hand_over()
            self.assertFalse(self.sendgrid.calls)
            self.process()
        self.hand_over()
        self.assertEqual(len(self.sendgrid.deliveries.all()), 5)
        self.assertEqual(mailing.state, "done")

    def test_sending_that_is_out_of_time_leaves_the_rest_to_another_run(self):
        with patch(f"{MODELS}.bulk_writer.MAX_RECIPIENTS", 2):
            self.make_mailing(self.make_people(5))._action_send_mail()
        progress = self.run_out_of_time(self.env.ref("easycrm_mail.ir_cron_esp_send"))
        for calls in (1, 2, 3):
            self.hand_over()
            self.assertEqual(len(self.sendgrid.calls), calls)
            self.assert_it_goes_on_later(progress)

    def test_writing_that_is_out_of_time_leaves_the_rest_to_another_run(self):
        mailing = self.make_mailing(self.make_people(5))
        mailing.state = "sending"
        progress = self.run_out_of_time(
            self.env.ref("mass_mailing.ir_cron_mass_mailing_queue")
        )
        with (
            patch("odoo.addons.mass_mailing.models.mailing.modules") as modules,
            patch(f"{WIZARDS}.mail_compose_message.MAX_RECIPIENTS", 2),
        ):
            modules.module.current_test = None
            self.process()
        self.assertEqual(len(self.traces(mailing)), 2)
        self.assert_it_goes_on_later(progress)

    def test_applying_that_is_out_of_time_leaves_the_rest_to_another_run(self):
        mailing = self.make_mailing(self.make_people(5))
        mailing._action_send_mail()
        self.hand_over()
        self.report(mailing, "delivered", people=5)
        progress = self.run_out_of_time(self.env.ref("easycrm_mail.ir_cron_esp_events"))
        self.env.flush_all()
        with (
            patch(f"{MODELS}.easycrm_esp_event_apply.PAGE", 2),
            patch(f"{MODELS}.easycrm_esp_event_run.PAGE", 2),
            self.enter_registry_test_mode(),
            self.registry.cursor() as cr,
        ):
            self.env(cr=cr)["easycrm.esp.event"]._cron_apply()
        self.env.invalidate_all()
        told = self.traces(mailing).filtered("easycrm_delivered_at")
        self.assertEqual(len(told), 2)
        self.assert_it_goes_on_later(progress)

    def test_events_that_come_before_the_answer_finish_it_too(self):
        mailing = self.make_mailing(self.make_people(3))
        mailing._action_send_mail()
        mailing.easycrm_batch_ids._hand_over()
        self.tell(mailing, "processed")
        self.assertEqual(mailing.easycrm_batch_ids.state, "accepted")
        self.hand_over()
        self.assertEqual(mailing.state, "done")

    def test_what_was_taken_in_spite_of_an_error_is_not_sent_again(self):
        mailing = self.make_mailing(self.make_people(3))
        self.sendgrid.break_(SEND, "answer", answer=Answer("", 503))
        self.send(mailing)
        self.assertEqual(mailing.easycrm_batch_ids.state, "prepared")
        self.tell(mailing, "delivered")
        mailing.easycrm_batch_ids.next_try_at = False
        self.hand_over()
        self.assertEqual(len(self.sendgrid.calls), 1)
        self.assertEqual(mailing.state, "done")
        self.assertTrue(all(self.traces(mailing).mapped("sent_datetime")))

    def test_nothing_goes_out_that_a_run_wrote_after_it_was_cancelled(self):
        mailing = self.make_mailing(self.make_people(3))
        mailing._action_send_mail()
        mailing.easycrm_cancelled = True
        self.hand_over()
        self.assertFalse(self.sendgrid.calls)
        self.assertEqual(set(self.statuses(mailing).values()), {"cancel"})

    def test_nobody_is_in_two_batches_of_a_mailing(self):
        mailing = self.make_mailing(self.make_people(2))
        mailing._action_send_mail()
        one, two = self.traces(mailing)
        with (
            self.assertRaises(IntegrityError),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            two.email = one.email
            self.env.flush_all()

    # --- one does not stop the others ---

    def test_a_batch_that_cannot_be_read_does_not_keep_the_others(self):
        bad, good = (self.make_mailing(self.make_people(2)) for _number in range(2))
        (bad + good)._action_send_mail()
        self.traces(bad)[0].sudo().easycrm_values = "{"
        with mute_logger(f"{MODELS}.easycrm_esp_send"):
            self.hand_over()
        self.assertEqual(len(self.sendgrid.deliveries.all()), 2)
        self.assertEqual(bad.easycrm_batch_ids.state, "refused")
        self.assertEqual(set(self.statuses(bad).values()), {"error"})
        self.assertEqual((bad + good).mapped("state"), ["done", "done"])

    def test_what_goes_wrong_before_the_call_is_no_doubt(self):
        mailing = self.make_mailing(self.make_people(2))
        with patch.object(SendGrid, "_personalise", side_effect=ValueError("odd")):
            self.send(mailing)
        self.assertEqual(mailing.easycrm_batch_ids.state, "refused")
        self.assertFalse(self.sendgrid.calls)

    def test_a_mailing_that_is_deleted_in_the_call_is_let_go(self):
        mailing = self.make_mailing(self.make_people(2))
        mailing._action_send_mail()
        real = BulkRun._call

        def call(run, batch):
            outcome = real(run, batch)
            batch.mailing_id.unlink()
            return outcome

        with patch.object(BulkRun, "_call", call):
            self.hand_over()
        self.assertFalse(mailing.exists())
        self.assertEqual(len(self.sendgrid.deliveries.all()), 2)

    def test_an_archived_sender_sends_nothing_and_says_so(self):
        mailing = self.make_mailing(self.make_people(2))
        mailing._action_send_mail()
        self.esp.active = False
        self.hand_over()
        self.assertFalse(self.sendgrid.calls)
        self.assertTrue(mailing.easycrm_paused)
        self.assertIn("archived", mailing.easycrm_pause_reason)

    def test_a_copy_of_the_database_sends_nothing_by_itself(self):
        mailing = self.make_mailing(self.make_people(2))
        mailing.action_put_in_queue()
        # (what core's cron does, in the copy)
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("database.uuid", "that-of-the-copy")
        self.send(mailing)
        self.assertFalse(self.sendgrid.calls)
        self.assertTrue(mailing.easycrm_paused)
        self.assertIn("copy", mailing.easycrm_pause_reason)
        # (core's job sends the best of several as a copy)
        winner = mailing.copy()
        winner.with_context(cron_id=1).action_put_in_queue()
        self.send(winner)
        self.assertFalse(self.sendgrid.calls)
        self.assertTrue(winner.easycrm_paused)
        mailing.action_easycrm_resume()
        self.hand_over()
        self.assertEqual(len(self.sendgrid.deliveries.all()), 2)
        self.assertEqual(mailing.state, "done")

    def test_a_sender_that_a_mailing_waits_for_is_not_deleted(self):
        self.make_mailing(self.make_people(1))
        with (
            self.assertRaises(IntegrityError),
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self.esp.unlink()

    def test_a_key_that_can_be_none_is_in_no_message(self):
        self.esp.api_key = "SG.sec\nret"
        mailing = self.make_mailing(self.make_people(2))
        self.send(mailing)
        self.assertTrue(mailing.easycrm_paused)
        self.assertNotIn("sec", mailing.easycrm_pause_reason)
        self.assertEqual(mailing.easycrm_batch_ids.state, "prepared")

    def test_a_key_that_is_changed_in_between_is_the_one_that_counts(self):
        mailing = self.make_mailing(self.make_people(2))
        mailing._action_send_mail()
        self.sendgrid.key, old = "SG.new", self.sendgrid.key
        self.addCleanup(setattr, self.sendgrid, "key", old)
        self.esp.api_key = "SG.new"
        self.hand_over()
        self.assertEqual(len(self.sendgrid.deliveries.all()), 2)

    def test_twenty_megabytes_go_along(self):
        file = self.env["ir.attachment"].create({"name": "a", "raw": b"x" * 20_000_000})
        people = self.make_people(2)
        files = {"attachment_ids": [Command.set(file.ids)]}
        for esp, server in ((self.esp, self.sendgrid), (self.other, self.mailgun)):
            mailing = self.make_mailing(people, esp=esp, **files)
            self.send(mailing)
            self.assertEqual(len(server.deliveries.all()), 2)
            self.assertEqual(mailing.state, "done")

    def test_what_is_too_large_is_named(self):
        file = self.env["ir.attachment"].create({"name": "a", "raw": b"x" * 26_000_000})
        mailing = self.make_mailing(
            self.make_people(2), attachment_ids=[Command.set(file.ids)]
        )
        self.send(mailing)
        self.assertEqual(set(self.statuses(mailing).values()), {"error"})
        self.assertIn("too large", self.traces(mailing)[0].failure_reason)

    # --- who may ---

    def test_another_company_s_sender_is_not_for_me(self):
        company = self.env["res.company"].create({"name": "Other"})
        theirs = self.env["easycrm.esp"].create(
            {"provider": "sendgrid", "api_key": "k", "company_id": company.id}
        )
        user = new_test_user(
            self.env, "campaigner", groups="mass_mailing.group_mass_mailing_user"
        )
        mailing = self.make_mailing(self.make_people(1), "<p>Hello</p>")
        mine = mailing.with_user(user)
        mine.easycrm_esp_id = self.other
        with self.assertRaises(AccessError):
            mine.write({"easycrm_esp_id": theirs.id})
        with self.assertRaises(AccessError):
            mine.action_easycrm_go_on_through(theirs.id)

    def test_without_rights_nothing_is_stopped_started_or_read(self):
        mailing = self.make_mailing(self.make_people(1))
        mailing._action_send_mail()
        nobody = new_test_user(self.env, "nobody", groups="base.group_user")
        for name in ("pause", "resume", "cancel", "send_unconfirmed"):
            with self.assertRaises(AccessError):
                getattr(mailing.with_user(nobody), f"action_easycrm_{name}")()
        with self.assertRaises(AccessError):
            mailing.with_user(nobody).easycrm_get_results()
        user = new_test_user(
            self.env, "campaigner", groups="mass_mailing.group_mass_mailing_user"
        )
        Trace = self.env["mailing.trace"].with_user(user)
        with self.assertRaises(AccessError):
            Trace.search([("easycrm_values", "like", "Person")])
        with self.assertRaises(AccessError):
            Trace.browse(self.traces(mailing).ids).read(["easycrm_values"])
        esp = self.esp.with_user(user)
        for secret in ("api_secret", "webhook_secret", "webhook_token", "webhook_url"):
            with self.assertRaises(AccessError):
                esp.read([secret])
