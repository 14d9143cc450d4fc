"""What is kept of mail on no record: all of it, its header, or nothing."""

from odoo.tools import SQL

from .easycrm_email_content import SEARCH_VECTOR
from .ingest_provisional import ATTACHMENT_COLUMNS, attachment_values


class KeepSteps:
    """The steps of `Ingest` for what the mailbox keeps of mail on no record.

    :ivar set bodiless: ids of known emails whose body is not here
    """

    def _find_not_held(self, known):
        """Return those of these emails that are to go again if they are on no record.

        :param dict known: {identity: email id}
        :return: dict alike, of what the mailbox has not held so far
        """
        if self.account.unlinked_keep != "nothing" or not known:
            return {}
        self.env.cr.execute(
            SQL(
                """
                SELECT email_id FROM easycrm_email_copy
                WHERE account_id = %s AND email_id = ANY(%s)
                """,
                self.account.id,
                list(known.values()),
            )
        )
        held = {row[0] for row in self.env.cr.fetchall()}
        return {key: id_ for key, id_ in known.items() if id_ not in held}

    def _give_back_unlinked(self, taken):
        """Delete this mailbox's copies of what is on no record: others' stay.

        :param dict taken: {identity: email id}
        :return: the identities of those
        """
        emails = self._filter_unlinked(taken.values())
        if not emails:
            return set()
        emails.copy_ids.filtered(lambda copy: copy.account_id == self.account).unlink()
        emails._unlink_unheld()
        return {key for key, email_id in taken.items() if email_id in emails.ids}

    def _keep_headers(self, ids):
        """Forget the bodies of what is new and on no record.

        :param dict ids: {identity: email id} of what has just been stored
        """
        if self.account.unlinked_keep == "headers":
            here = [id_ for key, id_ in ids.items() if key[1] not in self.sizes]
            self._filter_unlinked(here)._put_away()

    def _bring_bodies(self, reads, known):
        """Store the bodies that another mailbox has not kept, and this one keeps.

        :param dict known: {identity: email id}
        """
        if self.account.unlinked_keep != "full" or not self.bodiless:
            return
        for read in reads:
            email_id = known.get(self._identity(read.message))
            if email_id in self.bodiless and not read.remote.headers_only:
                self._fill(self.env["easycrm.email"].browse(email_id), read.message)
                self.bodiless.discard(email_id)

    def _filter_unlinked(self, ids):
        emails = self.env["easycrm.email"].browse(ids)
        emails.invalidate_recordset(["is_linked"], flush=False)
        return emails.filtered(lambda email: not email.is_linked)

    # --- the body of an email that was here by its header ---

    def _fill(self, email, message):
        message_id, digest = self._identity(message)
        fetched = message.attachments and not email.size
        email.write(
            {
                "message_id": message_id,
                "digest": digest,
                "headers_only": False,
                "has_files": any(not one.inline for one in message.attachments),
                "fetch_at": bool(fetched) and email._get_first_fetch(),
            }
        )
        email.content_ids.write(
            {
                "snippet": message.snippet,
                "body_html_raw": message.html or False,
                "body_text": message.text,
                "reply_to": self._reply_to(message),
            }
        )
        email.content_ids.flush_recordset()
        # (SEARCH_VECTOR is a literal; the words are its parameter)
        self.env.cr.execute(
            f"""UPDATE easycrm_email_content SET search_vector = {SEARCH_VECTOR}
                WHERE email_id = %s""",
            [message.words, email.id],
        )
        self._fill_lines(email, message)

    def _fill_lines(self, email, message):
        # in place: their addresses may be open in a browser
        lines = {line.part: line for line in email.attachment_line_ids}
        for attachment in message.attachments:
            values = attachment_values(attachment)
            values = dict(zip(ATTACHMENT_COLUMNS, values, strict=True))
            if line := lines.pop(attachment.part, None):
                line.write(values)
            else:
                email.attachment_line_ids.create({"email_id": email.id, **values})
        email.browse().attachment_line_ids.union(*lines.values()).unlink()
