from datetime import timedelta

from odoo import api, fields, models

#: System parameters that hold what Settings wish for. "Off" is obeyed by the sync
#: itself and stays; everything else goes once the cron's row has followed.
ENABLED, MINUTES = "easycrm_mail.sync_enabled", "easycrm_mail.sync_minutes"

#: Minutes until a row that was busy is looked at again.
BUSY_MINUTES = 1

#: Minutes of what a cron's interval may be given in.
INTERVALS = {
    "minutes": 1,
    "hours": 60,
    "days": 24 * 60,
    "weeks": 7 * 24 * 60,
    "months": 30 * 24 * 60,
}


class EasycrmEmailAccount(models.Model):
    """How often mailboxes are read: what Settings wish for, and the cron's own row.

    A cron's row cannot be written while it runs, which is most of the time in a large
    firm. So Settings write the row when it is free, and else leave their wish to the
    backfill cron; whoever changes the row in Scheduled Actions overrules the wish.
    """

    _inherit = "easycrm.email.account"

    @api.model
    def _get_sync_cron(self):
        """Return the cron that reads mailboxes; nothing if somebody has deleted it."""
        return self.env["ir.cron"]._easycrm_get("easycrm_mail.ir_cron_email_sync")

    @api.model
    def _wake_backfill(self, at=None):
        """Have the backfill cron run, now or then; nothing if it was deleted."""
        cron = self.env["ir.cron"]._easycrm_get("easycrm_mail.ir_cron_email_backfill")
        cron._easycrm_trigger(at)

    @api.model
    def _get_schedule(self):
        """Return whether mailboxes are to be read, and how many minutes apart."""
        cron = self._get_sync_cron()
        wish = self.env["ir.config_parameter"].sudo().get_param(MINUTES)
        # (a system parameter: anybody may have written anything)
        is_number = wish and wish.isdecimal() and 0 < int(wish) < 2**31
        minutes = int(wish) if is_number else self._get_minutes(cron)
        enabled = bool(cron) and self._is_switched_on("sync_enabled", cron.active)
        return enabled, minutes

    @api.model
    def _get_minutes(self, cron):
        return cron.interval_number * INTERVALS.get(cron.interval_type, 0) or 1

    @api.model
    def _set_schedule(self, enabled, minutes):
        """Have mailboxes read every so many minutes, or not; never waits for the cron.

        :param int minutes: at least 1
        :raise UserError: it is switched on, and somebody has deleted the cron
        """
        params = self.env["ir.config_parameter"].sudo()
        was_enabled, was_minutes = self._get_schedule()
        if enabled and not was_enabled:
            self.env["ir.cron"]._easycrm_check("easycrm_mail.ir_cron_email_sync")
        if enabled != was_enabled:
            params.set_param(ENABLED, str(enabled))
        if minutes != was_minutes:
            params.set_param(MINUTES, minutes)
        self._apply_schedule()

    @api.model
    def _apply_schedule(self):
        """Let the cron's row follow what Settings wish for, if it is free now.

        Else the backfill cron tries again.
        """
        cron = self._get_sync_cron()
        if not cron:
            return
        enabled, minutes = self._get_schedule()
        vals = {}
        if minutes != self._get_minutes(cron):
            # an earlier interval may have put the next run far off
            soon = fields.Datetime.now() + timedelta(minutes=minutes)
            vals["nextcall"] = min(cron.nextcall, soon)
            vals["interval_number"] = minutes
            vals["interval_type"] = "minutes"
        if enabled != cron.active:
            vals["active"] = enabled
        if not vals:
            return
        if cron.try_lock_for_update(allow_referencing=True):
            cron.write(vals)  # which forgets the wish
            return
        self._wake_backfill(fields.Datetime.now() + timedelta(minutes=BUSY_MINUTES))
