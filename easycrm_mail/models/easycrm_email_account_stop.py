from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError

#: The group without which nobody has a mailbox that is read.
NEEDED = "easycrm_mail.group_easycrm_mail_user"


class EasycrmEmailAccount(models.Model):
    """Mailboxes of people who leave: not read any more, and what they brought stays.

    owner archived, or without access (a portal user, or none who may use Email)
                    -> stopped: no sign-in, no password; how far it was read is kept
    owner back      -> error: it waits for Reconnect, and goes on from where it was
    given to another user, which only one that was never read can be -> not started
    """

    _inherit = "easycrm.email.account"

    stopped_at = fields.Datetime(copy=False, readonly=True, help="When its owner left.")
    owner_is_here = fields.Boolean(compute="_compute_owner_is_here", compute_sudo=True)
    owner_note = fields.Char(string="Owner Is", compute="_compute_owner_note")

    @api.depends("user_id.active", "user_id.all_group_ids")
    def _compute_owner_is_here(self):
        needed = self.env.ref(NEEDED)
        for account in self:
            user = account.user_id
            # (Odoo's own user never is active, and never leaves)
            account.owner_is_here = (
                not user
                or user.id == SUPERUSER_ID
                or user.active
                and needed in user.all_group_ids
            )

    @api.depends_context("lang")
    @api.depends("owner_is_here", "user_id.active", "user_id.share")
    def _compute_owner_note(self):
        for account in self:
            owner = account.sudo().user_id
            if account.owner_is_here:
                account.owner_note = False
            elif not owner.active:
                account.owner_note = self.env._("archived")
            elif owner.share:
                account.owner_note = self.env._("portal user")
            else:
                account.owner_note = self.env._("without access")

    def write(self, vals):
        result = super().write(vals)
        if "user_id" in vals:
            self.sudo()._follow_owner()
        return result

    @api.model
    def _follow_owners(self, users):
        """Stop the mailboxes of users who have left; those of others may go on.

        :param users: `res.users` that were archived or un-archived just now, or got or
            lost groups
        """
        accounts = self.sudo().with_context(active_test=False)
        accounts.search([("user_id", "in", users.ids)])._follow_owner()

    @api.model
    def _follow_all_owners(self):
        """Stop the mailboxes of all who have left, and have those of others go on."""
        if not self.env.ref(NEEDED, raise_if_not_found=False):
            return  # while all of this is being uninstalled
        owned = [("user_id", "!=", False)]
        self.sudo().with_context(active_test=False).search(owned)._follow_owner()

    def _follow_owner(self):
        """Stop those whose owner has left; have those go on whose owner has not."""
        away = self.filtered(lambda account: not account.owner_is_here)
        away.filtered(lambda account: account.sync_status != "stopped")._stop()
        back = self - away
        back.filtered(lambda account: account.sync_status == "stopped")._await_sign_in()

    def _stop(self):
        """Stop reading these mailboxes at once, and forget how to sign in to them.

        The services are told when it is certain.
        """
        self._revoke_after_commit(self._forget_grants())
        self._clear_notices()
        self.write(
            {
                "failed_at": False,
                "imap_secret": False,
                "last_error": False,
                "last_error_kind": False,
                "next_sync_at": False,
                "retry_count": 0,
                "stopped_at": fields.Datetime.now(),
                "sync_stage": "idle",
                "sync_status": "stopped",
            }
        )
        for account in self:
            account._ping("progress")

    def _await_sign_in(self):
        """Have these mailboxes wait until their owner, who is back, signs in again."""
        self.stopped_at = False
        unread = self.filtered(lambda account: not account._has_been_read())
        unread.sync_status = "draft"
        for account in self - unread:
            env = account.with_context(lang=account.user_id.lang).env
            account.write(
                {
                    "failed_at": fields.Datetime.now(),
                    "last_error": env._(
                        "The sign-in was forgotten while you had no access to Email."
                    ),
                    "last_error_kind": "reconnect",
                    "sync_status": "error",
                }
            )
            if account.active:
                account._notify_failed()

    def _check_owner_is_here(self):
        """Raise if the owner of one of these mailboxes has left.

        :raise UserError: in plain words
        """
        for account in self.sudo():
            if account.owner_is_here:
                continue
            values = {"owner": account.user_id.name, "email": account.email}
            if not account.user_id.active:
                raise UserError(
                    self.env._(
                        "%(owner)s is archived: %(email)s is not read any more.",
                        **values,
                    )
                )
            raise UserError(
                self.env._(
                    "%(owner)s has no access to Email for CRM: %(email)s is not read.",
                    **values,
                )
            )
