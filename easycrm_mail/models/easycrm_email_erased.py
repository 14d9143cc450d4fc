from hashlib import sha256

from odoo import api, fields, models
from odoo.tools import split_every

#: Emails that are deleted in one go.
BATCH = 500


def get_identity(message_id, digest):
    """Return what a deleted email is known by: a hash that tells nothing of it.

    A large email that was read by its header has a digest that begins with its
    mailbox: any mailbox that has it is meant.
    """
    *_mailbox, digest = digest.split(":", 1)
    return sha256(f"{message_id}\n{digest}".encode()).hexdigest()


class EasycrmEmailErased(models.Model):
    """An email that was deleted for good: a mailbox read anew does not bring it back.

    Mailboxes keep what they hold, and are listed again now and then.
    """

    _name = "easycrm.email.erased"
    _description = "Email Deleted for Good"
    _rec_name = "identity"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    identity = fields.Char(required=True)

    _identity_unique = models.UniqueIndex("(company_id, identity)")

    @api.model
    def _remember(self, emails):
        """Keep these emails, about to be deleted, from ever coming back."""
        provisional = self.env["easycrm.email.provisional"].sudo()
        known = [(email, email.digest) for email in emails] + [
            (row.email_id, row.digest)
            for row in provisional.search([("email_id", "in", emails.ids)])
        ]
        rows = {
            (email.company_id.id, get_identity(email.message_id, digest))
            for email, digest in known
        }
        self.env.cr.execute_values(
            """INSERT INTO easycrm_email_erased (company_id, identity) VALUES %s
               ON CONFLICT DO NOTHING""",
            sorted(rows),
        )
        self.invalidate_model(flush=False)


class EasycrmEmail(models.Model):
    """Deleting emails: the bodies first, and nothing of them stays behind."""

    _inherit = "easycrm.email"

    def _delete_for_good(self):
        """Delete these emails; no mailbox brings them back."""
        for ids in split_every(BATCH, self.ids):
            emails = self.browse(ids)
            self.env["easycrm.email.erased"]._remember(emails)
            emails._delete("erased")

    def _delete(self, reason=None):
        """Delete these emails, and the conversations that nothing is left of.

        One that was made private stays so, for the mail that is still to come.

        :param str reason: why the mailboxes that hold them leave them out now; none do
            where it is not given
        """
        threads = self.thread_id
        self.env["easycrm.email.exclusion"]._keep_places(self.copy_ids, reason)
        self.content_ids.unlink()
        self.link_ids.unlink()  # the screens of their records hear of it
        self.unlink()
        self.env.cr.execute(
            """DELETE FROM easycrm_email_thread thread
               WHERE thread.id = ANY(%s) AND thread.privacy <> 'private'
                 AND NOT EXISTS (SELECT FROM easycrm_email email
                                 WHERE email.thread_id = thread.id)""",
            [threads.ids],
        )
        threads.invalidate_model(flush=False)
