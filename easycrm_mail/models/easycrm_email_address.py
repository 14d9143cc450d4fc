from odoo import api, fields, models
from odoo.tools import SQL

from .addresses import normalise_all

#: Whose addresses are compared, and the column of the index that holds them.
OWNERS = {"res.partner": "partner_id", "crm.lead": "lead_id"}


class EasycrmEmailAddress(models.Model):
    """Every address of a contact or lead: what the emails' addresses are compared with.

    `email_normalized` holds only the first address of the Email field and has no
    index for exact comparison.
    """

    _name = "easycrm.email.address"
    _description = "Email Address of a Record"
    _rec_name = "address"
    _log_access = False

    address = fields.Char(required=True, index=True, help="Normalised.")
    partner_id = fields.Many2one("res.partner", ondelete="cascade")
    lead_id = fields.Many2one("crm.lead", ondelete="cascade")
    source = fields.Selection(
        [("field", "Email field"), ("extra", "Further address")],
        required=True,
        default="field",
    )
    batch_id = fields.Many2one(
        "easycrm.email.batch",
        ondelete="set null",
        index="btree_not_null",
        help="The step in which it was taught: undone, it goes.",
    )
    look_again_at = fields.Datetime(
        help="When the emails that are here are compared with it once more."
    )

    _one_record = models.Constraint(
        "CHECK(num_nonnulls(partner_id, lead_id) = 1)",
        "An address belongs to one contact, or to one lead or opportunity.",
    )
    _partner_unique = models.Constraint(
        "UNIQUE(partner_id, address)", "The contact has this address already."
    )
    _lead_unique = models.Constraint(
        "UNIQUE(lead_id, address)", "The lead or opportunity has this address already."
    )
    _domain_idx = models.Index("(split_part(address, '@', 2))")
    _look_again_idx = models.Index(
        "(look_again_at, id) WHERE look_again_at IS NOT NULL"
    )

    @api.model
    def _get_owner_field(self, model_name):
        """Return the field that points to records of that model."""
        return OWNERS[model_name]

    @api.model
    def _rebuild_index(self):
        """Fill the index from all Email fields, for a database that had them before.

        In SQL where a field holds one plain address, which is nearly always.
        """
        for model_name, owner in OWNERS.items():
            Model = self.env[model_name]
            Model.flush_model(["email_normalized", Model._primary_email])
            values = {
                "owner": SQL.identifier(owner),
                "table": SQL.identifier(Model._table),
                "source": SQL.identifier(Model._primary_email),
                "plain": SQL(
                    """(email_normalized = lower(trim(%(source)s))
                        AND email_normalized ~ '^[!-~]+$'
                        AND email_normalized NOT LIKE '%%xn--%%')""",
                    source=SQL.identifier(Model._primary_email),
                ),
            }
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO easycrm_email_address (address, %(owner)s, source)
                    SELECT email_normalized, id, 'field' FROM %(table)s
                    WHERE %(plain)s
                    ON CONFLICT DO NOTHING
                    """,
                    **values,
                )
            )
            self.env.cr.execute(
                SQL(
                    """
                    SELECT id, %(source)s FROM %(table)s
                    WHERE %(source)s LIKE '%%@%%' AND %(plain)s IS NOT TRUE
                    """,
                    **values,
                )
            )
            rows = [
                (record_id, address)
                for record_id, text in self.env.cr.fetchall()
                for address in normalise_all(text)
            ]
            # (the column is one of OWNERS)
            self.env.cr.execute_values(
                f"""INSERT INTO easycrm_email_address ({owner}, address, source)
                    VALUES %s ON CONFLICT DO NOTHING""",
                rows,
                template="(%s, %s, 'field')",
                page_size=10_000,
            )
        self.invalidate_model()

    @api.model
    def _update_index(self, records):
        """Bring the index up to the Email field of these records.

        :param records: contacts, or leads
        :return: (record id, address) of those that are no more
        """
        owner = OWNERS[records._name]
        wanted = {
            (record.id, address)
            for record in records
            for address in record._easycrm_get_addresses_found()
        }
        present = self.sudo().search([(owner, "in", records.ids)])
        stale = present.filtered(
            lambda row: (
                row.source == "field" and (row[owner].id, row.address) not in wanted
            )
        )
        gone = [(row[owner].id, row.address) for row in stale]
        # a further address that is now in the field leaves with it
        present.filtered(
            lambda row: row.source == "extra" and (row[owner].id, row.address) in wanted
        ).source = "field"
        missing = wanted - {(row[owner].id, row.address) for row in present}
        stale.unlink()
        self.sudo().create(
            [
                {owner: record_id, "address": address}
                for record_id, address in sorted(missing)
            ]
        )
        return gone

    @api.model
    def _fold(self, records, into):
        """Give the addresses of merged records to the one that stays, each once.

        They find mail for it from now on, as further addresses: those in its own Email
        field are told apart when that is followed.

        :param records: contacts, or leads; the one that stays is not among them
        """
        self.flush_model()
        values = {
            "owner": SQL.identifier(OWNERS[into._name]),
            "into": into.id,
            "records": records.ids,
        }
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM easycrm_email_address address
                WHERE %(owner)s = ANY(%(records)s) AND EXISTS (
                    SELECT FROM easycrm_email_address same
                    WHERE same.address = address.address AND (
                        same.%(owner)s = %(into)s
                        OR same.%(owner)s = ANY(%(records)s) AND same.id < address.id))
                """,
                **values,
            )
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE easycrm_email_address SET %(owner)s = %(into)s, source = 'extra'
                WHERE %(owner)s = ANY(%(records)s)
                """,
                **values,
            )
        )
        self.invalidate_model(flush=False)
        into.invalidate_recordset(["easycrm_address_ids"], flush=False)

    @api.model
    def _update_links(self, records):
        """Follow a changed Email field: new addresses get their mail, old ones lose it.

        :param records: contacts, or leads
        """
        records = records.exists()
        if records._name == "res.partner":
            self.env["easycrm.email.link"].sudo()._move_commercial_partner(records)
        owner = OWNERS[records._name]
        gone = self._update_index(records)
        self._take_off_links(owner, gone)
        # All their addresses: another one may stand in the emails that were just freed,
        # and for an un-archived record none is new.
        present = self.sudo().search([(owner, "in", records.ids)])
        present._match()
        if records._name == "res.partner":
            addresses = {
                *present.mapped("address"),
                *(address for _id, address in gone),
            }
            self.env["mailing.trace"].sudo()._easycrm_follow_companies(
                records, addresses
            )

    @api.model
    def _take_off_links(self, owner, gone):
        """Delete the links that came by addresses which records have no more.

        :param str owner: the column of these records
        :param list gone: of (record id, address)
        """
        if not gone:
            return
        ids, addresses = zip(*gone, strict=True)
        self.env["easycrm.email.link"].sudo()._delete(
            SQL(
                """%(owner)s = ANY(%(ids)s)
                   AND (%(owner)s, address) IN (
                       SELECT * FROM unnest(%(ids)s, %(addresses)s))
                   AND origin = 'auto' AND NOT removed""",
                owner=SQL.identifier(owner),
                ids=list(ids),
                addresses=list(addresses),
            )
        )
