import re
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

#: The bus event, and what the channels of timelines begin with.
TIMELINE = "easycrm_mail.timeline"

#: What a browser asks to listen to: "easycrm_mail.timeline/res.partner/7".
CHANNEL = re.compile(rf"{re.escape(TIMELINE)}/(res\.partner|crm\.lead)/(\d{{1,9}})")

#: Records that are told of at most by one transaction: those with the newest mail.
PINGS = 100

#: In the place of a conversation, where the ping is not one of its mail.
ANY_THREAD = 0

#: Mail that is older than that is no news: the first reading of a mailbox is silent.
NEWS_DAYS = 7


class EasycrmEmailLink(models.Model):
    """Open timelines are told that their mail has changed, not what has.

    One ping a record and transaction, sent when it is committed. Who listens is
    checked in `ir.websocket`. What only some of a record's readers may know of, a
    private conversation or a Bcc, is not told: its holders hear of their own mailbox.
    """

    _inherit = "easycrm.email.link"

    #: What `_announce` asks of a link, for RETURNING.
    _announced_columns = SQL(
        "partner_id, commercial_partner_id, lead_id, company_id, thread_id, role, date"
    )

    @api.model
    def _announce(self, rows, only_news=False):
        """Remember whom to tell that links have come or gone.

        :param rows: of `_announced_columns`
        :param bool only_news: leave out what was written long ago
        """
        since = fields.Datetime.now() - timedelta(days=NEWS_DAYS)
        told = {}
        for partner, commercial, lead, company, thread, role, date in rows:
            if role == "bcc" or only_news and date < since:
                continue
            records = (
                [("crm.lead", lead)]
                if lead
                else {("res.partner", partner), ("res.partner", commercial)}
            )
            for model, record_id in records:
                if record_id:
                    dates = told.setdefault((model, record_id, company), {})
                    dates[thread] = max(date, dates.get(thread, date))
        if not told:
            return
        pending = self.env.cr.precommit.data.setdefault(TIMELINE, {})
        if not pending:
            self.env.cr.precommit.add(self.browse().sudo()._send_pings)
        for key, threads in told.items():
            pending.setdefault(key, {}).update(threads)

    def _announce_change(self):
        """Tell that these links have changed, by hand."""
        self._announce(
            [
                (
                    link.partner_id.id,
                    link.commercial_partner_id.id,
                    link.lead_id.id,
                    link.company_id.id,
                    link.thread_id.id,
                    link.role,
                    link.date,
                )
                for link in self.sudo()
            ]
        )

    @api.model
    def _announce_privacy(self, thread):
        """Tell that a conversation was made private, or shared, on its records.

        All readers of the record are told: to some of them it comes or goes.
        """
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT ON (partner_id, lead_id, company_id) %s
                   FROM easycrm_email_link
                   WHERE thread_id = %s AND removed IS NOT TRUE
                     AND role IS DISTINCT FROM 'bcc'
                   ORDER BY partner_id, lead_id, company_id, date DESC""",
                self._announced_columns,
                thread.id,
            )
        )
        # (as of no conversation: what is said of a private one is kept from others)
        self._announce([(*row[:4], ANY_THREAD, *row[5:]) for row in rows])

    @api.model
    def _silence(self, records):
        """Tell nobody of records that are being deleted: screens would ask for them.

        :param records: contacts, or leads
        """
        pending = self.env.cr.precommit.data.get(TIMELINE, {})
        for key in list(pending):
            model, record_id, _company = key
            if model == records._name and record_id in records.ids:
                del pending[key]

    @api.model
    def _send_pings(self):
        pending = self.env.cr.precommit.data.pop(TIMELINE, {})
        private = self._get_private_threads(
            {thread for threads in pending.values() for thread in threads}
        )
        newest = {}
        for key, threads in pending.items():
            dates = [date for thread, date in threads.items() if thread not in private]
            if dates:
                newest[key] = max(dates)
        for model, record_id, company_id in sorted(
            newest, key=newest.get, reverse=True
        )[:PINGS]:
            self.env["bus.bus"]._sendone(
                self._get_channel(self.env[model].browse(record_id), company_id),
                TIMELINE,
                {"model": model, "id": record_id},
            )

    @api.model
    def _get_private_threads(self, thread_ids):
        rows = self.env.execute_query(
            SQL(
                """SELECT id FROM easycrm_email_thread
                   WHERE privacy = 'private' AND id = ANY(%s)""",
                list(thread_ids),
            )
        )
        return {row[0] for row in rows}

    @api.model
    def _get_channel(self, record, company_id):
        """Return the bus channel of a record's timeline, as one company sees it."""
        return record, f"{TIMELINE}/{company_id}"

    @api.model
    def _get_channels(self, names):
        """Return the channels behind these names that this user may listen to.

        :param names: strings from a browser
        """
        wanted = {}
        for match in filter(None, map(CHANNEL.fullmatch, names)):
            wanted.setdefault(match[1], []).append(int(match[2]))
        if not self.browse().has_access("read"):
            return []
        companies = self.env.user.company_ids.ids
        return [
            self._get_channel(record, company_id)
            for model, ids in wanted.items()
            for record in self.env[model]
            .with_context(allowed_company_ids=companies)
            .browse(ids)
            .exists()
            ._filtered_access("read")
            for company_id in companies
        ]
