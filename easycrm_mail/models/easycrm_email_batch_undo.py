from odoo import fields, models
from odoo.tools import SQL

from . import access
from .rule_conditions import TAUGHT_APPLIES, covers_sender


class EasycrmEmailBatch(models.Model):
    """What a step did is undone, all of it."""

    _inherit = "easycrm.email.batch"

    def _undo(self):
        """Undo this step, or go on with an Undo that was stopped.

        :return: how many emails that changes, None if it was undone before; and the
            name of its record if that was deleted
        :raise AccessError: what was taken off, or put back, is not for this user to
            change any more
        """
        self.ensure_one()
        if self._is_undo_stopped():
            self.write({"stopped_at": False, "broken_count": 0})
            self._leave_rest(self.done_count, **self.todo)
            return 0, ""
        if self.undone_at:
            return None, ""
        if self.kind in ("take_off", "put_back"):
            self.line_ids.link_id.sudo(False)._check_record_access()
        # first of all: who undoes it at the same time has to wait, and then finds it so
        self.write(
            {
                "undone_at": fields.Datetime.now(),
                "undone_uid": self.env.uid,
                "stopped_at": False,
                "broken_count": 0,
            }
        )
        self.flush_recordset()
        self.todo = {"companies": self.env.companies.ids, **self._forget_taught()}
        emails = self._put_links_back()
        undone, is_all = self._undo_emails(self._slice)
        if is_all:
            self.todo = False
        else:
            self._leave_rest(len(undone), **self.todo)
        emails |= undone
        is_gone = self.record_name and not self._get_record()
        return self._count_known(emails), self.record_name if is_gone else ""

    def _is_undo_stopped(self):
        """Tell whether the rest of its Undo was given up."""
        return bool(self.undone_at and self.stopped_at and self.todo)

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
        """Forget what the step has taught.

        :return: dict of the `patterns` that were ignored, and the `addresses` that were
            taught, as (column, id, address) of whose they were
        """
        mine = [("batch_id", "=", self.id)]
        self.env["easycrm.email.thread.follow"].sudo().search(mine).unlink()
        rules = self.env["easycrm.email.rule"].sudo().search(mine)
        ignored = rules.filtered(lambda rule: rule.kind == "ignore").mapped("pattern")
        rules.unlink()
        addresses = self.env["easycrm.email.address"].sudo().search(mine)
        return {"patterns": ignored, "addresses": addresses._take_back()}

    def _undo_some(self, limit):
        """Undo a slice; return how many emails, and whether these were all."""
        emails, is_all = self._undo_emails(limit)
        return len(emails), is_all

    def _undo_emails(self, limit):
        """Undo so many rows of this step, the newest first where there may be many.

        :return: their emails, and whether these were all
        """
        undone = self.env["easycrm.email"].sudo()
        for undo in (self._undo_links, self._unignore_senders, self._undo_ignored):
            emails, count = undo(limit)
            undone |= emails
            limit -= count
            if limit <= 0:
                return undone, False
        return undone, True

    def _unignore_senders(self, limit):
        """Bring back what rules have ignored that were forgotten.

        But not what another step, or another rule, ignores.

        :return: the emails, and how many rows
        """
        patterns = self.todo["patterns"]
        for model in ("batch", "batch.line", "copy"):
            self.env[f"easycrm.email.{model}"].flush_model()
        # (a rule is for the mailboxes of all companies, whichever are at work)
        copies = self.env["easycrm.email.copy"].with_context(
            allowed_company_ids=self.env.user.company_ids.ids
        )
        newest = copies._get_newest_from_sql(
            patterns,
            SQL(
                """
                held.is_unlinked IS TRUE AND held.ignored IS TRUE
                AND NOT EXISTS (
                    SELECT FROM easycrm_email_batch_line line
                    JOIN easycrm_email_batch step ON step.id = line.batch_id
                    WHERE line.copy_id = held.id AND step.kind = 'ignore'
                      AND step.undone_at IS NULL)
                AND NOT %s
                """,
                self._get_ruled_sql(),
            ),
            limit,
        )
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE easycrm_email_copy held SET ignored = FALSE
                WHERE held.id = ANY(ARRAY(%s)) RETURNING held.email_id, held.account_id
                """,
                newest,
            )
        )
        return self._forget_ignored(rows), len(rows)

    def _get_ruled_sql(self, is_later=False):
        """Return the condition on `held` that a rule ignores it by now.

        :param bool is_later: a rule of a later step
        """
        self.env["easycrm.email.rule"].flush_model()
        return SQL(
            """EXISTS (
                SELECT FROM easycrm_email_rule rule
                JOIN easycrm_email_account account ON account.id = held.account_id
                WHERE rule.kind = 'ignore' AND %s AND %s AND %s)""",
            TAUGHT_APPLIES,
            covers_sender(SQL("rule.pattern")),
            SQL("rule.batch_id > %s", self.id) if is_later else SQL("TRUE"),
        )

    def _put_links_back(self):
        """Bring links back to what they were before this step; return their emails.

        What was taken off, or changed, in another step since stays so.
        """
        for model in ("batch", "batch.line", "link"):
            self.env[f"easycrm.email.{model}"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.id, %s, %s FROM easycrm_email_batch_line line
                WHERE line.batch_id = %s AND line.link_id IS NOT NULL
                  AND line.before IS NOT NULL
                """,
                self._get_last_sql("link_id"),
                self._get_before_sql("link_id"),
                self.id,
            )
        )
        lines = self.env["easycrm.email.batch.line"].sudo()
        befores = {line: before for line, is_last, before in rows if is_last}
        changed = lines.browse(befores)
        emails = changed.email_id
        none = changed.filtered(lambda line: befores[line.id] is None)
        (changed - none).link_id._put_before(changed - none, befores)
        if none:
            self._delete_links(none.link_id.ids)
        return emails

    def _undo_links(self, limit):
        """Delete links that this step, or what it has taught, has made.

        What was taken off since, stays off. What a taught rule has placed since goes.
        What finds the emails by now, such as an address of the record or what another
        step has taught, places them. Hence an address that is there again keeps its
        links: they would come back, to be deleted by the next slice.

        :return: their emails, and how many links
        """
        Address = self.env["easycrm.email.address"].sudo()
        gone = [
            (owner, record_id, address)
            for owner, record_id, address in self.todo["addresses"]
            if not Address.search_count(
                [(owner, "=", record_id), ("address", "=", address)], limit=1
            )
        ]
        for model in ("batch.line", "link"):
            self.env[f"easycrm.email.{model}"].flush_model()
        conditions = [
            SQL(
                """link.batch = %s AND NOT EXISTS (
                    SELECT FROM easycrm_email_batch_line line
                    WHERE line.link_id = link.id AND line.batch_id = %s
                      AND line.before IS NOT NULL)""",
                str(self.id),
                self.id,
            ),
            *(
                SQL(
                    "link.%s = %s AND link.address = %s AND link.origin = 'auto'",
                    SQL.identifier(owner),
                    record_id,
                    address,
                )
                for owner, record_id, address in gone
            ),
        ]
        ids = []
        for condition in conditions:
            rows = self.env.execute_query(
                SQL(
                    """SELECT link.id FROM easycrm_email_link link
                       WHERE %s AND link.removed IS NOT TRUE LIMIT %s""",
                    condition,
                    limit - len(ids),
                )
            )
            ids += [link_id for (link_id,) in rows]
        if not ids:
            return self.env["easycrm.email"].sudo(), 0
        return self._delete_links(ids), len(ids)

    def _delete_links(self, ids):
        """Delete links; what finds their emails by now places them."""
        links = self.env["easycrm.email.link"].sudo()
        emails = links._delete(SQL("id = ANY(%s)", ids))
        self.env["easycrm.email.address"]._link_emails(
            SQL("participant.email_id = ANY(%s)", emails.ids)
        )
        self.env["easycrm.email.thread.follow"]._link_taught(emails.ids)
        return emails.sudo()

    def _undo_ignored(self, limit):
        """Undo what was ignored or brought back, in mailboxes that are the user's own
        still.

        What a rule had ignored stays so where one of a later step does: the same may
        have been ignored again meanwhile.

        :return: the emails, and how many rows
        """
        for model in ("batch", "batch.line", "copy"):
            self.env[f"easycrm.email.{model}"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE easycrm_email_copy changed SET ignored = before.ignored
                FROM (
                    SELECT held.id, state.ignored
                    FROM easycrm_email_batch_line line
                    JOIN easycrm_email_copy held ON held.id = line.copy_id
                    CROSS JOIN LATERAL (
                        SELECT (%s ->> 'ignored')::boolean OFFSET 0) state (ignored)
                    WHERE line.batch_id = %s AND held.account_id = ANY(%s)
                      AND held.ignored IS DISTINCT FROM state.ignored
                      AND %s AND NOT %s
                    LIMIT %s
                ) AS before
                WHERE changed.id = before.id
                RETURNING changed.email_id, changed.account_id
                """,
                self._get_before_sql("copy_id"),
                self.id,
                list(self.env["easycrm.email.account"]._get_own_account_ids()),
                self._get_last_sql("copy_id"),
                self._get_ruled_sql(is_later=True)
                if self.todo["patterns"]
                else SQL("FALSE"),
                limit,
            )
        )
        return self._forget_ignored(rows), len(rows)

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
