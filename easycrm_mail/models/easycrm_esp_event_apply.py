from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from ..esp import EventKind, Severity, SuppressionReason

#: Events that are applied in one transaction.
PAGE = 5000

#: Kinds after which somebody may not be written to any more.
KEPT = {
    EventKind.BOUNCED.value,
    EventKind.COMPLAINED.value,
    EventKind.DROPPED.value,
    EventKind.UNSUBSCRIBED.value,
}

#: Seconds after the delivery in which nobody has read a mail yet: a scanner has.
MACHINE_SECONDS = 5

#: What Apple's privacy proxy calls itself, and nothing else does.
MACHINE_AGENTS = ("Mozilla/5.0",)

#: Why a mail was dropped, as the senders say it, and what that means.
_DROPS = [
    ("unsubscribe", "mail_optout", SuppressionReason.UNSUBSCRIBED),
    ("spam report", "mail_bl", SuppressionReason.COMPLAINED),
    ("complain", "mail_bl", SuppressionReason.COMPLAINED),
    ("bounce", "mail_bl", SuppressionReason.BOUNCED),
    ("invalid", "mail_email_invalid", SuppressionReason.INVALID),
]


class EasycrmEspEvent(models.Model):
    """What becomes of recipients, by all that was reported about them."""

    _inherit = "easycrm.esp.event"

    def _apply_page(self):
        """Apply the oldest events that are not yet; return how many."""
        ids = self._get_waiting()
        self._apply(ids)
        return len(ids)

    def _get_waiting(self):
        """Return the ids of the oldest events that are not applied yet."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                SELECT id FROM easycrm_esp_event
                WHERE applied IS NOT TRUE ORDER BY id LIMIT %s
                """,
                PAGE,
            )
        )
        return [row[0] for row in self.env.cr.fetchall()]

    @api.model
    def _apply(self, ids):
        """Apply events, whichever of these are not yet."""
        # (marked first: what counts for a recipient is what is applied, these included,
        # so that an event which cannot be is no other one's fault)
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                UPDATE easycrm_esp_event SET applied = TRUE
                WHERE id = ANY(%s) AND applied IS NOT TRUE
                RETURNING id, trace_id, kind
                """,
                ids,
            )
        )
        rows = sorted(self.env.cr.fetchall())
        if not rows:
            return
        events = self.browse([row[0] for row in rows])
        events.invalidate_recordset(["applied"], flush=False)
        traces = self.env["mailing.trace"].browse(
            sorted({row[1] for row in rows if row[1]})
        )
        if traces:
            self._fold(traces)
            self._settle_batches(traces)
            self._keep_clicks(traces)
        told = self.browse([row[0] for row in rows if row[2] in KEPT])
        self._keep_suppressions(told)
        self._keep_opt_outs(told)
        # (what the database refuses, it refuses of one of these events)
        self.env.flush_all()

    @property
    def _counted(self):
        """Whether an event counts: on `event`."""
        return SQL("event.applied IS TRUE AND event.error IS NULL")

    @property
    def _machine(self):
        """Whether a machine opened or clicked: on `event`, beside `delivered`."""
        return SQL(
            """
            (event.is_machine IS TRUE
             OR coalesce(event.user_agent = ANY(%s), FALSE)
             OR coalesce(event.occurred_at
                         < delivered.at + interval '1 second' * %s, FALSE))
            """,
            list(MACHINE_AGENTS),
            MACHINE_SECONDS,
        )

    def _select_delivered(self, traces):
        """Select when recipients got it: trace_id, at."""
        return SQL(
            """
            SELECT trace_id, min(occurred_at) AS at FROM easycrm_esp_event event
            WHERE trace_id = ANY(%s) AND kind = 'delivered' AND %s
            GROUP BY trace_id
            """,
            traces.ids,
            self._counted,
        )

    def _fold(self, traces):
        """Compute what recipients have become from all their events, in any order.

        The status goes by rank: who has answered has opened, who has opened got it, and
        what has come back has not been delivered.
        """
        traces.flush_recordset()
        self.env.cr.execute(
            SQL(
                # (more is reported of them meanwhile: it does not wait)
                """
                SELECT 1 FROM mailing_trace WHERE id = ANY(%s)
                ORDER BY id FOR NO KEY UPDATE
                """,
                traces.ids,
            )
        )
        self.env.cr.execute(
            SQL(
                """
                WITH delivered AS (%(delivered)s), told AS (
                    SELECT event.*, %(machine)s AS machine
                    FROM easycrm_esp_event event
                    LEFT JOIN delivered USING (trace_id)
                    WHERE event.trace_id = ANY(%(traces)s) AND %(counted)s
                ), fold AS (
                    SELECT trace_id,
                        min(occurred_at) AS first_at,
                        min(occurred_at) FILTER (WHERE kind = 'delivered')
                            AS delivered_at,
                        max(occurred_at) FILTER (WHERE kind = 'deferred')
                            AS deferred_at,
                        min(occurred_at) FILTER (WHERE NOT machine
                            AND kind IN ('opened', 'clicked')) AS open_at,
                        max(occurred_at) FILTER (WHERE NOT machine
                            AND kind IN ('opened', 'clicked')) AS last_open_at,
                        count(*) FILTER (WHERE NOT machine AND kind = 'opened')
                            AS opens,
                        count(*) FILTER (WHERE machine AND kind = 'opened')
                            AS machine_opens,
                        min(occurred_at) FILTER (WHERE machine AND kind = 'opened')
                            AS machine_open_at,
                        count(*) FILTER (WHERE NOT machine AND kind = 'clicked')
                            AS clicks,
                        max(occurred_at) FILTER (WHERE NOT machine
                            AND kind = 'clicked') AS click_at,
                        (array_agg(severity ORDER BY
                            array_position(ARRAY['hard', 'blocked', 'soft'],
                                           severity::text), id)
                            FILTER (WHERE kind = 'bounced'))[1] AS severity,
                        (array_agg(reason ORDER BY occurred_at DESC, event_key)
                            FILTER (WHERE kind IN ('bounced', 'dropped')))[1]
                            AS reason,
                        bool_or(kind = 'bounced') AS bounced,
                        bool_or(kind = 'dropped') AS dropped,
                        min(occurred_at) FILTER (WHERE kind = 'complained')
                            AS complained_at,
                        min(occurred_at) FILTER (WHERE kind = 'unsubscribed')
                            AS unsubscribed_at
                    FROM told GROUP BY trace_id
                ), ranked AS (
                    SELECT fold.*, batch.handed_at, CASE
                        WHEN trace.trace_status = 'reply' THEN 'reply'
                        WHEN open_at IS NOT NULL THEN 'open'
                        WHEN bounced THEN 'bounce'
                        WHEN dropped THEN 'error'
                        WHEN delivered_at IS NOT NULL THEN 'sent'
                        ELSE 'pending' END AS status
                    FROM fold JOIN mailing_trace trace ON trace.id = fold.trace_id
                    LEFT JOIN easycrm_esp_batch batch
                        ON batch.id = trace.easycrm_batch_id
                )
                UPDATE mailing_trace trace SET
                    trace_status = status,
                    sent_datetime = CASE WHEN status = 'error' THEN NULL
                        ELSE coalesce(handed_at, first_at) END,
                    open_datetime = coalesce(open_at, trace.reply_datetime),
                    links_click_datetime = click_at,
                    failure_type = CASE status WHEN 'bounce' THEN 'mail_bounce'
                        WHEN 'error' THEN %(drop_type)s END,
                    failure_reason = CASE WHEN status IN ('bounce', 'error')
                        THEN reason END,
                    easycrm_delivered_at = delivered_at,
                    easycrm_deferred_at = deferred_at,
                    easycrm_open_count = opens,
                    easycrm_last_open_at = last_open_at,
                    easycrm_machine_open_count = machine_opens,
                    easycrm_machine_open_at = machine_open_at,
                    easycrm_click_count = clicks,
                    easycrm_bounce_kind = CASE WHEN bounced
                        THEN coalesce(severity, 'soft') END,
                    easycrm_complained_at = complained_at,
                    easycrm_unsubscribed_at = coalesce(unsubscribed_at,
                        trace.easycrm_unsubscribed_at),
                    write_date = now() AT TIME ZONE 'UTC'
                FROM ranked WHERE trace.id = ranked.trace_id
                """,
                delivered=self._select_delivered(traces),
                traces=traces.ids,
                counted=self._counted,
                machine=self._machine,
                drop_type=self._get_drop_type(SQL("ranked.reason")),
            )
        )
        traces.invalidate_recordset(flush=False)

    def _get_drop_type(self, reason):
        """Return the failure type of a dropped mail, as SQL."""
        cases = SQL(" ").join(
            SQL("WHEN %s ILIKE %s THEN %s", reason, f"%{word}%", failure)
            for word, failure, _suppression in _DROPS
        )
        return SQL("CASE %s ELSE 'unknown' END", cases)

    def _settle_batches(self, traces):
        """An event settles the doubt of its batch: the sender takes all of it, or none.

        Whoever of it nothing is told of yet is on the way, also where the sender has
        told of trouble of its own and it was to be handed over again.
        """
        self.env["easycrm.esp.batch"].flush_model(["state", "error"])
        self.env.cr.execute(
            SQL(
                """
                UPDATE easycrm_esp_batch SET state = 'accepted', error = NULL,
                    next_try_at = NULL,
                    handed_at = coalesce(handed_at, now() AT TIME ZONE 'UTC')
                WHERE state IN ('prepared', 'handed_over', 'doubt') AND id IN (
                    SELECT easycrm_batch_id FROM mailing_trace WHERE id = ANY(%s))
                RETURNING id
                """,
                traces.ids,
            )
        )
        batches = self.env["easycrm.esp.batch"].browse(
            row[0] for row in self.env.cr.fetchall()
        )
        if batches:
            batches.invalidate_recordset(flush=False)
            batches._mark_on_the_way()
            batches.mailing_id._easycrm_wake()  # (which may be through now)

    def _keep_clicks(self, traces):
        """Write people's clicks where Odoo keeps clicks, and take off machines'."""
        self.env.cr.execute(
            SQL(
                """
                WITH delivered AS (%(delivered)s)
                SELECT event.id, event.trace_id, event.url, event.ip, %(machine)s,
                    click.id
                FROM easycrm_esp_event event
                LEFT JOIN delivered USING (trace_id)
                LEFT JOIN link_tracker_click click
                    ON click.easycrm_event_id = event.id
                WHERE event.trace_id = ANY(%(traces)s) AND event.kind = 'clicked'
                  AND %(counted)s AND (click.id IS NULL) <> %(machine)s
                ORDER BY event.id
                """,
                delivered=self._select_delivered(traces),
                traces=traces.ids,
                counted=self._counted,
                machine=self._machine,
            )
        )
        rows = self.env.cr.fetchall()
        Click = self.env["link.tracker.click"]
        Click.browse([row[5] for row in rows if row[4]]).unlink()
        missing = [row for row in rows if not row[4] and row[2]]
        Click._easycrm_add(missing)

    def _keep_suppressions(self, events):
        """Keep who must not be written to any more."""
        rows = defaultdict(list)
        for event in events:
            reason = event._get_suppression()
            if reason and event.address:
                row = (event.address, reason, event.occurred_at, event.reason or "")
                rows[event.esp_id].append(row)
        for esp, found in rows.items():
            self.env["easycrm.esp.suppression"]._add(found, esp)

    def _get_suppression(self):
        """Return the `SuppressionReason` that an event gives, or None."""
        if self.kind == EventKind.COMPLAINED.value:
            return SuppressionReason.COMPLAINED
        if self.kind == EventKind.BOUNCED.value:
            is_hard = self.severity == Severity.HARD.value
            return SuppressionReason.BOUNCED if is_hard else None
        if self.kind == EventKind.DROPPED.value:
            said = (self.reason or "").lower()
            return next(
                (reason for word, _type, reason in _DROPS if word in said), None
            )
        if self.kind == EventKind.UNSUBSCRIBED.value and not (
            self.trace_id.mass_mailing_id._easycrm_get_lists()
        ):
            return SuppressionReason.UNSUBSCRIBED
        return None

    def _keep_opt_outs(self, events):
        """Take who has unsubscribed off the lists of the mailing."""
        for event in events.filtered(lambda e: e.kind == EventKind.UNSUBSCRIBED.value):
            trace = event.trace_id
            lists = trace.mass_mailing_id._easycrm_get_lists()
            lists._update_subscription_from_email(event.address, opt_out=True)
            trace._easycrm_keep_left(lists)
