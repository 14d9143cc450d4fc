"""Mails of which the header alone was read, as they are too large.

What a mail is known by includes its body: until that is here, the mail has a
provisional identity, over its header, in its own mailbox. Nobody else's copy comes to
it, whatever header somebody sends. `easycrm.email.provisional` remembers it for good:
the same mail, listed anew after its body came, is recognised by it.
"""

from dataclasses import replace

from odoo.tools import SQL

#: Columns of an email: is its body still to be read, and when its attachments are.
PROVISIONAL_COLUMNS = ["headers_only", "size", "fetch_at"]

#: Columns of an attachment.
ATTACHMENT_COLUMNS = [
    *("name", "mimetype", "size", "content_id", "inline", "part", "checksum"),
]


def attachment_values(attachment):
    """Return the values of `ATTACHMENT_COLUMNS`."""
    return (
        attachment.name,
        attachment.mimetype,
        attachment.size,
        attachment.content_id,
        attachment.inline,
        attachment.part,
        attachment.sha256 or None,
    )


def provisional_digest(account, size, header):
    """Return the digest of a mail whose header alone was read.

    :param int size: of the whole mail, as the mailbox tells it
    :param str header: the digest over the header
    """
    # (a digest has no colon: nobody can make the one out of the other)
    return f"{account.id}:{size}:{header}"


class ProvisionalSteps:
    """The steps of `Ingest` for mails of which the header alone was read.

    :ivar dict sizes: {provisional digest: size of the whole mail}
    """

    def _name_provisional(self, reads):
        """Give these mails the identity that they have as long as their body lacks.

        One whose body has come meanwhile is the email that it is.

        :return: the reads, in the same order
        """
        if not any(read.remote.headers_only for read in reads):
            return reads
        reads = [
            read._replace(message=self._as_provisional(read))
            if read.remote.headers_only
            else read
            for read in reads
        ]
        self.env.cr.execute(
            SQL(
                """
                SELECT provisional.digest, email.message_id, email.digest
                FROM easycrm_email_provisional provisional
                JOIN easycrm_email email ON email.id = provisional.email_id
                WHERE provisional.account_id = %s AND provisional.digest = ANY(%s)
                """,
                self.account.id,
                list(self.sizes),
            )
        )
        known = {digest: identity for digest, *identity in self.env.cr.fetchall()}
        for index, read in enumerate(reads):
            if identity := known.get(read.message.digest):
                message_id, digest = identity
                message = replace(read.message, message_id=message_id, digest=digest)
                reads[index] = read._replace(message=message)
        return reads

    def _as_provisional(self, read):
        remote, message = read
        digest = provisional_digest(self.account, remote.size, message.digest)
        self.sizes[digest] = remote.size
        return replace(message, digest=digest, attachments=remote.attachments)

    def _keep_provisional(self, ids):
        """Remember the provisional identities of the emails that are new.

        :param dict ids: {(message_id, digest): email id}
        """
        self._insert(
            "easycrm_email_provisional",
            ["account_id", "digest", "email_id"],
            [
                (self.account.id, digest, email_id)
                for (_message_id, digest), email_id in ids.items()
                if digest in self.sizes
            ],
        )

    def _provisional_values(self, digest, message):
        """Return the values of `PROVISIONAL_COLUMNS` for a new email."""
        size = self.sizes.get(digest)
        if size or not message.attachments:
            return bool(size), size or 0, None
        # in the past, and the newest mail first: see `fetch_at`
        return False, 0, min(self._naive(message.date), self.env.cr.now())
