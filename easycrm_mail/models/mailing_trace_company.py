from odoo import api, fields, models
from odoo.tools import SQL


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
        ids = {v.get("res_id") for v in vals_list if v.get("model") == "res.partner"}
        listed = [v for v in vals_list if v.get("model") == "mailing.contact"]
        companies = {}
        if ids:
            query = (
                "SELECT id, commercial_partner_id FROM res_partner WHERE id = ANY(%s)"
            )
            companies.update(self.env.execute_query(SQL(query, list(ids))))
        if listed:
            emails = list({vals.get("email") or "" for vals in listed})
            query = SQL(
                "SELECT told.email, %s FROM unnest(%s) AS told (email)",
                self._easycrm_get_company_sql(SQL("told.email")),
                emails,
            )
            companies.update(self.env.execute_query(query))
        keys = {"res.partner": "res_id", "mailing.contact": "email"}
        return super().create(
            [
                {
                    **vals,
                    "easycrm_commercial_partner_id": companies.get(
                        vals.get(keys.get(vals.get("model")))
                    ),
                }
                for vals in vals_list
            ]
        )

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
                    SELECT told.email, %s AS company FROM unnest(%s) AS told (email)
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
