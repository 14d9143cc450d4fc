from odoo import api, models
from odoo.tools import format_date

from .easycrm_email_where import TOLD, make_step
from .rule_conditions import patterns_of


class EasycrmEmailWhere(models.AbstractModel):
    """What a mailbox has been read of, and what it has not."""

    _inherit = "easycrm.email.where"

    @api.model
    def _tell_mailbox(self, account, kind, key):
        """Tell what a mailbox of the user's has, and has not, been read of."""
        env = self.env
        steps = [
            self._tell_progress(account),
            make_step(
                "note",
                env._(
                    "Emails since %s are read, older ones are not.",
                    format_date(env, account.sync_from),
                ),
            ),
        ]
        left = account.folder_ids.filtered(lambda f: not f.selected and not f.missing)
        # (where the whole mailbox is read, its labels are in it)
        is_whole = account.folder_ids.filtered("selected").filtered(
            lambda folder: folder.role == "all"
        )
        if left and not is_whole:
            words = env._("Not read there: %s.", ", ".join(left[:TOLD].mapped("name")))
            if len(left) > TOLD:
                words = env._(
                    "Not read there: %(folders)s and %(count)s more folders.",
                    folders=", ".join(left[:TOLD].mapped("name")),
                    count=len(left) - TOLD,
                )
            steps.append(make_step("note", words))
        if account.failure_count:
            values = {
                "count": account.failure_count,
                "reason": account.failure_ids[:1].error,
            }
            if account.failure_count == 1:
                words = env._(
                    "1 email could not be read and is set aside, because: %(reason)s",
                    **values,
                )
            else:
                words = env._(
                    "%(count)s emails could not be read and are set aside, the last "
                    "one because: %(reason)s",
                    **values,
                )
            steps.append(make_step("no", words))
        if kind == "address":
            if key in account._get_own_addresses():
                words = env._("%s is this mailbox itself.", key)
                steps.append(make_step("note", words))
            else:
                steps += self._tell_rules(account, key, "never_store")
        left_out = account.with_env(env).left_out_words
        if left_out:
            words = env._("Left out here, and not stored: %s.", left_out)
            steps.append(make_step("note", words))
        return steps

    @api.model
    def _tell_progress(self, account):
        env = self.env
        values = {"done": account.sync_done, "total": account.sync_total}
        if account.sync_status == "draft":
            return make_step("no", env._("It is connected, and was not read yet."))
        if account.sync_status == "paused":
            return make_step("no", env._("It is paused: nothing new is read."))
        if account.sync_status == "error":
            reason = account.last_error or ""
            return make_step("no", env._("It cannot be read: %s", reason))
        if account.folder_ids.filtered(lambda f: f.selected and not f.settled):
            if account.sync_total:
                words = env._(
                    "It is still being read: %(done)s of %(total)s.", **values
                )
            else:
                words = env._("It is still being read for the first time.")
            return make_step("note", words)
        words = env._("It was read last on %s.", self._format(account.last_sync))
        return make_step("yes", words)

    @api.model
    def _tell_rules(self, account, address, kind):
        """Tell which rules keep the mail of an address from a mailbox, or off records.

        :param str kind: `never_store` or `never_link`
        """
        env = self.env
        Rule = env["easycrm.email.rule"]
        owner = account.user_id
        steps = []
        for rule in Rule.search(
            [("kind", "=", kind), ("pattern", "in", list(patterns_of(address)))]
        ).sudo():
            is_its = rule.user_id == owner or (
                rule.company_id == account.company_id
                and (rule.enforced or owner not in rule.off_user_ids)
            )
            if not is_its:
                continue
            values = {"rule": rule.pattern, "mailbox": account.email}
            if kind == "never_store":
                words = env._("The rule “%(rule)s” never stores its emails.", **values)
            else:
                words = env._(
                    "The rule “%(rule)s” keeps it off all records, in %(mailbox)s.",
                    **values,
                )
            steps.append(make_step("no", words))
        return steps
