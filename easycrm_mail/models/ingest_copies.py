"""What a mailbox holds of the emails of a batch, and where."""

from odoo.tools import SQL

from .addresses import normalise


class CopySteps:
    """The steps of `Ingest` that write copies and their places."""

    def _hold(self, known):
        """Write the known emails that the mailbox gets now, as they are.

        Whoever links one of them at the same time does not see the copy that is about
        to come, or is not seen here: the later transaction is made again.

        :return: their ids
        """
        if known:
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE easycrm_email SET is_linked = is_linked
                    WHERE id = ANY(%s) AND NOT EXISTS (
                        SELECT FROM easycrm_email_copy held
                        WHERE held.account_id = %s
                          AND held.email_id = easycrm_email.id)
                    RETURNING id
                    """,
                    list(known.values()),
                    self.account.id,
                )
            )
            return [row[0] for row in self.env.cr.fetchall()]
        return []

    def _upsert_copies(self, reads, emails):
        """Insert or refresh the mailbox's copies; return {email id: copy id}."""
        rows = {}
        for read in reads:
            email_id = emails[self._identity(read.message)]
            sender = next(
                (p.address for p in read.message.participants if p.role == "from"), ""
            )
            rows[email_id] = (
                email_id,
                self.account.id,
                read.remote.thread_ref or None,
                self._direction(read.message),
                self._naive(read.message.date),
                normalise(sender),
                read.remote.is_read,
                self._is_ignored(normalise(sender)),
            )
        copies = self.env.cr.execute_values(
            """
            INSERT INTO easycrm_email_copy
                (email_id, account_id, thread_ref, direction, date, from_address,
                 is_read, is_unlinked, ignored)
            SELECT seen.email_id, seen.account_id, seen.thread_ref, seen.direction,
                   seen.date, seen.from_address, seen.is_read,
                   NOT email.is_linked, seen.ignored
            FROM (VALUES %s) AS seen (email_id, account_id, thread_ref, direction, date,
                                      from_address, is_read, ignored)
            JOIN easycrm_email email ON email.id = seen.email_id
            ON CONFLICT (account_id, email_id) DO UPDATE
            SET is_read = EXCLUDED.is_read, removed_at = NULL,
                thread_ref = COALESCE(
                    EXCLUDED.thread_ref, easycrm_email_copy.thread_ref)
            RETURNING email_id, id
            """,
            list(rows.values()),
            template="(%s, %s, %s::varchar, %s, %s::timestamp, %s, %s, %s)",
            page_size=len(rows),
            fetch=True,
        )
        sent = [row[0] for row in rows.values() if row[3] == "outbound"]
        if sent:
            # one outbound copy makes the email outbound for all
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE easycrm_email SET direction = 'outbound'
                    WHERE id = ANY(%s) AND direction <> 'outbound'
                    """,
                    sent,
                )
            )
        return dict(copies)

    def _upsert_locations(self, reads, emails, copies):
        places = {
            read.remote.ref: (
                copies[emails[self._identity(read.message)]],
                self.account.id,
                self.stream,
                read.remote.ref,
            )
            for read in reads
            # (of a mail sent just now it may not be known where it stands)
            if read.remote.ref
        }
        self._insert(
            "easycrm_email_location",
            ["copy_id", "account_id", "stream", "provider_ref"],
            list(places.values()),
            conflict="(account_id, stream, provider_ref)"
            " DO UPDATE SET copy_id = EXCLUDED.copy_id",
        )
