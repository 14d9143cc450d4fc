from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools.misc import split_every

from .mailing_mailing import NOT_PAUSED, SEND_CRON

#: Recipients that are forgotten at once, to be written to again.
RETRIED_AT_ONCE = 1000


class MailingMailing(models.Model):
    """Whom a mailing is still to be written for, and who is tried again."""

    _inherit = "mailing.mailing"

    # --- who remains ---

    def _easycrm_is_version(self):
        """Tell whether it is one of several that are tried on a share each."""
        self.ensure_one()
        return bool(
            self.easycrm_esp_id
            and self.ab_testing_enabled
            and not self.ab_testing_is_winner_mailing
        )

    def _get_recipients(self):
        res_ids = super()._get_recipients()
        if not self._easycrm_is_version():
            return res_ids
        # (Odoo draws the whole share among those that no version has: what is written
        # by several runs would end as a mailing to everybody)
        domain = self._get_recipients_domain()
        count = self.env[self.mailing_model_real].search_count(domain)
        wanted = max(int(count / 100.0 * self.ab_testing_pc), 1)
        [(written,)] = (
            self.env["mailing.trace"]
            .sudo()
            ._read_group(
                [("mass_mailing_id", "=", self.id), ("is_test_trace", "=", False)],
                aggregates=["res_id:count_distinct"],
            )
        )
        return res_ids[: max(wanted - written, 0)]

    def _get_remaining_recipients(self):
        # (all of it is written, and sent step by step: who comes to be meant by its
        # filter or list meanwhile is not one of its recipients)
        is_written = self.state == "sending" and not self.easycrm_writing
        if self.easycrm_esp_id and is_written and self.sudo().easycrm_batch_ids[:1]:
            return []
        return super()._get_remaining_recipients()

    @api.model
    def _process_mass_mailing_queue(self):
        result = super()._process_mass_mailing_queue()
        # (Odoo takes up none that is archived: one that was half written then would
        # stay so for ever)
        archived = self.search(
            [
                ("active", "=", False),
                ("state", "=", "sending"),
                ("easycrm_writing", "=", True),
                ("easycrm_esp_id", "!=", False),
            ]
        )
        if archived:
            self.env["ir.cron"]._commit_progress(remaining=len(archived))
        for mailing in archived:
            user = mailing.user_id or mailing.write_uid or self.env.user
            context = self.env["res.users"].with_user(user).context_get()
            mailing = mailing.with_context(**context)
            if mailing._get_remaining_recipients():
                mailing._action_send_mail()
            else:
                mailing.sudo()._easycrm_end_writing()
                mailing.sudo()._easycrm_finish()
            self.env["ir.cron"]._commit_progress(1)
        return result

    # --- who is tried again ---

    def action_retry_failed(self):
        """Write again to whom the mail could not be sent, as Odoo does."""
        mailings = self.filtered(
            lambda m: m.mailing_type == "mail" and m.easycrm_esp_id
        )
        if mailings:
            mailings.check_access("write")
            for mailing in mailings:
                if mailing._easycrm_was_cancelled() and (
                    mailing._get_remaining_recipients()
                ):
                    raise UserError(
                        self.env._(
                            "It was cancelled before everybody was written to, and "
                            "would go on. Duplicate it to write to somebody again."
                        )
                    )
            versions = mailings.filtered(lambda one: one._easycrm_is_version())
            for mailing in versions:
                mailing._easycrm_retry_version()
            if whole := mailings - versions:
                for traces in whole._easycrm_split_failed():
                    traces.unlink()
                whole.action_put_in_queue()
        others = self - mailings
        return super(MailingMailing, others).action_retry_failed() if others else None

    def _easycrm_retry_version(self):
        """Write again to whom one of several versions could not be sent.

        At once: in the queue it would draw others in their place.
        """
        self._check_easycrm_esp()
        self.env["ir.cron"]._easycrm_check(SEND_CRON)
        mailing = self.sudo()
        mailing.write({"easycrm_cancelled": False, **NOT_PAUSED})
        mailing._easycrm_plan_here()
        records = mailing.env[mailing.mailing_model_real]
        meant = Domain(mailing._get_recipients_domain())
        for traces in mailing._easycrm_split_failed():
            # (who was deleted, or left the list, stays among those that failed)
            domain = meant & Domain("id", "in", traces.mapped("res_id"))
            here = set(records.search(domain).ids)
            traces = traces.filtered(lambda trace, here=here: trace.res_id in here)
            if not traces:
                continue
            # (each is forgotten in the transaction that writes to it again)
            retried = mailing.with_context(easycrm_retried=tuple(traces.ids))
            retried._action_send_mail(list(dict.fromkeys(traces.mapped("res_id"))))
            if mailing.easycrm_paused:
                break  # (its text cannot be written any more)
        if mailing.easycrm_writing:
            mailing.write({"state": "done"})

    def _easycrm_split_failed(self):
        """Return in parts the recipients that are tried again: they may be many.

        Who failed at one of several addresses of his, and was sent it at another, stays
        among those that failed: Odoo writes to a record, and that one has it.

        :return: an iterator of `mailing.trace`s
        """
        Trace = self.env["mailing.trace"].sudo()
        own = Domain("mass_mailing_id", "in", self.ids)
        failed = Domain("trace_status", "=", "error")
        ids = Trace.search(own & failed, order="res_id, id").ids
        for part in split_every(RETRIED_AT_ONCE, ids, Trace.browse):
            has_other = Trace.search_fetch(
                own & ~failed & Domain("res_id", "in", part.mapped("res_id")),
                ["mass_mailing_id", "res_id"],
            )
            staying = {(one.mass_mailing_id.id, one.res_id) for one in has_other}
            again = part.filtered(
                lambda one, staying=staying: (
                    (one.mass_mailing_id.id, one.res_id) not in staying
                )
            )
            if again:
                yield again

    def _get_seen_list_extra(self):
        join_domain, where_domain = super()._get_seen_list_extra()
        if retried := self.env.context.get("easycrm_retried"):
            ids = ", ".join(str(int(trace_id)) for trace_id in retried)
            where_domain = f"{where_domain} AND s.id NOT IN ({ids})"
        return join_domain, where_domain

    def _easycrm_was_cancelled(self):
        """Tell whether a person has cancelled it, be it before he sent something again.

        Who was waiting then got nothing, for no reason of his own.
        """
        self.ensure_one()
        taken_back = [
            ("mass_mailing_id", "=", self.id),
            ("trace_status", "=", "cancel"),
            ("failure_type", "=", False),
            ("easycrm_batch_id.state", "=", "cancelled"),
        ]
        return self.easycrm_cancelled or bool(
            self.env["mailing.trace"].sudo().search_count(taken_back, limit=1)
        )
