import re
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.mail import email_split_tuples

from ..messages import split_words
from .easycrm_email_timeline import COUNT_LIMIT, PAGE, get_point
from .link_tracker_click import LINK_NAME
from .timeline_merge import Stream, merge

#: Links of a mailing that are named on its line.
LINKS = 3

#: Characters of a reason that are shown.
REASON = 200

#: What is written for each recipient in the subject of a mailing.
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}")

#: What a server puts before its reason, for other servers.
_CODES = re.compile(r"^\d{3}[ -]+(?:#?\d\.\d{1,3}\.\d{1,3}[ :-]*)?")


class Campaigns(NamedTuple):
    """The next mailings of a timeline."""

    stream: Stream
    count: int  # of all that come next, up to a limit
    fitting: int  # of these, how many fit the filters


class EasycrmEmailTimeline(models.AbstractModel):
    """Mailings on the timeline: what a record got as one of many.

    They stand among the emails by when they were sent. Each is known by its recipient
    (`mailing.trace`), and its id on the timeline is that id below zero: so (date, id)
    is one order for both, and a place in it one text.

    They are no private mail: whoever of our own may read the record sees them.
    """

    _inherit = "easycrm.email.timeline"

    def _easycrm_add_campaigns(self, campaigns, email_ids, next_page):
        """Put mailings among the emails of a page.

        :param Campaigns campaigns:
        :param list email_ids: newest first
        :param str next_page: where their next page begins
        :return: ids of the emails and mailings of the page, and where the next begins
        """
        if not any(campaigns.stream):
            return email_ids, next_page
        emails = self.env["easycrm.email"].sudo().browse(email_ids)
        end = self._easycrm_read_point(next_page) if next_page else None
        points, last = merge(
            [
                Stream([(email.date, email.id) for email in emails], end),
                campaigns.stream,
            ],
            PAGE,
        )
        ids = [row_id for _date, row_id in points]
        return ids, get_point(*last) if last else False

    def _easycrm_find_campaigns(self, filters, before):
        """Return the next `Campaigns` that fit.

        :param Filters filters:
        :param str before: see `easycrm_timeline`
        """
        if not self.env.user._is_internal():
            return Campaigns(Stream([], None), 0, 0)
        self.env["mailing.trace"].flush_model()
        self.env["mailing.mailing"].flush_model(["subject", "email_from"])
        # (a first page tells how many they are)
        size = PAGE + 1 if before and not filters else COUNT_LIMIT + 1
        rows = self.env.execute_query(
            SQL(
                """
                WITH found AS MATERIALIZED (%(found)s),
                fitting AS MATERIALIZED (
                    SELECT found.date, -found.id AS id FROM found
                    JOIN mailing_trace trace ON trace.id = found.id
                    JOIN mailing_mailing mailing ON mailing.id = trace.mass_mailing_id
                    WHERE %(condition)s
                )
                SELECT number.found, number.fitting, oldest.*, newest.*
                FROM (SELECT (SELECT count(*) FROM found) AS found,
                             (SELECT count(*) FROM fitting) AS fitting) AS number
                LEFT JOIN (SELECT date, -id FROM found ORDER BY date, id DESC LIMIT 1)
                    AS oldest ON number.found = %(size)s
                LEFT JOIN (SELECT date, id FROM fitting
                           ORDER BY date DESC, id DESC LIMIT %(limit)s)
                    AS newest ON TRUE
                ORDER BY newest.date DESC, newest.id DESC
                """,
                found=self._easycrm_select_campaigns(before, size),
                condition=self._easycrm_get_campaign_sql(filters),
                size=size,
                limit=PAGE + 1,
            )
        )
        count, fitting, *oldest = rows[0][:4]
        points = [row[4:] for row in rows if row[4]]
        end = tuple(oldest) if oldest[0] else None
        if len(points) > PAGE:
            end = points[PAGE - 1]
        return Campaigns(Stream(points[:PAGE], end), count, fitting)

    def _easycrm_select_campaigns(self, before, limit):
        """Return the select of this record's newest mailings: date, id of the trace.

        Those that it got as itself, a company also what its people got; and those of
        mailing lists, whose contacts know nothing of it, by its addresses. Each kind
        along an index, in its order.

        :param str before: the point after which they begin
        """
        conditions = [
            SQL(
                """trace_type = 'mail' AND is_test_trace IS NOT TRUE
                   AND sent_datetime IS NOT NULL"""
            ),
            self._easycrm_get_own_companies_sql(),
        ]
        if before:
            date, row_id = self._easycrm_read_point(before)
            conditions.append(SQL("sent_datetime <= %s", date))
            conditions.append(SQL("(sent_datetime, -id) < (%s, %s)", date, row_id))
        newest = SQL(
            "AND %s ORDER BY sent_datetime DESC, id LIMIT %s",
            SQL(" AND ").join(conditions),
            limit,
        )
        Address = self.env["easycrm.email.address"]
        Address.flush_model()
        return SQL(
            """
            SELECT date, id FROM (
                (SELECT sent_datetime AS date, id FROM mailing_trace trace
                 WHERE %(own)s %(newest)s)
                UNION
                SELECT listed.date, listed.id FROM easycrm_email_address address,
                LATERAL (
                    SELECT sent_datetime AS date, id FROM mailing_trace
                    WHERE email = address.address AND model = 'mailing.contact'
                    %(newest)s
                ) AS listed
                WHERE address.%(owner)s = %(record)s
            ) AS mailing ORDER BY date DESC, id LIMIT %(limit)s
            """,
            own=self._easycrm_get_own_campaigns_sql(),
            record=self.id,
            owner=SQL.identifier(Address._get_owner_field(self._name)),
            newest=newest,
            limit=limit,
        )

    def _easycrm_get_own_campaigns_sql(self):
        """Return the condition on `trace` that this record, or one of it, got it."""
        return SQL("model = %s AND res_id = %s", self._name, self.id)

    @api.model
    def _easycrm_get_own_companies_sql(self):
        """Return the condition that no other company's sender sent it."""
        others = (
            self.env["easycrm.esp"]
            .sudo()
            .with_context(active_test=False)
            .search([("company_id", "not in", self.env.companies.ids)])
        )
        if not others:
            return SQL("TRUE")
        return SQL("(easycrm_esp_id IS NULL OR easycrm_esp_id <> ALL(%s))", others.ids)

    @api.model
    def _easycrm_get_campaign_sql(self, filters):
        """Return the condition on `trace` and `mailing` that a mailing fits."""
        words = split_words(filters.search)
        if (
            filters.attachments
            or filters.direction not in ("", "campaign")
            or filters.search
            and not words
        ):
            return SQL("FALSE")
        conditions = [SQL("TRUE")]
        if filters.person:
            conditions.append(SQL("trace.email = %s", filters.person.lower()))
        unaccent = self.env.registry.unaccent
        text = unaccent(
            SQL("concat_ws(' ', mailing.subject, mailing.email_from, trace.email)")
        )
        conditions += [
            SQL("%s ILIKE %s", text, unaccent(SQL("%s", word.pattern)))
            for word in words
        ]
        return SQL(" AND ").join(conditions)

    def _easycrm_put_campaigns(self, conversations, ids):
        """Return the conversations and mailings of a page, in its order.

        :param list conversations: of its emails
        :param list ids: of its emails and mailings
        """
        shown = {
            email["id"]: conversation
            for conversation in conversations
            for email in conversation["emails"]
        }
        for values in self._easycrm_get_campaign_values(
            [-id_ for id_ in ids if id_ < 0]
        ):
            shown[values["id"]] = {
                "thread_id": values["id"],
                "count": 1,
                "privacy": False,
                "emails": [values],
            }
        placed = {shown[id_]["thread_id"]: shown[id_] for id_ in ids if id_ in shown}
        return list(placed.values())

    def _easycrm_get_campaign_values(self, trace_ids):
        """Return what a line of the timeline shows of these mailings, as of an email.

        What became of it stands in `campaign`; what machines did is not told.
        """
        if not trace_ids:
            return []
        self.env["link.tracker.click"].flush_model()
        self.env["link.tracker"].flush_model()
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT trace.id, trace.sent_datetime, trace.email, trace.trace_status,
                    trace.open_datetime, trace.reply_datetime, trace.failure_reason,
                    trace.easycrm_esp_id, trace.easycrm_open_count,
                    trace.easycrm_last_open_at, trace.easycrm_complained_at,
                    trace.easycrm_unsubscribed_at, trace.easycrm_unsubscribed_from,
                    mailing.id AS mailing_id, mailing.subject, mailing.email_from,
                    %(person)s AS person, ARRAY(
                        SELECT %(name)s
                        FROM link_tracker_click click
                        JOIN link_tracker link ON link.id = click.link_id
                        WHERE click.mailing_trace_id = trace.id
                        GROUP BY 1 ORDER BY min(click.id)
                    ) AS links
                FROM mailing_trace trace
                JOIN mailing_mailing mailing ON mailing.id = trace.mass_mailing_id
                WHERE trace.id = ANY(%(traces)s)
                """,
                name=LINK_NAME,
                traces=trace_ids,
                person=self._easycrm_get_reached_sql(),
            )
        )
        people = {person.id: person for person in self._easycrm_get_people(rows)}
        for row in rows:
            row["person"] = people.get(row["person"], self)
        may_open = self.env["mailing.mailing"].has_access("read")
        return [self._easycrm_write_campaign(row, may_open) for row in rows]

    def _easycrm_write_campaign(self, row, may_open):
        """Return the values of one mailing.

        :param dict row: of its recipient, `person` a record
        :param bool may_open: whether the reader may open the mailing itself
        """
        name, address = next(
            iter(email_split_tuples(row["email_from"] or "")), ("", "")
        )
        opens = row["easycrm_open_count"] or 0
        left = self.env["mailing.trace"]._easycrm_say_left(
            row["easycrm_unsubscribed_from"]
        )
        if not opens and row["open_datetime"] and not row["easycrm_esp_id"]:
            opens = 1  # Odoo's own server does not count them
        reason = _CODES.sub("", " ".join((row["failure_reason"] or "").split()))
        write = fields.Datetime.to_string
        return {
            "id": -row["id"],
            "thread_id": -row["id"],
            "date": write(row["sent_datetime"]),
            "direction": "campaign",
            "from": {
                "name": name,
                "address": address,
                "me": False,
                "partner_id": False,
            },
            "to": [
                {
                    "name": row["person"]._easycrm_get_recipient_name(),
                    "address": row["email"] or "",
                    "me": False,
                    "partner_id": row["person"]._name == "res.partner"
                    and row["person"].id,
                }
            ],
            "cc": [],
            "bcc": [],
            "more_people": 0,
            "subject": _PLACEHOLDER.sub("…", row["subject"] or ""),
            "snippet": False,
            "level": "everything",
            "shared": None,
            "is_read": None,
            "large": False,
            "sharers": [],
            "attachments": [],
            "versions": [],
            "campaign": {
                "mailing_id": may_open and row["mailing_id"],
                "opens": opens,
                "opened_at": opens and write(row["open_datetime"]) or False,
                "last_opened_at": opens and write(row["easycrm_last_open_at"]) or False,
                "links": row["links"][:LINKS],
                "more_links": max(0, len(row["links"]) - LINKS),
                "replied": row["trace_status"] == "reply",
                "bounced": row["trace_status"] == "bounce",
                "reason": row["trace_status"] == "bounce" and reason[:REASON],
                "complained": bool(row["easycrm_complained_at"]),
                "unsubscribed": bool(row["easycrm_unsubscribed_at"]),
                "unsubscribed_from": left or False,
            },
        }

    def _easycrm_get_reached_sql(self):
        """Return the id of the contact that a `trace` went to, if not this record."""
        return SQL("NULL::integer")

    def _easycrm_get_people(self, rows):
        """Return the contacts that rows of recipients went to."""
        ids = {row["person"] for row in rows if row["person"]}
        return self.env["res.partner"].browse(ids)

    def _easycrm_get_recipient_name(self):
        """Return how a mailing's recipient is called."""
        return self.name or ""
