"""Mail of nobody, and the days that it is kept, for tests of that."""

from datetime import datetime, timedelta, timezone

from freezegun import freeze_time

from ..easycrm_mail.models import easycrm_email_retention as retention
from .settings_case import SettingsCase


class RetentionCase(SettingsCase):
    """A day on which mail of somebody whom nobody knows may be too old."""

    NOW = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)

    def setUp(self):
        super().setUp()
        self.use_zone("UTC")
        clock = freeze_time(self.NOW.replace(tzinfo=None))
        clock.start()
        self.addCleanup(clock.stop)

    def use_zone(self, name, company=None):
        (company or self.company_a).resource_calendar_id.tz = name

    def keep(self, days):
        self.env["ir.config_parameter"].set_param(retention.DAYS, str(days))

    def stranger(self, mailbox=None, age=0, **parts):
        """Bring a mail that matches nobody, so many days old."""
        parts.setdefault("date", self.NOW - timedelta(days=age))
        sender = "somebody@far.example"
        return self.receive(mailbox or self.mailbox, sender=sender, **parts)

    def purge(self):
        """Do what autovacuum does."""
        Email = self.env["easycrm.email"]
        while Email._gc_unlinked()[1]:
            self.env.flush_all()

    def assertKept(self, emails):
        self.assertEqual(emails.exists(), emails)

    def assertGone(self, *emails):
        for email in emails:
            self.assertFalse(email.exists())
