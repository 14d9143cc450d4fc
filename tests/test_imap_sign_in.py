"""Mailboxes by IMAP that are signed in to at Google or Microsoft."""

import ssl
import time
from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.tests import TransactionCase, tagged

from ..easycrm_mail.models import easycrm_email_account_sync, secrets
from ..easycrm_mail.providers import ImapProvider
from .api_mailbox import GmailService, OutlookService
from .common import MailCase, MailFixtures
from .imap_sign_in import HOST, SignedInImap
from .servers.smtp import SmtpServer
from .signing_in import SigningIn


class SigningInByImap(SigningIn):
    """What holds where a mail server takes the tokens."""

    asks = "check"

    def get_kept(self):
        return secrets.decrypt(self.get_grant().secret)

    def get_draft(self):
        return self.as_user(self.account, self.mira)

    # --- tokens end ---

    def test_a_token_that_has_ended_is_replaced_within_the_sync(self):
        self.sign_in()
        self.run_crons()
        before = self.get_kept()
        self.service.expire_tokens()
        self.deliver("Two")
        self.run_crons()
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.assertEqual(self.account.retry_count, 0)
        self.assertTimeline(self.anna, ["Two"])
        self.assertNotEqual(self.get_kept(), before, "what came instead is kept")

    def test_a_token_that_ends_in_mid_sync_is_replaced_within_it(self):
        self.sign_in()
        self.deliver("One")
        self.deliver("Two", sent=True)
        pull, asked = ImapProvider.pull, []

        def cut(provider, *args):
            batch = pull(provider, *args)
            if not asked:
                self.service.expire_tokens()
                self.dovecot.restart()
            asked.append(args)
            return batch

        with patch.object(ImapProvider, "pull", cut):
            self.run_cron("_cron_backfill")
        self.assertGreater(len(asked), 1)
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.assertEqual(self.account.retry_count, 0)
        self.assertTimeline(self.anna, ["Two", "One"])

    def test_a_token_that_is_refused_while_signing_in_is_replaced_and_kept(self):
        """Microsoft's refresh token is another one then, and the old one ends."""
        answer = self.get_answer(self.begin())
        check = ImapProvider.check

        def late(provider):
            self.service.expire_tokens()
            return check(provider)

        with patch.object(ImapProvider, "check", late):
            self.assertFalse(self.finish(answer)[1])
        self.service.expire_tokens()
        self.deliver("One")
        self.run_cron("_cron_backfill")
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)

    def test_a_mailbox_that_the_sign_in_does_not_open_any_more_asks_to_reconnect(self):
        self.sign_in()
        self.run_crons()
        other = f"other.{self.address}"
        self.env.cr.execute(
            "UPDATE easycrm_email_account SET imap_login = %s WHERE id = %s",
            [other, self.account.id],
        )
        self.env.invalidate_all()
        self.run_crons()
        self.assertEqual(self.account.sync_status, "error")
        self.assertEqual(self.account.last_error_kind, "reconnect")
        self.assertIn(f"does not open the mailbox of {other}", self.account.last_error)
        self.assertFalse(self.account.next_sync_at)

    # --- what forgets it ---

    def test_another_server_or_login_forgets_the_grant(self):
        for values in (
            {"imap_port": 1143},
            {"imap_security": "ssl"},
            {"imap_login": "else@chairs.example"},
            {"imap_auth": "password"},
        ):
            self.sign_in()
            self.account.write({"imap_host": HOST, "imap_auth": "oauth"})
            self.assertForgets(values)

    def test_a_token_goes_to_known_servers_only_and_under_tls(self):
        for values, words in (
            ({"imap_host": "imap.evil.example"}, "takes no sign-in with Google"),
            ({"imap_security": "none"}, "only sent encrypted"),
        ):
            with (
                self.assertRaisesRegex(ValidationError, words),
                self.env.cr.savepoint(),
            ):
                self.account.write(values)
        self.sign_in()
        self.account.write({"smtp_host": "smtp.evil.example", "smtp_port": 25})
        with self.assertRaisesRegex(UserError, "smtp.evil.example takes no sign-in"):
            self.account._get_sending_login()
        self.assertIsNone(self.account._make_provider()._smtp, "nor is it sent there")
        self.account.smtp_host = HOST
        self.assertEqual(self.account._make_provider()._smtp.host, HOST)

    # --- the window, and tests of the connection ---

    def test_the_window_leads_to_the_sign_in_and_back_to_the_look(self):
        self.account.unlink()
        read = self.Account.connect_save({"email": self.address, "provider": "imap"})
        self.account = self.env["easycrm.email.account"].browse(read["id"])
        read = self.get_draft().connect_save(
            {
                "imap_host": HOST,
                "imap_port": self.dovecot.port,
                "imap_security": "starttls",
                "imap_auth": "oauth",
            }
        )
        self.assertFalse(read["is_signed_in"])
        self.assertEqual(read["imap_auth"], "oauth")
        action = self.get_draft().connect_sign_in("/odoo/crm")
        account, error = self.finish(self.get_answer(action["url"]))
        self.assertFalse(error)
        self.assertEqual(account._get_screen_path(), "/odoo/crm")
        read = self.get_draft().connect_read()
        self.assertTrue(read["is_signed_in"])
        self.assertEqual(read["step"], "look")
        self.deliver("Offer")
        self.assertFalse(self.get_draft().connect_test("reading"))
        folders = self.get_draft().connect_get_folders()["folders"]
        self.assertIn("INBOX", [one["stream"] for one in folders])
        choices = {"folders": ["INBOX"], "since": str(self.account.sync_from)}
        self.assertFalse(self.get_draft().connect_start(choices))
        self.run_cron("_cron_backfill")
        self.assertTimeline(self.anna, ["Offer"])

    def test_sending_is_tested_with_the_same_sign_in(self):
        self.sign_in()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert(HOST).configure_cert(context)
        mine = []

        def is_token_of(*given):
            mine.append(given)
            return True

        with SmtpServer(
            {}, context, mechanisms=("XOAUTH2",), is_token_of=is_token_of
        ) as smtp:
            values = {"smtp_port": smtp.port, "smtp_security": "starttls"}
            self.get_draft().write({"smtp_host": HOST, **values})
            self.assertTrue(self.get_grant(), "only where mail leaves has changed")
            self.assertFalse(self.account._explain_sending_test(5))
            action = self.get_draft().action_test_connection()
            self.assertEqual(action["params"]["type"], "success")
            self.assertEqual(set(mine), {(self.address, mine[0][1])})
            self.assertEqual(len(mine), 2)
            self.assertIn(mine[0][1], self.get_kept())
            smtp.answers["AUTH"] = "535 5.7.3 Authentication unsuccessful"
            before = self.get_kept()
            with self.enter_registry_test_mode():
                action = self.get_draft().action_test_connection()
            self.env.invalidate_all()
            self.assertNotEqual(self.get_kept(), before, "another one was tried")
            self.assertEqual(action["params"]["type"], "warning")
            words = action["params"]["message"]
            self.assertIn(f"does not open the mailbox of {self.address}", words)

    def test_a_password_is_told_to_be_of_no_use(self):
        draft = self.get_draft()
        draft.write({"imap_auth": "password", "imap_password": "secret"})
        title = self.account._get_service_title(self.service.provider)
        words = draft.connect_test("reading")
        self.assertIn(f"takes no password. Choose to sign in with {title}", words)
        name = "google" if title == "Google" else "microsoft"
        self.env["ir.config_parameter"].set_param(f"easycrm_mail.{name}_client_id", "")
        words = draft.connect_test("reading")
        self.assertIn("An administrator sets that up once", words)
        with patch.object(
            type(self.account), "_get_sign_in_hosts", lambda _accounts: {}
        ):
            self.env.invalidate_all()
            words = draft.connect_test("reading")
        self.assertIn("connect it as Gmail or Microsoft 365", words)

    # --- what is registered ---

    def test_the_address_to_come_back_to_is_that_of_the_beginning(self):
        answer = self.get_answer(self.begin())
        self.env["ir.config_parameter"].set_param(
            "web.base.url", "https://moved.example"
        )
        self.assertFalse(self.finish(answer)[1])

    def test_a_mended_registration_wakes_the_mailbox(self):
        self.sign_in()
        self.run_crons()
        self.account.write({"sync_status": "error", "last_error_kind": "permanent"})
        Settings = self.env["res.config.settings"]
        for provider in ("gmail", "outlook"):
            if provider != self.service.provider:
                Settings._wake_easycrm_accounts(provider)
        self.assertFalse(self.account.next_sync_at)
        Settings._wake_easycrm_accounts(self.service.provider)
        self.assertTrue(self.account.next_sync_at)

    @property
    def Account(self):
        return self.as_user(self.env["easycrm.email.account"], self.mira)


