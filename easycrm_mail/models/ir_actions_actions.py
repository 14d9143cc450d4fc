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
        if model_name not in REPLACED or not self._easycrm_can_send():
            return bindings
        replaced = self._easycrm_get_replaced(model_name)
        return {
            kind: [action for action in actions if action["id"] not in replaced]
            for kind, actions in bindings.items()
        }

    @api.model
    def _easycrm_get_replaced(self, model_name):
        """Return the ids of core's actions that are replaced for records of a model."""
        if not self._easycrm_get_ours(model_name):
            return set()  # (somebody has deleted it)
        actions = (self.env.ref(name, False) for name in REPLACED[model_name])
        return {action.id for action in actions if action}

    @api.model
    def _easycrm_get_ours(self, model_name):
        """Return the action that writes to a selection from one's own mailbox."""
        name = f"action_{model_name.replace('.', '_')}_send_email"
        return self.env.ref(f"easycrm_mail.{name}", raise_if_not_found=False)

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
