from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

#: Minutes after which the links of a narrowed conversation are looked at once more: of
#: mail that was just being stored, in a transaction that did not see it.
LOOK_AGAIN_MINUTES = 1


class EasycrmEmailThread(models.Model):
    """A conversation that is about one opportunity only, of all that it would find."""

    _inherit = "easycrm.email.thread"

    only_lead_id = fields.Many2one(
        "crm.lead",
        string="Only This Opportunity",
        ondelete="set null",
        index="btree_not_null",
    )
    only_uid = fields.Many2one("res.users", string="Chosen By", ondelete="set null")
    only_at = fields.Datetime(string="Chosen On")
    only_again_at = fields.Datetime(help="When its links are looked at once more.")

    _only_again_idx = models.Index("(only_again_at) WHERE only_again_at IS NOT NULL")

    @api.model
    def _get_lead_sql(self):
        """Return which lead gets the mail that an `address` finds, or NULL for none.

        That is the address's own, but in a conversation that is about one lead only:
        there it is that one, unless that is lost, or mail of it stands on the other
        lead all the same.
        The address has to be that one's, too, or of a lead that the conversation was
        taken off: whoever forges an answer gets no mail that finds the leads of others.
        """
        self.flush_model(["only_lead_id"])
        self.env["crm.lead"].flush_model(["active"])
        return SQL(
            """CASE WHEN address.lead_id IS NOT NULL THEN COALESCE((
                   SELECT chosen.id FROM easycrm_email_thread thread
                   JOIN crm_lead chosen
                     ON chosen.id = thread.only_lead_id AND chosen.active
                   WHERE thread.id = email.thread_id
                     AND NOT EXISTS (
                         SELECT FROM easycrm_email_link other
                         WHERE other.thread_id = thread.id
                           AND other.lead_id = address.lead_id
                           AND other.removed IS NOT TRUE)
                     AND (EXISTS (
                             SELECT FROM easycrm_email_address same
                             WHERE same.lead_id = thread.only_lead_id
                               AND same.address = address.address)
                          OR EXISTS (
                             SELECT FROM easycrm_email_link other
                             WHERE other.thread_id = thread.id
                               AND other.lead_id = address.lead_id
                               AND other.removed AND other.narrowed))
               ), address.lead_id) END"""
        )

    @api.model
    def _fold_leads(self, leads, into):
        """Let conversations about merged leads only be about the one that stays."""
        self.search([("only_lead_id", "in", leads.ids)]).only_lead_id = into

    def _narrow(self, lead, others):
        """Keep these links off, and let what stood on them only stand on the lead.

        :param lead: the one that the conversation is about
        :param others: links of it to other leads
        """
        self.ensure_one()
        again = fields.Datetime.now() + timedelta(minutes=LOOK_AGAIN_MINUTES)
        # (first: of two that choose at the same time, the second one begins anew)
        self.write(
            {
                "only_lead_id": lead.id,
                "only_uid": self.env.uid,
                "only_at": fields.Datetime.now(),
                "only_again_at": again,
            }
        )
        self.env["easycrm.email.account"]._wake_backfill(again)
        self.flush_recordset()
        others._move_to_only(lead)

    @api.model
    def _narrow_due(self):
        """Look once more at conversations that were narrowed a minute ago.

        :return: whether there may be more
        """
        due = self.sudo().search(
            [("only_again_at", "<=", fields.Datetime.now())],
            order="only_again_at, id",
            limit=1,
        )
        if due.only_lead_id:
            Link = self.env["easycrm.email.link"].sudo()
            kept_off = Link.search(
                [
                    ("thread_id", "=", due.id),
                    ("narrowed", "=", True),
                    ("removed", "=", True),
                ]
            )
            late = Link.search(
                [
                    ("thread_id", "=", due.id),
                    ("lead_id", "in", kept_off.lead_id.ids),
                    ("removed", "=", False),
                    ("origin", "=", "auto"),
                ]
            )
            # what was put back by hand is written after it was made
            late = late.filtered(lambda link: link.write_date == link.create_date)
            late.with_user(due.only_uid).sudo()._move_to_only(due.only_lead_id)
        due.only_again_at = False
        return bool(due)


