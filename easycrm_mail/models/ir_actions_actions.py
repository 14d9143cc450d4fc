from odoo import api, models

from .easycrm_email_timeline_compose import CORE_WINDOWS

#: Core's ways to write to a selection, by which nothing stands in the writer's Sent.
REPLACED = {
    "res.partner": (CORE_WINDOWS["res.partner"],),
    "crm.lead": ("crm.action_lead_mail_compose", CORE_WINDOWS["crm.lead"]),
}


class IrActionsActions(models.Model):
    _inherit = "ir.actions.actions"

    @api.model
    def get_bindings(self, model_name):
        """Offer who can send from a mailbox one way to write in the menu: that one.

        Core's records stay as they are, for whoever cannot.
        """
        bindings = super().get_bindings(model_name)
        names = REPLACED.get(model_name)
        if not names or not self._easycrm_can_send():
            return bindings
        replaced = {
            action.id for name in names if (action := self.env.ref(name, False))
        }
        return {
            kind: [action for action in actions if action["id"] not in replaced]
            for kind, actions in bindings.items()
        }

    @api.model
    def _easycrm_can_send(self):
        """Tell whether the user can send, now, from a mailbox of his own or his team's.

        As the Send Email window tells it: else that would be all he is left with.
        """
        if not self.env.user.has_group("easycrm_mail.group_easycrm_mail_user"):
            return False
        accounts = self.env["easycrm.email.account"].sudo()
        own = accounts.browse(accounts.with_user(self.env.user)._get_own_account_ids())
        return any(
            account.company_id in self.env.companies and not account._why_not_sending()
            for account in own
        )
