"""A mailbox of each service that is compared with what is here, for tests."""

from contextlib import suppress
from datetime import datetime, timezone
from unittest.mock import patch

from odoo.tests import TransactionCase

from ..easycrm_mail.models.sync_run import SyncRun
from .api_mailbox import ApiMailbox, GmailService, OutlookService
from .common import MailFixtures
from .mailbox import RealMailbox


class Killed(BaseException):
    """The process dies: nothing is caught any more."""


class Comparing:
    """A mailbox with mail of this week, and what is lost of it."""

    def start(self):
        """Read the mailbox to its end."""
        raise NotImplementedError

    def get_provider(self):
        """Return the class of the mailbox's provider."""
        return type(self.account._make_provider())

    def bring(self, *subjects):
        """Mails that come now."""
        self.deliver(*subjects, date=datetime.now(timezone.utc))

    def compare(self):
        """Have the mailbox compared, as the button does."""
        action = self.account.with_user(self.mira).action_compare_now()
        self.assertIn("are being compared", action["params"]["message"])
        self.run_cron()

    def kill_at(self, step):
        """Have the process die while it compares."""
        with suppress(Killed), patch.object(SyncRun, step, side_effect=Killed):
            self.compare()
            self.fail("it did not come to that")
        self.env.invalidate_all()

    def find_copies(self, *subjects):
        copies = self.env["easycrm.email.copy"].search(
            [("account_id", "=", self.account.id)]
        )
        return copies.filtered(
            lambda copy: not subjects or copy.email_id.sudo().subject in subjects
        )

    def drop(self, *subjects):
        """Lose mails that are here."""
        copies = self.find_copies(*subjects)
        self.assertEqual(len(copies), len(subjects))
        emails = copies.email_id
        copies.unlink()
        emails.unlink()
        self.env.flush_all()

    def get_subjects(self):
        return sorted(copy.email_id.sudo().subject for copy in self.find_copies())

    def assertWeek(self, stored, held, recovered=0):
        account = self.account
        self.assertEqual(
            (account.week_stored, account.week_held, account.week_recovered),
            (stored, held, recovered),
        )

    def assertLinkedToAnna(self, count):
        links = self.anna.easycrm_email_link_ids.filtered(lambda link: not link.removed)
        self.assertEqual(len(links), count)


class ComparingImap(Comparing, RealMailbox, TransactionCase):
    allow_inherited_tests_method = True

    def start(self):
        self.account.with_user(self.mira).action_sync_now()
        self.run_cron("_cron_backfill")
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.account.checked_at = False

    def choose_other_folder(self):
        return "Sent"


class ComparingApi(Comparing, ApiMailbox, MailFixtures, TransactionCase):
    allow_inherited_tests_method = True

    def start(self):
        self.assertFalse(self.sign_in())
        self.run_crons()
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)

    def choose_other_folder(self):
        stream = self.choose_folder("Customers")
        self.run_crons()
        return stream


class ComparingGmail(ComparingApi):
    service_class = GmailService


class ComparingOutlook(ComparingApi):
    service_class = OutlookService
