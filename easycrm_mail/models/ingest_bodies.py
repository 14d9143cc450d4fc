"""The body of a mail that was read by its header: its true identity comes with it."""

from psycopg2.errors import UniqueViolation

from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL

from .ingest import Ingest
from .ingest_threads import Thread


class BodyIngest(Ingest):
    """Stores the body of a mail of one mailbox.

    :param account: the `easycrm.email.account` that it was read from, as superuser
    """

    def __init__(self, account):
        super().__init__(account, None)

    def complete(self, email, message, header):
        """Store what was read of a mail, now whole.

        An email of that identity may be here already, of another mailbox that held it:
        then they become one.

        :param email: the `easycrm.email` that was read by its header
        :param Message message: the whole mail
        :param Message header: the same mail, by its header
        :return: the `easycrm.email` that it is now; none if this is another mail
        """
        self.env.flush_all()
        key = self._identity(message)
        # whoever else completes it, or moves its links, waits or is waited for
        self.env.cr.execute(
            SQL(
                """
                SELECT email.id, email.headers_only
                FROM easycrm_email email
                WHERE email.id = %s AND (
                    (email.message_id, email.digest) = (%s, %s) OR EXISTS (
                        SELECT FROM easycrm_email_provisional provisional
                        WHERE provisional.email_id = email.id
                          AND provisional.account_id = %s
                          AND split_part(provisional.digest, ':', 3) = %s))
                FOR UPDATE OF email
                """,
                email.id,
                *key,
                self.account.id,
                header.digest,
            ),
            log_exceptions=False,
        )
        row = self.env.cr.fetchone()
        # (another transaction has ended since the caller looked)
        self.env.invalidate_all()
        if not row:
            return email.browse()
        if not row[1]:
            return email
        twin = email.browse(self._find_emails({key: message}).get(key))
        if twin and twin != email:
            self._fold(email, twin, message)
            if twin.headers_only:
                self._fill(twin, message)
            return twin
        try:
            with self.env.cr.savepoint():
                self._fill(email, message)
        except UniqueViolation:
            # an email of that identity has just come: the request is made again
            raise ConcurrencyError("The email was stored meanwhile") from None
        return email

    def _fold(self, email, twin, message):
        """Let everything of an email go over to another one, and delete it."""
        self._fold_threads(email, twin)
        # (with the conversation that it is in now; those by address go by cascade)
        email.link_ids._announce_change()
        self._fold_copies(email, twin)
        self._fold_links(email, twin)
        # those in Bcc stand in the sender's copy alone
        key = self._identity(message)
        self._insert_participants({key: message}, {}, {key: twin.id})
        self.env["easycrm.email.provisional"].search(
            [("email_id", "=", email.id)]
        ).email_id = twin
        self.env["easycrm.email.outgoing"].search(
            [("email_id", "=", email.id)]
        ).email_id = twin
        self.env.flush_all()
        self.env.invalidate_all()
        email.unlink()
        self.env["easycrm.email.address"]._link_emails(
            SQL("participant.email_id = %s", twin.id)
        )
        twin._update_linked()

    def _fold_threads(self, email, twin):
        threads = (email.thread_id | twin.thread_id).sorted("id")
        if len(threads) > 1:
            kept, gone = (Thread(one.root, one.id, one.root) for one in threads)
            gone.merged = kept
            self._merge_threads([gone])
            self.env.invalidate_all(flush=False)

    def _fold_copies(self, email, twin):
        held = {copy.account_id: copy for copy in twin.copy_ids}
        for copy in email.copy_ids:
            if copy.direction == "outbound":
                twin.direction = "outbound"
            if kept := held.get(copy.account_id):
                copy.location_ids.copy_id = kept
                kept.write(
                    {
                        "is_read": kept.is_read or copy.is_read,
                        # it is gone where all of it is
                        "removed_at": kept.removed_at and copy.removed_at,
                        "ignored": kept.ignored or copy.ignored,
                        "thread_ref": kept.thread_ref or copy.thread_ref,
                    }
                )
                self.env.flush_all()
                copy.unlink()
            else:
                copy.email_id = twin

    def _fold_links(self, email, twin):
        """Move the links that somebody made, or took off; of two one stays.

        Those by address are made anew, from the addresses of the email that stays.
        """
        moved = email.link_ids.browse()
        for link in email.link_ids.filtered(_is_by_hand):
            other = twin.link_ids.filtered(
                lambda one, link=link: (
                    (one.partner_id, one.lead_id) == (link.partner_id, link.lead_id)
                )
            )
            if other and _is_by_hand(other) and other.write_date >= link.write_date:
                continue
            other.unlink()
            moved |= link
        self.env.flush_all()
        # not by the ORM: who took a link off, and when, stays as it is
        self.env.cr.execute(
            SQL(
                """
                UPDATE easycrm_email_link link
                SET email_id = email.id, thread_id = email.thread_id, date = email.date
                FROM easycrm_email email
                WHERE email.id = %s AND link.id = ANY(%s)
                """,
                twin.id,
                moved.ids,
            )
        )
        moved._forget()


def _is_by_hand(link):
    return link.removed or link.origin != "auto"
