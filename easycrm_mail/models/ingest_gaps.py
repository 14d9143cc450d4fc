"""Mail that a mailbox holds and that is not here: missing, or left out on purpose."""

from datetime import timedelta

from odoo.tools import SQL

from .easycrm_email_account_check import WEEK_DAYS


class GapSteps:
    """The steps of `Ingest` that know what is not here; see `easycrm.email.gap`."""

    def leave_out(self, remotes):
        """Note that these mails are not stored on purpose: nobody is to fetch them.

        What lies further back is not compared, and need not be noted.

        :param remotes: `RemoteMessage`s of this stream
        """
        now = self.env.cr.now()
        oldest = now.date() - timedelta(days=WEEK_DAYS + 1)
        days = {one.ref: (one.received_at or now).date() for one in remotes}
        recent = {ref: day for ref, day in days.items() if day >= oldest}
        if recent:
            self._insert_gaps(recent, True)

    def find_missing(self, refs):
        """Tell what is not here of the mails that the stream holds.

        :return: the set of those that are missing, and that of those left out
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT seen.ref, EXISTS (
                    SELECT FROM easycrm_email_gap gap
                    WHERE gap.account_id = %(account)s AND gap.stream = %(stream)s
                      AND gap.provider_ref = seen.ref AND gap.left_out OFFSET 0
                ) OR EXISTS (
                    SELECT FROM easycrm_email_exclusion rule
                    WHERE rule.account_id = %(account)s AND rule.stream = %(stream)s
                      AND rule.provider_ref = seen.ref OFFSET 0
                )
                FROM unnest(%(refs)s::varchar[]) AS seen (ref)
                WHERE NOT EXISTS (
                    SELECT FROM easycrm_email_location place
                    WHERE place.account_id = %(account)s
                      AND place.stream = %(stream)s
                      AND place.provider_ref = seen.ref OFFSET 0
                ) AND NOT EXISTS (
                    SELECT FROM easycrm_email_failure failure
                    WHERE failure.account_id = %(account)s
                      AND failure.stream = %(stream)s
                      AND failure.provider_ref = seen.ref OFFSET 0
                )
                """,
                refs=list(refs),
                account=self.account.id,
                stream=self.stream,
            )
        )
        rows = self.env.cr.fetchall()
        left_out = {ref for ref, is_left_out in rows if is_left_out}
        return {ref for ref, _left_out in rows} - left_out, left_out

    def keep_gaps(self, missing, since):
        """Keep what is missing of the days since one; what is known beyond is let be.

        :param dict missing: ref -> its day
        :param date since: what is left out and older is forgotten, as is what was left
            out once and is here by now: it would not be missed
        """
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM easycrm_email_gap gap
                WHERE account_id = %(account)s AND stream = %(stream)s
                  AND CASE WHEN left_out THEN day < %(since)s - 1 OR EXISTS (
                          SELECT FROM easycrm_email_location place
                          WHERE place.account_id = %(account)s
                            AND place.stream = %(stream)s
                            AND place.provider_ref = gap.provider_ref OFFSET 0)
                      ELSE day >= %(since)s AND provider_ref <> ALL(%(refs)s) END
                """,
                account=self.account.id,
                stream=self.stream,
                since=since,
                refs=list(missing),
            )
        )
        self._insert_gaps(missing, False)

    def _insert_gaps(self, days, left_out):
        self._insert(
            "easycrm_email_gap",
            ["account_id", "stream", "provider_ref", "day", "left_out", "attempts"],
            [
                (self.account.id, self.stream, ref, day, left_out, 0)
                for ref, day in days.items()
            ],
            conflict="(account_id, stream, provider_ref) DO UPDATE"
            " SET left_out = EXCLUDED.left_out, day = EXCLUDED.day",
        )
        self.account._forget_gaps()
