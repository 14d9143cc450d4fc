from odoo import models
from odoo.tools import str2bool

from .easycrm_email_account_schedule import ENABLED, MINUTES


class IrCron(models.Model):
    _inherit = "ir.cron"

    def write(self, vals):
        result = super().write(vals)
        if self.env["easycrm.email.account"]._get_sync_cron() in self:
            self._easycrm_forget_wish(vals)
        return result

    def _easycrm_go_on_later(self):
        """End a run whose time is up; what remains is for the next, very soon.

        Odoo makes ten runs of a job that says so itself, however long they take, and
        what takes two minutes is killed, with all that goes on beside it.
        """
        self._trigger()
        self._commit_progress(remaining=0)

    def _easycrm_forget_wish(self, vals):
        """Forget what Settings wished for: the row has followed, or was overruled.

        That it is off is not forgotten by switching it off.
        """
        params = self.env["ir.config_parameter"].sudo()
        if {"interval_number", "interval_type"} & set(vals):
            params.set_param(MINUTES, False)
        if vals.get("active") or (
            "active" in vals and str2bool(params.get_param(ENABLED), True)
        ):
            params.set_param(ENABLED, False)
