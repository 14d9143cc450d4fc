from odoo import api, fields, models
from odoo.tools import SQL

#: System parameters: whether colleagues' addresses find mail, and since when that has
#: been followed.
MATCH, SINCE = "easycrm_mail.match_colleagues", "easycrm_mail.match_colleagues_since"

#: System parameter: the last link that was looked at since it was switched off.
TAKEN_OFF = "easycrm_mail.match_colleagues_taken_off"

#: Links that are looked at in one transaction.
LOOKED_AT = 5000


class EasycrmEmailAddress(models.Model):
    """What becomes of the emails that are here when the switch is turned.

    The backfill cron compares the switch with what it has followed so far, so that it
    does not matter who has turned it, and where.
    """

    _inherit = "easycrm.email.address"

    @api.model
    def _set_match_colleagues(self, enabled):
        """Have addresses of internal users and of mailboxes find mail, or not.

        The emails that are here follow in the background.
        """
        if enabled == self._matches_colleagues():
            return
        self.env["ir.config_parameter"].sudo().set_param(MATCH, str(enabled))
        if enabled:
            self._follow_colleagues()
        self.env["easycrm.email.account"]._wake_backfill()

    @api.model
    def _matches_colleagues(self):
        account = self.env["easycrm.email.account"]
        return account._is_switched_on("match_colleagues", False)

    @api.model
    def _follow_colleagues(self):
        """Follow the switch, if it was turned.

        :return: whether there is more to do
        """
        params = self.env["ir.config_parameter"].sudo()
        since, last = params.get_param(SINCE), params.get_param(TAKEN_OFF)
        if not self._matches_colleagues():
            return bool(since) and self._take_off_colleagues(since, int(last or 0))
        if not since:
            turned_at = params.search([("key", "=", MATCH)]).write_date
            params.set_param(SINCE, fields.Datetime.to_string(turned_at))
        if last or not since:
            params.set_param(TAKEN_OFF, False)
            self._look_for_colleagues()
        return False

    @api.model
    def _look_for_colleagues(self):
        """Have our own people's addresses compared with the emails that are here."""
        self.flush_model()
        self.env["res.users"].flush_model(["share", "partner_id"])
        self.env["easycrm.email.account"].flush_model(["email", "alias_emails"])
        self.env.cr.execute(
            """
            UPDATE easycrm_email_address SET look_again_at = now() AT TIME ZONE 'UTC'
            WHERE address IN (
                SELECT own.address FROM easycrm_email_address own
                JOIN res_users users ON users.partner_id = own.partner_id
                WHERE users.share IS NOT TRUE
                UNION
                SELECT unnest(email || string_to_array(alias_emails, ','))
                FROM easycrm_email_account)
            """
        )
        self.invalidate_model(["look_again_at"], flush=False)

    @api.model
    def _take_off_colleagues(self, since, last):
        """Delete the links that exist only because the switch was on, a batch of them.

        What was linked before stays, such as the mail of a customer who was hired.

        :param str since: when it was switched on
        :param int last: the last link that was looked at
        :return: whether there may be more
        """
        links = self.env["easycrm.email.link"].sudo()
        links.flush_model()
        # compiling each batch anew would take ten times as long as running it
        self.env.cr.execute("SET LOCAL jit TO off")
        rows = self.env.execute_query(
            SQL(
                """
                SELECT link.id, %s FROM (
                    SELECT id, email_id, address FROM easycrm_email_link
                    WHERE id > %s AND create_date >= %s
                      AND origin = 'auto' AND removed IS NOT TRUE
                    ORDER BY id LIMIT %s
                ) AS link
                JOIN easycrm_email email ON email.id = link.email_id
                CROSS JOIN LATERAL (SELECT link.address) AS address
                ORDER BY link.id
                """,
                self._get_foreign_sql(),
                last,
                since,
                LOOKED_AT,
            )
        )
        ours = [link_id for link_id, is_foreign in rows if not is_foreign]
        if ours:
            emails = links._delete(SQL("id = ANY(%s)", ours))
            # the record may have another address in the same email
            self._link_emails(SQL("participant.email_id = ANY(%s)", emails.ids))
        has_more = len(rows) == LOOKED_AT
        params = self.env["ir.config_parameter"].sudo()
        params.set_param(TAKEN_OFF, has_more and str(rows[-1][0]))
        if not has_more:
            params.set_param(SINCE, False)
        return has_more
