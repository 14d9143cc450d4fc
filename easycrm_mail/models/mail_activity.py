from odoo import fields, models


class MailActivity(models.Model):
    _inherit = "mail.activity"

    easycrm_account_id = fields.Many2one(
        "easycrm.email.account",
        string="Handed Over From",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        groups="easycrm_mail.group_easycrm_mail_manager",
        help="The mailbox of somebody who has left, whose conversation it takes over.",
    )
    easycrm_thread_ids = fields.Many2many(
        "easycrm.email.thread",
        "easycrm_email_thread_activity_rel",
        "activity_id",
        "thread_id",
        string="Conversations Handed Over",
        copy=False,
        groups=fields.NO_ACCESS,
    )
