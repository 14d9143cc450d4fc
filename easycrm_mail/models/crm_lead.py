from lxml import etree

from odoo import api, fields, models

from .guarded_one2many import GuardedOne2many


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = ["crm.lead", "easycrm.email.address.owner", "easycrm.email.timeline"]

    easycrm_email_link_ids = GuardedOne2many(
        "easycrm.email.link",
        "lead_id",
        groups="easycrm_mail.group_easycrm_mail_user",
    )
    easycrm_address_ids = fields.One2many(
        "easycrm.email.address", "lead_id", groups=fields.NO_ACCESS
    )

    @api.model
    def get_view(self, view_id=None, view_type="form", **options):
        """Let core's buttons “Email” of a list open the window of the menu, too.

        For whoever can send from a mailbox: see `ir.actions.actions`. (Not in
        `_get_view`: what that returns is kept for everybody.)
        """
        result = super().get_view(view_id, view_type, **options)
        actions = self.env["ir.actions.actions"]
        if view_type != "list" or not actions._easycrm_can_send():
            return result
        arch = etree.fromstring(result["arch"])
        ours = actions._easycrm_get_ours(self._name)
        for action_id in actions._easycrm_get_replaced(self._name):
            buttons = arch.xpath(
                "//button[@type='action'][@name=$name]", name=str(action_id)
            )
            for button in buttons:
                button.set("name", str(ours.id))
        return {**result, "arch": etree.tostring(arch, encoding="unicode")}

    def _compute_email_normalized(self):
        # sees every change, also the one that a contact's new address makes on its
        # leads without any write on crm.lead
        result = super()._compute_email_normalized()
        self._easycrm_address_changed()
        return result

    def _compute_company_id(self):
        # a team or salesman may move it to another company
        result = super()._compute_company_id()
        self._easycrm_address_changed()
        return result

    def write(self, vals):
        result = super().write(vals)
        self._easycrm_followed_write(vals)
        return result

    def _merge_dependences(self, opportunities):
        self._easycrm_absorb(opportunities)
        return super()._merge_dependences(opportunities)

    def unlink(self):
        self._easycrm_free_emails()
        return super().unlink()

    def _easycrm_get_recipient(self):
        contact = self.partner_id
        name = self.contact_name or contact.name or self.partner_name
        return self._easycrm_get_person(
            self.email_from or contact.email, name, contact.id
        )

    def _easycrm_get_recipient_name(self):
        return self.contact_name or self.partner_name or self.partner_id.name or ""
