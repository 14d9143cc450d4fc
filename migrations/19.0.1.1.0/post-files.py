"""Attachments of linked mail are fetched by themselves, large mail by its header."""


def migrate(cr, version):
    # of the mail that is here already, too: the newest first
    cr.execute(
        """UPDATE easycrm_email email
           SET fetch_at = LEAST(email.date, now() AT TIME ZONE 'UTC')
           WHERE EXISTS (SELECT FROM easycrm_email_attachment line
                         WHERE line.email_id = email.id
                           AND line.attachment_id IS NULL)"""
    )
    # set aside as too large: the next sync reads them again
    cr.execute(
        """UPDATE easycrm_email_failure SET retry = TRUE
           WHERE error LIKE 'The email is larger than 25 MB%'"""
    )
