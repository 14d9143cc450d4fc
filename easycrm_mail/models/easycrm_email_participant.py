from odoo import api, fields, models
from odoo.tools import SQL

from . import access

#: The strongest reason first: it is the one that a link gives.
ROLES = [("from", "From"), ("to", "To"), ("cc", "Cc"), ("bcc", "Bcc")]


class EasycrmEmailParticipant(models.Model):
    """One address in one role of one email."""

    _name = "easycrm.email.participant"
    _description = "Email Participant"
    _inherit = ["easycrm.email.access"]
    _order = "id"
    _rec_name = "address"
    _log_access = False

    email_id = fields.Many2one(
        "easycrm.email", required=True, ondelete="cascade", index=True
    )
    role = fields.Selection(ROLES, required=True)
    name = fields.Char()
    address = fields.Char(required=True, help="Normalised.")

    # (in this order it answers for an address, and for its beginning as it is typed)
    _address_prefix_idx = models.Index("(address text_pattern_ops)")

    @api.model
    def _get_access_sql(self, alias):
        email_id = SQL.identifier(alias, "email_id")
        return SQL(
            "(%s AND (%s <> 'bcc' OR %s))",
            access.visible_email(self.env, email_id),
            SQL.identifier(alias, "role"),
            access.own_copy(self.env, email_id, "outbound"),
        )
