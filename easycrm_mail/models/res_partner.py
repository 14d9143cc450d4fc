from odoo import fields, models

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

    def _easycrm_has_people(self):
        is_own = self.commercial_partner_id == self
        return is_own and any(self.child_ids.mapped("email"))
