from odoo import api, models, tools
from odoo.tools import SQL


class ResCompany(models.Model):
    """Which records may have the mail of a company's mailboxes.

    Its own, and those that are of no company. Contacts also of the companies above it:
    a branch shares these with them, as Odoo's own rule for contacts has it.
    """

    _inherit = "res.company"

    def _easycrm_may_have(self, record):
        """Tell whether a contact, lead or opportunity may have mail of this company."""
        self.ensure_one()
        sharing = self.parent_ids if record._name == "res.partner" else self
        return not record.company_id or record.company_id in sharing

    @api.model
    def _easycrm_get_sharing(self, record):
        """Return the companies whose mail a contact, lead or opportunity may have.

        :return: as superuser; none if it may have that of all
        """
        company = record.sudo().company_id.with_context(active_test=False)
        if record._name != "res.partner" or not company:
            return company
        return company.search([("id", "child_of", company.id)])

    @api.model
    def _easycrm_get_may_have_sql(self):
        """Return the same as a condition on `partner`, `lead` and `email`."""
        is_own = SQL(
            """COALESCE(partner.company_id, lead.company_id, email.company_id)
               = email.company_id"""
        )
        pairs = self._easycrm_get_pairs_above()
        if not pairs:
            return is_own
        return SQL(
            "(%s OR (email.company_id, partner.company_id) IN %s)", is_own, pairs
        )

    @api.model
    @tools.ormcache()
    def _easycrm_get_pairs_above(self):
        """Return the ids of each branch and each company above it, as pairs."""
        branches = self.sudo().with_context(active_test=False)
        return tuple(
            (branch.id, above.id)
            for branch in branches.search([("parent_id", "!=", False)])
            for above in branch.parent_ids - branch
        )
