from datetime import timedelta

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.misc import formatLang

from .easycrm_esp_send import DOUBT_MINUTES
from .link_tracker_click import LINK_NAME, PICTURE
from .mailing_recipients import BOUNCES

#: Recipient domains that are told one by one.
DOMAINS = 3

#: Hours of the curve.
HOURS = 24


class MailingMailing(models.Model):
    """What became of a mailing: each number with what it is a part of.

    What people did and what machines did are never added up.
    """

    _inherit = "mailing.mailing"

    def easycrm_get_results(self):
        """Return the results, for the page on the form.

        :return: {`tiles`: {name: number}, `sent`, `curve`: [{`hour`, `opened`,
            `clicked`, `machine`}], `links`: [{`id`, `label`, `url`, `people`}],
            `domains`, `senders`: [{`name`, `value`, `sent`, `delivered`, `opened`,
            `bounced`}], `bounces`: [{`kind`, `reason`, `count`}], `unconfirmed`:
            {`count`, `at`, `minutes`}, `is_live`: whether more is to be expected}.
            Each `value`, `kind` and `id` is one for `action_easycrm_view_recipients`.
        """
        self.ensure_one()
        self.check_access("read")
        self.env.flush_all()
        return {
            **self._easycrm_count_tiles(),
            "curve": self._easycrm_draw_curve(),
            "links": self._easycrm_count_links(),
            "domains": self._easycrm_count_domains(),
            "senders": self._easycrm_count_senders(),
            "bounces": self._easycrm_count_bounces(),
            "unconfirmed": self._easycrm_count_unconfirmed(),
            "is_live": self._easycrm_is_live(),
        }

    def _easycrm_is_live(self):
        """Return whether events still come often."""
        if self.state == "sending":
            return True
        since = fields.Datetime.now() - timedelta(hours=HOURS)
        return self.state == "done" and bool(self.sent_date and self.sent_date > since)

    def _easycrm_select(self, query, **values):
        self.env.cr.execute(SQL(query, mailing=self.id, **values))
        return self.env.cr.dictfetchall()

    def _easycrm_count_tiles(self):
        (row,) = self._easycrm_select(
            """
            SELECT count(*) FILTER (WHERE sent_datetime IS NOT NULL) AS sent,
                count(*) FILTER (WHERE easycrm_delivered_at IS NOT NULL
                    OR trace_status IN ('open', 'reply')) AS delivered,
                count(*) FILTER (WHERE trace_status IN ('open', 'reply')) AS opened,
                count(*) FILTER (WHERE easycrm_machine_open_count > 0) AS machine,
                count(*) FILTER (WHERE easycrm_click_count > 0) AS clicked,
                count(*) FILTER (WHERE trace_status = 'reply') AS replied,
                count(*) FILTER (WHERE trace_status = 'pending'
                    AND easycrm_deferred_at IS NOT NULL) AS deferred,
                count(*) FILTER (WHERE trace_status = 'bounce') AS bounced,
                count(*) FILTER (WHERE trace_status = 'bounce'
                    AND easycrm_bounce_kind = 'hard') AS bounced_hard,
                count(*) FILTER (WHERE easycrm_unsubscribed_at IS NOT NULL)
                    AS unsubscribed,
                count(*) FILTER (WHERE easycrm_complained_at IS NOT NULL)
                    AS complained
            FROM mailing_trace WHERE mass_mailing_id = %(mailing)s
            """
        )
        return {"sent": row.pop("sent"), "tiles": row}

    def _easycrm_draw_curve(self):
        """Return what happened in each hour after the sending, first times only."""
        return self._easycrm_select(
            """
            WITH start AS (
                SELECT min(handed_at) AS at FROM easycrm_esp_batch
                WHERE mailing_id = %(mailing)s
            ), told AS (
                SELECT open_datetime AS at, 'opened' AS what FROM mailing_trace
                WHERE mass_mailing_id = %(mailing)s
                UNION ALL
                SELECT min(event.occurred_at), 'clicked' FROM easycrm_esp_event event
                JOIN link_tracker_click click ON click.easycrm_event_id = event.id
                WHERE click.mass_mailing_id = %(mailing)s GROUP BY event.trace_id
                UNION ALL
                SELECT easycrm_machine_open_at, 'machine' FROM mailing_trace
                WHERE mass_mailing_id = %(mailing)s
            )
            SELECT to_char(start.at + hour * interval '1 hour',
                           'YYYY-MM-DD HH24:MI:SS') AS hour,
                count(*) FILTER (WHERE what = 'opened') AS opened,
                count(*) FILTER (WHERE what = 'clicked') AS clicked,
                count(*) FILTER (WHERE what = 'machine') AS machine
            FROM start CROSS JOIN generate_series(0, %(hours)s - 1) AS hour
            LEFT JOIN told ON told.at >= start.at + hour * interval '1 hour'
                AND told.at < start.at + (hour + 1) * interval '1 hour'
            WHERE start.at IS NOT NULL GROUP BY start.at, hour ORDER BY hour
            """,
            hours=HOURS,
        )

    def _easycrm_count_links(self):
        # (one address may stand there twice, as a picture and as words)
        return self._easycrm_select(
            """
            SELECT * FROM (
                SELECT DISTINCT ON (link.url) link.id, link.url, counted.people,
                    %(name)s AS label
                FROM link_tracker link
                CROSS JOIN LATERAL (
                    SELECT count(DISTINCT mailing_trace_id) AS people
                    FROM link_tracker_click WHERE link_id = link.id
                ) AS counted
                WHERE link.mass_mailing_id = %(mailing)s
                ORDER BY link.url, counted.people DESC,
                    starts_with(link.label, %(picture)s), link.id
            ) AS links ORDER BY people DESC, id LIMIT 20
            """,
            name=LINK_NAME,
            picture=PICTURE,
        )

    def _easycrm_count_domains(self):
        rows = self._easycrm_count_by(SQL("split_part(trace.email, '@', 2)"))
        told, rest = rows[:DOMAINS], rows[DOMAINS:]
        if len(rest) < 2:
            return rows
        others = {
            name: sum(row[name] for row in rest)
            for name in ("sent", "delivered", "opened", "bounced")
        }
        names = [row["value"] for row in told]
        name = self.env._("%s others", formatLang(self.env, len(rest), digits=0))
        return [*told, {"name": name, "value": names, **others}]

    def _easycrm_count_senders(self):
        rows = self._easycrm_count_by(SQL("trace.easycrm_esp_id"))
        ids = [row["value"] for row in rows if row["value"]]
        names = {esp.id: esp.name for esp in self.env["easycrm.esp"].sudo().browse(ids)}
        return [
            {**row, "name": names.get(row["value"], ""), "value": row["value"] or False}
            for row in rows
        ]

    def _easycrm_count_by(self, group):
        return self._easycrm_select(
            """
            SELECT %(group)s AS value, %(group)s AS name, count(*) AS sent,
                count(*) FILTER (WHERE easycrm_delivered_at IS NOT NULL
                    OR trace_status IN ('open', 'reply')) AS delivered,
                count(*) FILTER (WHERE trace_status IN ('open', 'reply')) AS opened,
                count(*) FILTER (WHERE trace_status = 'bounce') AS bounced
            FROM mailing_trace trace
            WHERE mass_mailing_id = %(mailing)s AND sent_datetime IS NOT NULL
            GROUP BY 1 ORDER BY sent DESC, 1
            """,
            group=group,
        )

    def _easycrm_count_bounces(self):
        """Return why mails came back, in words: [{`kind`, `reason`, `count`}]."""
        words = {
            "unknown": self.env._("Address does not exist"),
            "full": self.env._("Mailbox full"),
            "blocked": self.env._("Blocked by their server"),
            "other": self.env._("Other reasons"),
        }
        Trace, own = self.env["mailing.trace"], Domain("mass_mailing_id", "=", self.id)
        rows = [
            {
                "kind": kind,
                "reason": words[kind],
                "count": Trace.search_count(own & domain),
            }
            for kind, domain in BOUNCES.items()
        ]
        return sorted(
            (row for row in rows if row["count"]), key=lambda row: -row["count"]
        )

    def _easycrm_count_unconfirmed(self):
        batches = self._easycrm_get_unconfirmed()
        count = batches and self.env["mailing.trace"].search_count(
            self._easycrm_get_recipients("unconfirmed")
        )
        return {
            "count": count or 0,
            "at": min(batches.mapped("handed_at"), default=False),
            "minutes": DOUBT_MINUTES,
        }