@tagged("post_install", "-at_install")
class TestOutlookImapSignIn(
    SigningInByImap, SignedInImap, MailFixtures, TransactionCase
):
    """At Microsoft, as Exchange Online wants it."""

    allow_inherited_tests_method = True
    service_class = OutlookService

    def test_it_asks_for_mail_programs_and_not_for_the_api(self):
        url = self.begin()
        self.assertIn("IMAP.AccessAsUser.All", url)
        self.assertIn("SMTP.Send", url)
        self.assertIn("offline_access", url)
        self.assertNotIn("Mail.Read", url)


@tagged("post_install", "-at_install")
class TestGmailImapSignIn(SigningInByImap, SignedInImap, MailFixtures, TransactionCase):
    """At Google, as a Workspace without app passwords wants it."""

    allow_inherited_tests_method = True
    service_class = GmailService

    def test_disconnecting_gives_the_grant_back(self):
        self.sign_in()
        oauth = self.service.server.oauth
        self.assertIn(self.address, [one.email for one in oauth.consents])
        action = self.get_draft().action_disconnect()
        self.assertEqual(action["params"]["type"], "info")
        self.assertNotIn(self.address, [one.email for one in oauth.consents])

    def test_a_change_of_the_way_in_gives_the_grant_back(self):
        self.sign_in()
        self.account.imap_auth = "password"
        self.env.cr.postcommit.run()
        oauth = self.service.server.oauth
        self.assertNotIn(self.address, [one.email for one in oauth.consents])


