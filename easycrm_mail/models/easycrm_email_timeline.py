from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

#: Emails on one page of the timeline.
PAGE = 30

#: The order of the timeline, and of the indexes it reads along. By the column itself:
#: by "email_id" Odoo would sort as emails are sorted, and that the other way round.
TIMELINE_ORDER = "date desc, email_id.id desc"

#: Totals are counted up to here, and told as "1,000+".
COUNT_LIMIT = 1000

#: What the versions of one email have in common, each counted once.
VERSION = SQL("(email.company_id, email.message_id, email.date)")

#: The newest emails that tell which failing mailboxes a timeline would get mail from.
CONCERNED = 200

#: Emails of one conversation that are opened at once.
THREAD_LIMIT = 200


def get_point(date, email_id):
    """Return a place in the timeline, as `before` names it."""
    return f"{fields.Datetime.to_string(date)}/{email_id}"


class EasycrmEmailTimeline(models.AbstractModel):
    """The Activity Timeline of a record: its emails, newest first, by conversation.

    It pages by (date, email id) along an index of the link table: a page costs a page,
    with ten mails on the record or a hundred thousand.
    """

    _name = "easycrm.email.timeline"
    _description = "Activity Timeline"

    easycrm_email_link_ids = fields.One2many("easycrm.email.link", string="Emails")
    easycrm_email_count = fields.Integer(
        string="Number of Emails",
        compute="_compute_easycrm_email_count",
        groups="easycrm_mail.group_easycrm_mail_user",
    )

    @api.depends_context("uid", "allowed_company_ids")
    @api.depends("easycrm_email_link_ids.removed")
    def _compute_easycrm_email_count(self):
        self._easycrm_follow_addresses()  # an address that was just saved counts
        counts = self._easycrm_count_emails()
        for record in self:
            record.easycrm_email_count, _threads = counts.get(record.id, (0, 0))

    def easycrm_timeline(self, before=False, thread_id=False, filters=None):
        """Return a page of the timeline, or one whole conversation of it.

        :param str before: `next` of the page before; empty for the first page
        :param int thread_id: only this conversation, all of it
        :param dict filters: only the emails that fit, see `Filters`
        :return: dict with `conversations`, each with `thread_id`, `count` and `emails`
            (newest first); a page has also `next`, `count`, `count_capped`,
            `conversation_count`, `looked_at`, `empty`, `empty_detail`, `progress` and
            `notices`
        :raise AccessError: the record is not for this user
        :raise UserError: `before` or `filters` are none
        """
        self.ensure_one()
        self.check_access("read")
        self._easycrm_follow_addresses()
        self._easycrm_answer_at_once()
        filters = self._easycrm_read_filters(filters)
        domain = self._easycrm_get_line_domain()
        found = None
        if thread_id:
            if type(thread_id) is not int:  # True is one, too
                raise UserError(self.env._("This conversation is gone."))
            emails, _next = self._easycrm_page(
                domain & Domain("thread_id", "=", thread_id), False, THREAD_LIMIT
            )
            return {"conversations": self._easycrm_fold(emails)}
        if filters:
            emails, next_page, found = self._easycrm_find(filters, before, PAGE)
        else:
            emails, next_page = self._easycrm_page(domain, before, PAGE)
        page = {"conversations": self._easycrm_fold(emails), "next": next_page}
        if not before:
            page.update(self._easycrm_get_header(page, found))
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

    def _easycrm_get_link_domain(self):
        """Return the domain of the links that stand on this record's timeline."""
        field = self._easycrm_get_link_field()
        return Domain(field, "=", self.id) & Domain("removed", "=", False)

    def _easycrm_get_line_domain(self):
        """Return the domain of the links that are a line of this timeline."""
        return self._easycrm_get_link_domain() & self._easycrm_get_shown_domain(
            self._easycrm_get_link_field()
        )

    def _easycrm_get_addresses(self):
        """Return the addresses that find mail for this record."""
        Address = self.env["easycrm.email.address"].sudo()
        owner = Address._get_owner_field(self._name)
        rows = Address.search_fetch([(owner, "=", self.id)], ["address"], order="id")
        return rows.mapped("address")

    def _easycrm_page(self, domain, before, limit):
        """Return the next emails before a point, and the point where they end.

        An email stands once, though it may be on several people of a company: links
        of the same email are neighbours in the order that is read.
        """
        Link = self.env["easycrm.email.link"]
        found, last = {}, before
        while len(found) <= limit:
            page = domain & self._easycrm_get_before_domain(last) if last else domain
            query = Link._search(page, limit=limit + 1, order=TIMELINE_ORDER)
            links = self.env.execute_query(
                query.select(
                    SQL.identifier(Link._table, "date"),
                    SQL.identifier(Link._table, "email_id"),
                )
            )
            for date, email_id in links:
                found[email_id] = last = get_point(date, email_id)
            if len(links) <= limit:
                break
        ids = list(found)[:limit]
        next_page = found[ids[-1]] if len(found) > limit else False
        return self.env["easycrm.email"].browse(ids), next_page

    @api.model
    def _easycrm_get_before_domain(self, point):
        """Return the domain of the links after a point in the timeline's order.

        :param str point: "<date>/<email id>"
        :raise UserError: it is no such point
        """
        date, _sep, email_id = str(point).partition("/")
        try:
            date, email_id = fields.Datetime.to_datetime(date), int(email_id)
            if not date or not 0 <= email_id < 2**31:
                raise ValueError(point)
        except ValueError:
            raise UserError(self.env._("This page of the timeline is gone.")) from None
        return Domain("date", "<=", date) & (
            Domain("date", "<", date) | Domain("email_id", "<", email_id)
        )

    def _easycrm_fold(self, emails):
        """Gather emails by conversation, in the order of each one's newest."""
        folded = {}
        if not emails:
            return []
        versions = self._easycrm_get_versions(emails)
        for values in emails._get_timeline_values():
            values["versions"] = versions.get(values["id"], [])
            folded.setdefault(values["thread_id"], []).append(values)
        counts = self._easycrm_count_by_thread(list(folded))
        return [
            {
                "thread_id": thread_id,
                "count": max(counts.get(thread_id, 0), len(values)),
                "emails": values,
            }
            for thread_id, values in folded.items()
        ]

    def _easycrm_count_by_thread(self, thread_ids):
        links = self.env["easycrm.email.link"]
        field = self._easycrm_get_link_field()
        query = links._search(
            Domain("removed", "=", False) & Domain("thread_id", "in", thread_ids)
        )
        # "+ 0": by the conversations' few links. PostgreSQL would read the index of all
        # the record's links too, a hundred thousand of them, to intersect the two.
        column = SQL.identifier(links._table, field)
        query.add_where(SQL("%s + 0 = %s", column, self.id))
        rows = self.env.execute_query(
            SQL(
                """
                SELECT found.thread_id, count(DISTINCT %s) FROM (%s) AS found
                JOIN easycrm_email email ON email.id = found.email_id
                GROUP BY found.thread_id
                """,
                VERSION,
                query.select(
                    SQL.identifier(links._table, "thread_id"),
                    SQL.identifier(links._table, "email_id"),
                ),
            )
        )
        return dict(rows)

    def _easycrm_count_emails(self):
        """Count the emails of each record, up to the limit: one more says "and more".

        :return: {record id: (emails, their conversations)}
        """
        by_field = {}
        self._easycrm_answer_at_once()
        for record in self.filtered("id"):
            by_field.setdefault(record._easycrm_get_link_field(), []).append(record.id)
        counts = {}
        for field, ids in by_field.items():
            links = self.env["easycrm.email.link"]
            query = links._search(
                Domain("removed", "=", False),
                limit=COUNT_LIMIT + 1,
                order=TIMELINE_ORDER,
            )
            query.add_where(SQL("%s = owner.id", SQL.identifier(links._table, field)))
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT owner.id, counted.emails, counted.threads
                    FROM unnest(%s) AS owner (id), LATERAL (
                        SELECT count(DISTINCT %s) AS emails,
                               count(DISTINCT found.thread_id) AS threads
                        FROM (%s) AS found
                        JOIN easycrm_email email ON email.id = found.email_id
                    ) AS counted
                    """,
                    ids,
                    VERSION,
                    query.select(
                        SQL(
                            "DISTINCT ON (%s, %s) %s AS email_id",
                            SQL.identifier(links._table, "date"),
                            SQL.identifier(links._table, "email_id"),
                            SQL.identifier(links._table, "email_id"),
                        ),
                        SQL.identifier(links._table, "thread_id"),
                    ),
                )
            )
            counts.update((owner, tuple(numbers)) for owner, *numbers in rows)
        return counts

    # --- what stands above the emails, or in their place ---

    def _easycrm_get_header(self, page, found=None):
        """Return what the first page has beside its emails.

        :param dict found: what `_easycrm_find` found, of a filtered timeline
        """
        if found:
            count, conversations = found["emails"], found["conversations"]
        else:
            count, conversations = self._easycrm_count_emails()[self.id]
        mine = self._easycrm_get_own_accounts()
        reading = mine.filtered(lambda account: account.sync_stage != "idle")
        progress = {
            "done": sum(reading.mapped("sync_done")),
            "total": sum(reading.mapped("sync_total")),
        }
        if progress["done"] >= progress["total"]:
            progress = False
        return {
            "count": min(count, COUNT_LIMIT),
            "count_capped": count > COUNT_LIMIT
            or bool(found and not found["complete"]),
            "conversation_count": conversations,
            "looked_at": found["looked_at"] if found else count,
            "empty": self._easycrm_get_empty(page, found, mine, progress),
            "empty_detail": {
                "addresses": self._easycrm_get_addresses(),
                "mailboxes": len(mine),
                "since": fields.Date.to_string(
                    min(mine.mapped("sync_from"), default=False)
                ),
            },
            "progress": progress,
            "notices": self._easycrm_get_notices(mine),
        }

    def _easycrm_get_own_accounts(self):
        Account = self.env["easycrm.email.account"].sudo()
        return Account.browse(
            Account.with_env(self.env)._get_own_account_ids()
        ).filtered(
            lambda account: (
                account.active
                and account.company_id in self.env.companies
                and account.sync_status != "draft"
            )
        )

    def _easycrm_get_empty(self, page, found, mine, progress):
        """Say which empty timeline this is: the client never guesses."""
        if page["conversations"] or page["next"]:
            return False
        if found and found["looked_at"]:
            return "filtered"
        if not self._easycrm_get_addresses() and not self._easycrm_has_people():
            return "no_address"
        if not mine:
            return "connect"
        return "first_sync" if progress else "nothing"

    def _easycrm_has_people(self):
        """Tell whether the timeline shows mail of others who have an address."""
        return False

    def _easycrm_get_notices(self, mine):
        """Return the failing mailboxes that this user should know of, here."""
        failing = (
            self.env["easycrm.email.account"]
            .sudo()
            .search(
                [
                    ("sync_status", "=", "error"),
                    ("company_id", "in", self.env.companies.ids),
                ]
            )
        )
        others = self._easycrm_get_holders(failing - mine)
        return [
            account._get_notice(account in mine) for account in failing & mine | others
        ]

    def _easycrm_get_holders(self, accounts):
        """Return those of the mailboxes that hold some of the newest emails here."""
        if not accounts:
            return accounts
        links = self.env["easycrm.email.link"].search_fetch(
            self._easycrm_get_link_domain(),
            ["email_id"],
            limit=CONCERNED,
            order=TIMELINE_ORDER,
        )
        copies = self.env["easycrm.email.copy"].sudo()
        groups = copies._read_group(
            Domain("email_id", "in", links.email_id.ids)
            & Domain("account_id", "in", accounts.ids),
            ["account_id"],
        )
        return accounts.browse([account.id for (account,) in groups])
