from odoo import api, models
from odoo.tools import SQL

from .addresses import normalise_all

#: The key of `cr.precommit.data` that gathers whose mail is to be matched again.
CHANGED = "easycrm_mail.changed_addresses"


class EasycrmEmailAddressOwner(models.AbstractModel):
    """A record whose Email field finds mail: contacts and leads.

    Changes are gathered and followed once a transaction, before it is committed.
    """

    _name = "easycrm.email.address.owner"
    _description = "Record with Email Addresses"

    def _easycrm_followed_write(self, vals):
        """Note what may find mail again: an un-archived record, another company."""
        if vals.get("active") or "company_id" in vals:
            self._easycrm_address_changed()

    def _easycrm_free_emails(self):
        """Free the emails of records that are about to be deleted.

        The database would cascade by itself, and tell no email that it is unlinked.
        """
        self.check_access("unlink")
        owner = self.env["easycrm.email.address"]._get_owner_field(self._name)
        links = self.env["easycrm.email.link"].sudo()
        links._delete(SQL("%s = ANY(%s)", SQL.identifier(owner), self.ids))
        links._silence(self)

    def _easycrm_absorb(self, others):
        """Take over the links, addresses and mailings of records merged into this one.

        Before they are deleted, and before anything moves them row by row: an email
        stands on the record once.

        :param others: of the same model, this one not among them
        """
        self.ensure_one()
        self._easycrm_follow_addresses()  # what these have got just now moves too
        for model in ("link", "address", "thread.follow", "batch", "outgoing"):
            self.env[f"easycrm.email.{model}"].sudo()._fold(others, self)
        self.env["mailing.trace"].sudo()._easycrm_fold(others, self)
        self._easycrm_address_changed()

    def _easycrm_get_field_addresses(self):
        """Return the addresses in the Email field, normalised."""
        return normalise_all(self[self._primary_email])

    def _easycrm_get_addresses_found(self):
        """Return the addresses that find mail without being entered for that."""
        return self._easycrm_get_field_addresses()

    def _easycrm_address_changed(self):
        ids = self.filtered("id").ids  # not those of an onchange
        if not ids:
            return
        changed = self.env.cr.precommit.data.setdefault(CHANGED, {})
        if not changed:
            self.env.cr.precommit.add(self.browse()._easycrm_follow_addresses)
        changed.setdefault(self._name, set()).update(ids)

    @api.model
    def _easycrm_follow_addresses(self):
        """Follow what has changed in this transaction so far."""
        self.flush_model([self._primary_email, "email_normalized"])
        changed = self.env.cr.precommit.data.pop(CHANGED, {})
        for model_name, ids in changed.items():
            records = self.env[model_name].sudo().browse(sorted(ids))
            self.env["easycrm.email.address"]._update_links(records)
        if changed:
            self.env.flush_all()
