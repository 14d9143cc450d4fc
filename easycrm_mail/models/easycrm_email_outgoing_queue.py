from datetime import timedelta
from uuid import uuid4

import idna

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from .addresses import normalise
from .easycrm_email_live import TIMELINE

#: Seconds in which a mail that is sent can be taken back.
UNDO_SECONDS = 10

#: The job that sends what is queued.
SEND_CRON = "easycrm_mail.ir_cron_email_send"


class EasycrmEmailOutgoing(models.Model):
    """What its writer does with a mail: sends it, takes it back, settles a doubt."""

    _inherit = "easycrm.email.outgoing"

    def action_queue(self, scheduled_at=None):
        """Have the mail sent: in some seconds, or at a time.

        :param scheduled_at: UTC, a datetime or as the browser writes it
        :return: {"id", "seconds": until it leaves, "to": who gets it, for people}
        :raise UserError: it cannot be sent like this, and why
        """
        self.ensure_one()
        self.check_access("write")
        self._lock()
        self._check_is_draft()
        self._check_may_send()
        self._check_recipients()
        self.env["ir.cron"]._easycrm_check(SEND_CRON)
        self._take_files()
        mail = self.sudo()
        now = fields.Datetime.now()
        at = fields.Datetime.to_datetime(scheduled_at) or now
        mail.write(
            {
                "state": "queued",
                "message_id": mail.message_id or mail._make_message_id(),
                "planned_in": self._get_database(),
                "scheduled_at": max(at, now + timedelta(seconds=UNDO_SECONDS)),
                "error": False,
                "error_kind": False,
                "attempts": 0,
                "next_try_at": False,
            }
        )
        mail._check_mail()
        mail._wake(mail.scheduled_at)
        mail._ping()
        return {
            "id": self.id,
            "seconds": int((mail.scheduled_at - now).total_seconds()),
            "to": mail._get_names(),
        }

    def action_undo(self):
        """Make the mail a draft again, as long as nothing of it has gone out.

        It keeps its Message-ID: what sending may have left in the mailbox is known, and
        taken away, by that.

        :return: {"undone": whether it is one, "message": why not}
        """
        self.ensure_one()
        self.check_access("write")
        self._lock()
        mail = self.sudo()
        if mail._can_undo():
            mail.write(
                {
                    "state": "draft",
                    "scheduled_at": False,
                    "next_try_at": False,
                    "error": False,
                    "error_kind": False,
                }
            )
            mail.recipient_ids.refused = False
            # (rewritten it is another mail: what it stood in for, where that turns up
            # after all, is settled by itself and does not cancel this one)
            mail.search([("replaced_by_id", "=", mail.id)]).replaced_by_id = False
            mail._ping()
        undone, message = mail.state == "draft", ""
        if mail.state in ("queued", "refused"):
            message = self.env._("It may have gone out already: it cannot be changed.")
        elif not undone:
            message = self.env._("It was too late: it has left already.")
        return {"undone": undone, "message": message}

    def _can_undo(self):
        """Tell whether it waits, or was refused, and certainly got to nobody."""
        self.ensure_one()
        if self.state == "queued":
            return self._is_certain() or self._is_waiting()
        return self.state == "refused" and bool(self.looked_at)

    def action_cancel(self):
        """Have a planned mail not sent."""
        for mail in self._lock_mine():
            if mail.state not in ("queued", "refused", "draft"):
                raise UserError(self.env._("It was too late: it has left already."))
            mail._mark_cancelled()
        return True

    def action_send_now(self):
        """Have a planned mail sent at once."""
        self.env["ir.cron"]._easycrm_check(SEND_CRON)
        for mail in self._lock_mine():
            if mail.state != "queued":
                raise UserError(self.env._("It was too late: it has left already."))
            # (one that should have left long ago stays late: it is asked for first)
            at = min(mail.scheduled_at, fields.Datetime.now())
            mail.write({"scheduled_at": at, "next_try_at": False})
            mail._wake()
            mail._ping()
        return True

    def action_send_again(self):
        """Send once more what was refused, or may not have gone out.

        That is another mail, with a Message-ID of its own. The one in doubt is not sent
        by itself any more; where it turns up after all, it stands on the timeline.

        :return: as `action_queue`
        """
        self.ensure_one()
        mail = self._lock_mine()
        if mail.state == "refused":
            mail.state = "draft"
            mail._leave_behind()
            mail.recipient_ids.refused = False
            return mail.with_env(self.env)._requeue()
        if mail.state == "sent":
            raise UserError(self.env._("It was sent meanwhile."))
        if mail.state != "doubt":
            raise UserError(self.env._("It is on its way already."))
        again = mail._repeat()
        mail.replaced_by_id = again
        mail._mark_cancelled()
        return again.with_env(self.env)._requeue()

    def _requeue(self):
        """Queue a mail that somebody else of a team may have written."""
        if self.sudo().user_id != self.env.user:
            self.sudo().user_id = self.env.user
        return self.action_queue()

    def _repeat(self):
        """Return a draft of the same mail, with files of its own."""
        again = self.copy(
            {
                "attachment_ids": [],
                "recipient_ids": [
                    fields.Command.create(
                        {
                            "role": person.role,
                            "name": person.name,
                            "address": person.address,
                            "partner_id": person.partner_id.id,
                        }
                    )
                    for person in self.recipient_ids
                ],
            }
        )
        sources = {}
        for file in self.attachment_ids:
            kept = file.copy({"res_model": self._name, "res_id": again.id})
            again.attachment_ids += kept
            sources[file.id] = f"/web/image/{kept.id}"
        again.body = self._point_to(again.body, sources)
        again.quoted_html = self._point_to(again.quoted_html, sources)
        return again

    def action_discard(self):
        """Do without a mail that was refused, or is in doubt, or is only a draft."""
        for mail in self._lock_mine():
            if mail.state not in ("doubt", "refused", "draft", "cancelled"):
                raise UserError(self.env._("It is on its way. Cancel it instead."))
            mail._mark_cancelled()
        return True

    @api.model
    def easycrm_wake(self):
        """Have what is due sent now: the browser calls it when the seconds are over."""
        self.browse().check_access("read")
        self.sudo()._wake()
        return True

    # --- what they share ---

    def _lock_mine(self):
        """Return these mails, locked, as superuser: the user’s own or the team's."""
        self.check_access("read")
        self._lock()
        return self.sudo()

    def _lock(self):
        """Lock the rows: nobody hands over meanwhile what is taken back.

        Where the cron was first, the transaction is made again and sees it.
        """
        self.env.flush_all()
        self.env.execute_query(
            SQL(
                "SELECT FROM easycrm_email_outgoing WHERE id = ANY(%s)"
                " ORDER BY id FOR NO KEY UPDATE",
                self.ids,
            )
        )

    @api.model
    def _wake(self, at=None):
        """Have the send cron run, now or then; nothing if it was deleted."""
        self.env["ir.cron"]._easycrm_get(SEND_CRON)._easycrm_wake(at)

    @api.model
    def _get_database(self):
        """Return what Odoo knows this database by; it gives its copies another name."""
        return self.env["ir.config_parameter"].sudo().get_param("database.uuid")

    def _make_message_id(self):
        """Return a Message-ID that nobody has had, and nobody can guess."""
        domain = self.account_id.email.rpartition("@")[2]
        if not domain.isascii():
            domain = idna.encode(domain, uts46=True).decode()
        return f"<{uuid4().hex}.{uuid4().hex[:8]}@{domain}>"

    def _get_names(self, roles=("to", "cc", "bcc")):
        """Return who gets it, as one text for people."""
        people = self.recipient_ids.filtered(lambda person: person.role in roles)
        names = [person.name or person.address for person in people]
        if len(names) > 3:
            others = self.env._("%s others", len(names) - 2)
            names = [*names[:2], others]
        return tools.format_list(self.env, names)

    def _check_may_send(self):
        """Check that the mailbox is one that its writer may send from.

        :raise AccessError: it is somebody else's
        :raise UserError: in words what is missing
        """
        account = self.sudo().account_id
        if not account:
            raise UserError(self.env._("Choose the mailbox that it is sent from."))
        accounts = self.env["easycrm.email.account"]
        if account.id not in accounts._get_own_account_ids():
            raise AccessError(
                self.env._("You cannot send from %s: it is not yours.", account.email)
            )
        if why := account.with_env(self.env)._why_not_sending():
            raise UserError(why)
        if not self._is_own_address():
            raise AccessError(
                self.env._(
                    "%(address)s is not an address of the mailbox %(email)s.",
                    address=self.from_address,
                    email=account.email,
                )
            )

    def _is_own_address(self):
        """Tell whether it is sent under an address of its mailbox."""
        account = self.sudo().account_id
        sender = normalise(self.from_address or account.email)
        return sender in account._get_own_addresses()

    def _check_recipients(self):
        people = self.recipient_ids
        if not people:
            raise UserError(self.env._("Add somebody who is to get it."))
        wrong = [
            person.address
            for person in people
            if not tools.email_normalize(person.address)
        ]
        if wrong:
            raise UserError(
                self.env._(
                    "“%s” is not an email address. Correct or remove it.", wrong[0]
                )
            )
        limit = self.sudo().account_id._get_send_limits().recipients
        if len({normalise(person.address) for person in people}) > limit:
            raise UserError(
                self.env._(
                    "At most %s people can get one email from this mailbox.", limit
                )
            )

    # --- who is told ---

    def _ping(self):
        """Tell the screens of its writer and its team that something has changed.

        Nobody else knows of it: it says neither what nor to whom.
        """
        for mail in self.sudo():
            account, record = mail.account_id, mail._get_record()
            users = mail.user_id | account.user_id | account.member_ids
            if mail.state == "draft":
                users = mail.user_id
            if record:
                users._bus_send(TIMELINE, {"model": record._name, "id": record.id})
            users._bus_send(
                "easycrm_mail.outgoing", {"id": mail.id, "state": mail.state}
            )
