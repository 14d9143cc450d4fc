from odoo import api, fields, models
from odoo.tools import SQL

from .easycrm_email_failure import NOT_TRIED
from .ingest_exclusions import AGING, MARK_LENGTH


class EasycrmEmailExclusion(models.Model):
    """A mail that is not stored on purpose: where it stands and why, nothing else.

    Whatever leaves mail out says so here, and only here: a rule or a switch, the time
    that unlinked emails are kept, or that it was deleted for good. It is then neither
    missing (`easycrm.email.gap`) nor fetched again, until the reason goes. Its owner
    sees how many there are; nobody else has business with it.
    """

    _name = "easycrm.email.exclusion"
    _description = "Email Left Out"
    _order = "id desc"
    _rec_name = "reason"
    _log_access = False

    account_id = fields.Many2one(
        "easycrm.email.account", string="Mailbox", required=True, ondelete="cascade"
    )
    stream = fields.Char(string="Folder", required=True)
    provider_ref = fields.Char(required=True)
    reason = fields.Selection(
        [
            ("rule", "A rule"),
            ("automatic", "Newsletter or automatic email"),
            ("colleagues", "Among colleagues"),
            ("private", "Looks private"),
            ("old", "Too old to be kept unlinked"),
            ("unlinked", "On no contact, lead or opportunity"),
            ("erased", "Deleted for good"),
        ],
        required=True,
    )
    rule_id = fields.Many2one(
        "easycrm.email.rule", ondelete="set null", index="btree_not_null"
    )
    day = fields.Date(string="Left Out On", required=True)
    mark = fields.Char(
        required=True, help="The same for one email that stands in several folders."
    )
    sent_at = fields.Datetime(
        readonly=True,
        groups=fields.NO_ACCESS,
        help="Where it is left out for its age: what tells whether it still is.",
    )

    _ref_unique = models.UniqueIndex("(account_id, stream, provider_ref)")

    @api.model
    def _count(self, domain, groupby):
        """Return {record or value: how many emails were left out}.

        :param Domain domain: on this model
        :param str groupby: a field
        """
        return dict(self._read_group(domain, [groupby], ["mark:count_distinct"]))

    @api.model
    def _keep_places(self, copies, reason, rule=None):
        """Count these copies as left out, before they are deleted.

        :param str reason: one of the field's
        :param rule: the rule that is the reason
        """
        self.env["easycrm.email.location"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO easycrm_email_exclusion
                    (account_id, stream, provider_ref, reason, rule_id, day, mark,
                     sent_at)
                SELECT place.account_id, place.stream, place.provider_ref, %(reason)s,
                    %(rule)s, (now() AT TIME ZONE 'UTC')::date,
                    left(encode(sha256(convert_to(
                        place.account_id || ':' || email.message_id || ':'
                            || email.digest, 'UTF8')), 'hex'), %(length)s),
                    CASE WHEN %(reason)s = ANY(%(aging)s) THEN email.date END
                FROM easycrm_email_location place
                JOIN easycrm_email_copy held ON held.id = place.copy_id
                JOIN easycrm_email email ON email.id = held.email_id
                WHERE held.id = ANY(%(copies)s)
                ON CONFLICT (account_id, stream, provider_ref) DO UPDATE
                SET reason = EXCLUDED.reason, rule_id = EXCLUDED.rule_id,
                    mark = EXCLUDED.mark, sent_at = EXCLUDED.sent_at
                """,
                reason=reason,
                rule=rule.id if rule else None,
                length=MARK_LENGTH,
                aging=list(AGING),
                copies=copies.ids,
            )
        )
        self.invalidate_model(flush=False)

    def _read_again(self):
        """Have the next sync read these mails, each once, and start one.

        They wait with those that were set aside: until they are here, the mailbox does
        not count as read to its end. What is still to be left out is left out again.
        """
        accounts = self.account_id
        self.env["easycrm.email.failure"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                WITH again AS (
                    DELETE FROM easycrm_email_exclusion WHERE id = ANY(%(ids)s)
                    RETURNING account_id, stream, provider_ref
                )
                INSERT INTO easycrm_email_failure
                    (account_id, stream, provider_ref, error, attempts, retry,
                     create_uid, create_date, write_uid, write_date)
                SELECT account_id, stream, provider_ref, %(error)s, %(attempts)s, TRUE,
                    %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
                FROM again
                ON CONFLICT (account_id, stream, provider_ref)
                    DO UPDATE SET retry = TRUE
                """,
                ids=self.ids,
                error=self.env._("It was left out, and is read with the next sync."),
                attempts=NOT_TRIED,
                uid=self.env.uid,
            )
        )
        self.invalidate_model(flush=False)
        self.env["easycrm.email.failure"].invalidate_model(flush=False)
        accounts.invalidate_recordset(flush=False)
        for account in accounts.filtered(lambda account: account._is_running()):
            if account.sync_status == "ok":
                account.sync_status = "incomplete"
            account._get_cron()._easycrm_trigger()
