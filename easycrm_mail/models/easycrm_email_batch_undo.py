from odoo import fields, models
from odoo.tools import SQL


class EasycrmEmailBatch(models.Model):
    """What a step did is undone, all of it."""

    _inherit = "easycrm.email.batch"

    def _undo(self):
        """Undo this step.

        :return: how many emails that changes, None if it was undone before; and the
            name of its record if that was deleted
        """
        self.ensure_one()
        if self.undone_at:
            return None, ""
        # first of all: who undoes it at the same time has to wait, and then finds it so
        self.write({"undone_at": fields.Datetime.now(), "undone_uid": self.env.uid})
        self.flush_recordset()
        emails = self._forget_taught() | self._undo_links() | self._undo_ignored()
        is_gone = self.record_name and not self._get_record()
        return len(emails), self.record_name if is_gone else ""

    def _forget_taught(self):
        """Forget what the step has taught; return the emails that this sets free."""
        mine = [("batch_id", "=", self.id)]
        self.env["easycrm.email.thread.follow"].sudo().search(mine).unlink()
        self.env["easycrm.email.rule"].sudo().search(mine).unlink()
        addresses = self.env["easycrm.email.address"].sudo().search(mine)
        return addresses._take_back()

    def _undo_links(self):
        """Undo what became of links; return their emails.

        What was taken off since, stays off. What a taught rule has placed since goes.
        """
        changed = self.line_ids.filtered(lambda line: line.link_id and line.before)
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
        lines = self.line_ids.filtered("copy_id")
        for line in lines:
            line.copy_id.ignored = line.before["ignored"]
        lines.copy_id._announce_unlinked(set(lines.copy_id.account_id.ids))
        return lines.email_id
