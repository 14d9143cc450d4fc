from datetime import timedelta

from odoo import api, fields, models

#: Minutes after which what was taught is followed once more: mail that was just being
#: stored, in a transaction that did not see it, is placed then.
LOOK_AGAIN_MINUTES = 1


class EasycrmEmailBatch(models.Model):
    """What was taught in a step is followed once more, a minute later."""

    _inherit = "easycrm.email.batch"

    again_at = fields.Datetime(help="When what it has taught is followed once more.")

    _again_idx = models.Index("(again_at, id) WHERE again_at IS NOT NULL")

    def _look_again(self):
        """Follow once more, soon, what this step has taught."""
        self.again_at = fields.Datetime.now() + timedelta(minutes=LOOK_AGAIN_MINUTES)
        self.env["easycrm.email.account"]._wake_backfill(self.again_at)

    @api.model
    def _look_again_due(self):
        """Follow what was taught a minute ago, a step of it.

        :return: whether there may be more
        """
        step = self.sudo().search(
            [("again_at", "<=", fields.Datetime.now())],
            order="again_at, id",
            limit=1,
        )
        if step:
            step._follow_taught()
            step.again_at = False
        return bool(step)

    def _follow_taught(self):
        """Place, or ignore, the mail that waits in spite of what was taught."""
        mine = [("batch_id", "=", self.id)]
        rules = self.env["easycrm.email.rule"].search(mine)
        follows = self.env["easycrm.email.thread.follow"].search(mine)
        copies = self.env["easycrm.email.copy"].with_user(self.create_uid)
        copies = copies.with_context(
            allowed_company_ids=self.create_uid.company_ids.ids
        )
        choices = [
            {"scope": "domain", "domain": rule.pattern[1:], "company": rule.partner_id}
            for rule in rules
            if rule.kind == "always_link"
        ]
        if follows:
            choices.append({"scope": "thread", "threads": follows.thread_id.ids})
        for choice in choices:
            emails = copies._find_taught(choice, self._get_record())
            follows._link_taught(emails.ids)
        ignored = rules.filtered(lambda rule: rule.kind == "ignore").mapped("pattern")
        if ignored:
            copies._set_ignored(copies.browse(), True, self, ignored)
