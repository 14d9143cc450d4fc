"""What of a mailbox could not be read."""

from odoo.tools import SQL


class FailureSteps:
    """The methods of `Ingest` for mails that are set aside."""

    def set_aside(self, failures):
        """Keep what could not be read, with its reason.

        :param failures: `SetAside`s of this stream
        """
        if not failures:
            return
        self.env.cr.execute_values(
            """
            INSERT INTO easycrm_email_failure
                (account_id, stream, provider_ref, error, attempts, retry,
                 create_uid, create_date, write_uid, write_date)
            VALUES %s
            ON CONFLICT (account_id, stream, provider_ref) DO UPDATE
            SET error = EXCLUDED.error, retry = FALSE,
                attempts = easycrm_email_failure.attempts + 1,
                write_date = EXCLUDED.write_date
            """,
            [
                (self.account.id, self.stream, failure.ref, failure.error, *self._log)
                for failure in {failure.ref: failure for failure in failures}.values()
            ],
            template="(%s, %s, %s, %s, 1, FALSE, %s, %s, %s, %s)",
        )
        self.env["easycrm.email.failure"].invalidate_model(flush=False)

    def settle(self, refs):
        """Drop the failures of mails that are read, or gone from the mailbox."""
        if refs:
            self.env.cr.execute(
                SQL(
                    """
                    DELETE FROM easycrm_email_failure WHERE account_id = %s
                    AND stream = %s AND provider_ref = ANY(%s)
                    """,
                    self.account.id,
                    self.stream,
                    list(refs),
                )
            )
            self.env["easycrm.email.failure"].invalidate_model(flush=False)
