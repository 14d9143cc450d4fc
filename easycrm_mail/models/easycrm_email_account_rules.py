from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .rule_conditions import APPLIES, TAUGHT_APPLIES, patterns_of


class EasycrmEmailAccount(models.Model):
    """What a mailbox leaves out: for its owner, who alone sees it."""

    _inherit = "easycrm.email.account"

    ignore_automatic = fields.Boolean(
        string="Leave Out Newsletters and Automatic Emails",
        help="Emails that went to many or that a machine wrote, unless their sender is "
        "a contact or lead.",
    )
    ignore_colleagues = fields.Boolean(
        string="Leave Out Emails Among Colleagues",
        help="Emails in which nobody but your own people stands.",
    )
    ignore_private = fields.Boolean(
        string="Leave Out What Looks Private",
        help="Emails that look as if a bank, a doctor or a payroll had written them, "
        "with nobody in them who is a contact or lead.",
    )
    left_out_count = fields.Integer(
        string="Left Out", compute="_compute_left_out", help="Emails not stored here."
    )
    left_out_words = fields.Char(string="Left Out Because", compute="_compute_left_out")
    readmitted_count = fields.Integer(
        compute="_compute_left_out",
        help="Emails that were left out for a reason that does not count any more.",
    )

    @api.depends_context("uid", "lang")
    @api.depends(
        "ignore_automatic", "ignore_colleagues", "ignore_private", "unlinked_keep"
    )
    def _compute_left_out(self):
        Exclusion = self.env["easycrm.email.exclusion"]
        for account in self:
            mine = Domain("account_id", "=", account._origin.id)
            account.left_out_count = sum(Exclusion._count(mine, "account_id").values())
            if not account.left_out_count:
                account.left_out_words, account.readmitted_count = False, 0
                continue
            account.left_out_words = account._get_left_out_words(mine)
            # (whoever sees one of its mailbox sees all: there may be very many)
            [[account.readmitted_count]] = self.env.execute_query(
                account._select_readmitted(SQL("count(DISTINCT out.mark)"))
            )

    def _get_left_out_words(self, domain):
        """Say how many emails were left out for which reason, the most first.

        :param Domain domain: on the exclusions
        """
        env = self.env
        Exclusion = env["easycrm.email.exclusion"]
        counts = Exclusion._count(domain, "reason")
        words = {}
        for rule, count in Exclusion._count(
            domain & Domain("reason", "=", "rule"), "rule_id"
        ).items():
            words[
                env._("%(count)s by “%(rule)s”", count=count, rule=rule.pattern)
                if rule
                else env._("%s by rules that were removed", count)
            ] = count
        if count := counts.get("automatic"):
            words[env._("%s newsletters and automatic emails", count)] = count
        if count := counts.get("colleagues"):
            words[env._("%s among colleagues", count)] = count
        if count := counts.get("private"):
            words[env._("%s that look private", count)] = count
        if count := counts.get("old"):
            words[env._("%s too old to be kept unlinked", count)] = count
        if count := counts.get("unlinked"):
            words[env._("%s on no contact, lead or opportunity", count)] = count
        if count := counts.get("erased"):
            words[env._("%s deleted for good", count)] = count
        return " · ".join(sorted(words, key=words.get, reverse=True))

    def _find_rules(self, addresses):
        """Return the rules that go for this mailbox and cover one of these addresses.

        Found by the addresses, along an index: whoever has many rules, it costs what
        is asked.

        :param addresses: normalised
        :return: {kind: {pattern: id of the rule}}
        """
        self.ensure_one()
        self.env["easycrm.email.rule"].flush_model()
        self.flush_recordset(["user_id", "company_id", "member_ids"])
        patterns = {one for address in addresses for one in patterns_of(address)}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT rule.kind, rule.pattern, rule.id
                FROM easycrm_email_rule rule, easycrm_email_account account
                WHERE account.id = %s AND rule.pattern = ANY(%s) AND %s
                """,
                self.id,
                list(patterns),
                TAUGHT_APPLIES,
            )
        )
        rules = defaultdict(dict)
        for kind, pattern, rule_id in rows:
            rules[kind][pattern] = rule_id
        return rules

    def _find_readmitted(self, reasons=None):
        """Return what was left out for a reason that does not count any more.

        :param reasons: the reasons that are meant, all if not given
        """
        exclusions = self.env["easycrm.email.exclusion"]
        exclusions.check_access("read")
        rows = self.env.execute_query(self._select_readmitted(SQL("out.id"), reasons))
        return exclusions.browse(row[0] for row in rows)._filtered_access("read")

    def _select_readmitted(self, what, reasons=None):
        """Return the select of these, whoever may see them.

        :param SQL what: to be selected of the exclusion, `out`
        """
        self.env["easycrm.email.exclusion"].flush_model()
        self.env["easycrm.email.rule"].flush_model()
        self.flush_recordset()
        companies = self.sudo().company_id
        emails = self.env["easycrm.email"]
        return SQL(
            """
            SELECT %(what)s FROM easycrm_email_exclusion out
            JOIN easycrm_email_account account ON account.id = out.account_id
            LEFT JOIN easycrm_email_rule rule ON rule.id = out.rule_id
            JOIN unnest(%(companies)s, %(limits)s::timestamp[])
                AS kept (company_id, since) ON kept.company_id = account.company_id
            WHERE account.id = ANY(%(accounts)s) AND %(meant)s AND CASE out.reason
                WHEN 'automatic' THEN account.ignore_automatic IS NOT TRUE
                WHEN 'colleagues' THEN account.ignore_colleagues IS NOT TRUE
                WHEN 'private' THEN account.ignore_private IS NOT TRUE
                WHEN 'rule' THEN rule.id IS NULL OR NOT %(applies)s
                WHEN 'erased' THEN FALSE
                ELSE account.unlinked_keep <> 'nothing' AND (kept.since IS NULL
                    OR out.sent_at IS NULL OR out.sent_at >= kept.since) END
            """,
            what=what,
            companies=companies.ids,
            limits=[emails._get_retention_date(company) for company in companies],
            accounts=self._origin.ids,
            meant=SQL("out.reason = ANY(%s)", list(reasons))
            if reasons
            else SQL("TRUE"),
            applies=APPLIES,
        )

    @api.model
    def _read_aged_again(self):
        """Read again what was too old to be kept unlinked, and is not any more."""
        owned = [("user_id", "!=", False)]
        accounts = self.sudo().with_context(active_test=False).search(owned)
        accounts._find_readmitted(["old"])._read_again()

    def action_read_left_out(self):
        """Read again what was left out for a reason that does not count any more."""
        self.check_access("write")
        again = self._find_readmitted()
        count = len(set(again.mapped("mark")))
        again.sudo()._read_again()
        return self._show_result(
            "info", self.env._("Emails that are read again: %s.", count)
        )
