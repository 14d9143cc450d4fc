"""Mails that were sent from here, when their copy comes: after a call, or by a sync.

Both ways go through `Ingest`, in whichever order they come: the mail is one email, on
the record that it was written from, and its outgoing mail is settled.
"""

import re
from dataclasses import replace
from functools import cached_property

from odoo.tools import SQL

from .ingest_threads import MESSAGE_ID_LENGTH

#: Where Gmail keeps the Message-ID of a mail that it has given another one.
ORIGINAL_ID = re.compile(
    rb"^X-Google-Original-Message-ID:\s*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE
)

#: Bytes of a mail in which that is looked for.
HEADER_BYTES = 64_000


class SentSteps:
    """The steps of `Ingest` for mails that this mailbox has sent from here.

    :ivar dict sent: {identity: id of the `easycrm.email.outgoing`}
    """

    def _recognise_sent(self, reads):
        """Find the mails that were sent from here.

        A service may have written one anew since it was stored: then it keeps the
        identity that it has here, as it is the same mail in the same place, or the only
        one of its Message-ID.

        :return: the reads, in the same order
        """
        if not self._policy.has_sent:
            return reads
        ids = {id(read): self._get_ids(read) for read in reads if self._may_be(read)}
        if not ids:
            return reads
        rows = self._find_outgoing({one for found in ids.values() for one in found})
        places = self._find_places([read.remote.ref for read in reads])
        by_email = {row["email_id"]: row for row in rows if row["email_id"]}
        by_id = {one: row for row in rows for one in row["ids"]}
        for index, read in enumerate(reads):
            place = places.get(read.remote.ref, {})
            found = ids.get(id(read), ())
            row = by_email.get(place.get("email_id")) or next(
                (by_id[one] for one in found if one in by_id), None
            )
            if not row:
                continue
            key = self._get_known(row, place)
            if key:
                message = replace(read.message, message_id=key[0], digest=key[1])
                reads[index] = read = read._replace(message=message)
            elif row["email_id"]:
                continue  # another of that Message-ID: a list has sent it on, say
            self.sent[self._identity(read.message)] = row["id"]
        return reads

    def _may_be(self, read):
        """Tell whether it may be the copy of a mail that was sent from here."""
        return self._direction(read.message) == "outbound" and not self._is_inbox

    @cached_property
    def _is_inbox(self):
        folders = self.account.folder_ids
        return any(one.stream == self.stream and one.role == "inbox" for one in folders)

    def _get_ids(self, read):
        """Return the Message-IDs that it has, and has had before."""
        original = ORIGINAL_ID.search(read.remote.raw[:HEADER_BYTES])
        ids = [read.message.message_id[:MESSAGE_ID_LENGTH]]
        if original:
            ids.append(original[1].decode("ascii", "replace"))
        return ids

    @staticmethod
    def _get_known(row, place):
        """Return the identity that the mail has here already, or None."""
        if place:
            return place["key"]
        return row["key"] if row["email_id"] and not row["is_placed"] else None

    def _find_outgoing(self, message_ids):
        """Return what was sent, or may have been, with one of these Message-IDs."""
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT mail.id, mail.email_id,
                       ARRAY[mail.message_id, mail.sent_message_id] AS ids,
                       ARRAY[email.message_id, email.digest] AS key,
                       EXISTS (
                           SELECT FROM easycrm_email_copy held
                           JOIN easycrm_email_location place ON place.copy_id = held.id
                           WHERE held.email_id = email.id
                             AND held.account_id = mail.account_id) AS is_placed
                FROM easycrm_email_outgoing mail
                LEFT JOIN easycrm_email email ON email.id = mail.email_id
                WHERE mail.account_id = %(account)s
                  AND (mail.message_id = ANY(%(ids)s)
                       OR mail.sent_message_id = ANY(%(ids)s))
                ORDER BY mail.id
                """,
                account=self.account.id,
                ids=list(message_ids),
            )
        )
        return [
            {**row, "key": tuple(row["key"]), "ids": {one for one in row["ids"] if one}}
            for row in rows
        ]

    def _find_places(self, refs):
        """Return what is known to stand at these refs, {ref: {"email_id", "key"}}."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT place.provider_ref, email.id, email.message_id, email.digest
                FROM easycrm_email_location place
                JOIN easycrm_email_copy held ON held.id = place.copy_id
                JOIN easycrm_email email ON email.id = held.email_id
                WHERE place.account_id = %s AND place.stream = %s
                  AND place.provider_ref = ANY(%s)
                """,
                self.account.id,
                self.stream,
                [ref for ref in refs if ref],
            )
        )
        return {
            ref: {"email_id": email_id, "key": (message_id, digest)}
            for ref, email_id, message_id, digest in rows
        }

    def _get_written_here(self):
        """Return the identities that are kept whoever they went to: of a record."""
        if not self.sent:
            return set()
        mails = self.env["easycrm.email.outgoing"].browse(self.sent.values())
        kept = set(mails.filtered(lambda mail: mail._get_record()).ids)
        return {key for key, mail_id in self.sent.items() if mail_id in kept}

    def _settle_sent(self, emails):
        """Let what was sent be known as sent, and stand on its record.

        :param dict emails: {identity: email id}
        :return: ids of the emails that stand on a record by that
        """
        if not self.sent:
            return []
        self.env["easycrm.email"].invalidate_model(flush=False)
        linked = []
        for key, mail_id in self.sent.items():
            if key in emails:
                mail = self.env["easycrm.email.outgoing"].browse(mail_id)
                email = self.env["easycrm.email"].browse(emails[key])
                linked += mail._settle(email).ids
        return linked
