from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from . import access

#: The condition that `other` is another version of `email`.
SAME = SQL(
    """(other.company_id = email.company_id AND other.message_id = email.message_id
        AND other.date = email.date AND other.id <> email.id)"""
)


class EasycrmEmailTimeline(models.AbstractModel):
    """One email that mailboxes hold in different versions is one line.

    Lists put a footer under a mail, gateways rewrite it: Message-ID and Date are the
    same, the digest is not. (Scanners and broken senders use a Message-ID again, for
    mails that have nothing else in common.) Each version stays an email of its own with
    its own access; only the reader, of those that he may read here, sees one: his own
    mailbox's, else the one that came first.
    """

    _inherit = "easycrm.email.timeline"

    def _easycrm_get_shown_sql(self, links):
        """Return the condition on `link` that no other version is shown instead.

        :param SQL links: see `_easycrm_get_visible_links`
        """
        return SQL(
            """NOT EXISTS (
                SELECT FROM easycrm_email email, LATERAL (%s) AS twin
                WHERE email.id = link.email_id AND twin.is_better OFFSET 0)""",
            self._easycrm_get_twins_sql(links),
        )

    def _easycrm_get_twins(self, links, email_ids):
        """Return the other versions of emails that the reader may see here.

        :param SQL links: see `_easycrm_get_visible_links`
        :return: {email id: {id of a version: whether it is shown instead}}
        """
        if not email_ids:
            return {}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT email.id, twin.id, twin.is_better
                FROM easycrm_email email, LATERAL (%s) AS twin
                WHERE email.id = ANY(%s)
                """,
                self._easycrm_get_twins_sql(links),
                list(email_ids),
            )
        )
        twins = {}
        for email_id, twin_id, is_better in rows:
            twins.setdefault(email_id, {})[twin_id] = is_better
        return twins

    @api.model
    def _easycrm_get_has_twins_sql(self, email_id):
        """Return the condition that the email has versions, whoever may see them.

        :param SQL email_id: the column that holds the email's id
        """
        self.env["easycrm.email"].flush_model(["company_id", "message_id", "date"])
        return SQL(
            """EXISTS (SELECT FROM easycrm_email email
                       JOIN easycrm_email other ON %s
                       WHERE email.id = %s OFFSET 0)""",
            SAME,
            email_id,
        )

    def _easycrm_get_twins_sql(self, links):
        """Return the select of the other versions of `email` that stand here.

        :param SQL links: see `_easycrm_get_visible_links`
        """
        self.env["easycrm.email"].flush_model(["company_id", "message_id", "date"])
        return SQL(
            """SELECT other.id, (%(other_own)s, -other.id) > (%(own)s, -email.id)
                   AS is_better
               FROM easycrm_email other
               WHERE %(same)s
                 AND EXISTS (SELECT FROM (%(links)s) AS twin_link
                             WHERE twin_link.email_id = other.id
                               AND twin_link.%(field)s = %(record)s OFFSET 0)""",
            other_own=access.own_copy(self.env, SQL("other.id")),
            own=access.own_copy(self.env, SQL("email.id")),
            same=SAME,
            links=links,
            field=SQL.identifier(self._easycrm_get_link_field()),
            record=self.id,
        )


class EasycrmEmailLink(models.Model):
    """What is done to the line is done to all versions of the email that are there."""

    _inherit = "easycrm.email.link"

    def action_take_off(self):
        return super(EasycrmEmailLink, self | self._get_versions()).action_take_off()

    def action_put_back(self):
        versions = self.sudo()._get_versions()
        mine = versions.filtered(lambda link: link.write_uid == self.env.user)
        return super(EasycrmEmailLink, self | mine.sudo(False)).action_put_back()

    def _get_versions(self):
        """Return the links of the other versions on the same records.

        Those that the user may see, or all of them as superuser.
        """
        links = self.sudo()
        candidates = self.search(
            Domain("email_id.company_id", "in", links.company_id.ids)
            & Domain("email_id.message_id", "in", links.email_id.mapped("message_id"))
            & Domain("id", "not in", self.ids)
            & (
                Domain("partner_id", "in", links.partner_id.ids)
                | Domain("lead_id", "in", links.lead_id.ids)
            )
        )

        def key(link):
            email = link.email_id
            version = email.company_id, email.message_id, email.date
            return *version, link.partner_id, link.lead_id

        keys = {key(link) for link in links}
        return candidates.filtered(lambda link: key(link.sudo()) in keys)
