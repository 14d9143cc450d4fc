from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from . import access
from .guarded_one2many import GuardedOne2many

#: Emails on one page of the timeline.
PAGE = 30

#: What a timeline asks of its links.
LINK_COLUMNS = (
    *("email_id", "thread_id", "date"),
    *("partner_id", "lead_id", "commercial_partner_id"),
)

#: Totals are counted up to here, and told as "1,000+".
COUNT_LIMIT = 1000

#: What the versions of one email have in common, each counted once.
VERSION = SQL("(email.company_id, email.message_id, email.date)")

#: The select of how many emails and conversations there are `found`. Where no two have
#: the same date, none is another's version.
COUNTED = SQL(
    """SELECT CASE WHEN count(*) = count(DISTINCT date) THEN count(*)
           ELSE (SELECT count(DISTINCT %s) FROM found
                 JOIN easycrm_email email ON email.id = found.email_id)
       END AS emails, count(DISTINCT thread_id) AS threads FROM found""",
    VERSION,
)

#: Emails of one conversation that are opened at once.
THREAD_LIMIT = 200


def get_point(date, email_id):
    """Return a place in the timeline, as `before` names it."""
    return f"{fields.Datetime.to_string(date)}/{email_id}"


class EasycrmEmailTimeline(models.AbstractModel):
    """The Activity Timeline of a record: its emails, newest first, by conversation.

    It pages by (date, id) along an index of the link table, and along those of what
    went to many: a page costs a page, with ten mails on the record or a hundred
    thousand.
    """

    _name = "easycrm.email.timeline"
    _description = "Activity Timeline"

    easycrm_email_link_ids = GuardedOne2many("easycrm.email.link", string="Emails")
    easycrm_email_count = fields.Integer(
        string="Number of Emails",
        compute="_compute_easycrm_email_count",
        groups="easycrm_mail.group_easycrm_mail_user",
    )

    @api.depends_context("uid", "allowed_company_ids")
    @api.depends("easycrm_email_link_ids.removed")
    def _compute_easycrm_email_count(self):
        self._easycrm_follow_addresses()  # an address that was just saved counts
        self._easycrm_answer_at_once()
        counts = self._easycrm_count_emails(self._easycrm_get_visible_links())
        for record in self:
            record.easycrm_email_count, _threads = counts.get(record.id, (0, 0))

    def easycrm_timeline(self, before=False, thread_id=False, filters=None):
        """Return a page of the timeline, or one whole conversation of it.

        :param str before: `next` of the page before; empty for the first page
        :param int thread_id: only this conversation, all of it
        :param dict filters: only the emails that fit, see `Filters`
        :return: dict with `conversations`, each with `thread_id`, `count`, `privacy`
            (see `easycrm.email.thread`; False where the user has nothing of it in a
            mailbox of his own) and `emails` (newest first; a mailing is one, with the
            direction `campaign` and an id below zero); a page has also `next`, `count`,
            `count_capped`, `conversation_count`, `campaign_count`, `looked_at`,
            `empty`, `empty_detail` (where it is the only one), `progress` and `notices`
        :raise AccessError: the record is not for this user
        :raise UserError: `before` or `filters` are none
        """
        self.ensure_one()
        self.check_access("read")
        self._easycrm_follow_addresses()
        self._easycrm_answer_at_once()
        filters = self._easycrm_read_filters(filters)
        links = self._easycrm_get_visible_links()
        counts = found = None
        if thread_id:
            if type(thread_id) is not int:  # True is one, too
                raise UserError(self.env._("This conversation is gone."))
            in_thread = SQL("thread_id = %s", thread_id)
            versions, _next = self._easycrm_page(links, False, THREAD_LIMIT, in_thread)
            return {"conversations": self._easycrm_fold(links, versions)}
        if filters:
            ids, next_page, found = self._easycrm_find(links, filters, before, PAGE)
            twins = self._easycrm_get_twins(links, ids)
            versions = {email_id: twins.get(email_id, {}) for email_id in ids}
        elif before:
            versions, next_page = self._easycrm_page(links, before, PAGE)
        else:
            versions, next_page, counts = self._easycrm_first_page(links)
        campaigns = self._easycrm_find_campaigns(filters, before)
        ids, next_page = self._easycrm_add_campaigns(
            campaigns, list(versions), next_page
        )
        versions = {id_: versions[id_] for id_ in ids if id_ in versions}
        page = {
            "conversations": self._easycrm_put_campaigns(
                self._easycrm_fold(links, versions), ids
            ),
            "next": next_page,
        }
        if not before:
            page.update(self._easycrm_get_header(links, page, counts, found, campaigns))
        return page

    @api.model
    def _easycrm_answer_at_once(self):
        """Have PostgreSQL compile none of this transaction's queries.

        By the conditions of access it takes those of a page for expensive ones:
        compiling them would take seconds, answering takes milliseconds.
        """
        self.env.cr.execute("SET LOCAL jit TO off")

    def _easycrm_get_link_field(self):
        """Return the field of the links that stand on this record's timeline."""
        return self.env["easycrm.email.address"]._get_owner_field(self._name)

    @api.model
    def _easycrm_get_visible_links(self):
        """Return the select of the links that this user may see, on whatever record.

        It is made once for a page and stands in all its statements: to put the
        conditions of access together takes longer than to answer by them. As nothing
        is limited or sorted in it, PostgreSQL reads its table along any index.
        """
        Link = self.env["easycrm.email.link"]
        Link.flush_model()
        query = Link._search(Domain("removed", "=", False))
        return query.select(*(SQL.identifier(Link._table, n) for n in LINK_COLUMNS))

    def _easycrm_select_newest(self, links, limit, before=False, condition=None):
        """Return the select of this record's newest links: date, email_id, thread_id.

        In the order of the timeline, and of the indexes that it reads along.

        :param SQL links: see `_easycrm_get_visible_links`
        :param str before: the point after which they begin
        :param SQL condition: on `link`
        :raise UserError: `before` is no point
        """
        conditions = [
            SQL("%s = %s", SQL.identifier(self._easycrm_get_link_field()), self.id)
        ]
        if before:
            point = self._easycrm_read_point(before)
            conditions.append(SQL("(date, email_id) < %s", point))
        if condition:
            conditions.append(condition)
        return SQL(
            """SELECT date, email_id, thread_id FROM (%s) AS link WHERE %s
               ORDER BY date DESC, email_id DESC LIMIT %s""",
            links,
            SQL(" AND ").join(conditions),
            limit,
        )

    def _easycrm_page(self, links, before, limit, condition=None):
        """Return the next emails before a point, and the point where they end.

        An email stands once, though it may be on several people of a company: links
        of the same email are neighbours in the order that is read.

        :return: {email id: its other versions, see `_easycrm_get_twins`}, a point
        """
        found, dates, last = {}, {}, before
        while len(found) <= limit:
            newest = self._easycrm_select_newest(links, limit + 1, last, condition)
            # hardly any email has versions, and to plan who may see them takes long
            rows = self.env.execute_query(
                SQL(
                    "SELECT date, email_id, %s FROM (%s) AS newest",
                    self._easycrm_get_has_twins_sql(SQL("newest.email_id")),
                    newest,
                )
            )
            twins = self._easycrm_get_twins(links, {row[1] for row in rows if row[2]})
            for date, email_id, _has_twins in rows:
                versions = twins.get(email_id, {})
                if not any(versions.values()):  # none is shown instead
                    found[email_id], dates[email_id] = versions, date
            if len(rows) <= limit:
                break
            last = get_point(*rows[-1][:2])
        ids = list(found)[:limit]
        next_page = get_point(dates[ids[-1]], ids[-1]) if len(found) > limit else False
        return {email_id: found[email_id] for email_id in ids}, next_page

    def _easycrm_first_page(self, links):
        """Return the first page as `_easycrm_page` does, and how many emails there are.

        In one statement: what is counted begins with what is shown.

        :return: versions, a point, and (emails, their conversations)
        """
        rows = self.env.execute_query(
            SQL(
                """
                WITH found AS MATERIALIZED (%(found)s), counted AS (%(counted)s)
                SELECT date, email_id, %(has_twins)s, emails, threads
                FROM counted, (
                    SELECT date, email_id FROM found
                    ORDER BY date DESC, email_id DESC LIMIT %(limit)s
                ) AS newest
                """,
                found=self._easycrm_select_counted(
                    links, self._easycrm_get_link_field(), SQL("%s", self.id)
                ),
                counted=COUNTED,
                has_twins=self._easycrm_get_has_twins_sql(SQL("newest.email_id")),
                limit=PAGE + 1,
            )
        )
        counts = rows[0][3:] if rows else (0, 0)
        if any(row[2] for row in rows):
            return *self._easycrm_page(links, False, PAGE), counts
        next_page = len(rows) > PAGE and get_point(*rows[PAGE - 1][:2])
        return {row[1]: {} for row in rows[:PAGE]}, next_page, counts

    @api.model
    def _easycrm_read_point(self, point):
        """Return the date and the id of a point in the timeline's order.

        :param str point: "<date>/<id>"; that of a mailing is below zero
        :raise UserError: it is no such point
        """
        date, _sep, email_id = str(point).partition("/")
        try:
            date, email_id = fields.Datetime.to_datetime(date), int(email_id)
            if not date or abs(email_id) >= 2**31:
                raise ValueError(point)
        except ValueError:
            raise UserError(self.env._("This page of the timeline is gone.")) from None
        return date, email_id

    def _easycrm_fold(self, links, versions):
        """Gather emails by conversation, in the order of each one's newest.

        :param dict versions: {email id: its other versions}
        """
        folded = {}
        if not versions:
            return []
        emails = self.env["easycrm.email"].browse(versions)
        for values in emails._get_timeline_values():
            others = versions[values["id"]]
            values["versions"] = sorted([values["id"], *others]) if others else []
            folded.setdefault(values["thread_id"], []).append(values)
        threads = self._easycrm_get_threads(links, list(folded))
        conversations = []
        for thread_id, values in folded.items():
            count, privacy = threads.get(thread_id, (0, None))
            conversations.append(
                {
                    "thread_id": thread_id,
                    "count": max(count, len(values)),
                    "privacy": privacy or False,
                    "emails": values,
                }
            )
        return conversations

    def _easycrm_get_threads(self, links, thread_ids):
        """Return {thread id: (how many emails of it stand here, whose it is)}.

        The latter of those that are the user's own, see `easycrm.email.thread`.
        """
        # "+ 0": by the conversations' few links. PostgreSQL would read the index of all
        # the record's links too, a hundred thousand of them, to intersect the two.
        rows = self.env.execute_query(
            SQL(
                """
                SELECT counted.id, counted.emails, CASE WHEN counted.is_own THEN (
                    SELECT %(privacy)s FROM easycrm_email_thread thread
                    WHERE thread.id = counted.id) END
                FROM (
                    SELECT link.thread_id AS id, count(DISTINCT %(version)s) AS emails,
                           bool_or(%(own)s) AS is_own
                    FROM (%(links)s) AS link
                    JOIN easycrm_email email ON email.id = link.email_id
                    WHERE link.thread_id = ANY(%(threads)s)
                      AND link.%(field)s + 0 = %(record)s
                    GROUP BY link.thread_id
                ) AS counted
                """,
                privacy=self.env["easycrm.email.thread"]._get_privacy_sql("thread"),
                version=VERSION,
                own=access.own_copy(self.env, SQL("link.email_id")),
                links=links,
                threads=thread_ids,
                field=SQL.identifier(self._easycrm_get_link_field()),
                record=self.id,
            )
        )
        return {thread_id: (count, privacy) for thread_id, count, privacy in rows}

    def _easycrm_count_emails(self, links):
        """Count the emails of each record, up to the limit: one more says "and more".

        :return: {record id: (emails, their conversations)}
        """
        by_field = {}
        for record in self.filtered("id"):
            by_field.setdefault(record._easycrm_get_link_field(), []).append(record.id)
        counts = {}
        for field, ids in by_field.items():
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT owner.id, counted.emails, counted.threads
                    FROM unnest(%s) AS owner (id), LATERAL (
                        WITH found AS MATERIALIZED (%s) %s
                    ) AS counted
                    """,
                    ids,
                    self._easycrm_select_counted(links, field, SQL("owner.id")),
                    COUNTED,
                )
            )
            counts.update((owner, tuple(numbers)) for owner, *numbers in rows)
        return counts

    @api.model
    def _easycrm_select_counted(self, links, field, record_id):
        """Return the select of the newest emails of a record, as many as are counted.

        :param str field: of the links, that points to the record
        :param SQL record_id:
        """
        return SQL(
            """SELECT DISTINCT ON (date, email_id) email_id, date, thread_id
               FROM (%s) AS link WHERE link.%s = %s
               ORDER BY date DESC, email_id DESC LIMIT %s""",
            links,
            SQL.identifier(field),
            record_id,
            COUNT_LIMIT + 1,
        )
