from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from .rule_conditions import APPLIES, COVERING, COVERS_OTHER, covers_copy

#: Emails that a new rule clears away within the user's own transaction, and the cron in
#: one of its own.
CLEARED_AT_ONCE = 500

#: Minutes after which a new rule is followed once more: mail that was just being
#: stored, in a transaction that did not see it, goes then.
LOOK_AGAIN_MINUTES = 1


class EasycrmEmailRule(models.Model):
    """What a rule does to mail that is here, when it comes and when it goes."""

    _inherit = "easycrm.email.rule"

    follow_at = fields.Datetime(
        groups=fields.NO_ACCESS, help="When what is here is to be cleared away."
    )

    _follow_idx = models.Index("(follow_at, id) WHERE follow_at IS NOT NULL")

    def _clear_away(self):
        """Clear away what the rule is against: now, and the rest by the cron.

        :return: whether there may be more
        """
        self.ensure_one()
        again = fields.Datetime.now() + timedelta(minutes=LOOK_AGAIN_MINUTES)
        self.follow_at = again
        self.env["easycrm.email.account"]._wake_backfill(again)
        return self._clear_some() == CLEARED_AT_ONCE

    @api.model
    def _follow_due(self):
        """Clear away for the rules that are due, a batch of it.

        :return: whether there may be more
        """
        rule = self.sudo().search(
            [("follow_at", "<=", fields.Datetime.now())],
            order="follow_at, id",
            limit=1,
        )
        if rule and rule._clear_some() < CLEARED_AT_ONCE:
            rule.follow_at = False
        return bool(rule)

    def _clear_some(self):
        """Clear away a batch; return how many copies or links it was."""
        if self.kind == "never_store":
            copies = self._find_copies(CLEARED_AT_ONCE)
            self._delete_copies(copies)
            return len(copies)
        links = self._find_links(CLEARED_AT_ONCE)
        links._delete(SQL("id = ANY(%s)", links.ids))
        return len(links)

    def _find_copies(self, limit):
        """Return copies that the rule covers, in the mailboxes that it is for."""
        rows = self.env.execute_query(
            SQL("SELECT held.id %s LIMIT %s", self._get_held_sql(), limit)
        )
        return self.env["easycrm.email.copy"].browse(row[0] for row in rows)

    def _get_held_sql(self):
        """Return FROM and WHERE of a query on what this rule covers.

        That is `held`, in an `account` that the `rule` is for.
        """
        self.ensure_one()
        for model in ("rule", "copy", "participant", "account"):
            self.env[f"easycrm.email.{model}"].flush_model()
        return SQL(
            """
            FROM easycrm_email_rule rule
            JOIN easycrm_email_account account ON %s
            JOIN easycrm_email_copy held ON held.account_id = account.id
            WHERE rule.id = %s AND %s
            """,
            APPLIES,
            self.id,
            covers_copy(self.pattern),
        )

    @api.model
    def _count_here(self, pattern, accounts, condition=None):
        """Tell how many emails of these mailboxes a pattern covers.

        :param SQL condition: on `held`, if not all of it counts
        :return: of all of them, of those that their mailbox does not hold any more, of
            those on a record, and of those on a record by themselves that no other
            mailbox holds
        """
        for model in ("copy", "participant", "account", "link"):
            self.env[f"easycrm.email.{model}"].flush_model()
        [row] = self.env.execute_query(
            SQL(
                """
                SELECT count(DISTINCT held.email_id),
                    count(DISTINCT held.email_id)
                        FILTER (WHERE held.removed_at IS NOT NULL),
                    count(DISTINCT held.email_id)
                        FILTER (WHERE held.is_unlinked IS NOT TRUE),
                    count(DISTINCT held.email_id)
                        FILTER (WHERE held.is_unlinked IS NOT TRUE
                            AND EXISTS (
                                SELECT FROM easycrm_email_link link
                                WHERE link.email_id = held.email_id
                                  AND link.origin IN ('auto', 'rule')
                                  AND link.removed IS NOT TRUE OFFSET 0)
                            AND NOT EXISTS (
                                SELECT FROM easycrm_email_copy elsewhere
                                WHERE elsewhere.email_id = held.email_id
                                  AND elsewhere.account_id <> ALL(%(accounts)s)
                                OFFSET 0))
                FROM easycrm_email_copy held
                JOIN easycrm_email_account account ON account.id = held.account_id
                WHERE account.id = ANY(%(accounts)s) AND %(covered)s AND %(condition)s
                """,
                accounts=accounts.ids,
                covered=covers_copy(pattern),
                condition=condition or SQL("TRUE"),
            )
        )
        return row

    def _delete_copies(self, copies):
        """Delete what the mailboxes hold; emails that nobody holds any more go too."""
        if not copies:
            return
        self.env["easycrm.email.exclusion"]._keep_places(copies, "rule", self)
        emails = copies.email_id
        copies.unlink()
        emails._unlink_unheld()

    # --- never link ---

    @api.model
    def _get_linkable_sql(self):
        """Return the condition on `email` that no rule keeps it off the records.

        Of several mailboxes that hold it one is enough that has no rule against it.
        """
        self.flush_model()
        # (in the order of its index: else the table may be scanned for the first one)
        if not self.sudo().search(
            [("kind", "=", "never_link")], order="pattern", limit=1
        ):
            return SQL("TRUE")
        self.env["easycrm.email.account"].flush_model()
        # compiling the statement for each batch would take longer than running it
        self.env.cr.execute("SET LOCAL jit TO off")
        return SQL(
            """(NOT EXISTS (SELECT FROM easycrm_email_copy held
                            WHERE held.email_id = email.id OFFSET 0)
                OR EXISTS (
                    SELECT FROM easycrm_email_copy held
                    JOIN easycrm_email_account account ON account.id = held.account_id
                    WHERE held.email_id = email.id AND NOT EXISTS (
                        SELECT FROM %s AND rule.kind = 'never_link' AND %s)
                    OFFSET 0))""",
            COVERING,
            APPLIES,
        )

    def _find_links(self, limit):
        """Return the links that came by themselves and that the rule is against."""
        self.env["easycrm.email.link"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT link.id FROM easycrm_email_link link
                JOIN easycrm_email email ON email.id = link.email_id
                WHERE link.origin IN ('auto', 'rule') AND link.removed IS NOT TRUE
                  AND email.id IN (SELECT held.email_id %s) AND NOT %s
                LIMIT %s
                """,
                self._get_held_sql(),
                self._get_linkable_sql(),
                limit,
            )
        )
        return self.env["easycrm.email.link"].browse(row[0] for row in rows)

    def _find_held_back(self, user=None):
        """Return the addresses that may find mail once these rules are gone.

        :param user: that is, for this user's mailboxes only
        """
        addresses = self.env["easycrm.email.address"].sudo()
        addresses.flush_model()
        whose = SQL("account.user_id = %s", user.id) if user else SQL("TRUE")
        for rule in self.sudo().filtered(lambda rule: rule.kind == "never_link"):
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT DISTINCT address.id FROM easycrm_email_address address
                    JOIN easycrm_email_participant participant
                      ON participant.address = address.address
                    WHERE participant.email_id IN (SELECT held.email_id %s AND %s)
                    """,
                    rule._get_held_sql(),
                    whose,
                )
            )
            addresses |= addresses.browse(row[0] for row in rows)
        return addresses

    def _find_held_back_taught(self, user=None):
        """Return what was taught that may find mail once these rules are gone.

        :param user: that is, for this user's mailboxes only
        :return: ids of some of the emails, and the steps by which the cron finds all
        """
        for model in ("", ".thread.follow", ".participant"):
            self.env[f"easycrm.email{model}"].flush_model()
        whose = SQL("account.user_id = %s", user.id) if user else SQL("TRUE")
        email_ids, step_ids = [], []
        for rule in self.sudo().filtered(lambda rule: rule.kind == "never_link"):
            [found] = self.env.execute_query(
                SQL(
                    """
                    SELECT (array_agg(email.id))[:%(limit)s],
                        array_agg(DISTINCT taught.batch_id)
                            FILTER (WHERE taught.batch_id IS NOT NULL)
                    FROM (SELECT DISTINCT held.email_id %(held)s
                          AND held.is_unlinked IS TRUE AND %(whose)s) AS waiting
                    JOIN easycrm_email email ON email.id = waiting.email_id
                    JOIN LATERAL (
                        SELECT follow.batch_id FROM easycrm_email_thread_follow follow
                        WHERE follow.thread_id = email.thread_id
                        UNION
                        SELECT rule.batch_id FROM easycrm_email_participant other
                        JOIN easycrm_email_rule rule ON %(covers)s
                        WHERE other.email_id = email.id AND rule.kind = 'always_link'
                    ) AS taught ON TRUE
                    """,
                    limit=CLEARED_AT_ONCE,
                    held=rule._get_held_sql(),
                    whose=whose,
                    covers=COVERS_OTHER,
                )
            )
            email_ids += found[0] or []
            step_ids += found[1] or []
        return email_ids, self.env["easycrm.email.batch"].sudo().browse(set(step_ids))

    def _prepare_release(self, user=None):
        """Return a function that places what these rules keep off, once they are gone.

        :param user: that is, for this user's mailboxes only
        """
        addresses = self._find_held_back(user)
        email_ids, steps = self._find_held_back_taught(user)

        def release():
            addresses._match()
            if email_ids:
                self.env["easycrm.email.thread.follow"].sudo()._link_taught(email_ids)
            for step in steps.exists():
                if not step.todo and not step.undone_at:
                    step._look_again()

        return release
