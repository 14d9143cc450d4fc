from odoo import models
from odoo.exceptions import UserError

#: How an email can be answered.
REPLY_KINDS = ("reply", "reply_all", "forward")


class EasycrmEmail(models.Model):
    """Answering an email from where it is read."""

    _inherit = "easycrm.email"

    def easycrm_action_reply(self, kind, model=False, res_id=False):
        """Open the Send Email window to answer this email.

        :param str kind: reply, reply_all or forward
        :param str model: of the record on whose timeline it is read, if any
        :param int res_id: that record
        :return: an action
        :raise AccessError: the email is not for this user
        """
        self.ensure_one()
        self.check_access("read")
        if kind not in REPLY_KINDS:
            raise UserError(self.env._("An email is answered or forwarded."))
        context = {"easycrm_email_id": self.id, "easycrm_reply_kind": kind}
        if model and res_id:
            context.update(active_model=model, active_ids=[res_id])
        return self.env["easycrm.email.compose"]._get_action(**context)
