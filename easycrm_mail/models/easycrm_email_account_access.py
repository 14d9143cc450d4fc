from odoo import api, models, tools
from odoo.exceptions import AccessError, UserError

from .addresses import normalise, normalise_all

#: What decides where the password is sent: it must not outlive a change of these.
SERVER_FIELDS = {
    "imap_auth",
    "imap_host",
    "imap_login",
    "imap_port",
    "imap_security",
    "user_id",
}

#: What decides where it is sent for sending, once somebody else than its owner changes
#: it: the owner enters both at once, and gives the password to both.
SENDING_FIELDS = {"smtp_host", "smtp_port", "smtp_security"}

#: What decides which of its mail is here at all: what its owner leaves out is nobody's
#: to let in, be it an administrator.
KEPT_FIELDS = {
    "ignore_automatic",
    "ignore_colleagues",
    "ignore_private",
    "unlinked_keep",
}

#: What the sync alone writes.
SYNC_FIELDS = {
    "check_at",
    "checked_at",
    "failed_at",
    "folders_at",
    "last_error",
    "last_error_kind",
    "last_sync",
    "next_sync_at",
    "paused_at",
    "paused_by_id",
    "quota_state",
    "retry_count",
    "stopped_at",
    "sync_done",
    "sync_stage",
    "sync_status",
    "sync_total",
    "told_at",
    "warned_at",
    "week_recovered",
}


class EasycrmEmailAccount(models.Model):
    """Who may do what with a mailbox: what record rules cannot say."""

    _inherit = "easycrm.email.account"

    @api.model_create_multi
    def create(self, vals_list):
        # what the context gives by default is written too
        given = {
            name.removeprefix("default_"): value
            for name, value in self.env.context.items()
            if name.startswith("default_")
        }
        for vals in vals_list:
            self._prepare_addresses(vals)
            self._check_may_write({**given, **vals})
        accounts = super().create(vals_list)
        self.env.registry.clear_cache()
        return accounts

    def write(self, vals):
        self._prepare_addresses(vals)
        self._check_may_write(vals)
        if SERVER_FIELDS & set(vals) and not vals.get("imap_password"):
            # Otherwise whoever may edit the account could have the password sent to a
            # server of theirs.
            self._filter_changed(vals, SERVER_FIELDS).sudo().imap_secret = False
        if SENDING_FIELDS & set(vals) and not self.env.su:
            others = self.filtered(lambda account: account.user_id != self.env.user)
            others._filter_changed(vals, SENDING_FIELDS).sudo().imap_secret = False
        if "user_id" in vals:
            # (whom an owner has let in, the next one has not)
            self._filter_changed(vals, {"user_id"}).sudo().member_ids = False
        result = super().write(vals)
        if {"user_id", "member_ids", "company_id"} & set(vals):
            self.env.registry.clear_cache()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_linked_mail(self):
        held = self.env["easycrm.email.copy"].sudo()
        if held.search_count(
            [("account_id", "in", self.ids), ("is_unlinked", "=", False)], limit=1
        ):
            raise UserError(
                self.env._(
                    "Emails of this mailbox stand on contacts and opportunities. "
                    "Archive the account instead: it is not read any more, and the "
                    "emails stay."
                )
            )

    def unlink(self):
        emails = (
            self.env["easycrm.email.copy"]
            .sudo()
            .search([("account_id", "in", self.ids)])
            .email_id
        )
        result = super().unlink()
        # nobody holds them and they stand nowhere: nobody could ever see them
        emails._unlink_unheld()
        self.env.registry.clear_cache()
        return result

    def _filter_changed(self, vals, names):
        """Return the mailboxes of which these values change one of these fields.

        :param set names: of fields
        """
        return self.filtered(
            lambda account: any(
                account.sudo()._convert_to_write({field: account[field]})[field]
                != vals[field]
                for field in names & set(vals)
            )
        )

    @api.model
    def _prepare_addresses(self, vals):
        """Normalise the addresses in these values, in place."""
        if vals.get("email"):
            vals["email"] = normalise(vals["email"])
        if vals.get("alias_emails"):
            vals["alias_emails"] = ",".join(normalise_all(vals["alias_emails"]))

    def _check_may_write(self, vals):
        """Keep users to what is theirs to decide.

        Whoever owns a mailbox, or is in its team, reads all of its mail; its addresses
        count as "us" for everybody's.
        """
        if self.env.su:
            return
        if SYNC_FIELDS & set(vals):
            raise AccessError(self.env._("Only the sync itself can change this."))
        read = self.filtered(lambda account: account.sudo()._has_been_read())
        if read and {"email", "company_id", "provider", "shared_mailbox"} & set(vals):
            raise UserError(
                self.env._("This is another mailbox: add it as an account of its own.")
            )
        if read and "user_id" in vals:
            raise UserError(
                self.env._(
                    "Its mail is its owner's: a mailbox that has been read cannot be "
                    "given to somebody else."
                )
            )
        others = self.filtered(lambda account: account.user_id != self.env.user)
        is_given = vals.get("user_id", self.env.uid) != self.env.uid
        if (
            others
            and {"member_ids", "share_level"} & set(vals)
            or is_given
            and vals.get("member_ids")
        ):
            raise AccessError(
                self.env._("Only its owner decides who sees the mail of a mailbox.")
            )
        if others and KEPT_FIELDS & set(vals):
            raise AccessError(
                self.env._("Only its owner decides what is kept of a mailbox’s mail.")
            )
        if self.env.user.has_group("easycrm_mail.group_easycrm_mail_manager"):
            return
        if vals.get("user_id", self.env.uid) != self.env.uid or vals.get(
            "alias_emails"
        ):
            raise AccessError(
                self.env._("Only an administrator can give a mailbox to somebody else.")
            )
        if vals.get("email") and self._is_address_of_others(vals["email"]):
            raise UserError(
                self.env._(
                    "%s is known as somebody else’s address. If it is yours all the "
                    "same, ask an administrator to add the account.",
                    vals["email"],
                )
            )

    def _has_been_read(self):
        """Tell whether mail of this mailbox is here, or is being read."""
        self.ensure_one()
        return bool(
            self.last_sync
            or any(self.folder_ids.mapped("checkpoint"))
            or self.env["easycrm.email.copy"].search_count(
                [("account_id", "=", self.id)], limit=1
            )
        )

    @api.model
    def _is_address_of_others(self, address):
        """Tell whether the address is not the current user's to claim.

        It is that of a contact, lead or colleague, or belongs to another mailbox: mail
        of it would stand on no record any more, and count as sent by its claimer.
        """
        owners = (
            self.env["easycrm.email.address"].sudo().search([("address", "=", address)])
        )
        if owners.filtered(lambda row: row.partner_id != self.env.user.partner_id):
            return True
        others = self.sudo().search([("company_id", "in", self.env.companies.ids)])
        return any(
            address in account._get_own_addresses()
            for account in others - self
            if account.user_id != self.env.user
        )

    @api.model
    @tools.ormcache("self.env.uid")
    def _get_own_account_ids(self):
        """Return the ids of the mailboxes whose mail is the current user's own."""
        return tuple(
            self.sudo()
            .with_context(active_test=False)
            ._search(
                [
                    "|",
                    ("user_id", "=", self.env.uid),
                    ("member_ids", "in", self.env.uid),
                ]
            )
        )
