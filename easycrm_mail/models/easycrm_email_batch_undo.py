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
        :raise AccessError: what was taken off, or put back, is not for this user to
            change any more
        """
        self.ensure_one()
        if self.undone_at:
            return None, ""
        if self.kind in ("take_off", "put_back"):
            self.line_ids.link_id.sudo(False)._check_record_access()
        # first of all: who undoes it at the same time has to wait, and then finds it so
        self.write({"undone_at": fields.Datetime.now(), "undone_uid": self.env.uid})
        self.flush_recordset()
        emails = self._forget_taught() | self._undo_links() | self._undo_ignored()
        is_gone = self.record_name and not self._get_record()
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
                accounts=list(self.env["easycrm.email.account"]._get_own_account_ids()),
                senders=self.env["easycrm.email.copy"]._get_senders_sql(patterns),
                applies=TAUGHT_APPLIES,
                covers=covers_sender(SQL("rule.pattern")),
            )
        )
        return self._forget_ignored(rows)

    def _undo_links(self):
        """Undo what became of links; return their emails.

        What was taken off since, stays off. What a taught rule has placed since goes.
        What finds the emails by now, such as an address of the record or what another
        step has taught, places them.
        """
        links = self.env["easycrm.email.link"].sudo()
        for model in ("batch", "batch.line", "link"):
            self.env[f"easycrm.email.{model}"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.id, line.link_id, %s FROM easycrm_email_batch_line line
                WHERE line.batch_id = %s AND line.link_id IS NOT NULL
                  AND line.before IS NOT NULL
                """,
                self._get_last_sql("link_id"),
                self.id,
            )
        )
        emails = links._delete(
            SQL(
                "batch = %s AND removed IS NOT TRUE AND id <> ALL(%s)",
                str(self.id),
                [link_id for _line, link_id, _is_last in rows],
            )
        )
        changed = self.line_ids.browse(line for line, _link, is_last in rows if is_last)
        changed.link_id._put_before(changed)
        if emails:
            self.env["easycrm.email.address"]._link_emails(
                SQL("participant.email_id = ANY(%s)", emails.ids)
            )
            self.env["easycrm.email.thread.follow"]._link_taught(emails.ids)
        return emails.sudo() | changed.email_id

    def _undo_ignored(self):
        """Undo what was ignored or brought back; return the emails.

        In SQL, as a sender may have written a hundred thousand; in mailboxes that are
        the user's own still.
        """
        for model in ("batch", "batch.line", "copy"):
            self.env[f"easycrm.email.{model}"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE easycrm_email_copy held
                SET ignored = (line.before ->> 'ignored')::boolean
                FROM easycrm_email_batch_line line
                WHERE line.batch_id = %s AND held.id = line.copy_id
                  AND held.ignored IS DISTINCT FROM (line.before ->> 'ignored')::boolean
                  AND held.account_id = ANY(%s) AND %s
                RETURNING held.email_id, held.account_id
                """,
                self.id,
                list(self.env["easycrm.email.account"]._get_own_account_ids()),
                self._get_last_sql("copy_id"),
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

    def _get_last_sql(self, field):
        """Return the condition on `line` that no later step has changed its row since,
        unless it was undone.

        As a list that is made once: the planner does not know yet of a hundred thousand
        lines that a step has just made, and would look at all of them for each.

        :param str field: `link_id` or `copy_id`: which row
        """
        return SQL(
            """line.%(field)s NOT IN (
                SELECT later.%(field)s FROM easycrm_email_batch_line later
                JOIN easycrm_email_batch step ON step.id = later.batch_id
                JOIN easycrm_email_batch_line own
                  ON own.%(field)s = later.%(field)s AND own.batch_id = %(batch)s
                WHERE later.batch_id > %(batch)s AND step.undone_at IS NULL)""",
            field=SQL.identifier(field),
            batch=self.id,
        )
