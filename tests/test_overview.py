"""How all mailboxes are doing, as their administrators and owners see it."""

from datetime import datetime, timedelta, timezone

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..easycrm_mail.providers import Budget, Reconnect, Retry
from .common import MailCase

NOW = "2026-11-24 09:00:00"


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
            self.assertEqual(paused["title"], "paused by Mira Maas, Nov 24")
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
