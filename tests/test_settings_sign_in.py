"""Settings → Signing in: what the administrator enters, and the check button."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, TransactionCase, tagged

from ..easycrm_mail.providers import Permanent, Reconnect
from .api_mailbox import SECRETS, ApiMailbox, GmailService, OutlookService
from .common import MailFixtures


class Registering:
    """What holds for both services."""

    service = None

    def setUp(self):
        super().setUp()
        self.name = "google" if self.service.provider == "gmail" else "microsoft"

    def save(self, **values):
        settings = self.env["res.config.settings"].create(
            {f"easycrm_{self.name}_{name}": value for name, value in values.items()}
        )
        settings.execute()
        return settings

    def check(self):
        settings = self.env["res.config.settings"].create({})
        return getattr(settings, f"action_easycrm_check_{self.name}")()["params"]

    def test_a_secret_is_written_and_never_read(self):
        secret = "a new secret of theirs"
        settings = self.save(client_id="theirs", client_secret=f" {secret} ")
        field = f"easycrm_{self.name}_client_secret"
        self.assertFalse(settings[field])
        self.assertFalse(settings.read([field])[0][field])
        self.assertTrue(settings[f"easycrm_{self.name}_has_secret"])
        self.env.flush_all()
        for table in ("res_config_settings", "ir_config_parameter"):
            self.env.cr.execute(f"SELECT to_jsonb(t)::text FROM {table} t")
            rows = "".join(row[0] for row in self.env.cr.fetchall())
            self.assertNotIn(secret, rows)
        sign_in = self.account._make_sign_in(self.service.provider)
        self.assertEqual(sign_in._client_secret, secret)

    def test_saving_without_a_secret_keeps_it(self):
        before = self.account._make_sign_in(self.service.provider)._client_secret
        self.save(client_id="theirs")
        after = self.account._make_sign_in(self.service.provider)._client_secret
        self.assertEqual(before, after)

    def test_mailboxes_that_waited_for_another_registration_are_read(self):
        self.assertFalse(self.sign_in())
        for values in (
            {"client_secret": "a new one"},
            {"client_id": "another one"},
        ):
            self.account._mark_failed(Permanent("client"))
            self.assertFalse(self.account.next_sync_at)
            self.save(**values)
            self.assertTrue(self.account.next_sync_at, values)
            self.account.sync_status = "ok"
        self.account._mark_failed(Reconnect("grant"))
        self.save(client_secret="the next one")
        self.assertFalse(self.account.next_sync_at)

    def test_the_redirect_uri_is_shown(self):
        self.env["ir.config_parameter"].set_param(
            "web.base.url", "https://odoo.chairs.example"
        )
        settings = Form(self.env["res.config.settings"])
        self.assertEqual(
            settings[f"easycrm_{self.name}_redirect_uri"],
            f"https://odoo.chairs.example/easycrm_mail/oauth/{self.name}",
        )

    def test_the_right_registration_is_known(self):
        self.assertEqual(self.check()["type"], "success")

    def test_an_address_without_tls_is_told(self):
        registered = self.account._get_redirect_uri(self.service.provider)
        self.addCleanup(self.service.register, registered)
        base = "http://odoo.chairs.example"
        self.env["ir.config_parameter"].set_param("web.base.url", base)
        self.service.register(f"{base}{self.service.route}")
        told = self.check()
        self.assertEqual(told["type"], "warning")
        self.assertIn("https://", told["message"])

    def test_a_wrong_secret_is_told(self):
        self.save(client_id=SECRETS["client_id"], client_secret="wrong")
        told = self.check()
        self.assertEqual(told["type"], "danger")
        self.assertIn("The client secret in", told["message"])

    def test_a_wrong_client_is_told(self):
        self.save(client_id="somebody else's")
        self.assertIn("does not know the client ID", self.check()["message"])

    def test_a_service_that_does_not_answer_is_told(self):
        self.service.server.break_("", "refuse", times=20)
        told = self.check()
        self.assertEqual(told["type"], "danger")
        self.assertRegex(told["message"], "broke off|cannot be reached")

    def test_nothing_to_check_is_told(self):
        self.env["ir.config_parameter"].set_param(
            f"easycrm_mail.{self.name}_client_secret", False
        )
        with self.assertRaisesRegex(UserError, "Enter the client ID"):
            self.check()

    def test_only_administrators_check(self):
        settings = self.env["res.config.settings"].create({})
        for user in (self.mira, self.sofia):
            with self.assertRaises(AccessError):
                method = f"action_easycrm_check_{self.name}"
                getattr(settings.with_user(user), method)()


@tagged("post_install", "-at_install")
class TestGoogleSettings(Registering, ApiMailbox, MailFixtures, TransactionCase):
    """Google."""

    allow_inherited_tests_method = True
    service_class = GmailService

    def test_an_unknown_redirect_uri_is_told(self):
        self.env["ir.config_parameter"].set_param(
            "web.base.url", "https://odoo.chairs.example"
        )
        self.assertIn("redirect URI", self.check()["message"])


@tagged("post_install", "-at_install")
class TestMicrosoftSettings(Registering, ApiMailbox, MailFixtures, TransactionCase):
    """Microsoft."""

    allow_inherited_tests_method = True
    service_class = OutlookService

    def test_an_unknown_tenant_is_told(self):
        self.save(tenant="nowhere.example")
        self.assertIn("tenant", self.check()["message"])
