from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .body_calls import fetch_files

#: After how long an email's attachments are tried again that could not be fetched;
#: then they wait until somebody opens them.
ATTEMPT_HOURS = [0.25, 1, 6, 24, 72]

#: After how long they are looked at again whose mailbox has just failed, and those in
#: mailboxes alone that are paused or in error: earlier if it works again before.
FAILED_HOURS, AWAY_HOURS = 1, 24


class EasycrmEmail(models.Model):
    """When the attachments of linked mail are fetched: see `FilesRun`."""

    _inherit = "easycrm.email"

    # (they tell that there are attachments, which a share level may hide)
    fetch_at = fields.Datetime(
        readonly=True,
        groups=fields.NO_ACCESS,
        help="When its attachments are fetched, once it is linked: at first the date "
        "of the email, so that the newest come first. Empty when there is nothing to "
        "fetch, or nothing is tried any more.",
    )
    fetch_attempts = fields.Integer(
        readonly=True, groups=fields.NO_ACCESS, help="That have failed."
    )

    # the condition word for word as it is asked
    _fetch_idx = models.Index(
        "(fetch_at DESC) WHERE is_linked IS TRUE AND fetch_at IS NOT NULL"
    )
    _fetch_body_idx = models.Index(
        "(fetch_at DESC) WHERE is_linked IS TRUE AND fetch_at IS NOT NULL"
        " AND headers_only IS TRUE"
    )

    @api.model
    def _get_due_files(self, limit):
        """Return the linked emails of which something is due, newest first."""
        self.flush_model(["is_linked", "fetch_at", "headers_only"])
        rows = self.env.execute_query(self._get_due_files_sql(limit))
        return self.browse([row[0] for row in rows])

    @api.model
    def _get_due_files_sql(self, limit):
        # (the text of linked mail belongs here, whatever Settings say of files)
        is_wanted = self.env["easycrm.email.account"]._keeps_files()
        return SQL(
            """
            SELECT id FROM easycrm_email
            WHERE is_linked IS TRUE AND fetch_at <= %s AND %s
            ORDER BY fetch_at DESC LIMIT %s
            """,
            fields.Datetime.now(),
            SQL("TRUE") if is_wanted else SQL("headers_only IS TRUE"),
            limit,
        )

    def _postpone_files(self):
        """Have these emails' attachments tried again later, some times."""
        now = fields.Datetime.now()
        for email in self:
            attempts = email.fetch_attempts
            email.fetch_attempts = attempts + 1
            email.fetch_at = (
                now + timedelta(hours=ATTEMPT_HOURS[attempts])
                if attempts < len(ATTEMPT_HOURS)
                else False
            )

    def _rest_files(self, hours):
        """Have these emails' attachments looked at later; no attempt was made."""
        self.write({"fetch_at": fields.Datetime.now() + timedelta(hours=hours)})

    @api.model
    def _wake_files(self, accounts):
        """Have the attachments that wait in these mailboxes fetched now."""
        self.flush_model(["date", "fetch_at", "is_linked"])
        self.env.cr.execute(
            SQL(
                """
                UPDATE easycrm_email email SET fetch_at = LEAST(email.date, %(now)s)
                WHERE is_linked IS TRUE AND fetch_at > %(now)s
                  AND EXISTS (SELECT FROM easycrm_email_copy copy
                              WHERE copy.email_id = email.id
                                AND copy.account_id = ANY(%(accounts)s))
                """,
                now=fields.Datetime.now(),
                accounts=accounts.ids,
            )
        )
        self.invalidate_model(["fetch_at"], flush=False)

    def _keep_files(self, files):
        """Store the attachments that were fetched of this email, if it is still here.

        :param dict files: {part: bytes}
        """
        for email in self:
            email.attachment_line_ids._keep(files)
            email.fetch_at = False

    def _fetch_files(self, checksums):
        """Fetch attachments from the first mailbox that holds the email and answers.

        :param dict checksums: {part: checksum}
        :return: {part: bytes}
        :raise UserError: none can be reached, in plain words
        """
        self.ensure_one()
        digest = self.digest
        return self._ask_mailboxes(
            lambda account, provider, stream, ref: fetch_files(
                provider, stream, ref, digest, checksums
            )
        )
