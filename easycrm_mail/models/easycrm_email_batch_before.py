from odoo import models
from odoo.tools import SQL


class EasycrmEmailBatch(models.Model):
    """What a step has found, which is what undoing it puts back."""

    _inherit = "easycrm.email.batch"

    def _get_before_sql(self, field):
        """Return what the row of a `line` of this step was before it, as JSON.

        Where an earlier step had made it so that was undone since, in spite of this
        one, it is what that one has found, and so on; NULL if that had made the row.

        :param str field: `link_id` or `copy_id`: which row
        """
        self.env["easycrm.email.batch"].flush_model()
        self.env["easycrm.email.batch.line"].flush_model()
        # (nearly always there is none: then no line is looked through for it)
        is_plain = not self.sudo().search(
            [
                ("id", "<", self.id),
                ("undone_at", ">=", self.create_date.replace(microsecond=0)),
            ],
            limit=1,
        )
        if is_plain:
            return SQL("line.before")
        return SQL(
            """(
            WITH RECURSIVE state (batch_id, before) AS (
                SELECT line.batch_id, line.before
                UNION ALL
                SELECT earlier.batch_id, earlier.before
                FROM state
                JOIN easycrm_email_batch made ON made.id = state.batch_id
                CROSS JOIN LATERAL (
                    SELECT other.batch_id, other.before, step.undone_at
                    FROM easycrm_email_batch_line other
                    JOIN easycrm_email_batch step ON step.id = other.batch_id
                    WHERE other.%(field)s = line.%(field)s
                      AND other.batch_id < state.batch_id
                    ORDER BY other.batch_id DESC LIMIT 1
                ) AS earlier
                WHERE state.before IS NOT NULL
                  AND earlier.undone_at >= date_trunc('second', made.create_date)
            )
            SELECT before FROM state ORDER BY batch_id LIMIT 1)""",
            field=SQL.identifier(field),
        )
