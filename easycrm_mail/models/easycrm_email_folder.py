from odoo import fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

#: What an integer of the database holds: a service may say that there is more.
MAX_COUNT = 2**31 - 1


class EasycrmEmailFolder(models.Model):
    """One stream of a mailbox and how far it has been read.

    The invariant that every sync rests on: what is stored has included the stream's
    changes up to at least `checkpoint`. It moves only in the transaction that stores
    what it covers.
    """

    _name = "easycrm.email.folder"
    _description = "Mailbox Folder"
    _order = "account_id, role, name"

    account_id = fields.Many2one(
        "easycrm.email.account", required=True, ondelete="cascade"
    )
    stream = fields.Char(required=True, help="The provider's own name of it.")
    name = fields.Char(required=True)
    role = fields.Selection(
        [
            ("inbox", "Inbox"),
            ("sent", "Sent"),
            ("all", "All Mail"),
            ("archive", "Archive"),
            ("other", "Folder"),
        ],
        required=True,
        default="other",
    )
    selected = fields.Boolean(string="Read")
    missing = fields.Boolean(
        readonly=True, copy=False, help="The mailbox does not list it any more."
    )
    checkpoint = fields.Text(copy=False, groups="base.group_system")
    settled = fields.Boolean(
        help="The first reading is complete.", copy=False, readonly=True
    )
    sync_done = fields.Integer(copy=False, readonly=True)
    sync_total = fields.Integer(copy=False, readonly=True)
    synced_at = fields.Datetime(copy=False, readonly=True)
    checked_at = fields.Datetime(
        copy=False,
        readonly=True,
        help="When its last days were compared with what is here.",
    )
    week_days = fields.Json(
        copy=False, readonly=True, help="How many emails it held then, day by day."
    )

    _stream_unique = models.UniqueIndex("(account_id, stream)")

    def write(self, vals):
        # the screen offers no more either; the stream says what is read
        if not self.env.su and set(vals) - {"selected"}:
            raise AccessError(self.env._("Only the sync itself can change this."))
        result = super().write(vals)
        if vals.get("selected"):
            for account in self.account_id.sudo():
                account._get_cron()._easycrm_trigger()
        elif "selected" in vals:
            self._forget_missing()
        return result

    def _forget_missing(self):
        """Have nothing fetched any more that these folders hold and is not here."""
        gaps = self.env["easycrm.email.gap"].sudo()
        for folder in self.sudo():
            gaps |= gaps.search(
                Domain("account_id", "=", folder.account_id.id)
                & Domain("stream", "=", folder.stream)
            )
        gaps.unlink()
        self.account_id.sudo()._forget_gaps()
