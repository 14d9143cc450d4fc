"""A mailbox with attachments in its mail, for tests of what is stored of them."""

from datetime import timedelta

from odoo import fields

from .common import MailCase, raw_mail
from .mailbox import PASSWORD, RealMailbox
from .servers.fault_proxy import FaultProxy

OFFER = ("offer.pdf", "application/pdf", b"%PDF-1.4 the offer")
TERMS = ("terms.txt", "text/plain", b"The terms.\n")


class FilesCase(RealMailbox, MailCase):
    """A mailbox that is read for real, and what is here of its attachments."""

    def put(self, *attachments, login=None, **values):
        values.setdefault("to", self.account.email)
        raw = raw_mail(attachments=attachments or [OFFER], **values)
        return self.server.deliver(login or self.login, raw)

    def read(self):
        """Read the mailbox, and let the backfill do what it finds."""
        self.account.with_user(self.mira).action_sync_now()
        self.run_cron("_cron_sync")
        self.run_cron("_cron_backfill")

    def emails(self):
        domain = [("copy_ids.account_id", "=", self.account.id)]
        return self.env["easycrm.email"].sudo().search(domain)

    def files(self):
        """Return {subject: names of the attachments that are here}."""
        return {
            email.subject: email.attachment_line_ids.attachment_id.mapped("name")
            for email in self.emails()
        }

    def make_due(self):
        """Let the time pass until those that failed are tried again."""
        due = self.emails().filtered("fetch_at")
        due.fetch_at = fields.Datetime.now() - timedelta(minutes=1)

    def watch(self):
        """Have the mailbox read past a witness."""
        proxy = FaultProxy(self.server.host, self.server.port)
        self.addCleanup(proxy.close)
        self.account.write({"imap_port": proxy.port, "imap_password": PASSWORD})
        return proxy
