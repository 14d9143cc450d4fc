import logging
import uuid
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..esp import (
    Doubtful,
    EspError,
    Permanent,
    Refused,
    Retry,
    SuppressionReason,
)
from .retrying import Retrying

_logger = logging.getLogger(__name__)

#: Minutes after which a batch that was put off is tried again; the last, ever on.
DELAYS = (1, 2, 4, 8, 15)

#: Minutes that a sender is left alone after the first, the second, … lost answer. (Less
#: than those after which a lost worker is known: that was no sender's fault.)
SILENT_DELAYS = (1, 2, 4)

#: Minutes after which a batch that was handed over has no worker any more.
LOST_MINUTES = 5

#: The job that hands batches over.
SEND_CRON = "easycrm_mail.ir_cron_esp_send"

#: Who gets nothing more, though a mailing does not go by Odoo's blocklist.
NEVER = (SuppressionReason.BOUNCED, SuppressionReason.COMPLAINED)

#: Minutes in which events settle a doubt; then only a person does.
DOUBT_MINUTES = 60


class EasycrmEspBatch(models.Model):
    """Handing batches over, each at most once by itself."""

    _inherit = "easycrm.esp.batch"

    @api.model
    def _cron_send(self):
        """Hand over what is waiting."""
        BulkRun(self.env).run()

    @api.model
    def _get_due(self):
        """Return the next batch to hand over, locked; none is empty."""
        now = fields.Datetime.now()
        due = self.search(
            [
                ("state", "=", "prepared"),
                ("mailing_id.easycrm_paused", "=", False),
                ("mailing_id.easycrm_cancelled", "=", False),
                ("esp_id", "not in", self._get_silent_senders().ids),
                *("|", ("next_try_at", "=", False), ("next_try_at", "<=", now)),
            ],
            limit=20,
        )
        for batch in due:
            if locked := batch.try_lock_for_update():
                return locked
        return self.browse()

    @api.model
    def _get_silent_senders(self):
        """Return the senders that said nothing lately, until their time is over.

        Whatever is handed over to one that does not answer is in doubt.
        """
        now = fields.Datetime.now()
        groups = self._read_group(
            [
                ("state", "=", "doubt"),
                ("handed_at", ">", now - timedelta(minutes=DOUBT_MINUTES)),
            ],
            ["esp_id"],
            ["handed_at:max", "__count"],
        )
        silent = self.env["easycrm.esp"]
        for esp, last, count in groups:
            delay = SILENT_DELAYS[min(count, len(SILENT_DELAYS)) - 1]
            if last > now - timedelta(minutes=delay):
                silent |= esp
        return silent

    def _get_esp(self):
        """Return the `esp.Esp` that a batch is handed over to.

        :raise UserError: it cannot be, in words
        """
        if not self.esp_id.active:
            raise UserError(self.env._("%s is archived.", self.esp_id.name))
        self.mailing_id._easycrm_check_database()
        return self.esp_id._make_esp()

    def _hand_over(self):
        """Mark a batch as handed over; return its `esp.Bulk`, or None."""
        self._leave_out_suppressed()
        bulk = self._make_bulk()
        if not bulk:
            self.state = "cancelled"
            return None
        self.write(
            {
                "state": "handed_over",
                "handed_at": fields.Datetime.now(),
                "next_try_at": False,
            }
        )
        self._mark_handed_over()
        return bulk

    def _leave_out_suppressed(self):
        """Cancel who must not be written to any more, as it is now.

        Since the batch was written somebody may have complained, or unsubscribed, or
        was deleted: it may have waited for days. Who has complained, or whose address
        has bounced for good, gets nothing where the blocklist is left aside, either.
        """
        traces = self.trace_ids.filtered(lambda t: t.trace_status == "outgoing")
        addresses = set(traces.mapped("email"))
        is_by_list = self.mailing_id.use_exclusion_list
        reasons = SuppressionReason if is_by_list else NEVER
        blocked = self.env["easycrm.esp.suppression"]._get_blocked(addresses, reasons)
        if is_by_list:
            listed = [("email", "in", list(addresses))]
            blocked |= set(self.env["mail.blacklist"].search(listed).mapped("email"))
        is_blocked = traces.filtered(lambda t: t.email in blocked)
        is_deleted = self._find_deleted(traces - is_blocked)
        has_left = self._find_opted_out(traces - is_blocked - is_deleted)
        for left_out, why in (
            (is_blocked, "mail_bl"),
            (is_deleted, "mail_email_missing"),
            (has_left, "mail_optout"),
        ):
            left_out.write(
                {
                    "trace_status": "cancel",
                    "failure_type": why,
                    "easycrm_values": False,
                }
            )

    def _find_deleted(self, traces):
        """Return those of these recipients whose contact, or other record, is gone.

        Who has the same address, and was left out for that, may stay: it is for him.
        """
        gone = self._find_gone(traces)
        if not gone:
            return gone
        twins = traces.search(
            [
                ("mass_mailing_id", "=", self.mailing_id.id),
                ("trace_status", "=", "cancel"),
                ("failure_type", "=", "mail_dup"),
                ("email", "in", gone.mapped("email")),
            ]
        )
        staying = set((twins - self._find_gone(twins)).mapped("email"))
        return gone.filtered(lambda t: t.email not in staying)

    def _find_gone(self, traces):
        records = self.env[self.mailing_id.mailing_model_real]
        here = set(records.browse(traces.mapped("res_id")).exists().ids)
        return traces.filtered(lambda t: t.res_id not in here)

    def _find_opted_out(self, traces):
        """Return those of these recipients who have left the lists of the mailing.

        Odoo lets who has the same address as somebody who stays on a list have it.
        """
        if self.mailing_id.mailing_model_name != "mailing.list":
            return traces.browse()
        subscriptions = self.env["mailing.subscription"].search(
            [
                ("list_id", "in", self.mailing_id.contact_list_ids.ids),
                *("|", ("contact_id", "in", traces.mapped("res_id"))),
                ("contact_id.email_normalized", "in", traces.mapped("email")),
            ]
        )
        staying = subscriptions.filtered(lambda one: not one.opt_out).contact_id
        gone = subscriptions.contact_id - staying
        known_gone = {*gone.ids, *gone.mapped("email_normalized")}
        known_staying = {*staying.ids, *staying.mapped("email_normalized")}

        def has_left(trace):
            known = {trace.res_id, trace.email}
            return known & known_gone and not known & known_staying

        return traces.filtered(has_left)

    def _settle(self, outcome):
        """Keep what came of handing a batch over.

        :param outcome: `esp.Accepted`, or the `esp.EspError`
        """
        if self.state != "handed_over":
            return  # its events have told more meanwhile
        if isinstance(outcome, Doubtful):
            words = self._explain_error(outcome)
            self.write({"state": "doubt", "error": words})
        elif isinstance(outcome, Retry):
            self._put_off(outcome)
        elif isinstance(outcome, Refused):
            self._split(outcome)
        elif isinstance(outcome, Permanent):
            words = self._explain_error(outcome)
            self._take_back({"error": words})
            self.mailing_id._easycrm_pause(reason=words)
        else:
            self.write(
                {
                    "state": "accepted",
                    "reference": outcome.reference,
                    "put_off_at": False,
                    "error": False,
                }
            )
            self._mark_on_the_way()

    def _in_its_language(self):
        """Return a batch whose words are for who answers for its mailing.

        It is handed over by a job, which has no language of its own.
        """
        return self.with_context(lang=self.mailing_id.user_id.lang)

    def _explain_error(self, error):
        return self._in_its_language().esp_id._explain_error(error)

    def _take_back(self, values):
        """Let a batch that certainly was not sent wait again."""
        self.write({"state": "prepared", "handed_at": False, **values})
        self.trace_ids.filtered(lambda t: t.trace_status == "process").write(
            {"trace_status": "outgoing"}
        )

    def _put_off(self, error):
        attempts = self.attempts + 1
        delay = timedelta(minutes=DELAYS[min(attempts, len(DELAYS)) - 1])
        if error.retry_after:
            delay = max(delay, timedelta(seconds=error.retry_after))
        due = fields.Datetime.now() + delay
        self._take_back(
            {
                "attempts": attempts,
                "put_off_at": self.put_off_at or fields.Datetime.now(),
                "next_try_at": due,
                "error": self._explain_error(error),
            }
        )
        self.env["ir.cron"]._easycrm_get(SEND_CRON)._easycrm_trigger(due)

    def _split(self, error):
        """Take out whom the sender does not take, or halve the batch to find them."""
        words = self._explain_error(error)
        self._take_back({"error": words})
        traces = self.trace_ids.filtered(lambda t: t.trace_status == "outgoing")
        blamed = {address.lower() for address in error.addresses}
        out = traces.filtered(lambda t: (t.email or "").lower() in blamed)
        if not out and (error.code != "recipients" or len(traces) == 1):
            out = traces
        if out:
            is_address = error.code == "recipients"
            failure = "mail_email_invalid" if is_address else "unknown"
            self._mark_left_out(out, failure, error.detail or words)
            if out == traces:
                self.state = "refused"
            return
        half = self.copy({"key": str(uuid.uuid4()), "state": "prepared"})
        traces[len(traces) // 2 :].write({"easycrm_batch_id": half.id})

    @api.model
    def _look_for_lost(self):
        """Doubt the batches whose worker died between the call and its answer."""
        before = fields.Datetime.now() - timedelta(minutes=LOST_MINUTES)
        lost = self.search([("state", "=", "handed_over"), ("handed_at", "<", before)])
        for batch in lost:
            env = batch._in_its_language().env
            words = env._("It was interrupted while it was handed over.")
            batch.write({"state": "doubt", "error": words})

    @api.model
    def _look_for_left(self):
        """Take back what a run has written that died after somebody cancelled it."""
        left = self.search(
            [
                ("state", "in", ("filling", "prepared")),
                ("mailing_id.easycrm_cancelled", "=", True),
            ]
        )
        left.mailing_id._easycrm_cancel_waiting()

    def _send_again(self):
        """Let batches wait again that were never confirmed: a person has decided so."""
        for batch in self:
            # (events of the first sending are not taken for those of the second)
            batch.write(
                {
                    "key": str(uuid.uuid4()),
                    "attempts": 0,
                    "put_off_at": False,
                    "error": False,
                }
            )
            batch._take_back({})


class BulkRun(Retrying):
    """Hands batches over, one after the other, until the cron's time is up."""

    def __init__(self, env):
        self.env = env

    def run(self):
        """Go on as long as there is time."""
        Cron = self.env["ir.cron"]
        Batch = self.env["easycrm.esp.batch"]
        self._retrying(Batch._look_for_lost)
        self._retrying(Batch._look_for_left)
        # (each in a transaction of its own: two workers that settle the last two
        # batches at once do not see each other's)
        finish = self.env["mailing.mailing"]._easycrm_finish_all
        self._retrying(finish)
        while batch_id := self._retrying(self._begin):
            batch = Batch.browse(batch_id)
            outcome = self._call(batch)
            self._retrying(self._end, batch_id, outcome)
            self._retrying(finish)
            if not Cron._commit_progress(1, remaining=1):
                Cron._easycrm_get(SEND_CRON)._easycrm_go_on_later()
                break
        else:
            self._retrying(finish)

    def _begin(self):
        self.bulk = None
        while batch := self.env["easycrm.esp.batch"]._get_due():
            try:
                self.esp = batch._in_its_language()._get_esp()
            except UserError as error:
                batch.mailing_id._easycrm_pause(reason=str(error))
                continue
            try:
                self.bulk = batch._hand_over()
            except (KeyError, TypeError, ValueError):
                # (of what is written there: it must not keep the others waiting)
                _logger.exception("Batch %s cannot be read", batch.id)
                batch._split(Refused("mail"))
                continue
            if self.bulk:
                return batch.id
        return None

    def _call(self, batch):
        """Hand over, with no transaction open; return what came of it."""
        try:
            return self.esp.send(self.bulk)
        except EspError as error:
            return error
        except Exception:
            _logger.exception("Batch %s may have been handed over", batch.id)
            return Doubtful("answer", "internal")
        finally:
            self.esp.close()

    def _end(self, batch_id, outcome):
        if batch := self.env["easycrm.esp.batch"].browse(batch_id).exists():
            batch._settle(outcome)
