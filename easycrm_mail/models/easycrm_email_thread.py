from odoo import fields, models


class EasycrmEmailThread(models.Model):
    """One conversation, across mailboxes.

    Providers number their threads per mailbox; this one is ours, found by the root of
    References, else by what In-Reply-To leads to.
    """

    _name = "easycrm.email.thread"
    _description = "Email Conversation"
    _rec_name = "root"

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    root = fields.Char(required=True, help="Message-ID of the first email known.")
    privacy = fields.Selection(
        [("shared", "Shared"), ("private", "Private")],
        required=True,
        default="shared",
        help="Private: only those whose own mailbox holds an email of it see it.",
    )
    email_ids = fields.One2many("easycrm.email", "thread_id")

    _root_unique = models.UniqueIndex("(company_id, root)")
    _private_idx = models.Index("(id) WHERE privacy = 'private'")
