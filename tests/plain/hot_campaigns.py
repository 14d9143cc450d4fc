"""What campaigns do all day, among those of `many_campaigns.py`."""

from datetime import datetime, timezone

from many_campaigns import OF_A_MAILING, PEOPLE

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

#: Indexes that are taken away to see whether that is noticed.
INDEXES = {
    "campaigns_of_a_busy_contact": "mailing_trace_easycrm_company_idx",
    "token_of_a_report_that_was_used": "easycrm_esp_event_token_unique",
    "new_events_applied": "easycrm_esp_event__trace_id_index",
    "batch_handed_over": "easycrm_esp_batch_open_idx",
    "campaign_results": "mailing_trace__mass_mailing_id_index",
}


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
