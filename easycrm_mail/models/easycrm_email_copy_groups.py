"""The groups of Unlinked Emails: by sender, domain, mailbox or date."""

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.models import READ_GROUP_TIME_GRANULARITY
from odoo.tools import SQL

from . import access
from .easycrm_email_retention import begin_of
from .storable import to_storable

#: What the list can be grouped by, as the search bar says it.
GROUPINGS = (
    "from_address",
    "from_domain",
    "account_id",
    *("date:day", "date:week", "date:month", "date:quarter", "date:year"),
)

#: Emails that are looked at for the first groups; if that is too few, the next number.
LOOKED_AT = (500, 4_000, 32_000)

#: Groups that are given in one answer at most.
MAX_GROUPS = 200

#: Groups that can be passed over: nobody has more of them.
MAX_OFFSET = 10_000_000


class EasycrmEmailCopy(models.Model):
    _inherit = "easycrm.email.copy"

    from_domain = fields.Char(
        string="Sender’s Domain",
        compute="_compute_from_domain",
        search="_search_from_domain",
    )

    @api.depends("from_address")
    def _compute_from_domain(self):
        for copy in self:
            copy.from_domain = (copy.from_address or "").rpartition("@")[2]

    def _search_from_domain(self, operator, value):
        if operator == "in":
            condition = SQL("= ANY(%s)", [domain or "" for domain in value])
        elif operator == "ilike":
            condition = SQL("ILIKE %s", f"%{value}%")
        else:
            return NotImplemented
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s %s", self._get_key_sql(alias, "from_domain", query), condition
            )
        )

    @api.model
    def unlinked_groups(
        self,
        domain,
        offset=0,
        limit=60,
        ignored=False,
        by="from_address",
        keys=None,
        first_rows=0,
    ):
        """Return the groups of the emails that wait, that of the newest email first.

        :param domain: on this model
        :param str by: one of `GROUPINGS`; a day is one where the user is
        :param list keys: only these groups, as they are now; "total" and "mails" are
            then of them
        :param int first_rows: so many emails of the first group come with it
        :return: {"groups": [{"key": str, as `unlinked_page` takes it, "label", "count",
            "latest"; and "address", "name" and "subject" of its newest email}],
            "total": how many groups there are, "mails": how many emails, "first": what
            `unlinked_page` gives of the first group, None if it was not asked for}
        """
        self._check_grouping(by)
        found = self._get_unlinked_domain(domain, ignored)
        if keys is not None:
            found &= self._get_groups_domain(by, list(keys)[:MAX_GROUPS])
        offset = max(min(int(offset), MAX_OFFSET), 0)
        limit = max(min(int(limit), MAX_GROUPS), 0)
        if keys is not None or not Domain(domain or []).is_true():
            rows, total, mails = self._count_groups(found, by, offset, limit)
        elif by.startswith("date:"):
            rows, total, mails = self._list_dates(found, ignored, by, offset, limit)
        else:
            rows, total, mails = self._list_groups(found, ignored, by, offset, limit)
        heads = self._get_heads([row[3] for row in rows])
        groups = [
            {
                **self._name_group(by, key, heads[copy_id]),
                **heads[copy_id],
                "count": count,
                "latest": fields.Datetime.to_string(latest),
            }
            for key, count, latest, copy_id in rows
        ]
        first = None
        if groups and first_rows:
            first = self.unlinked_page(
                domain, limit=first_rows, ignored=ignored, key=groups[0]["key"], by=by
            )
        return {"groups": groups, "total": total, "mails": mails, "first": first}

    # --- what makes a group ---

    @api.model
    def _check_grouping(self, by):
        if by not in GROUPINGS:
            raise UserError(self.env._("These mails cannot be grouped by “%s”.", by))

    @api.model
    def _get_key_sql(self, alias, by, query):
        """Return what the emails of a group have in common."""
        if by == "from_domain":
            address = self._get_key_sql(alias, "from_address", query)
            return SQL("split_part(%s, '@', -1)", address)
        key = self._read_group_groupby(alias, by, query)
        return SQL("COALESCE(%s, '')", key) if by == "from_address" else key

    @api.model
    def _name_group(self, by, key, head):
        """Return the key of a group as the screen has it, and its label."""
        if by.startswith("date:"):
            formatter = self._web_read_group_groupby_formatter(by, [key])
            (_start, label), _domain = formatter(key)
            return {"key": fields.Date.to_string(key), "label": label}
        if by == "account_id":
            mailbox = self.env["easycrm.email.account"].sudo().browse(key)
            return {"key": str(key), "label": mailbox.name}
        label = by == "from_address" and head["name"] or key
        return {"key": key, "label": label or self.env._("No sender")}

    @api.model
    def _get_zone(self):
        """Return the name of the time zone that the user's days are counted in."""
        zone = self.env.context.get("tz")
        return zone if zone in pytz.all_timezones_set else "UTC"

    @api.model
    def _get_group_domain(self, by, key):
        """Return the domain of the emails of one group.

        :param str key: as `unlinked_groups` gives it
        """
        self._check_grouping(by)
        if by == "from_address":
            return Domain(by, "in", [str(key)] if key else ["", False])
        if by == "from_domain":
            return Domain(by, "in", [str(key)])
        try:
            if by == "account_id":
                return Domain(by, "=", int(key))
            start = fields.Date.to_date(key)
            end = start + READ_GROUP_TIME_GRANULARITY[by.partition(":")[2]]
            # (core has a day begin at the later midnight, where there are two)
            zone = pytz.timezone(self._get_zone())
            return Domain("date", ">=", begin_of(start, zone)) & Domain(
                "date", "<", begin_of(end, zone)
            )
        except (OverflowError, TypeError, ValueError):
            raise UserError(
                self.env._("The list has changed. Please load it again.")
            ) from None

    @api.model
    def _get_groups_domain(self, by, keys):
        """Return the domain of the emails of these groups.

        :param list keys: as `unlinked_groups` gives them
        """
        if by in ("from_address", "from_domain"):
            names = [str(to_storable(key)) for key in keys]
            if by == "from_address" and "" in names:
                names.append(False)
            return Domain(by, "in", names)
        return Domain.OR(self._get_group_domain(by, to_storable(key)) for key in keys)

    # --- which groups there are ---

    @api.model
    def _list_groups(self, domain, ignored, by, offset, limit):
        """Return a page of the groups of all that waits, without looking at all of it.

        Down the list of emails as far as so many groups reach; the tally has the rest.

        :return: [(key, emails, date and id of the newest)], how many groups and emails
        """
        tally = self.env["easycrm.email.tally"]
        accounts = access.own_account_ids(self.env)
        total, mails = tally._count_groups(accounts, ignored, by)
        wanted = min(offset + limit, total) - offset
        for looked_at in LOOKED_AT:
            if looked_at < offset + limit:
                continue
            newest = self._find_newest_groups(domain, by, looked_at, offset, limit)
            if len(newest) >= wanted:
                keys = [key for key, _latest, _copy in newest]
                counts = tally._count_of(accounts, ignored, by, keys)
                rows = [
                    (key, counts.get(key, 0), latest, copy_id)
                    for key, latest, copy_id in newest
                ]
                return rows, total, mails
        return self._count_groups(domain, by, offset, limit)

    @api.model
    def _find_newest_groups(self, domain, by, looked_at, offset, limit):
        """Return [(key, date and id of the newest email)] of the newest emails."""
        newest = self._get_newest_sql(
            domain,
            looked_at,
            lambda query: SQL("%s AS key", self._get_key_sql(query.table, by, query)),
            is_each=by == "account_id",
        )
        if not newest:
            return []
        return self.env.execute_query(
            SQL(
                """
                SELECT key, max(date) AS latest,
                    (array_agg(id ORDER BY date DESC, id DESC))[1]
                FROM (%s) AS newest
                GROUP BY key ORDER BY latest DESC, key DESC LIMIT %s OFFSET %s
                """,
                newest,
                limit,
                offset,
            )
        )

    @api.model
    def _list_dates(self, domain, ignored, by, offset, limit):
        """Return the same of dates: from the newest email of each to the one before.

        So each is counted along the index, and none has to be asked which day it is.
        """
        self.flush_model()
        accounts = list(access.own_account_ids(self.env))
        is_waiting = SQL(
            "held.is_unlinked IS TRUE AND held.ignored %s",
            SQL("IS TRUE" if ignored else "IS NOT TRUE"),
        )
        key = self._read_group_groupby("step", by, self._search(domain))
        # Where midnight is twice, the later one is read. And no step may stay where it
        # is, whatever clocks have done: else it would be made for ever.
        begin = SQL(
            """LEAST(step.date, timezone('UTC', timezone(%(zone)s, %(key)s)),
                timezone('UTC', timezone(%(zone)s, %(key)s - INTERVAL '1 hour'))
                    + INTERVAL '1 hour')""",
            zone=self._get_zone(),
            key=key,
        )

        def get_newest(condition):
            return SQL(
                """
                SELECT max(newest.date) FROM unnest(%s::int[]) AS account (id)
                CROSS JOIN LATERAL (
                    SELECT held.date FROM easycrm_email_copy held
                    WHERE held.account_id = account.id AND %s AND %s
                    ORDER BY held.date DESC LIMIT 1) AS newest
                """,
                accounts,
                is_waiting,
                condition,
            )

        found = SQL(
            """
            WITH RECURSIVE step (date) AS (
                %(newest)s
                UNION ALL
                SELECT (%(before)s) FROM step WHERE step.date IS NOT NULL
            )
            SELECT %(key)s AS key, sum((
                SELECT count(*) FROM easycrm_email_copy held
                WHERE held.account_id = ANY(%(accounts)s) AND %(is_waiting)s
                  AND held.date >= %(begin)s AND held.date <= step.date
            ))::bigint AS mails, max(step.date) AS latest
            FROM step WHERE step.date IS NOT NULL GROUP BY 1
            """,
            newest=get_newest(SQL("TRUE")),
            before=get_newest(SQL("held.date < %s", begin)),
            key=key,
            accounts=accounts,
            is_waiting=is_waiting,
            begin=begin,
        )
        waiting = self._get_waiting_sql(domain, by)
        return self._take_groups(found, waiting, offset, limit)

    @api.model
    def _count_groups(self, domain, by, offset, limit):
        """Return the same of any domain: what it finds is looked at, all of it."""
        waiting = self._get_waiting_sql(domain, by)
        found = SQL(
            """
            SELECT key, count(*) AS mails, max(date) AS latest
            FROM (%s) AS waiting GROUP BY key
            """,
            waiting,
        )
        return self._take_groups(found, waiting, offset, limit)

    @api.model
    def _get_waiting_sql(self, domain, by):
        """Return the query of the key, date and id of what a domain finds."""
        query = self._search(domain)
        return query.select(
            SQL("%s AS key", self._get_key_sql(query.table, by, query)),
            SQL("%s AS date", self._field_to_sql(query.table, "date", query)),
            SQL("%s AS id", SQL.identifier(query.table, "id")),
        )

    @api.model
    def _take_groups(self, found, waiting, offset, limit):
        """Return a page of groups with the newest email of each, and how many in all.

        :param SQL found: query of the key, emails and latest date of each group
        :param SQL waiting: query of the key, date and id of the emails
        """
        rows = self.env.execute_query(
            SQL(
                """
                WITH found AS (%(found)s)
                SELECT total.groups, total.mails, page.key, page.mails, page.latest, (
                    SELECT id FROM (%(waiting)s) AS waiting
                    WHERE waiting.key = page.key AND waiting.date = page.latest
                    ORDER BY id DESC LIMIT 1)
                FROM (
                    SELECT count(*) AS groups, coalesce(sum(mails), 0)::bigint AS mails
                    FROM found
                ) AS total
                LEFT JOIN (
                    SELECT key, mails, latest FROM found
                    ORDER BY latest DESC, key DESC LIMIT %(limit)s OFFSET %(offset)s
                ) AS page ON TRUE
                ORDER BY page.latest DESC, page.key DESC
                """,
                found=found,
                waiting=waiting,
                limit=limit,
                offset=offset,
            )
        )
        total, mails = rows[0][:2]
        return [row[2:] for row in rows if row[5]], total, mails

    @api.model
    def _get_heads(self, copy_ids):
        """Return {id: who wrote these emails, and of what}.

        :return: dicts of "address", "name" and "subject"
        """
        self.env["easycrm.email.content"].flush_model()
        self.env["easycrm.email.participant"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT held.id, coalesce(held.from_address, ''), coalesce((
                    SELECT person.name FROM easycrm_email_participant person
                    WHERE person.email_id = held.email_id AND person.role = 'from'
                      AND person.address = held.from_address ORDER BY person.id LIMIT 1
                ), ''), coalesce(content.subject, '')
                FROM easycrm_email_copy held
                LEFT JOIN easycrm_email_content content
                  ON content.email_id = held.email_id
                WHERE held.id = ANY(%s)
                """,
                list(copy_ids),
            )
        )
        return {
            copy_id: {"address": address, "name": name, "subject": subject}
            for copy_id, address, name, subject in rows
        }
