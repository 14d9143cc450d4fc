from odoo import api, fields, models
from odoo.exceptions import ValidationError

#: Minutes between two readings, at most: a day.
LONGEST = 24 * 60


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    easycrm_sync_enabled = fields.Boolean(string="Read mailboxes automatically")
    easycrm_sync_minutes = fields.Integer(string="Minutes between two readings")
    easycrm_keep_attachments = fields.Boolean(
        string="Keep attachments of linked emails"
    )
    easycrm_match_colleagues = fields.Boolean(string="Link emails between colleagues")
    easycrm_esp_id = fields.Many2one(
        "easycrm.esp",
        string="Bulk Sender",
        config_parameter="easycrm_mail.esp_id",
        help="New mailings go through it; each can go another way.",
    )

    @api.constrains("easycrm_sync_minutes", "easycrm_sync_enabled")
    def _check_easycrm_sync_minutes(self):
        _enabled, present = self.env["easycrm.email.account"]._get_schedule()
        for settings in self.filtered("easycrm_sync_enabled"):
            minutes = settings.easycrm_sync_minutes
            if minutes != present and not 1 <= minutes <= LONGEST:
                raise ValidationError(
                    self.env._(
                        "Mailboxes can be read every minute, and at the longest once a "
                        "day (every %s minutes).",
                        LONGEST,
                    )
                )

    @api.model
    def get_values(self):
        Account = self.env["easycrm.email.account"]
        enabled, minutes = Account._get_schedule()
        return {
            **super().get_values(),
            "easycrm_sync_enabled": enabled,
            "easycrm_sync_minutes": minutes,
            "easycrm_keep_attachments": Account._keeps_files(),
            "easycrm_match_colleagues": self.env[
                "easycrm.email.address"
            ]._matches_colleagues(),
        }

    def set_values(self):
        self.check_access("write")  # it may be called by anybody, what follows is sudo
        result = super().set_values()
        Account = self.env["easycrm.email.account"]
        minutes = self.easycrm_sync_minutes
        if not 1 <= minutes <= LONGEST:  # hidden while it is off, or as it was
            _enabled, minutes = Account._get_schedule()
        Account._set_schedule(self.easycrm_sync_enabled, minutes)
        if self.easycrm_keep_attachments != Account._keeps_files():
            self.env["ir.config_parameter"].sudo().set_param(
                "easycrm_mail.keep_attachments", str(self.easycrm_keep_attachments)
            )
        self.env["easycrm.email.address"]._set_match_colleagues(
            self.easycrm_match_colleagues
        )
        return result
