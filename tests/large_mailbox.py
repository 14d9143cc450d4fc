"""A mailbox that hands over mails of some kilobytes by their header."""

import random
from unittest.mock import patch

from ..easycrm_mail.providers import imap, imap_page
from .common import raw_mail
from .mailbox import PASSWORD, RealMailbox

#: What is a large mail in these tests.
LARGE = 20_000

PLAN = random.Random(1).randbytes(40_000)


class LargeMailbox(RealMailbox):
    """Mails over 20 kB are large, and come by their headers."""

    def setUp(self):
        super().setUp()
        for module in (imap, imap_page):
            self.startPatcher(patch.object(module, "MAX_MAIL_BYTES", LARGE))

    def large_mail(self, **values):
        values.setdefault("subject", "Plan")
        values.setdefault("text", "The plan of the hall.")
        values.setdefault("to", self.account.email)
        values.setdefault("attachments", [("plan.pdf", "application/pdf", PLAN)])
        return raw_mail(**values)

    def put(self, raw, folder="INBOX", login=None):
        return self.server.deliver(login or self.login, raw, folder=folder)

    def connect_second(self, user=None, **values):
        """Connect another real mailbox of the same server, not read yet."""
        login = next(self.logins)
        account = self.env["easycrm.email.account"].create(
            {
                "email": "jonas.real@ours.example",
                "user_id": (user or self.jonas).id,
                "imap_host": self.server.host,
                "imap_port": self.server.port,
                "imap_security": "none",
                "imap_login": login,
                "imap_password": PASSWORD,
                **values,
            }
        )
        return account, login

    def read_mailbox(self, account=None):
        account = account or self.account
        account.with_user(account.user_id).action_sync_now()
        self.run_cron("_cron_backfill")
        self.run_cron("_cron_sync")

    def emails(self, account=None):
        domain = [("copy_ids.account_id", "=", (account or self.account).id)]
        return self.env["easycrm.email"].sudo().search(domain)

    def open(self, email, user=None):
        """Open a large email as its reader does; return the email that it is then."""
        answer = self.as_user(email, user or self.mira).easycrm_read_large()
        self.assertNotIn("error", answer)
        return self.env["easycrm.email"].sudo().browse(answer["email_id"])
