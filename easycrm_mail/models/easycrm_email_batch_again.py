from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from . import access

#: Minutes after which a step that taught something is looked at once more.
LOOK_AGAIN_MINUTES = 1


class EasycrmEmailBatch(models.Model):
    """Mail that was just being stored while something was taught follows a minute
    later: its transaction did not see the one, nor the other the mail."""

    _inherit = "easycrm.email.batch"

    again_at = fields.Datetime(help="When what was taught is looked at once more.")

    _again_idx = models.Index("(again_at) WHERE again_at IS NOT NULL")

    def _look_again(self):
        """Have the backfill cron look for what has come while this was taught."""
        again = fields.Datetime.now() + timedelta(minutes=LOOK_AGAIN_MINUTES)
        self.again_at = again
        self.env["easycrm.email.account"]._wake_backfill(again)

    @api.model
    def _place_due(self):
        """Look once more at a step that has taught something a minute ago.

        :return: whether there may be more
        """
        due = self.sudo().search(
            [("again_at", "<=", fields.Datetime.now())], order="again_at, id", limit=1
        )
        if due and not due.undone_at:
            due.with_user(due.create_uid).sudo()._place_late()
        due.again_at = False
        return bool(due)

    def _place_late(self):
        """Do with the mail that waits still what this step, of the user, has taught."""
        Copy = self.env["easycrm.email.copy"]
        Follow = self.env["easycrm.email.thread.follow"]
        mine = [("batch_id", "=", self.id)]
        patterns = self.env["easycrm.email.rule"].search(mine).mapped("pattern")
        if self.kind == "ignore":
            # (what a step was about was seen: it may have been brought back since)
            condition = SQL(
                "%s AND NOT EXISTS (SELECT FROM easycrm_email_batch_line known"
                " WHERE known.copy_id = held.id)",
                Copy._get_senders_sql(patterns),
            )
            late = [copy_id for copy_id, _email in self._find_waiting(condition)]
            Copy._set_ignored(Copy.browse(late), True, self)
            return
        condition = SQL(
            "(email.thread_id = ANY(%s) OR %s)",
            Follow.search(mine).thread_id.ids,
            SQL(" OR ").join(
                Follow._get_correspondent_sql(SQL("%s::varchar", pattern))
                for pattern in patterns
            )
            if patterns
            else SQL("FALSE"),
        )
        Follow._link_taught({email for _id, email in self._find_waiting(condition)})

    def _find_waiting(self, condition):
        """Return (id, email id) of the user's copies that wait.

        :param SQL condition: on `held` and `email`
        """
        for model in ("", ".copy", ".batch.line"):
            self.env[f"easycrm.email{model}"].flush_model()
        return self.env.execute_query(
            SQL(
                """
                SELECT held.id, held.email_id FROM easycrm_email_copy held
                JOIN easycrm_email email ON email.id = held.email_id
                WHERE held.account_id = ANY(%s) AND held.is_unlinked IS TRUE
                  AND held.ignored IS NOT TRUE AND %s
                """,
                list(access.own_account_ids(self.env)),
                condition,
            )
        )
