"""Campaigns beside the million mails of `hot_paths.py`.

A mailing of Odoo's own went to a million, and sixty through two bulk senders: 5,000
people each, in batches of 150, who did what the last digit of their number says. In the
newest one the last batches wait, and some of what was reported of it is not applied.
(Of what went before only the batches are here, and the links.)
"""

from datetime import datetime, timezone

TABLES = (
    *("easycrm_esp_event", "easycrm_esp_batch", "easycrm_esp_suppression"),
    *("link_tracker", "link_tracker_click", "mailing_trace"),
)

MAILINGS, BATCHES, PEOPLE = 60, 34, 150
OF_A_MAILING = BATCHES * PEOPLE

#: Five mailings of Odoo's own to each contact, and to a mailing list; two thousand of
#: each to one.
OWN_TRACES = """
    INSERT INTO mailing_trace
        (mass_mailing_id, trace_type, model, res_id, email, message_id, trace_status,
         sent_datetime, easycrm_commercial_partner_id)
    SELECT %(own)s, 'mail', kind.model, partner.id, partner.email_normalized,
        format('<%%s-%%s-%%s@mailing.example>', kind.model, partner.id, number),
        'sent', timestamp '2025-03-01' - number * interval '1 day',
        partner.commercial_partner_id
    FROM res_partner partner
    CROSS JOIN (VALUES ('res.partner'), ('mailing.contact')) AS kind (model)
    CROSS JOIN LATERAL generate_series(
        1, CASE WHEN partner.id = %(busy)s THEN 2000 ELSE 5 END) AS number
    WHERE partner.email_normalized IS NOT NULL
"""

