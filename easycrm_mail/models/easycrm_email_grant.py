from odoo import fields, models


class EasycrmEmailGrant(models.Model):
    """What a user has consented to at Google or Microsoft: the tokens of one mailbox.

    Apart from the account: a refresh holds a lock on this row while it asks the
    service, and the sync goes on writing the account meanwhile.
    """

    _name = "easycrm.email.grant"
    _description = "Mail Account Grant"
    _rec_name = "email"

    account_id = fields.Many2one(
        "easycrm.email.account", required=True, ondelete="cascade"
    )
    email = fields.Char(string="Signed In As")
    secret = fields.Text(required=True, groups=fields.NO_ACCESS, copy=False)

    _account_unique = models.UniqueIndex("(account_id)")
