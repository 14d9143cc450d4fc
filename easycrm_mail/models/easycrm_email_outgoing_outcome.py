import random
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from .easycrm_email_account_health import (
    ERROR_MINUTES,
    MAX_WAIT_HOURS,
    RETRIES,
    RETRY_MINUTES,
)

#: Seconds after the handing over at which the mailbox is asked for a mail in doubt;
#: after the last time its writer is asked.
DOUBT_SECONDS = (20, 60, 180, 480, 900)

#: Seconds after which nobody holds a mail any more that is being sent: a cron is killed
#: before.
LOST_SECONDS = 150


class EasycrmEmailOutgoing(models.Model):
    """What became of a mail: what follows, and who is told."""

    _inherit = "easycrm.email.outgoing"

    activity_id = fields.Many2one(
        "mail.activity",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
        help="What asks its writer to look at it.",
    )

    def _mark_sending(self):
        """Record, before the call, that it is being handed over (law 4)."""
        self.write(
            {
                "state": "sending",
                "handed_at": fields.Datetime.now(),
                "next_try_at": False,
                "asked_at": False,
                "error": False,
                "error_kind": False,
            }
        )
        self._ping()

    def _mark_sent(self, message_id="", refused=(), note=""):
        """Record that it has gone out.

        :param str message_id: that the service gave it
        :param refused: who does not get it, each an address and why
        :param str note: why it does not stand in the mailbox's Sent folder
        """
        self.ensure_one()
        self._end_notice()
        self.write(
            {
                "state": "sent",
                "sent_at": self.sent_at or fields.Datetime.now(),
                "sent_message_id": message_id or self.sent_message_id,
                "error": note or False,
                "error_kind": False,
                "next_try_at": False,
            }
        )
        self._mark_recipients(refused)
        again = self.replaced_by_id
        if again.state == "queued":
            again._mark_cancelled()
        self._ping()

    def _mark_recipients(self, refused):
        for address, reason in refused:
            for person in self.recipient_ids:
                if person._is_at(address):
                    person.refused = reason
        if self.state == "sent" and refused:
            self._tell(lambda env: env._("An email did not get to everybody"))

    def _mark_failed(self, error):
        """Record that it certainly did not go out, and decide what follows.

        :param MailboxError error: `Refused`, or one of those that reading has
        """
        self.ensure_one()
        words = self._explain(error)
        if error.kind in ("refused", "permanent", "gone", "resync"):
            self._refuse(words, error.kind, getattr(error, "recipients", ()))
            return
        now = fields.Datetime.now()
        told = error.kind == "reconnect" or self.attempts >= RETRIES
        minutes = ERROR_MINUTES if told else RETRY_MINUTES * 2**self.attempts
        wait = timedelta(minutes=minutes) * random.uniform(0.9, 1.1)
        asked = timedelta(seconds=getattr(error, "retry_after", None) or 0)
        wait = min(max(wait, asked), timedelta(hours=MAX_WAIT_HOURS))
        self.write(
            {
                "state": "queued",
                "attempts": self.attempts + 1,
                "error": words,
                "error_kind": error.kind,
                "next_try_at": now + wait,
                "looked_at": now if self._is_certain() else self.looked_at,
            }
        )
        self._wake(self.next_try_at)
        if told:
            self._tell(lambda env: env._("An email waits to be sent"))
        self._ping()

    def _mark_resting(self, at):
        """Let all that waits with it wait until its service takes more.

        That is no error; and each by itself would be asked for again and again.

        :param at: a moment
        """
        self.ensure_one()
        for user, mails in self._lock_resting(at).grouped("user_id").items():
            env = self.with_context(lang=user.lang).env
            words = env._("Its service takes no more emails from this mailbox for now.")
            told = mails.filtered(lambda mail, words=words: mail.error != words)
            certain = mails.filtered(lambda mail: mail._is_certain())
            certain.looked_at = fields.Datetime.now()
            mails.write({"error": words, "error_kind": "retry", "next_try_at": at})
            told._ping()
        self._wake(at)

    def _refuse(self, words, kind="refused", recipients=()):
        """Record that it does not go out, and why."""
        self.write(
            {
                "state": "refused",
                "error": words,
                "error_kind": "refused" if kind == "refused" else "permanent",
                "next_try_at": False,
                "looked_at": self._is_certain() and fields.Datetime.now(),
            }
        )
        self._mark_recipients(recipients)
        self._tell(lambda env: env._("An email was not sent"))
        self._ping()

    def _mark_doubtful(self, error=None):
        """Record that nobody knows whether it went out; the mailbox will be asked.

        :param MailboxError error: what happened; None where a worker has died
        """
        self.ensure_one()
        now = fields.Datetime.now()
        self.write(
            {
                "state": "doubt",
                "error": self._explain(error) if error else False,
                "error_kind": "doubtful",
                "handed_at": self.handed_at or now,
                "next_try_at": self._get_next_look() or now,
            }
        )
        self._wake(self.next_try_at)
        self._ping()

    def _get_next_look(self):
        """Return when the mailbox is asked next for a mail in doubt; None: no more."""
        now = fields.Datetime.now()
        moments = (self.handed_at + timedelta(seconds=s) for s in DOUBT_SECONDS)
        return next((moment for moment in moments if moment > now), None)

    def _mark_not_found(self, error=None):
        """Record that the mailbox does not have it, or could not be asked.

        Its writer is asked once the time is over; the mailbox still is asked as long as
        it has given no answer.

        :param MailboxError error: why it could not be asked
        """
        self.ensure_one()
        following = self._get_next_look()
        if not following:
            if not self.asked_at:
                self.asked_at = fields.Datetime.now()
                self._tell(lambda env: env._("Not sure that an email was sent"))
            wait = timedelta(minutes=ERROR_MINUTES)
            following = error and fields.Datetime.now() + wait
        self.next_try_at = following
        if following:
            self._wake(following)
        self._ping()

    def _settle(self, email):
        """Let it be sent, as that email, on the record that it was written from.

        :return: the email, if it stands on the record by that
        """
        self.ensure_one()
        if self.state != "sent":
            self._mark_sent()
        if self.email_id != email:
            self.email_id = email
        self._ping()
        record = self._get_record().exists()
        if not record or not email.company_id._easycrm_may_have(record):
            return email.browse()
        return self._link_to(email, record)

    def _link_to(self, email, record):
        """Put the email on a record as sent from there; off by hand, it stays off."""
        links = self.env["easycrm.email.link"]
        owner = self.env["easycrm.email.address"]._get_owner_field(record._name)
        link = links.search(
            Domain("email_id", "=", email.id) & Domain(owner, "=", record.id)
        )
        if not link:
            # (who has sent it is who made the link)
            links.with_user(self.user_id).sudo().create(
                {"email_id": email.id, owner: record.id, "origin": "sent"}
            )
            return email
        if link.origin in ("auto", "rule") and not link.removed:
            link.origin = "sent"
        return email.browse() if link.removed else email

    @api.model
    def _follow_bounce(self, email, address, kind, failed):
        """Tell the writer of a sent mail to whom it did not get.

        :param str kind: `hard`, or `soft`: it is only late
        :param messages.Undelivered failed:
        """
        for mail in self.search([("email_id", "=", email.id)]):
            bounces = self.with_context(lang=mail.user_id.lang).env
            words = bounces["easycrm.email.bounce"]._explain(
                failed.status, failed.reason
            )
            if kind == "hard":
                mail._mark_recipients([(address, words)])
            mail._ping()

    @api.model
    def _settle_reported(self, account, message_ids):
        """Let mails be sent of which a server reports: they have gone out."""
        reported = self.search(
            Domain("account_id", "=", account.id)
            & Domain("message_id", "in", list(message_ids))
            & Domain("state", "in", ["sending", "doubt"])
        )
        for mail in reported:
            mail._mark_sent()

    def _follow_deletion(self):
        """Decide what becomes of mails whose mailbox is being deleted."""
        for mail in self.filtered(lambda mail: mail.state == "queued"):
            env = mail.with_context(lang=mail.user_id.lang).env
            mail._refuse(env._("Its mailbox was deleted."), "permanent")
        doubtful = self.filtered(lambda mail: mail.state == "doubt")
        doubtful.write({"next_try_at": False, "asked_at": fields.Datetime.now()})
        doubtful._ping()
        self.activity_id.unlink()

    # --- who is told, in their language ---

    def _explain(self, error):
        return self.account_id._explain_outgoing(error) if self.account_id else ""

    def _tell(self, title):
        """Give somebody a task: what is wrong stands beside the mail itself.

        :param title: a function of the environment in whose language it is said
        """
        self.ensure_one()
        user = self.account_id and self._get_told()
        if self.activity_id or not user:
            return
        account = self.account_id.with_context(
            lang=user.lang, mail_activity_quick_update=True
        )
        self.activity_id = account.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=title(account.env),
            user_id=user.id,
        )

    def _get_told(self):
        """Return its writer, or who is there in his place and may settle it.

        Of a colleague who left, what is refused is no news: he may have planned much.
        """
        people = self.user_id
        if self.state == "doubt":
            people |= self.account_id.user_id | self.account_id.member_ids
        return people.filtered("active")[:1]

    def _end_notice(self):
        self.activity_id.unlink()
