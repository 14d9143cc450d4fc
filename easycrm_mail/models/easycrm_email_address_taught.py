from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .easycrm_email_address_match import LOOK_AGAIN_MINUTES


class EasycrmEmailAddress(models.Model):
    """Further addresses that were taught in Unlinked Emails, and forgotten again."""

    _inherit = "easycrm.email.address"

    @api.model
    def _teach(self, record, addresses, batch):
        """Make these addresses the record's too.

        What they find is placed by the step, and by the cron.

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
        self._follow_mailings(set(new.mapped("address")))

    @api.model
    def _place_taught(self, batch, emails):
        """Place emails that the addresses find which a step has taught."""
        taught = self.sudo().search([("batch_id", "=", batch.id)])
        if taught and emails:
            # (they are compared with everybody's mail a minute after the last slice)
            again = fields.Datetime.now() + timedelta(minutes=LOOK_AGAIN_MINUTES)
            taught.look_again_at = again
            self._link_emails(
                SQL(
                    "address.id = ANY(%s) AND participant.email_id = ANY(%s)",
                    taught.ids,
                    emails.ids,
                )
            )

    def _take_back(self):
        """Forget these addresses; their links are left.

        One that has been entered in the Email field since is not what was taught.

        :return: [(column, id, address)] of whose they were
        """
        taught = self.filtered(lambda row: row.source == "extra")
        gone = []
        for row in taught:
            owner = "partner_id" if row.partner_id else "lead_id"
            gone.append((owner, row[owner].id, row.address))
        taught.unlink()
        self._follow_mailings({address for _owner, _id, address in gone})
        return gone
