from odoo import models


class ResUsers(models.Model):
    _inherit = "res.users"

    def write(self, vals):
        result = super().write(vals)
        if "active" in vals or "group_ids" in vals:
            self.env["easycrm.email.account"]._follow_owners(self)
        return result

    def unlink(self):
        # the database would cascade to what they wrote, and leave its files behind
        mails = self.env["easycrm.email.outgoing"].sudo()
        mails = mails.search([("user_id", "in", self.ids)])
        files = mails.attachment_ids.filtered(mails._owns)
        result = super().unlink()
        files.unlink()
        return result

    def action_easycrm_my_accounts(self):
        """Open the user's own mailboxes, from the preferences."""
        return self.env["ir.actions.act_window"]._for_xml_id(
            "easycrm_mail.easycrm_email_account_action_my"
        )
