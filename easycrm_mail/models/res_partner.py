from odoo import fields, models
from odoo.tools import SQL

from .guarded_one2many import GuardedOne2many


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "easycrm.email.address.owner", "easycrm.email.timeline"]

    easycrm_email_link_ids = GuardedOne2many(
        "easycrm.email.link",
        "partner_id",
        groups="easycrm_mail.group_easycrm_mail_user",
    )
    easycrm_address_ids = fields.One2many(
        "easycrm.email.address", "partner_id", groups=fields.NO_ACCESS
    )

    def _compute_email_normalized(self):
        # sees every change, also the one that a contact's new address makes on its
        # leads without any write on crm.lead
        result = super()._compute_email_normalized()
        self._easycrm_address_changed()
        return result

    def _compute_commercial_partner(self):
        result = super()._compute_commercial_partner()
        self._easycrm_address_changed()
        return result

    def write(self, vals):
        result = super().write(vals)
        self._easycrm_followed_write(vals)
        return result

    def unlink(self):
        self._easycrm_free_emails()
        return super().unlink()

    def _easycrm_get_link_field(self):
        # A company shows its people's mail too, along the index of the commercial
        # partner. Who works for himself is his own, and that is his mail: not to look
        # for people first saves a sixth of a page's time.
        if self.commercial_partner_id == self:
            return "commercial_partner_id"
        return super()._easycrm_get_link_field()

    def _easycrm_get_own_campaigns_sql(self):
        # (as its emails: along the index of the commercial partner)
        if self.commercial_partner_id != self:
            return super()._easycrm_get_own_campaigns_sql()
        readable = self.with_context(active_test=False)._search([])
        # ("OFFSET 0": asked for each by its id, never by hashing all contacts)
        return SQL(
            """easycrm_commercial_partner_id = %(company)s AND EXISTS (
                SELECT FROM (%(readable)s) AS person
                WHERE person.id = %(person)s OFFSET 0)""",
            company=self.id,
            readable=readable.select(SQL.identifier(self._table, "id")),
            person=self._easycrm_get_reached_sql(),
        )

    def _easycrm_get_reached_sql(self):
        return SQL(
            """CASE trace.model WHEN 'res.partner' THEN trace.res_id ELSE (
                SELECT address.partner_id FROM easycrm_email_address address
                JOIN res_partner known ON known.id = address.partner_id
                WHERE address.address = trace.email
                  AND known.commercial_partner_id = %s
                ORDER BY address.partner_id = %s DESC, address.partner_id LIMIT 1)
               END""",
            self.commercial_partner_id.id,
            self.id,
        )

    def _easycrm_has_people(self):
        is_own = self.commercial_partner_id == self
        return is_own and any(self.child_ids.mapped("email"))
