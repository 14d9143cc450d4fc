from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..providers import MailboxError
from .easycrm_email_account_provider import SERVICES

#: The hosts that may be named without TLS, at Google and at Microsoft.
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}


def is_accepted(redirect_uri):
    """Tell whether the services take an address like this one to come back to."""
    parts = urlsplit(redirect_uri)
    return parts.scheme == "https" or parts.hostname in LOCAL_HOSTS


class ResConfigSettings(models.TransientModel):
    """The registrations of this database at Google and Microsoft."""

    _inherit = "res.config.settings"

    easycrm_google_client_id = fields.Char(
        string="Google client ID", config_parameter="easycrm_mail.google_client_id"
    )
    easycrm_google_client_secret = fields.Char(
        string="Google client secret",
        compute="_compute_easycrm_client_secrets",
        inverse="_inverse_easycrm_google_client_secret",
    )
    easycrm_google_has_secret = fields.Boolean(compute="_compute_easycrm_sign_in")
    easycrm_google_redirect_uri = fields.Char(
        string="Google redirect URI", compute="_compute_easycrm_sign_in"
    )
    easycrm_microsoft_client_id = fields.Char(
        string="Microsoft client ID",
        config_parameter="easycrm_mail.microsoft_client_id",
    )
    easycrm_microsoft_client_secret = fields.Char(
        string="Microsoft client secret",
        compute="_compute_easycrm_client_secrets",
        inverse="_inverse_easycrm_microsoft_client_secret",
    )
    easycrm_microsoft_has_secret = fields.Boolean(compute="_compute_easycrm_sign_in")
    easycrm_microsoft_redirect_uri = fields.Char(
        string="Microsoft redirect URI", compute="_compute_easycrm_sign_in"
    )
    easycrm_microsoft_tenant = fields.Char(
        string="Microsoft tenant", config_parameter="easycrm_mail.microsoft_tenant"
    )

    def _compute_easycrm_client_secrets(self):
        # write only: nobody reads a secret back
        self.easycrm_google_client_secret = False
        self.easycrm_microsoft_client_secret = False

    def _inverse_easycrm_google_client_secret(self):
        self._keep_easycrm_secret("google")

    def _inverse_easycrm_microsoft_client_secret(self):
        self._keep_easycrm_secret("microsoft")

    def set_values(self):
        before = self._get_easycrm_registrations()
        result = super().set_values()
        after = self._get_easycrm_registrations()
        for provider in SERVICES:
            if after[provider] != before[provider]:
                self._wake_easycrm_accounts(provider)
        return result

    @api.model
    def _get_easycrm_registrations(self):
        params = self.env["ir.config_parameter"].sudo()
        return {
            provider: [
                params.get_param(f"easycrm_mail.{service}_{name}")
                for name in ("client_id", "tenant")
            ]
            for provider, service in SERVICES.items()
        }

    @api.model
    def _wake_easycrm_accounts(self, provider):
        """Have the mailboxes read that have waited for another registration."""
        accounts = self.env["easycrm.email.account"].sudo()
        accounts.search(
            [
                ("sync_status", "=", "error"),
                ("last_error_kind", "=", "permanent"),
                "|",
                ("provider", "=", provider),
                ("imap_auth", "=", "oauth"),
            ]
        ).filtered(
            lambda account: account.sign_in_service == provider
        ).action_sync_now()

    def _keep_easycrm_secret(self, service):
        name = f"easycrm_{service}_client_secret"
        for settings in self:
            if secret := settings[name]:
                self.env["ir.config_parameter"].set_param(
                    f"easycrm_mail.{service}_client_secret",
                    self.env["easycrm.email.account"]._encrypt(secret.strip()),
                )
                [provider] = [p for p, one in SERVICES.items() if one == service]
                self._wake_easycrm_accounts(provider)
        # what was typed leaves the cache too
        self.invalidate_recordset([name], flush=False)

    @api.depends("easycrm_google_client_id", "easycrm_microsoft_client_id")
    def _compute_easycrm_sign_in(self):
        params = self.env["ir.config_parameter"].sudo()
        for settings in self:
            for provider, service in SERVICES.items():
                secret = params.get_param(f"easycrm_mail.{service}_client_secret")
                settings[f"easycrm_{service}_has_secret"] = bool(secret)
                settings[f"easycrm_{service}_redirect_uri"] = self.env[
                    "easycrm.email.account"
                ]._get_redirect_uri(provider)

    def action_easycrm_check_google(self):
        """Ask Google whether it knows this registration."""
        return self._check_easycrm_registration("gmail")

    def action_easycrm_check_microsoft(self):
        """Ask Microsoft whether it knows this registration."""
        return self._check_easycrm_registration("outlook")

    def _check_easycrm_registration(self, provider):
        """Check what is saved.

        :return: the action that says how it went, in plain words
        """
        self.ensure_one()
        self.check_access("write")
        Account = self.env["easycrm.email.account"]
        title = Account._get_service_title(provider)
        try:
            sign_in = Account._make_sign_in(provider)
        except UserError:
            raise UserError(
                self.env._("Enter the client ID and the client secret first.")
            ) from None
        Account._release_transaction()
        redirect_uri = Account._get_redirect_uri(provider)
        try:
            sign_in.check(redirect_uri)
        except MailboxError as error:
            words = Account.new({"provider": provider})._explain_error(error)
            return Account._show_result(
                "danger",
                words,
                title=self.env._("Signing in with %s would not work", title),
                sticky=True,
            )
        if not is_accepted(redirect_uri):
            return Account._show_result(
                "warning",
                self.env._(
                    "%(service)s knows this client ID and secret, but takes no "
                    "redirect URI that begins with http://, as %(uri)s does. It is "
                    "made of the system parameter web.base.url: enter there the "
                    "https:// address of this Odoo.",
                    service=title,
                    uri=redirect_uri,
                ),
                sticky=True,
            )
        return Account._show_result(
            "success",
            self.env._(
                "%s knows this client ID and secret. Whether the redirect URI and the "
                "permissions are right shows when you sign in: try it with your own "
                "mailbox, under CRM → Sales → My Mail Accounts.",
                title,
            ),
            sticky=True,
        )
