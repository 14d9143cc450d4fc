from odoo import fields, models
from odoo.tools import SQL

from . import access
from .rule_conditions import TAUGHT_APPLIES, covers_sender


class EasycrmEmailBatch(models.Model):
    """What a step did is undone, all of it."""

    _inherit = "easycrm.email.batch"

    def _undo(self):
        """Undo this step.

        :return: how many emails that changes, None if it was undone before; and the
            name of its record if that was deleted
        :raise AccessError: the user may not change the record any more, which taking
            off and putting back is for
        """
        self.ensure_one()
        record = self._get_record()
        if self.undone_at:
            return None, ""
        if record and self.kind in ("take_off", "put_back"):
            record.sudo(False).check_access("write")
        # first of all: who undoes it at the same time has to wait, and then finds it so
        self.write({"undone_at": fields.Datetime.now(), "undone_uid": self.env.uid})
        self.flush_recordset()
        emails = self._forget_taught() | self._undo_links() | self._undo_ignored()
        is_gone = self.record_name and not record
        return self._count_known(emails), self.record_name if is_gone else ""

    def _count_known(self, emails):
        """Return how many of these emails the user knows of.

        An address that was taught places everybody's mail: how much of it others have
        is not told.
        """
        self.env["easycrm.email.batch.line"].flush_model()
        [[count]] = self.env.execute_query(
            SQL(
                """
                SELECT count(*) FROM unnest(%s::int[]) AS email (id)
                WHERE %s OR EXISTS (
                    SELECT FROM easycrm_email_batch_line line
                    WHERE line.batch_id = %s AND line.email_id = email.id OFFSET 0)
                """,
                emails.ids,
                access.own_copy(self.env, SQL("email.id")),
                self.id,
            )
        )
        return count

    def _forget_taught(self):
        """Forget what the step has taught; return the emails that this sets free."""
        mine = [("batch_id", "=", self.id)]
        self.env["easycrm.email.thread.follow"].sudo().search(mine).unlink()
        rules = self.env["easycrm.email.rule"].sudo().search(mine)
        ignored = rules.filtered(lambda rule: rule.kind == "ignore").mapped("pattern")
        rules.unlink()
        addresses = self.env["easycrm.email.address"].sudo().search(mine)
        return addresses._take_back() | self._unignore_senders(ignored)

    def _unignore_senders(self, patterns):
        """Bring back what rules have ignored that were just forgotten.

        But not what another step, or another rule, ignores.

        :param list patterns: of these rules
        :return: the emails
        """
        emails = self.env["easycrm.email"].sudo()
        if not patterns:
            return emails
        self.env["easycrm.email.rule"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE easycrm_email_copy held SET ignored = FALSE
                FROM easycrm_email_account account
                WHERE account.id = held.account_id AND account.id = ANY(%(accounts)s)
                  AND held.is_unlinked IS TRUE AND held.ignored IS TRUE AND %(senders)s
                  AND NOT EXISTS (
                      SELECT FROM easycrm_email_batch_line line
                      JOIN easycrm_email_batch step ON step.id = line.batch_id
                      WHERE line.copy_id = held.id AND step.kind = 'ignore'
                        AND step.undone_at IS NULL)
                  AND NOT EXISTS (
                      SELECT FROM easycrm_email_rule rule
                      WHERE rule.kind = 'ignore' AND %(applies)s AND %(covers)s)
                RETURNING held.email_id, held.account_id
                """,
                accounts=list(access.own_account_ids(self.env)),
                senders=self.env["easycrm.email.copy"]._get_senders_sql(patterns),
                applies=TAUGHT_APPLIES,
                covers=covers_sender(SQL("rule.pattern")),
            )
        )
        return self._forget_ignored(rows)

    def _undo_links(self):
        """Undo what became of links; return their emails.

        What was taken off since, stays off. What a taught rule has placed since goes.
        """
        changed = self.env["easycrm.email.batch.line"].search(
            [
                ("batch_id", "=", self.id),
                ("link_id", "!=", False),
                ("before", "!=", False),
            ]
        )
        links = self.env["easycrm.email.link"].sudo()
        links.flush_model()
        emails = links._delete(
            SQL(
                "batch = %s AND removed IS NOT TRUE AND id <> ALL(%s)",
                str(self.id),
                changed.link_id.ids,
            )
        )
        changed.link_id._put_before(changed)
        return emails.sudo() | changed.email_id

    def _undo_ignored(self):
        """Undo what was ignored or brought back; return the emails."""
        self.env["easycrm.email.copy"].flush_model()
        self.env["easycrm.email.batch.line"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE easycrm_email_copy held
                SET ignored = (line.before ->> 'ignored')::boolean
                FROM easycrm_email_batch_line line
                WHERE line.batch_id = %s AND line.copy_id = held.id
                  AND held.ignored IS DISTINCT FROM (line.before ->> 'ignored')::boolean
                RETURNING held.email_id, held.account_id
                """,
                self.id,
            )
        )
        return self._forget_ignored(rows)

    def _forget_ignored(self, rows):
        """Forget what is cached of copies that were just ignored or brought back.

        :param rows: of (email id, id of the mailbox)
        :return: the emails
        """
        copies = self.env["easycrm.email.copy"]
        copies.invalidate_model(["ignored"], flush=False)
        copies._announce_unlinked({account_id for _email, account_id in rows})
        return self.env["easycrm.email"].sudo().browse({row[0] for row in rows})
