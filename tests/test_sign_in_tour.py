from odoo.tests import HttpCase, tagged

from .api_mailbox import ApiMailbox, GmailService, OutlookService
from .common import MailFixtures

ADDRESS = "browser@chairs.example"


class Touring:
    """Connecting, losing the permission and reconnecting, in a real browser."""

    def start(self, path, name):
        self.mira.password = self.mira.login * 2
        self.start_tour(path, name, login=self.mira.login)

    def test_connect_break_reconnect(self):
        self.address = ADDRESS
        self.service.add_mailbox(ADDRESS)
        self.service.press(accept=True)
        self.deliver("Offer for 40 chairs")
        contact = f"/odoo/contacts/{self.anna.id}"
        # (nobody has a mailbox yet)
        (self.account | self.mailbox).active = False
        self.mailbox.sync_status = "draft"
        self.start(contact, f"easycrm_connect_{self.service.provider}_tour")
        self.account = self.env["easycrm.email.account"].search(
            [("email", "=", ADDRESS)]
        )
        self.assertEqual(self.account.user_id, self.mira)
        self.run_crons()
        self.assertTimeline(self.anna, ["Offer for 40 chairs"])
        self.start(contact, "easycrm_first_timeline_tour")

        self.service.revoke()
        self.deliver("Re: Offer for 40 chairs")
        self.run_crons()
        self.assertEqual(self.account.last_error_kind, "reconnect")
        self.start(contact, "easycrm_reconnect_tour")
        self.run_crons()
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.assertTimeline(
            self.anna, ["Re: Offer for 40 chairs", "Offer for 40 chairs"]
        )


@tagged("post_install", "-at_install")
class TestGmailTour(Touring, ApiMailbox, MailFixtures, HttpCase):
    """With Gmail."""

    allow_inherited_tests_method = True
    service_class = GmailService


@tagged("post_install", "-at_install")
class TestOutlookTour(Touring, ApiMailbox, MailFixtures, HttpCase):
    """With Microsoft 365."""

    allow_inherited_tests_method = True
    service_class = OutlookService
