from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..easycrm_mail.providers import Reconnect, Retry
from .common import MailCase

NOW = "2026-11-24 09:00:00"


@tagged("post_install", "-at_install")
class TestWarning(MailCase):
    """Administrators hear of a mailbox that stays broken, once a day."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.add_user(
            "olga", "sales_team.group_sale_manager", company=cls.company_b
        )

    def warn(self):
        self.mailbox._warn_administrators()
        self.env.flush_all()

    def get_told(self):
        activities = self.mailbox.activity_ids
        return activities.user_id - self.mira

    def break_at(self, moment):
        with freeze_time(moment):
            self.mailbox._mark_failed(Reconnect("password"))

    def test_after_a_day_in_error_they_are_told(self):
        self.break_at("2026-11-24 09:00:00")
        with freeze_time("2026-11-25 08:59:00"):
            self.warn()
            self.assertFalse(self.get_told())
        with freeze_time("2026-11-25 09:00:00"):
            self.warn()
        self.assertIn(self.sofia, self.get_told())
        self.assertNotIn(self.other, self.get_told(), "of another company")
        self.assertNotIn(self.jonas, self.get_told())
        activity = self.mailbox.activity_ids.filtered(
            lambda one: one.user_id == self.sofia
        )
        self.assertIn("mira@ours.example", activity.summary)
        self.assertIn("password", activity.note)

    def test_what_a_server_says_is_no_markup_to_them(self):
        self.mailbox.imap_host = '<img/src="//evil.example">'
        with freeze_time("2026-11-24 09:00:00"):
            self.mailbox._mark_failed(Retry("host"))
            self.mailbox.sync_status = "error"
        self.warn()
        self.assertIn(self.sofia, self.get_told())
        for activity in self.mailbox.activity_ids:
            self.assertNotIn("<img", activity.note)

    def test_once_a_day_and_not_beside_one_that_is_open(self):
        self.break_at("2026-11-24 09:00:00")
        for hour in (9, 10, 15, 23):
            with freeze_time(f"2026-11-25 {hour:02}:00:00"):
                self.warn()
        count = len(self.mailbox.activity_ids)
        mine = self.mailbox.activity_ids.filtered(lambda a: a.user_id == self.sofia)
        self.assertEqual(len(mine), 1)
        with freeze_time("2026-11-26 12:00:00"):
            self.warn()
        self.assertEqual(len(self.mailbox.activity_ids), count)
        mine.unlink()
        with freeze_time("2026-11-26 13:00:00"):
            self.warn()
            self.assertNotIn(self.sofia, self.get_told(), "she has been told today")
        with freeze_time("2026-11-27 13:00:00"):
            self.warn()
        self.assertIn(self.sofia, self.get_told())

    def test_when_it_works_again_the_notices_go(self):
        self.break_at("2026-11-24 09:00:00")
        with freeze_time("2026-11-25 10:00:00"):
            self.warn()
            self.mailbox._mark_synced()
        self.assertFalse(self.mailbox.activity_ids)
        self.assertFalse(self.mailbox.warned_at)
        self.assertFalse(self.mailbox.told_at)

    def test_only_the_sync_says_so(self):
        for name in ("warned_at", "told_at", "check_at", "checked_at"):
            with self.assertRaises(AccessError):
                self.mailbox.with_user(self.mira).write({name: NOW})
        with self.assertRaises(AccessError):
            self.mailbox.with_user(self.mira).week_recovered = 3
