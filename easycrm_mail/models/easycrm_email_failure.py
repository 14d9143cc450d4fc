from odoo import fields, models

#: Attempts of a mail that was left out, and waits to be read.
NOT_TRIED = 0


class EasycrmEmailFailure(models.Model):
    """A mail that could not be read: set aside with its reason, never in the way."""

    _name = "easycrm.email.failure"
    _description = "Email Set Aside"
    _order = "id desc"
    _rec_name = "error"

    account_id = fields.Many2one(
        "easycrm.email.account",
        string="Mailbox",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    stream = fields.Char(string="Folder", required=True, readonly=True)
    provider_ref = fields.Char(required=True, readonly=True)
    error = fields.Char(string="Reason", required=True, readonly=True)
    attempts = fields.Integer(default=1, readonly=True)
    retry = fields.Boolean(
        string="Waits for a Retry",
        readonly=True,
        help="The next sync reads it again.",
    )

    _ref_unique = models.UniqueIndex("(account_id, stream, provider_ref)")

    def action_retry(self):
        """Have the next sync read these mails again, and start one."""
        self.check_access("read")
        self.sudo().retry = True
        running = self.account_id.filtered(
            lambda account: account.sync_status not in ("paused", "stopped")
        )
        return running.action_sync_now() if running else True
