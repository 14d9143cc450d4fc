from odoo import fields, models
from odoo.tools import email_normalize


class MailingMailing(models.Model):
    """Who has unsubscribed in answer to it, by whichever way."""

    _inherit = "mailing.mailing"

    def _easycrm_get_lists(self):
        """Return the lists that they are sent to.

        Odoo puts the only list there is into every new mailing: one to contacts keeps
        it, out of sight.
        """
        return self.filtered("mailing_on_mailing_list").contact_list_ids

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
        new = traces.filtered(lambda trace: not trace.easycrm_unsubscribed_at)
        new.easycrm_unsubscribed_at = fields.Datetime.now()
        traces._easycrm_keep_left(lists or self.env["mailing.list"])
