"""Why nothing waits in Unlinked Emails."""

from odoo import api, models

from . import access


class EasycrmEmailCopy(models.Model):
    _inherit = "easycrm.email.copy"

    @api.model
    def unlinked_empty(self):
        """Say why nothing waits: the screen never guesses.

        :return: {"kind": "connect" (no mailbox is connected), "first_sync" (it is
            being read for the first time) or "nothing", "left": the mailbox that was
            not started yet, see `_tell_left`; or False}
        """
        self.browse().check_access("read")
        Account = self.env["easycrm.email.account"]
        mine = Account.sudo().browse(access.own_account_ids(self.env))
        mine = mine.filtered(lambda account: account.sync_status != "draft")
        if not mine:
            return {"kind": "connect", "left": Account._tell_left()}
        is_read = any(account.last_sync for account in mine)
        return {"kind": "nothing" if is_read else "first_sync", "left": False}
