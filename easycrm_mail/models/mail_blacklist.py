from odoo import models


class MailBlacklist(models.Model):
    """Who is taken off the blocklist by hand is taken off the ledger of senders."""

    _inherit = "mail.blacklist"

    def write(self, vals):
        result = super().write(vals)
        if vals.get("active") is False:
            self.env["easycrm.esp.suppression"].sudo()._forget(self.mapped("email"))
        return result

    def unlink(self):
        addresses = self.mapped("email")
        result = super().unlink()
        self.env["easycrm.esp.suppression"].sudo()._forget(addresses)
        return result
