"""Coming back from the consent page: what the browser is shown, and who may."""

from unittest.mock import patch
from urllib.parse import urlencode

from psycopg2.errors import SerializationFailure

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .api_mailbox import ApiMailbox, GmailService, OutlookService
from .common import MailFixtures


class ComingBack:
    """The address that the browser is sent back to."""

    def come_back(self, answer, login="mira.user", **kwargs):
        self.mira.password = self.jonas.password = "come back in"
        self.authenticate(login, "come back in")
        return self.url_open(
            f"{self.service.route}?{urlencode(answer)}", allow_redirects=False, **kwargs
        )

    def test_the_browser_lands_on_the_account(self):
        answer = self.get_answer(self.begin())
        response = self.come_back(answer)
        self.assertEqual(response.status_code, 303)
        self.assertTrue(
            response.headers["Location"].endswith(
                "/odoo/action-easycrm_mail.easycrm_email_account_action_my/"
                f"{self.account.id}"
            )
        )
        self.assertTrue(self.get_grant())

    def test_another_worker_that_crosses_undoes_nothing(self):
        """The code is used up: what it was exchanged for is stored all the same."""
        Account = self.env.registry["easycrm.email.account"]
        add_aliases, crossings = Account._add_aliases, [SerializationFailure()]

        def crossed(account, addresses):
            if crossings:
                raise crossings.pop()
            return add_aliases(account, addresses)

        answer = self.get_answer(self.begin())
        with patch.object(Account, "_add_aliases", crossed):
            response = self.come_back(answer)
        self.assertEqual(response.status_code, 303)
        self.assertFalse(crossings)
        self.assertTrue(self.get_grant())
        self.assertIn(f"alias.{self.address}", self.account.alias_emails)
        self.assertEqual(self.account.sync_stage, "waiting")

    def test_what_went_wrong_is_said_with_the_way_back(self):
        answer = self.get_answer(self.begin(), f"other.{self.address}")
        response = self.come_back(answer)
        self.assertEqual(response.status_code, 200)
        self.assertIn(f"You signed in as other.{self.address}", response.text)
        self.assertIn(f"_account_action_my/{self.account.id}", response.text)
        self.assertEqual(response.headers["Referrer-Policy"], "no-referrer")
        self.assertNotIn(answer["code"], response.text)

    @mute_logger("odoo.http")
    def test_nobody_is_sent_elsewhere(self):
        evil = "https://evil.example/"
        for more in (
            {"redirect": evil, "next": evil, "redirect_uri": evil, "url": evil},
            {"path": evil, "error": f"<a href='{evil}'>", "error_description": evil},
        ):
            answer = self.get_answer(self.begin(), f"other.{self.address}")
            response = self.come_back({**more, **answer})
            self.assertNotIn("evil.example", response.headers.get("Location", ""))
            self.assertNotIn("evil.example", response.text)

    def test_an_answer_from_nowhere_is_shown_as_such(self):
        response = self.come_back({"state": "x", "code": "<script>alert(1)</script>"})
        self.assertEqual(response.status_code, 200)
        self.assertIn("too old", response.text)
        self.assertNotIn("<script>alert", response.text)

    def test_another_users_answer_is_none(self):
        answer = self.get_answer(self.begin())
        response = self.come_back(answer, "jonas.user")
        self.assertEqual(response.status_code, 200)
        self.assertFalse(self.get_grant())

    def test_who_is_not_signed_in_to_odoo_is_asked_to(self):
        answer = self.get_answer(self.begin())
        response = self.url_open(
            f"{self.service.route}?{urlencode(answer)}", allow_redirects=False
        )
        self.assertIn("/web/login", response.headers["Location"])
        self.assertFalse(self.get_grant())

    def test_only_get_leads_there(self):
        self.mira.password = "come back in"
        self.authenticate("mira.user", "come back in")
        with mute_logger("odoo.http"):
            response = self.url_open(self.service.route, data={"state": "x"})
        self.assertEqual(response.status_code, 405)


@tagged("post_install", "-at_install")
class TestOutlookComingBack(ComingBack, ApiMailbox, MailFixtures, HttpCase):
    """From Microsoft."""

    allow_inherited_tests_method = True
    service_class = OutlookService


@tagged("post_install", "-at_install")
class TestGmailComingBack(ComingBack, ApiMailbox, MailFixtures, HttpCase):
    """From Google."""

    allow_inherited_tests_method = True
    service_class = GmailService
