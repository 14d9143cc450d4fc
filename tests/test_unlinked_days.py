"""Days of Unlinked Emails where clocks change at midnight."""

from datetime import UTC, datetime, timedelta

from odoo.tests import tagged

from .unlinked_case import UnlinkedCase

#: Zones, a moment at which their day begins for the first of two times, and what the
#: groups of the mails around it are called, the newest first.
TWICE = {
    "Atlantic/Azores": (
        datetime(2025, 10, 26, tzinfo=UTC),
        {
            "day": ["26 Oct 2025", "25 Oct 2025"],
            "week": ["W44 2025", "W43 2025"],
            "month": ["October 2025"],
        },
    ),
    "America/Havana": (
        datetime(2026, 11, 1, 4, tzinfo=UTC),
        {
            "day": ["01 Nov 2026", "31 Oct 2026"],
            "week": ["W45 2026", "W44 2026"],
            "month": ["November 2026", "October 2026"],
        },
    ),
}


@tagged("post_install", "-at_install")
class TestUnlinkedDays(UnlinkedCase):
    def test_a_day_that_has_midnight_twice_is_one(self):
        self.env["res.lang"]._lang_get("en_US").week_start = "7"
        self.cr.flush()
        # (a query that never ends is a failure, not a test that never ends)
        self.cr.execute("SET LOCAL statement_timeout = '20s'")
        for tz, (midnight, groups) in TWICE.items():
            self.Copy.search([("is_unlinked", "=", True)]).ignored = True
            for minutes in (-30, 30, 30, 45, 90):
                self.stranger(date=midnight + timedelta(minutes=minutes))
            for by, labels in groups.items():
                for domain in ([], [("direction", "=", "inbound")]):
                    with self.subTest(tz=tz, by=by, domain=domain):
                        self.check(tz, f"date:{by}", labels, domain)
        self.cr.execute("SET LOCAL statement_timeout = 0")

    def check(self, tz, by, labels, domain):
        inbox = self.inbox().with_context(tz=tz)
        found = inbox.unlinked_groups(domain, by=by)["groups"]
        self.assertEqual([group["label"] for group in found], labels)
        counts = [5] if len(labels) == 1 else [4, 1]
        keys = [group["key"] for group in found]
        expected = list(zip(keys, labels, counts, strict=True))
        self.assertGroups(by, expected, tz=tz, domain=domain)
