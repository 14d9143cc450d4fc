from datetime import timedelta, timezone

from odoo import api, fields, models
from odoo.tools import SQL

from .easycrm_email_account_health import ERROR_MINUTES
from .easycrm_email_account_send import PROVIDERS
from .easycrm_email_outgoing_outcome import DOUBT_SECONDS, LOST_SECONDS

#: How often a mailbox is asked to take away what was left in it, half an hour apart.
CLEAR_ATTEMPTS = 5


class EasycrmEmailOutgoing(models.Model):
    """What sending may have left in the mailbox, once a mail is not to go out any more.

    Microsoft 365 sends drafts. One that never left stays in the user's Drafts, looking
    as if he had written it there: it is taken away, by the Message-ID that is ours.
    """

    _inherit = "easycrm.email.outgoing"

    clear_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When the draft is taken away that sending may have left in the mailbox.",
    )

    _clear_idx = models.Index("(clear_at) WHERE clear_at IS NOT NULL")

    def write(self, vals):
        if "account_id" in vals:
            moved = self.sudo().filtered(
                lambda mail: (
                    mail.state == "draft" and mail.account_id.id != vals["account_id"]
                )
            )
            moved._leave_behind()
        return super().write(vals)

    def _leave_behind(self):
        """Let each be a mail with a Message-ID of its own from now on.

        What sending may have left in its mailbox stays known by the one that it had, in
        a cancelled mail without a text.
        """
        for mail in self:
            clear_at, left = mail._get_clear_moment(), {}
            if clear_at:
                names = ("account_id", "user_id", "message_id", "handed_at")
                left = mail._convert_to_write({name: mail[name] for name in names})
            mail.message_id = False
            if left:
                mail.flush_recordset(["message_id"])
                left["planned_in"] = mail.planned_in
                self.create({**left, "state": "cancelled", "clear_at": clear_at})
                self._wake(clear_at)

    def _mark_cancelled(self):
        """Record that it does not go out any more."""
        for mail in self:
            clear_at = mail._get_clear_moment()
            mail.write(
                {
                    "state": "cancelled",
                    "next_try_at": False,
                    "attempts": 0,
                    "clear_at": clear_at,
                }
            )
            if clear_at:
                mail._wake(clear_at)
            mail._ping()

    def _get_clear_moment(self):
        """Return when the mailbox is asked for what may be left in it; False: never."""
        self.ensure_one()
        is_ours = self.account_id and self.planned_in == self._get_database()
        if not (is_ours and self.handed_at and self.message_id):
            return False
        if not PROVIDERS[self.account_id.provider].leaves_drafts:
            return False
        # (a call that was given up may still be under way, or its mail be leaving)
        rest = self.handed_at + timedelta(seconds=DOUBT_SECONDS[-1])
        return max(rest, fields.Datetime.now())

    def _get_clear_limit(self):
        """Return until when the draft was changed by us; later, its writer has gone on
        with it in his mail program."""
        self.ensure_one()
        ours = self.handed_at + timedelta(seconds=LOST_SECONDS)
        return ours.replace(tzinfo=timezone.utc)

    @api.model
    def _claim_left(self, busy_ids):
        """Return the next mail of which a draft may be left, its row locked.

        :param list busy_ids: see `_claim_due`
        """
        return self._claim_first(
            SQL("state = 'cancelled' AND clear_at <= %s", fields.Datetime.now()),
            SQL("clear_at, id"),
            busy_ids,
        )

    def _mark_clearing(self):
        """Record, before the call, that the mailbox is asked: some times, no more."""
        self.ensure_one()
        attempts, following = self.attempts + 1, False
        if attempts < CLEAR_ATTEMPTS:
            following = fields.Datetime.now() + timedelta(minutes=ERROR_MINUTES)
            self._wake(following)
        self.write({"attempts": attempts, "clear_at": following})
