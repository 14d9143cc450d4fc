"""Adding and removing rules, and what they leave out, for tests of rules."""

from .common import MailCase


class RuleCase(MailCase):
    """Rules that people add and remove, as the windows do it."""

    def add_rule(self, pattern, kind="never_store", user=None, clear=False, **values):
        """Add a rule in the window; return it, as superuser."""
        user = user or self.mira
        adding = self.as_user(self.env["easycrm.email.rule.add"], user).create(
            {"pattern": pattern, "kind": kind, **values}
        )
        before = self.env["easycrm.email.rule"].sudo().search([])
        adding.action_add_and_clear() if clear else adding.action_add()
        self.env.flush_all()
        return self.env["easycrm.email.rule"].sudo().search([]) - before

    def remove_rule(self, rule, user=None, again=False, only_me=False):
        """Remove a rule in the window."""
        removing = self.as_user(
            self.env["easycrm.email.rule.remove"], user or self.mira
        ).create({"rule_id": rule.id, "only_me": only_me})
        removing.action_remove_and_read() if again else removing.action_remove()
        self.env.flush_all()
        self.env.invalidate_all()

    def get_left_out(self, mailbox=None):
        """Return [(reason, pattern)] of what a mailbox has left out."""
        mailbox = mailbox or self.mailbox
        rows = self.env["easycrm.email.exclusion"].search(
            [("account_id", "=", mailbox.id)], order="id"
        )
        return [(row.reason, row.rule_id.pattern) for row in rows]

    def get_subjects(self, mailbox=None):
        """Return the subjects of what a mailbox holds here."""
        mailbox = mailbox or self.mailbox
        copies = self.env["easycrm.email.copy"].search(
            [("account_id", "=", mailbox.id)], order="id"
        )
        return copies.email_id.mapped("subject")
