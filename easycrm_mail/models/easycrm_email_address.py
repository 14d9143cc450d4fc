from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .addresses import normalise_all

#: Existing emails that a changed address may place within the user's own transaction;
#: more are left to the backfill cron.
MATCHED_AT_ONCE = 500

#: Minutes after which a changed address is compared once more: mail that was just being
#: stored, in a transaction that did not see the address, is found then.
LOOK_AGAIN_MINUTES = 1

#: Addresses that the cron compares in one statement.
LOOKED_AT = 200

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
    look_again_at = fields.Datetime(
        help="When the emails that are here are compared with it once more."
    )

    _one_record = models.Constraint(
        "CHECK(num_nonnulls(partner_id, lead_id) = 1)",
        "An address belongs to one contact, or to one lead or opportunity.",
    )
    _partner_unique = models.Constraint("UNIQUE(partner_id, address)")
    _lead_unique = models.Constraint("UNIQUE(lead_id, address)")
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
            for address in normalise_all(record[record._primary_email])
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
        if gone:
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
        # All their addresses: another one may stand in the emails that were just freed,
        # and for an un-archived record none is new.
        self.sudo().search([(owner, "in", records.ids)])._match()

    def _match(self):
        """Place the emails that are already here, now or by the cron."""
        if not self:
            return
        again = fields.Datetime.now() + timedelta(minutes=LOOK_AGAIN_MINUTES)
        self.look_again_at = again
        cron = self.env.ref(
            "easycrm_mail.ir_cron_email_backfill", raise_if_not_found=False
        )
        if cron:
            cron.sudo()._trigger(at=again)
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                SELECT count(*) FROM (
                    SELECT FROM easycrm_email_participant participant
                    JOIN easycrm_email_address address
                      ON address.address = participant.address
                    WHERE address.id = ANY(%s) LIMIT %s
                ) AS matches
                """,
                self.ids,
                MATCHED_AT_ONCE + 1,
            )
        )
        if self.env.cr.fetchone()[0] <= MATCHED_AT_ONCE:
            self._link_emails(SQL("address.id = ANY(%s)", self.ids))

    @api.model
    def _match_due(self):
        """Compare the addresses that are due, a batch of them.

        :return: whether there may be more
        """
        due = self.sudo().search(
            [("look_again_at", "<=", fields.Datetime.now())],
            order="look_again_at, id",
            limit=LOOKED_AT,
        )
        if due:
            self._link_emails(SQL("address.id = ANY(%s)", due.ids))
            due.look_again_at = False
        return len(due) == LOOKED_AT

    @api.model
    def _link_emails(self, condition):
        """Link emails to all records whose address stands in them, in one statement.

        Archived contacts, lost leads and records of another company get no new link;
        a link or tombstone that exists stays as it is.

        :param SQL condition: on `address` (this table) or `participant`
        :return: ids of the emails that got a link
        """
        Link = self.env["easycrm.email.link"]
        for model in ("easycrm.email.participant", "easycrm.email.link", self._name):
            self.env[model].flush_model()
        self.env["res.partner"].flush_model(
            ["active", "company_id", "commercial_partner_id"]
        )
        self.env["crm.lead"].flush_model(["active", "company_id"])
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO easycrm_email_link
                    (email_id, partner_id, lead_id, thread_id, commercial_partner_id,
                     company_id, date, origin, role, address, removed,
                     create_uid, create_date, write_uid, write_date)
                SELECT DISTINCT ON (email.id, address.partner_id, address.lead_id)
                    email.id, address.partner_id, address.lead_id, email.thread_id,
                    partner.commercial_partner_id, email.company_id, email.date,
                    'auto', participant.role, address.address, FALSE,
                    %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
                FROM easycrm_email_address address
                JOIN easycrm_email_participant participant
                  ON participant.address = address.address
                JOIN easycrm_email email ON email.id = participant.email_id
                LEFT JOIN res_partner partner ON partner.id = address.partner_id
                LEFT JOIN crm_lead lead ON lead.id = address.lead_id
                WHERE %(condition)s
                  AND COALESCE(partner.active, lead.active)
                  AND COALESCE(partner.company_id, lead.company_id, email.company_id)
                      = email.company_id
                  AND %(foreign)s
                ORDER BY email.id, address.partner_id, address.lead_id,
                    array_position(ARRAY['from', 'to', 'cc', 'bcc'],
                                   participant.role::text)
                ON CONFLICT DO NOTHING
                RETURNING email_id, %(announced)s
                """,
                uid=self.env.uid,
                condition=condition,
                foreign=self._get_foreign_sql(),
                announced=Link._announced_columns,
            )
        )
        rows = self.env.cr.fetchall()
        email_ids = list({row[0] for row in rows})
        Link._forget()
        Link._announce([row[1:] for row in rows], only_news=True)
        self.env["easycrm.email"].sudo().browse(email_ids)._update_linked()
        return email_ids

    @api.model
    def _get_foreign_sql(self):
        """Return the condition that an address is not one of our own people's.

        Mail among colleagues must not land on contacts that every employee can read,
        nor what those wrote who have left since.
        A mailbox claims addresses once it works: in general when it has been read to
        its end, for a mail that it holds at once.
        """
        self.env["easycrm.email.account"].flush_model(
            ["company_id", "email", "alias_emails", "last_sync"]
        )
        self.env["easycrm.email.copy"].flush_model(["email_id", "account_id"])
        is_connected = SQL("account.last_sync IS NOT NULL OR")
        is_colleague = SQL(
            """EXISTS (
                   SELECT FROM easycrm_email_address own
                   JOIN res_users users ON users.partner_id = own.partner_id
                   WHERE own.address = address.address
                     AND users.share IS NOT TRUE)"""
        )
        if self._matches_colleagues():
            is_connected = SQL()
            is_colleague = SQL("FALSE")
        else:
            self.env["res.users"].flush_model(["share", "partner_id"])
        return SQL(
            """NOT %s
               AND NOT EXISTS (
                   SELECT FROM easycrm_email_account account
                   WHERE account.company_id = email.company_id
                   AND address.address = ANY(
                       account.email || string_to_array(account.alias_emails, ','))
                   AND (%s EXISTS (
                       SELECT FROM easycrm_email_copy held
                       WHERE held.account_id = account.id
                         AND held.email_id = email.id)))""",
            is_colleague,
            is_connected,
        )
