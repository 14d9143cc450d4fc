"""What campaigns do all day, among the million mails of `hot_paths.py`.

Beside a mailing of Odoo's own to a million, sixty went through two bulk senders: 5,000
people each, in batches of 150, who did what the last digit of their number says. In the
newest one the last batches wait, and some of what was reported of it is not applied.
(Of what went before only the batches are here, and the links.)
"""

from datetime import datetime, timezone

from odoo.addons.easycrm_mail.easycrm_mail.esp import (
    Accepted,
    Event,
    EventKind,
    Severity,
    SuppressionReason,
    Unverified,
)
from odoo.addons.easycrm_mail.easycrm_mail.messages import parse
from odoo.addons.easycrm_mail.easycrm_mail.models.bulk_writer import BulkWriter
from odoo.addons.easycrm_mail.easycrm_mail.models.ingest import Ingest
from odoo.addons.easycrm_mail.easycrm_mail.models.mailing_recipients import (
    BOUNCES,
    RECIPIENTS,
)

TABLES = (
    *("easycrm_esp_event", "easycrm_esp_batch", "easycrm_esp_suppression"),
    *("link_tracker", "link_tracker_click", "mailing_trace"),
)
#: Indexes that are taken away to see whether that is noticed.
INDEXES = {
    "campaigns_of_a_busy_contact": "mailing_trace_easycrm_company_idx",
    "token_of_a_report_that_was_used": "easycrm_esp_event_token_unique",
    "new_events_applied": "easycrm_esp_event__trace_id_index",
    "batch_handed_over": "easycrm_esp_batch_open_idx",
    "campaign_results": "mailing_trace__mass_mailing_id_index",
}

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


