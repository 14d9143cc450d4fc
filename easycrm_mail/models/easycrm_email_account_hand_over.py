from datetime import timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

#: Days without a word after which a conversation is over.
OPEN_DAYS = 30


class Conversation(NamedTuple):
    """A customer's conversation that waits for an answer.

    :ivar thread_id: of the `easycrm.email.thread`
    :ivar record: the open opportunity or lead that it is about, else the contact
    :ivar email: the latest one of it that the mailbox holds and the user may see
    """

    thread_id: int
    record: models.BaseModel
    email: models.BaseModel


class EasycrmEmailAccount(models.Model):
    """The conversations of somebody who has left, for colleagues to take over.

    Open are those on a contact, lead or opportunity in which the customer wrote last,
    not long ago. The user gets what he may see anyway: no private conversation.
    """

    _inherit = "easycrm.email.account"

    hand_over_count = fields.Integer(
        string="To Hand Over", compute="_compute_hand_over_count"
    )
    hand_over_label = fields.Char(compute="_compute_hand_over_count")

    @api.depends_context("uid", "allowed_company_ids", "lang")
    @api.depends("sync_status")
    def _compute_hand_over_count(self):
        found = self._origin._get_open_conversations()
        for account in self:
            count = len(found.get(account._origin, ()))
            account.hand_over_count = count
            if not count:
                account.hand_over_label = False
            elif count == 1:
                account.hand_over_label = self.env._("Hand over one conversation")
            else:
                account.hand_over_label = self.env._(
                    "Hand over %s conversations", count
                )

    def _get_open_conversations(self):
        """Return what is to be handed over of those mailboxes that are stopped.

        In a fixed number of queries.

        :return: {account: [Conversation]}, the longest waiting first
        """
        stopped = self.filtered(lambda account: account.sync_status == "stopped")
        if not stopped:
            return {}
        held = stopped._get_recent_links()
        waiting = self._filter_waiting({link.thread_id.id for link, _ in held})
        links = {}
        for link, accounts in held:
            if link.thread_id.id in waiting:
                for account in accounts:
                    links.setdefault((account, link.thread_id.id), []).append(link)
        handed_over = stopped._get_handed_over()
        found = {}
        for (account, thread_id), some in links.items():
            record = self._choose_record(some)
            if record and (account.id, record._name, record.id) not in handed_over:
                email = max(some, key=lambda link: (link.date, link.id)).email_id
                conversation = Conversation(thread_id, record, email)
                found.setdefault(account, []).append(conversation)
        for conversations in found.values():
            conversations.sort(key=lambda one: (one.email.date, one.email.id))
        return found

    def _get_recent_links(self):
        """Return the links that the user may see of what these mailboxes got lately.

        :return: list of (link, the mailboxes that hold its email)
        """
        since = fields.Datetime.now() - timedelta(days=OPEN_DAYS)
        copies = self.env["easycrm.email.copy"].sudo()
        copies = copies.search_fetch(
            Domain("account_id", "in", self.ids)
            & Domain("date", ">=", since)
            & Domain("is_unlinked", "=", False),
            ["account_id", "email_id"],
            order="id",
        )
        holders = {}
        for copy in copies:
            accounts = holders.setdefault(copy.email_id.id, self.browse())
            holders[copy.email_id.id] = accounts | self.browse(copy.account_id.id)
        links = self.env["easycrm.email.link"].search_fetch(
            Domain("email_id", "in", list(holders)) & Domain("removed", "=", False),
            ["date", "email_id", "lead_id", "partner_id", "role", "thread_id"],
            order="id",
        )
        return [(link, holders[link.email_id.id]) for link in links]

    @api.model
    def _filter_waiting(self, thread_ids):
        """Return those conversations in which the customer wrote last.

        Whoever has answered: a colleague may have taken over already.

        :return: set of ids
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT ON (thread_id) thread_id, direction FROM easycrm_email
                WHERE thread_id = ANY(%s) ORDER BY thread_id, date DESC, id DESC
                """,
                list(thread_ids),
            )
        )
        return {thread_id for thread_id, direction in rows if direction == "inbound"}

    @api.model
    def _choose_record(self, links):
        """Return the record that somebody takes a conversation over on, or None.

        The newest open lead or opportunity, else who has written, else anybody in it.

        :param list links: of the conversation
        """
        leads = [
            link.lead_id
            for link in links
            if link.lead_id.active and link.lead_id.won_status == "pending"
        ]
        if leads:
            return max(leads, key=lambda lead: lead.id)
        contacts = [
            link
            for link in links
            if link.partner_id.active and link.partner_id.partner_share
        ]
        if not contacts:
            return None
        return min(contacts, key=lambda link: (link.role != "from", link.id)).partner_id

    def _get_handed_over(self):
        """Return {(mailbox's id, model, id)} of the records that were handed over.

        Also of those that the colleague has done since.
        """
        activities = self.env["mail.activity"].sudo().with_context(active_test=False)
        found = activities.search_fetch(
            [("easycrm_account_id", "in", self.ids)],
            ["easycrm_account_id", "res_id", "res_model"],
        )
        return {
            (activity.easycrm_account_id.id, activity.res_model, activity.res_id)
            for activity in found
        }

    def _suggest_colleague(self, record):
        """Return who is the next to care for a record: `res.users`, or none.

        :param record: a contact, lead or opportunity
        """
        self.ensure_one()
        record = record.sudo()
        is_lead = record._name == "crm.lead"
        partner = record.partner_id if is_lead else record
        candidates = (
            record.user_id,
            record.team_id.user_id if is_lead else record.browse().user_id,
            partner.user_id,
            partner.commercial_partner_id.user_id,
            self.sudo().user_id.sale_team_id.user_id,
        )
        for user in candidates:
            if user.active and not user.share and user != self.sudo().user_id:
                return user
        return self.env["res.users"]

    def action_hand_over(self):
        """Open the window in which colleagues are chosen.

        :raise UserError: nothing waits
        """
        self.ensure_one()
        self.check_access("write")
        window = self.env["easycrm.email.hand.over"]._begin(self)
        if not window.line_ids:
            raise UserError(
                self.env._("No customer of this mailbox waits for an answer.")
            )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Hand over the conversations of %s", self.user_id.name),
            "res_model": window._name,
            "res_id": window.id,
            "views": [(False, "form")],
            "target": "new",
        }
