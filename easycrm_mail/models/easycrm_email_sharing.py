from odoo import models
from odoo.tools import SQL

from . import access


class EasycrmEmail(models.Model):
    """Who else reads an email, for those who have it in a mailbox of their own."""

    _inherit = "easycrm.email"

    def easycrm_sharing(self):
        """Say who reads this email.

        :return: dict with `privacy`, of its conversation (see `easycrm.email.thread`),
            and `sentence`; both False for whoever has it in no mailbox of his own
        :raise AccessError: the email is not for this user
        """
        self.ensure_one()
        self.check_access("read")
        email_id = SQL("email.id")
        [(is_own, level)] = self.env.execute_query(
            SQL(
                "SELECT %s, %s FROM easycrm_email email WHERE id = %s",
                access.own_copy(self.env, email_id),
                access.shared_level(self.env, email_id),
                self.id,
            )
        )
        if not is_own:
            return {"privacy": False, "sentence": False}
        privacy = self.sudo().thread_id.sudo(False)._get_privacy()
        return {"privacy": privacy, "sentence": self._get_sharing_words(privacy, level)}

    def _get_sharing_words(self, privacy, level):
        """Return who reads the email, as a sentence.

        :param str privacy: see `easycrm.email.thread`
        :param str level: how much others see of it while it is shared
        """
        if privacy == "private":
            return self.env._(
                "Private: only those who have it in a mailbox of their own."
            )
        if privacy == "kept":
            return self.env._(
                "Private: only those who have it in a mailbox of their own. A "
                "colleague keeps it so."
            )
        if not self.is_linked:
            return self.env._("Only those who have it in a mailbox of their own.")
        if level == "everything":
            return self.env._("Everybody who may open these records.")
        if level == "subject":
            return self.env._(
                "Everybody who may open these records sees the subject, who wrote and "
                "when."
            )
        return self.env._(
            "Everybody who may open these records sees who wrote and when."
        )
