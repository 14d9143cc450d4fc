from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from .easycrm_esp_send import DOUBT_MINUTES

#: States of a batch that is not through.
OPEN = ("filling", "prepared", "handed_over")


class TimeUp(Exception):
    """The cron's time is up, and not all recipients are written."""


class MailingMailing(models.Model):
    """A mailing that goes through a bulk sender."""

    _inherit = "mailing.mailing"

    easycrm_esp_id = fields.Many2one(
        "easycrm.esp",
        string="Send Through",
        domain="[('active', '=', True)]",
        default=lambda self: self._get_default_easycrm_esp(),
        tracking=True,
        # (else what waits for its hour would go out through Odoo's mail server)
        ondelete="restrict",
        help="None: Odoo's own mail server.",
    )
    easycrm_batch_ids = fields.One2many(
        "easycrm.esp.batch", "mailing_id", string="Batches", readonly=True
    )
    easycrm_paused = fields.Boolean(string="Sending Paused", copy=False, readonly=True)
    easycrm_pause_reason = fields.Char(copy=False, readonly=True)
    easycrm_writing = fields.Boolean(
        copy=False,
        readonly=True,
        help="Its batches are being written: those there are may not be all.",
    )
    easycrm_cancelled = fields.Boolean(
        string="Sending Cancelled", copy=False, readonly=True
    )

    @api.model
    def _get_default_easycrm_esp(self):
        value = self.env["ir.config_parameter"].sudo().get_param("easycrm_mail.esp_id")
        esp = self.env["easycrm.esp"].browse(int(value or 0)).exists()
        return esp.filtered("active")._filtered_access("read")

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_easycrm_esp(vals)
        return super().create(vals_list)

    @api.model
    def _check_easycrm_esp(self, vals):
        # (a mailing belongs to no company: whoever chooses the sender must see it)
        if esp_id := vals.get("easycrm_esp_id"):
            self.env["easycrm.esp"].browse(esp_id).check_access("read")

    def action_put_in_queue(self):
        self.sudo().filtered("easycrm_cancelled").easycrm_cancelled = False
        return super().action_put_in_queue()

    def write(self, vals):
        self._check_easycrm_esp(vals)
        # what is written, and not handed over yet, is not sent: it is not done
        busy = self.browse()
        if vals.get("state") == "done":
            self.sudo()._easycrm_end_writing()
            busy = self.filtered(lambda m: m.sudo()._easycrm_is_busy())
        if busy:
            super(MailingMailing, busy).write({"state": "sending"})
        return super(MailingMailing, self - busy).write(vals)

    def _easycrm_is_busy(self):
        """Return whether something of it is not handed over yet."""
        return any(batch.state in OPEN for batch in self.easycrm_batch_ids)

    def _easycrm_end_writing(self):
        """All recipients are written, be it by several runs: what is not full goes."""
        self.filtered("easycrm_writing").easycrm_writing = False
        filling = self.easycrm_batch_ids.filtered(lambda b: b.state == "filling")
        if filling:
            filling.state = "prepared"
            self._easycrm_wake()

    def _action_send_mail(self, res_ids=None):
        try:
            result = super()._action_send_mail(res_ids)
        except TimeUp:
            # (Odoo's own cron goes on with it: it runs once a day)
            self.env.ref("mass_mailing.ir_cron_mass_mailing_queue").sudo()._trigger()
            result = True
        if self.easycrm_esp_id:
            self.sudo()._easycrm_wake()
        return result

    def _easycrm_wake(self):
        self.env.ref("easycrm_mail.ir_cron_esp_send")._trigger()

    def _easycrm_finish(self):
        """A mailing is sent when nothing of it waits any more."""
        self.invalidate_recordset(["easycrm_batch_ids"])
        for mailing in self.filtered(lambda m: m.state == "sending"):
            if not mailing.easycrm_writing and not mailing._easycrm_is_busy():
                mailing.write(
                    {
                        "state": "done",
                        "sent_date": fields.Datetime.now(),
                        "kpi_mail_required": not mailing.sent_date,
                    }
                )

    @api.model
    def _easycrm_finish_all(self):
        """Finish the mailings of which nothing waits any more."""
        self.search(
            [
                ("state", "=", "sending"),
                ("easycrm_writing", "=", False),
                ("easycrm_batch_ids", "!=", False),
                ("easycrm_batch_ids", "not any", [("state", "in", OPEN)]),
            ]
        )._easycrm_finish()

    def _easycrm_get_unconfirmed(self):
        """Return the batches that no event has confirmed in time."""
        before = fields.Datetime.now() - timedelta(minutes=DOUBT_MINUTES)
        return self.sudo().easycrm_batch_ids.filtered(
            lambda batch: batch.state == "doubt" and batch.handed_at < before
        )

    def action_easycrm_pause(self):
        """Hand nothing more over for now."""
        self.check_access("write")
        self.sudo().write(
            {
                "easycrm_paused": True,
                "easycrm_pause_reason": self.env._(
                    "paused by %(user)s at %(time)s",
                    user=self.env.user.name,
                    time=fields.Datetime.context_timestamp(
                        self, fields.Datetime.now()
                    ).strftime("%H:%M"),
                ),
            }
        )

    def action_easycrm_resume(self):
        """Go on."""
        self.check_access("write")
        self.sudo().write({"easycrm_paused": False, "easycrm_pause_reason": False})
        self.sudo()._easycrm_wake()

    def action_easycrm_cancel(self):
        """Send nothing more: whoever has not got it will not."""
        self.check_access("write")
        self.sudo().write(
            {
                "easycrm_cancelled": True,
                "easycrm_writing": False,
                "easycrm_paused": False,
                "easycrm_pause_reason": False,
            }
        )
        self.sudo()._easycrm_cancel_waiting()
        self.sudo()._easycrm_finish()

    def _easycrm_cancel_waiting(self):
        """Take back what is written, and not handed over yet."""
        traces = self.env["mailing.trace"].search(
            [
                ("easycrm_batch_id.mailing_id", "in", self.ids),
                ("trace_status", "=", "outgoing"),
            ]
        )
        traces.write({"trace_status": "cancel", "easycrm_values": False})
        self.easycrm_batch_ids.filtered(
            lambda batch: batch.state in ("filling", "prepared")
        ).write({"state": "cancelled"})

    def action_easycrm_go_on_through(self, esp_id):
        """Hand what waits over to another sender.

        :param int esp_id: of the `easycrm.esp`
        """
        self.check_access("write")
        esp = self.env["easycrm.esp"].browse(esp_id)
        esp.check_access("read")
        waiting = self.sudo().easycrm_batch_ids.filtered(
            lambda batch: batch.state in ("filling", "prepared")
        )
        waiting.write(
            {"esp_id": esp.id, "attempts": 0, "next_try_at": False, "error": False}
        )
        waiting.trace_ids.write({"easycrm_esp_id": esp.id})
        self.action_easycrm_resume()

    def action_easycrm_send_unconfirmed(self):
        """Send again what was never confirmed."""
        self.check_access("write")
        batches = self._easycrm_get_unconfirmed()
        if not batches:
            raise UserError(self.env._("All is confirmed by now."))
        batches.with_env(self.env).action_send_again()
        self.sudo().filtered(lambda m: m.state == "done").state = "sending"
