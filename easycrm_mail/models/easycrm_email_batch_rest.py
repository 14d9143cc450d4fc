from odoo import api, fields, models
from odoo.exceptions import UserError


class EasycrmEmailBatch(models.Model):
    """A step with more emails than a click can wait for: the cron does the rest.

    The step, with its rule and its Undo, is committed with the first of them. What is
    left is never listed: it is what still waits in spite of what was taught, so that a
    slice is found anew each time, and dying anywhere is harmless. Each slice writes the
    step's row: of two workers the second begins anew, and an Undo leaves a wish.
    """

    _inherit = "easycrm.email.batch"

    #: Emails that are changed within the user's own click at most, and by the cron in
    #: one transaction.
    _slice = 2_000

    todo = fields.Json(
        help="What the cron goes on by: the `companies` at work when it was done, the "
        "`patterns` that are ignored; undone, the `addresses` that were taught too."
    )
    done_count = fields.Integer(help="Emails that were changed so far, by slices.")
    stopped_at = fields.Datetime(
        help="When the rest was given up: it is not for this user any more."
    )

    def _leave_rest(self, count, **todo):
        """Leave what is left of this step to the cron, at once.

        :param int count: of the emails that were done already
        :param todo: what it goes by
        """
        self.write(
            {
                "todo": {**todo, "companies": self.env.companies.ids},
                "done_count": count,
                "again_at": fields.Datetime.now(),
            }
        )
        self.env["easycrm.email.account"]._wake_backfill()

    def _go_on(self):
        """Do, or undo, the next slice of this step, as the person whose step it is.

        What he may not do any more is given up; the rest of an Undo can be asked for
        again.
        """
        try:
            with self.env.cr.savepoint():
                step = self._as_author(self.todo["companies"])
                if self.undone_at:
                    count, is_all = step._undo_some(self._slice)
                else:
                    count, is_all = step._do_some(self._slice)
        except UserError:
            self.write({"again_at": False, "stopped_at": fields.Datetime.now()})
            if not self.undone_at:
                self.todo = False
            return
        self.done_count += count
        if not is_all:
            # (others take their turn)
            self.again_at = fields.Datetime.now()
            return
        self.todo = self.again_at = False
        if not self.undone_at:
            self._look_again()

    def _as_author(self, companies):
        """Return this step as superuser, but in the place of whose step it is.

        :param list companies: ids of those at work, as far as he has them still
        :raise UserError: he may not look into his mail any more
        """
        author = self.create_uid
        present = author.company_ids.filtered("active").ids
        companies = [one for one in companies if one in present]
        if not author.active or not companies:
            raise UserError(self.env._("This is not yours to do any more."))
        step = self.with_user(author).with_context(allowed_company_ids=companies)
        step.env["easycrm.email.copy"].browse().check_access("read")
        return step.sudo()

    def _do_some(self, limit):
        """Place or ignore the newest of what still waits.

        :return: how many emails, and whether these were all
        """
        copies = self.env["easycrm.email.copy"].sudo(False)
        if self.kind == "ignore":
            count = copies._set_ignored(
                copies.browse(), True, self, self._get_patterns_kept(), limit
            )
            return count, count < limit
        record, choices = self._get_record(), self._get_taught()
        if not choices or not all(choice.get("company") for choice in choices):
            record = copies._get_record(record._name, record.id)
        total, is_all = 0, True
        for choice in choices:
            if company := choice.get("company"):
                company.sudo(False).check_access("read")
            emails, is_all = copies._find_some_taught(choice, record, limit)
            copies._place_taught(choice, record, emails, self)
            total += len(emails)
            if not is_all:
                break
        return total, is_all

    @api.model
    def _get_patterns_kept(self):
        """Return the patterns of `todo` for which the user has a rule still."""
        mine = [("user_id", "=", self.env.uid), ("kind", "=", "ignore")]
        rules = self.env["easycrm.email.rule"].search(
            [*mine, ("pattern", "in", self.todo["patterns"])]
        )
        return rules.mapped("pattern")
