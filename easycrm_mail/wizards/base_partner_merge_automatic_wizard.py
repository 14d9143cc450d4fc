from odoo import api, models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        # Core moves all rows of a table in one UPDATE. One email that stands on two of
        # the contacts would break it, and core then deletes all links of the source.
        dst_partner._easycrm_absorb(src_partners)
        return super()._update_foreign_keys(src_partners, dst_partner)
