from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL, format_date

from . import access
from .easycrm_email_participant import ROLES


class EasycrmEmailLink(models.Model):
    """An email on a record: the email-link table.

    A link that was taken off by hand stays as a tombstone (`removed`), so that no sync
    brings it back by itself.
    """

    _name = "easycrm.email.link"
    _description = "Email Link"
    _inherit = ["easycrm.email.access"]
    _order = "date desc, email_id.id desc"
    _rec_name = "reason"
    _rec_names_search = ["email_id"]

    email_id = fields.Many2one(
        "easycrm.email", required=True, readonly=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(
        "res.partner", string="Contact", readonly=True, ondelete="cascade"
    )
    lead_id = fields.Many2one(
        "crm.lead", string="Lead/Opportunity", readonly=True, ondelete="cascade"
    )
    # Copied from the email and the contact: the timeline pages by them.
    thread_id = fields.Many2one(
        related="email_id.thread_id", store=True, index=True, string="Conversation"
    )
    date = fields.Datetime(related="email_id.date", store=True)
    company_id = fields.Many2one(related="email_id.company_id", store=True)
    # (not related: a contact that moves takes its links along in one statement)
    commercial_partner_id = fields.Many2one("res.partner", readonly=True)
    origin = fields.Selection(
        [
            ("auto", "By address"),
            ("manual", "By hand"),
            ("sent", "Sent from here"),
            ("rule", "By rule"),
        ],
        required=True,
        default="manual",
        readonly=True,
    )
    role = fields.Selection(ROLES, readonly=True)
    address = fields.Char(readonly=True)
    removed = fields.Boolean(
        readonly=True, help="Taken off by hand: it never comes back by itself."
    )
    batch = fields.Char(readonly=True, help="What was linked in one go.")
    reason = fields.Char(compute="_compute_reason")

    _one_record = models.Constraint(
        "CHECK(num_nonnulls(partner_id, lead_id) = 1)",
        "An email link is for one contact, or for one lead or opportunity.",
    )
    _partner_unique = models.Constraint(
        "UNIQUE(email_id, partner_id)", "This email is on the contact already."
    )
    _lead_unique = models.Constraint(
        "UNIQUE(email_id, lead_id)", "This email is on the opportunity already."
    )
    _batch_idx = models.Index("(batch) WHERE batch IS NOT NULL")
    _partner_timeline_idx = models.Index(
        "(partner_id, date DESC, email_id DESC) WHERE partner_id IS NOT NULL"
    )
    _lead_timeline_idx = models.Index(
        "(lead_id, date DESC, email_id DESC) WHERE lead_id IS NOT NULL"
    )
    _commercial_timeline_idx = models.Index(
        "(commercial_partner_id, date DESC, email_id DESC)"
        " WHERE commercial_partner_id IS NOT NULL"
    )

    @api.depends_context("uid", "su", "allowed_company_ids", "lang", "tz")
    @api.depends("origin", "role", "address", "partner_id", "lead_id", "removed")
    def _compute_reason(self):
        kinds = {
            "contact": self.env._("contact"),
            "lead": self.env._("lead"),
            "opportunity": self.env._("opportunity"),
        }
        roles = dict(self._fields["role"]._description_selection(self.env))
        steps = self._get_steps()
        for link in self:
            # the name of a record one may not read is not told
            record = (link.partner_id or link.lead_id)._filtered_access("read")
            values = {
                "role": (roles.get(link.role) or "").lower(),
                "address": link.address or "",
                "kind": kinds[link._get_record_kind()],
                "name": record.name or "",
            }
            # (what came by itself at first may have been put back by hand)
            step = steps.get(link.batch, link.sudo())
            values["user"] = step.create_uid.name
            at = fields.Datetime.context_timestamp(
                self, step.create_date or fields.Datetime.now()
            )
            values["date"] = format_date(self.env, at.date())
            if link.origin == "auto":
                link.reason = self.env._(
                    "%(role)s: %(address)s = %(kind)s %(name)s", **values
                )
            elif link.origin == "rule" and not link.address:
                link.reason = self.env._(
                    "Its conversation was put here by %(user)s on %(date)s", **values
                )
            elif link.origin == "rule":
                link.reason = self.env._(
                    "A rule for %(address)s places it here", **values
                )
            elif link.origin == "sent":
                link.reason = self.env._(
                    "Sent from here by %(user)s on %(date)s", **values
                )
            else:
                link.reason = self.env._("Put here by %(user)s on %(date)s", **values)

    @api.model_create_multi
    def create(self, vals_list):
        links = super().create(vals_list)
        for link in links:
            link.commercial_partner_id = link.partner_id.commercial_partner_id
        links.email_id._update_linked()
        links._announce_change()
        return links

    def write(self, vals):
        result = super().write(vals)
        if "removed" in vals:
            self.email_id._update_linked()
            self._announce_change()
        return result

    def unlink(self):
        if (links := self.exists()) < self:
            # their contacts were deleted just now, as Privacy Lookup does it
            return links.unlink()
        emails = self.email_id
        self._announce_change()
        result = super().unlink()
        emails.exists()._update_linked()
        return result

    @api.model
    def _delete(self, condition):
        """Delete links and free their emails, in one statement for however many.

        :param SQL condition: on this table
        :return: the emails
        """
        self.flush_model()
        self.env.cr.execute(
            SQL(
                "DELETE FROM easycrm_email_link WHERE %s RETURNING email_id, %s",
                condition,
                self._announced_columns,
            )
        )
        rows = self.env.cr.fetchall()
        emails = self.env["easycrm.email"].browse({row[0] for row in rows})
        self._forget()
        self._announce([row[1:] for row in rows])
        emails._update_linked()
        return emails

    @api.model
    def _move_commercial_partner(self, partners):
        """Let the links of these contacts follow them to another company."""
        self.flush_model(["partner_id", "commercial_partner_id"])
        partners.flush_model(["commercial_partner_id"])
        self.env.cr.execute(
            SQL(
                """
                UPDATE easycrm_email_link link
                SET commercial_partner_id = partner.commercial_partner_id
                FROM res_partner partner
                WHERE partner.id = link.partner_id AND partner.id = ANY(%s)
                  AND link.commercial_partner_id
                      IS DISTINCT FROM partner.commercial_partner_id
                """,
                partners.ids,
            )
        )
        self.invalidate_model(["commercial_partner_id"], flush=False)

    @api.model
    def _fold(self, records, into):
        """Move the links of merged records to the one that stays, each email once.

        What was placed by hand stays on, then what was taken off by hand stays off;
        both beat what came by itself.

        :param records: contacts, or leads; the one that stays is not among them
        """
        values = {
            "owner": SQL.identifier(
                self.env["easycrm.email.address"]._get_owner_field(into._name)
            ),
            "into": into.id,
            "all": [*records.ids, into.id],
            "commercial": into.commercial_partner_id.id
            if into._name == "res.partner"
            else None,
        }
        self.flush_model()
        # (as a statement of its own: within the DELETE, a planner that takes the table
        # for small would rank all of them again for each)
        self.env.cr.execute(
            SQL(
                """
                SELECT id FROM (
                    SELECT id, row_number() OVER (
                        PARTITION BY email_id
                        ORDER BY
                            CASE WHEN removed AND narrowed IS TRUE THEN 4
                                 WHEN removed THEN 1
                                 WHEN origin IN ('manual', 'sent') THEN 0
                                 WHEN origin = 'rule' THEN 2
                                 ELSE 3 END,
                            array_position(ARRAY['from', 'to', 'cc', 'bcc'],
                                           role::text),
                            %(owner)s = %(into)s DESC, id
                    ) AS place
                    FROM easycrm_email_link WHERE %(owner)s = ANY(%(all)s)
                ) AS ranked
                WHERE place > 1
                """,
                **values,
            )
        )
        self._delete(SQL("id = ANY(%s)", [row[0] for row in self.env.cr.fetchall()]))
        self.env.cr.execute(
            SQL(
                """
                UPDATE easycrm_email_link
                SET %(owner)s = %(into)s, commercial_partner_id = %(commercial)s
                WHERE %(owner)s = ANY(%(all)s) AND %(owner)s <> %(into)s
                RETURNING %(announced)s
                """,
                announced=self._announced_columns,
                **values,
            )
        )
        rows = self.env.cr.fetchall()
        self._forget()
        self._announce(rows)

    @api.model
    def _forget(self):
        """Forget what is cached of the links, after they were written in SQL."""
        self.invalidate_model(flush=False)
        self.env["easycrm.email"].invalidate_model(["link_ids"], flush=False)
        for model in ("res.partner", "crm.lead"):
            self.env[model].invalidate_model(
                ["easycrm_email_link_ids", "easycrm_email_count"], flush=False
            )

    def action_take_off(self):
        """Take the email off this record, for good: a tombstone keeps it off.

        :return: ids of the steps, a record each, by which that is undone
        """
        self.check_access("read")
        self._check_record_access()
        return self.sudo()._set_removed(True).ids

    def action_put_back(self):
        """Undo `action_take_off`: for whoever took it off.

        Others may not: to them a tombstone gives no access.

        :return: as `action_take_off`
        """
        links = self.sudo().exists()
        if links.filtered(lambda link: link.write_uid != self.env.user):
            raise AccessError(
                self.env._("Only the person who took this email off can put it back.")
            )
        links.with_env(self.env)._check_record_access()
        steps = links._set_removed(False)
        links.narrowed = False
        return steps.ids

    def _check_record_access(self):
        """Raise unless the user may change the records that the links are on."""
        for link in self.sudo():
            record = link.partner_id or link.lead_id
            record.with_env(self.env).check_access("write")

    def _get_record_kind(self):
        """Return what the record is: `contact`, `lead` or `opportunity`."""
        self.ensure_one()
        link = self.sudo()
        return "contact" if link.partner_id else link.lead_id.type

    @api.model
    def _get_access_sql(self, alias):
        return access.visible_link(self.env, alias)
