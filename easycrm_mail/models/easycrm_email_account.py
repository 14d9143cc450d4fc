from datetime import timedelta

from odoo import api, fields, models, modules, tools
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from . import secrets
from .addresses import normalise, normalise_all

#: Seconds to wait for one answer, in a sync and for a button; a call may take twice
#: as long.
SYNC_TIMEOUT, BUTTON_TIMEOUT = 30, 5

#: Seconds that a test of a mailbox takes at most, in all, and that of reading: to hang
#: up takes some, too.
TEST_SECONDS, READING_SECONDS = 10, 8

#: What colleagues see of a mailbox's linked mail, from most to least.
SHARED = [
    ("everything", "Everything"),
    ("subject", "Subject, who and when"),
    ("metadata", "Who and when"),
]

#: How far back a new mailbox is read.
WINDOW_DAYS = 90


class EasycrmEmailAccount(models.Model):
    """One connected mailbox, of one user or of a team.

    `sync_status` is how it goes, for people: `draft` (not started), `ok`,
    `incomplete` (a gap is known: the first reading runs, or mails are set aside),
    `error` (told to the user), `paused`, `stopped` (its owner has left). `sync_stage`
    is what it does: `idle`, `waiting`, `listing`, `fetching`.
    """

    _name = "easycrm.email.account"
    _description = "Mail Account"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "name, id"

    name = fields.Char(compute="_compute_name", store=True, readonly=False)
    email = fields.Char(
        string="Email Address",
        required=True,
        default=lambda self: self.env.user.email_normalized,
    )
    active = fields.Boolean(default=True)
    user_id = fields.Many2one(
        "res.users",
        string="Owner",
        required=True,
        default=lambda self: self.env.user,
        index=True,
        domain=[("share", "=", False)],
    )
    member_ids = fields.Many2many(
        "res.users",
        "easycrm_email_account_member_rel",
        "account_id",
        "user_id",
        string="Team",
        domain=[("share", "=", False)],
        help="They see this mailbox's mail as its owner does.",
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    provider = fields.Selection(
        [
            ("gmail", "Gmail"),
            ("outlook", "Microsoft 365"),
            ("imap", "Other mailbox (IMAP)"),
        ],
        required=True,
        default="imap",
    )
    shared_mailbox = fields.Boolean(
        help="A mailbox of Microsoft 365 without a login of its own: whoever signs in "
        "must have full access to it.",
    )
    alias_emails = fields.Char(
        string="Aliases", help="Other addresses of this mailbox, separated by commas."
    )
    share_level = fields.Selection(
        SHARED,
        string="Colleagues See",
        required=True,
        default=lambda self: self._get_share_default(),
        help="Of linked mail, on records they may open. Unlinked mail is never shown.",
    )
    sync_from = fields.Date(
        string="Read Since",
        required=True,
        default=lambda self: fields.Date.today() - timedelta(days=WINDOW_DAYS),
    )

    imap_host = fields.Char(string="Server")
    imap_port = fields.Integer(string="Port", default=993)
    imap_security = fields.Selection(
        [("ssl", "TLS"), ("starttls", "STARTTLS"), ("none", "None (not encrypted)")],
        string="Encryption",
        default="ssl",
    )
    imap_login = fields.Char(string="Login", help="If it is not the email address.")
    imap_password = fields.Char(
        string="Password",
        compute="_compute_imap_password",
        inverse="_inverse_imap_password",
    )
    imap_secret = fields.Char(groups=fields.NO_ACCESS, copy=False)
    has_password = fields.Boolean(compute="_compute_has_password", compute_sudo=True)
    smtp_host = fields.Char(string="Outgoing Server")
    smtp_port = fields.Integer(string="Outgoing Port", default=465)
    smtp_security = fields.Selection(
        [("ssl", "TLS"), ("starttls", "STARTTLS"), ("none", "None (not encrypted)")],
        string="Outgoing Encryption",
        default="ssl",
    )

    folder_ids = fields.One2many("easycrm.email.folder", "account_id", string="Folders")
    failure_ids = fields.One2many("easycrm.email.failure", "account_id")
    failure_count = fields.Integer(compute="_compute_failure_count", compute_sudo=True)

    sync_status = fields.Selection(
        [
            ("draft", "Not started"),
            ("ok", "Up to date"),
            ("incomplete", "Incomplete"),
            ("error", "Sync Error"),
            ("paused", "Paused"),
            ("stopped", "Stopped"),
        ],
        required=True,
        default="draft",
        copy=False,
        readonly=True,
    )
    sync_stage = fields.Selection(
        [
            ("idle", "Idle"),
            ("waiting", "Waiting"),
            ("listing", "Looking"),
            ("fetching", "Reading"),
        ],
        required=True,
        default="idle",
        copy=False,
        readonly=True,
    )
    sync_done = fields.Integer(copy=False, readonly=True)
    sync_total = fields.Integer(copy=False, readonly=True)
    last_sync = fields.Datetime(copy=False, readonly=True)
    last_error = fields.Char(copy=False, readonly=True)
    last_error_kind = fields.Selection(
        [
            ("retry", "Passes by itself"),
            ("reconnect", "Sign in again"),
            ("resync", "Listed anew"),
            ("gone", "Not there any more"),
            ("permanent", "A setting must change"),
        ],
        copy=False,
        readonly=True,
    )
    failed_at = fields.Datetime(
        copy=False, readonly=True, help="Since when it has not worked."
    )
    told_at = fields.Datetime(
        copy=False, readonly=True, help="When its owner was told that it does not work."
    )
    retry_count = fields.Integer(copy=False, readonly=True)
    next_sync_at = fields.Datetime(
        string="Next Try", copy=False, readonly=True, index="btree_not_null"
    )
    sync_health = fields.Selection(
        [
            ("draft", "Not started"),
            ("reading", "Reading"),
            ("waiting", "Waiting"),
            ("ok", "Up to date"),
            ("incomplete", "Incomplete"),
            ("error", "Sync Error"),
            ("paused", "Paused"),
            ("stopped", "Stopped"),
            ("off", "Switched off"),
        ],
        string="Status",
        compute="_compute_sync_health",
        search="_search_sync_health",
        help="Its status and what it is doing, in one word.",
    )
    next_step = fields.Char(compute="_compute_next_step")
    folders_at = fields.Datetime(
        copy=False, readonly=True, help="When its list of folders was last read."
    )

    _email_unique = models.UniqueIndex(
        "(company_id, email) WHERE active",
        "This mailbox is connected already.",
    )

    @api.depends_context("uid", "allowed_company_ids")
    @api.depends("email")
    def _compute_display_name(self):
        # Core reads the names of what records point to as superuser: whoever names a
        # colleague's mailbox by its id would be told its address.
        readable = self.sudo(False)._filtered_access("read")
        for account in self:
            mine = account.sudo(False)
            account.display_name = mine in readable and mine.email or ""

    @api.depends("email")
    def _compute_name(self):
        for account in self:
            account.name = account.name or account.email

    def _compute_imap_password(self):
        self.imap_password = False

    def _inverse_imap_password(self):
        for account in self:
            if account.imap_password:
                account._check_owner_is_here()
                account.sudo().imap_secret = self._encrypt(account.imap_password)
                if account.sync_status == "error":
                    account.action_sync_now()  # this is what it has waited for
        # what was typed leaves the cache too
        self.invalidate_recordset(["imap_password"], flush=False)

    @api.model
    def _encrypt(self, secret):
        try:
            return secrets.encrypt(secret)
        except secrets.UnknownKey:
            raise UserError(
                self.env._(
                    "The secret cannot be stored: easycrm_mail_key is not a valid key. "
                    "Ask your administrator."
                )
            ) from None

    @api.depends("imap_secret")
    def _compute_has_password(self):
        for account in self:
            account.has_password = bool(account.imap_secret)

    @api.depends("failure_ids")
    def _compute_failure_count(self):
        counts = dict(
            self.env["easycrm.email.failure"]._read_group(
                Domain("account_id", "in", self.ids), ["account_id"], ["__count"]
            )
        )
        for account in self:
            account.failure_count = counts.get(account._origin, 0)

    @api.depends("sync_status", "sync_stage", "last_sync", "last_error_kind")
    def _compute_sync_health(self):
        is_on, _minutes = self._get_schedule()
        for account in self:
            health = account.sync_status
            if health in ("ok", "incomplete"):
                if account.sync_stage != "idle" and account.last_error_kind == "retry":
                    health = "waiting"
                elif account.sync_stage != "idle" and not account.last_sync:
                    health = "reading"
                elif not is_on and account.last_sync:
                    health = "off"
            account.sync_health = health

    @api.model
    def _search_sync_health(self, operator, value):
        """The same as `_compute_sync_health`, as conditions."""
        if operator not in ("in", "not in"):
            return NotImplemented
        is_on, _minutes = self._get_schedule()
        read = Domain("sync_status", "in", ["ok", "incomplete"])
        busy = read & Domain("sync_stage", "!=", "idle")
        waiting = busy & Domain("last_error_kind", "=", "retry")
        reading = busy & Domain("last_sync", "=", False) & ~waiting
        synced = read & Domain("last_sync", "!=", False) & ~waiting
        off = Domain.FALSE if is_on else synced
        told = {"waiting": waiting, "reading": reading, "off": off}
        others = ~(waiting | reading | off)
        found = Domain.OR(
            told[health]
            if health in told
            else Domain("sync_status", "=", health) & others
            for health in value
        )
        return found if operator == "in" else ~found

    @api.depends_context("lang", "tz")
    @api.depends("next_sync_at", "last_error_kind")
    def _compute_next_step(self):
        for account in self:
            account.next_step = account.next_sync_at and account._get_next_step()

    @api.onchange("imap_host", "imap_port", "imap_security", "imap_login")
    def _onchange_server(self):
        # it is forgotten when this is saved
        self.has_password = False

    @api.constrains("email")
    def _check_email(self):
        for account in self:
            if account.email != tools.email_normalize(account.email):
                raise ValidationError(
                    self.env._("“%s” is not an email address.", account.email)
                )

    @api.constrains("user_id", "company_id")
    def _check_company_of_user(self):
        for account in self:
            if account.company_id not in account.user_id.sudo().company_ids:
                raise ValidationError(
                    self.env._(
                        "%(user)s does not work for %(company)s.",
                        user=account.user_id.name,
                        company=account.company_id.name,
                    )
                )

    @api.constrains("folder_ids")
    def _check_folders(self):
        for account in self:
            if account.folder_ids and not any(account.folder_ids.mapped("selected")):
                raise ValidationError(
                    self.env._("Choose at least one folder, or pause the mailbox.")
                )

    def _get_own_addresses(self):
        """Return the addresses that are this mailbox, normalised."""
        self.ensure_one()
        return {normalise(self.email), *normalise_all(self.alias_emails)}

    @api.model
    def _is_switched_on(self, name, default):
        """Tell whether one of our switches in the system parameters is on."""
        value = self.env["ir.config_parameter"].sudo().get_param(f"easycrm_mail.{name}")
        return tools.str2bool(value, default) if value else default

    def _release_transaction(self):
        """End the transaction before a call over the network.

        A transaction that waits for a mail server holds back vacuum and its locks.
        """
        if not modules.module.current_test:
            # whoever calls this has left nothing half done
            self.env.cr.commit()  # pylint: disable=invalid-commit
