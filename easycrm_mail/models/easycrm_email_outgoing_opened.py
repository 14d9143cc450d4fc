import re
import secrets

from odoo import api, fields, models
from odoo.tools import SQL

#: What a token may be: not all that stands in an address can be asked of the database.
TOKEN = re.compile(r"[\w-]{1,64}", re.ASCII)


class EasycrmEmailOutgoing(models.Model):
    """Whether a mail was opened: only where its writer has asked for that."""

    _inherit = "easycrm.email.outgoing"

    open_token = fields.Char(groups=fields.NO_ACCESS, copy=False)
    opened_at = fields.Datetime(readonly=True, copy=False, help="For the first time.")
    open_count = fields.Integer(readonly=True, copy=False)

    _open_token_unique = models.UniqueIndex("(open_token) WHERE open_token IS NOT NULL")

    def _get_pixel(self):
        """Return the HTML that tells when the mail is opened; empty if nobody asks."""
        self.ensure_one()
        if not self.track_opens:
            return ""
        if not self.open_token:
            self.open_token = secrets.token_urlsafe(24)
        url = f"{self.get_base_url()}/easycrm_mail/opened/{self.open_token}"
        return f'<img src="{url}" width="1" height="1" alt="">'

    @api.model
    def _mark_opened(self, token):
        """Take note that a mail was opened.

        :param str token: from its pixel; anybody may have made it up
        """
        if not TOKEN.fullmatch(token):
            return
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE easycrm_email_outgoing
                SET open_count = COALESCE(open_count, 0) + 1,
                    opened_at = COALESCE(opened_at, now() AT TIME ZONE 'UTC')
                WHERE open_token = %s AND state IN ('sending', 'doubt', 'sent')
                RETURNING id, open_count
                """,
                token,
            )
        )
        self.invalidate_model(["open_count", "opened_at"], flush=False)
        for mail_id, count in rows:
            if count == 1:
                self.browse(mail_id)._ping()
