from odoo import fields, models


class EasycrmEmailGap(models.Model):
    """A mail that a mailbox holds and that is missing here, by its ref alone.

    The next sync fetches it. What is not here on purpose is no gap but an
    `easycrm.email.exclusion`.
    """

    _name = "easycrm.email.gap"
    _description = "Missing Email"
    _order = "day desc, id"
    _rec_name = "provider_ref"
    _log_access = False

    account_id = fields.Many2one(
        "easycrm.email.account", required=True, ondelete="cascade"
    )
    stream = fields.Char(required=True)
    provider_ref = fields.Char(required=True)
    day = fields.Date(
        required=True,
        help="When the mailbox got it, in its owner's time zone.",
    )
    attempts = fields.Integer(help="How often it was fetched in vain.")

    _ref_unique = models.UniqueIndex("(account_id, stream, provider_ref)")
