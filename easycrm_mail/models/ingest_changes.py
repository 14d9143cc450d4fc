"""What happens to mails in a mailbox after they were stored."""

from odoo.tools import SQL


class ChangeSteps:
    """The steps of `Ingest` that follow reads, moves, removals and new listings."""

    def change(self, changes):
        """Follow what was marked read or unread in the mailbox.

        :param changes: `ReadChange`s of this stream
        """
        if not changes:
            return
        self.env.cr.execute_values(
            """
            UPDATE easycrm_email_copy held SET is_read = change.is_read
            FROM (VALUES %s) AS change (account_id, stream, ref, is_read)
            JOIN easycrm_email_location place
              ON place.account_id = change.account_id
             AND place.stream = change.stream AND place.provider_ref = change.ref
            WHERE held.id = place.copy_id AND held.is_read <> change.is_read
            """,
            [(self.account.id, self.stream, c.ref, c.is_read) for c in changes],
            page_size=len(changes),
        )
        self.env["easycrm.email.copy"].invalidate_model(["is_read"], flush=False)

    def remove(self, refs):
        """Follow what left the stream: the places go, copies without any are marked.

        The CRM's email stays.

        :param list refs: provider_refs of this stream
        """
        if refs:
            gone = SQL("provider_ref = ANY(%s)", list(refs))
            self._remove_places(gone)
            self._forget_excluded(gone)

    def reset(self):
        """Forget where mails stood in this stream: its refs are void.

        The copies are not marked as removed: the listing that follows finds them again.
        """
        self.env.cr.execute(
            SQL(
                "DELETE FROM easycrm_email_location"
                " WHERE account_id = %s AND stream = %s",
                self.account.id,
                self.stream,
            )
        )
        self._invalidate()

        # the mails that were set aside or left out are found again too, under refs of
        # their own
        self._forget_excluded(SQL("TRUE"))
        self.env.cr.execute(
            SQL(
                "DELETE FROM easycrm_email_failure"
                " WHERE account_id = %s AND stream = %s",
                self.account.id,
                self.stream,
            )
        )
        self.env["easycrm.email.failure"].invalidate_model(flush=False)

        # and so are those that were missing
        self.env.cr.execute(
            SQL(
                "DELETE FROM easycrm_email_gap WHERE account_id = %s AND stream = %s",
                self.account.id,
                self.stream,
            )
        )
        self.account._forget_gaps()

    def sweep(self, since):
        """Mark the copies that stand nowhere in the mailbox any more, after a listing.

        Copy by copy (`OFFSET 0`): else the places of all mailboxes would be read.

        :param datetime since: aware; nothing is known of mail from before
        """
        self.env.cr.execute(
            SQL(
                """
                UPDATE easycrm_email_copy held
                SET removed_at = now() AT TIME ZONE 'UTC'
                WHERE held.account_id = %s AND held.date >= %s
                  AND held.removed_at IS NULL
                  AND NOT EXISTS (SELECT FROM easycrm_email_location place
                                  WHERE place.copy_id = held.id OFFSET 0)
                """,
                self.account.id,
                self._naive(since),
            )
        )
        self._invalidate()

    def _remove_places(self, condition):
        self.env.cr.execute(
            SQL(
                """
                WITH gone AS (
                    DELETE FROM easycrm_email_location
                    WHERE account_id = %(account)s AND stream = %(stream)s AND %(what)s
                    RETURNING id, copy_id
                )
                UPDATE easycrm_email_copy held
                SET removed_at = now() AT TIME ZONE 'UTC'
                FROM gone
                WHERE held.id = gone.copy_id
                  AND NOT EXISTS (
                    SELECT FROM easycrm_email_location place
                    WHERE place.copy_id = held.id
                      AND place.id NOT IN (SELECT id FROM gone))
                """,
                account=self.account.id,
                stream=self.stream,
                what=condition,
            )
        )
        self._invalidate()
