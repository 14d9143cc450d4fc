from odoo import api, fields, models
from odoo.tools import SQL

from ..models import access
from ..models.rule_conditions import is_public, read_pattern


class EasycrmEmailRuleAdd(models.TransientModel):
    """A rule that is about to be added: what becomes of the emails that are here?"""

    _name = "easycrm.email.rule.add"
    _description = "Add an Email Rule"

    kind = fields.Selection(
        selection=lambda self: self.env["easycrm.email.rule"]._get_added_kinds(),
        string="What Happens",
        required=True,
        default="never_store",
    )
    pattern = fields.Char(string="Address or Domain", required=True)
    everybody = fields.Boolean(
        string="For Everybody",
        default=lambda self: bool(self.env.context.get("easycrm_for_everybody")),
        help="For all mailboxes of the company, not only for yours.",
    )
    enforced = fields.Boolean(help="Nobody can switch it off for their own mailboxes.")
    here_count = fields.Integer(compute="_compute_counts")
    gone_count = fields.Integer(compute="_compute_counts")
    linked_count = fields.Integer(compute="_compute_counts")
    here_words = fields.Char(compute="_compute_here_words")

    @api.depends("kind", "pattern", "everybody")
    @api.depends_context("uid", "company")
    def _compute_counts(self):
        Rule = self.env["easycrm.email.rule"].sudo()
        for adding in self:
            pattern = read_pattern(adding.pattern)
            adding.here_count = adding.gone_count = adding.linked_count = 0
            if not pattern or is_public(pattern):
                continue
            seen = SQL("TRUE")
            if adding.everybody:
                # (how many others have is theirs alone to know)
                seen = access.visible_email(self.env, SQL("held.email_id"))
            here, gone, on_record, alone = Rule._count_here(
                pattern, adding._get_accounts(), seen
            )
            adding.here_count, adding.gone_count = here, gone
            never_store = adding.kind == "never_store"
            adding.linked_count = on_record if never_store else alone

    @api.depends("here_count", "linked_count")
    @api.depends_context("lang")
    def _compute_here_words(self):
        env = self.env
        for adding in self:
            here, linked = adding.here_count, adding.linked_count
            if here == 1:
                adding.here_words = (
                    env._("One email is here, on a contact or opportunity.")
                    if linked
                    else env._("One email is here.")
                )
            elif linked:
                adding.here_words = env._(
                    "%(here)s emails are here, %(linked)s on contacts or "
                    "opportunities.",
                    here=here,
                    linked=linked,
                )
            else:
                adding.here_words = env._("%s emails are here.", here)

    def _get_accounts(self):
        """Return the mailboxes that the rule would be for, as superuser."""
        condition = (
            [("company_id", "=", self.env.company.id)]
            if self.everybody
            else [("user_id", "=", self.env.uid)]
        )
        accounts = self.env["easycrm.email.account"].sudo()
        return accounts.with_context(active_test=False).search(condition)

    def action_add(self):
        """Add the rule; what is here stays.

        :return: the action that says so
        """
        self._add()
        return self._tell(self.env._("The rule was added."))

    def action_add_and_clear(self):
        """Add the rule, and delete or take off what is here.

        :return: the action that says how much that was, as far as the user may know
        """
        message = self._get_cleared_words()
        has_more = self._add().sudo()._clear_away()
        if has_more:
            message = self.env._("There are many: the rest follows in the background.")
        return self._tell(message)

    def _get_cleared_words(self):
        env = self.env
        if self.kind == "never_store":
            if self.here_count == 1:
                return env._("1 email was deleted here.")
            if self.here_count:
                return env._("%s emails were deleted here.", self.here_count)
        elif self.linked_count == 1:
            return env._("1 email was taken off.")
        elif self.linked_count:
            return env._("%s emails were taken off.", self.linked_count)
        return env._("The rule was added.")

    def _tell(self, message):
        return self.env["easycrm.email.account"]._show_result(
            "success", message, next={"type": "ir.actions.act_window_close"}
        )

    def _add(self):
        self.ensure_one()
        owner = (
            {"company_id": self.env.company.id, "enforced": self.enforced}
            if self.everybody
            else {"user_id": self.env.uid}
        )
        return self.env["easycrm.email.rule"].create(
            {"kind": self.kind, "pattern": self.pattern, **owner}
        )
