"""Whom a bulk sender itself writes to no more is taken over, page by page."""

from unittest.mock import patch

from psycopg2 import OperationalError

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..easycrm_mail.esp import sendgrid
from ..easycrm_mail.models import easycrm_esp_import
from .mailing_case import QueueCase
from .servers.web import Answer

LIST = "GET /v3/suppression/bounces"


@tagged("post_install", "-at_install")
class TestEspImport(QueueCase):
    def setUp(self):
        super().setUp()
        rows = [
            {
                "created": 1_700_000_000 + n,
                "email": f"b{n}@example.com",
                "reason": "550",
            }
            for n in range(5)
        ]
        self.sendgrid.suppressed = {"bounces": rows}
        self.addCleanup(setattr, self.sendgrid, "suppressed", {})
        self.startPatcher(patch.object(sendgrid, "_PAGE", 2))
        self.other.import_wanted = False

    def run_cron(self):
        self.env.flush_all()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["easycrm.esp.event"]._cron_apply()
        self.env.invalidate_all()

    def count(self):
        return self.env["easycrm.esp.suppression"].search_count([])

    def test_all_of_them_are_taken_over(self):
        self.assertTrue(self.esp.import_wanted)  # by its key alone
        self.run_cron()
        self.assertEqual(self.count(), 5)
        self.assertTrue(self.esp.imported_at)
        self.assertFalse(self.esp.import_wanted or self.esp.import_error)
        self.assertEqual(
            self.env["mail.blacklist"].search_count([("email", "like", "b_@")]), 5
        )

    def test_a_run_whose_time_is_up_goes_on_where_it_stood(self):
        cron = type(self.env["ir.cron"])
        with patch.object(cron, "_commit_progress", return_value=0):
            for done in (2, 4, 5):
                self.run_cron()
                self.assertEqual(self.count(), done)
                self.assertTrue(self.esp.import_wanted)
        calls = len(self.sendgrid.calls)
        self.run_cron()
        self.assertFalse(self.esp.import_wanted)
        # of the list only its end was asked for again
        self.assertEqual(len(self.sendgrid.calls) - calls, 4)

    def test_a_list_that_makes_no_sense_is_told_and_stops_nothing(self):
        self.sendgrid.suppressed = {"bounces": [{"created": "soon"}]}
        self.run_cron()
        self.assertFalse(self.esp.import_wanted)
        self.assertIn("trouble of its own", self.esp.import_error)

    def test_what_broke_off_goes_on_when_a_person_wants_it(self):
        cron = type(self.env["ir.cron"])
        with patch.object(cron, "_commit_progress", return_value=0):
            self.run_cron()
        self.sendgrid.break_(LIST, "answer", answer=Answer("", 503))
        self.run_cron()
        self.assertTrue(self.esp.import_error)
        self.assertEqual(self.count(), 2)
        self.sendgrid.mend()
        self.esp.action_import_suppressions()
        self.assertFalse(self.esp.import_error)
        self.run_cron()
        self.assertEqual(self.count(), 5)
        self.assertFalse(self.esp.import_place)

    def test_another_account_is_read_from_its_beginning(self):
        now = fields.Datetime.now()
        for values in ({"region": "eu"}, {"region": "global", "api_key": "SG.other"}):
            self.esp.write(
                {
                    "import_place": "bounces:4",
                    "imported_at": now,
                    "import_wanted": False,
                    "webhook_key": "k",
                }
            )
            self.esp.write(values)
            self.assertFalse(self.esp.import_place or self.esp.imported_at)
            self.assertFalse(self.esp.has_webhook_key)
            self.assertEqual(self.esp.has_api_key, "api_key" in values)
        self.assertTrue(self.esp.import_wanted)
        self.assertEqual(self.esp._decrypt("api_key"), "SG.other")

    def test_another_domain_is_read_from_its_beginning(self):
        self.other.write(
            {"import_place": "bounces:/v3/x", "imported_at": fields.Datetime.now()}
        )
        self.other.domain = "other.example"
        self.assertFalse(self.other.import_place or self.other.imported_at)
        self.assertTrue(self.other.has_api_key)

    def test_a_place_that_is_none_is_the_beginning(self):
        self.esp.import_place = "bounces:/v3/mail.example/bounces?page=next"
        self.run_cron()
        self.assertEqual(self.count(), 5)
        self.assertFalse(self.esp.import_error)

    @mute_logger(easycrm_esp_import.__name__)
    def test_whatever_goes_wrong_stops_nobody_else(self):
        self.other.import_wanted = True
        self.esp.import_place = "bounces:2"
        with patch.object(
            sendgrid.SendGrid, "suppressions", side_effect=ValueError("odd")
        ):
            self.run_cron()
        self.assertIn("odd", self.esp.import_error)
        self.assertFalse(self.esp.import_wanted or self.esp.import_place)
        self.assertTrue(self.other.imported_at)

    def test_the_database_s_trouble_is_no_sender_s_fault(self):
        Suppression = type(self.env["easycrm.esp.suppression"])
        with (
            patch.object(Suppression, "_add", side_effect=OperationalError("full")),
            self.assertRaises(OperationalError),
        ):
            self.run_cron()
        self.assertTrue(self.esp.import_wanted)

    def test_a_key_that_may_not_read_them_is_told(self):
        said = '{"errors": [{"message": "access forbidden"}]}'
        self.sendgrid.break_(LIST, "answer", answer=Answer(said, 403))
        self.run_cron()
        self.assertIn("Give it “Suppressions”", self.esp.import_error)

    def test_a_run_that_is_out_of_time_leaves_the_rest_to_another_one(self):
        progress = self.run_out_of_time(self.env.ref("easycrm_mail.ir_cron_esp_events"))
        self.run_cron()
        self.assertEqual(self.count(), 2)
        self.assert_it_goes_on_later(progress)
