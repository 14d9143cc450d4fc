import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import clean_context, email_normalize

from .addresses import normalise

#: What stands between addresses that somebody has typed.
SEPARATORS = re.compile(r"[,;\n]")


class EasycrmEmailAddress(models.Model):
    """Further addresses: what else somebody writes from, beside the Email field."""

    _inherit = "easycrm.email.address"

    @api.model_create_multi
    def create(self, vals_list):
        # (made while a record is saved: what the form gives that by default, as the
        # contact to a new opportunity, is not the address's)
        index = self.with_context(clean_context(self.env.context))
        rows = super(EasycrmEmailAddress, index).create(vals_list)
        rows.filtered(lambda row: row.source == "extra")._follow_leads()
        return rows

    def write(self, vals):
        result = super().write(vals)
        if "source" in vals:
            self._follow_leads()
        return result

    def unlink(self):
        self.filtered(lambda row: row.source == "extra")._follow_leads()
        return super().unlink()

    def _follow_leads(self):
        """Let the leads of these contacts follow: it is the same person's mail."""
        self.partner_id._easycrm_leads_changed()

    @api.model
    def _set_extra(self, records, addresses):
        """Give records their further addresses; the emails that are here follow.

        :param records: contacts, or leads
        :param dict addresses: {record id: normalised addresses}
        """
        # who may write the record may write what finds mail for it
        rows = self.sudo()
        owner = self._get_owner_field(records._name)
        present = rows.search([(owner, "in", records.ids)])
        known = {(row[owner].id, row.address) for row in present}
        in_field = {
            (record.id, address)
            for record in records
            for address in record._easycrm_get_field_addresses()
        }
        wanted = [
            (record_id, address)
            for record_id, extra in addresses.items()
            for address in extra
        ]
        # an address that leaves the Email field for this list in one go
        present.filtered(
            lambda row: (
                row.source == "field"
                and (row[owner].id, row.address) not in in_field
                and (row[owner].id, row.address) in wanted
            )
        ).source = "extra"
        stale = present.filtered(
            lambda row: (
                row.source == "extra" and (row[owner].id, row.address) not in wanted
            )
        )
        gone = [(row[owner].id, row.address) for row in stale]
        stale.unlink()
        self._take_off_links(owner, gone)
        new = rows.create(
            [
                {owner: record_id, "address": address, "source": "extra"}
                for record_id, address in wanted
                if (record_id, address) not in known
            ]
        )
        freed = rows.browse()
        if gone:
            # another address of theirs may stand in the emails that were just freed
            ids = [record_id for record_id, _address in gone]
            freed = rows.search([(owner, "in", ids)])
        (freed | new)._match()
        self._follow_mailings(
            {address for _id, address in gone} | set(new.mapped("address"))
        )

    @api.model
    def _follow_mailings(self, addresses):
        """Let what these addresses got by mailings follow to whose they are now."""
        if addresses:
            nobody = self.env["res.partner"]  # (what contacts got follows by their ids)
            Trace = self.env["mailing.trace"].sudo()
            Trace._easycrm_follow_companies(nobody, addresses)

    @api.model
    def _find_others(self, addresses, record):
        """Return whose addresses these are, too, in the companies of a contact.

        And in those above them, whose contacts have the mail of their branches, too.

        :param record: the contact, which is left out; it may be new
        :return: {address: contacts}, as superuser
        """
        own = record.company_id or self.env.companies
        companies = [False, *own.sudo().parent_ids.ids]
        others = {}
        for row in self.sudo().search(
            Domain("address", "in", list(addresses))
            & Domain("partner_id", "not in", [False, *record._origin.ids])
            & Domain("partner_id.active", "=", True)
            & Domain("partner_id.company_id", "in", companies),
            order="id",
        ):
            others.setdefault(row.address, row.partner_id.browse())
            others[row.address] |= row.partner_id
        return others


