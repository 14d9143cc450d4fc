from odoo import models

#: What decides who is in a group.
MEMBERS = {"user_ids", "implied_ids", "implied_by_ids"}


class ResGroups(models.Model):
    _inherit = "res.groups"

    def write(self, vals):
        result = super().write(vals)
        if MEMBERS & set(vals):
            self.env["easycrm.email.account"]._follow_all_owners()
        return result

    def unlink(self):
        result = super().unlink()
        self.env["easycrm.email.account"]._follow_all_owners()
        return result
