from odoo import fields, models
from odoo.tools import email_normalize


class MailingMailing(models.Model):
    """Who has unsubscribed in answer to it, by whichever way."""

    _inherit = "mailing.mailing"

    def _easycrm_unsubscribe(self, res_id, address, lists=None):
        """Note on a recipient that he wants no more of it.

        :param res_id: his record, as its id came from outside
        :param str address: his own
        :param lists: the `mailing.list`s that he has left; none for all emails
        """
        address = email_normalize(address)
        if not self or not res_id or not address:
            return
        traces = self.env["mailing.trace"].search(
            [
                ("model", "=", self.mailing_model_real),
                ("res_id", "=", int(res_id)),
                ("mass_mailing_id", "=", self.id),
                ("email", "=", address),
            ]
        )
        everything = self.env._("all emails")
        told = ", ".join(lists.mapped("name")) if lists else everything
        for trace in traces:
            trace.write(
                {
                    "easycrm_unsubscribed_at": trace.easycrm_unsubscribed_at
                    or fields.Datetime.now(),
                    "easycrm_unsubscribed_from": everything
                    if trace.easycrm_unsubscribed_from == everything
                    else told,
                }
            )
