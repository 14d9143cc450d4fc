from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .send_run import SendRun

#: Minutes after which a mail that should have left is asked for first.
LATE_MINUTES = 10


class EasycrmEmailOutgoing(models.Model):
    """What is due: which mail the cron hands over next."""

    _inherit = "easycrm.email.outgoing"

    @api.model
    def _cron_send(self):
        """Send what is due, and ask for what is in doubt."""
        SendRun(self.sudo().env).run()

    @api.model
    def _claim_due(self, busy_ids):
        """Return the mail that is due next, its row locked; an empty one if none is.

        :param list busy_ids: mailboxes that are being asked for another one
        """
        is_due = SQL(
            """
            (state = 'queued' AND scheduled_at <= %(now)s
             AND (next_try_at IS NULL OR next_try_at <= %(now)s)
             OR state = 'doubt' AND next_try_at <= %(now)s)
            """,
            now=fields.Datetime.now(),
        )
        return self._claim_first(is_due, SQL("scheduled_at, id"), busy_ids)

    @api.model
    def _claim_first(self, condition, order, busy_ids):
        """Return the first such mail that nobody else has in hand, its row locked.

        :param SQL condition: on the table
        :param SQL order:
        :param list busy_ids: see `_claim_due`
        """
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM easycrm_email_outgoing
                WHERE %(condition)s
                  AND (account_id IS NULL OR account_id <> ALL(%(busy)s))
                ORDER BY %(order)s LIMIT 1
                FOR NO KEY UPDATE SKIP LOCKED
                """,
                condition=condition,
                order=order,
                busy=busy_ids,
            )
        )
        mail = self.browse(row[0] for row in rows)
        mail.invalidate_recordset(flush=False)
        return mail

    def _lock_resting(self, at):
        """Return what waits in the mailbox of this mail and is due by then, locked.

        What somebody else has in hand is left out.
        """
        self.ensure_one()
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM easycrm_email_outgoing
                WHERE account_id = %(account)s AND state = 'queued'
                  AND scheduled_at <= %(at)s
                  AND (next_try_at IS NULL OR next_try_at < %(at)s)
                  AND error_kind IS DISTINCT FROM 'reconnect'
                ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
                """,
                account=self.account_id.id,
                at=at,
            )
        )
        mails = self.browse(row[0] for row in rows)
        mails.invalidate_recordset(flush=False)
        return mails

    def _lock_free(self):
        """Lock the row unless somebody else has; return whether it is locked."""
        self.ensure_one()
        return bool(
            self.env.execute_query(
                SQL(
                    "SELECT id FROM easycrm_email_outgoing WHERE id = %s"
                    " FOR NO KEY UPDATE SKIP LOCKED",
                    self.id,
                )
            )
        )

    def _is_late(self):
        """Tell whether it should be out for long, and nobody knows that it is not."""
        self.ensure_one()
        known = max(self.scheduled_at, self.looked_at or self.scheduled_at)
        return known < fields.Datetime.now() - timedelta(minutes=LATE_MINUTES)

    def _is_certain(self):
        """Tell whether it is certain, as it fails, that it has not gone out.

        Of one that was handed over its call has said so. One that only waited may have
        gone out from the database that this one is a copy of.
        """
        self.ensure_one()
        is_ours = self.planned_in == self._get_database()
        return self.state != "queued" or is_ours and not self._is_late()

    def _is_waiting(self):
        """Tell whether it was known not to have gone out when it was put off until a
        moment that is still to come: nobody hands it over before.
        """
        self.ensure_one()
        is_ours = self.planned_in == self._get_database()
        is_put_off = self.next_try_at and self.next_try_at > fields.Datetime.now()
        return bool(is_ours and self.looked_at and is_put_off)

    def _mark_asked(self, seconds):
        """Record, before the call, that the mailbox is asked for it: by nobody else for
        so long.

        One that is asked for long after its time may have gone out since; one that is
        tried at its time is as certain as it was.
        """
        self.ensure_one()
        now = fields.Datetime.now()
        if self._get_moment() < now - timedelta(minutes=LATE_MINUTES):
            self.looked_at = False
        self.next_try_at = now + timedelta(seconds=seconds)

    def _why_not_leaving(self):
        """Return in words why it does not leave any more; else empty.

        It may have waited for days: its writer or its mailbox may have left since.
        """
        self.ensure_one()
        env = self.with_context(lang=self.user_id.lang).env
        account = self.account_id.with_env(env)
        if not account:
            return env._("Its mailbox was deleted.")
        if self.planned_in != self._get_database():
            return env._(
                "It was planned in another database, of which this one is a copy."
            )
        if not self.user_id.active:
            return env._("%s is archived.", self.user_id.name)
        is_user = self.user_id.has_group("easycrm_mail.group_easycrm_mail_user")
        if not is_user or self.user_id not in account.user_id | account.member_ids:
            return env._(
                "%(user)s may not send from %(email)s any more.",
                user=self.user_id.name,
                email=account.email,
            )
        if not self._is_own_address():
            return env._(
                "%(address)s is not an address of %(email)s any more.",
                address=self.from_address,
                email=account.email,
            )
        return account._why_not_sending()
