from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL


class EasycrmEmailAddress(models.Model):
    """What addresses would find, of mail that is looked at and not stored."""

    _inherit = "easycrm.email.address"

    @api.model
    def _look_up(self, addresses, company):
        """Tell what these addresses would be linked to, in one statement.

        As `_link_emails` has it; of the records only those that the current user may
        read.

        :param addresses: normalised
        :return: {address: (whether it is one of our own people's, ids of contacts, ids
            of leads, ids of those that are open opportunities)}
        """
        shared = Domain("company_id", "in", [False, *company.parent_ids.ids])
        here = Domain("company_id", "in", [False, company.id])
        partners = self.env["res.partner"]._search(shared)
        leads = self.env["crm.lead"]._search(here)
        lead = leads.table
        self.flush_model()
        self.env["crm.stage"].flush_model(["is_won"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT address.address, NOT (%(foreign)s), partner.id, lead.id,
                    lead.type = 'opportunity' AND stage.is_won IS NOT TRUE
                FROM (
                    SELECT asked.address, known.partner_id, known.lead_id
                    FROM unnest(%(addresses)s::text[]) AS asked (address)
                    LEFT JOIN easycrm_email_address known
                      ON known.address = asked.address
                ) AS address
                CROSS JOIN (SELECT 0 AS id, %(company)s AS company_id) AS email
                LEFT JOIN (%(partners)s) AS partner ON partner.id = address.partner_id
                LEFT JOIN (%(leads)s) AS lead ON lead.id = address.lead_id
                LEFT JOIN crm_stage stage ON stage.id = lead.stage_id
                """,
                foreign=self._get_foreign_sql(),
                addresses=list(addresses),
                company=company.id,
                partners=partners.select(SQL.identifier(partners.table, "id")),
                leads=leads.select(
                    *(SQL.identifier(lead, name) for name in ("id", "type", "stage_id"))
                ),
            )
        )
        found = {}
        for address, is_own, partner_id, lead_id, is_open in rows:
            _own, partner_ids, lead_ids, open_ids = found.setdefault(
                address, (is_own, set(), set(), set())
            )
            if is_own:
                continue
            if partner_id:
                partner_ids.add(partner_id)
            if lead_id:
                lead_ids.add(lead_id)
            if is_open:
                open_ids.add(lead_id)
        return found
