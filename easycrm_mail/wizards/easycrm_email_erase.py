from odoo import Command, api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..models.rule_conditions import read_pattern


class EasycrmEmailErase(models.TransientModel):
    """Deleting a contact for privacy: what becomes of the emails, and how many are so.

    All emails of the user's companies count, whosever mailbox holds them: nothing of a
    person who asks for it may stay behind. The user is told how many of these he may
    read, and that there may be more: what colleagues have is theirs alone to know.
    """

    _name = "easycrm.email.erase"
    _description = "Delete with Emails"

    partner_ids = fields.Many2many(
        "res.partner",
        "easycrm_email_erase_partner_rel",
        "erase_id",
        "partner_id",
        string="Contacts",
        required=True,
        context={"active_test": False},
        default=lambda self: self._default_partner_ids(),
    )
    emails = fields.Selection(
        [
            ("delete", "Delete them"),
            ("keep", "Keep them, as unlinked emails of their mailboxes"),
        ],
        string="Their Emails",
        required=True,
        default="delete",
    )
    own_count = fields.Integer(compute="_compute_counts")
    shared_count = fields.Integer(compute="_compute_counts")
    own_words = fields.Char(compute="_compute_counts")
    shared_words = fields.Char(compute="_compute_counts")
    keep_words = fields.Char(compute="_compute_keep_words")
    can_block = fields.Boolean(compute="_compute_can_block")
    block = fields.Boolean(string="Do not read their emails in future either")

    @api.model
    def _default_partner_ids(self):
        if self.env.context.get("active_model") != "res.partner":
            return []
        return [Command.set(self.env.context.get("active_ids", []))]

    @api.depends_context("lang")
    @api.depends("partner_ids")
    def _compute_counts(self):
        for erase in self:
            own, shared = map(erase._count_readable, erase._get_emails())
            erase.own_count, erase.shared_count = own, shared
            if own == 1:
                erase.own_words = self.env._(
                    "One email that you can read is with them and your own people only."
                )
            else:
                erase.own_words = self.env._(
                    "%s emails that you can read are with them and your own people "
                    "only.",
                    own,
                )
            if shared == 1:
                erase.shared_words = self.env._(
                    "One is with others, too: it stays, and does not stand on them any "
                    "more."
                )
            else:
                erase.shared_words = self.env._(
                    "%s are with others, too: these stay, and do not stand on them any "
                    "more.",
                    shared,
                )

    @api.model
    def _count_readable(self, emails):
        """Return how many of these emails the user may know of."""
        readable = self.env["easycrm.email"].sudo(False)
        return readable.search_count([("id", "in", emails.ids)])

    @api.depends_context("lang")
    @api.depends("emails")
    def _compute_keep_words(self):
        days = self.env["easycrm.email"]._get_retention_days()
        for erase in self:
            words = self.env._("Unlinked emails are deleted after %s days.", days)
            erase.keep_words = words if days and erase.emails == "keep" else False

    @api.depends("partner_ids")
    def _compute_can_block(self):
        for erase in self:
            erase.can_block = bool(erase._get_addresses())

    def _get_addresses(self):
        """Return the addresses that are these contacts', normalised.

        An address of our own people or mailboxes is theirs, whoever has it, too: their
        mail is nobody else's to delete, or to keep out.
        """
        index = self.env["easycrm.email.address"].sudo()
        partners = self.partner_ids._origin
        found = index.search([("partner_id", "in", partners.ids)]).mapped("address")
        own = self._get_own_addresses(self.env.user.company_ids)
        return [address for address in found if address not in own]

    def _get_emails(self):
        """Return the emails that these contacts stand in.

        An email that stands on another contact is shared with that, whatever its
        addresses are, and so is one that was put on another's lead or opportunity by
        hand; one that was put on these contacts by hand is not theirs.

        :return: those of nobody else but our own people, and the others, as superuser
        """
        partners = self.partner_ids._origin
        partners.check_access("read")
        emails = self.env["easycrm.email"].sudo()
        companies = self.env.user.company_ids
        addresses = self._get_addresses()
        for model in ("easycrm.email.link", "easycrm.email.participant"):
            self.env[model].flush_model()
        self.env["crm.lead"].flush_model(["partner_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT email.id, EXISTS (
                    SELECT FROM easycrm_email_participant person
                    WHERE person.email_id = email.id
                      AND person.address = ANY(%(addresses)s)
                ) AND NOT EXISTS (
                    SELECT FROM easycrm_email_participant other
                    WHERE other.email_id = email.id
                      AND other.address <> ALL(%(ours)s)
                ) AND NOT EXISTS (
                    SELECT FROM easycrm_email_link link
                    WHERE link.email_id = email.id AND link.removed IS NOT TRUE
                      AND link.partner_id <> ALL(%(partners)s)
                ) AND NOT EXISTS (
                    SELECT FROM easycrm_email_link link
                    JOIN crm_lead lead ON lead.id = link.lead_id
                    WHERE link.email_id = email.id AND link.removed IS NOT TRUE
                      AND link.origin = 'manual'
                      AND lead.partner_id <> ALL(%(partners)s)
                )
                FROM easycrm_email email
                WHERE email.company_id = ANY(%(companies)s) AND email.id IN (
                    SELECT email_id FROM easycrm_email_participant
                    WHERE address = ANY(%(addresses)s)
                    UNION
                    SELECT email_id FROM easycrm_email_link
                    WHERE partner_id = ANY(%(partners)s))
                """,
                addresses=addresses,
                companies=companies.ids,
                ours=[*addresses, *self._get_own_addresses(companies)],
                partners=partners.ids,
            )
        )
        own = [email_id for email_id, is_own in rows if is_own]
        shared = [email_id for email_id, is_own in rows if not is_own]
        return emails.browse(own), emails.browse(shared)

    @api.model
    def _get_own_addresses(self, companies):
        """Return the addresses of our own people and mailboxes, also of old."""
        self.env["easycrm.email.address"].flush_model()
        self.env["res.users"].flush_model(["share", "partner_id"])
        rows = self.env.execute_query(
            SQL(
                """SELECT own.address FROM easycrm_email_address own
                   JOIN res_users users ON users.partner_id = own.partner_id
                   WHERE users.share IS NOT TRUE"""
            )
        )
        accounts = self.env["easycrm.email.account"].sudo()
        accounts = accounts.with_context(active_test=False)
        found = {address for (address,) in rows}
        for account in accounts.search([("company_id", "in", companies.ids)]):
            found |= account._get_own_addresses()
        return found

    def action_erase(self):
        """Delete the contacts, and their emails as chosen.

        :raise AccessError: the user may not delete these contacts
        :raise UserError: one of them belongs to a user
        """
        self.ensure_one()
        self.check_access("write")
        partners = self.partner_ids
        partners.check_access("unlink")
        own, _shared = self._get_emails()
        count = self._count_readable(own)
        # (whose they were is not known any more once the contacts are gone)
        addresses = self._get_addresses()
        unsent = self.env["easycrm.email.outgoing"]._find_unsent(
            partners, addresses, self._get_own_addresses(self.env.user.company_ids)
        )
        steps = self.env["easycrm.email.batch"].sudo()
        steps.search([("partner_id", "in", partners.ids)]).record_name = False
        partners.unlink()
        if self.emails == "delete":
            own._delete_for_good()
            unsent._forget_unsent()
            self.env["easycrm.email.tally"]._forget(addresses)
        if self.block:
            self._block(addresses)
        contacts = self.env["ir.actions.act_window"]._for_xml_id(
            "contacts.action_contacts"
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self._get_result(count),
                # (no way back to what is no more)
                "next": {**contacts, "target": "main"},
            },
        }

    def _get_result(self, count):
        if self.emails == "keep":
            return self.env._("Deleted. The emails that were with them are kept.")
        if not count:
            return self.env._("Deleted, with the emails that were with them only.")
        if count == 1:
            return self.env._("Deleted, with one email that you could read.")
        return self.env._("Deleted, with %s emails that you could read.", count)

    def _block(self, addresses):
        """Have no mailbox of the user's companies read mail of these addresses.

        :param list addresses: normalised; two contacts may have had the same
        """
        rules = self.env["easycrm.email.rule"].sudo()
        # (what is no address that a rule could have writes no mail either)
        patterns = {read_pattern(address) for address in addresses} - {""}
        for company in self.env.user.company_ids:
            values = {"kind": "never_store", "company_id": company.id}
            known = rules.search(
                Domain("pattern", "in", list(patterns))
                & Domain([(name, "=", values[name]) for name in values])
            )
            known.enforced = True
            rules.create(
                [
                    {**values, "pattern": one, "user_id": False, "enforced": True}
                    for one in sorted(patterns - set(known.mapped("pattern")))
                ]
            )