class CampaignPaths:
    """The paths of campaigns; see `hot_paths.Paths`."""

    # --- what a contact got, and does ---

    def campaigns_of_a_busy_contact(self):
        page = self._search({"direction": "campaign"})
        assert page["campaign_count"] == 1000 and page["next"]
        page = self.mine(self.million.busy).easycrm_timeline("2024-01-01 00:00:00/-5")
        assert any(one["thread_id"] < 0 for one in page["conversations"])

    def answers_to_mailings(self):
        partner = self.env["res.partner"].search([("name", "=", "Contact 7000")])
        own = [("model", "=", "res.partner"), ("res_id", "=", partner.id)]
        traces = self.env["mailing.trace"].search(own)
        for message_id in (
            f"<res.partner-{partner.id}-3@mailing.example>",
            traces.filtered("easycrm_batch_id")[0].message_id,
        ):
            raw = f"""\
From: {partner.email}
To: seller0@own.example
Subject: Re: Spring offer
Date: Tue, 4 Mar 2025 10:00:00 +0000
Message-ID: <answer@plans.example>
References: {message_id}

Good morning.
"""
            Ingest(self.account, "INBOX")._count_replies([parse(raw.encode())])
            assert traces.search([*own, ("message_id", "=", message_id)]).mapped(
                "trace_status"
            ) == ["reply"]

    def who_unsubscribes_from_a_mailing(self):
        for mailing in (self.campaigns.own, self.campaigns.older):
            mailing._easycrm_unsubscribe("contact7000@customer2000.example")

    # --- what is reported ---

    def _tell(self, kind, traces, **values):
        at = datetime.now(timezone.utc)
        return [
            Event(f"new-{kind.value}-{id_}", kind, at, address, str(id_), key, **values)
            for id_, address, key in traces
        ]

    def new_report_of_many_events(self):
        esp = self.campaigns.esps[0]
        traces = self.campaigns.find_traces(self.campaigns.newest, "sent", 100)
        events = self._tell(EventKind.OPENED, traces)
        Event = self.env["easycrm.esp.event"]
        assert len(Event._store(esp, events)) == 100
        assert not Event._store(esp, events)

    def new_report_with_a_token(self):
        esp = self.campaigns.esps[1]
        traces = self.campaigns.find_traces(self.campaigns.older, "sent", 1)
        events = self._tell(EventKind.OPENED, traces)
        Event = self.env["easycrm.esp.event"]
        assert len(Event._store(esp, events, "new")) == 1
        assert not Event._store(esp, events, "new")

    def token_of_a_report_that_was_used(self):
        self.env.cr.execute("SELECT md5('nobody7000')")
        [token] = self.env.cr.fetchone()
        Event = self.env["easycrm.esp.event"]
        try:
            Event._check_token(self.campaigns.esps[1], token, ["other"])
        except Unverified:
            return
        raise AssertionError("it was used")

    def new_events_applied(self):
        count = self.env["easycrm.esp.event"]._apply_page()
        assert 200 < count < 1000

    def new_bounces_and_complaints_applied(self):
        esp = self.campaigns.esps[0]
        traces = self.campaigns.find_traces(self.campaigns.newest, "sent", 60)
        Event = self.env["easycrm.esp.event"]
        told = self._tell(EventKind.BOUNCED, traces[:20], severity=Severity.HARD)
        told += self._tell(EventKind.COMPLAINED, traces[20:40])
        told += self._tell(EventKind.UNSUBSCRIBED, traces[40:])
        assert len(Event._store(esp, told)) == 60
        assert Event._apply_page() > 60

    def new_event_that_settles_a_doubt(self):
        traces = self.campaigns.find_traces(self.campaigns.newest, "process", 1)
        batch = self.env["mailing.trace"].browse(traces[0][0]).easycrm_batch_id
        assert batch.state == "handed_over"
        Event = self.env["easycrm.esp.event"]
        Event._store(self.campaigns.esps[0], self._tell(EventKind.PROCESSED, traces))
        Event._apply_page()
        assert batch.state == "accepted"

    def reports_about_nobody_forgotten(self):
        assert self.env["easycrm.esp.event"]._gc_unknown()[0] == 10_000

    # --- what is sent ---

    def batch_handed_over(self):
        Batch = self.env["easycrm.esp.batch"]
        batch = Batch._get_due()
        bulk = batch._hand_over()
        assert 100 < len(bulk.recipients) < PEOPLE  # (some are suppressed)
        batch._settle(Accepted("taken"))
        assert batch.state == "accepted"

    def batches_looked_after(self):
        Batch = self.env["easycrm.esp.batch"]
        Batch._look_for_lost()
        Batch._look_for_left()
        self.env["mailing.mailing"]._easycrm_finish_all()
        assert self.campaigns.newest._easycrm_get_unconfirmed()

    def batches_of_a_campaign_cancelled(self):
        mailing = self.campaigns.newest
        mailing.action_easycrm_cancel()
        assert "prepared" not in mailing.easycrm_batch_ids.mapped("state")

    def new_page_of_a_campaign(self):
        writer = BulkWriter(self.campaigns.newest)
        assert len(writer.seen) == OF_A_MAILING
        values = {"mass_mailing_id": self.campaigns.newest.id, "trace_type": "mail"}
        self.env["mailing.trace"].create(
            [
                {
                    **values,
                    "model": "res.partner",
                    "res_id": self.million.small.id,
                    "email": f"new{number}@plans.example",
                    "easycrm_batch_id": self.campaigns.newest.easycrm_batch_ids[-1].id,
                }
                for number in range(100)
            ]
        )

    def new_suppressions_imported(self):
        at = datetime.now()
        rows = [
            (f"gone{number}@else.example", SuppressionReason.COMPLAINED, at, "told")
            for number in range(99_900, 100_100)
        ]
        Suppression = self.env["easycrm.esp.suppression"]
        Suppression._add(rows, self.campaigns.esps[0])
        assert Suppression._get_blocked(["gone100099@else.example"], SuppressionReason)
        Suppression._forget([row[0] for row in rows])

    # --- what is shown ---

    def campaign_results(self):
        results = self.mine(self.campaigns.older).easycrm_get_results()
        assert results["sent"] and results["links"] and results["curve"]
        assert results["domains"] and results["bounces"] and results["senders"]

    def campaign_progress(self):
        mailing = self.mine(self.campaigns.newest)
        progress = mailing.easycrm_get_progress()
        assert progress["total"] > progress["done"] > 0
        assert mailing.easycrm_recipient_count

    def campaign_recipients_by_each_number(self):
        mailing = self.mine(self.campaigns.older)
        link = self.env["link.tracker"].search(
            [("mass_mailing_id", "=", mailing.id)], limit=1
        )
        kinds = [
            *((kind, None) for kind in RECIPIENTS),
            *(("bounce", kind) for kind in BOUNCES),
            *(("link", link.id), ("domain", "customer7.example")),
            *(("sender", mailing.easycrm_esp_id.id), ("left_out", "mail_bl")),
            ("unconfirmed", None),
        ]
        found = 0
        for kind, value in kinds:
            action = mailing.action_easycrm_view_recipients(kind, value)
            traces = self.mine(self.env["mailing.trace"])
            shown = traces.search_fetch(action["domain"], ["email"], limit=80)
            found += bool(shown)
        assert found > 10

    def one_recipient_with_his_events(self):
        rows = self.campaigns.find_traces(self.campaigns.older, "open", 1)
        trace = self.mine(self.env["mailing.trace"].browse(rows[0][0]))
        assert len(trace.easycrm_event_ids.mapped("kind")) > 1

    def health_of_bulk_senders(self):
        self.mine(self.env["easycrm.esp"])
        for esp in self.campaigns.esps:
            assert "event" in esp.health

    def suppressed_addresses_listed(self):
        Suppression = self.mine(self.env["easycrm.esp.suppression"])
        assert len(Suppression.search_fetch([], ["address"], limit=80)) == 80

    # --- what goes ---

    def recipients_deleted(self):
        traces = self.campaigns.find_traces(self.campaigns.older, "open", 100)
        self.env["mailing.trace"].browse(row[0] for row in traces).unlink()

    def campaigns_deleted(self):
        text = self.campaigns.older.easycrm_batch_ids[0].content_id
        text.unlink()
        # (not with those that it was made with: Odoo reads the recipients of all these)
        self.env["mailing.mailing"].browse(self.campaigns.empty.id).unlink()
