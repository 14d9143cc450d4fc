from odoo import fields, models
from odoo.tools import SQL


class EasycrmEmailBatch(models.Model):
    """What a step did is undone, all of it."""

    _inherit = "easycrm.email.batch"

    def _undo(self):
        """Undo this step.

        :return: how many emails that changes, None if it was undone before; and the
            name of its record if that was deleted
        :raise AccessError: what was taken off is not for this user to put back
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
        What finds the emails by now, such as an address of the record, places them.
        """
        lines = self.line_ids.filtered(lambda line: line.link_id and line.before)
        links = self.env["easycrm.email.link"].sudo()
        links.flush_model()
        emails = links._delete(
            SQL(
                "batch = %s AND removed IS NOT TRUE AND id <> ALL(%s)",
                str(self.id),
                lines.link_id.ids,
            )
        )
        changed = lines._get_last_changed("link_id")
        changed.link_id._put_before(changed)
        if emails:
            self.env["easycrm.email.address"]._link_emails(
                SQL("participant.email_id = ANY(%s)", emails.ids)
            )
        return emails.sudo() | changed.email_id

    def _undo_ignored(self):
        """Undo what was ignored or brought back; return the emails.

        In mailboxes that are the user's own still.
        """
        own = self.env["easycrm.email.account"]._get_own_account_ids()
        lines = self.line_ids.filtered(lambda line: line.copy_id.account_id.id in own)
        lines = lines._get_last_changed("copy_id")
        for ignored in (True, False):
            same = lines.filtered(
                lambda line, ignored=ignored: line.before["ignored"] == ignored
            )
            same.copy_id.ignored = ignored
        lines.copy_id._announce_unlinked(set(lines.copy_id.account_id.ids))
        return lines.email_id


class EasycrmEmailBatchLine(models.Model):
    _inherit = "easycrm.email.batch.line"

    def _get_last_changed(self, field):
        """Return the lines whose rows no later step has changed, unless it was undone.

        :param str field: `link_id` or `copy_id`: which rows
        """
        later = self.search(
            [
                (field, "in", self[field].ids),
                ("batch_id", ">", max(self.batch_id.ids, default=0)),
                ("batch_id.undone_at", "=", False),
            ]
        )
        return self.filtered(lambda line: line[field] not in later[field])
