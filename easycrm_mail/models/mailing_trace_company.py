from odoo import api, fields, models
from odoo.tools import SQL

#: What tells the contact that a recipient is, by the model of the recipient.
KEYS = {"res.partner": "res_id", "mailing.contact": "email"}


class MailingTrace(models.Model):
    """Which company a recipient belongs to: a company shows its people's mailings.

    A contact of a mailing list is known by the address: of several contacts that have
    the same, the first one tells.
    """

    _inherit = "mailing.trace"

    # (a column, and not looked up: the timeline pages along its index)
    easycrm_commercial_partner_id = fields.Many2one(
        "res.partner", string="Company of the Recipient", readonly=True, copy=False
    )

    _easycrm_company_idx = models.Index(
        "(easycrm_commercial_partner_id, sent_datetime DESC, id)"
        " WHERE easycrm_commercial_partner_id IS NOT NULL"
    )

    @api.model_create_multi
    def create(self, vals_list):
        self._easycrm_flush_companies()
        keys = [
            vals.get(KEYS.get(vals.get("model"))) or None  # (others have no company)
            for vals in vals_list
        ]
        companies = self._easycrm_find_companies({*keys} - {None})
        return super().create(
            [
                {**vals, "easycrm_commercial_partner_id": companies.get(key)}
                for vals, key in zip(vals_list, keys, strict=True)
            ]
        )

    def _easycrm_find_companies(self, keys):
        """Return the companies of contacts: {id or address: company}."""
        ids = [key for key in keys if isinstance(key, int)]
        addresses = [key for key in keys if isinstance(key, str)]
        found = {}
        if ids:
            query = SQL(
                "SELECT id, commercial_partner_id FROM res_partner WHERE id = ANY(%s)",
                ids,
            )
            found.update(self.env.execute_query(query))
        if addresses:
            query = SQL(
                "SELECT told.email, %s FROM unnest(%s::varchar[]) AS told (email)",
                self._easycrm_get_company_sql(SQL("told.email")),
                addresses,
            )
            found.update(self.env.execute_query(query))
        return found

    @api.model
    def _easycrm_follow_companies(self, partners, addresses):
        """Let what these contacts got follow them to another company.

        :param addresses: theirs, and those that they have had
        """
        self._easycrm_flush_companies()
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                UPDATE mailing_trace trace
                SET easycrm_commercial_partner_id = partner.commercial_partner_id
                FROM res_partner partner
                WHERE partner.id = ANY(%s) AND trace.res_id = partner.id
                  AND trace.model = 'res.partner'
                  AND trace.easycrm_commercial_partner_id
                      IS DISTINCT FROM partner.commercial_partner_id
                """,
                partners.ids,
            )
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE mailing_trace trace
                SET easycrm_commercial_partner_id = known.company
                FROM (
                    SELECT told.email, %s AS company
                    FROM unnest(%s::varchar[]) AS told (email)
                ) AS known
                WHERE trace.email = known.email AND trace.model = 'mailing.contact'
                  AND trace.easycrm_commercial_partner_id
                      IS DISTINCT FROM known.company
                """,
                self._easycrm_get_company_sql(SQL("told.email")),
                sorted(addresses),
            )
        )
        self.invalidate_model(["easycrm_commercial_partner_id"], flush=False)

    @api.model
    def _easycrm_fill_companies(self):
        """Find the companies of recipients that were there before the column."""
        self._easycrm_flush_companies()
        self.flush_model()
        self.env.cr.execute(
            """
            UPDATE mailing_trace trace
            SET easycrm_commercial_partner_id = partner.commercial_partner_id
            FROM res_partner partner
            WHERE trace.model = 'res.partner' AND partner.id = trace.res_id
              AND trace.easycrm_commercial_partner_id IS NULL
            """
        )
        self.env.cr.execute(
            """
            UPDATE mailing_trace trace
            SET easycrm_commercial_partner_id = known.company
            FROM (
                SELECT DISTINCT ON (address.address) address.address,
                    partner.commercial_partner_id AS company
                FROM easycrm_email_address address
                JOIN res_partner partner ON partner.id = address.partner_id
                ORDER BY address.address, partner.id
            ) AS known
            WHERE trace.model = 'mailing.contact' AND trace.email = known.address
              AND trace.easycrm_commercial_partner_id IS NULL
            """
        )
        self.invalidate_model(["easycrm_commercial_partner_id"], flush=False)

    def _easycrm_flush_companies(self):
        self.env["res.partner"].flush_model(["commercial_partner_id"])
        self.env["easycrm.email.address"].flush_model()

    def _easycrm_get_company_sql(self, email):
        """Return the company of whoever has an address, as SQL."""
        return SQL(
            """(SELECT partner.commercial_partner_id
                FROM easycrm_email_address address
                JOIN res_partner partner ON partner.id = address.partner_id
                WHERE address.address = %s ORDER BY partner.id LIMIT 1)""",
            email,
        )
