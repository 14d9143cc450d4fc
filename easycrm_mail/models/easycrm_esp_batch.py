import json

from odoo import api, fields, models
from odoo.tools import SQL

from ..esp import Bulk, Recipient


class EasycrmEspBatch(models.Model):
    """What is handed over to a bulk sender in one call, once.

    No sender knows a key by which a call could be made again: a batch is committed as
    handed over before it is, and what comes of it is told by the answer, else by the
    events, else by a person.
    """

    _name = "easycrm.esp.batch"
    _description = "Batch of a Mailing"
    _order = "id"
    _rec_name = "key"

    esp_id = fields.Many2one(
        "easycrm.esp",
        string="Sent Through",
        required=True,
        index=True,
        ondelete="restrict",
    )
    mailing_id = fields.Many2one(
        "mailing.mailing", required=True, index=True, ondelete="cascade"
    )
    content_id = fields.Many2one(
        "easycrm.esp.content", index="btree_not_null", ondelete="set null"
    )
    key = fields.Char(required=True, readonly=True, copy=False)
    state = fields.Selection(
        [
            ("filling", "Being Written"),
            ("prepared", "Waiting"),
            ("handed_over", "Handed Over"),
            ("accepted", "Accepted"),
            ("doubt", "Not Confirmed"),
            ("refused", "Refused"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        default="prepared",
        readonly=True,
    )
    handed_at = fields.Datetime(string="Handed Over On", readonly=True)
    attempts = fields.Integer(readonly=True, help="How often the sender put it off.")
    put_off_at = fields.Datetime(readonly=True, help="When it first was.")
    next_try_at = fields.Datetime(readonly=True)
    reference = fields.Char(readonly=True, help="The sender's own id of it.")
    error = fields.Char(readonly=True)
    trace_ids = fields.One2many("mailing.trace", "easycrm_batch_id")

    _key_unique = models.UniqueIndex("(key)")
    _open_idx = models.Index("(state, id) WHERE state NOT IN ('accepted', 'cancelled')")

    def _make_bulk(self):
        """Return the `esp.Bulk` of a batch, or None: nobody is left in it."""
        self.ensure_one()
        people = []
        for trace in self.trace_ids.filtered(lambda t: t.trace_status == "outgoing"):
            told = json.loads(trace.easycrm_values)
            people.append(
                Recipient(trace.email, str(trace.id), told["name"], told["values"])
            )
        if not people:
            return None
        values = self.content_id._get_bulk_values()
        return Bulk(key=self.key, recipients=people, **values)

    def _mark_on_the_way(self):
        """Mark the recipients that nothing is told of yet: their mail is there."""
        self.flush_recordset()
        self.env["mailing.trace"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                UPDATE mailing_trace trace
                SET trace_status = 'pending', failure_type = NULL,
                    sent_datetime = batch.handed_at, easycrm_values = NULL,
                    write_date = now() AT TIME ZONE 'UTC'
                FROM easycrm_esp_batch batch
                WHERE batch.id = trace.easycrm_batch_id AND batch.id = ANY(%s)
                  AND trace.trace_status IN ('outgoing', 'process')
                """,
                self.ids,
            )
        )
        self.env["mailing.trace"].invalidate_model(flush=False)

    def _mark_handed_over(self):
        """Mark the recipients of batches that are handed over now."""
        self.trace_ids.filtered(lambda t: t.trace_status == "outgoing").write(
            {"trace_status": "process"}
        )

    @api.model
    def _mark_left_out(self, traces, failure_type, reason):
        """Mark recipients that the mail does not go to.

        :param traces: `mailing.trace`s
        """
        traces.write(
            {
                "trace_status": "error",
                "failure_type": failure_type,
                "failure_reason": reason,
                "easycrm_values": False,
            }
        )
