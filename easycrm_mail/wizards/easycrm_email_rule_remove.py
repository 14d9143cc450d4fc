from odoo import api, fields, models
from odoo.fields import Domain


class EasycrmEmailRuleRemove(models.TransientModel):
    """A rule that is about to go: is what it has left out to be read again?"""

    _name = "easycrm.email.rule.remove"
    _description = "Remove an Email Rule"

    rule_id = fields.Many2one("easycrm.email.rule", required=True, ondelete="cascade")
    only_me = fields.Boolean(help="It is switched off for oneself only.")
    kind = fields.Selection(related="rule_id.kind", related_sudo=False)
    left_out_count = fields.Integer(
        related="rule_id.left_out_count", related_sudo=False
    )

    @api.constrains("rule_id")
    def _check_rule(self):
        # (constraints are checked as superuser)
        self.sudo(False).rule_id.check_access("read")

    def action_remove(self):
        """Remove the rule, or switch it off; what it has left out stays out.

        :return: the action that says so
        """
        self.ensure_one()
        only_me = self.only_me
        self._remove()
        return self._tell(
            self.env._("The rule is switched off for you.")
            if only_me
            else self.env._("The rule was removed.")
        )

    def action_remove_and_read(self):
        """Remove the rule, or switch it off, and read what it has left out.

        :return: the action that says how much that is, of one's own mailboxes
        """
        self.ensure_one()
        count = self.left_out_count
        left_out = self._find_left_out()
        self._remove()
        left_out._read_again()
        return self._tell(
            self.env._("1 email is being read again.")
            if count == 1
            else self.env._("%s emails are being read again.", count)
        )

    def _remove(self):
        if self.only_me:
            self.rule_id._switch()
        else:
            self.rule_id.unlink()

    def _tell(self, message):
        return self.env["easycrm.email.account"]._show_result(
            "success", message, next={"type": "ir.actions.act_window_close"}
        )

    def _find_left_out(self):
        """Return what the rule has left out, in the mailboxes that it goes for."""
        rule = self.rule_id
        rule.check_access("read" if self.only_me else "unlink")
        condition = Domain("rule_id", "=", rule.id)
        if self.only_me:
            condition &= Domain("account_id.user_id", "=", self.env.uid)
        return self.env["easycrm.email.exclusion"].sudo().search(condition)
