import ast
from email.utils import parseaddr

from odoo import models, tools
from odoo.fields import Domain

#: Records of a list that get an email each from one's own mailbox.
SEND_LIMIT = 50

#: Core's window to write to a selection: what is left to whoever makes no campaigns.
CORE_WINDOWS = {
    "res.partner": "mail.action_partner_mass_mail",
    "crm.lead": "crm.action_lead_mass_mail",
}


class EasycrmEmailTimeline(models.AbstractModel):
    """Send Email: from a record, or from a selection of them."""

    _inherit = "easycrm.email.timeline"

    def easycrm_action_compose(self):
        """Open the Send Email window for these records, an email each.

        More than fifty are a campaign's: it is opened with them instead, or core's
        window for whoever may make none.

        :return: an action
        :raise AccessError: a record is not for this user
        """
        self.check_access("read")
        if len(self) > SEND_LIMIT:
            return self._easycrm_action_campaign()
        return self.env["easycrm.email.compose"]._get_action(
            active_model=self._name, active_ids=self.ids
        )

    def _easycrm_action_campaign(self):
        if self.env["mailing.mailing"].has_access("create"):
            following = self._easycrm_get_campaign()
            message = self.env._(
                "An email to more than %s people goes out as a campaign.", SEND_LIMIT
            )
        else:
            following = self._easycrm_get_core_window()
            message = self.env._(
                "An email to more than %s people does not leave from your mailbox: "
                "Odoo sends it.",
                SEND_LIMIT,
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "info", "message": message, "next": following},
        }

    def _easycrm_get_campaign(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Campaign"),
            "res_model": "mailing.mailing",
            "views": [(False, "form")],
            "context": {
                "default_mailing_type": "mail",
                "default_mailing_model_id": self.env["ir.model"]._get_id(self._name),
                "default_mailing_domain": repr(list(Domain("id", "in", self.ids))),
            },
        }

    def _easycrm_get_core_window(self):
        action = self.env["ir.actions.actions"]._for_xml_id(CORE_WINDOWS[self._name])
        action["context"] = {
            **ast.literal_eval(action["context"].strip()),
            "active_model": self._name,
            "active_ids": self.ids,
        }
        return action

    def _easycrm_get_recipients(self):
        """Return {record id: whom an email about it goes to, or False}.

        A person is a dict with `name`, `address` and `partner_id`.
        """
        return {record.id: record._easycrm_get_recipient() for record in self}

    def _easycrm_get_recipient(self):
        self.ensure_one()
        return self._easycrm_get_person(self.email, self.name, self.id)

    def _easycrm_get_person(self, text, name, partner_id):
        """Return the first address in the text of an Email field, as a person."""
        found = tools.email_normalize(text, strict=False)
        if not found:
            return False
        written, _address = parseaddr(text)
        return {
            "name": name or written or "",
            "address": found,
            "partner_id": partner_id,
        }
