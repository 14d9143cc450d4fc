from odoo import api, models


class IrAttachment(models.Model):
    """The files of a mail that is on its way stay as they were checked."""

    _inherit = "ir.attachment"

    def write(self, vals):
        self._easycrm_hold_draft()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sent(self):
        self._easycrm_hold_draft()

    def _easycrm_hold_draft(self):
        if self.env.su:
            return
        mails = self.env["easycrm.email.outgoing"]
        files = self.sudo().filtered(lambda file: file.res_model == mails._name)
        if files:
            mails.browse(files.mapped("res_id")).exists()._hold_draft()
