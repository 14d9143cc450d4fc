from datetime import date, datetime, timedelta, timezone

from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged

from ..easycrm_mail.models.ingest import Ingest
from .common import MailCase

NOW = "2026-11-24 09:00:00"


@tagged("post_install", "-at_install")
class TestNightlyComparison(MailCase):
    """When a mailbox is compared, and by which days."""

    def test_it_is_in_the_owners_night(self):
        for zone, hours in (
            ("Europe/Berlin", (2, 4)),
            ("Asia/Tokyo", (18, 20)),
            ("America/New_York", (8, 10)),
            (False, (3, 5)),
        ):
            self.mira.tz = zone
            with freeze_time("2026-11-24 01:00:00"):
                at = self.mailbox._get_next_check()
            first, last = (datetime(2026, 11, 24, hour) for hour in hours)
            self.assertTrue(first <= at < last, f"{zone}: {at}")

    def test_the_next_one_is_the_next_night(self):
        self.mira.tz = "Europe/Berlin"
        with freeze_time("2026-11-24 02:10:00"):
            at = self.mailbox._get_next_check()
        self.assertEqual(at.date(), date(2026, 11, 25))

    def test_mailboxes_are_spread_over_the_night(self):
        moments = {self.mailbox._get_next_check() for _time in range(20)}
        self.assertGreater(len(moments), 10)

    def test_days_are_the_owners(self):
        self.mailbox.sync_from = "2026-01-01"
        for zone, first in (
            ("Europe/Berlin", datetime(2026, 11, 17, 23)),
            ("Asia/Tokyo", datetime(2026, 11, 18, 15)),
            ("America/New_York", datetime(2026, 11, 18, 5)),
        ):
            self.mira.tz = zone
            with freeze_time("2026-11-24 22:00:00" if "Tokyo" in zone else NOW):
                days, starts = self.mailbox._get_week()
            self.assertEqual(starts[0], first.replace(tzinfo=timezone.utc), zone)
            self.assertEqual(len(days), 7)
            self.assertEqual(days[-1] - days[0], timedelta(days=6))

    def test_a_day_is_as_long_as_the_clocks_say(self):
        self.mailbox.sync_from = "2026-01-01"
        self.mira.tz = "Europe/Berlin"
        with freeze_time("2026-10-26 09:00:00"):
            days, starts = self.mailbox._get_week()
        long_day = days.index(date(2026, 10, 25))
        self.assertEqual(starts[long_day + 1] - starts[long_day], timedelta(hours=25))

    def test_what_lies_before_the_window_is_not_compared(self):
        self.mailbox.sync_from = "2026-11-22"
        with freeze_time(NOW):
            _days, starts = self.mailbox._get_week()
        self.assertEqual(starts[0], datetime(2026, 11, 22, tzinfo=timezone.utc))
        self.assertEqual(starts, sorted(starts))

    def test_a_mailbox_that_was_read_is_compared_the_next_night(self):
        self.mailbox._mark_synced()
        self.assertGreater(self.mailbox.check_at, fields.Datetime.now())
        settled = self.mailbox.check_at
        self.mailbox._mark_synced()
        self.assertEqual(self.mailbox.check_at, settled)
        self.assertFalse(self.mailbox._get_unchecked_folders())
        with freeze_time(settled):
            self.assertEqual(
                self.mailbox._get_unchecked_folders(), self.mailbox.folder_ids
            )

    def test_a_gap_keeps_a_mailbox_that_is_started_again_from_being_green(self):
        self.add_gaps(self.mailbox, 1)
        self.mailbox.sync_status = "paused"
        self.mailbox.with_user(self.mira).action_sync_now()
        self.assertEqual(self.mailbox.sync_status, "incomplete")

    def add_gaps(self, account, count, day=None):
        day = day or fields.Date.today()
        missing = {f"1:{900 + number}": day for number in range(count)}
        Ingest(account, "INBOX").keep_gaps(missing, day)

    def test_a_folder_that_is_listed_anew_has_no_gaps(self):
        self.add_gaps(self.mailbox, 2)
        Ingest(self.mailbox, "INBOX").reset()
        self.assertFalse(self.mailbox.gap_count)

    def test_the_line_says_what_was_found(self):
        self.mira.tz = "UTC"
        mailbox = self.mailbox.with_user(self.mira).with_context(tz="UTC")
        self.assertEqual(mailbox.week_words["title"], "not checked")
        with freeze_time(NOW):
            self.mailbox.folder_ids[0].week_days = {"2026-11-23": 300, "2026-11-24": 10}
            self.mailbox.folder_ids[1].week_days = {"2026-11-23": 2}
            self.mailbox.write(
                {"checked_at": "2026-11-24 03:10:00", "week_recovered": 2}
            )
            self.assertEqual(
                mailbox.week_line.replace("\u202f", " "),
                "7 days: 312 of 312, checked 3:10 AM, 2 recovered",
            )
            self.add_gaps(self.mailbox, 3, date(2026, 11, 23))
            mailbox.invalidate_recordset()
            self.assertEqual(mailbox.week_words["title"], "309 of 312")
            self.assertEqual(
                mailbox.week_days,
                [
                    {"day": "2026-11-23", "held": 302, "stored": 299},
                    {"day": "2026-11-24", "held": 10, "stored": 10},
                ],
            )
            self.assertIn("3 emails are missing", mailbox.trouble["title"])
        with freeze_time("2026-11-26 09:00:00"):
            mailbox.invalidate_recordset()
            self.assertEqual(
                mailbox.week_words, {"title": "not checked", "detail": "since Nov 24"}
            )
            self.assertEqual(mailbox.week_line, "7 days: not checked since Nov 24")
