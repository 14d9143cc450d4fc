from odoo import fields, models

from .easycrm_esp_event import EVENTS_CRON


class EasycrmEsp(models.Model):
    """What a sender has reported that could not be applied."""

    _inherit = "easycrm.esp"

    set_aside_count = fields.Integer(compute="_compute_set_aside_count")

    def _compute_set_aside_count(self):
        groups = (
            self.env["easycrm.esp.event"]
            .sudo()
            ._read_group(self._get_set_aside_domain(), ["esp_id"], ["__count"])
        )
        counts = {esp.id: count for esp, count in groups}
        for esp in self:
            esp.set_aside_count = counts.get(esp.id, 0)

    def _get_set_aside_domain(self):
        return [("esp_id", "in", self.ids), ("error", "!=", False)]

    def action_view_set_aside(self):
        """Open the events that could not be applied, with their reasons."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Set Aside"),
            "res_model": "easycrm.esp.event",
            "view_mode": "list",
            "domain": self._get_set_aside_domain(),
            "context": {"create": False},
        }

    def action_apply_again(self):
        """Have the events that are set aside tried again soon."""
        self.check_access("write")
        self.env["ir.cron"]._easycrm_check(EVENTS_CRON)
        self.env["easycrm.esp.event"].sudo().search(self._get_set_aside_domain()).write(
            {"applied": False, "error": False}
        )
        self.env["ir.cron"]._easycrm_get(EVENTS_CRON)._easycrm_trigger()
