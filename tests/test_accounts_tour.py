from datetime import datetime, timezone

from odoo.tests import HttpCase, tagged

from .mailbox import RealMailbox

LIST = "/odoo/action-easycrm_mail.easycrm_email_account_action"


@tagged("post_install", "-at_install")
class TestAccountsTour(RealMailbox, HttpCase):
    """What an administrator does with the list of all mailboxes, in a real browser."""

    def tour(self, name):
        self.start_tour(LIST, name, login=self.sofia.login)

    def test_find_a_mailbox_that_has_lost_an_email_and_have_it_healed(self):
        self.sofia.password = self.sofia.login * 2
        self.mira.tz = self.sofia.tz = "UTC"
        self.deliver("One", "Two", date=datetime.now(timezone.utc))
        self.start()
        copies = self.env["easycrm.email.copy"].search(
            [("account_id", "=", self.account.id)]
        )
        copies[0].unlink()
        self.tour("easycrm_accounts_tour")
        self.assertTrue(self.account.check_at)
        self.run_cron()
        self.assertEqual(self.account.week_recovered, 1)
        self.tour("easycrm_accounts_healed_tour")
