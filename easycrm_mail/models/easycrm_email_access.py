from odoo import api, models
from odoo.fields import Domain


class EasycrmEmailAccess(models.AbstractModel):
    """Access by a condition that no record rule can say.

    Searching, reading, grouping, exporting and the external API all go through
    `_search` or `_check_access`; the same condition stands in both.
    """

    _name = "easycrm.email.access"
    _description = "Access by mailbox and record"

    @api.model
    def _get_access_sql(self, alias):
        """Return the condition that the current user's records fulfil.

        :param str alias: of this model's table
        :rtype: odoo.tools.SQL
        """
        raise NotImplementedError

    @api.model
    def _get_access_domain(self):
        # the model that to_sql is given may be a sudo'd one: the user's own counts
        return Domain.custom(
            to_sql=lambda model, alias, query: self._get_access_sql(alias)
        )

    @api.model
    def _search(
        self,
        domain,
        offset=0,
        limit=None,
        order=None,
        *,
        active_test=True,
        bypass_access=False,
    ):
        if not (self.env.su or bypass_access):
            # ACL first: the condition may ask models the user has no business with
            self.browse().check_access("read")
            domain = Domain(domain) & self._get_access_domain()
        return super()._search(
            domain,
            offset,
            limit,
            order,
            active_test=active_test,
            bypass_access=bypass_access,
        )

    def _check_access(self, operation):
        result = super()._check_access(operation)
        # nothing is left to check, or there is no record in the database to check
        if self.env.su or not any(self._ids):
            return result
        forbidden, make_error = result or (self.browse(), None)
        real = self.filtered("id") - forbidden
        allowed = real.with_context(active_test=False).search(
            Domain("id", "in", real.ids)
        )
        hidden = real - allowed
        if not hidden:
            return result
        forbidden |= hidden
        return forbidden, make_error or (
            lambda: self.env["ir.rule"]._make_access_error(operation, forbidden)
        )
