from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from . import access
from .easycrm_email_copy import DIRECTIONS
from .guarded_one2many import GuardedOne2many


class EasycrmEmail(models.Model):
    """The envelope of an email, once per company.

    Its identity is (company, Message-ID, digest). By Message-ID alone, whoever appends
    a forged mail with a Message-ID seen elsewhere to an own mailbox would hold a copy
    of somebody's private mail, and read it.
    """

    _name = "easycrm.email"
    _description = "Email"
    _inherit = ["easycrm.email.access"]
    _order = "date desc, id desc"
    _rec_name = "subject"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    thread_id = fields.Many2one(
        "easycrm.email.thread",
        string="Conversation",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
    )
    message_id = fields.Char(string="Message-ID", required=True, readonly=True)
    # (what it was made from could be guessed and tried)
    digest = fields.Char(required=True, readonly=True, groups=fields.NO_ACCESS)
    date = fields.Datetime(required=True, readonly=True)
    direction = fields.Selection(DIRECTIONS, required=True, readonly=True)
    is_linked = fields.Boolean(readonly=True)
    unlinked_since = fields.Datetime(
        readonly=True,
        groups=fields.NO_ACCESS,
        help="When it left the last record that it stood on; empty: it never did.",
    )
    # (whether it is told follows from the share level: see `has_attachments`)
    has_files = fields.Boolean(readonly=True, groups=fields.NO_ACCESS)
    participant_ids = GuardedOne2many("easycrm.email.participant", "email_id")
    copy_ids = GuardedOne2many("easycrm.email.copy", "email_id")
    link_ids = GuardedOne2many("easycrm.email.link", "email_id")
    attachment_line_ids = GuardedOne2many("easycrm.email.attachment", "email_id")
    content_ids = GuardedOne2many("easycrm.email.content", "email_id")
    subject = fields.Char(compute="_compute_content", search="_search_subject")
    snippet = fields.Char(compute="_compute_content", search="_search_snippet")
    has_attachments = fields.Boolean(
        compute="_compute_content", search="_search_has_attachments"
    )
    body_html = fields.Html(
        compute="_compute_body_html", search="_search_body", sanitize=False
    )

    _date_idx = models.Index("(date DESC, id DESC)")
    _identity_unique = models.UniqueIndex("(company_id, message_id, digest)")

    @api.depends_context("uid", "su", "allowed_company_ids")
    @api.depends("content_ids.subject", "content_ids.snippet", "has_files")
    def _compute_content(self):
        levels = self._get_share_levels()
        contents = self.env["easycrm.email.content"].sudo()
        by_email = {
            content.email_id.id: content
            for content in contents.search_fetch(
                Domain("email_id", "in", self.ids), ["email_id", "subject", "snippet"]
            )
        }
        for email in self:
            level = levels.get(email.id)
            content = by_email.get(email.id, contents)
            email.subject = level in ("everything", "subject") and content.subject
            email.snippet = level == "everything" and content.snippet
            email.has_attachments = level == "everything" and email.sudo().has_files

    @api.depends_context("uid", "allowed_company_ids")
    @api.depends("subject")
    def _compute_display_name(self):
        # Core reads the names of what records point to as superuser: by a link or a
        # participant, the subject would be told to those from whom it is hidden.
        readable = self.sudo(False)._filtered_access("read")
        for email in self:
            mine = email.sudo(False)
            email.display_name = mine in readable and mine.subject or ""

    def _search_subject(self, operator, value):
        if operator in Domain.NEGATIVE_OPERATORS:
            return NotImplemented
        contents = self.env["easycrm.email.content"]
        condition = Domain("subject", operator, value)
        if not self.env.su:
            condition &= contents._get_level_domain("subject")
        return Domain("content_ids", "any!", condition)

    def _search_snippet(self, operator, value):
        return self._search_content("snippet", operator, value)

    def _search_has_attachments(self, operator, value):
        if operator != "in":
            return NotImplemented
        self.flush_model(["has_files"])

        def get_sql(model, alias, query):
            level = access.visible_content(
                self.env, SQL.identifier(alias, "id"), "everything"
            )
            return SQL(
                "(%s IS TRUE AND %s)",
                SQL.identifier(alias, "has_files"),
                SQL("TRUE") if self.env.su else level,
            )

        shown = Domain.custom(to_sql=get_sql)
        return Domain.OR(shown if one else ~shown for one in value)

    def _search_body(self, operator, value):
        return self._search_content("body_text", operator, value)

    def _search_content(self, field, operator, value):
        if operator in Domain.NEGATIVE_OPERATORS:
            return NotImplemented
        # `any`: the content's own access applies, searching reveals nothing more
        return Domain("content_ids", "any", Domain(field, operator, value))

    @api.model
    def _get_access_sql(self, alias):
        return access.visible_email(self.env, SQL.identifier(alias, "id"))

    def _get_share_levels(self):
        """Tell how much of these emails the user may see.

        :return: {email id: "everything", "subject" or "metadata"}
        """
        if self.env.su:
            return dict.fromkeys(self.ids, "everything")
        email_id = SQL("email.id")
        rows = self.env.execute_query(
            SQL(
                """
                SELECT email.id, CASE WHEN %s THEN %s ELSE 'metadata' END
                FROM unnest(%s::int[]) AS email (id)
                """,
                access.visible_email(self.env, email_id),
                self._get_level_sql(email_id),
                self.ids,
            )
        )
        return dict(rows)

    @api.model
    def _get_level_sql(self, email_id):
        """Return the share level of an email that the user may see to some extent.

        Whoever holds it sees all; to others the most generous mailbox shares it.

        :param SQL email_id: the column that holds the email's id
        """
        if self.env.su:
            return SQL("'everything'")
        return SQL(
            "CASE WHEN %s THEN 'everything' ELSE %s END",
            access.own_copy(self.env, email_id),
            access.shared_level(self.env, email_id),
        )

    def unlink(self):
        # the database would cascade to the lines, and leave their files behind
        self.attachment_line_ids.sudo().attachment_id.unlink()
        return super().unlink()

    def _unlink_unheld(self):
        """Delete those that no mailbox holds any more."""
        self.exists().filtered(lambda email: not email.copy_ids)._delete()

    def _update_linked(self):
        """Bring `is_linked`, and the copies' `is_unlinked`, up to what the links say.

        In SQL, for a batch or a million of them. Every email is written, also if it is
        right: of two transactions that link and take off at once, each of which does
        not see the other, the later one is made again.
        """
        if not self.ids:
            return
        self.env["easycrm.email.link"].flush_model(["email_id", "removed"])
        self.env.cr.execute(
            SQL(
                """
                WITH linked AS (
                    SELECT email.id, EXISTS (
                        SELECT FROM easycrm_email_link link
                        WHERE link.email_id = email.id AND link.removed IS NOT TRUE
                    ) AS yes
                    FROM easycrm_email email WHERE email.id = ANY(%(ids)s)
                ), emails AS (
                    UPDATE easycrm_email email SET is_linked = linked.yes,
                        unlinked_since = CASE
                            WHEN email.is_linked AND NOT linked.yes THEN %(now)s
                            ELSE email.unlinked_since END
                    FROM linked
                    WHERE linked.id = email.id
                )
                UPDATE easycrm_email_copy held SET is_unlinked = NOT linked.yes
                FROM linked
                WHERE linked.id = held.email_id
                  AND held.is_unlinked IS DISTINCT FROM NOT linked.yes
                RETURNING held.account_id
                """,
                ids=self.ids,
                now=fields.Datetime.now(),
            )
        )
        changed = {account_id for (account_id,) in self.env.cr.fetchall()}
        self.env["easycrm.email.copy"]._announce_unlinked(changed)
        self.invalidate_model(["is_linked", "unlinked_since"], flush=False)
        self.env["easycrm.email.copy"].invalidate_model(["is_unlinked"], flush=False)
