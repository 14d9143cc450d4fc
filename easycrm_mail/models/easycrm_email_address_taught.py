from odoo import api, models
from odoo.tools import SQL


class EasycrmEmailAddress(models.Model):
    """Further addresses that were taught in Unlinked Emails, and forgotten again."""

    _inherit = "easycrm.email.address"

    @api.model
    def _teach(self, record, addresses, batch):
        """Make these addresses the record's too, and place what they find.

        :param record: a contact, lead or opportunity
        :param addresses: normalised
        :param batch: the step that it is a part of
        """
        owner = self._get_owner_field(record._name)
        rows = self.sudo()
        present = rows.search(
            [(owner, "=", record.id), ("address", "in", list(addresses))]
        )
        new = rows.create(
            [
                {
                    owner: record.id,
                    "address": address,
                    "source": "extra",
                    "batch_id": batch.id,
                }
                for address in addresses
                if address not in present.mapped("address")
            ]
        )
        new._match()
        # (what was counted is placed now, however much it is)
        if new:
            self._link_emails(SQL("address.id = ANY(%s)", new.ids))

    def _take_back(self):
        """Forget these addresses, and what they alone have placed.

        One that has been entered in the Email field since is not what was taught.

        :return: the emails that this sets free
        """
        emails = self.env["easycrm.email"].sudo()
        links = self.env["easycrm.email.link"].sudo()
        others = self.browse()
        taught = self.filtered(lambda row: row.source == "extra")
        for row in taught:
            owner = "partner_id" if row.partner_id else "lead_id"
            emails |= links._delete(
                SQL(
                    "%s = %s AND address = %s AND origin = 'auto'"
                    " AND removed IS NOT TRUE",
                    SQL.identifier(owner),
                    row[owner].id,
                    row.address,
                )
            ).sudo()
            others |= self.search([(owner, "=", row[owner].id)])
        others -= taught
        taught.unlink()
        # (another address of the record may stand in the same emails)
        others._match()
        return emails
