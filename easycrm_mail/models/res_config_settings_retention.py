from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools.misc import format_date, formatLang

from .easycrm_email_retention import DAYS, MOST_DAYS


class ResConfigSettings(models.TransientModel):
    """How long unlinked emails are kept, and what that would delete."""

    _inherit = "res.config.settings"

    easycrm_unlinked_days = fields.Integer(string="Days that unlinked emails are kept")
    easycrm_unlinked_preview = fields.Char(compute="_compute_easycrm_unlinked_preview")

    @api.depends_context("lang")
    @api.depends("easycrm_unlinked_days")
    def _compute_easycrm_unlinked_preview(self):
        for settings in self:
            days = settings.easycrm_unlinked_days
            settings.easycrm_unlinked_preview = (
                0 < days <= MOST_DAYS and settings._easycrm_get_preview(days)
            )

    def _easycrm_get_preview(self, days):
        """Say what would be deleted if this were saved: in numbers, nothing else."""
        self.check_access("write")
        emails, mailboxes, oldest = self.env["easycrm.email"]._count_expired(days)
        if not emails:
            return self.env._("Nothing that is here is that old.")
        values = {
            "emails": formatLang(self.env, emails, digits=0),
            "mailboxes": mailboxes,
            "date": format_date(self.env, oldest, date_format="long"),
        }
        if emails == 1:
            return self.env._("This would delete 1 email now, from %(date)s.", **values)
        if mailboxes == 1:
            return self.env._(
                "This would delete %(emails)s emails of one mailbox now, the oldest "
                "from %(date)s.",
                **values,
            )
        return self.env._(
            "This would delete %(emails)s emails of %(mailboxes)s mailboxes now, the "
            "oldest from %(date)s.",
            **values,
        )

    @api.constrains("easycrm_unlinked_days")
    def _check_easycrm_unlinked_days(self):
        for settings in self:
            if not 0 <= settings.easycrm_unlinked_days <= MOST_DAYS:
                raise ValidationError(
                    self.env._(
                        "Unlinked emails are kept for 1 to %s days, or for ever (0).",
                        MOST_DAYS,
                    )
                )

    @api.model
    def get_values(self):
        return {
            **super().get_values(),
            "easycrm_unlinked_days": self.env["easycrm.email"]._get_retention_days(),
        }

    def set_values(self):
        self.check_access("write")  # it may be called by anybody, what follows is sudo
        result = super().set_values()
        days = self.easycrm_unlinked_days
        before = self.env["easycrm.email"]._get_retention_days()
        if days != before:
            self.env["ir.config_parameter"].sudo().set_param(DAYS, str(days or ""))
            if before and (not days or days > before):
                self.env["easycrm.email.account"]._read_aged_again()
        return result
