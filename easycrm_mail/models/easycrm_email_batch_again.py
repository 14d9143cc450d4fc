import logging
from datetime import timedelta

from psycopg2 import IntegrityError, OperationalError

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError

_logger = logging.getLogger(__name__)

#: Minutes after which what was taught is followed once more: mail that was just being
#: stored, in a transaction that did not see it, is placed then.
LOOK_AGAIN_MINUTES = 1

#: Steps of which one is taken that no other worker is at.
LOOKED_AT = 20

#: Minutes after which a step is tried again that broke.
BROKEN_MINUTES = 30

#: How often what may be another transaction's doing is tried again at once, and an Undo
#: that breaks at all.
BROKEN_ATTEMPTS = 5


class EasycrmEmailBatch(models.Model):
    """What was taught in a step is followed once more, a minute later."""

    _inherit = "easycrm.email.batch"

    again_at = fields.Datetime(help="When what it has taught is followed once more.")
    companies = fields.Json(help="Those at work when it was done.")
    broken_count = fields.Integer(help="How often it has broken, time after time.")

    _again_idx = models.Index("(again_at, id) WHERE again_at IS NOT NULL")

    def _look_again(self):
        """Follow once more, soon, what this step has taught."""
        self.again_at = fields.Datetime.now() + timedelta(minutes=LOOK_AGAIN_MINUTES)
        self.env["easycrm.email.account"]._wake_backfill(self.again_at)

    @api.model
    def _look_again_due(self):
        """Follow what was taught a minute ago, or go on with what is left of a step.

        A step, or a slice of it; not one that another worker is at. First of all what
        somebody wants undone. One that breaks keeps no other out.

        :return: whether there may be more
        """
        if wish := self.env["easycrm.email.batch.wish"].sudo()._take():
            if wish.batch_id._guarded(wish._grant):
                wish.unlink()
            else:
                wish._put_off()
            return True
        due = self.sudo().search(
            [("again_at", "<=", fields.Datetime.now())],
            order="again_at, id",
            limit=LOOKED_AT,
        )
        step = due.try_lock_for_update(allow_referencing=True, limit=1)
        if step:
            step._guarded(step._go_on if step.todo else step._follow_taught)
        return bool(step)

    def _guarded(self, function):
        """Call; what breaks is left for a while.

        What violates a constraint may do so by what another transaction has written
        meanwhile: the next one sees that.

        :return: whether nothing broke
        :raise Exception: as the database has, or another worker: it is made again
        """
        try:
            with self.env.cr.savepoint():
                function()
        except (ConcurrencyError, OperationalError):
            raise
        except Exception as error:
            _logger.exception("Step %s with emails could not be gone on with", self.id)
            self.broken_count += 1
            later = fields.Datetime.now()
            is_crossed = isinstance(error, IntegrityError)
            if not is_crossed or self.broken_count >= BROKEN_ATTEMPTS:
                later += timedelta(minutes=BROKEN_MINUTES)
            if self.undone_at and self.broken_count >= BROKEN_ATTEMPTS:
                # (whoever undid it is told, and can go on with it)
                self.write({"again_at": False, "stopped_at": fields.Datetime.now()})
                return False
            self.again_at = later
            self.env["easycrm.email.account"]._wake_backfill(later)
            return False
        if self.broken_count:
            self.broken_count = 0
        return True

    def _follow_taught(self):
        """Place, or ignore, the mail that waits in spite of what was taught: a slice.

        Nothing if it is not for the person any more whose step it is.
        """
        self.again_at = False
        try:
            step = self._as_author(self.companies or [])
        except UserError:
            return
        copies = step.env["easycrm.email.copy"].sudo(False)
        is_all = True
        for choice in step._get_taught():
            if choice["scope"] != "address":  # (which is compared by itself)
                emails, is_last = copies._find_some_taught(
                    choice, step._get_record(), self._slice
                )
                linked = self.env["easycrm.email.thread.follow"]._link_taught(
                    emails.ids
                )
                # (what is kept off the records waits on)
                is_all = is_all and (is_last or not linked)
        rules = self.env["easycrm.email.rule"].search(
            [("batch_id", "=", self.id), ("kind", "=", "ignore")]
        )
        if rules:
            patterns = rules.mapped("pattern")
            count = copies._set_ignored(
                copies.browse(), True, step, patterns, self._slice
            )
            is_all = is_all and count < self._slice
        if not is_all:
            self.again_at = fields.Datetime.now()

    def _get_taught(self):
        """Return what this step has taught, as the choices that the question gave."""
        mine = [("batch_id", "=", self.id)]
        choices = [
            {"scope": "domain", "domain": rule.pattern[1:], "company": rule.partner_id}
            for rule in self.env["easycrm.email.rule"].search(
                [*mine, ("kind", "=", "always_link")]
            )
        ]
        follows = self.env["easycrm.email.thread.follow"].search(mine)
        if follows:
            choices.append({"scope": "thread", "threads": follows.thread_id.ids})
        addresses = self.env["easycrm.email.address"].search(mine)
        if addresses:
            choices.append(
                {"scope": "address", "addresses": addresses.mapped("address")}
            )
        return choices
