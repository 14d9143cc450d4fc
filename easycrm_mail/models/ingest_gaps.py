"""Mail that a mailbox holds and that is not here: missing, or left out on purpose."""

from odoo.tools import SQL


class GapSteps:
    """The steps of `Ingest` that know what is missing; see `easycrm.email.gap`."""

    def find_missing(self, refs):
        """Tell what is not here of the mails that the stream holds.

        :return: the set of those that are missing, and that of those left out
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT seen.ref, EXISTS (
                    SELECT FROM easycrm_email_exclusion out
                    WHERE out.account_id = %(account)s AND out.stream = %(stream)s
                      AND out.provider_ref = seen.ref OFFSET 0
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
        :param date since: the first of these days
        """
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM easycrm_email_gap
                WHERE account_id = %(account)s AND stream = %(stream)s
                  AND day >= %(since)s AND provider_ref <> ALL(%(refs)s)
                """,
                account=self.account.id,
                stream=self.stream,
                since=since,
                refs=list(missing),
            )
        )
        self._insert(
            "easycrm_email_gap",
            ["account_id", "stream", "provider_ref", "day", "attempts"],
            [
                (self.account.id, self.stream, ref, day, 0)
                for ref, day in missing.items()
            ],
            conflict="(account_id, stream, provider_ref) DO UPDATE"
            " SET day = EXCLUDED.day",
        )
        self.account._forget_gaps()
