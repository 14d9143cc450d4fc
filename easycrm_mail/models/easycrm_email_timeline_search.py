from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..messages import search_words, split_words
from . import access
from .easycrm_email_timeline import get_point
from .timeline_filters import Filters, UnknownFilter

#: Links that are looked at for one page: what is further back is for the next.
LOOKED_AT = 5000

#: The same for a later page, at first: mostly there is enough among so few.
LOOKED_AT_FIRST = 250

#: The newest links whose people can be chosen, and how many of these people.
PEOPLE_OF, PEOPLE_LIMIT = 1000, 50


class EasycrmEmailTimeline(models.AbstractModel):
    """The timeline narrowed to some of its emails.

    Its links are looked at newest first, a limited number for a page, and the filters
    keep some of these emails. For words, PostgreSQL goes by their index or by the
    emails that are looked at, whichever is fewer.
    """

    _inherit = "easycrm.email.timeline"

    @api.model
    def _easycrm_read_filters(self, values):
        try:
            return Filters.read(values)
        except UnknownFilter:
            raise UserError(
                self.env._("Emails cannot be filtered like that.")
            ) from None

    def _easycrm_find(self, links, filters, before, limit):
        """Return the next emails that fit, and what was found on the way.

        :param SQL links: see `_easycrm_get_visible_links`
        :param Filters filters:
        :param str before: `next` of the page before; empty for the first page
        :return: the emails' ids, `before` of the next page, and {"emails",
            "conversations", "looked_at"}: how many; "complete": whether that is all
        """
        if filters.direction == "campaign":  # no email is one
            nothing = {"emails": 0, "conversations": 0, "looked_at": 0}
            return [], False, {**nothing, "complete": True}
        sizes = [LOOKED_AT_FIRST, LOOKED_AT] if before else [LOOKED_AT]
        for size in sizes:
            newest = self._easycrm_select_newest(
                links, size, before, self._easycrm_get_shown_sql(links)
            )
            rows, looked_at, end = self._easycrm_look_through(filters, newest, size)
            if len(rows) > limit or not end:
                break
        found = {
            "emails": len(rows),
            "conversations": len({thread_id for _id, _date, thread_id in rows}),
            "looked_at": looked_at,
            "complete": not end,
        }
        if len(rows) > limit:
            email_id, date, _thread_id = rows[limit - 1]
            end = get_point(date, email_id)
        ids = [email_id for email_id, _date, _thread_id in rows[:limit]]
        return ids, end, found

    def _easycrm_look_through(self, filters, newest, size):
        """Return what fits among the next links.

        :param SQL newest: their select, of so many
        :return: [(email id, date, thread id)], how many emails were looked at, and
            the point where they end, False if nothing comes after them
        """
        words = split_words(filters.search)
        for model in ("", ".content", ".participant"):
            self.env[f"easycrm.email{model}"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                WITH links AS MATERIALIZED (%(newest)s),
                looked AS MATERIALIZED (
                    SELECT DISTINCT email_id, date, thread_id FROM links
                ),
                %(fitting)s
                SELECT (SELECT count(*) FROM links), (SELECT count(*) FROM looked),
                       last.date, last.email_id, fitting.*
                FROM (SELECT date, email_id FROM looked
                      ORDER BY date, email_id LIMIT 1) AS last
                LEFT JOIN fitting ON TRUE
                ORDER BY fitting.date DESC, fitting.email_id DESC
                """,
                newest=newest,
                fitting=self._easycrm_get_fitting_sql(filters, words),
            )
        )
        if not rows:
            return [], 0, False
        links_count, looked_at, last_date, last_id, *_found = rows[0]
        end = links_count == size and get_point(last_date, last_id)
        fitting = [row[4:] for row in rows if row[4]]
        if filters.search:
            fitting = [row[:3] for row in fitting if has_all(words, *row[3:])]
        return fitting, looked_at, end

    def _easycrm_get_fitting_sql(self, filters, words):
        """Return the tables that end in `fitting`: the rows of `looked` that fit.

        Of a search, those with any of its words and where these stand: `has_all` tells
        whether they are all there.
        """
        tables, joins, conditions = [], [], [SQL("TRUE")]
        columns = [SQL("looked.email_id"), SQL("looked.date"), SQL("looked.thread_id")]
        if of_email := self._easycrm_get_email_sql(filters):
            conditions.append(of_email)
        if filters.person:
            conditions.append(
                SQL(
                    """EXISTS (SELECT FROM easycrm_email_participant person
                               WHERE person.email_id = looked.email_id
                                 AND person.address = %s AND %s OFFSET 0)""",
                    filters.person.lower(),
                    self._easycrm_get_person_sql("person"),
                )
            )
        if filters.search:
            tables += [
                self._easycrm_get_said_sql(words),
                self._easycrm_get_people_sql(words),
            ]
            joins.append(SQL("LEFT JOIN said USING (email_id)"))
            joins.append(SQL("LEFT JOIN people USING (email_id)"))
            columns += [SQL("said.hits"), SQL("said.subject"), SQL("people.hits")]
            conditions.append(SQL("num_nonnulls(said.email_id, people.email_id) > 0"))
        tables.append(
            SQL(
                """fitting AS (
                    SELECT %s FROM looked %s WHERE (%s))""",
                SQL(", ").join(columns),
                SQL(" ").join(joins),
                SQL(") AND (").join(conditions),
            )
        )
        return SQL(", ").join(tables)

    def _easycrm_get_email_sql(self, filters):
        """Return the condition on the email itself, or None."""
        conditions = []
        if filters.direction:
            written = self._easycrm_get_outbound_sql()
            conditions.append(
                written if filters.direction == "outbound" else SQL("NOT %s", written)
            )
        if filters.attachments:
            # they are shown to those who may read everything
            level = access.visible_content(self.env, SQL("email.id"), "everything")
            conditions.append(SQL("email.has_files AND %s", level))
        if not conditions:
            return None
        # (as a join, all emails would be read to find the few with attachments)
        return SQL(
            """EXISTS (SELECT FROM easycrm_email email
                       WHERE email.id = looked.email_id AND (%s) OFFSET 0)""",
            SQL(") AND (").join(conditions),
        )

    def _easycrm_get_outbound_sql(self):
        """Return the condition that a line says "Sent": as `_get_timeline_values`."""
        ours = self.env["easycrm.email"]._get_own_addresses()
        return SQL(
            """(email.direction = 'outbound' OR COALESCE((
                SELECT writer.address = ANY(%s) OR writer.address IN (
                    SELECT colleague.email_normalized FROM res_users users
                    JOIN res_partner colleague ON colleague.id = users.partner_id
                    WHERE users.active AND users.share IS NOT TRUE
                      AND colleague.email_normalized IS NOT NULL)
                FROM easycrm_email_participant writer
                WHERE writer.email_id = email.id AND writer.role = 'from'
                ORDER BY writer.id LIMIT 1), FALSE))""",
            list(ours),
        )

    def _easycrm_get_person_sql(self, alias):
        """Return the condition that a participant is shown: Bcc only to the sender."""
        return SQL(
            "(%s <> 'bcc' OR %s)",
            SQL.identifier(alias, "role"),
            access.own_copy(self.env, SQL.identifier(alias, "email_id"), "outbound"),
        )

    def _easycrm_get_said_sql(self, words):
        """Return the table `said`: which words stand in the text of which email.

        As far as the reader may read it: all of it (`hits`), or the `subject` alone.
        """
        email_id = SQL("content.email_id")
        queries = [word.query for word in words]
        return SQL(
            """said AS (
                SELECT content.email_id,
                    CASE WHEN level.is_all THEN ARRAY[%(hits)s]::bool[] END AS hits,
                    CASE WHEN NOT level.is_all THEN content.subject END AS subject
                FROM looked JOIN easycrm_email_content content USING (email_id)
                CROSS JOIN LATERAL (
                    SELECT %(all)s AS is_all, %(subject)s AS is_subject OFFSET 0
                ) AS level
                WHERE content.search_vector @@ %(any)s::tsquery
                  AND (level.is_all OR level.is_subject))""",
            hits=SQL(", ").join(
                SQL("content.search_vector @@ %s::tsquery", query) for query in queries
            ),
            all=access.visible_content(self.env, email_id, "everything"),
            subject=access.visible_content(self.env, email_id, "subject"),
            any=" | ".join(f"({query})" for query in queries),
        )

    def _easycrm_get_people_sql(self, words):
        """Return the table `people`: which words are of the people of which email."""
        unaccent = self.env.registry.unaccent
        text = unaccent(SQL("concat_ws(' ', person.name, person.address)"))
        hits = [
            SQL("%s ILIKE %s", text, unaccent(SQL("%s", word.pattern)))
            for word in words
        ]
        return SQL(
            """people AS (
                SELECT person.email_id, ARRAY[%(hits)s]::bool[] AS hits
                FROM looked JOIN easycrm_email_participant person USING (email_id)
                WHERE (%(any)s) AND %(shown)s
                GROUP BY person.email_id)""",
            hits=SQL(", ").join(SQL("bool_or(%s)", hit) for hit in hits),
            any=SQL(" OR ").join(hits) if hits else SQL("FALSE"),
            shown=self._easycrm_get_person_sql("person"),
        )

    def easycrm_people(self):
        """Return the people of the newest emails here, who wrote or got most first.

        :return: list of dict with `name`, `address` and `count`, without the reader
        :raise AccessError: the record is not for this user
        """
        self.ensure_one()
        self.check_access("read")
        self._easycrm_answer_at_once()
        links = self._easycrm_get_visible_links()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT max(person.name), person.address,
                       count(DISTINCT person.email_id) AS emails
                FROM (%(newest)s) AS links
                JOIN easycrm_email_participant person USING (email_id)
                WHERE %(shown)s AND person.address <> ALL(%(mine)s)
                GROUP BY person.address
                ORDER BY emails DESC, person.address LIMIT %(limit)s
                """,
                newest=self._easycrm_select_newest(
                    links, PEOPLE_OF, condition=self._easycrm_get_shown_sql(links)
                ),
                shown=self._easycrm_get_person_sql("person"),
                mine=list(self.env["easycrm.email"]._get_own_addresses()),
                limit=PEOPLE_LIMIT,
            )
        )
        return [
            {"name": name or "", "address": address, "count": count}
            for name, address, count in rows
        ]


def has_all(words, said, subject, people):
    """Tell whether an email has all words of a search, each in its text or people.

    :param list said: for each word, whether it is in the text; None for none of it
    :param str subject: what may be read instead
    :param list people: for each word, whether it is of the people; None for no word
    """
    subject_words = search_words(subject) if subject else ()
    return bool(words) and all(
        bool(said and said[index])
        or bool(people and people[index])
        or word.is_in(subject_words)
        for index, word in enumerate(words)
    )
