"""Which other mails are placed with those that were linked."""

from odoo import api, models
from odoo.tools import SQL

from . import access
from .easycrm_email_copy_unlinked import MAX_ROWS


class EasycrmEmailCopy(models.Model):
    _inherit = "easycrm.email.copy"

    @api.model
    def find_others(self, batch, scope, limit=80):
        """Return the other mails that `teach` would place, the newest first.

        :param int batch: of `link_to`
        :param str scope: as that of `teach`
        :return: {"rows": as those of `unlinked_page`}, an email once
        :raise UserError: the question does not offer that
        """
        _step, record, choice = self._get_choice(batch, scope)
        others = self._get_taught_sql(choice, record)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM (
                    SELECT DISTINCT ON (held.email_id) held.id, held.date %s
                    ORDER BY held.email_id, held.id
                ) AS other
                ORDER BY date DESC, id DESC LIMIT %s
                """,
                others,
                max(min(int(limit), MAX_ROWS), 1),
            )
        )
        return {"rows": self.browse(row[0] for row in rows)._get_rows()}

    @api.model
    def _find_taught(self, choice, record):
        """Return the emails that a choice also places, of those that wait."""
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT held.email_id %s",
                self._get_taught_sql(choice, record),
            )
        )
        return self.env["easycrm.email"].sudo().browse(row[0] for row in rows)

    @api.model
    def _find_some_taught(self, choice, record, limit):
        """Return the newest of these emails, and whether these are all.

        Of each mailbox along its index, as far as so many reach.

        :param int limit: rows that are looked for; an email may stand in several
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT newest.email_id FROM unnest(%(accounts)s::int[]) AS box (id)
                CROSS JOIN LATERAL (
                    SELECT held.email_id, held.date %(taught)s
                    ORDER BY held.date DESC, held.id DESC LIMIT %(limit)s) AS newest
                ORDER BY newest.date DESC LIMIT %(limit)s
                """,
                accounts=list(access.own_account_ids(self.env)),
                taught=self._get_taught_sql(choice, record, SQL("box.id")),
                limit=limit,
            )
        )
        emails = self.env["easycrm.email"].sudo().browse({row[0] for row in rows})
        return emails, len(rows) < limit

    @api.model
    def _count_taught(self, choice, record):
        """Return how many these are."""
        if choice["why"]:
            return 0
        [[count]] = self.env.execute_query(
            SQL(
                "SELECT count(DISTINCT held.email_id) %s",
                self._get_taught_sql(choice, record),
            )
        )
        return count

    @api.model
    def _get_taught_sql(self, choice, record, account_id=None):
        """Return FROM and WHERE of the query of what a choice also places: `held`.

        An address places all mail in which it stands. Where else it is asked of the
        list, what was ignored stays so.

        :param SQL account_id: of one mailbox only, which is the user's own
        """
        for model in ("", ".copy", ".link"):
            self.env[f"easycrm.email{model}"].flush_model()
        owner = self.env["easycrm.email.address"]._get_owner_field
        target = choice.get("company") or record
        known = SQL("easycrm_email_link known")
        if account_id:
            # Asked of each, by the email: else all are joined for the sake of the
            # newest, or all links of the record are looked through for each.
            known = SQL(
                """(SELECT * FROM easycrm_email_link link
                    WHERE link.email_id = held.email_id OFFSET 0) AS known"""
            )
        is_listed = SQL("held.ignored IS NOT TRUE")
        if choice["scope"] == "address":
            is_listed = SQL("TRUE")
        return SQL(
            """
            FROM easycrm_email_copy held
            WHERE held.account_id = %s AND held.is_unlinked IS TRUE
              AND %s AND %s
              AND NOT EXISTS (
                  SELECT FROM %s WHERE known.email_id = held.email_id
                    AND known.%s = %s)
            """,
            account_id or SQL("ANY(%s)", list(access.own_account_ids(self.env))),
            is_listed,
            getattr(self, f"_get_{choice['scope']}_sql")(choice, record),
            known,
            SQL.identifier(owner(target._name)),
            target.id,
        )

    @api.model
    def _get_these_sql(self, choice, record):
        return SQL("FALSE")

    @api.model
    def _get_thread_sql(self, choice, record):
        return SQL(
            """held.email_id IN (
                SELECT email.id FROM easycrm_email email
                WHERE email.thread_id = ANY(%s) AND %s AND %s)""",
            choice["threads"],
            self._get_company_sql(record),
            self.env["easycrm.email.rule"]._get_linkable_sql(),
        )

    @api.model
    def _get_address_sql(self, choice, record):
        is_partner = record._name == "res.partner"
        addresses = SQL(
            """(SELECT NULL::int AS id, address, %s::int AS partner_id,
                       %s::int AS lead_id FROM unnest(%s) AS taught (address))""",
            record.id if is_partner else None,
            None if is_partner else record.id,
            choice["addresses"],
        )
        Address = self.env["easycrm.email.address"].sudo()
        return SQL(
            "held.email_id IN (SELECT match.email_id FROM (%s) AS match)",
            Address._get_matches_sql(SQL("TRUE"), addresses),
        )

    @api.model
    def _get_domain_sql(self, choice, record):
        pattern = f"@{choice['domain']}"
        follow = self.env["easycrm.email.thread.follow"].sudo()
        # (who has written a received one stands in the copy)
        return SQL(
            """EXISTS (
                SELECT FROM easycrm_email email
                WHERE email.id = held.email_id AND %s
                  AND CASE email.direction WHEN 'inbound' THEN %s ELSE %s END
                  AND %s
                OFFSET 0)""",
            self._get_company_sql(choice["company"]),
            self._get_senders_sql([pattern]),
            follow._get_correspondent_sql(SQL("%s::varchar", pattern)),
            self.env["easycrm.email.rule"]._get_linkable_sql(),
        )

    @api.model
    def _get_company_sql(self, record):
        companies = self.env["res.company"]._easycrm_get_sharing(record)
        if not companies:
            return SQL("TRUE")
        return SQL("email.company_id = ANY(%s)", companies.ids)
