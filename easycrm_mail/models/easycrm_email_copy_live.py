from odoo import api, models
from odoo.tools import SQL

#: The bus event: the badge and the open list ask again.
UNLINKED = "easycrm_mail.unlinked"


class EasycrmEmailCopy(models.Model):
    """Whoever's list of Unlinked Emails has changed is told so, not what has.

    Once a transaction and mailbox, when it is committed.
    """

    _inherit = "easycrm.email.copy"

    @api.model
    def _announce_unlinked(self, account_ids):
        """Remember that something has come to the lists of these mailboxes, or left.

        :param set account_ids:
        """
        if not account_ids:
            return
        pending = self.env.cr.precommit.data.setdefault(UNLINKED, set())
        if not pending:
            self.env.cr.precommit.add(self.browse().sudo()._send_unlinked_pings)
        pending |= account_ids

    @api.model
    def _send_unlinked_pings(self):
        account_ids = self.env.cr.precommit.data.pop(UNLINKED, ())
        if not account_ids:
            return
        self.env["easycrm.email.account"].flush_model(["user_id", "member_ids"])
        self.env["res.users"].flush_model(["partner_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT users.partner_id FROM res_users users
                WHERE users.id IN (
                    SELECT user_id FROM easycrm_email_account WHERE id = ANY(%(ids)s)
                    UNION SELECT user_id FROM easycrm_email_account_member_rel
                    WHERE account_id = ANY(%(ids)s))
                """,
                ids=list(account_ids),
            )
        )
        # (a user's own channel is that of his contact)
        partners = self.env["res.partner"].browse(row[0] for row in rows)
        partners._bus_send(UNLINKED, {})
