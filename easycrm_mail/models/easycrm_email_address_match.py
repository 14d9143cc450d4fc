from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

#: Existing emails that a changed address may place within the user's own transaction;
#: more are left to the backfill cron.
MATCHED_AT_ONCE = 500

#: Minutes after which a changed address is compared once more: mail that was just being
#: stored, in a transaction that did not see the address, is found then.
LOOK_AGAIN_MINUTES = 1

#: Addresses that the cron compares in one statement.
LOOKED_AT = 200

#: Mails that they may stand in, together.
MATCHED_BY_CRON = 20_000


class EasycrmEmailAddress(models.Model):
    """Which emails an address finds."""

    _inherit = "easycrm.email.address"

    def _match(self):
        """Place the emails that are already here, now or by the cron."""
        if not self:
            return
        again = fields.Datetime.now() + timedelta(minutes=LOOK_AGAIN_MINUTES)
        self.look_again_at = again
        self.env["easycrm.email.account"]._wake_backfill(again)
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
        batch, finding = due._take_batch()
        if finding:
            self._link_emails(SQL("address.id = ANY(%s)", finding))
        batch.look_again_at = False
        return batch < due or len(due) == LOOKED_AT

    def _take_batch(self):
        """Return the first of these addresses, and the ids of those that find mail.

        As many as stand in a bounded number of mails; at least one. Our own people's
        stand in all of them, and find none.
        """
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                SELECT address.id, CASE WHEN %s THEN 0 ELSE (
                    SELECT count(*) FROM (
                        SELECT FROM easycrm_email_participant participant
                        WHERE participant.address = address.address LIMIT %s
                    ) AS found) END
                FROM unnest(%s::int[]) WITH ORDINALITY AS due (id, number)
                JOIN easycrm_email_address address ON address.id = due.id
                ORDER BY due.number
                """,
                self._get_colleague_sql(),
                MATCHED_BY_CRON,
                self.ids,
            )
        )
        ids, finding, mails = [], [], 0
        for address_id, count in self.env.cr.fetchall():
            mails += count
            if ids and mails > MATCHED_BY_CRON:
                break
            ids.append(address_id)
            if count:
                finding.append(address_id)
        return self.browse(ids), finding

    @api.model
    def _link_emails(self, condition):
        """Link emails to all records whose address stands in them, in one statement.

        Archived contacts, lost leads and records of another company (see `res.company`)
        get no new link; a link or tombstone that exists stays as it is. What a rule
        keeps off the records gets none, and a conversation may be about one lead only.

        :param SQL condition: on `address` (this table) or `participant`
        :return: ids of the emails that got a link
        """
        Link = self.env["easycrm.email.link"]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO easycrm_email_link
                    (email_id, partner_id, lead_id, thread_id, commercial_partner_id,
                     company_id, date, origin, role, address, removed,
                     create_uid, create_date, write_uid, write_date)
                SELECT match.*, FALSE,
                    %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
                FROM (%(matches)s) AS match
                ON CONFLICT DO NOTHING
                RETURNING email_id, %(announced)s
                """,
                uid=self.env.uid,
                matches=self._get_matches_sql(condition),
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
    def _get_matches_sql(self, condition, addresses=None):
        """Return the query of what is to be linked to what, with its reason.

        :param SQL condition: on `address` (this table) or `participant`
        :param SQL addresses: rows that stand for this table, as it would be
        """
        for model in ("easycrm.email.participant", "easycrm.email.link", self._name):
            self.env[model].flush_model()
        self.env["res.partner"].flush_model(
            ["active", "company_id", "commercial_partner_id"]
        )
        self.env["crm.lead"].flush_model(["active", "company_id"])
        return SQL(
            """
            SELECT DISTINCT ON (email.id, address.partner_id, lead.id)
                email.id AS email_id, address.partner_id, lead.id AS lead_id,
                email.thread_id, partner.commercial_partner_id, email.company_id,
                email.date, 'auto', participant.role, address.address
            FROM %(addresses)s address
            JOIN easycrm_email_participant participant
              ON participant.address = address.address
            JOIN easycrm_email email ON email.id = participant.email_id
            LEFT JOIN res_partner partner ON partner.id = address.partner_id
            LEFT JOIN LATERAL (
                -- (OFFSET 0: each by its id, never by hashing all leads)
                SELECT known.id, known.active, known.company_id FROM crm_lead known
                WHERE known.id = %(lead)s OFFSET 0
            ) lead ON TRUE
            WHERE %(condition)s
              AND COALESCE(partner.active, lead.active)
              AND %(may_have)s
              AND %(foreign)s
              AND %(linkable)s
            ORDER BY email.id, address.partner_id, lead.id,
                array_position(ARRAY['from', 'to', 'cc', 'bcc'],
                               participant.role::text)
            """,
            addresses=addresses or SQL("easycrm_email_address"),
            condition=condition,
            lead=self.env["easycrm.email.thread"]._get_lead_sql(),
            may_have=self.env["res.company"]._easycrm_get_may_have_sql(),
            foreign=self._get_foreign_sql(),
            linkable=self.env["easycrm.email.rule"]._get_linkable_sql(),
        )

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
        if self._matches_colleagues():
            is_connected = SQL()
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
            self._get_colleague_sql(),
            is_connected,
        )

    @api.model
    def _get_colleague_sql(self):
        """Return the condition that an address is an internal user's, also of old."""
        if self._matches_colleagues():
            return SQL("FALSE")
        self.env["res.users"].flush_model(["share", "partner_id"])
        return SQL(
            """EXISTS (
                   SELECT FROM easycrm_email_address own
                   JOIN res_users users ON users.partner_id = own.partner_id
                   WHERE own.address = address.address
                     AND users.share IS NOT TRUE)"""
        )
