"""What was left out on purpose stood among the gaps too: now it is an exclusion alone.

Why it was left out is not known any more. It counts as too old, of an age that nobody
knows: when unlinked emails are kept for longer it is read again, and what is still to
be left out then gets its true reason.
"""

from odoo.tools.sql import column_exists


def migrate(cr, version):
    if not column_exists(cr, "easycrm_email_gap", "left_out"):
        return
    cr.execute(
        """
        WITH moved AS (
            DELETE FROM easycrm_email_gap WHERE left_out
            RETURNING account_id, stream, provider_ref, day
        )
        INSERT INTO easycrm_email_exclusion
            (account_id, stream, provider_ref, reason, day, mark)
        SELECT account_id, stream, provider_ref, 'old', day,
            left(encode(sha256(convert_to(account_id || ':' || stream || ':'
                || provider_ref, 'UTF8')), 'hex'), 32)
        FROM moved
        WHERE NOT EXISTS (
            SELECT FROM easycrm_email_location place
            WHERE place.account_id = moved.account_id
              AND place.stream = moved.stream
              AND place.provider_ref = moved.provider_ref)
        ON CONFLICT (account_id, stream, provider_ref) DO NOTHING
        """
    )
