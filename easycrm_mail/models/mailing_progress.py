from odoo import fields, models
from odoo.tools import SQL

#: A sender that has not taken anything for so long is told of, in minutes.
SILENT_MINUTES = 3


class MailingMailing(models.Model):
    """How far a mailing is with its bulk sender."""

    _inherit = "mailing.mailing"

    def easycrm_get_progress(self):
        """Return how far the sending is, for the bar on the form.

        Counted in recipients; what has come back, or is not confirmed, was handed over.

        :return: {`total`, `done`, `batches`, `batches_done`, `doubt` (batches),
            `seconds_left` (None: not known), `state`, `is_paused`, `reason`,
            `left_out`: [{`type`, `label`, `count`}], `failing`: None or {`esp`,
            `words`, `minutes`, `waiting`, `others`: [{`id`, `name`}]}}
        """
        self.ensure_one()
        self.check_access("read")
        counts = self._easycrm_count_batches()
        batches = sum(count for count, _people in counts.values())
        waiting = [counts.get(state, (0, 0)) for state in ("filling", "prepared")]
        total = sum(people for _count, people in counts.values())
        left = sum(people for _count, people in waiting)
        return {
            "total": total,
            "done": total - left,
            "batches": batches,
            "batches_done": batches - sum(count for count, _people in waiting),
            "doubt": counts.get("doubt", (0, 0))[0],
            "seconds_left": self._easycrm_estimate(total - left, left),
            "state": self.state,
            "is_paused": self.easycrm_paused,
            "reason": self.easycrm_pause_reason or "",
            "left_out": self._easycrm_count_left_out(),
            "failing": self._easycrm_find_failing(left),
        }

    def _easycrm_count_batches(self):
        """Return {state: (batches, recipients)}, those that are left out left out."""
        self.env["easycrm.esp.batch"].flush_model()
        self.env["mailing.trace"].flush_model(["easycrm_batch_id", "trace_status"])
        self.env.cr.execute(
            SQL(
                """
                SELECT batch.state, count(DISTINCT batch.id), count(trace.id)
                FROM easycrm_esp_batch batch
                LEFT JOIN mailing_trace trace ON trace.easycrm_batch_id = batch.id
                WHERE batch.mailing_id = %s AND batch.state <> 'cancelled'
                GROUP BY batch.state
                """,
                self.id,
            )
        )
        return {
            state: (count, people) for state, count, people in self.env.cr.fetchall()
        }

    def _easycrm_estimate(self, done, left):
        """Return the seconds that the rest will take, by how long the others took."""
        handed = [b.handed_at for b in self.sudo().easycrm_batch_ids if b.handed_at]
        if not done or not left or not handed or self.easycrm_paused:
            return None
        taken = (fields.Datetime.now() - min(handed)).total_seconds()
        return round(taken / done * left)

    def _easycrm_count_left_out(self):
        """Return why recipients were left out: [{`type`, `label`, `count`}]."""
        labels = {
            "mail_dup": self.env._("twice in the lists"),
            "mail_bl": self.env._("blocklisted"),
            "mail_optout": self.env._("opted out"),
            "mail_email_invalid": self.env._("invalid"),
            "mail_email_missing": self.env._("without an address"),
        }
        groups = self.env["mailing.trace"]._read_group(
            [("mass_mailing_id", "=", self.id), ("trace_status", "=", "cancel")],
            ["failure_type"],
            ["__count"],
        )
        return [
            {
                "type": kind or "",
                "label": labels.get(kind) or self.env._("cancelled"),
                "count": count,
            }
            for kind, count in sorted(groups, key=lambda group: -group[1])
        ]

    def _easycrm_find_failing(self, left):
        """Return the sender that does not take what waits, or None."""
        stuck = self.sudo().easycrm_batch_ids.filtered(
            lambda batch: batch.state == "prepared" and batch.attempts
        )
        if not stuck or self.easycrm_paused:
            return None
        esp = stuck[0].esp_id
        since = min(stuck.mapped("write_date"))
        taken = self.sudo().easycrm_batch_ids.filtered(
            lambda batch: batch.esp_id == esp and batch.state == "accepted"
        )
        since = max(taken.mapped("handed_at"), default=since)
        minutes = int((fields.Datetime.now() - since).total_seconds() // 60)
        if minutes < SILENT_MINUTES:
            return None
        others = self.env["easycrm.esp"].search([("id", "!=", esp.id)])
        return {
            "esp": esp.name,
            "words": stuck[0].error or "",
            "minutes": minutes,
            "waiting": left,
            "others": [
                {"id": other.id, "name": other.name}
                for other in others
                if other.has_api_key
            ],
        }