@tagged("post_install", "-at_install")
class TestMailServers(MailCase, TransactionCase):
    """What is known of mail servers, and how long a test takes."""

    def setUp(self):
        super().setUp()
        self.Account = self.as_user(self.mailbox, self.mira).browse()

    def register(self, service):
        params = self.env["ir.config_parameter"]
        params.set_param(f"easycrm_mail.{service}_client_id", "ours")
        secret = self.env["easycrm.email.account"]._encrypt("theirs")
        params.set_param(f"easycrm_mail.{service}_client_secret", secret)

    def test_microsoft_takes_a_sign_in_and_google_an_app_password_too(self):
        find = self.Account.connect_find_servers
        self.assertEqual(find("a@hotmail.com")["imap_auth"], "oauth")
        self.assertEqual(find("a@hotmail.com")["smtp_host"], "smtp-mail.outlook.com")
        self.assertEqual(find("a@gmail.com")["imap_auth"], "password")
        self.assertEqual(find("a@gmail.com")["password_note"], "app")
        self.assertEqual(find("a@gmx.de")["imap_auth"], "password")
        self.register("google")
        self.assertEqual(find("a@gmail.com")["imap_auth"], "oauth")

    def test_the_window_is_told_of_the_hosts(self):
        hosts = self.Account.connect_get_options()["sign_in_hosts"]
        exchange = hosts["outlook.office365.com"]
        self.assertEqual(exchange["service"], "outlook")
        self.assertEqual(exchange["password_note"], "")
        self.assertEqual(exchange["sending"]["smtp_host"], "smtp.office365.com")
        self.assertEqual(hosts["imap.gmail.com"]["service"], "gmail")
        self.assertIn("smtp.office365.com", hosts)

    def test_without_a_registration_it_is_said_who_makes_it(self):
        account = self.Account.create(
            {
                "email": "a@tallwood.example",
                "imap_host": "Outlook.Office365.com",
                "imap_auth": "oauth",
            }
        )
        self.assertEqual(account.sign_in_service, "outlook")
        with self.assertRaisesRegex(UserError, "An administrator does it once"):
            account.connect_sign_in("/odoo")

    def test_the_form_chooses_by_the_server(self):
        for host, auth in (
            ("outlook.office365.com", "oauth"),
            ("imap.tallwood.example", "password"),
        ):
            account = self.Account.new({"email": "a@tallwood.example"})
            account.imap_host = host
            account._onchange_imap_host()
            self.assertEqual(account.imap_auth, auth)

    def test_a_mailbox_that_has_a_password_keeps_it(self):
        self.mailbox.write({"imap_host": "imap.gmail.com", "imap_password": "app pass"})
        self.assertEqual(self.mailbox.imap_auth, "password")
        self.assertFalse(self.mailbox.sign_in_service)
        self.assertTrue(self.mailbox.has_password)
        self.mailbox.imap_auth = "oauth"
        self.assertFalse(self.mailbox.has_password)

    def test_a_test_of_both_servers_ends_in_time(self):
        given = {}

        def read(provider):
            given["reading"] = provider._time_left()
            return []

        def send(*args):
            given["sending"] = args[5]

        self.mailbox.write({"smtp_host": "smtp.tallwood.example"})
        begun = time.monotonic()
        with (
            patch.object(ImapProvider, "streams", read),
            patch(f"{CHECKS}.check_smtp", send),
            patch.object(easycrm_email_account_sync, "monotonic", lambda: begun),
        ):
            self.as_user(self.mailbox, self.mira).action_test_connection()
        self.assertLessEqual(given["reading"], 8)
        self.assertEqual(given["sending"], 10)
        with (
            patch.object(ImapProvider, "streams", read),
            patch(f"{CHECKS}.check_smtp", send),
            patch.object(
                easycrm_email_account_sync, "monotonic", iter([0, 8]).__next__
            ),
        ):
            self.as_user(self.mailbox, self.mira).action_test_connection()
        self.assertEqual(given["sending"], 2)


CHECKS = "odoo.addons.easycrm_mail.easycrm_mail.models.easycrm_email_account_connect"
