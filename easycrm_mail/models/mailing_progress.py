from datetime import timedelta

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .mailing_mailing import OPEN

#: A sender that has not taken anything for so long is told of, in minutes.
SILENT_MINUTES = 3

#: How fast it goes is measured over so many minutes, and over so many seconds at least.
MEASURED_MINUTES, MEASURED_SECONDS = 10, 3


class MailingMailing(models.Model):
    """How far a mailing is with its bulk sender."""

    _inherit = "mailing.mailing"

    easycrm_left_out_count = fields.Integer(compute="_compute_easycrm_counts")
    easycrm_recipient_count = fields.Integer(compute="_compute_easycrm_counts")

    def _compute_easycrm_counts(self):
        groups = self.env["mailing.trace"]._read_group(
            [("mass_mailing_id", "in", self.ids)],
            ["mass_mailing_id", "trace_status"],
            ["__count"],
        )
        left_out, others = dict.fromkeys(self.ids, 0), dict.fromkeys(self.ids, 0)
        for mailing, status, count in groups:
            (left_out if status == "cancel" else others)[mailing.id] += count
        for mailing in self:
            mailing.easycrm_left_out_count = left_out.get(mailing.id, 0)
            mailing.easycrm_recipient_count = others.get(mailing.id, 0)

    def _easycrm_pause(self, by=None, reason=False):
        # (who has paused it knows; where it stops by itself, somebody has to be told)
        stopped = self.filtered(lambda mailing: reason and not mailing.easycrm_paused)
        result = super()._easycrm_pause(by=by, reason=reason)
        for mailing in stopped:
            env = mailing.with_context(lang=mailing.user_id.lang).env
            mailing.message_post(
                body=env._("Sending has stopped. %s", reason),
                partner_ids=mailing.user_id.partner_id.ids,
            )
        return result

    def easycrm_get_progress(self):
        """Return how far the sending is, for the bar on the form.

        Counted in recipients; what has bounced, or is not confirmed, was handed over.

        :return: {`total`, `done`, `batches`, `batches_done`, `doubt` (batches),
            `doubt_people` (that events may still settle), `seconds_left` (None: not
            known), `state`, `is_writing`, `is_cancelled`, `left_out` and `failed`:
            [{`type`, `label`, `count`}], `paused`: None or {`by` (None: by itself),
            `is_me`, `at`, `reason`}, `failing`: None or {`esp`, `words`, `minutes`},
            `others`: [{`id`, `name`}] through which the rest may go on}
        """
        self.ensure_one()
        self.check_access("read")
        self.env.flush_all()
        counts = self._easycrm_count_batches()
        # (what is on its way may come back: a bar does not go backwards)
        waiting = [counts.get(state, (0, 0)) for state in OPEN]
        batches = sum(count for count, _people in counts.values())
        people = sum(count for _batches, count in counts.values())
        left_out = self._easycrm_count_left_out()
        failed = self._easycrm_count_failed()
        done = people - sum(count for _batches, count in waiting)
        total = max(people, self._easycrm_get_wanted(left_out, failed))
        failing = self._easycrm_find_failing()
        is_held = bool(failing or self.easycrm_paused)
        return {
            "total": total,
            "done": done,
            "batches": batches,
            "batches_done": batches - sum(count for count, _people in waiting),
            "doubt": counts.get("doubt", (0, 0))[0],
            "doubt_people": self._easycrm_count_doubted(),
            "seconds_left": None if is_held else self._easycrm_estimate(total - done),
            "state": self.state,
            "is_writing": self.easycrm_writing,
            "is_cancelled": self.easycrm_cancelled,
            "left_out": left_out,
            "failed": failed,
            "paused": self._easycrm_tell_pause(),
            "failing": failing,
            "others": (
                self._easycrm_find_others()
                if failing or self._easycrm_is_sender_wrong()
                else []
            ),
        }

    def _easycrm_count_batches(self):
        """Return {state: (batches, recipients)}, those that are left out left out."""
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

    def _easycrm_count_doubted(self):
        batches = self._easycrm_get_batches("doubt") - self._easycrm_get_unconfirmed()
        return self.env["mailing.trace"].search_count(
            [
                ("easycrm_batch_id", "in", batches.ids),
                ("trace_status", "=", "process"),
            ]
        )

    def _easycrm_get_wanted(self, left_out, failed):
        """Return how many people are to get it, also while it is being written."""
        if self.easycrm_cancelled:
            return 0
        left_out = sum(row["count"] for row in left_out)
        return self.easycrm_expected - left_out - self._easycrm_count_unwritable(failed)

    def _easycrm_count_unwritable(self, failed):
        """Return how many nothing could be written for, let alone be handed over."""
        if not any(row["type"] == "unknown" for row in failed):
            return 0
        return self.env["mailing.trace"].search_count(
            [
                ("mass_mailing_id", "=", self.id),
                ("trace_status", "=", "error"),
                ("failure_type", "=", "unknown"),
                ("easycrm_batch_id", "=", False),
            ]
        )

    def _easycrm_estimate(self, left):
        """Return the seconds that the rest will take, by how fast it goes now."""
        now = fields.Datetime.now()
        self.env.cr.execute(
            SQL(
                """
                SELECT min(batch.handed_at), count(trace.id)
                FROM easycrm_esp_batch batch
                JOIN mailing_trace trace ON trace.easycrm_batch_id = batch.id
                WHERE batch.mailing_id = %s AND batch.handed_at > %s
                """,
                self.id,
                now - timedelta(minutes=MEASURED_MINUTES),
            )
        )
        since, people = self.env.cr.fetchone()
        if not since or not left:
            return None
        taken = (now - since).total_seconds()
        return round(taken / people * left) if taken >= MEASURED_SECONDS else None

    def _easycrm_count_left_out(self):
        """Return why recipients were left out: [{`type`, `label`, `count`}]."""
        labels = {
            "mail_dup": self.env._("twice in the lists"),
            "mail_bl": self.env._("blocklisted"),
            "mail_optout": self.env._("opted out"),
            "mail_email_invalid": self.env._("invalid"),
            "mail_email_missing": self.env._("without an address"),
        }
        return self._easycrm_count_failures(
            "cancel", labels, self.env._("cancelled by a person")
        )

    def _easycrm_count_failed(self):
        """Return why the sender has not taken some: [{`type`, `label`, `count`}]."""
        labels = {
            "mail_bl": self.env._("blocklisted at the sender"),
            "mail_optout": self.env._("unsubscribed at the sender"),
            "mail_email_invalid": self.env._("invalid"),
        }
        return self._easycrm_count_failures("error", labels, self.env._("refused"))

    def _easycrm_count_failures(self, status, labels, other):
        groups = self.env["mailing.trace"]._read_group(
            [("mass_mailing_id", "=", self.id), ("trace_status", "=", status)],
            ["failure_type"],
            ["__count"],
        )
        return [
            {"type": kind or "", "label": labels.get(kind) or other, "count": count}
            for kind, count in sorted(groups, key=lambda group: -group[1])
        ]

    def _easycrm_tell_pause(self):
        if not self.easycrm_paused:
            return None
        user = self.easycrm_paused_by.sudo()
        return {
            "by": user.name or None,
            "is_me": user == self.env.user,
            "at": self.easycrm_paused_at,
            "reason": self.easycrm_pause_reason or "",
        }

    def _easycrm_find_failing(self):
        """Return the sender that does not take what waits, or None."""
        if self.easycrm_paused:
            return None
        batches = self.env["easycrm.esp.batch"].sudo()
        own = Domain("mailing_id", "=", self.id)
        stuck = batches.search(
            own & Domain("state", "=", "prepared") & Domain("put_off_at", "!=", False),
            order="put_off_at, id",
            limit=1,
        )
        if not stuck:
            return None
        esp = stuck.esp_id
        [(taken_at,)] = batches._read_group(
            own & Domain("state", "=", "accepted") & Domain("esp_id", "=", esp.id),
            aggregates=["handed_at:max"],
        )
        since = max(filter(None, [stuck.put_off_at, taken_at]))
        minutes = int((fields.Datetime.now() - since).total_seconds() // 60)
        if minutes < SILENT_MINUTES:
            return None
        return {"esp": esp.name, "words": stuck.error or "", "minutes": minutes}

    def _easycrm_is_sender_wrong(self):
        """Tell whether it has stopped because of the sender that something waits for.

        It may also be the text, a copy of the database, a job that was deleted: none
        of them is mended by another sender.
        """
        if not self.easycrm_pause_reason:
            return False
        batches = self.env["easycrm.esp.batch"].sudo()
        waiting = Domain("mailing_id", "=", self.id) & Domain("state", "=", "prepared")
        if batches.search_count(waiting & Domain("error", "!=", False), limit=1):
            return True
        return any(
            not esp.active or not esp.has_api_key
            for (esp,) in batches._read_group(waiting, ["esp_id"])
        )

    def _easycrm_find_others(self):
        """Return the senders through which what waits may go instead."""
        used = self.env["easycrm.esp.batch"].sudo()
        groups = used._read_group(
            [("mailing_id", "=", self.id), ("state", "=", "prepared")], ["esp_id"]
        )
        ids = [esp.id for (esp,) in groups]
        others = self.env["easycrm.esp"].search([("id", "not in", ids)])
        return [
            {"id": other.id, "name": other.name}
            for other in others
            if other.has_api_key
        ]
