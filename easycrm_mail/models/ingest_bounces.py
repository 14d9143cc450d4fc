"""Reports on sent mail that did not get there: they mark that mail, nothing else."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from odoo.tools import SQL

from ..messages import Bounce, read_bounce
from .addresses import normalise

#: Days after which a report that does not say about which mail it is tells nothing.
REPORT_DAYS = 5

#: What an action means; the others say that it arrived, or went on.
KINDS = {"failed": "hard", "delayed": "soft"}


#: What Auto-Submitted begins with, before parameters and comments.
KEYWORD = re.compile(r"[a-z-]*")


@dataclass
class Report:
    """What one mail reports.

    :ivar at: when, naive: it says so itself
    :ivar received_at: when the mailbox got it, naive
    """

    bounce: Bounce
    at: datetime
    received_at: datetime


class BounceSteps:
    """The steps of `Ingest` for reports; anybody may have written one.

    A report counts if this mailbox has sent the mail, to that address.
    """

    def _find_reports(self, reads):
        """Return what these mails report, before any of them is left out."""
        return {
            self._identity(read.message): Report(
                bounce,
                self._naive(read.message.date),
                self._get_arrival(read),
            )
            for read in reads
            if self._direction(read.message) == "inbound"
            and (bounce := read_bounce(read.remote.raw))
        }

    def _get_arrival(self, read):
        at = read.remote.received_at or read.message.date
        return self._naive(at.astimezone(timezone.utc))

    def _is_auto_reply(self, message):
        """Tell whether a machine has answered: Outlook says only that it wrote it."""
        if self._identity(message) in self.reports or message.list_id:
            return False
        kind = KEYWORD.match(message.auto_submitted.strip())[0]
        return kind == "auto-replied" or bool(
            kind == "auto-generated" and message.in_reply_to
        )

    def _mark_undelivered(self):
        """Mark the mails that reports are about."""
        for report in self.reports.values():
            for failed in report.bounce.recipients:
                self._mark(report, failed)

    def _mark(self, report, failed):
        addresses = [normalise(one) for one in failed.addresses]
        found = self._find_reported(report, addresses)
        if not found:
            mails = self.env["easycrm.email.outgoing"]
            mails._settle_reported(self.account, report.bounce.message_ids)
            return
        email_id, address = found
        kind = KINDS.get(failed.action)
        if not kind:
            self.env.cr.execute(
                SQL(
                    """DELETE FROM easycrm_email_bounce
                       WHERE email_id = %s AND address = %s AND at <= %s""",
                    email_id,
                    address,
                    report.at,
                )
            )
        else:
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO easycrm_email_bounce
                        (email_id, address, kind, status, detail, at)
                    VALUES (%s, %s, %s, %s, %s, %s)
                    ON CONFLICT (email_id, address) DO UPDATE
                    SET kind = EXCLUDED.kind, status = EXCLUDED.status,
                        detail = EXCLUDED.detail, at = EXCLUDED.at
                    WHERE easycrm_email_bounce.at < EXCLUDED.at
                    """,
                    email_id,
                    address,
                    kind,
                    failed.status,
                    failed.reason,
                    report.at,
                )
            )
        if not self.env.cr.rowcount:
            return  # known: the report was read before
        self.env["easycrm.email.bounce"].invalidate_model(flush=False)
        email = self.env["easycrm.email"].browse(email_id)
        email.invalidate_recordset(["bounce_ids"], flush=False)
        email.link_ids._announce_change()
        if kind:
            self.env["easycrm.email.outgoing"]._follow_bounce(
                email, address, kind, failed
            )

    def _find_reported(self, report, addresses):
        """Return the sent email that a report is about, and to which of its addresses.

        Without a Message-ID, the last that was sent there, if not long ago.

        :return: (email id, address), or None
        """
        ids = list(report.bounce.message_ids)
        # (whoever dates a report back would reach any mail of then)
        since = report.received_at - timedelta(days=REPORT_DAYS)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT email.id, participant.address
                FROM easycrm_email_participant participant
                JOIN easycrm_email email ON email.id = participant.email_id
                JOIN easycrm_email_copy held
                  ON held.email_id = email.id AND held.account_id = %(account)s
                 AND held.direction = 'outbound'
                WHERE participant.address = ANY(%(addresses)s)
                  AND participant.role <> 'from'
                  AND email.company_id = %(company)s AND %(which)s
                ORDER BY email.date DESC, email.id DESC LIMIT 1
                """,
                account=self.account.id,
                addresses=addresses,
                company=self.account.company_id.id,
                which=SQL("email.message_id = ANY(%s)", ids)
                if ids
                else SQL("email.date BETWEEN %s AND %s", since, report.at),
            )
        )
        return rows[0] if rows else None
