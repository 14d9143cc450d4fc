from odoo import api, fields, models
from odoo.tools import SQL, email_normalize

from ..esp import SuppressionReason

#: The weakest first.
REASONS = [reason.value for reason in SuppressionReason]


class EasycrmEspSuppression(models.Model):
    """Who must not get bulk mail any more, and why: one ledger for all senders.

    It feeds Odoo's blocklist, by which everybody's sending goes. A reason only ever
    gets stronger; who is taken off the blocklist by hand is taken off here too.
    """

    _name = "easycrm.esp.suppression"
    _description = "Suppressed Address"
    _order = "since desc, id desc"
    _rec_name = "address"

    address = fields.Char(required=True, readonly=True)
    reason = fields.Selection(
        [
            (SuppressionReason.UNSUBSCRIBED.value, "Unsubscribed"),
            (SuppressionReason.INVALID.value, "Invalid Address"),
            (SuppressionReason.BOUNCED.value, "Bounced for Good"),
            (SuppressionReason.COMPLAINED.value, "Reported as Spam"),
        ],
        required=True,
        readonly=True,
    )
    since = fields.Datetime(readonly=True)
    detail = fields.Char(string="What Was Said", readonly=True)
    esp_id = fields.Many2one(
        "easycrm.esp", string="Reported By", readonly=True, ondelete="set null"
    )

    _address_unique = models.UniqueIndex("(address)")
    _since_idx = models.Index("(since DESC, id DESC)")

    @api.model
    def _add(self, rows, esp):
        """Keep addresses with their reasons, and block them.

        :param list rows: (address, `SuppressionReason`, since when, what was said)
        :param esp: the `easycrm.esp` that says so
        """
        strongest = {}
        for address, reason, since, detail in rows:
            address = email_normalize(address)
            rank = REASONS.index(reason.value)
            if address and rank >= strongest.get(address, (-1,))[0]:
                strongest[address] = (rank, since, detail)
        if not strongest:
            return
        self.env.cr.execute_values(
            """
            INSERT INTO easycrm_esp_suppression AS known
                (address, reason, since, detail, esp_id,
                 create_uid, create_date, write_uid, write_date)
            VALUES %s ON CONFLICT (address) DO UPDATE
            SET reason = EXCLUDED.reason, since = EXCLUDED.since,
                detail = EXCLUDED.detail, esp_id = EXCLUDED.esp_id,
                write_uid = EXCLUDED.write_uid, write_date = EXCLUDED.write_date
            WHERE array_position(ARRAY['unsubscribed', 'invalid', 'bounced',
                                       'complained'], EXCLUDED.reason::text)
                > array_position(ARRAY['unsubscribed', 'invalid', 'bounced',
                                       'complained'], known.reason::text)
            """,
            [
                (
                    *(address, REASONS[rank], since, detail or None, esp.id),
                    *(self.env.uid, now := self.env.cr.now(), self.env.uid, now),
                )
                for address, (rank, since, detail) in sorted(strongest.items())
            ],
        )
        self.invalidate_model(flush=False)
        self._block(list(strongest))

    def _block(self, addresses):
        """Put addresses on Odoo's blocklist, those that are not."""
        Blocklist = self.env["mail.blacklist"].with_context(
            active_test=False, tracking_disable=True
        )
        known = Blocklist.search([("email", "in", addresses)])
        known.filtered(lambda entry: not entry.active).action_unarchive()
        missing = set(addresses) - set(known.mapped("email"))
        Blocklist.create([{"email": address} for address in sorted(missing)])

    @api.model
    def _get_blocked(self, addresses, reasons):
        """Return those of these addresses that are here for one of these reasons.

        :param addresses: normalised
        :param reasons: of `SuppressionReason`
        """
        known = self.search_fetch(
            [
                ("address", "in", list(addresses)),
                ("reason", "in", [reason.value for reason in reasons]),
            ],
            ["address"],
        )
        return set(known.mapped("address"))

    @api.model
    def _forget(self, addresses):
        """Take addresses off that somebody took off the blocklist."""
        self.flush_model()
        self.env.cr.execute(
            SQL(
                "DELETE FROM easycrm_esp_suppression WHERE address = ANY(%s)",
                [address for address in addresses if address],
            )
        )
        self.invalidate_model(flush=False)