#: `m`, `b` and `n` are the numbers of the mailing, its batch, and the recipient.
FILL = (
    OWN_TRACES,
    """
    INSERT INTO easycrm_esp_content (id, mailing_id, digest, content)
    SELECT %(content)s + m, (%(mailings)s)[1 + m], 'one', %(text)s
    FROM generate_series(0, %(count)s - 1) m
    """,
    """
    INSERT INTO easycrm_esp_batch
        (id, esp_id, mailing_id, content_id, key, attempts, state, handed_at)
    SELECT %(batch)s + m * %(batches)s + b, (%(esps)s)[1 + m %% 2],
        (%(mailings)s)[1 + m], %(content)s + m, format('batch-%%s-%%s', m, b), 0, state,
        CASE WHEN state <> 'prepared'
            THEN %(now)s - m * interval '7 days' - interval '3 hours' END
    FROM generate_series(0, %(count)s - 1) m
    CROSS JOIN generate_series(0, %(batches)s - 1) b
    CROSS JOIN LATERAL (SELECT CASE
        WHEN m = 0 AND b >= %(batches)s - 3 THEN 'prepared'
        WHEN m = 0 AND b = 7 THEN 'handed_over'
        WHEN m %% 5 = 0 AND b = 8 THEN 'doubt'
        ELSE 'accepted' END AS state) AS told
    """,
    """
    INSERT INTO easycrm_esp_batch (esp_id, mailing_id, key, attempts, state, handed_at)
    SELECT (%(esps)s)[1], %(before)s, 'before-' || i, 0, 'accepted',
        %(now)s - interval '900 days'
    FROM generate_series(1, 40000) i
    """,
    """
    INSERT INTO mailing_trace
        (id, mass_mailing_id, trace_type, model, res_id, email, message_id,
         easycrm_batch_id, easycrm_esp_id, trace_status, sent_datetime, open_datetime,
         easycrm_delivered_at, easycrm_open_count, easycrm_click_count,
         easycrm_machine_open_count, easycrm_machine_open_at, failure_type,
         failure_reason, easycrm_bounce_kind, easycrm_unsubscribed_at, easycrm_values,
         create_date, easycrm_commercial_partner_id)
    SELECT %(trace)s + n, batch.mailing_id, 'mail', 'res.partner', %(contact)s + k,
        format('contact%%s@customer%%s.example', k, k %% 5000),
        format('<%%s@bulk.example>', n), batch.id, batch.esp_id, told.status,
        CASE WHEN told.status NOT IN ('outgoing', 'cancel') THEN at END,
        CASE WHEN told.status = 'open' THEN at + n * interval '1 second' END,
        CASE WHEN told.status IN ('sent', 'open') THEN at END,
        (told.status = 'open')::int, 3 * (told.status = 'open' AND n %% 10 = 3)::int,
        (n %% 10 = 5)::int, CASE WHEN n %% 10 = 5 THEN at END,
        CASE told.status WHEN 'bounce' THEN 'mail_bounce' WHEN 'cancel' THEN 'mail_bl'
        END, CASE told.status WHEN 'bounce' THEN '550 unknown' END,
        CASE told.status WHEN 'bounce' THEN 'hard' END,
        CASE WHEN n %% 100 = 1 THEN at END,
        CASE told.status WHEN 'outgoing' THEN '{"name": "", "values": {}}' END, at,
        partner.commercial_partner_id
    FROM generate_series(0, %(count)s * %(of_a_mailing)s - 1) n
    CROSS JOIN LATERAL (SELECT n %% 100000 AS k) AS person
    LEFT JOIN res_partner partner ON partner.id = %(contact)s + k
    JOIN easycrm_esp_batch batch ON batch.id = %(batch)s + n / %(people)s
    CROSS JOIN LATERAL (SELECT coalesce(batch.handed_at, %(now)s) AS at,
        CASE WHEN batch.state = 'prepared' THEN 'outgoing'
            WHEN batch.state IN ('doubt', 'handed_over') THEN 'process'
            WHEN n %% 10 < 4 THEN 'open' WHEN n %% 10 = 4 THEN 'bounce'
            WHEN n %% 100 = 9 THEN 'cancel' WHEN n %% 10 = 9 THEN 'pending'
            ELSE 'sent' END AS status) AS told
    """,
    """
    INSERT INTO easycrm_esp_event
        (esp_id, event_key, kind, occurred_at, received_at, trace_id, address, reason,
         severity, url, user_agent, token, applied)
    SELECT batch.esp_id, format('%%s-%%s-%%s', kind, number, trace.id), kind, at, at,
        trace.id, trace.email, CASE kind WHEN 'bounced' THEN '550 unknown' END,
        CASE kind WHEN 'bounced' THEN 'hard' END,
        CASE kind WHEN 'clicked' THEN format('https://own.example/%%s', number) END,
        CASE kind WHEN 'opened' THEN 'Thunderbird' END,
        CASE WHEN batch.esp_id = (%(esps)s)[2] THEN md5(format('%%s%%s%%s',
            kind, number, trace.id)) END,
        NOT (batch.mailing_id = (%(mailings)s)[1] AND trace.id %% 13 = 0)
    FROM mailing_trace trace
    JOIN easycrm_esp_batch batch ON batch.id = trace.easycrm_batch_id
    JOIN (VALUES ('open', 'delivered', 1), ('open', 'opened', 1),
        ('sent', 'delivered', 1), ('bounce', 'bounced', 1), ('open', 'clicked', 3),
        ('pending', 'deferred', 1)) AS event (status, kind, times)
        ON event.status = trace.trace_status
    CROSS JOIN LATERAL generate_series(1, times) AS number
    CROSS JOIN LATERAL (SELECT trace.sent_datetime + trace.id %% 9000
        * interval '1 second' AS at) AS told
    WHERE kind <> 'clicked' OR trace.easycrm_click_count > 0
    """,
    """
    INSERT INTO easycrm_esp_event
        (esp_id, event_key, kind, occurred_at, received_at, address, token, applied)
    SELECT (%(esps)s)[2], 'nobody' || i, 'opened', at, at, 'nobody@else.example',
        md5('nobody' || i), TRUE
    FROM generate_series(1, 50000) i
    CROSS JOIN LATERAL (SELECT %(now)s - i * interval '20 seconds' AS at) AS told
    """,
    """
    INSERT INTO link_tracker (id, url, title, label, mass_mailing_id, count)
    SELECT %(link)s + i, format('https://own.example/%%s', 1 + i %% 5), 'Own', 'Own',
        (%(mailings)s)[1 + i / 5], 0
    FROM generate_series(0, 5 * %(count)s - 1) i
    UNION ALL
    SELECT %(link)s + 5 * %(count)s + i, 'https://else.example/' || i, 'Else', 'Else',
        NULL, 0
    FROM generate_series(0, 19999) i
    """,
    "ANALYZE mailing_trace, easycrm_esp_event, link_tracker",
    """
    INSERT INTO link_tracker_click
        (easycrm_event_id, link_id, mailing_trace_id, mass_mailing_id, create_date)
    SELECT event.id, link.id, trace.id, trace.mass_mailing_id, event.occurred_at
    FROM easycrm_esp_event event JOIN mailing_trace trace ON trace.id = event.trace_id
    JOIN link_tracker link
        ON link.mass_mailing_id = trace.mass_mailing_id AND link.url = event.url
    WHERE event.kind = 'clicked' AND event.applied
    """,
    """
    INSERT INTO easycrm_esp_suppression (address, reason, since, esp_id)
    SELECT CASE WHEN i %% 50 > 0 THEN 'gone' || i || '@else.example'
            ELSE format('contact%%s@customer%%s.example', i, i %% 5000) END,
        (ARRAY['bounced', 'complained', 'unsubscribed'])[1 + i %% 3],
        %(now)s - i * interval '1 minute', (%(esps)s)[1 + i %% 2]
    FROM generate_series(0, 99999) i
    """,
    """
    INSERT INTO mail_blacklist (email, active)
    SELECT address, TRUE FROM easycrm_esp_suppression
    """,
)

