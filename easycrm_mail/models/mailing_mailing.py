from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import email_normalize

from .easycrm_esp_send import DOUBT_MINUTES, SEND_CRON

#: Odoo's own job, which writes mailings; once a day.
QUEUE_CRON = "mass_mailing.ir_cron_mass_mailing_queue"

#: Minutes after which a request that writes a mailing is surely over.
DEAD_MINUTES = 60

#: What a mailing has that goes on.
NOT_PAUSED = {
    "easycrm_paused": False,
    "easycrm_paused_at": False,
    "easycrm_paused_by": False,
    "easycrm_pause_reason": False,
}

#: What is written with the state of a mailing that is through.
OF_ITS_END = {"state", "sent_date", "kpi_mail_required"}

#: States of a batch that is not handed over yet, and of one that is not through.
WAITING = ("filling", "prepared")
OPEN = (*WAITING, "handed_over")


class TimeUp(Exception):
    """The cron's time is up, and not all recipients are written."""


class Unwritable(Exception):
    """A mailing cannot be written for anybody; it is paused, and says why."""


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
    )
    easycrm_batch_ids = fields.One2many(
        "easycrm.esp.batch", "mailing_id", string="Batches", readonly=True
    )
    easycrm_expected = fields.Integer(
        copy=False,
        readonly=True,
        help="How many recipients it has, those that are left out among them.",
    )
    easycrm_writing = fields.Boolean(
        copy=False, readonly=True, help="It is not all written yet what is to be sent."
    )
    easycrm_paused = fields.Boolean(string="Sending Paused", copy=False, readonly=True)
    easycrm_paused_at = fields.Datetime(copy=False, readonly=True)
    easycrm_paused_by = fields.Many2one("res.users", copy=False, readonly=True)
    easycrm_pause_reason = fields.Char(
        copy=False, readonly=True, help="What is wrong, where nobody has paused it."
    )
    easycrm_cancelled = fields.Boolean(
        string="Sending Cancelled", copy=False, readonly=True
    )
    easycrm_sender_hint = fields.Char(compute="_compute_easycrm_sender_hint")

    @api.model
    def _get_default_easycrm_esp(self):
        if self.env.context.get("default_mailing_type", "mail") != "mail":
            return self.env["easycrm.esp"]  # (text messages are mailings, too)
        value = self.env["ir.config_parameter"].sudo().get_param("easycrm_mail.esp_id")
        # (a system parameter: anybody may have written anything)
        esp_id = int(value) if value and value.isdecimal() else 0
        esp = self.env["easycrm.esp"].browse(esp_id).exists()
        return esp._filtered_access("read").filtered("active")

    @api.depends_context("lang", "uid", "allowed_company_ids")
    @api.depends("email_from", "easycrm_esp_id")
    def _compute_easycrm_sender_hint(self):
        """Say so where the sender's address is of another domain than its sender."""
        for mailing in self:
            # (of another company's nothing is told)
            esp = mailing.easycrm_esp_id._filtered_access("read")
            domain = (esp.domain or "").lower()
            address = email_normalize(mailing.email_from or "") or ""
            own = address.rpartition("@")[2]
            related = not own or f".{domain}".endswith(f".{own}")
            mailing.easycrm_sender_hint = (
                self.env._(
                    "The mailing is from %(address)s, but %(sender)s sends for "
                    "%(domain)s: it may end as spam. You can change “Send From” in "
                    "Settings.",
                    address=address,
                    sender=esp.name,
                    domain=domain,
                )
                if domain and not related and not own.endswith(f".{domain}")
                else False
            )

    @api.model_create_multi
    def create(self, vals_list):
        mailings = super().create(vals_list)
        mailings._check_easycrm_esp()
        return mailings

    def _check_easycrm_esp(self):
        # (a mailing belongs to no company: whoever chooses the sender must see it. No
        # constraint: those are checked as superuser)
        self.easycrm_esp_id.check_access("read")

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for mailing, vals in zip(self, vals_list, strict=True):
            esp = mailing.easycrm_esp_id
            if (
                esp
                and "easycrm_esp_id" not in (default or {})
                and not esp._filtered_access("read").filtered("active")
            ):
                vals["easycrm_esp_id"] = self._get_default_easycrm_esp().id
        return vals_list

    def action_put_in_queue(self):
        self._check_easycrm_esp()
        mailings = self.sudo().filtered("easycrm_esp_id")
        if mailings and not self.env.context.get("cron_id"):
            # (by a job it is paused, and says so, once it is written)
            self.env["ir.cron"]._easycrm_check(SEND_CRON)
        mailings.write(
            {"easycrm_cancelled": False, "easycrm_writing": True, **NOT_PAUSED}
        )
        mailings._easycrm_plan_here()
        return super().action_put_in_queue()

    def action_cancel(self):
        self.check_access("write")
        self.sudo().filtered("easycrm_writing").easycrm_writing = False
        return super().action_cancel()

    def write(self, vals):
        # what is written, and not handed over yet, is not sent: it is not done
        busy = self.browse()
        if vals.get("state") == "done":
            self.sudo()._easycrm_end_writing()
            busy = self._easycrm_get_busy()
        if busy:
            kept = {name: vals[name] for name in vals.keys() - OF_ITS_END}
            super(MailingMailing, busy).write({**kept, "state": "sending"})
        result = super(MailingMailing, self - busy).write(vals)
        if "easycrm_esp_id" in vals:
            self._check_easycrm_esp()
            if vals["easycrm_esp_id"]:
                self._easycrm_plan_on_its_way()
        return result

    def unlink(self):
        self.check_access("unlink")
        self.env["link.tracker.click"]._easycrm_forget("mass_mailing_id", self)
        return super().unlink()

    def _easycrm_get_batches(self, *states):
        """Return the batches that are in one of these states."""
        return (
            self.env["easycrm.esp.batch"]
            .sudo()
            .search([("mailing_id", "in", self.ids), ("state", "in", states)])
        )

    def _easycrm_get_busy(self):
        """Return those of which something is not handed over yet."""
        groups = (
            self.env["easycrm.esp.batch"]
            .sudo()
            ._read_group(
                [("mailing_id", "in", self.ids), ("state", "in", OPEN)], ["mailing_id"]
            )
        )
        ids = {mailing.id for (mailing,) in groups}
        return self.filtered(lambda mailing: mailing.id in ids)

    def _easycrm_end_writing(self):
        """All recipients are written, be it by several runs: what is not full goes."""
        self.filtered("easycrm_writing").easycrm_writing = False
        if filling := self._easycrm_get_batches("filling"):
            filling.state = "prepared"
            self._easycrm_wake()

    def _action_send_mail(self, res_ids=None):
        try:
            result = super()._action_send_mail(res_ids)
        except TimeUp:
            # (Odoo's own cron goes on with it: it runs once a day)
            self.env["ir.cron"]._easycrm_get(QUEUE_CRON)._easycrm_go_on_later()
            result = True
        except Unwritable:
            result = True  # (the mailings behind it are sent all the same)
        if self.easycrm_esp_id:
            self.sudo()._easycrm_wake()
        return result

    def _easycrm_wake(self):
        """Have what waits handed over; paused, if the job that does it was deleted."""
        cron = self.env["ir.cron"]._easycrm_get(SEND_CRON)
        cron._easycrm_trigger()
        if not cron:
            busy = self._easycrm_get_busy()
            for mailing in busy.filtered(lambda one: not one.easycrm_paused):
                words = cron.with_context(lang=mailing.user_id.lang)
                mailing._easycrm_pause(reason=words._easycrm_say_deleted())

    def _easycrm_finish(self):
        """A mailing is sent when nothing of it waits any more."""
        written = self.filtered(
            lambda mailing: mailing.state == "sending" and not mailing.easycrm_writing
        )
        for mailing in written - written._easycrm_get_busy():
            mailing.write(
                {
                    "state": "done",
                    "sent_date": fields.Datetime.now(),
                    "kpi_mail_required": not mailing.sent_date,
                    # (it may have been paused while its last batch was on its way)
                    **NOT_PAUSED,
                }
            )

    @api.model
    def _easycrm_finish_all(self):
        """Finish the mailings of which nothing waits any more."""
        self._easycrm_take_up_lost()
        self.with_context(active_test=False).search(
            [
                ("state", "=", "sending"),
                ("easycrm_esp_id", "!=", False),
                ("easycrm_writing", "=", False),
                ("easycrm_batch_ids", "!=", False),
                ("easycrm_batch_ids", "not any", [("state", "in", OPEN)]),
            ]
        )._easycrm_finish()

    @api.model
    def _easycrm_take_up_lost(self):
        """Send what was written by a worker that died while somebody tried it again.

        That is done within his request: no job knows of it.
        """
        before = fields.Datetime.now() - timedelta(minutes=DEAD_MINUTES)
        lost = self.with_context(active_test=False).search(
            [
                ("state", "=", "done"),
                ("easycrm_esp_id", "!=", False),
                ("easycrm_writing", "=", True),
                ("write_date", "<", before),
            ]
        )
        lost.write({"state": "sending"})
        lost._easycrm_end_writing()

    def _easycrm_get_unconfirmed(self):
        """Return the batches that no event has confirmed in time."""
        before = fields.Datetime.now() - timedelta(minutes=DOUBT_MINUTES)
        return self._easycrm_get_batches("doubt").filtered(
            lambda batch: batch.handed_at < before
        )

    def action_easycrm_pause(self):
        """Hand nothing more over for now."""
        self.check_access("write")
        self.sudo()._easycrm_pause(by=self.env.user)

    def _easycrm_pause(self, by=None, reason=False):
        """Hand nothing more over for now.

        :param by: the `res.users` who wants it so
        :param str reason: else what is wrong, in words
        """
        self.write(
            {
                "easycrm_paused": True,
                "easycrm_paused_at": fields.Datetime.now(),
                "easycrm_paused_by": by and by.id,
                "easycrm_pause_reason": reason,
            }
        )

    def action_easycrm_resume(self):
        """Go on."""
        self.check_access("write")
        self.env["ir.cron"]._easycrm_check(SEND_CRON)
        mailings = self.sudo()
        mailings.write(NOT_PAUSED)
        mailings._easycrm_plan_here()
        # (who resumes has mended what was wrong: it is tried at once)
        mailings._easycrm_get_batches("prepared").write(
            {"next_try_at": False, "attempts": 0, "put_off_at": False, "error": False}
        )
        mailings._easycrm_wake()
        if mailings.filtered("easycrm_writing"):
            # (what is not written yet is written by Odoo's own job, once a day)
            self.env["ir.cron"]._easycrm_get(QUEUE_CRON)._easycrm_trigger()

    def action_easycrm_cancel(self):
        """Send nothing more: whoever has not got it will not."""
        self.check_access("write")
        self.sudo().write(
            {"easycrm_cancelled": True, "easycrm_writing": False, **NOT_PAUSED}
        )
        self.sudo()._easycrm_cancel_waiting()
        self.sudo()._easycrm_finish()

    def _easycrm_cancel_waiting(self):
        """Take back what is written, and not handed over yet."""
        traces = self.env["mailing.trace"].search(
            [
                ("mass_mailing_id", "in", self.ids),
                ("easycrm_batch_id", "!=", False),
                ("trace_status", "=", "outgoing"),
            ]
        )
        traces.write({"trace_status": "cancel", "easycrm_values": False})
        self._easycrm_get_batches(*WAITING).write({"state": "cancelled"})

    def action_easycrm_go_on_through(self, esp_id):
        """Hand what waits over to another sender.

        :param int esp_id: of the `easycrm.esp`
        """
        self.check_access("write")
        esp = self.env["easycrm.esp"].browse(esp_id)
        esp.check_access("read")
        # (what is not written yet goes there as well. Odoo lets only editors of
        # templates write a mailing whose text has values)
        self.sudo().easycrm_esp_id = esp
        self._easycrm_move_waiting()
        self.action_easycrm_resume()

    def _easycrm_move_waiting(self):
        """Let what waits go through the sender that its mailing has now."""
        for mailing in self.filtered("easycrm_esp_id"):
            esp = mailing.easycrm_esp_id
            waiting = mailing._easycrm_get_batches(*WAITING)
            waiting = waiting.filtered(lambda batch, esp=esp: batch.esp_id != esp)
            waiting.esp_id = esp
            waiting.trace_ids.write({"easycrm_esp_id": esp.id})

    def action_easycrm_send_unconfirmed(self):
        """Send again what was never confirmed."""
        self.check_access("write")
        batches = self._easycrm_get_unconfirmed()
        if not batches:
            raise UserError(self.env._("All is confirmed by now."))
        self.env["ir.cron"]._easycrm_check(SEND_CRON)
        mailings = batches.mailing_id
        # (somebody's pause holds what else waits)
        held = mailings._easycrm_get_busy()
        batches._send_again()
        mailings.write({"state": "sending", "easycrm_cancelled": False})
        (mailings - held).write(NOT_PAUSED)
        mailings._easycrm_wake()
