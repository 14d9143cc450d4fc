from odoo import fields, models, tools
from odoo.tools import SQL

from . import access


class EasycrmEmail(models.Model):
    """Who has linked this email, taken it off, ignored it, undone that, and when."""

    _inherit = "easycrm.email"

    def easycrm_history(self):
        """Tell what was done with this email, the newest first.

        One's own steps; and those of others on records that the user may read, if his
        own mailbox holds the email: to others, what was taken off is gone.

        :return: list of dict with `batch`, `kind`, `sentence`, `who`, `when`, `undone`
            (words, or False) and `can_undo`
        """
        self.ensure_one()
        self.check_access("read")
        return [step._tell(self.env) for step in self._get_steps()]

    def _get_steps(self):
        """Return the steps with this email that the user may know of, as superuser."""
        for model in ("batch", "batch.line", "link"):
            self.env[f"easycrm.email.{model}"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT step.id FROM easycrm_email_batch_line line
                JOIN easycrm_email_batch step ON step.id = line.batch_id
                WHERE line.email_id = %(email)s AND (
                    step.create_uid = %(uid)s OR line.copy_id IS NULL AND %(held)s
                    AND (%(partner)s OR %(lead)s))
                ORDER BY step.id DESC
                """,
                email=self.id,
                uid=self.env.uid,
                held=access.own_copy(self.env, SQL("line.email_id")),
                partner=access.readable_record(
                    self.env, "res.partner", SQL("step.partner_id")
                ),
                lead=access.readable_record(self.env, "crm.lead", SQL("step.lead_id")),
            )
        )
        return self.env["easycrm.email.batch"].sudo().browse(row[0] for row in rows)


class EasycrmEmailBatch(models.Model):
    _inherit = "easycrm.email.batch"

    def _tell(self, env):
        """Say what this step was, for one user.

        :param env: the user's, who may know of it
        """
        self.ensure_one()
        record = self._get_record().with_env(env)
        # (one's own step names a deleted record still, but no hidden one)
        name = self.record_name if not record else ""
        if record and record._filtered_access("read"):
            name = record.display_name
        # (undone, its rest is no news any more)
        rest, is_wished = "", self._is_undo_wished()
        if is_wished:
            rest = env._("being undone")
        elif self.stopped_at and self.broken_count:
            rest = env._("stopped: something went wrong")
        elif self.stopped_at:
            rest = env._("not for all mails: you may not do this any more")
        elif self.todo and self.broken_count:
            rest = env._("something went wrong: it will be tried again")
        elif self.todo and not self.undone_at:
            rest = env._("going on")
        sentences = {
            "link": env._("Linked to %s", name or env._("a record")),
            "take_off": env._("Taken off %s", name or env._("a record")),
            "put_back": env._("Put back on %s", name or env._("a record")),
            "ignore": env._("Ignored"),
            "bring_back": env._("Brought back"),
        }
        undone = False
        if self.undone_at:
            date = tools.format_datetime(env, self.undone_at, dt_format="short")
            undone = (
                env._("undone by you, %s", date)
                if self.undone_uid == env.user
                else env._(
                    "undone by %(user)s, %(date)s",
                    user=self.undone_uid.name,
                    date=date,
                )
            )
        is_mine = self.create_uid == env.user
        scopes = dict(self._fields["scope"]._description_selection(env))
        scope = self.scope != "these" and scopes[self.scope]
        return {
            "batch": self.id,
            "kind": self.kind,
            "sentence": " · ".join(filter(None, (sentences[self.kind], scope, rest))),
            "who": env._("You") if is_mine else self.create_uid.name,
            "when": fields.Datetime.to_string(self.create_date),
            "undone": undone,
            "can_undo": is_mine
            and not is_wished
            and (not self.undone_at or self._is_undo_stopped()),
        }
