"""An event that cannot be applied is set aside, and keeps nobody waiting."""

from unittest.mock import patch

from psycopg2 import OperationalError

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..easycrm_mail.esp import EventKind as K
from ..easycrm_mail.models.easycrm_esp_event_run import EventRun
from .esp_case import EspFixtures

#: No link that Odoo's link tracker could take: it raises.
BROKEN = "http://[x"

LOG = EventRun.__module__


@tagged("post_install", "-at_install")
class TestEspSetAside(EspFixtures, TransactionCase):
    def setUp(self):
        super().setUp()
        self.esp = self.make_esp()
        self.traces = self.make_mailing(self.esp)

    @mute_logger(LOG)
    def run_cron(self):
        self.env.flush_all()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["easycrm.esp.event"]._cron_apply()
        self.env.invalidate_all()

    def get_waiting(self):
        return self.env["easycrm.esp.event"].search([("applied", "!=", True)])

    def get_set_aside(self):
        return self.env["easycrm.esp.event"].search([("error", "!=", False)])

    def test_the_others_of_its_page_are_applied(self):
        one, two, three = self.traces
        self.store(
            *(self.event(trace, K.DELIVERED) for trace in self.traces),
            self.event(one, K.CLICKED, 900, url="https://example.com/a"),
            self.event(two, K.CLICKED, 900, url=BROKEN),
            self.event(three, K.OPENED, 900),
        )
        self.run_cron()
        self.assertFalse(self.get_waiting())
        event = self.get_set_aside()
        self.assertEqual((event.url, event.trace_id), (BROKEN, two))
        self.assertTrue(event.error.startswith("ValueError: "))
        self.assertEqual(self.traces.mapped("trace_status"), ["open", "sent", "open"])
        self.assertEqual(self.esp.set_aside_count, 1)

    def test_it_is_no_fault_of_the_others_of_its_recipient(self):
        trace = self.traces[0]
        self.store(
            self.event(trace, K.CLICKED, 900, url=BROKEN),
            self.event(trace, K.CLICKED, 901, url="https://example.com/a"),
        )
        self.run_cron()
        self.assertEqual(self.get_set_aside().url, BROKEN)
        self.assertEqual(trace.links_click_ids.link_id.url, "https://example.com/a")
        self.store(self.event(trace, K.OPENED, 999))
        self.run_cron()
        self.assertEqual(len(self.get_set_aside()), 1)
        self.assertEqual((trace.easycrm_open_count, trace.easycrm_click_count), (1, 1))

    def test_it_can_be_tried_again(self):
        self.store(self.event(self.traces[0], K.CLICKED, 900, url=BROKEN))
        self.run_cron()
        event = self.get_set_aside()
        action = self.esp.action_view_set_aside()
        self.assertEqual(self.env[action["res_model"]].search(action["domain"]), event)
        shown = self.env[action["res_model"]].get_view(view_type="list")["arch"]
        self.assertIn('name="address"', shown)
        self.esp.action_apply_again()
        self.run_cron()
        self.assertEqual(self.get_set_aside(), event)
        event.url = "https://example.com/mended"
        self.esp.action_apply_again()
        self.run_cron()
        self.assertFalse(self.get_set_aside())
        self.assertEqual(self.traces[0].easycrm_click_count, 1)

    def test_the_database_s_trouble_is_no_event_s_fault(self):
        self.store(self.event(self.traces[0], K.OPENED, 900))
        with (
            patch.object(
                type(self.env["easycrm.esp.event"]),
                "_fold",
                side_effect=OperationalError("no space left"),
            ),
            self.assertRaises(OperationalError),
        ):
            self.run_cron()
        self.assertFalse(self.get_set_aside())
        self.run_cron()
        self.assertEqual(self.traces[0].trace_status, "open")

    def test_a_run_that_applied_something_is_followed_by_another(self):
        """What was stored while it ended may have woken nobody."""
        cron = self.env.ref("easycrm_mail.ir_cron_esp_events")
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        triggers.unlink()
        self.run_cron()
        self.assertFalse(triggers.search([("cron_id", "=", cron.id)]))
        self.store(self.event(self.traces[0], K.OPENED, 900))
        triggers.search([("cron_id", "=", cron.id)]).unlink()
        self.run_cron()
        again = triggers.search([("cron_id", "=", cron.id)])
        self.assertEqual(len(again), 1)
        self.assertGreater(again.call_at, fields.Datetime.now())

    def test_without_the_job_its_buttons_say_so(self):
        self.store(self.event(self.traces[0], K.CLICKED, 900, url=BROKEN))
        self.run_cron()
        self.env.ref("easycrm_mail.ir_cron_esp_events").unlink()
        for button in ("action_apply_again", "action_import_suppressions"):
            with self.assertRaisesRegex(UserError, "scheduled action .* was deleted"):
                getattr(self.esp, button)()
        self.assertTrue(self.get_set_aside())
        self.assertFalse(self.esp.import_wanted)
        self.store(self.event(self.traces[1], K.OPENED, 900))
        self.run_cron()
        self.assertEqual(self.traces[1].trace_status, "open")

    def test_only_who_may_change_the_sender_tries_again(self):
        user = new_test_user(
            self.env, "campaigner", groups="mass_mailing.group_mass_mailing_user"
        )
        with self.assertRaises(AccessError):
            self.esp.with_user(user).action_apply_again()
        view = self.env.ref("easycrm_mail.easycrm_esp_view_form")
        for env, is_shown in ((self.env(user=user), False), (self.env, True)):
            arch = env["easycrm.esp"].get_view(view.id)["arch"]
            self.assertEqual("action_apply_again" in arch, is_shown)
