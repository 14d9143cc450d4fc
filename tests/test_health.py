import json
from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.tests import TransactionCase, tagged

from odoo.addons.mail.tests.common import mail_new_test_user

from ..easycrm_mail.providers import (
    Gone,
    Permanent,
    Reconnect,
    Retry,
)

TITLE = "Email sync failed. Please check your connection"


@tagged("post_install", "-at_install")
class TestHealth(TransactionCase):
    """What follows an error: when it is tried again, who is told, and when it ends."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mira = mail_new_test_user(
            cls.env, login="mira_health", groups="sales_team.group_sale_salesman"
        )
        cls.account = cls.env["easycrm.email.account"].create(
            {
                "email": "mira@own.example",
                "user_id": cls.mira.id,
                "imap_host": "imap.own.example",
                "imap_password": "secret",
                "sync_status": "ok",
                "last_sync": "2026-11-01 08:00:00",
            }
        )

    def break_sync(self, error, times=1):
        for _time in range(times):
            self.account._mark_failed(error)

    def get_activities(self):
        return self.env["mail.activity"].search(
            [
                ("res_model", "=", self.account._name),
                ("res_id", "=", self.account.id),
            ]
        )

    def get_toasts(self):
        """Return the toasts that were sent to Mira."""
        self.env.cr.precommit.run()  # the bus writes its rows there
        rows = self.env["bus.bus"].search(
            [("message", "ilike", "easycrm_mail.account")]
        )
        return rows.filtered(lambda row: TITLE in row.message)

    def minutes_to_next_try(self):
        return (self.account.next_sync_at - fields.Datetime.now()) / timedelta(
            minutes=1
        )

    def test_a_passing_error_is_tried_again_after_1_2_and_4_minutes(self):
        waits = []
        with freeze_time("2026-11-24 09:00:00"):
            for _failure in range(3):
                self.break_sync(Retry("timeout"))
                waits.append(self.minutes_to_next_try())
                self.assertEqual(self.account.sync_status, "ok", "nobody is told yet")
        for wait, expected in zip(waits, (1, 2, 4), strict=True):
            self.assertAlmostEqual(wait, expected, delta=expected * 0.11)
        self.assertEqual(self.account.retry_count, 2, "two retries were made so far")
        self.assertFalse(self.get_activities())

    def test_the_user_is_told_once_when_the_third_retry_fails(self):
        self.break_sync(Retry("timeout"), times=4)
        self.assertEqual(self.account.sync_status, "error")
        self.assertEqual(self.account.retry_count, 3)
        activity = self.get_activities()
        self.assertEqual(activity.summary, TITLE)
        self.assertEqual(activity.user_id, self.mira)
        self.assertIn("imap.own.example", activity.note)
        self.assertEqual(len(self.get_toasts()), 1)

    def test_the_toast_says_which_mailbox_it_is_about(self):
        self.break_sync(Retry("timeout"), times=4)
        self.assertNotIn(self.account.email, self.account.last_error)
        told = json.loads(self.get_toasts().message)["payload"]
        self.assertIn(self.account.email, told["message"])
        # (where several fail, one toast names them)
        self.assertEqual(told["email"], self.account.email)

    def test_nobody_gets_the_same_notice_every_five_minutes(self):
        self.break_sync(Retry("timeout"), times=9)
        self.assertEqual(len(self.get_activities()), 1)
        self.assertEqual(len(self.get_toasts()), 1)

    def test_after_sync_error_it_is_tried_every_30_minutes(self):
        with freeze_time("2026-11-24 09:00:00"):
            self.break_sync(Retry("dropped"), times=4)
            self.assertAlmostEqual(self.minutes_to_next_try(), 30, delta=3.1)
            self.break_sync(Retry("dropped"))
            self.assertAlmostEqual(self.minutes_to_next_try(), 30, delta=3.1)

    def test_the_server_decides_how_long_to_wait(self):
        with freeze_time("2026-11-24 09:00:00"):
            self.break_sync(Retry("busy", retry_after=1800))
            self.assertAlmostEqual(self.minutes_to_next_try(), 30, delta=0.1)

    def test_a_wrong_password_is_told_at_once_and_not_tried_again(self):
        self.break_sync(Reconnect("password"))
        self.assertEqual(self.account.sync_status, "error")
        self.assertEqual(self.account.last_error_kind, "reconnect")
        self.assertFalse(self.account.next_sync_at)
        self.assertEqual(len(self.get_activities()), 1)
        self.assertNotIn(
            self.account, self.account._get_due(first=False), "only the user mends it"
        )

    def test_a_wrong_setting_is_told_at_once(self):
        self.break_sync(Permanent("certificate"))
        self.assertEqual(self.account.sync_status, "error")
        self.assertFalse(self.account.next_sync_at)
        self.assertIn("certificate", self.account.last_error)

    def test_when_it_works_again_the_notices_go_by_themselves(self):
        self.break_sync(Retry("timeout"), times=4)
        self.account._mark_synced()
        self.assertEqual(self.account.sync_status, "ok")
        self.assertFalse(self.account.last_error)
        self.assertFalse(self.account.retry_count)
        self.assertFalse(self.get_activities())
        self.env.cr.precommit.run()
        told = self.env["bus.bus"].search([("message", "ilike", "recovered")])
        self.assertEqual(len(told), 1, "the screens take their notices away")
        # the next failure is a new one: retries first, then a notice of its own
        self.break_sync(Retry("timeout"))
        self.assertEqual(self.account.sync_status, "ok")

    def test_the_banner_stands_on_the_owners_timeline_in_these_words(self):
        self.break_sync(Reconnect("password"))
        contact = self.env["res.partner"].create(
            {"name": "Anna", "email": "anna@acme.example"}
        )
        notice = contact.with_user(self.mira).easycrm_timeline()["notices"]
        self.assertEqual(len(notice), 1)
        self.assertEqual(notice[0]["title"], TITLE)
        self.assertEqual(notice[0]["primary"], "reconnect")
        self.assertTrue(notice[0]["mine"])
        self.assertIn("does not accept the password", notice[0]["reason"])

    def test_others_do_not_hear_of_a_mailbox_that_holds_none_of_their_mail(self):
        self.break_sync(Reconnect("password"))
        jonas = mail_new_test_user(
            self.env, login="jonas_health", groups="sales_team.group_sale_salesman"
        )
        contact = self.env["res.partner"].create(
            {"name": "Anna", "email": "anna@acme.example"}
        )
        self.assertFalse(contact.with_user(jonas).easycrm_timeline()["notices"])

    def test_a_known_gap_is_never_up_to_date(self):
        self.env["easycrm.email.failure"].create(
            {
                "account_id": self.account.id,
                "stream": "INBOX",
                "provider_ref": "1:1",
                "error": "It cannot be read.",
            }
        )
        self.account._mark_synced()
        self.assertEqual(self.account.sync_status, "incomplete")

    def test_a_folder_that_is_gone_keeps_the_status_from_being_green(self):
        self.account._mark_synced("The folder Projects is not there any more.")
        self.assertEqual(self.account.sync_status, "incomplete")
        self.assertIn("Projects", self.account.last_error)

    def test_every_error_has_plain_words(self):
        codes = {
            Retry: ["host", "refused", "timeout", "dropped", "busy", "answer"],
            Reconnect: ["password", "grant"],
            Gone: ["mail", "folder"],
            Permanent: ["tls", "certificate", "forbidden", "entered"],
        }
        told = set()
        for kind, names in codes.items():
            for code in names:
                words = self.account._explain_error(kind(code, "0x80 stack"))
                self.assertNotIn("0x80", words, "no codes of servers")
                self.assertNotIn("secret", words)
                told.add(words)
        self.assertEqual(len(told), 14, "each of them says something of its own")

    def test_pausing_ends_the_notices_and_the_reading(self):
        self.break_sync(Retry("timeout"), times=4)
        self.account.with_user(self.mira).action_pause()
        self.assertEqual(self.account.sync_status, "paused")
        self.assertFalse(self.get_activities())
        self.assertNotIn(self.account, self.account._get_due(first=True))
        self.assertNotIn(self.account, self.account._get_due(first=False))

    def test_without_the_cron_sync_now_says_so_and_all_else_goes_on(self):
        self.account._get_cron().unlink()
        told = self.account.with_user(self.mira).action_sync_now()["params"]
        self.assertEqual(told["type"], "warning")
        self.assertIn("scheduled action of Email for CRM was deleted", told["message"])
        self.break_sync(Retry("timeout"))
        self.assertTrue(self.account.next_sync_at)

    def test_sync_now_wakes_the_cron_and_calls_nobody(self):
        self.account.with_user(self.mira).action_sync_now()
        cron = self.account._get_cron()
        self.assertTrue(
            self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)]),
            "the button only triggers",
        )