class EasycrmEmailLink(models.Model):
    _inherit = "easycrm.email.link"

    narrowed = fields.Boolean(
        readonly=True,
        help="It came or went because the conversation is about one opportunity only.",
    )

    def _get_removed_words(self):
        """Say why this link is off, to whoever took it off."""
        self.ensure_one()
        if self.sudo().narrowed:
            return self.env._("You chose that the conversation stands elsewhere only")
        return self.env._("You took it off")

    def _get_only_values(self):
        """Say what was chosen, or can be, about the conversation of a link to a lead.

        :return: {link id: {"only": words or False, "can_narrow": bool}}
        """
        on_leads = self.filtered("lead_id")
        if not on_leads:
            return {}
        thread = on_leads.thread_id.sudo()[:1]
        among = on_leads.lead_id._easycrm_get_lead_links(thread.id)
        words = self.env._("Only here: %s chose that", thread.only_uid.name)
        return {
            link.id: {
                "only": link.lead_id.id == thread.only_lead_id.id and words,
                "can_narrow": link.lead_id.id != thread.only_lead_id.id
                and link.lead_id.has_access("write")
                and bool(link.lead_id._easycrm_get_others_links(among)),
            }
            for link in on_leads
        }

    def _move_to_only(self, lead):
        """Take these links off, for the sake of one lead that has their mail now."""
        if not self:
            return
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO easycrm_email_link
                    (email_id, lead_id, thread_id, company_id, date, origin, role,
                     address, removed, narrowed,
                     create_uid, create_date, write_uid, write_date)
                SELECT DISTINCT ON (email_id)
                    email_id, %(lead)s, thread_id, company_id, date, origin, role,
                    address, FALSE, TRUE,
                    %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
                FROM easycrm_email_link WHERE id = ANY(%(ids)s)
                ORDER BY email_id, id
                ON CONFLICT DO NOTHING
                RETURNING %(announced)s
                """,
                lead=lead.id,
                uid=self.env.uid,
                ids=self.ids,
                announced=self._announced_columns,
            )
        )
        rows = self.env.cr.fetchall()
        self._forget()
        self._announce(rows)
        self.write({"removed": True, "narrowed": True})


class CrmLead(models.Model):
    _inherit = "crm.lead"

    def _easycrm_absorb(self, others):
        result = super()._easycrm_absorb(others)
        self.env["easycrm.email.thread"].sudo()._fold_leads(others, self)
        return result

    def easycrm_only_here(self, thread_id):
        """Let a conversation stand on this lead only, of all that it stands on.

        Also the mail of it that is still to come. What stands on leads that the user
        may not change stays there.

        :param int thread_id: a conversation on its timeline
        :return: dict with `count`, how many emails were taken off other leads
        :raise AccessError: the lead is not for this user
        :raise UserError: the conversation does not stand here
        """
        self.ensure_one()
        self.check_access("write")
        links = self._easycrm_get_lead_links(thread_id)
        if self not in links.lead_id:
            raise UserError(self.env._("This conversation is gone."))
        thread = self.env["easycrm.email.thread"].sudo().browse(thread_id)
        others = self._easycrm_get_others_links(links)
        thread._narrow(self, others.sudo())
        return {"count": len(others.email_id)}

    @api.model
    def easycrm_undo_only_here(self, thread_id):
        """Undo `easycrm_only_here`, also after the lead that was chosen is gone.

        What somebody else has taken off stays off; coming mail goes to all again.

        :param int thread_id: the conversation
        :return: dict with `count`, how many emails are back
        :raise AccessError: it is for whoever has chosen, or may change the lead
        """
        known = [thread_id] if type(thread_id) is int else []
        thread = self.env["easycrm.email.thread"].sudo().browse(known).exists()
        lead = thread.only_lead_id.with_env(self.env)
        if thread.only_uid != self.env.user:
            lead = lead._filtered_access("write")
        Link = self.env["easycrm.email.link"].sudo()
        narrowed = Link.search(
            [
                ("thread_id", "=", thread.id),
                ("narrowed", "=", True),
                ("write_uid", "=", self.env.uid),
            ]
        )
        if not lead and not narrowed:
            raise AccessError(self.env._("There is nothing left to undo."))
        if lead or not thread.only_lead_id:
            thread.write({"only_lead_id": False, "only_uid": False, "only_at": False})
        # (what one may not change any more stays as it is)
        back = narrowed.filtered(
            lambda link: (
                link.removed and link.lead_id.with_env(self.env).has_access("write")
            )
        )
        back.write({"removed": False, "narrowed": False})
        came = narrowed.filtered(lambda link: not link.removed) - back
        going = came.filtered(lambda link: link.email_id in back.email_id)
        # (what cannot go back to where it was stays here)
        (came - going).narrowed = False
        going.unlink()
        return {"count": len(back.email_id)}

    def _easycrm_get_lead_links(self, thread_id):
        """Return the links of a conversation to leads, as far as the user sees them."""
        if type(thread_id) is not int:
            raise UserError(self.env._("This conversation is gone."))
        return self.env["easycrm.email.link"].search(
            Domain("thread_id", "=", thread_id) & Domain("lead_id", "!=", False)
        )

    def _easycrm_get_others_links(self, links):
        """Return those of the links that are on other leads that one may change."""
        others = links.lead_id - self
        writable = others._filtered_access("write")
        return links.filtered(lambda link: link.lead_id in writable)
