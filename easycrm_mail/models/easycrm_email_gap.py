from odoo import fields, models


class EasycrmEmailGap(models.Model):
    """A mail that a mailbox holds and that is not here, by its ref alone.

    It is missing, and the next sync fetches it; or it is left out on purpose, and the
    nightly comparison does not take it for missing. Whoever leaves mail out need not
    say so: what was fetched, and then not stored, was left out. Saying so at once saves
    fetching it: `Ingest.leave_out` for what is not stored, `_leave_out` of copies
    before they are deleted.
    """

    _name = "easycrm.email.gap"
    _description = "Email that is not Here"
    _order = "day desc, id"
    _rec_name = "provider_ref"
    _log_access = False

    account_id = fields.Many2one(
        "easycrm.email.account", required=True, ondelete="cascade"
    )
    stream = fields.Char(required=True)
    provider_ref = fields.Char(required=True)
    day = fields.Date(
        required=True,
        help="When the mailbox got it, in its owner's time zone, or when it was "
        "deleted here.",
    )
    left_out = fields.Boolean(help="On purpose: it is not missing.")
    attempts = fields.Integer(help="How often it was fetched in vain.")

    _ref_unique = models.UniqueIndex("(account_id, stream, provider_ref)")


class EasycrmEmailCopy(models.Model):
    """Copies that are deleted on purpose."""

    _inherit = "easycrm.email.copy"

    def _leave_out(self):
        """Keep the comparison from fetching these mails again, once they are deleted.

        To be called before they are. When the mailbox got them is not known here: a
        week from now none of them is compared any more.
        """
        self.env["easycrm.email.location"].flush_model()
        self.env.cr.execute(
            """
            INSERT INTO easycrm_email_gap
                (account_id, stream, provider_ref, day, left_out, attempts)
            SELECT place.account_id, place.stream, place.provider_ref,
                   (now() AT TIME ZONE 'UTC')::date, TRUE, 0
            FROM easycrm_email_location place
            JOIN easycrm_email_copy held ON held.id = place.copy_id
            WHERE held.id = ANY(%s)
            ON CONFLICT (account_id, stream, provider_ref) DO UPDATE
            SET left_out = TRUE, day = EXCLUDED.day
            """,
            [self.ids],
        )
        self.env["easycrm.email.gap"].invalidate_model(flush=False)
