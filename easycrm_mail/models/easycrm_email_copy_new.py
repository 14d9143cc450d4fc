from odoo import api, models

from ..messages import read_signature


class EasycrmEmailCopy(models.Model):
    """A new contact or lead, filled from the mail that fits nothing."""

    _inherit = "easycrm.email.copy"

    @api.model
    def new_record_defaults(self, copy_ids, model):
        """Return what a new record is filled with, from the newest of these emails.

        :param list copy_ids: of copies in the user's own mailboxes
        :param str model: `res.partner` or `crm.lead`
        :return: {"name", "email", "phone", "company", "context"}: the latter gives them
            to the form, as `default_…`
        """
        copy = self._get_own(copy_ids).sorted(self._order)[0]
        name, address = copy._get_correspondent()
        text = copy.email_id.sudo().content_ids.body_text or ""
        # (what one has written oneself ends with one's own signature)
        is_received = copy.direction == "inbound"
        signature = read_signature(text if is_received else "")
        values = {
            "name": name or address,
            "email": address,
            "phone": signature.phone,
            "company": signature.company,
        }
        make = self._get_lead_defaults
        if model == "res.partner":
            make = self._get_partner_defaults
        defaults = {
            f"default_{field}": value
            for field, value in make(values, copy).items()
            if value
        }
        return {**values, "context": defaults}

    def _get_correspondent(self):
        """Return name and address of whom an email is with: its sender, for sent ones
        the first that it was sent to."""
        self.ensure_one()
        role = "from" if self.direction == "inbound" else "to"
        people = self._get_people([self.email_id.id]).get(self.email_id.id, [])
        return next(
            ((name, address) for kind, name, address in people if kind == role),
            ("", self.from_address or ""),
        )

    @api.model
    def _get_partner_defaults(self, values, copy):
        company = self.env["res.partner"]
        if values["company"]:
            company = company.search(
                [("is_company", "=", True), ("name", "=", values["company"])],
                limit=1,
            )
        return {
            "name": values["name"],
            "email": values["email"],
            "phone": values["phone"],
            "parent_id": company.id,
            "company_name": not company and values["company"],
        }

    @api.model
    def _get_lead_defaults(self, values, copy):
        has_leads = self.env.user.has_group("crm.group_use_lead")
        return {
            "name": copy.subject or values["name"],
            "contact_name": values["name"],
            "email_from": values["email"],
            "phone": values["phone"],
            "partner_name": values["company"],
            "type": "lead" if has_leads else "opportunity",
            "user_id": self.env.uid,
        }
