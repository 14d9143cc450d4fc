from odoo import api, models

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
        accounts = self.env["easycrm.email.account"].browse(account_ids).exists()
        (accounts.user_id | accounts.member_ids)._bus_send(UNLINKED, {})
