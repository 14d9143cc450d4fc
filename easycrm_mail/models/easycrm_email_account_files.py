from odoo import models


class EasycrmEmailAccount(models.Model):
    """A mailbox that works again is asked at once for what waited for it."""

    _inherit = "easycrm.email.account"

    def write(self, vals):
        if not {"active", "failed_at", "sync_status"} & set(vals):
            return super().write(vals)
        away = self.sudo().filtered(lambda account: not account._works())
        result = super().write(vals)
        if back := away.filtered(lambda account: account._works()):
            self.env["easycrm.email"].sudo()._wake_files(back)
        return result

    def _works(self):
        return self._is_reachable() and not self.failed_at
