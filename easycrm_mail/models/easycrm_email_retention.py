from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.tools import SQL, mute_logger

from .retrying import CROSSED

#: System parameter: the days that unlinked emails are kept; 0 or nothing: for ever.
DAYS = "easycrm_mail.unlinked_days"

#: A hundred years: what is more is a slip of the fingers.
MOST_DAYS = 36_500

#: Emails that are deleted in one transaction.
BATCH = 500


def begin_of(day, zone):
    """Return the moment at which a day begins in a time zone, naive, in UTC.

    Where clocks change at midnight, 0:00 is twice or not at all.

    :param zone: of pytz
    """
    midnight = datetime.combine(day, time.min)
    moments = [
        zone.localize(midnight, is_dst=is_dst).astimezone(pytz.utc)
        for is_dst in (True, False)
    ]
    begun = [at for at in moments if at.astimezone(zone).date() >= day]
    return min(begun or moments).replace(tzinfo=None)


class EasycrmEmail(models.Model):
    """How long emails are kept that stand on no contact, lead or opportunity.

    Whole days, in the company's time zone: an email of Monday that is kept for one day
    goes when Tuesday is over. One that has left its record has its days from then on,
    however old it is: a slip of the hand can be put right for as long. What is as old
    and matches nobody is not stored either (`ingest_retention.py`): a mailbox that is
    read anew brings nothing back.
    """

    _inherit = "easycrm.email"

    @api.model
    def _get_retention_days(self):
        """Return the days that unlinked emails are kept, 0 for ever."""
        days = self.env["ir.config_parameter"].sudo().get_param(DAYS) or ""
        # (a system parameter: anybody may have written anything)
        is_number = days.isascii() and days.isdecimal()
        return int(days) if is_number and int(days) <= MOST_DAYS else 0

    @api.model
    def _get_retention_date(self, company, days=None):
        """Return the moment before which unlinked emails of a company are deleted.

        :param int days: that they are kept; as Settings say if not given
        :return: naive, in UTC; None where they are kept for ever
        """
        days = self._get_retention_days() if days is None else days
        if not days:
            return None
        zone = pytz.timezone(self._get_company_zone(company))
        today = pytz.utc.localize(fields.Datetime.now()).astimezone(zone).date()
        return begin_of(today - timedelta(days=days), zone)

    @api.model
    def _get_company_zone(self, company):
        """Return the name of the time zone that a company's days are counted in."""
        company = company.sudo()
        zone = company.resource_calendar_id.tz or company.partner_id.tz
        # (names come and go: one that is unknown must not keep mail from being stored)
        return zone if zone in pytz.all_timezones_set else "UTC"

    @api.model
    def _get_expired_sql(self, company, days=None):
        """Return the condition on `held` that the email of a copy is to be deleted now.

        Of the copy and its email the same is asked: the columns of the one are indexed,
        those of the other decide.
        """
        limit = self._get_retention_date(company, days)
        if not limit:
            return SQL("FALSE")
        self.flush_model(["date", "is_linked", "unlinked_since"])
        self.env["easycrm.email.copy"].flush_model()
        return SQL(
            """held.is_unlinked IS TRUE AND held.date < %(limit)s AND EXISTS (
                   SELECT FROM easycrm_email email
                   WHERE email.id = held.email_id AND email.is_linked IS NOT TRUE
                     AND GREATEST(email.date, email.unlinked_since) < %(limit)s
                   OFFSET 0)""",
            limit=limit,
        )

    @api.model
    def _get_companies_accounts(self):
        """Return [(company, ids of its mailboxes)], archived ones too."""
        accounts = self.env["easycrm.email.account"].sudo()
        return accounts.with_context(active_test=False)._read_group(
            [], ["company_id"], ["id:array_agg"]
        )

    @api.model
    def _count_expired(self, days):
        """Tell what keeping unlinked emails for so many days would delete now.

        :return: (emails, mailboxes, date of the oldest or None)
        """
        counts = [
            self.env.execute_query(
                SQL(
                    """SELECT count(DISTINCT held.email_id),
                           count(DISTINCT held.account_id), min(held.date)
                       FROM easycrm_email_copy held
                       WHERE held.account_id = ANY(%s) AND %s""",
                    account_ids,
                    self._get_expired_sql(company, days),
                )
            )[0]
            for company, account_ids in self._get_companies_accounts()
        ]
        emails, accounts, dates = zip(*counts, strict=True) if counts else ((),) * 3
        return sum(emails), sum(accounts), min(filter(None, dates), default=None)

    @api.model
    def _get_expired(self, limit):
        """Return so many of the emails that are to be deleted now, as superuser."""
        found = set()
        for company, account_ids in self._get_companies_accounts():
            expired = self._get_expired_sql(company)
            # (each along an index of its own, mailbox by mailbox in its order)
            for ignored in (SQL("IS NOT TRUE"), SQL("IS TRUE")):
                rows = self.env.execute_query(
                    SQL(
                        """SELECT expired.email_id
                           FROM unnest(%(accounts)s) AS account (id), LATERAL (
                               SELECT held.email_id FROM easycrm_email_copy held
                               WHERE held.account_id = account.id AND %(expired)s
                                 AND held.ignored %(ignored)s
                               ORDER BY held.date, held.id LIMIT %(left)s
                           ) AS expired LIMIT %(left)s""",
                        accounts=account_ids,
                        expired=expired,
                        ignored=ignored,
                        left=limit - len(found),
                    )
                )
                found.update(email_id for (email_id,) in rows)
        return self.sudo().browse(found)

    @api.autovacuum
    def _gc_unlinked(self):
        """Delete unlinked emails whose time is over, a batch of them.

        Each batch is committed by itself.

        :return: how many were deleted, and whether there may be more
        """
        if not self._get_retention_days():
            return 0, False
        try:
            with mute_logger("odoo.sql_db"):
                emails = self._get_expired(BATCH)
                # (what was taken off by hand would be placed there again)
                emails.filtered("link_ids")._delete_for_good()
                emails.exists()._delete("old")
                self.env.flush_all()
        except CROSSED:
            # a mailbox is being read: once more, on a fresh snapshot
            self.env.cr.rollback()
            self.env.transaction.reset()
            return 0, True
        return len(emails), bool(emails)
