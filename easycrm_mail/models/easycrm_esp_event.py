from odoo import api, fields, models
from odoo.tools import SQL

from ..esp import EventKind, Severity, Unverified

#: Characters of what a sender reports that are kept.
MAX_URL, MAX_AGENT = 2000, 300

MAX_ID = 2**31 - 1

#: The job that applies what has come.
EVENTS_CRON = "easycrm_mail.ir_cron_esp_events"


class EasycrmEspEvent(models.Model):
    """What a bulk sender has reported, each event once, as it came.

    What becomes of a recipient is computed from all of his events anew whenever one
    comes: so neither their order nor their repetition matters.
    """

    _name = "easycrm.esp.event"
    _description = "Event of a Bulk Sender"
    _order = "occurred_at desc, id desc"
    _rec_name = "kind"
    _log_access = False

    esp_id = fields.Many2one("easycrm.esp", required=True, ondelete="cascade")
    event_key = fields.Char(
        required=True, help="The same however often it is reported."
    )
    kind = fields.Selection(
        [
            (EventKind.PROCESSED.value, "Taken Over"),
            (EventKind.DEFERRED.value, "Deferred"),
            (EventKind.DELIVERED.value, "Delivered"),
            (EventKind.BOUNCED.value, "Bounced"),
            (EventKind.DROPPED.value, "Not Sent"),
            (EventKind.OPENED.value, "Opened"),
            (EventKind.CLICKED.value, "Clicked"),
            (EventKind.COMPLAINED.value, "Reported as Spam"),
            (EventKind.UNSUBSCRIBED.value, "Unsubscribed"),
            (EventKind.RESUBSCRIBED.value, "Subscribed Again"),
        ],
        required=True,
    )
    occurred_at = fields.Datetime(required=True)
    received_at = fields.Datetime(required=True)
    trace_id = fields.Many2one(
        "mailing.trace", string="Recipient", index="btree_not_null", ondelete="cascade"
    )
    address = fields.Char()
    reason = fields.Char()
    severity = fields.Selection(
        [
            (Severity.HARD.value, "For Good"),
            (Severity.SOFT.value, "For Now"),
            (Severity.BLOCKED.value, "Blocked"),
        ]
    )
    url = fields.Char(string="Link")
    user_agent = fields.Char()
    ip = fields.Char(string="IP Address")
    is_machine = fields.Boolean(
        help="No person opened or clicked: the sender itself says so."
    )
    token = fields.Char(groups=fields.NO_ACCESS, help="It is taken once.")
    applied = fields.Boolean()

    _key_unique = models.UniqueIndex("(esp_id, event_key)")
    _token_unique = models.UniqueIndex("(esp_id, token) WHERE token IS NOT NULL")
    _open_idx = models.Index("(id) WHERE applied IS NOT TRUE")
    _unknown_idx = models.Index("(received_at) WHERE trace_id IS NULL")
    _last_idx = models.Index("(esp_id, received_at)")

    @api.model
    def _store(self, esp, events, token=""):
        """Store verified events, those that are here already left out.

        Events about nobody of ours are stored too: their token is used up, and who has
        complained there must not be written to from here.

        :param esp: the `easycrm.esp` that reports
        :param list[Event] events: see `esp.Event`
        :param str token: of the call, where the sender gives one; for one event
        :raise Unverified: the token came with another event before
        :return: the new ones; once that is committed, `_wake` has them applied
        """
        if not events:
            return self.browse()
        traces = self._find_traces(esp, events)
        now = fields.Datetime.now()
        rows = {
            event.key: (
                *(esp.id, event.key, event.kind.value, self._naive(event.at), now),
                *(traces.get((event.batch, event.recipient)), event.address[:320]),
                *(event.reason or None, event.severity and event.severity.value),
                *(event.url[:MAX_URL] or None, event.user_agent[:MAX_AGENT] or None),
                *(event.ip[:45] or None, event.is_machine, token or None, False),
            )
            for event in events
        }
        stored = self.env.cr.execute_values(
            """
            INSERT INTO easycrm_esp_event
                (esp_id, event_key, kind, occurred_at, received_at, trace_id, address,
                 reason, severity, url, user_agent, ip, is_machine, token, applied)
            VALUES %s ON CONFLICT DO NOTHING RETURNING id
            """,
            # (in one order, that calls with the same events do not wait for each other)
            [rows[key] for key in sorted(rows)],
            page_size=len(rows),
            fetch=True,
        )
        if token and not stored:
            self._check_token(esp, token, list(rows))
        if stored:
            self.invalidate_model(flush=False)
        return self.browse(sorted(row[0] for row in stored))

    def _find_traces(self, esp, events):
        """Return the recipients that events are about: {(batch, recipient): id}."""
        pairs = {
            (event.batch, int(event.recipient)): (event.batch, event.recipient)
            for event in events
            if event.recipient.isascii()
            and event.recipient.isdecimal()
            and len(event.recipient) <= len(str(MAX_ID))
            and int(event.recipient) <= MAX_ID
        }
        if not pairs:
            return {}
        self.env.cr.execute(
            SQL(
                """
                SELECT batch.key, trace.id FROM mailing_trace trace
                JOIN easycrm_esp_batch batch ON batch.id = trace.easycrm_batch_id
                WHERE trace.id = ANY(%s) AND batch.esp_id = %s
                """,
                list({trace_id for _key, trace_id in pairs}),
                esp.id,
            )
        )
        return {pairs[row]: row[1] for row in self.env.cr.fetchall() if row in pairs}

    def _check_token(self, esp, token, keys):
        self.env.cr.execute(
            SQL(
                """
                SELECT event_key FROM easycrm_esp_event
                WHERE esp_id = %s AND token = %s
                """,
                esp.id,
                token,
            )
        )
        row = self.env.cr.fetchone()
        if row and row[0] not in keys:
            raise Unverified("replay")

    def _wake(self):
        """Have events applied soon, unless that is under way.

        To be called on a later snapshot than they were stored on: a run that applies
        older ones now looks for more after that, and finds them. On the same one it may
        have ended meanwhile, and everything that follows would wait for these.
        """
        if not self:
            return
        self.env.cr.execute(
            SQL(
                """
                SELECT 1 FROM easycrm_esp_event
                WHERE applied IS NOT TRUE AND id < %s LIMIT 1
                """,
                min(self.ids),
            )
        )
        if not self.env.cr.fetchone():
            self.env["ir.cron"]._easycrm_get(EVENTS_CRON)._easycrm_trigger()

    @staticmethod
    def _naive(date):
        return date.replace(tzinfo=None, microsecond=0)

    @api.autovacuum
    def _gc_unknown(self):
        """Forget what was reported about nobody of ours.

        By then its signature has expired: who has recorded it cannot repeat it.
        """
        self.env.cr.execute(
            """
            DELETE FROM easycrm_esp_event WHERE id = ANY(ARRAY(
                SELECT id FROM easycrm_esp_event
                WHERE trace_id IS NULL AND applied IS TRUE AND error IS NULL
                  AND received_at < now() AT TIME ZONE 'UTC' - interval '7 days'
                ORDER BY received_at LIMIT 10000))
            """
        )
        return self.env.cr.rowcount, self.env.cr.rowcount == 10000
