from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..providers import GmailProvider, ImapProvider, OutlookProvider
from .header_words import explain_header

#: Who sends from a mailbox, and knows what it takes in one mail.
PROVIDERS = {"gmail": GmailProvider, "imap": ImapProvider, "outlook": OutlookProvider}

#: What a service lets one mailbox send in a minute; above it, it would refuse.
#: https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits
MINUTE_LIMITS = {"outlook": 30}

#: What it lets one mailbox send in 24 hours: to people at Microsoft, mails at Google; a
#: private mailbox has less. https://support.google.com/a/answer/166852
DAY_LIMITS = {"gmail": 2000, "outlook": 10_000}
PRIVATE_DAY_LIMIT = 500
PRIVATE_DOMAINS = ("gmail.com", "googlemail.com")

#: The share of a day's limit from which on it is told.
TOLD_SHARE = 0.8


class EasycrmEmailAccount(models.Model):
    """Sending from a mailbox: which ones somebody has, and what each takes."""

    _inherit = "easycrm.email.account"

    def _get_send_limits(self):
        """Return what the mailbox takes in one mail, as `providers.SendLimits`."""
        self.ensure_one()
        return PROVIDERS[self.sudo().provider].limits

    def _why_not_sending(self):
        """Return in words why nothing can be sent from the mailbox; else empty."""
        self.ensure_one()
        account = self.sudo()
        env, values = self.env, {"email": account.email}
        if not account.active:
            return env._("%(email)s is archived: nothing is sent from it.", **values)
        if not account.owner_is_here:
            owner = account.user_id.name
            return env._(
                "%(owner)s is archived: nothing is sent from %(email)s any more.",
                owner=owner,
                **values,
            )
        if account.provider == "imap":
            if not account.smtp_host or not account.smtp_port:
                return env._(
                    "%(email)s has no outgoing server yet: enter it in the mailbox’s "
                    "settings.",
                    **values,
                )
            if not account.imap_secret:
                return env._(
                    "%(email)s has no password any more: enter it in the mailbox’s "
                    "settings.",
                    **values,
                )
        elif account._lacks_grant():
            return env._("Sign in to %(email)s first.", **values)
        return ""

    def _get_day_limit(self):
        """Return how much the mailbox may send in 24 hours; 0 where nobody knows."""
        self.ensure_one()
        if self.email.endswith(tuple(f"@{domain}" for domain in PRIVATE_DOMAINS)):
            return PRIVATE_DAY_LIMIT
        return DAY_LIMITS.get(self.provider, 0)

    def _select_handed_today(self):
        """Return a query of when it sent in 24 hours, as the limit counts."""
        self.ensure_one()
        self.env["easycrm.email.outgoing"].flush_model()
        self.env["easycrm.email.outgoing.recipient"].flush_model()
        people = SQL(
            "JOIN easycrm_email_outgoing_recipient person"
            " ON person.outgoing_id = mail.id"
        )
        return SQL(
            """
            SELECT mail.handed_at FROM easycrm_email_outgoing mail %s
            WHERE mail.account_id = %s AND mail.handed_at > %s
              AND mail.state IN ('sending', 'doubt', 'sent')
            """,
            people if self.provider == "outlook" else SQL(),
            self.id,
            fields.Datetime.now() - timedelta(days=1),
        )

    def _count_handed_today(self):
        """Return how much of the day's limit is used up."""
        query = SQL("SELECT count(*) FROM (%s) handed", self._select_handed_today())
        return self.env.execute_query(query)[0][0]

    def _get_next_chance(self):
        """Return from when on the service takes another mail; None: now."""
        self.ensure_one()
        per_minute = MINUTE_LIMITS.get(self.provider)
        if per_minute:
            mails = self.env["easycrm.email.outgoing"].sudo()
            since = fields.Datetime.now() - timedelta(minutes=1)
            lately = mails.search(
                Domain("account_id", "=", self.id) & Domain("handed_at", ">", since),
                order="handed_at, id",
            )
            if len(lately) >= per_minute:
                return lately[-per_minute].handed_at + timedelta(minutes=1)
        if limit := self._get_day_limit():
            rows = self.env.execute_query(
                SQL(
                    "%s ORDER BY mail.handed_at DESC OFFSET %s LIMIT 1",
                    self._select_handed_today(),
                    limit - 1,
                )
            )
            if rows:
                return rows[0][0] + timedelta(days=1)
        return None

    def _warn_of_limit(self):
        """Return in words that the day's limit is near; else empty."""
        self.ensure_one()
        limit = self._get_day_limit()
        count = self._count_handed_today() if limit else 0
        if not limit or count < limit * TOLD_SHARE:
            return ""
        values = {
            "count": count,
            "limit": limit,
            "service": self._get_service_title(self.provider),
        }
        if count >= limit:
            return self.env._(
                "%(service)s lets this mailbox send %(limit)s emails in 24 hours: they "
                "are used up. What you send now waits, and leaves by itself.",
                **values,
            )
        return self.env._(
            "%(count)s of the %(limit)s emails that %(service)s lets this mailbox send "
            "in 24 hours are used up.",
            **values,
        )

    def _explain_outgoing(self, error):
        """Say, in its owner's language, why a mail does not go out.

        :param MailboxError error:
        """
        self.ensure_one()
        account = self.with_context(lang=self.user_id.lang)
        words = account._get_refused_words(error)
        if error.code in words:
            return words[error.code]
        if self.provider == "imap":
            return self._explain_sending(error)
        return self._explain_error(error)

    def _get_refused_words(self, error):
        """Return the words of each reason for which a service takes no mail."""
        env = self.env
        values = {
            "server": self._get_sending_title(),
            "email": self.email,
            "detail": error.detail or env._("no reason given"),
        }
        return {
            "size": env._("It is too large for %(server)s.", **values),
            "recipients": (
                # (each is shown with its own reason)
                env._("%(server)s takes it for none of its recipients.", **values)
                if getattr(error, "recipients", ())
                else env._(
                    "%(server)s takes it for none of its recipients: %(detail)s",
                    **values,
                )
            ),
            "too_many": env._("It has too many recipients for %(server)s.", **values),
            "sender": env._(
                "%(server)s does not let %(email)s send under this address: %(detail)s",
                **values,
            ),
            "content": env._(
                "%(server)s did not take what is in it: %(detail)s", **values
            ),
            "header": explain_header(env, *getattr(error, "header", ("", ""))),
            "refused": env._("%(server)s did not take it: %(detail)s", **values),
        }

    def _get_sending_title(self):
        """Return what takes the mailbox's mail, for people."""
        return self.smtp_host if self.provider == "imap" else self._get_server_title()

    @api.model
    def easycrm_send_options(self):
        """Return what the current user may send from, the last used first.

        :return: list of dicts: `account_id`, `name`, `address`, `email_from`,
            `provider`, `limit_bytes`, `limit_recipients`, `last_used` (a datetime as
            text, or False), `why_not` and `warning` (words, or empty)
        """
        self.browse().check_access("read")
        accounts = self.search(
            Domain("id", "in", self._get_own_account_ids())
            & Domain("company_id", "in", self.env.companies.ids)
        )
        used = self._get_last_used()
        options = []
        for account in accounts:
            why_not, limits = account._why_not_sending(), account._get_send_limits()
            warning = account.sudo()._warn_of_limit()
            own = account._get_own_addresses() - {account.email}
            for address in (account.email, *sorted(own)):
                options.append(
                    {
                        "account_id": account.id,
                        "name": self.env.user.name,
                        "address": address,
                        "email_from": f"{self.env.user.name} <{address}>",
                        "provider": account.provider,
                        "limit_bytes": limits.message_bytes,
                        "limit_recipients": limits.recipients,
                        "last_used": used.get((account.id, address), False),
                        "why_not": why_not,
                        "warning": warning,
                    }
                )
        options.sort(key=lambda one: one["last_used"] or "", reverse=True)
        return sorted(options, key=lambda one: bool(one["why_not"]))

    @api.model
    def _get_last_used(self):
        """Return when the current user last sent from which mailbox and address."""
        groups = (
            self.env["easycrm.email.outgoing"]
            .sudo()
            ._read_group(
                Domain("user_id", "=", self.env.uid)
                & Domain("account_id", "!=", False)
                & Domain("handed_at", "!=", False),
                ["account_id", "from_address"],
                ["handed_at:max"],
            )
        )
        return {
            (account.id, address or account.email): str(moment)
            for account, address, moment in groups
        }

    def _inverse_imap_password(self):
        result = super()._inverse_imap_password()
        self._resume_outbox()
        return result

    def _keep_grant(self, email, secret):
        result = super()._keep_grant(email, secret)
        self._resume_outbox()
        return result

    def _resume_outbox(self):
        """Have mails go on that have waited for somebody to sign in."""
        mails = self.env["easycrm.email.outgoing"].sudo()
        waiting = mails.search(
            Domain("account_id", "in", self.ids)
            & Domain("state", "=", "queued")
            & Domain("error_kind", "=", "reconnect")
        )
        if waiting:
            waiting.next_try_at = False
            mails._wake()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sending(self):
        mails = self.env["easycrm.email.outgoing"].sudo()
        if mails.search_count(
            [("account_id", "in", self.ids), ("state", "=", "sending")], limit=1
        ):
            raise UserError(
                self.env._(
                    "An email is being sent from this mailbox: try again in a moment."
                )
            )

    def unlink(self):
        mails = self.env["easycrm.email.outgoing"].sudo()
        mails = mails.search([("account_id", "in", self.ids)])
        mails._follow_deletion()
        return super().unlink()
