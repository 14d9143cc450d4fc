from datetime import datetime, timezone
from unittest.mock import patch

from odoo.tests import HttpCase, tagged

from .mailbox import PASSWORD, RealMailbox
from .servers.smtp import SmtpServer

LIST = "/odoo/action-easycrm_mail.easycrm_email_account_action_my"


@tagged("post_install", "-at_install")
class TestConnectTour(RealMailbox, HttpCase):
    """Connecting a mailbox with a password, in a real browser, on real servers."""

    def test_from_nothing_to_the_first_timeline(self):
        now = datetime.now(timezone.utc)
        self.deliver("Offer for 40 chairs", date=now)
        self.deliver("Hello", sender="stranger@far.example", date=now)
        self.deliver(
            "Re: Offer", sender="mira.new@ours.example", to="anna@acme.example",
            folder="Sent", date=now,
        )  # fmt: skip
        self.account.active = False
        smtp = SmtpServer({self.login: PASSWORD})
        self.enterContext(smtp)
        known = {
            "imap_host": self.server.host,
            "imap_port": self.server.port,
            "imap_security": "none",
            "imap_login": self.login,
            "smtp_host": "127.0.0.1",
            "smtp_port": smtp.port,
            "smtp_security": "none",
            "password_note": "app",
        }
        self.startPatcher(
            patch.object(
                type(self.account),
                "_get_known_servers",
                lambda _: {"ours.example": known},
            )
        )
        self.mira.password = self.mira.login * 2
        self.start_tour(LIST, "easycrm_connect_imap_tour", login=self.mira.login)
        account = self.account.search([("email", "=", "mira.new@ours.example")])
        self.assertEqual(account.user_id, self.mira)
        self.assertEqual(account.share_level, "subject")
        self.account = account
        self.run_cron("_cron_backfill")
        self.assertEqual(account.sync_status, "ok", account.last_error)
        self.assertTimeline(self.anna, ["Offer for 40 chairs"])
        self.start_tour(
            f"/odoo/contacts/{self.anna.id}",
            "easycrm_first_timeline_tour",
            login=self.mira.login,
        )
