from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from . import access
from .addresses import normalise
from .guarded_one2many import GuardedOne2many


class EasycrmEmailBounce(models.Model):
    """Somebody whom a sent email did not reach, as a server has reported."""

    _name = "easycrm.email.bounce"
    _description = "Undelivered Email"
    _inherit = ["easycrm.email.access"]
    _order = "id"
    _rec_name = "address"
    _log_access = False

    email_id = fields.Many2one(
        "easycrm.email", required=True, readonly=True, ondelete="cascade"
    )
    address = fields.Char(required=True, readonly=True, index=True, help="Normalised.")
    kind = fields.Selection(
        [("hard", "Not delivered"), ("soft", "Not delivered yet")],
        required=True,
        readonly=True,
    )
    status = fields.Char(readonly=True, help="As servers name the reason (RFC 3463).")
    detail = fields.Char(readonly=True, help="What the server said.")
    at = fields.Datetime(required=True, readonly=True)
    reason = fields.Char(compute="_compute_reason")

    _address_unique = models.UniqueIndex("(email_id, address)")

    @api.depends_context("lang")
    @api.depends("status", "detail")
    def _compute_reason(self):
        for bounce in self:
            bounce.reason = self._explain(bounce.status, bounce.detail)

    @api.model
    def _explain(self, status, detail):
        """Say in the reader's language why a mail did not get there."""
        env = self.env
        words = {
            "1.1": env._("there is no such mailbox"),
            "1.2": env._("there is no such domain"),
            "1.10": env._("it takes no mail"),
            "2.1": env._("the mailbox is switched off"),
            "2.2": env._("the mailbox is full"),
            "2.3": env._("the email is too large"),
            "3.4": env._("the email is too large"),
            "4.1": env._("its mail server does not answer"),
            "4.4": env._("its mail server was not found"),
            "4.7": env._("its mail server did not take it in time"),
        }
        group = (status or "").partition(".")[2]
        if group in words:
            return words[group]
        if group.startswith("7."):
            return env._("its mail server refused it: %s", detail or status)
        return detail or status or env._("no reason given")

    @api.model
    def _get_access_sql(self, alias):
        """Return who may see it: readers of the email, of Bcc its senders alone."""
        email_id = SQL.identifier(alias, "email_id")
        return SQL(
            """(%s AND (%s OR EXISTS (
                SELECT FROM easycrm_email_participant shown
                WHERE shown.email_id = %s AND shown.address = %s
                  AND shown.role <> 'bcc' OFFSET 0)))""",
            access.visible_email(self.env, email_id),
            access.own_copy(self.env, email_id, "outbound"),
            email_id,
            SQL.identifier(alias, "address"),
        )

    @api.model
    def easycrm_flagged(self, addresses):
        """Tell which addresses mail does not get to, as far as this user may know.

        A flag goes when somebody writes from the address after it.

        :param list addresses: of people somebody is about to write to
        :return: {address as given: why, in words}
        """
        spelled = {normalise(one): one for one in addresses}
        bounces = self.search(
            Domain("address", "in", list(spelled)) & Domain("kind", "=", "hard"),
            order="at desc, id desc",
        )
        answered = self._get_last_answers(bounces.mapped("address"))
        flagged = {}
        for bounce in bounces:
            last = answered.get(bounce.address)
            if not last or last < bounce.at:
                flagged.setdefault(spelled[bounce.address], bounce.reason)
        return flagged

    @api.model
    def _get_last_answers(self, addresses):
        """Return {address: when somebody last wrote from it, in these companies}."""
        if not addresses:
            return {}
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT participant.address, max(email.date)
                    FROM easycrm_email_participant participant
                    JOIN easycrm_email email ON email.id = participant.email_id
                    WHERE participant.address = ANY(%s) AND participant.role = 'from'
                      AND email.company_id = ANY(%s)
                    GROUP BY participant.address
                    """,
                    list(addresses),
                    self.env.companies.ids,
                )
            )
        )

    def action_send_again(self):
        """Write the same email once more, to whom it did not get: a draft of the user.

        :return: dict with `outgoing_id`
        """
        self.ensure_one()
        self.check_access("read")
        mails = self.env["easycrm.email.outgoing"]
        mail = mails.search([("email_id", "=", self.email_id.id)], limit=1)
        if not mail:
            raise UserError(
                self.env._("Whoever has sent this email can send it again.")
            )
        again = mail.sudo()._repeat()
        again.user_id = self.env.user
        again.recipient_ids.filtered(
            lambda person: not person._is_at(self.address)
        ).unlink()
        return {"outgoing_id": again.id}


class EasycrmEmail(models.Model):
    """What servers and machines answered to emails."""

    _inherit = "easycrm.email"

    is_auto_reply = fields.Boolean(
        readonly=True, help="A machine has answered: a note of absence, say."
    )
    bounce_ids = GuardedOne2many("easycrm.email.bounce", "email_id")

    def _get_bounces(self):
        """Return {email id: [{"id", "address", "kind", "reason"}]} for this user."""
        found = {}
        if not self:
            return found
        bounces = self.env["easycrm.email.bounce"].search(
            Domain("email_id", "in", self.ids)
        )
        for bounce in bounces:
            found.setdefault(bounce.email_id.id, []).append(
                {
                    "id": bounce.id,
                    "address": bounce.address,
                    "kind": bounce.kind,
                    "reason": bounce.reason,
                }
            )
        return found
