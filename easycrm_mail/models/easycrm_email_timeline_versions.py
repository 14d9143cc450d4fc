from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from . import access


class EasycrmEmailTimeline(models.AbstractModel):
    """One email that mailboxes hold in different versions is one line.

    Lists put a footer under a mail, gateways rewrite it: Message-ID and Date are the
    same, the digest is not. (Scanners and broken senders use a Message-ID again, for
    mails that have nothing else in common.) Each version stays an email of its own with
    its own access; only the reader, of those that he may read here, sees one: his own
    mailbox's, else the one that came first.
    """

    _inherit = "easycrm.email.timeline"

    @api.model
    def _easycrm_get_shown_domain(self, field):
        """Return the domain of links of which no other version is shown instead.

        :param str field: of the links, that points to the record they stand on
        """

        def is_best(model, alias, query):
            return SQL(
                """NOT EXISTS (
                    SELECT FROM easycrm_email email, LATERAL (%s) AS twin
                    WHERE email.id = %s
                      AND (twin.is_own, -twin.id) > (%s, -email.id) OFFSET 0)""",
                self._easycrm_get_twins_sql(
                    field, SQL("email"), SQL.identifier(alias, field)
                ),
                SQL.identifier(alias, "email_id"),
                access.own_copy(self.env, SQL("email.id")),
            )

        return Domain.custom(to_sql=is_best)

    @api.model
    def _easycrm_get_twins_sql(self, field, email, record_id):
        """Return the select of the other versions of an email that stand on a record.

        :param SQL email: the alias of the email
        :param SQL record_id: of the record
        """
        self.env["easycrm.email"].flush_model(["company_id", "message_id", "date"])
        return SQL(
            """SELECT other.id, %(own)s AS is_own
               FROM easycrm_email other
               WHERE other.company_id = %(email)s.company_id
                 AND other.message_id = %(email)s.message_id
                 AND other.date = %(email)s.date
                 AND other.id <> %(email)s.id
                 AND EXISTS (SELECT FROM easycrm_email_link twin_link
                             WHERE twin_link.email_id = other.id
                               AND twin_link.%(field)s = %(record)s
                               AND %(visible)s OFFSET 0)""",
            own=access.own_copy(self.env, SQL("other.id")),
            email=email,
            field=SQL.identifier(field),
            record=record_id,
            visible=access.visible_link(self.env, "twin_link"),
        )

    def _easycrm_get_versions(self, emails):
        """Return {email id: ids of all its versions that the reader may see here}."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT email.id, array_agg(twin.id) FROM easycrm_email email,
                    LATERAL (%s) AS twin
                WHERE email.id = ANY(%s) GROUP BY email.id
                """,
                self._easycrm_get_twins_sql(
                    self._easycrm_get_link_field(), SQL("email"), SQL("%s", self.id)
                ),
                emails.ids,
            )
        )
        return {email_id: sorted([email_id, *others]) for email_id, others in rows}


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
