"""What must not come in is not fetched by the nightly comparison either."""

from datetime import datetime, timedelta, timezone
from unittest.mock import patch

from odoo.tests import tagged

from ..easycrm_mail.models import easycrm_email_retention as retention
from .compare_case import ComparingGmail, ComparingImap, ComparingOutlook


class LeftOut:
    """What holds for each service."""

    def test_what_a_rule_leaves_out_is_fetched_once_and_not_missing(self):
        self.bring("One")
        self.deliver("Bank", sender="x@bank.example", date=datetime.now(timezone.utc))
        self.start()
        self.drop("Bank")
        self.env["easycrm.email.rule"].create(
            {"pattern": "bank.example", "user_id": self.mira.id}
        )
        self.compare()
        self.assertEqual(self.account.sync_status, "ok")
        self.assertWeek(1, 1)
        self.assertNothingFetched()

    def test_what_retention_has_deleted_is_not_fetched_again(self):
        self.bring("One")
        self.deliver(
            "Stranger",
            sender="somebody@far.example",
            date=datetime.now(timezone.utc) - timedelta(days=3),
        )
        self.deliver(
            "Old",
            sender="somebody@far.example",
            date=datetime.now(timezone.utc) - timedelta(days=20),
        )
        self.start()
        self.env["ir.config_parameter"].set_param(retention.DAYS, "1")
        self.env["easycrm.email"]._gc_unlinked()
        self.assertEqual(self.get_subjects(), ["One"])
        self.assertNothingFetched()
        self.assertNothingFetched()  # what says it is old, and came just now, neither
        # kept for longer: it comes back as far as it is kept now
        self.env["res.config.settings"].create(
            {"easycrm_unlinked_days": 10}
        ).set_values()
        self.assertEqual(self.account.sync_status, "incomplete")
        self.run_cron()
        self.assertEqual(self.get_subjects(), ["One", "Stranger"])
        self.env["res.config.settings"].create(
            {"easycrm_unlinked_days": 0}
        ).set_values()
        self.run_cron()
        self.assertEqual(self.get_subjects(), ["Old", "One", "Stranger"])
        self.assertEqual(self.account.sync_status, "ok")
        self.assertFalse(self.account.with_user(self.mira).left_out_count)

    def test_what_was_deleted_with_its_contact_is_not_fetched_again(self):
        self.bring("One")
        self.deliver(
            "Bruno", sender="bruno@beck.example", date=datetime.now(timezone.utc)
        )
        self.start()
        self.env["easycrm.email.erase"].create(
            {"partner_ids": self.bruno.ids, "emails": "delete"}
        ).action_erase()
        self.assertEqual(self.get_subjects(), ["One"])
        self.assertNothingFetched()
        self.assertEqual(
            self.account.with_user(self.mira).left_out_words, "1 deleted for good"
        )
        self.assertFalse(self.account.with_user(self.mira).readmitted_count)

    def assertNothingFetched(self):
        """Only "One" counts, and nothing is asked for."""
        fetch = patch.object(self.get_provider(), "fetch", autospec=True)
        with fetch as fetched:
            self.compare()
        self.assertFalse(fetched.called)
        self.assertEqual(self.account.sync_status, "ok")
        self.assertWeek(1, 1)

    def test_what_was_left_out_and_is_read_again_counts_and_is_healed(self):
        self.bring("One")
        self.deliver("Bank", sender="x@bank.example", date=datetime.now(timezone.utc))
        self.start()
        self.drop("Bank")
        rule = self.env["easycrm.email.rule"].create(
            {"pattern": "bank.example", "user_id": self.mira.id}
        )
        self.compare()  # it is missing, and left out when it comes
        self.assertEqual(self.get_subjects(), ["One"])
        self.assertWeek(1, 1)
        exclusions = self.env["easycrm.email.exclusion"].search(
            [("rule_id", "=", rule.id)]
        )
        self.assertEqual(len(exclusions), 1)
        rule.unlink()
        exclusions._read_again()
        self.run_cron()
        self.assertEqual(self.get_subjects(), ["Bank", "One"])
        self.compare()
        self.assertWeek(2, 2)
        self.drop("Bank")
        self.compare()
        self.assertEqual(self.get_subjects(), ["Bank", "One"])


@tagged("post_install", "-at_install")
class TestCompareLeftOutImap(LeftOut, ComparingImap):
    """On a real Dovecot."""


@tagged("post_install", "-at_install")
class TestCompareLeftOutGmail(LeftOut, ComparingGmail):
    """Gmail."""


@tagged("post_install", "-at_install")
class TestCompareLeftOutOutlook(LeftOut, ComparingOutlook):
    """Microsoft 365."""
