from datetime import timedelta

from markupsafe import escape

from odoo import api, fields, models
from odoo.fields import Domain

#: Hours that a mailbox is in error before its administrators are told, and after which
#: they are told again.
WARNING_HOURS = 24

#: Mailboxes that one transaction tells of.
WARNED_AT_ONCE = 20


class EasycrmEmailAccount(models.Model):
    """Mailboxes that stay broken: the administrators are told, once a day at most."""

    _inherit = "easycrm.email.account"

    warned_at = fields.Datetime(
        copy=False,
        readonly=True,
        help="When the administrators were told last that it does not work.",
    )

    @api.model
    def _warn_administrators(self):
        """Tell of mailboxes that have been in error for a day.

        The notices are gone when it works again or is paused (`_clear_notices`).

        :return: whether there may be more
        """
        day_ago = fields.Datetime.now() - timedelta(hours=WARNING_HOURS)
        due = (
            Domain("sync_status", "=", "error")
            & Domain("failed_at", "<=", day_ago)
            & (Domain("warned_at", "=", False) | Domain("warned_at", "<=", day_ago))
        )
        accounts = self.sudo().search(due, limit=WARNED_AT_ONCE, order="failed_at, id")
        if not accounts:
            return False
        for account in accounts:
            account._warn(account._get_administrators())
        accounts.warned_at = fields.Datetime.now()
        return len(accounts) == WARNED_AT_ONCE

    def _get_administrators(self):
        """Return the administrators of email who work for the mailbox's company."""
        self.ensure_one()
        managers = self.env.ref("easycrm_mail.group_easycrm_mail_manager").sudo()
        return managers.all_user_ids.filtered(
            lambda user: (
                user.active and not user.share and self.company_id in user.company_ids
            )
        )

    def _warn(self, users):
        """Give these users an activity, unless they still have one of this mailbox."""
        self.ensure_one()
        warning = self.env.ref("mail.mail_activity_data_warning")
        told = self.activity_ids.filtered(
            lambda activity: activity.activity_type_id == warning
        ).user_id
        for user in users - told:
            account = self.with_context(
                lang=user.lang, tz=user.tz, mail_activity_quick_update=True
            )
            account.activity_schedule(
                "mail.mail_activity_data_warning",
                summary=account.env._(
                    "%(mailbox)s has not synced since %(since)s",
                    mailbox=account.email,
                    since=account._format_moment(account.failed_at),
                ),
                note=escape(account.last_error),  # what servers say is no markup
                user_id=user.id,
            )
