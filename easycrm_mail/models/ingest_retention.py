"""Mails of a batch that are not stored: deleted for good, or too old and nobody's."""

from odoo.tools import SQL

from .addresses import normalise
from .easycrm_email_erased import get_identity


class RetentionSteps:
    """The steps of `Ingest` for mails that are not kept."""

    def _drop(self, reads, reasons):
        """Leave out mails, and return the others.

        :param dict reasons: {identity: why it is left out}
        """
        kept, dropped = [], []
        for read in reads:
            if reason := reasons.get(self._identity(read.message)):
                dropped.append((read, reason, None))
            else:
                kept.append(read)
        self._count_excluded(dropped)
        return kept

    @property
    def _age_reason(self):
        """Why mail is left out that is kept only if it is somebody's."""
        return "unlinked" if self.account.unlinked_keep == "nothing" else "old"

    def _find_erased(self, identities):
        """Return those of these identities that were deleted for good."""
        hashes = {get_identity(*identity): identity for identity in identities}
        if not hashes:
            return set()
        self.env.cr.execute(
            SQL(
                """
                SELECT identity FROM easycrm_email_erased
                WHERE company_id = %s AND identity = ANY(%s)
                """,
                self.account.company_id.id,
                list(hashes),
            )
        )
        return {hashes[row[0]] for row in self.env.cr.fetchall()}

    def _find_old(self, messages):
        """Return the identities of mails that are kept only if they are somebody's.

        :param dict messages: {identity: message} of mails that are not here
        """
        if self.account.unlinked_keep == "nothing":
            return set(messages)
        limit = self.env["easycrm.email"]._get_retention_date(self.account.company_id)
        if not limit:
            return set()
        return {key for key, m in messages.items() if self._naive(m.date) < limit}

    def _find_strangers(self, messages):
        """Return the identities of mails in which no address of a record stands.

        Where a conversation or a domain is taught, that does not tell: none.

        :param dict messages: {identity: message}
        """
        people = {
            key: {normalise(person.address) for person in message.participants}
            for key, message in messages.items()
        }
        if not people or self._policy.is_taught:
            return set()
        self.env.cr.execute(
            SQL(
                "SELECT address FROM easycrm_email_address WHERE address = ANY(%s)",
                list(set().union(*people.values())),
            )
        )
        known = {row[0] for row in self.env.cr.fetchall()}
        return {key for key, addresses in people.items() if not addresses & known}

    def _delete_unlinked(self, old, ids):
        """Delete what has just been stored as it might be somebody's, and is not.

        :param set old: identities
        :param dict ids: {identity: email id} of what has just been stored
        :return: the identities of what was deleted
        """
        stored = [ids[key] for key in old & set(ids)]
        if not stored:
            return set()
        unlinked = self._filter_unlinked(stored)
        dropped = set(unlinked.ids)
        unlinked._delete(self._age_reason)
        return {key for key in old if ids.get(key) in dropped}
