import os
from uuid import uuid4

from odoo import api, models

#: How the address of a file begins that Odoo sends as a link.
LINKS = ("http://", "https://", "ftp://")


class IrAttachment(models.Model):
    """The files of a mail that is on its way stay as they were checked.

    And one that a killed worker has left half written is written anew.
    """

    _inherit = "ir.attachment"

    @api.model
    def _get_path(self, bin_data, sha):
        """Return where a file stands, whole if it is there.

        Core writes it under its checksum, in place: of one that was being written in a
        worker that was killed a part is left, and whatever comes with the same content
        would be refused for ever, as a collision.
        """
        name = f"{sha[:2]}/{sha}"
        path = self._full_path(name)
        if os.path.isfile(path) and os.path.getsize(path) < len(bin_data):
            with open(path, "rb") as file:
                is_part = bin_data.startswith(file.read())
            if is_part:
                # (another worker may be at it just now, or this one be killed, too)
                whole = f"{path}.{uuid4().hex}"
                with open(whole, "wb") as file:
                    file.write(bin_data)
                os.replace(whole, path)
                self._mark_for_gc(name)
        return super()._get_path(bin_data, sha)

    def _easycrm_get_linked(self):
        """Return those that are no file here, but a link to one; as Odoo tells them."""
        return self.filtered(
            lambda file: file.url and not file.file_size and file.url.startswith(LINKS)
        )

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
