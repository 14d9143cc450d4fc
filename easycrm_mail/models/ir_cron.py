from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, str2bool

from .easycrm_email_account_schedule import ENABLED, MINUTES


class IrCron(models.Model):
    _inherit = "ir.cron"

    def write(self, vals):
        result = super().write(vals)
        if self.env["easycrm.email.account"]._get_sync_cron() in self:
            self._easycrm_forget_wish(vals)
        return result

    @api.model
    def _easycrm_get(self, name):
        """Return a job, as superuser; an empty recordset if somebody has deleted it.

        :param str name: its external ID
        """
        cron = self.env.ref(name, raise_if_not_found=False)
        return (cron or self.browse()).sudo()

    @api.model
    def _easycrm_check(self, name):
        """Check that a job is there, which a person's button cannot do without.

        :param str name: its external ID
        :raise UserError: somebody has deleted it
        """
        if not self._easycrm_get(name):
            raise UserError(self._easycrm_say_deleted())

    @api.model
    def _easycrm_say_deleted(self):
        return self.env._(
            "This cannot be done: a scheduled action of Email for CRM was deleted. It "
            "comes back when an administrator upgrades the app."
        )

    def _easycrm_trigger(self, at=None):
        """Trigger the job, now or for a moment; nothing if it was deleted.

        :param at: a datetime; None: now
        """
        if self:
            self._trigger(at=at)

    def _easycrm_go_on_later(self):
        """End a run whose time is up; what remains is for the next, very soon.

        Odoo makes ten runs of a job that says so itself, however long they take, and
        what takes two minutes is killed, with all that goes on beside it.
        """
        self._easycrm_trigger()
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

    def _easycrm_wake(self, at=None):
        """Have the job run, now or at a moment, by one row for all who want it then.

        Nothing if it was deleted.

        A trigger that a run has taken is locked until that run ends: it does not count,
        as the run may have looked already. One that counts cannot be taken before what
        this transaction has written is there to be seen.

        :param at: a datetime; None: now
        """
        if not self:
            return
        self.ensure_one()
        now = fields.Datetime.now()
        is_due = at is None or at <= now
        wanted = SQL("call_at <= %s", now) if is_due else SQL("call_at = %s", at)
        self.env["ir.cron.trigger"].flush_model()
        has_one = self.env.execute_query(
            SQL(
                "SELECT id FROM ir_cron_trigger WHERE cron_id = %s AND %s"
                " LIMIT 1 FOR KEY SHARE SKIP LOCKED",
                self.id,
                wanted,
            )
        )
        if not has_one:
            self._trigger(at=at)
        elif is_due:
            # (made for a moment that has come, it has woken nobody)
            self.env.cr.postcommit.add(self._notifydb)