TEXT = """{"sender": "News <news@own.example>", "reply_to": "", "subject": "Offer",
    "html": "<p>Offer</p>", "text": "Offer", "headers": {}}"""


class Campaigns:
    """The mailings and their senders.

    :ivar own: a mailing of Odoo's own
    :ivar newest: one through a bulk sender, which is being sent
    :ivar older: one that is through
    :ivar empty: one that nobody got
    """

    def __init__(self, env, million):
        self.env = env
        self.found = {}
        million.salesmen[0].group_ids += env.ref("mass_mailing.group_mass_mailing_user")
        self.own, before, self.empty = self._make_mailings(3)
        self.esps = env["easycrm.esp"].create(
            [
                {"name": "One", "provider": "sendgrid"},
                {"name": "Two", "provider": "mailgun", "domain": "own.example"},
            ]
        )
        self.esps.write({"api_key": "key", "webhook_key": "key"})
        self.esps.import_wanted = False
        mailings = self._make_mailings(MAILINGS)
        self.newest, self.older = mailings[0], mailings[1]
        self.newest.state = "sending"
        for number, mailing in enumerate(mailings):
            mailing.easycrm_esp_id = self.esps[number % 2]
        self._fill(million, before, mailings)

    def _make_mailings(self, count):
        values = {
            "subject": "Spring offer",
            "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
            "email_from": "news@own.example",
            "easycrm_esp_id": False,
            "state": "done",
            "body_html": "<p>Offer</p>",
        }
        return self.env["mailing.mailing"].create([values] * count)

    def _fill(self, million, before, mailings):
        cr = self.env.cr
        self.env.flush_all()
        values = {
            "own": self.own.id,
            "before": before.id,
            "busy": million.busy.id,
            "mailings": mailings.ids,
            "esps": self.esps.ids,
            "contact": million.values["contact_base"],
            "now": datetime.now(timezone.utc).replace(tzinfo=None),
            "text": TEXT,
            "count": MAILINGS,
            "batches": BATCHES,
            "people": PEOPLE,
            "of_a_mailing": OF_A_MAILING,
        }
        for name, table, count in (
            ("content", "easycrm_esp_content", MAILINGS),
            ("batch", "easycrm_esp_batch", MAILINGS * BATCHES),
            ("trace", "mailing_trace", MAILINGS * OF_A_MAILING),
            ("link", "link_tracker", 20_000 + 5 * MAILINGS),
        ):
            values[name] = million._reserve(table, count)
        # (what is made points to what is there)
        cr.execute("SET LOCAL session_replication_role = 'replica'")
        for statement in FILL:
            cr.execute(statement, values)
        cr.commit()
        million._vacuum(*TABLES, "mail_blacklist", "mailing_mailing")
        self.env.invalidate_all()

    def find_traces(self, mailing, status, limit):
        """Return recipients of a mailing: [(id, address, key of the batch)].

        Looked up when a path warms up, that it is not recorded with it.
        """
        key = mailing.id, status
        if key not in self.found:
            self.env.cr.execute(
                """
                SELECT trace.id, trace.email, batch.key FROM mailing_trace trace
                JOIN easycrm_esp_batch batch ON batch.id = trace.easycrm_batch_id
                WHERE trace.mass_mailing_id = %s AND trace.trace_status = %s
                ORDER BY trace.id LIMIT 100
                """,
                key,
            )
            self.found[key] = self.env.cr.fetchall()
        return self.found[key][:limit]
