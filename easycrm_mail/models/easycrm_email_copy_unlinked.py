"""The lists of Unlinked Emails: how many, and page after page."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from . import access

#: Emails that "select all" selects at most.
MAX_SELECTED = 1000

#: Rows that are given in one answer at most.
MAX_ROWS = 200


class EasycrmEmailCopy(models.Model):
    _inherit = "easycrm.email.copy"

    # (for the groups, and the emails of one of them, the newest first)
    _unlinked_sender_idx = models.Index(
        "(account_id, from_address, date DESC, id DESC)"
        " WHERE is_unlinked IS TRUE AND ignored IS NOT TRUE"
    )
    _ignored_idx = models.Index(
        "(account_id, date DESC, id DESC) WHERE is_unlinked IS TRUE AND ignored IS TRUE"
    )

    @api.model
    def _get_unlinked_domain(
        self, domain=(), ignored=False, key=None, by="from_address"
    ):
        """Return the domain of emails that wait for their home.

        :param domain: a further one, as the search bar gives it
        :param bool ignored: those that were ignored, in their place
        :param str key: only those of this group
        :param str by: what was grouped by
        """
        found = (
            Domain("is_unlinked", "=", True)
            & Domain("ignored", "=", bool(ignored))
            & Domain(domain or [])
        )
        if key is not None:
            found &= self._get_group_domain(by, key)
        return found

    @api.model
    def unlinked_count(self):
        """Return how many emails wait in the user's own mailboxes: the badge.

        :rtype: int
        """
        self.browse().check_access("read")
        accounts = access.own_account_ids(self.env)
        return self.env["easycrm.email.tally"]._count_mails(accounts)

    @api.model
    def unlinked_page(
        self,
        domain,
        cursor=None,
        limit=80,
        address=None,
        ignored=False,
        key=None,
        by="from_address",
    ):
        """Return the next emails that wait, the newest first.

        :param domain: on this model
        :param str cursor: `next` of the page before: new mail moves nothing
        :param str address: only what this sender wrote
        :param str key: only those of this group of `unlinked_groups`
        :param str by: what was grouped by
        :return: {"rows": [dict], "next": cursor or None}
        """
        limit = max(min(int(limit), MAX_ROWS), 1)
        key = address if key is None else key
        found = self._get_unlinked_domain(domain, ignored, key, by)
        newest = self._find_newest(found, cursor, limit + 1)
        ids = [copy_id for _date, copy_id in newest]
        rows = self.browse(ids[:limit])._get_rows()
        more = len(ids) > limit and rows
        return {
            "rows": rows,
            "next": f"{rows[-1]['date']}|{rows[-1]['id']}" if more else None,
        }

    @api.model
    def unlinked_ids(
        self, domain, address=None, ignored=False, key=None, by="from_address"
    ):
        """Return the newest emails that wait, for "select all".

        As `unlinked_page` has them.

        :return: {"ids": at most 1000, "total": how many there are}
        """
        key = address if key is None else key
        found = self._get_unlinked_domain(domain, ignored, key, by)
        newest = self._find_newest(found, None, MAX_SELECTED)
        ids = [copy_id for _date, copy_id in newest]
        total = len(ids)
        if total == MAX_SELECTED and key is None and Domain(domain or []).is_true():
            accounts = access.own_account_ids(self.env)
            total = self.env["easycrm.email.tally"]._count_mails(accounts, ignored)
        elif total == MAX_SELECTED:
            total = self.search_count(found)
        return {"ids": ids, "total": total}

    @api.model
    def _find_newest(self, domain, cursor, limit):
        """Return [(date, id)] of the newest emails of a domain.

        :param Domain domain:
        :param str cursor: where to go on
        """
        if cursor:
            date, last_id = self._read_cursor(cursor)
            domain &= Domain("date", "<=", date) & ~(
                Domain("date", "=", date) & Domain("id", ">=", last_id)
            )
        newest = self._get_newest_sql(domain, limit)
        return self.env.execute_query(newest) if newest else []

    @api.model
    def _get_newest_sql(self, domain, limit, get_column=None, is_each=False):
        """Return the query of the newest emails of a domain, None without a mailbox.

        A mailbox at a time, as each stands in the index in that order.

        :param Domain domain:
        :param get_column: a function of the query, for a further column
        :param bool is_each: so many of each mailbox, not of all together
        :return: SELECT date, id, …
        """
        self.browse().check_access("read")
        selects = []
        for account_id in access.own_account_ids(self.env):
            query = self._search(
                domain & Domain("account_id", "=", account_id),
                order=self._order,
                limit=limit,
            )
            columns = [SQL.identifier(query.table, name) for name in ("date", "id")]
            if get_column:
                columns.append(get_column(query))
            selects.append(SQL("(%s)", query.select(*columns)))
        if not selects:
            return None
        return SQL(
            "SELECT * FROM (%s) AS newest ORDER BY date DESC, id DESC LIMIT %s",
            SQL(" UNION ALL ").join(selects),
            limit * len(selects) if is_each else limit,
        )

    @api.model
    def _read_cursor(self, cursor):
        try:
            date, _bar, last_id = cursor.partition("|")
            return fields.Datetime.to_datetime(date), int(last_id)
        except (AttributeError, TypeError, ValueError):
            raise UserError(
                self.env._("The list has changed. Please load it again.")
            ) from None

    def _get_rows(self):
        """Return what the list shows of these emails, in their order.

        They are the user's own: he sees all of them.
        """
        for model in ("", ".content", ".participant", ".account"):
            self.env[f"easycrm.email{model}"].flush_model()
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT held.id, held.email_id, email.thread_id, held.from_address,
                       content.subject, content.snippet, held.date, held.account_id,
                       account.name AS mailbox, held.direction,
                       email.has_files IS TRUE AS has_attachments,
                       held.is_read IS TRUE AS is_read
                FROM unnest(%s::int[]) WITH ORDINALITY AS row (id, number)
                JOIN easycrm_email_copy held ON held.id = row.id
                JOIN easycrm_email email ON email.id = held.email_id
                JOIN easycrm_email_account account ON account.id = held.account_id
                LEFT JOIN easycrm_email_content content
                  ON content.email_id = held.email_id
                ORDER BY row.number
                """,
                self.ids,
            )
        )
        people = self._get_people({row["email_id"] for row in rows})
        mine = self.env["easycrm.email"]._get_own_addresses() if rows else ()
        for row in rows:
            others = people.get(row["email_id"], [])
            row["date"] = fields.Datetime.to_string(row["date"])
            row["from_address"] = row["from_address"] or ""
            row["from_name"] = next(
                (name for role, name, _address in others if role == "from"), ""
            )
            row["subject"], row["snippet"] = row["subject"] or "", row["snippet"] or ""
            row["people"] = self._get_people_words(others, mine)
        return rows

    @api.model
    def _get_people(self, email_ids):
        """Return {email id: [(role, name, address)]}, the senders first."""
        people = {}
        for email_id, *person in self.env.execute_query(
            SQL(
                """
                SELECT email_id, role, COALESCE(name, ''), address
                FROM easycrm_email_participant WHERE email_id = ANY(%s)
                ORDER BY array_position(ARRAY['from', 'to', 'cc', 'bcc'], role::text),
                    id
                """,
                list(email_ids),
            )
        ):
            people.setdefault(email_id, []).append(tuple(person))
        return people

    @api.model
    def _get_people_words(self, people, mine):
        """Say with whom an email was exchanged: "Anna Berg, +2".

        :param people: of (role, name, address), the sender first
        :param mine: addresses that are the user's own
        """
        others = {
            address: name or address
            for role, name, address in people
            if address not in mine and role != "bcc"
        }
        if not others:
            return self.env._("You")
        first, *more = others.values()
        return f"{first}, +{len(more)}" if more else first
