from odoo import fields, models
from odoo.tools import email_normalize


class MailingMailing(models.Model):
    """Who has unsubscribed in answer to it, by whichever way."""

    _inherit = "mailing.mailing"

    def _easycrm_unsubscribe(self, address, lists=None):
        """Note on a recipient that he wants no more of it.

        By his address: his record may have been merged into another one since.

        :param str address: as it came from outside
        :param lists: the `mailing.list`s that he has left; none for all emails
        """
        address = email_normalize(address)
        if not self or not address:
            return
        traces = self.env["mailing.trace"].search(
            [
                ("email", "=", address),
                ("mass_mailing_id", "=", self.id),
                ("trace_status", "not in", ("outgoing", "cancel", "error")),
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
