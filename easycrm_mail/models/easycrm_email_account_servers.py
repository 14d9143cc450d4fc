import json

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import file_open, ormcache

from .easycrm_email_account import SYNC_TIMEOUT
from .easycrm_email_account_provider import SERVICES

#: Whose sign-ins there are, by the account's `provider`.
SIGN_INS = [("gmail", "Google"), ("outlook", "Microsoft")]

#: What `data/mail_servers.json` says beside the values of the account's fields.
NO_FIELDS = {"domains", "other_hosts", "sign_in", "source"}


class EasycrmEmailAccount(models.Model):
    """The mail servers that are known, and how one signs in to them.

    Some take no password but an access token, from a sign-in at Google or Microsoft. A
    token is only given to the servers that the data file names: it opens the mailbox.
    """

    _inherit = "easycrm.email.account"

    imap_auth = fields.Selection(
        [("password", "By a password"), ("oauth", "With Google or Microsoft")],
        string="Signing In",
        required=True,
        default="password",
    )
    imap_service = fields.Selection(
        SIGN_INS,
        compute="_compute_imap_service",
        help="Whose sign-in its mail server takes.",
    )
    sign_in_service = fields.Selection(
        SIGN_INS,
        compute="_compute_sign_in_service",
        help="Where one signs in to the mailbox; nothing where it has a password.",
    )

    @api.depends("imap_host")
    def _compute_imap_service(self):
        for account in self:
            account.imap_service = self._get_host_service(account.imap_host)

    @api.depends("provider", "imap_auth", "imap_service")
    def _compute_sign_in_service(self):
        for account in self:
            if account.provider != "imap":
                account.sign_in_service = account.provider
            else:
                is_signed_in = account.imap_auth == "oauth"
                account.sign_in_service = is_signed_in and account.imap_service

    @api.onchange("imap_host")
    def _onchange_imap_host(self):
        self.imap_auth = self._get_usual_auth(self.imap_host)

    @api.constrains("provider", "imap_auth", "imap_host", "imap_security")
    def _check_imap_auth(self):
        for account in self:
            if account.provider != "imap" or account.imap_auth != "oauth":
                continue
            if not account.imap_service:
                raise ValidationError(
                    self.env._(
                        "%s takes no sign-in with Google or Microsoft, as far as is "
                        "known here. Choose the password.",
                        account.imap_host or account.email,
                    )
                )
            if account.imap_security == "none":
                raise ValidationError(
                    self.env._(
                        "A sign-in is only sent encrypted: choose TLS or STARTTLS."
                    )
                )

    # --- what is known ---

    @api.model
    @ormcache()
    def _get_known_providers(self):
        """Return what the data file says: the common providers, one dict each."""
        with file_open("easycrm_mail/data/mail_servers.json") as file:
            return json.load(file)

    @api.model
    @ormcache()
    def _get_known_servers(self):
        """Return domain -> values of the account's fields, and `password_note`."""
        return {
            domain: {name: one[name] for name in one if name not in NO_FIELDS}
            for one in self._get_known_providers()
            for domain in one["domains"]
        }

    @api.model
    @ormcache()
    def _get_sign_in_hosts(self):
        """Return host -> whose sign-in it takes, and which password all the same.

        :return: dicts with `service` (`gmail`, `outlook`), `password_note` (empty where
            no password is taken) and `sending` (the outgoing server, as values of the
            account's fields)
        """
        providers = {service: provider for provider, service in SERVICES.items()}
        return {
            host: {
                "service": providers[one["sign_in"]],
                "password_note": one.get("password_note") or "",
                "sending": {
                    name: value
                    for name, value in one.items()
                    if name.startswith("smtp_")
                },
            }
            for one in self._get_known_providers()
            if "sign_in" in one
            for host in (one["imap_host"], one["smtp_host"], *one["other_hosts"])
        }

    @api.model
    def _get_known_host(self, host):
        """Return what `_get_sign_in_hosts` says of a host, or None."""
        return self._get_sign_in_hosts().get((host or "").strip().lower())

    @api.model
    def _get_host_service(self, host):
        """Return whose sign-in a mail server takes: `gmail`, `outlook` or False."""
        known = self._get_known_host(host)
        return known["service"] if known else False

    @api.model
    def _get_usual_auth(self, host):
        """Return how one signs in to a mail server, unless somebody wants otherwise.

        Where it takes a password too, and an administrator has not set the sign-in up,
        that is the way.
        """
        known = self._get_known_host(host)
        if not known:
            return "password"
        needs_sign_in = not known["password_note"]
        is_possible = needs_sign_in or self._is_service_set_up(known["service"])
        return "oauth" if is_possible else "password"

    # --- sending ---

    def _may_send_through(self):
        """Tell whether the outgoing server may be signed in to as the mailbox is."""
        service = self.sign_in_service
        return not service or self._get_host_service(self.smtp_host) == service

    def _get_sending_login(self, timeout=SYNC_TIMEOUT):
        """Return what the outgoing server is signed in to with.

        :param float timeout: seconds to wait for one answer of the sign-in, and more
        :return: (login, password, tokens): tokens is a `providers.TokenSource` where
            the mailbox has no password
        :raise UserError: something is not filled in
        """
        self.ensure_one()
        if not self.smtp_host or not self.smtp_port:
            raise UserError(self.env._("Enter the outgoing server and its port."))
        login = self.imap_login or self.email
        if not self.sign_in_service:
            if not self.imap_secret:
                raise UserError(self.env._("Enter the password of the mailbox."))
            return login, self._decrypt_password(), None
        if not self._may_send_through():
            raise UserError(
                self.env._(
                    "%(server)s takes no sign-in with %(service)s, as far as is known "
                    "here. Enter the outgoing server of %(service)s.",
                    server=self.smtp_host,
                    service=self._get_service_title(self.sign_in_service),
                )
            )
        return login, "", self._make_grant_keeper(timeout)

    # --- words ---

    def _explain_no_password(self, server):
        """Say what to do about a mail server that takes no password.

        :param str server: what it is called
        """
        env = self.env
        service = self.imap_service
        values = {"server": server, "service": self._get_service_title(service)}
        if not service:
            return env._(
                "%(server)s takes no password, and no sign-in that is known here. If "
                "the mailbox is at Google or Microsoft, connect it as Gmail or "
                "Microsoft 365. Otherwise ask its administrator to allow passwords for "
                "mail programs.",
                **values,
            )
        if not self._is_service_set_up(service):
            return env._(
                "%(server)s takes no password: one signs in with %(service)s. An "
                "administrator sets that up once, under Settings → Email for CRM.",
                **values,
            )
        return env._(
            "%(server)s takes no password. Choose to sign in with %(service)s instead.",
            **values,
        )
