from odoo import fields, models
from odoo.tools import SQL

from .easycrm_email_copy import DIRECTIONS

#: Days that are counted.
REPORT_DAYS = 365


class EasycrmEmailDaily(models.Model):
    """How many emails a mailbox got and sent a day (UTC): numbers, and nothing of them.

    Read mailbox by mailbox along the index of its copies, whatever lies further back.
    """

    _name = "easycrm.email.daily"
    _description = "Emails a Day"
    _auto = False
    _order = "day desc, account_id"
    _rec_name = "day"

    account_id = fields.Many2one(
        "easycrm.email.account", string="Mailbox", readonly=True
    )
    user_id = fields.Many2one("res.users", string="Owner", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    provider = fields.Selection(
        selection=lambda self: (
            self.env["easycrm.email.account"]
            ._fields["provider"]
            ._description_selection(self.env)
        ),
        readonly=True,
    )
    day = fields.Date(readonly=True)
    direction = fields.Selection(DIRECTIONS, readonly=True)
    mail_count = fields.Integer(string="Emails", readonly=True)

    @property
    def _table_query(self):
        # what the counts are made of may still be in the ORM's cache
        self.env["easycrm.email.copy"].flush_model(["account_id", "date", "direction"])
        self.env["easycrm.email.account"].flush_model(
            ["user_id", "company_id", "provider"]
        )
        return SQL(
            """
            SELECT account.id * 1000000::bigint
                   + (came.day - DATE '2000-01-01') * 2
                   + (came.direction = 'outbound')::int AS id,
                   account.id AS account_id, account.user_id, account.company_id,
                   account.provider, came.day, came.direction, came.mail_count
            FROM easycrm_email_account account
            JOIN LATERAL (
                SELECT held.date::date AS day, held.direction, count(*) AS mail_count
                FROM easycrm_email_copy held
                WHERE held.account_id = account.id
                  AND held.date >= now() AT TIME ZONE 'UTC' - make_interval(days => %s)
                  AND held.date < now() AT TIME ZONE 'UTC' + make_interval(days => 1)
                GROUP BY 1, 2
            ) came ON TRUE
            """,
            REPORT_DAYS,
        )
