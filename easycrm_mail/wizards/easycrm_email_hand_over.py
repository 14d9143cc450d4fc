from collections import Counter

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

#: Who can take a conversation over.
COLLEAGUES = [("share", "=", False)]


class EasycrmEmailHandOver(models.TransientModel):
    """Who takes over the open conversations of somebody who has left."""

    _name = "easycrm.email.hand.over"
    _description = "Hand Over Conversations"

    account_id = fields.Many2one(
        "easycrm.email.account", required=True, readonly=True, ondelete="cascade"
    )
    owner_id = fields.Many2one(related="account_id.user_id", related_sudo=False)
    user_id = fields.Many2one(
        "res.users", string="All of Them To", domain=COLLEAGUES, store=False
    )
    reassign = fields.Boolean(
        string="Make them the salesperson, too",
        default=True,
        help="Of the records whose salesperson has left. Who sees only what is theirs "
        "could not open these otherwise.",
    )
    line_ids = fields.One2many("easycrm.email.hand.over.line", "hand_over_id")
    summary = fields.Char(compute="_compute_summary")

    @api.depends_context("lang")
    @api.depends("line_ids.user_id", "line_ids.conversation_count")
    def _compute_summary(self):
        for window in self:
            count = sum(window.line_ids.mapped("conversation_count"))
            open_count = len(window.line_ids.filtered(lambda line: not line.user_id))
            window.summary = self._get_waiting_words(count, len(window.line_ids))
            if open_count == 1:
                window.summary += " " + self.env._(
                    "One customer is still without a colleague."
                )
            elif open_count:
                window.summary += " " + self.env._(
                    "%s customers are still without a colleague.", open_count
                )

    @api.model
    def _get_waiting_words(self, count, customers):
        """Say how many conversations wait, and with how many customers."""
        if count == 1:
            return self.env._("One conversation waits for an answer.")
        if customers == 1:
            return self.env._(
                "%s conversations with one customer wait for an answer.", count
            )
        return self.env._(
            "%(count)s conversations with %(customers)s customers wait for an answer.",
            count=count,
            customers=customers,
        )

    @api.onchange("user_id")
    def _onchange_user_id(self):
        if self.user_id:
            self.line_ids.user_id = self.user_id

    @api.model
    def _begin(self, account):
        """Return a window that lists what is to be handed over of a mailbox."""
        rows = {}
        conversations = account._get_open_conversations().get(account, [])
        counts = Counter(one.record for one in conversations)
        for one in conversations:  # the latest email of each record wins
            rows[one.record] = {
                "lead_id": one.record.id if one.record._name == "crm.lead" else False,
                "partner_id": one.record.id
                if one.record._name == "res.partner"
                else False,
                "email_id": one.email.id,
                "date": one.email.date,
                "conversation_count": counts[one.record],
                "user_id": account._suggest_colleague(one.record).id,
            }
        return self.create(
            {
                "account_id": account.id,
                "line_ids": [Command.create(row) for row in rows.values()],
            }
        )

    def action_hand_over(self):
        """Give each chosen colleague an activity on each record, once.

        What was handed over meanwhile, or is not for the user any more, is left alone.
        """
        self.ensure_one()
        self.check_access("write")
        account = self.account_id
        account.check_access("write")
        waiting = account._get_open_conversations().get(account, [])
        threads = {}
        for one in waiting:
            threads.setdefault(one.record, []).append(one.thread_id)
        done = [
            line._hand_over(threads[line._get_record()])
            for line in self.line_ids
            if line.user_id and line._get_record() in threads
        ]
        if not done:
            raise UserError(self.env._("Choose a colleague for one of them at least."))
        message = self.env._("%s customers are handed over.", len(done))
        if len(done) == 1:
            message = self.env._("One customer is handed over.")
        return account._show_result(
            "success", message, next={"type": "ir.actions.act_window_close"}
        )


class EasycrmEmailHandOverLine(models.TransientModel):
    """A contact, lead or opportunity whose conversations somebody takes over."""

    _name = "easycrm.email.hand.over.line"
    _description = "Conversations to Hand Over"
    _order = "date, id"

    hand_over_id = fields.Many2one(
        "easycrm.email.hand.over", required=True, ondelete="cascade"
    )
    lead_id = fields.Many2one("crm.lead", readonly=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", readonly=True, ondelete="cascade")
    email_id = fields.Many2one("easycrm.email", readonly=True, ondelete="cascade")
    conversation_count = fields.Integer(string="Conversations", readonly=True)
    user_id = fields.Many2one("res.users", string="Colleague", domain=COLLEAGUES)
    customer = fields.Char(compute="_compute_customer")
    # (not related: whoever writes another email into the line learns nothing of it)
    date = fields.Datetime(string="Last Email", readonly=True)
    subject = fields.Char(related="email_id.subject", related_sudo=False)

    @api.depends("lead_id", "partner_id")
    def _compute_customer(self):
        for line in self:
            lead = line.lead_id
            line.customer = line.partner_id.name or (
                lead.partner_id.name
                or lead.contact_name
                or lead.partner_name
                or lead.email_from
                or lead.name
            )

    def _get_record(self):
        return self.lead_id or self.partner_id

    def _hand_over(self, thread_ids):
        """Make the activity; return it.

        As superuser: the record is one that the user may open, the account one that he
        manages.

        :param list thread_ids: the conversations that it is about
        """
        self.ensure_one()
        record, owner = self._get_record(), self.hand_over_id.owner_id
        if (
            self.hand_over_id.reassign
            and record.user_id == owner
            and record.has_access("write")
        ):
            record.user_id = self.user_id
        env = self.with_context(lang=self.user_id.lang).env
        # (the activity is the notice: no email beside it)
        record = record.sudo().with_context(mail_activity_quick_update=True)
        return record.activity_schedule(
            "mail.mail_activity_data_email",
            summary=env._("Take over the conversation with %s", self.customer),
            note=env._(
                "%(owner)s has left. The last email is of %(date)s.",
                owner=owner.name,
                date=format_date(env, self.date),
            ),
            user_id=self.user_id.id,
            easycrm_account_id=self.hand_over_id.account_id.id,
            easycrm_thread_ids=[Command.set(thread_ids)],
        )
