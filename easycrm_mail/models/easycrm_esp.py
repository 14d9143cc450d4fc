from secrets import token_urlsafe

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..esp import TIMEOUT, EspError, Mailgun, MailgunReports, SendGrid, SendGridReports
from . import secrets

#: What is written, and never read again.
SECRETS = {"api_key": "api_secret", "webhook_key": "webhook_secret"}


#: What belongs to one account, in one region.
OF_ACCOUNT = ("api_secret", "webhook_secret", "import_place", "imported_at")

#: What belongs to one domain of it.
OF_DOMAIN = ("import_place", "imported_at")


class EasycrmEsp(models.Model):
    """A bulk sender: an account at SendGrid, or a domain at Mailgun."""

    _name = "easycrm.esp"
    _description = "Bulk Sender"
    _order = "sequence, id"

    name = fields.Char(compute="_compute_name", store=True, readonly=False)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    provider = fields.Selection(
        [("sendgrid", "SendGrid"), ("mailgun", "Mailgun")],
        required=True,
        default="sendgrid",
    )
    region = fields.Selection(
        [("global", "United States"), ("eu", "European Union")],
        required=True,
        default="global",
        help="Where the account was made: it answers under no other address.",
    )
    domain = fields.Char(
        string="Sending Domain", help="The part behind the @ of your sender addresses."
    )
    api_key = fields.Char(
        string="API Key", compute="_compute_secrets", inverse="_inverse_api_key"
    )
    webhook_key = fields.Char(
        compute="_compute_secrets",
        inverse="_inverse_webhook_key",
        help="With it the sender signs what it reports. SendGrid calls it verification "
        "key, Mailgun HTTP webhook signing key.",
    )
    api_secret = fields.Char(groups=fields.NO_ACCESS, copy=False)
    webhook_secret = fields.Char(groups=fields.NO_ACCESS, copy=False)
    has_api_key = fields.Boolean(compute="_compute_has_keys", compute_sudo=True)
    has_webhook_key = fields.Boolean(compute="_compute_has_keys", compute_sudo=True)
    webhook_token = fields.Char(
        groups="easycrm_mail.group_easycrm_mail_manager",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: token_urlsafe(24),
    )
    webhook_url = fields.Char(
        string="Webhook Address",
        compute="_compute_webhook_url",
        groups="easycrm_mail.group_easycrm_mail_manager",
        help="Where the sender is to report to. Copy it into its settings.",
    )
    tracks_opens = fields.Boolean(string="Track Opens", default=True)
    tracks_clicks = fields.Boolean(string="Track Clicks", default=True)
    suppression_count = fields.Integer(compute="_compute_suppression_count")
    last_event_at = fields.Datetime(
        string="Last Event", compute="_compute_last_event_at"
    )

    _token_unique = models.UniqueIndex("(webhook_token)")

    @api.depends("provider")
    def _compute_name(self):
        titles = dict(self._fields["provider"]._description_selection(self.env))
        for esp in self:
            if not esp.name or esp.name in titles.values():
                esp.name = titles.get(esp.provider)

    def _compute_secrets(self):
        self.update(dict.fromkeys(SECRETS, False))

    def _compute_last_event_at(self):
        # (not a column: whoever reports would wait for whoever else does)
        Event = self.env["easycrm.esp.event"].sudo()
        for esp in self:
            # (by `id`, one that is silent would be looked for among all of the others')
            last = Event.search(
                [("esp_id", "=", esp.id)], order="received_at desc", limit=1
            )
            esp.last_event_at = last.received_at

    def _compute_suppression_count(self):
        groups = self.env["easycrm.esp.suppression"]._read_group(
            [("esp_id", "in", self.ids)], ["esp_id"], ["__count"]
        )
        counts = {esp.id: count for esp, count in groups}
        for esp in self:
            esp.suppression_count = counts.get(esp.id, 0)

    @api.depends("api_secret", "webhook_secret")
    def _compute_has_keys(self):
        for esp in self:
            esp.has_api_key = bool(esp.api_secret)
            esp.has_webhook_key = bool(esp.webhook_secret)

    @api.depends("provider", "webhook_token")
    def _compute_webhook_url(self):
        for esp in self:
            path = f"/easycrm_mail/webhook/{esp.provider}/{esp.webhook_token}"
            esp.webhook_url = f"{esp.get_base_url()}{path}"

    def _inverse_api_key(self):
        new = self.filtered(lambda esp: esp.api_key and not esp.imported_at)
        self._keep_secret("api_key")
        if new:
            new.action_import_suppressions()

    def _inverse_webhook_key(self):
        self._keep_secret("webhook_key")

    def _keep_secret(self, name):
        for esp in self:
            if esp[name]:
                secret = self.env["easycrm.email.account"]._encrypt(esp[name].strip())
                esp.sudo()[SECRETS[name]] = secret
        # what was typed leaves the cache too
        self.invalidate_recordset([name], flush=False)

    @api.constrains("provider", "domain")
    def _check_domain(self):
        for esp in self:
            if esp.provider == "mailgun" and not esp.domain:
                raise ValidationError(
                    self.env._("Mailgun needs the domain that you send from.")
                )

    def write(self, vals):
        # a key belongs to the account that it was made for; a new one is written below
        self._forget_changed(vals, ("provider", "region"), OF_ACCOUNT)
        self._forget_changed(vals, ("domain",), OF_DOMAIN)
        return super().write(vals)

    def _forget_changed(self, vals, names, forgotten):
        """Forget what belongs to another account, or domain, than what is written."""
        changed = self.filtered(
            lambda esp: any(esp[name] != vals[name] for name in names if name in vals)
        )
        if changed:
            changed.sudo().write(dict.fromkeys(forgotten, False))

    def action_view_suppressions(self):
        """Open whom this sender has told that must not be written to."""
        self.ensure_one()
        self.check_access("read")
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "easycrm_mail.easycrm_esp_suppression_action"
            ),
            "domain": [("esp_id", "=", self.id)],
        }

    def _make_esp(self, timeout=TIMEOUT):
        """Return the `esp.Esp` that this sender is spoken to through.

        :param float timeout: seconds that a call may take
        :raise UserError: it has no key, or none that can be one, in words
        """
        self.ensure_one()
        key = self._decrypt("api_key")
        if not key:
            raise UserError(
                self.env._("Enter the API key of %(name)s first.", name=self.name)
            )
        values = {
            "tracks_opens": self.tracks_opens,
            "tracks_clicks": self.tracks_clicks,
            "timeout": timeout,
        }
        try:
            if self.provider == "sendgrid":
                return SendGrid(key, self.region, **values)
            return Mailgun(key, self.domain, self.region, **values)
        except EspError as error:
            raise UserError(self._explain_error(error)) from None

    def _get_max_bytes(self):
        """Return the bytes that the values of one recipient may have."""
        return (SendGrid if self.provider == "sendgrid" else Mailgun).max_bytes

    def _make_reports(self):
        """Return the `esp.Reports` that reads what this sender reports."""
        self.ensure_one()
        key = self._decrypt("webhook_key")
        return (
            SendGridReports(key) if self.provider == "sendgrid" else MailgunReports(key)
        )

    def _decrypt(self, name):
        secret = self.sudo()[SECRETS[name]]
        try:
            return secrets.decrypt(secret) if secret else ""
        except secrets.UnknownKey:
            raise UserError(
                self.env._(
                    "The keys of %(name)s cannot be read any more. Enter them again.",
                    name=self.name,
                )
            ) from None
