from odoo import api, fields, models


class EasycrmEmailRule(models.Model):
    """What is taught in Unlinked Emails: where a sender's mail goes, or that it does
    not count."""

    _inherit = "easycrm.email.rule"

    kind = fields.Selection(
        selection_add=[("always_link", "Always link"), ("ignore", "Ignore")],
        ondelete={"always_link": "cascade", "ignore": "cascade"},
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Goes To",
        ondelete="cascade",
        index="btree_not_null",
        help="The company that emails of the domain stand on.",
    )
    batch_id = fields.Many2one(
        "easycrm.email.batch",
        ondelete="set null",
        index="btree_not_null",
        groups=fields.NO_ACCESS,
    )

    _partner_check = models.Constraint(
        "CHECK((kind = 'always_link') = (partner_id IS NOT NULL))",
        "A rule that always links names the company.",
    )

    @api.model
    def _get_added_kinds(self):
        """Return the kinds that the window “Add a Rule” offers."""
        kinds = self._fields["kind"]._description_selection(self.env)
        return [kind for kind in kinds if kind[0] in ("never_store", "never_link")]

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        rules._check_partner_access()
        return rules

    def write(self, vals):
        result = super().write(vals)
        if "partner_id" in vals:
            self._check_partner_access()
        return result

    def _check_partner_access(self):
        # (the name of what a field points to is told to whoever may read the field)
        self.sudo().partner_id.with_env(self.env).check_access("read")
