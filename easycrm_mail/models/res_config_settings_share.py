from odoo import api, fields, models

from .access import SHARE_LEVELS
from .easycrm_email_account import SHARED


class ResConfigSettings(models.TransientModel):
    """What mailboxes share: at most, and when they are new."""

    _inherit = "res.config.settings"

    easycrm_share_limit = fields.Selection(
        SHARED, string="Colleagues see at most", required=True, default="everything"
    )
    easycrm_share_default = fields.Selection(
        SHARED, string="New mailboxes share", required=True, default="everything"
    )

    @api.onchange("easycrm_share_limit")
    def _onchange_easycrm_share_limit(self):
        self.easycrm_share_default = self._get_easycrm_share_default()

    @api.model
    def get_values(self):
        Account = self.env["easycrm.email.account"]
        return {
            **super().get_values(),
            "easycrm_share_limit": Account._get_share_limit(),
            "easycrm_share_default": Account._get_share_default(),
        }

    def set_values(self):
        self.check_access("write")  # it may be called by anybody, what follows is sudo
        result = super().set_values()
        present = self.get_values()
        for name, level in (
            ("share_limit", self.easycrm_share_limit),
            ("share_default", self._get_easycrm_share_default()),
        ):
            if level != present[f"easycrm_{name}"]:
                self.env["ir.config_parameter"].sudo().set_param(
                    f"easycrm_mail.{name}", level
                )
        return result

    def _get_easycrm_share_default(self):
        """Return the default that was chosen, no more than the limit."""
        return min(
            self.easycrm_share_default or SHARE_LEVELS[0],
            self.easycrm_share_limit or SHARE_LEVELS[0],
            key=SHARE_LEVELS.index,
        )
