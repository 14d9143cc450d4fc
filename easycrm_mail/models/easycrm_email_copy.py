from odoo import api, fields, models
from odoo.tools import SQL

from . import access

DIRECTIONS = [("inbound", "Received"), ("outbound", "Sent")]


class EasycrmEmailCopy(models.Model):
    """An email as one mailbox holds it. Its owner's alone; others never see the row."""

    _name = "easycrm.email.copy"
    _description = "Email in a Mailbox"
    _inherit = ["easycrm.email.access"]
    _order = "date desc, id desc"
    _rec_name = "email_id"
    _log_access = False

    email_id = fields.Many2one(
        "easycrm.email", required=True, ondelete="cascade", index=True
    )
    account_id = fields.Many2one(
        "easycrm.email.account", string="Mailbox", required=True, ondelete="cascade"
    )
    thread_ref = fields.Char(help="The provider's own id of the conversation.")
    direction = fields.Selection(DIRECTIONS, required=True)
    date = fields.Datetime(required=True)
    from_address = fields.Char(string="From")
    is_read = fields.Boolean()
    removed_at = fields.Datetime(
        help="When the mailbox was seen without it. The email stays."
    )
    is_unlinked = fields.Boolean(
        default=True, help="The email stands on no contact, lead or opportunity."
    )
    ignored = fields.Boolean()
    location_ids = fields.One2many("easycrm.email.location", "copy_id")
    subject = fields.Char(related="email_id.subject", related_sudo=False)
    snippet = fields.Char(related="email_id.snippet", related_sudo=False)
    has_attachments = fields.Boolean(
        related="email_id.has_attachments", related_sudo=False
    )

    _email_unique = models.UniqueIndex("(account_id, email_id)")
    # how many came a day: see `easycrm.email.daily`
    _date_idx = models.Index("(account_id, date)")
    # (the condition word for word as the ORM asks it: else it is not used; with the
    # sender, so that the groups are found in it alone)
    _unlinked_idx = models.Index(
        "(account_id, date DESC, id DESC) INCLUDE (from_address)"
        " WHERE is_unlinked IS TRUE AND ignored IS NOT TRUE"
    )

    @api.model
    def _get_access_sql(self, alias):
        return access.own_mailbox(self.env, SQL.identifier(alias, "account_id"))


class EasycrmEmailLocation(models.Model):
    """Where in the mailbox a copy stands.

    A mail to oneself stands in Inbox and in Sent; a move in the mailbox changes where.
    """

    _name = "easycrm.email.location"
    _description = "Place of an Email in a Mailbox"
    _inherit = ["easycrm.email.access"]
    _rec_name = "provider_ref"
    _log_access = False

    copy_id = fields.Many2one(
        "easycrm.email.copy", required=True, ondelete="cascade", index=True
    )
    account_id = fields.Many2one(
        "easycrm.email.account", required=True, ondelete="cascade"
    )
    stream = fields.Char(required=True)
    provider_ref = fields.Char(required=True)

    _ref_unique = models.UniqueIndex("(account_id, stream, provider_ref)")

    @api.model
    def _get_access_sql(self, alias):
        return access.own_mailbox(self.env, SQL.identifier(alias, "account_id"))
