from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..providers import (
    GRAPH_LIMIT,
    Budget,
    GmailProvider,
    GoogleSignIn,
    ImapProvider,
    MicrosoftSignIn,
    OutlookProvider,
    SmtpSettings,
)
from . import secrets
from .easycrm_email_account import SYNC_TIMEOUT
from .grant_keeper import GrantKeeper

#: The system parameters of a service's registration, and its route.
SERVICES = {"gmail": "google", "outlook": "microsoft"}

#: Seconds to wait for one answer of a sign-in; a call may take twice as long.
SIGN_IN_TIMEOUT = 10


class EasycrmEmailAccount(models.Model):
    """What a mailbox is read through, and the registrations that signing in needs."""

    _inherit = "easycrm.email.account"

    signed_in_as = fields.Char(compute="_compute_signed_in_as", compute_sudo=True)
    quota_state = fields.Char(groups=fields.NO_ACCESS, copy=False)

    def _compute_signed_in_as(self):
        grants = self._get_grants()
        emails = {grant.account_id: grant.email for grant in grants}
        for account in self:
            account.signed_in_as = emails.get(account._origin, False)

    def _get_grants(self):
        """Return the grants of these mailboxes, as superuser."""
        grants = self.env["easycrm.email.grant"].sudo()
        return grants.search(Domain("account_id", "in", self.ids))

    def _is_shared(self):
        """Tell whether others sign in to it than it is named after: Microsoft's alone.

        (The box stays as it was when the provider is changed.)
        """
        return self.provider == "outlook" and self.shared_mailbox

    def _lacks_grant(self):
        """Tell whether somebody has to sign in before the mailbox can be read."""
        self.ensure_one()
        return bool(self.sign_in_service) and not self._get_grants()

    def _make_provider(self, timeout=SYNC_TIMEOUT, patience=float("inf")):
        """Return a provider for this mailbox, not connected yet.

        :param patience: seconds for all that it is asked
        :raise UserError: something that it needs is not filled in
        """
        self.ensure_one()
        self._check_owner_is_here()
        account = self.sudo()
        if not account.sign_in_service:
            return account._make_imap_provider(timeout, patience)
        keeper = account._make_grant_keeper(timeout)
        return account._make_api_provider(keeper, timeout, patience)

    def _make_grant_keeper(self, timeout=SYNC_TIMEOUT):
        """Return the `providers.TokenSource` of this mailbox.

        :raise UserError: nobody has signed in
        """
        grant = self._get_grants()
        if not grant:
            raise UserError(
                self.env._("Sign in to %s to connect this mailbox.", self.email)
            )
        sign_in = self._get_sign_in(min(timeout / 2, SIGN_IN_TIMEOUT))
        secret = self._decrypt_grant(grant)
        return GrantKeeper(self.env.registry, self.id, sign_in, secret, timeout)

    def _make_imap_provider(self, timeout, patience, tokens=None):
        if not self.imap_host or not self.imap_port:
            raise UserError(self.env._("Enter the mail server and its port."))
        if not tokens and not self.imap_secret:
            raise UserError(
                self.env._(
                    "Enter the password of the mailbox. It is forgotten whenever its "
                    "server, port, encryption or login changes."
                )
            )
        return ImapProvider(
            self.imap_host,
            self.imap_port,
            self.imap_security,
            self.imap_login or self.email,
            "" if tokens else self._decrypt_password(),
            timeout=timeout,
            patience=patience,
            smtp=self._get_smtp_settings(),
            tokens=tokens,
        )

    def _get_smtp_settings(self):
        """Return where the mailbox's mail goes out; None where that is not entered, or
        would be given an access token that is none of its business."""
        if not self.smtp_host or not self.smtp_port or not self._may_send_through():
            return None
        return SmtpSettings(self.smtp_host, self.smtp_port, self.smtp_security)

    def _decrypt_password(self):
        """Return the mailbox's password.

        :raise UserError: the key that it was encrypted with is not here any more
        """
        try:
            return secrets.decrypt(self.imap_secret)
        except secrets.UnknownKey:
            raise UserError(
                self.env._(
                    "The stored password cannot be read any more: the encryption key "
                    "(easycrm_mail_key) has changed or is not valid. Enter the "
                    "password again once it is right."
                )
            ) from None

    def _make_api_provider(self, tokens, timeout, patience):
        """Return a provider for a mailbox that one signs in to.

        :param tokens: a `providers.TokenSource`
        """
        if self.provider == "imap":
            return self._make_imap_provider(timeout, patience, tokens)
        if self.provider == "gmail":
            return GmailProvider(
                self.email,
                tokens,
                timeout=timeout,
                patience=patience,
                budget=self._get_budget(),
            )
        return OutlookProvider(
            tokens,
            self.email if self._is_shared() else "",
            timeout=timeout,
            patience=patience,
            budget=self._get_budget(),
        )

    def _get_budget(self):
        """Return what may still be asked of the service; None where nobody counts."""
        self.ensure_one()
        limits = {
            "gmail": {"limit": self._get_gmail_quota()},
            "outlook": GRAPH_LIMIT,
        }
        if self.provider in limits:
            return Budget.load(self.quota_state or "", **limits[self.provider])
        return None

    @api.model
    def _get_gmail_quota(self):
        """Return the units that Google gives a minute and user.

        Projects from before May 2026 have 15,000:
        https://developers.google.com/workspace/gmail/api/reference/quota
        """
        params = self.env["ir.config_parameter"].sudo()
        units = params.get_param("easycrm_mail.gmail_units") or ""
        # (a system parameter: anybody may have written anything)
        return int(units) if units.isdecimal() and int(units) >= 600 else 6000

    def _keep_quota(self, provider):
        """Remember what a provider has used up of the service's limit."""
        if provider.budget and self.exists():
            self.quota_state = provider.budget.dump()

    def _decrypt_grant(self, grant):
        try:
            return secrets.decrypt(grant.secret)
        except secrets.UnknownKey:
            raise UserError(
                self.env._(
                    "The stored sign-in cannot be read any more: the encryption key "
                    "(easycrm_mail_key) has changed or is not valid. Sign in again "
                    "once it is right."
                )
            ) from None

    @api.model
    def _get_service_title(self, provider):
        """Return the name of a service, for people."""
        return {"gmail": "Google", "outlook": "Microsoft"}.get(provider, "IMAP")

    @api.model
    def _get_redirect_uri(self, provider):
        """Return the address that the service sends the browser back to.

        The same for all mailboxes, as it is registered once: a record would answer with
        its company's website.
        """
        return f"{self.browse().get_base_url()}/easycrm_mail/oauth/{SERVICES[provider]}"

    def _get_sign_in(self, timeout=SIGN_IN_TIMEOUT):
        """Return the `providers.SignIn` of this mailbox's service.

        :raise UserError: it has a password; the administrator has not set it up
        """
        self.ensure_one()
        if not self.sign_in_service:
            raise UserError(self.env._("This mailbox is connected by a password."))
        is_imap = self.provider == "imap"
        return self._make_sign_in(
            self.sign_in_service, self._is_shared(), is_imap, timeout
        )

    @api.model
    def _make_sign_in(
        self, provider, shared=False, imap=False, timeout=SIGN_IN_TIMEOUT
    ):
        params = self.env["ir.config_parameter"].sudo()
        service = SERVICES[provider]
        client_id = params.get_param(f"easycrm_mail.{service}_client_id")
        secret = params.get_param(f"easycrm_mail.{service}_client_secret")
        if not client_id or not secret:
            raise UserError(
                self.env._(
                    "Signing in with %s has not been set up yet. An administrator does "
                    "it once, under Settings → Email for CRM.",
                    self._get_service_title(provider),
                )
            )
        try:
            secret = secrets.decrypt(secret)
        except secrets.UnknownKey:
            raise UserError(
                self.env._(
                    "The client secret of %s cannot be read any more: the encryption "
                    "key (easycrm_mail_key) has changed or is not valid. Ask your "
                    "administrator.",
                    self._get_service_title(provider),
                )
            ) from None
        if provider == "gmail":
            return GoogleSignIn(client_id, secret, timeout, imap)
        tenant = params.get_param("easycrm_mail.microsoft_tenant") or "organizations"
        return MicrosoftSignIn(client_id, secret, tenant, shared, timeout, imap)
