import logging

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .easycrm_email_batch_again import BROKEN_ATTEMPTS, LOOKED_AT
from .retrying import quiet_sql

_logger = logging.getLogger(__name__)


class EasycrmEmailBatchWish(models.Model):
    """That a step be undone which the cron is at: its next slice is the first of that.

    A slice holds the row of its step until it is committed, and changes it: who waited
    for that would only be told to begin anew. To refer to the row is free.
    """

    _name = "easycrm.email.batch.wish"
    _description = "Undo That Waits for a Slice"
    _rec_name = "batch_id"

    batch_id = fields.Many2one("easycrm.email.batch", required=True, ondelete="cascade")
    companies = fields.Json(help="Those at work when it was wished for.")
    again_at = fields.Datetime(help="When it is tried again, after it broke.")
    attempts = fields.Integer(help="How often it broke.")

    _batch_unique = models.UniqueIndex("(batch_id)")

    @api.model
    def _wish(self, step):
        """Wish that a step be undone, which is the user's own. Twice is harmless."""
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO easycrm_email_batch_wish
                    (batch_id, companies, create_uid, create_date,
                     write_uid, write_date)
                VALUES (%(step)s, to_jsonb(%(companies)s::int[]),
                    %(uid)s, now() AT TIME ZONE 'UTC',
                    %(uid)s, now() AT TIME ZONE 'UTC')
                ON CONFLICT (batch_id) DO NOTHING
                """,
                step=step.id,
                companies=self.env.companies.ids,
                uid=self.env.uid,
            )
        )
        self.env["easycrm.email.account"]._wake_backfill()

    @api.model
    def _take(self):
        """Return the first wish whose step is free, and lock that."""
        is_due = Domain("again_at", "=", False) | Domain(
            "again_at", "<=", fields.Datetime.now()
        )
        wishes = self.search(is_due, order="id", limit=LOOKED_AT)
        step = wishes.batch_id.try_lock_for_update(allow_referencing=True, limit=1)
        return wishes.filtered(lambda wish: wish.batch_id == step)

    def _grant(self):
        """Undo the step, as whoever wishes it, if that is for him to do still."""
        try:
            with self.env.cr.savepoint():
                self.batch_id._as_author(self.companies)._undo()
        except UserError as error:
            _logger.info("Step %s is not undone: %s", self.batch_id.id, error)

    def _put_off(self):
        """Try again when the step would go on, which broke; at last stop that.

        It does not go on against the wish; who asks for Undo again, gets it.
        """
        self.attempts += 1
        step = self.batch_id
        if self.attempts < BROKEN_ATTEMPTS:
            self.again_at = step.again_at
            return
        step.write({"again_at": False, "stopped_at": fields.Datetime.now()})
        self.unlink()


class EasycrmEmailBatch(models.Model):
    _inherit = "easycrm.email.batch"

    def _undo_soon(self):
        """Undo this step, or have the cron do it that is at it: nothing is waited for.

        :return: as `_undo`
        """
        if self.todo and not self.undone_at and not self._lock():
            self.env["easycrm.email.batch.wish"]._wish(self)
            return 0, ""
        return self._undo()

    def _is_undo_wished(self):
        """Tell whether its Undo waits for a slice."""
        mine = [("batch_id", "=", self.id)]
        wishes = self.env["easycrm.email.batch.wish"].sudo()
        return bool(self.todo and wishes.search_count(mine, limit=1))

    def _lock(self):
        """Return this step if its row is free, and as this transaction sees it."""
        try:
            with self.env.cr.savepoint(), quiet_sql():
                return self.try_lock_for_update(allow_referencing=True)
        except SerializationFailure:
            return self.browse()
