from odoo import api, fields, models
from odoo.tools import SQL

from .rule_conditions import COVERING, TAUGHT_APPLIES

#: The roles of whom an `email` is with: its sender, or those that it was sent to.
CORRESPONDENTS = SQL(
    "CASE email.direction WHEN 'inbound' THEN ARRAY['from'] ELSE ARRAY['to', 'cc'] END"
)


class EasycrmEmailThreadFollow(models.Model):
    """A conversation whose emails stand on a record, those that come included."""

    _name = "easycrm.email.thread.follow"
    _description = "Record of a Conversation"
    _rec_name = "thread_id"
    _log_access = False

    thread_id = fields.Many2one(
        "easycrm.email.thread", required=True, ondelete="cascade"
    )
    partner_id = fields.Many2one("res.partner", ondelete="cascade", index=True)
    lead_id = fields.Many2one("crm.lead", ondelete="cascade", index=True)
    batch_id = fields.Many2one(
        "easycrm.email.batch",
        ondelete="set null",
        index="btree_not_null",
        help="The step in which it was taught: undone, it goes.",
    )

    _one_record = models.Constraint(
        "CHECK(num_nonnulls(partner_id, lead_id) = 1)",
        "A conversation is on a contact, or on a lead or opportunity.",
    )
    # (of each step: each brings the mail of whoever taught it, and is undone by itself)
    _partner_unique = models.Constraint("UNIQUE(thread_id, partner_id, batch_id)")
    _lead_unique = models.Constraint("UNIQUE(thread_id, lead_id, batch_id)")

    @api.model
    def _follow(self, thread_ids, record, batch):
        """Let conversations stand on a record from now on, as long as the step stands.

        :param record: a contact, lead or opportunity
        :param batch: the step that it is a part of
        """
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO easycrm_email_thread_follow (thread_id, %s, batch_id)
                SELECT thread_id, %s, %s FROM unnest(%s::int[]) AS taught (thread_id)
                ON CONFLICT DO NOTHING
                """,
                SQL.identifier(
                    self.env["easycrm.email.address"]._get_owner_field(record._name)
                ),
                record.id,
                batch.id,
                list(thread_ids),
            )
        )
        self.invalidate_model(flush=False)

    @api.model
    def _link_taught(self, email_ids):
        """Link emails to what was taught of their conversations and senders.

        As addresses do: archived records and those of another company get none, what
        exists stays as it is, and a rule that keeps mail off the records wins. Of a
        conversation only what is in a mailbox of whoever taught it: anybody can forge
        an answer, and have it in a conversation of others. By its
        sender's domain an email goes to a company only if it is not on it, or on one of
        its people, already.

        :return: ids of the emails that got a link
        """
        Link = self.env["easycrm.email.link"]
        for model in (
            *("rule", "link", "copy", "participant", "account", "batch"),
            "thread.follow",
        ):
            self.env[f"easycrm.email.{model}"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO easycrm_email_link
                    (email_id, partner_id, lead_id, thread_id, commercial_partner_id,
                     company_id, date, origin, address, removed, batch,
                     create_uid, create_date, write_uid, write_date)
                SELECT DISTINCT ON (email.id, taught.partner_id, taught.lead_id)
                    email.id, taught.partner_id, taught.lead_id, email.thread_id,
                    partner.commercial_partner_id, email.company_id, email.date,
                    'rule', taught.address, FALSE, taught.batch_id::varchar,
                    COALESCE(batch.create_uid, %(uid)s), now() AT TIME ZONE 'UTC',
                    COALESCE(batch.create_uid, %(uid)s), now() AT TIME ZONE 'UTC'
                FROM easycrm_email email
                JOIN LATERAL (
                    SELECT follow.partner_id, follow.lead_id, NULL::varchar AS address,
                        follow.batch_id
                    FROM easycrm_email_thread_follow follow
                    JOIN easycrm_email_batch step ON step.id = follow.batch_id
                    WHERE follow.thread_id = email.thread_id AND EXISTS (
                        SELECT FROM easycrm_email_copy held
                        JOIN easycrm_email_account account
                          ON account.id = held.account_id
                        WHERE held.email_id = email.id
                          AND (account.user_id = step.create_uid OR EXISTS (
                              SELECT FROM easycrm_email_account_member_rel member
                              WHERE member.account_id = account.id
                                AND member.user_id = step.create_uid)))
                    UNION ALL
                    SELECT rule.partner_id, NULL, rule.pattern, rule.batch_id
                    FROM easycrm_email_copy held
                    JOIN easycrm_email_account account ON account.id = held.account_id
                    CROSS JOIN LATERAL (
                        SELECT rule.* FROM %(covering)s AND rule.kind = 'always_link'
                          AND other.role = ANY(%(roles)s)
                    ) AS rule
                    WHERE held.email_id = email.id AND %(applies)s
                      AND NOT EXISTS (
                          SELECT FROM easycrm_email_link known
                          JOIN res_partner company ON company.id = rule.partner_id
                          WHERE known.email_id = email.id
                            AND known.removed IS NOT TRUE
                            AND known.commercial_partner_id
                                = company.commercial_partner_id)
                ) AS taught ON TRUE
                LEFT JOIN res_partner partner ON partner.id = taught.partner_id
                LEFT JOIN crm_lead lead ON lead.id = taught.lead_id
                LEFT JOIN easycrm_email_batch batch ON batch.id = taught.batch_id
                WHERE email.id = ANY(%(emails)s)
                  AND COALESCE(partner.active, lead.active)
                  AND %(may_have)s
                  AND %(linkable)s
                ORDER BY email.id, taught.partner_id, taught.lead_id,
                    taught.address NULLS FIRST, taught.batch_id
                ON CONFLICT DO NOTHING
                RETURNING email_id, %(announced)s
                """,
                uid=self.env.uid,
                emails=list(email_ids),
                applies=TAUGHT_APPLIES,
                covering=COVERING,
                roles=CORRESPONDENTS,
                may_have=self.env["res.company"]._easycrm_get_may_have_sql(),
                linkable=self.env["easycrm.email.rule"]._get_linkable_sql(),
                announced=Link._announced_columns,
            )
        )
        rows = self.env.cr.fetchall()
        ids = list({row[0] for row in rows})
        Link._forget()
        Link._announce([row[1:] for row in rows], only_news=True)
        self.env["easycrm.email"].sudo().browse(ids)._update_linked()
        return ids

    @api.model
    def _get_correspondent_sql(self, pattern):
        """Return the condition that a domain is that of whom an email is with.

        Of its sender, or of whom it was sent to; on `email`.

        :param SQL pattern: as `@acme.example`
        """
        self.env["easycrm.email.participant"].flush_model()
        return SQL(
            """EXISTS (
                SELECT FROM easycrm_email_participant other
                WHERE other.email_id = email.id
                  AND other.role = ANY(%(roles)s)
                  AND (right(other.address, length(%(pattern)s)) = %(pattern)s
                       OR right(other.address, length(%(pattern)s))
                          = '.' || substr(%(pattern)s, 2)) OFFSET 0)""",
            pattern=pattern,
            roles=CORRESPONDENTS,
        )

    @api.model
    def _fold(self, records, into):
        """Let conversations of merged records stand on the one that stays.

        :param records: contacts, or leads; the one that stays is not among them
        """
        self.flush_model()
        owner = self.env["easycrm.email.address"]._get_owner_field(into._name)
        values = {
            "owner": SQL.identifier(owner),
            "into": into.id,
            "records": records.ids,
        }
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO easycrm_email_thread_follow (thread_id, %(owner)s, batch_id)
                SELECT thread_id, %(into)s, batch_id FROM easycrm_email_thread_follow
                WHERE %(owner)s = ANY(%(records)s)
                ON CONFLICT DO NOTHING
                """,
                **values,
            )
        )
        self.env.cr.execute(
            SQL(
                "DELETE FROM easycrm_email_thread_follow"
                " WHERE %(owner)s = ANY(%(records)s)",
                **values,
            )
        )
        self.invalidate_model(flush=False)
