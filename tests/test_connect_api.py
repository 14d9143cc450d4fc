from unittest.mock import patch

from odoo.tests import TransactionCase, tagged

from ..easycrm_mail.providers import GmailProvider, Retry
from .api_mailbox import ApiMailbox, GmailService, OutlookService
from .common import MailFixtures
from .connect_look import NOW, SINCE, Looking


class ConnectingApi:
    """The window of a mailbox that one signs in to."""

    def setUp(self):
        super().setUp()
        self.draft = self.as_user(self.account, self.mira)

    def sign_in_here(self, back="/odoo/contacts/7"):
        """Sign in from the window; return the page that it leads back to."""
        url = self.draft.connect_sign_in(back)["url"]
        account, error = self.finish(self.get_answer(url))
        self.assertFalse(error)
        return account._get_screen_path()

    def test_signing_in_leads_back_and_starts_nothing(self):
        self.assertEqual(self.sign_in_here(), "/odoo/contacts/7")
        self.assertEqual(self.account.sync_status, "draft")
        self.assertTrue(self.draft.connect_read()["is_signed_in"])
        self.assertIn("You stopped at “Look first”", self.draft.connect_words)
        self.run_crons()
        self.assertFalse(
            self.env["easycrm.email.copy"].search(
                [("account_id", "=", self.account.id)]
            )
        )

    def test_it_leads_back_to_pages_of_ours_only(self):
        form = f"{self.account._get_screen_path()}"
        for back in (
            "https://far.example/odoo",
            "//far.example",
            "/odoo/\\far.example",
            "/odoo//far.example",
            "/odoo/x\r\nX: y",
            "/web/session/logout",
            None,
        ):
            self.assertEqual(self.sign_in_here(back), form, back)

    def test_a_look_tells_the_kinds_and_stores_nothing(self):
        self.sign_in_here()
        self.deliver_all_kinds(
            lambda raw: self.service.deliver(self.address, raw, received=NOW)
        )
        before = self.count_rows()
        contents = self.service.contents(self.address)
        folders = self.draft.connect_get_folders()["folders"]
        streams = [one["stream"] for one in folders if one["default"]]
        mails = [mail for stream in streams for mail in self.look(stream)[0]]
        self.assertAllKinds(mails)
        self.assertEqual(self.count_rows(), before)
        self.assertEqual(self.service.contents(self.address), contents)

    def test_it_starts_as_it_was_chosen(self):
        self.sign_in_here()
        self.deliver("Offer for 40 chairs")
        folders = self.draft.connect_get_folders()["folders"]
        streams = [one["stream"] for one in folders if one["default"]]
        choices = {"folders": streams, "since": SINCE}
        self.assertFalse(self.draft.connect_start(choices))
        self.run_crons()
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.assertTimeline(self.anna, ["Offer for 40 chairs"])

    def test_a_permission_that_was_taken_back_is_told(self):
        self.sign_in_here()
        self.service.revoke()
        self.service.expire_tokens()
        answer = self.draft.connect_get_folders()
        self.assertEqual(answer["kind"], "reconnect")
        self.assertIn("taken back", answer["error"])


@tagged("post_install", "-at_install")
class TestConnectGmail(
    Looking, ConnectingApi, ApiMailbox, MailFixtures, TransactionCase
):
    """With Gmail."""

    allow_inherited_tests_method = True
    service_class = GmailService

    def test_what_was_used_of_the_limit_is_kept(self):
        self.sign_in_here()
        self.deliver("Offer for 40 chairs")
        self.look("all")
        self.assertTrue(self.account.quota_state)
        left = self.account._make_provider().budget.left()
        self.look("all")
        self.assertLess(self.account._make_provider().budget.left(), left)

    def test_a_service_that_asks_to_wait_is_obeyed_by_the_window(self):
        self.sign_in_here()
        error = Retry("busy", "slowly", 40)
        with patch.object(GmailProvider, "streams", side_effect=error):
            answer = self.draft.connect_get_folders()
        self.assertEqual((answer["kind"], answer["wait"]), ("retry", 40))


@tagged("post_install", "-at_install")
class TestConnectOutlook(
    Looking, ConnectingApi, ApiMailbox, MailFixtures, TransactionCase
):
    """With Microsoft 365."""

    allow_inherited_tests_method = True
    service_class = OutlookService
