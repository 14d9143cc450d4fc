from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _easycrm_leads_changed(self):
        if self:
            leads = self.env["crm.lead"].sudo().with_context(active_test=False)
            leads.search([("partner_id", "in", self.ids)])._easycrm_address_changed()

    def _easycrm_absorb(self, others):
        (self | others)._easycrm_leads_changed()
        return super()._easycrm_absorb(others)


class CrmLead(models.Model):
    _inherit = "crm.lead"

    def _easycrm_followed_write(self, vals):
        if "partner_id" in vals:
            self._easycrm_address_changed()
        return super()._easycrm_followed_write(vals)

    def _easycrm_get_addresses_found(self):
        """Return its own addresses, and with its contact's all that the contact has."""
        found = super()._easycrm_get_addresses_found()
        partner = self.partner_id
        if partner and set(found) & set(partner._easycrm_get_field_addresses()):
            extra = partner.easycrm_address_ids.filtered(
                lambda row: row.source == "extra"
            )
            found = list(dict.fromkeys([*found, *extra.mapped("address")]))
        return found
