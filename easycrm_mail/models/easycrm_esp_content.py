import json
from email.utils import parseaddr

from odoo import fields, models

from ..esp import File, Slot, fences


class EasycrmEspContent(models.Model):
    """A text of a mailing, as it is written for many: its places named, not filled."""

    _name = "easycrm.esp.content"
    _description = "Text of a Mailing"
    _rec_name = "digest"

    mailing_id = fields.Many2one("mailing.mailing", required=True, ondelete="cascade")
    digest = fields.Char(required=True)
    content = fields.Text(required=True)

    _digest_unique = models.UniqueIndex("(mailing_id, digest)")

    def _get_bulk_values(self):
        """Return what every batch of it has: values of `esp.Bulk`."""
        values = json.loads(self.content)
        return {
            "sender": parseaddr(values["sender"]),
            "reply_to": parseaddr(values["reply_to"]) if values["reply_to"] else None,
            "subject": _read(values["subject"]),
            "html": _read(values["html"]),
            "text": _read(values["text"]),
            "headers": {name: _read(text) for name, text in values["headers"].items()},
            "files": [
                File(file.name, file.mimetype, file.raw)
                for file in self.mailing_id.attachment_ids
            ],
        }


def _read(text):
    return [Slot(piece) if is_name else piece for piece, is_name in fences.pieces(text)]
