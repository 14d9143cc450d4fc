"""Whom a bulk sender itself writes to no more is taken over, page by page."""

from unittest.mock import patch

from odoo.tests import tagged

from ..easycrm_mail.esp import sendgrid
from .servers.web import Answer
from .test_esp_mailing import MailingCase

LIST = "GET /v3/suppression/bounces"


@tagged("post_install", "-at_install")
class TestEspImport(MailingCase):
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

    def run_cron(self, **context):
        self.env.flush_all()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr, context=context)["easycrm.esp.event"]._cron_apply()
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
        self.esp.import_place = "bounces:4"
        self.esp.region = "eu"
        self.assertFalse(self.esp.import_place)
