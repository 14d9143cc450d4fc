"""The lists of Unlinked Emails: how many, from whom, and page after page."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from . import access

#: Emails that "select all" selects at most.
MAX_SELECTED = 1000

#: Emails that are looked at for the first senders.
LOOKED_AT = 500

#: Groups or rows that are given in one answer at most.
MAX_LIMIT = 200


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
    def _get_unlinked_domain(self, domain=(), ignored=False, address=None):
        """Return the domain of emails that wait for their home.

        :param domain: a further one, as the search bar gives it
        :param bool ignored: those that were ignored, in their place
        :param str address: only what this sender wrote
        """
        found = (
            Domain("is_unlinked", "=", True)
            & Domain("ignored", "=", bool(ignored))
            & Domain(domain or [])
        )
        if address is not None:
            found &= Domain("from_address", "in", [address] if address else ["", False])
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
    def unlinked_groups(self, domain, offset=0, limit=60, ignored=False):
        """Return who wrote the emails that wait, the newest first.

        :param domain: on this model
        :return: {"groups": [{"address", "name", "count", "latest", "subject"}],
            "total": how many groups there are, "mails": how many emails}
        """
        found = self._get_unlinked_domain(domain, ignored)
        offset, limit = int(offset), min(int(limit), MAX_LIMIT)
        if Domain(domain or []).is_true():
            rows, total, mails = self._list_senders(found, ignored, offset, limit)
        else:
            rows, total, mails = self._group_senders(found, offset, limit)
        query = self._search(found)
        newest = self._get_newest(query, [row[0] for row in rows]) if rows else {}
        return {
            "groups": [
                {
                    "address": address,
                    "name": newest.get(address, ("", ""))[0] or "",
                    "count": count,
                    "latest": fields.Datetime.to_string(latest),
                    "subject": newest.get(address, ("", ""))[1] or "",
                }
                for address, count, latest in rows
            ],
            "total": total,
            "mails": mails,
        }

    @api.model
    def _list_senders(self, domain, ignored, offset, limit):
        """Return a page of the senders of all that waits, without looking at all of it.

        Down the list of emails as far as so many senders reach; the tally has the rest.

        :return: [(address, emails, date of the newest)], how many senders and emails
        """
        looked_at = LOOKED_AT
        while True:
            newest = self._find_newest(domain, None, looked_at, "from_address")
            latest = {}
            for date, _id, address in newest:
                latest.setdefault(address or "", date)
            if len(latest) >= offset + limit or len(newest) < looked_at:
                break
            looked_at *= 8
        order = sorted(latest, key=lambda address: (latest[address], address))
        page = order[::-1][offset : offset + limit]
        total, mails, counts = self.env["easycrm.email.tally"]._count(
            access.own_account_ids(self.env), ignored, page
        )
        rows = [
            (address, int(counts.get(address, 0)), latest[address]) for address in page
        ]
        return rows, total, mails

    @api.model
    def _group_senders(self, domain, offset, limit):
        """Return the same of a search: what it finds is looked at, all of it."""
        query = self._search(domain)
        waiting = query.select(
            SQL("COALESCE(%s, '') AS address", self._field_sql(query, "from_address")),
            SQL("%s AS date", self._field_sql(query, "date")),
        )
        [[rows, total, mails]] = self.env.execute_query(
            SQL(
                """
                WITH sender AS (
                    SELECT address, count(*) AS mails, max(date) AS latest
                    FROM (%s) AS waiting GROUP BY address)
                SELECT (SELECT json_agg(page) FROM (
                            SELECT address, mails, latest FROM sender
                            ORDER BY latest DESC, address DESC LIMIT %s OFFSET %s
                        ) AS page),
                    count(*), coalesce(sum(mails), 0)
                FROM sender
                """,
                waiting,
                limit,
                offset,
            )
        )
        rows = [
            (
                row["address"],
                row["mails"],
                fields.Datetime.to_datetime(row["latest"].replace("T", " ")[:19]),
            )
            for row in rows or ()
        ]
        return rows, total, int(mails)

    @api.model
    def _get_newest(self, query, addresses):
        """Return {address: (name, subject)} of the newest email of each sender.

        :param query: of the emails that count
        """
        self.env["easycrm.email.content"].flush_model()
        self.env["easycrm.email.participant"].flush_model()
        waiting = query.select(
            self._field_sql(query, "email_id"),
            self._field_sql(query, "from_address"),
            self._field_sql(query, "date"),
            self._field_sql(query, "id"),
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT sender.address, (
                    SELECT person.name FROM easycrm_email_participant person
                    WHERE person.email_id = newest.email_id AND person.role = 'from'
                      AND person.address = sender.address ORDER BY person.id LIMIT 1
                ), content.subject
                FROM unnest(%s) AS sender (address)
                CROSS JOIN LATERAL (
                    SELECT email_id FROM (%s) AS waiting
                    WHERE waiting.from_address = sender.address
                    ORDER BY date DESC, id DESC LIMIT 1) AS newest
                LEFT JOIN easycrm_email_content content
                  ON content.email_id = newest.email_id
                """,
                addresses,
                waiting,
            )
        )
        return {address: (name, subject) for address, name, subject in rows}

    @api.model
    def _field_sql(self, query, name):
        return SQL.identifier(query.table, name)

    @api.model
    def unlinked_page(self, domain, cursor=None, limit=80, address=None, ignored=False):
        """Return the next emails that wait, the newest first.

        :param domain: on this model
        :param str cursor: `next` of the page before: new mail moves nothing
        :param str address: only what this sender wrote
        :return: {"rows": [dict], "next": cursor or None}
        """
        limit = min(int(limit), MAX_LIMIT)
        found = self._get_unlinked_domain(domain, ignored, address)
        newest = self._find_newest(found, cursor, limit + 1)
        ids = [copy_id for _date, copy_id in newest]
        rows = self.browse(ids[:limit])._get_rows()
        more = len(ids) > limit and rows
        return {
            "rows": rows,
            "next": f"{rows[-1]['date']}|{rows[-1]['id']}" if more else None,
        }

    @api.model
    def unlinked_ids(self, domain, address=None, ignored=False):
        """Return the newest emails that wait, for "select all".

        :return: {"ids": at most 1000, "total": how many there are}
        """
        found = self._get_unlinked_domain(domain, ignored, address)
        newest = self._find_newest(found, None, MAX_SELECTED)
        ids = [copy_id for _date, copy_id in newest]
        total = len(ids)
        if total == MAX_SELECTED:
            total = self.search_count(found)
        return {"ids": ids, "total": total}

    @api.model
    def _find_newest(self, domain, cursor, limit, *columns):
        """Return [(date, id, …)] of the newest emails of a domain.

        A mailbox at a time, as each stands in the index in that order.

        :param Domain domain:
        :param str cursor: where to go on
        :param columns: names of further fields that are wanted
        """
        self.browse().check_access("read")
        if cursor:
            date, last_id = self._read_cursor(cursor)
            domain &= Domain("date", "<=", date) & ~(
                Domain("date", "=", date) & Domain("id", ">=", last_id)
            )
        selects = []
        for account_id in access.own_account_ids(self.env):
            query = self._search(
                domain & Domain("account_id", "=", account_id),
                order=self._order,
                limit=limit,
            )
            names = ("date", "id", *columns)
            wanted = [self._field_sql(query, name) for name in names]
            selects.append(SQL("(%s)", query.select(*wanted)))
        if not selects:
            return []
        return self.env.execute_query(
            SQL(
                "SELECT * FROM (%s) AS newest ORDER BY date DESC, id DESC LIMIT %s",
                SQL(" UNION ALL ").join(selects),
                limit,
            )
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
