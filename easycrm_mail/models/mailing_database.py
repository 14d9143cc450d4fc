from odoo import fields, models
from odoo.exceptions import UserError


class MailingMailing(models.Model):
    """In which database a mailing was sent: a copy of that does not send it, too."""

    _inherit = "mailing.mailing"

    easycrm_planned_in = fields.Char(
        readonly=True,
        help="The database in which somebody has sent or resumed it: copies of that do "
        "not go on by themselves.",
    )

    def _easycrm_plan_here(self):
        """Record that a person wants them sent from this database."""
        if self.env.context.get("cron_id"):
            return  # (the best of several is sent by a job, as a copy of it)
        parameters = self.env["ir.config_parameter"].sudo()
        self.easycrm_planned_in = parameters.get_param("database.uuid")

    def _easycrm_plan_on_its_way(self):
        """Record it, too, of what got a bulk sender while it waited for its turn.

        (Not of what a copy has: to change its sender there is not to resume it.)
        """
        self.sudo().filtered(
            lambda mailing: (
                mailing.state in ("in_queue", "sending")
                and not mailing.easycrm_planned_in
            )
        )._easycrm_plan_here()

    def _easycrm_check_database(self):
        """Raise if it was sent in a database of which this is a copy.

        That one is still at it: whoever is in both would get it twice.

        :raise UserError: it was, in words
        """
        self.ensure_one()
        planned_in = self.easycrm_planned_in
        here = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        if planned_in and planned_in != here:
            raise UserError(
                self.env._(
                    "It was sent in another database, of which this one is a copy. "
                    "Resume it only if that one does not send it."
                )
            )
