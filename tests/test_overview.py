"""How all mailboxes are doing, as their administrators and owners see it."""

from datetime import date, datetime, timedelta, timezone

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..easycrm_mail.models.ingest import Ingest
from ..easycrm_mail.providers import Budget, Reconnect, Retry
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
                mailbox.week_words, {"title": "not checked", "detail": "since 24 Nov"}
            )
            self.assertEqual(mailbox.week_line, "7 days: not checked since 24 Nov")


@tagged("post_install", "-at_install")
class TestOverview(MailCase):
    """The list of all mailboxes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.tz = cls.sofia.tz = "UTC"

    def get_list(self, accounts=None, user=None):
        """Return the rows of the list, as its view reads them."""
        accounts = self.as_user(accounts or self.mailbox, user or self.sofia)
        view = self.env.ref("easycrm_mail.easycrm_email_account_view_list_health")
        views = accounts.get_views([(view.id, "list")])
        names = views["models"][accounts._name]["fields"]
        wanted = ["email", "sync_health", "last_sync", "week_words", "mails_a_day"]
        wanted += ["failure_count", "quota_used", "trouble", "service_line"]
        wanted += ["late_minutes", "gap_count", "week_days", "week_line", "user_id"]
        self.assertLessEqual(set(wanted[:8]), set(names))
        return accounts.web_read({name: {} for name in wanted})

    def receive_days_ago(self, mailbox, *days):
        now = datetime.now(timezone.utc)
        for ago in days:
            self.receive(mailbox, date=now - timedelta(days=ago), subject="Secret plan")

    def test_the_bars_are_the_mails_of_a_day(self):
        self.receive_days_ago(self.mailbox, 0, 0, 1, 13, 14, 40)
        [row] = self.get_list()
        counts = [one["count"] for one in row["mails_a_day"]]
        self.assertEqual(counts, [1, *[0] * 11, 1, 2])
        self.assertEqual(self.mailbox.came_today, 2)
        self.assertEqual(self.mailbox.came_in_week, 3)

    def test_a_days_mails_are_those_of_the_readers_day(self):
        with freeze_time("2026-11-24 20:00:00"):
            late = datetime(2026, 11, 24, 17, tzinfo=timezone.utc)
            self.receive(self.mailbox, date=late)
            for zone, today in (("Asia/Tokyo", 1), ("Pacific/Kiritimati", 1)):
                account = self.mailbox.with_context(tz=zone)
                account.invalidate_recordset()
                self.assertEqual(account.came_today, today, zone)
            self.receive(self.mailbox, date=late - timedelta(hours=3))
            tokyo = self.mailbox.with_context(tz="Asia/Tokyo")
            tokyo.invalidate_recordset()
            self.assertEqual(tokyo.came_today, 1, "the other came yesterday there")
            utc = self.mailbox.with_context(tz="UTC")
            self.assertEqual(utc.came_today, 2)

    def test_administrators_see_counts_and_never_the_mail(self):
        self.receive_days_ago(self.mailbox, 0, 0)
        rows = self.get_list()
        self.assertEqual(rows[0]["mails_a_day"][-1]["count"], 2)
        self.assertNotIn("Secret", str(rows))
        self.assertNotIn("anna@", str(rows))
        daily = self.as_user(self.env["easycrm.email.daily"], self.sofia)
        groups = daily._read_group([], ["account_id", "day:day"], ["mail_count:sum"])
        self.assertEqual([group[2] for group in groups], [2])
        for name in daily._fields:
            self.assertNotIn(name, ("subject", "from_address", "email_id"))

    def test_others_do_not_even_see_the_counts(self):
        self.receive_days_ago(self.mailbox, 0)
        daily = self.env["easycrm.email.daily"]
        self.env.flush_all()
        self.assertEqual(len(self.as_user(daily, self.mira).search([])), 1)
        self.assertFalse(self.as_user(daily, self.jonas).search([]))
        self.assertFalse(self.as_user(daily, self.bea).search([]))
        with self.assertRaises(AccessError):
            self.as_user(daily, self.ingrid).search([])

    def test_the_report_counts_by_direction_and_each_row_is_its_own(self):
        self.receive_days_ago(self.mailbox, 0, 1)
        self.receive_days_ago(self.jonas_mailbox, 0)
        self.send(self.mailbox, date=datetime.now(timezone.utc))
        rows = self.env["easycrm.email.daily"].sudo().search([])
        self.assertEqual(len(rows), 4)
        self.assertEqual(len(set(rows.ids)), 4)
        self.assertEqual(sum(rows.mapped("mail_count")), 4)
        self.assertEqual(
            rows.filtered(lambda row: row.direction == "outbound").mail_count, 1
        )

    def count_queries(self, accounts):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        self.get_list(accounts)
        return self.cr.sql_log_count - before

    def test_the_list_takes_as_many_queries_for_many_mailboxes(self):
        accounts = self.mailbox | self.jonas_mailbox
        for number in range(30):
            user = self.add_user(f"seller{number}", "sales_team.group_sale_salesman")
            accounts |= self.connect(user)
        for account in accounts:
            self.receive_days_ago(account, 0, 1)
            account.folder_ids[0].week_days = {str(fields.Date.today()): 2}
        accounts[1]._mark_failed(Reconnect("password"))
        accounts[2]._mark_failed(Reconnect("password"))
        self.count_queries(accounts)
        few, many = self.count_queries(accounts[:2]), self.count_queries(accounts)
        self.assertEqual(few, many)
        sofia = self.as_user(accounts, self.sofia)
        before = self.cr.sql_log_count
        counts = sofia.easycrm_health_counts()
        self.assertLess(self.cr.sql_log_count - before, 15)
        self.assertGreaterEqual(counts["counts"]["ok"], 30)
        self.assertGreaterEqual(counts["counts"]["error"], 2)

    def assertFilters(self, accounts, found):
        """Assert what each filter finds, and that the badges say the same."""
        accounts.invalidate_recordset()
        for health, _words in accounts._fields["sync_health"].selection:
            of_these = [("id", "in", accounts.ids)]
            wanted = found.get(health, accounts.browse())
            domain = [("sync_health", "=", health), *of_these]
            self.assertEqual(accounts.search(domain), wanted, health)
            self.assertEqual(
                accounts.filtered(lambda one, health=health: one.sync_health == health),
                wanted,
                health,
            )
            domain = [("sync_health", "!=", health), *of_these]
            self.assertEqual(accounts.search(domain), accounts - wanted, health)

    def test_filters_find_what_mailboxes_are_doing(self):
        mailbox = self.mailbox
        accounts = self.as_user(mailbox, self.sofia)
        busy = {"sync_stage": "fetching"}
        for values, health in (
            ({"sync_status": "incomplete"}, "incomplete"),
            ({**busy, "last_sync": False}, "reading"),
            ({**busy, "last_sync": NOW}, "incomplete"),
            ({**busy, "last_error_kind": "retry"}, "waiting"),
            ({**busy, "last_error_kind": "retry", "last_sync": False}, "waiting"),
            ({"sync_stage": "idle", "sync_status": "paused"}, "paused"),
            ({"sync_status": "draft"}, "draft"),
        ):
            mailbox.write(values)
            self.assertFilters(accounts, {health: accounts})
        self.env["easycrm.email.account"]._set_schedule(False, 5)
        mailbox.write({"sync_status": "ok", "last_error_kind": False})
        self.assertFilters(accounts, {"ok": accounts})
        mailbox.last_sync = NOW
        self.assertFilters(accounts, {"off": accounts})

    def test_filters_find_what_the_badges_say(self):
        self.jonas_mailbox._mark_failed(Reconnect("password"))
        accounts = self.as_user(self.mailbox | self.jonas_mailbox, self.sofia)
        self.assertFilters(accounts, {"ok": self.mailbox, "error": self.jonas_mailbox})
        counts = accounts.easycrm_health_counts([("id", "in", accounts.ids)])
        self.assertEqual(counts["total"], 2)
        self.assertEqual(counts["counts"], {"ok": 1, "error": 1})
        self.assertEqual(counts["minutes"], 5)
        self.assertEqual(counts["late_minutes"], 15)

    def test_the_counts_are_those_of_the_companies_at_work(self):
        account = self.env["easycrm.email.account"].search([("user_id", "!=", False)])
        total = self.as_user(account, self.sofia).easycrm_health_counts()["total"]
        self.connect(self.bea)
        self.assertEqual(
            self.as_user(account, self.sofia).easycrm_health_counts()["total"], total
        )

    def test_it_says_who_has_paused_it_and_how_long_a_service_asks_to_wait(self):
        with freeze_time(NOW):
            self.as_user(self.mailbox, self.mira).action_pause()
            paused = self.mailbox.with_context(tz="UTC").trouble
            self.assertEqual(paused["title"], "paused by Mira Maas, 24 Nov")
            self.assertEqual(self.mailbox.paused_by_id, self.mira)
            self.jonas_mailbox._mark_resting(12 * 60)
            waiting = self.jonas_mailbox.with_context(tz="UTC").trouble
            self.assertIn("asks to wait until 9:12", waiting["title"])
            self.assertFalse(waiting["is_error"])
            self.as_user(self.mailbox, self.mira).action_sync_now()
            self.assertFalse(self.mailbox.trouble["title"])
        with self.assertRaises(AccessError):
            self.as_user(self.mailbox, self.mira).paused_by_id = self.jonas

    def test_trouble_says_who_was_told_or_when_it_is_tried_again(self):
        with freeze_time(NOW):
            self.mailbox._mark_failed(Reconnect("password"))
            trouble = self.mailbox.with_context(tz="UTC").trouble
            self.assertTrue(trouble["is_error"])
            self.assertIn("does not accept the password", trouble["title"])
            self.assertIn("Mira Maas was told 9:00", trouble["detail"])
            self.assertEqual(
                [box.week_words["detail"] for box in self.mailbox | self.jonas_mailbox],
                ["while in error", "tonight"],
            )
            self.jonas_mailbox._mark_failed(Retry("busy", retry_after=1800))
            trouble = self.jonas_mailbox.with_context(tz="UTC").trouble
            self.assertFalse(trouble["is_error"])
            self.assertIn("Tried again by itself at 9:30", trouble["detail"])

    def test_the_quota_that_is_used(self):
        self.assertEqual(self.mailbox.quota_used, -1, "IMAP counts nothing")
        gmail = self.connect(self.leonie, provider="gmail")
        self.assertEqual(gmail.quota_used, 0)
        budget = Budget(limit=6000)
        budget.spend(2040)
        gmail.quota_state = budget.dump()
        self.assertEqual(gmail.quota_used, 34)
        outlook = self.connect(self.sofia, provider="outlook")
        budget = Budget(limit=10_000, window=600)
        budget.spend(600)
        outlook.quota_state = budget.dump()
        self.assertEqual(outlook.quota_used, 6)

    def test_a_lag_is_late_after_three_rounds(self):
        self.assertEqual(self.mailbox.late_minutes, 15)
        self.env["easycrm.email.account"]._set_schedule(True, 30)
        self.mailbox.invalidate_recordset()
        self.assertEqual(self.mailbox.late_minutes, 90)
        self.mailbox.action_pause()
        self.assertEqual(self.mailbox.late_minutes, 0)


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