class EasycrmEmailAddressOwner(models.AbstractModel):
    """Further addresses as one reads and types them: a text, separated by commas.

    So they are exported and imported in one column, and whoever may write the record
    may write them.
    """

    _inherit = "easycrm.email.address.owner"

    easycrm_address_ids = fields.One2many(
        "easycrm.email.address", string="Addresses that Find Emails"
    )
    easycrm_other_emails = fields.Char(
        string="Other Email Addresses",
        compute="_compute_easycrm_other_emails",
        inverse="_inverse_easycrm_other_emails",
        search="_search_easycrm_other_emails",
        compute_sudo=True,
        groups="base.group_user",
        help="Emails from and to these addresses stand here too. Several are separated "
        "by commas.",
    )

    @api.depends("easycrm_address_ids.address", "easycrm_address_ids.source")
    def _compute_easycrm_other_emails(self):
        for record in self:
            extra = record.easycrm_address_ids.filtered(
                lambda row: row.source == "extra"
            )
            record.easycrm_other_emails = ", ".join(extra.mapped("address"))

    def _inverse_easycrm_other_emails(self):
        addresses = {
            record.id: record._easycrm_read_other_emails(record.easycrm_other_emails)
            for record in self
        }
        self.env["easycrm.email.address"]._set_extra(self, addresses)

    def _search_easycrm_other_emails(self, operator, value):
        if operator in Domain.NEGATIVE_OPERATORS:
            return NotImplemented
        Address = self.env["easycrm.email.address"].sudo()
        owner = Address._get_owner_field(self._name)
        is_extra = Domain("source", "=", "extra") & Domain(owner, "!=", False)
        found = Domain.FALSE
        if operator == "in" and False in value:
            value = [text for text in value if text]
            query = Address._search(is_extra)
            found = Domain("id", "not in", query.subselect(owner))
        query = Address._search(is_extra & Domain("address", operator, value))
        return found | Domain("id", "in", query.subselect(owner))

    @api.onchange("easycrm_other_emails")
    def _onchange_easycrm_other_emails(self):
        """Warn when somebody else has an address that was just entered, too."""
        before = set(SEPARATORS.split(self._origin.easycrm_other_emails or ""))
        typed = self._easycrm_split(self.easycrm_other_emails)
        entered = {normalise(text) for text in typed} - set(map(str.strip, before))
        others = self._easycrm_get_others(entered)
        if not others:
            return None
        return {
            "warning": {
                "title": self.env._("Somebody else has this address, too"),
                "message": "\n".join(others),
                "type": "notification",
            }
        }

    def _easycrm_get_others(self, addresses):
        """Say in words whose addresses these are, too, one line each."""
        if self._name != "res.partner" or not addresses:
            return []
        env = self.env
        lines = []
        found = env["easycrm.email.address"]._find_others(addresses, self)
        for address, partners in found.items():
            readable = partners.with_env(env)._filtered_access("read")
            values = {
                "names": ", ".join(readable.mapped("display_name")),
                "address": address,
            }
            if readable:
                lines.append(
                    env._(
                        "%(address)s is also an address of %(names)s: its emails will "
                        "stand on both.",
                        **values,
                    )
                )
            else:
                lines.append(
                    env._(
                        "%(address)s is also an address of another contact: its emails "
                        "will stand on both.",
                        **values,
                    )
                )
        return lines

    @api.model
    def _easycrm_split(self, text):
        """Return what was typed, address by address."""
        return [part.strip() for part in SEPARATORS.split(text or "") if part.strip()]

    def _easycrm_read_other_emails(self, text):
        """Return the addresses that somebody has typed, normalised.

        :raise ValidationError: one is none, or stands there twice
        """
        self.ensure_one()
        in_field = self._easycrm_get_field_addresses()
        addresses = []
        for part in self._easycrm_split(text):
            if not email_normalize(part):
                raise ValidationError(self.env._("“%s” is not an email address.", part))
            address = normalise(part)
            if address in in_field:
                raise ValidationError(
                    self.env._(
                        "%s stands in the Email field already: leave it out of the "
                        "other addresses.",
                        address,
                    )
                )
            if address in addresses:
                raise ValidationError(
                    self.env._("%s stands twice in the other addresses.", address)
                )
            addresses.append(address)
        return addresses
