import json
from datetime import timedelta
from email.utils import parseaddr

from odoo import api, fields, models

from ..esp import File, Slot, fences

#: Days after a mailing for which its texts are kept, and how many go at once.
KEPT_DAYS, FORGOTTEN_AT_ONCE = 7, 1000


class EasycrmEspContent(models.Model):
    """A text of a mailing, as it is written for many: its places named, not filled."""

    _name = "easycrm.esp.content"
    _description = "Text of a Mailing"
    _rec_name = "digest"

    mailing_id = fields.Many2one("mailing.mailing", required=True, ondelete="cascade")
    digest = fields.Char(required=True)
    content = fields.Text(required=True)

    _digest_unique = models.UniqueIndex("(mailing_id, digest)")

    @api.autovacuum
    def _gc_sent(self):
        """Forget the texts of mailings that are through.

        With logic in them they may be as many as recipients, and hold what is theirs.
        What a person may still have sent again stays.
        """
        unsent = self.env["easycrm.esp.batch"]._search(
            [
                ("content_id", "!=", False),
                ("state", "not in", ("accepted", "refused", "cancelled")),
            ]
        )
        before = fields.Datetime.now() - timedelta(days=KEPT_DAYS)
        sent = self.search(
            [
                ("mailing_id.state", "=", "done"),
                ("mailing_id.sent_date", "<", before),
                ("id", "not in", unsent.subselect("content_id")),
            ],
            limit=FORGOTTEN_AT_ONCE,
        )
        count = len(sent)
        sent.unlink()
        return count, count == FORGOTTEN_AT_ONCE

    def _get_bulk_values(self):
        """Return what every batch of it has: values of `esp.Bulk`."""
        values = json.loads(self.content)
        files = self.mailing_id.attachment_ids
        return {
            "sender": parseaddr(values["sender"]),
            "reply_to": parseaddr(values["reply_to"]) if values["reply_to"] else None,
            "subject": _read(values["subject"]),
            "html": _read(values["html"]),
            "text": _read(values["text"]),
            "headers": {name: _read(text) for name, text in values["headers"].items()},
            "files": [
                File(file.name, file.mimetype, file.raw)
                # (a link stands in the text; what has no bytes Odoo leaves out, too)
                for file in files - files._easycrm_get_linked()
                if file.raw is not False
            ],
        }


def _read(text):
    return [Slot(piece) if is_name else piece for piece, is_name in fences.pieces(text)]
