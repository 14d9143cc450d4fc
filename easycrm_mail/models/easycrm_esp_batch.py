from odoo import fields, models
from odoo.tools import SQL


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
        "easycrm.esp", string="Sent Through", required=True, ondelete="restrict"
    )
    mailing_id = fields.Many2one(
        "mailing.mailing", required=True, index=True, ondelete="cascade"
    )
    key = fields.Char(required=True, readonly=True, copy=False)
    state = fields.Selection(
        [
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
    reference = fields.Char(readonly=True, help="The sender's own id of it.")
    error = fields.Char(readonly=True)
    trace_ids = fields.One2many("mailing.trace", "easycrm_batch_id")

    _key_unique = models.UniqueIndex("(key)")
    _open_idx = models.Index("(state, id) WHERE state NOT IN ('accepted', 'cancelled')")

    def _mark_on_the_way(self):
        """Mark the recipients that nothing is told of yet: their mail is there."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE mailing_trace trace
                SET trace_status = 'pending', failure_type = NULL,
                    sent_datetime = batch.handed_at
                FROM easycrm_esp_batch batch
                WHERE batch.id = trace.easycrm_batch_id AND batch.id = ANY(%s)
                  AND trace.trace_status IN ('outgoing', 'process')
                """,
                self.ids,
            )
        )
        self.env["mailing.trace"].invalidate_model(flush=False)
