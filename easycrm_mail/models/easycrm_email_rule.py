from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools.misc import formatLang

from .rule_conditions import is_public, read_pattern

#: Rules of one kind that one user may have of his own.
MOST_PERSONAL = 1_000

#: What makes a rule another one: how much of the mail it concerns.
FIXED_FIELDS = {"company_id", "kind", "pattern", "user_id"}


class EasycrmEmailRule(models.Model):
    """What is never stored, or never linked by itself: an address, or a domain.

    It is either somebody's own, for the mailboxes that he answers for, and nobody else
    knows of it; or a company's, for all of its mailboxes, unless their owner switches
    it off for himself, which he cannot where it is enforced.
    """

    _name = "easycrm.email.rule"
    _description = "Email Rule"
    _order = "pattern, kind, id"
    _rec_name = "pattern"

    kind = fields.Selection(
        [("never_store", "Never store"), ("never_link", "Never link")],
        string="What Happens",
        required=True,
        default="never_store",
    )
    pattern = fields.Char(
        string="Address or Domain",
        required=True,
        help="anna@bank.example, or bank.example for everybody there.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Whose",
        default=lambda self: self.env.user,
        ondelete="cascade",
        index="btree_not_null",
    )
    company_id = fields.Many2one("res.company", ondelete="cascade")
    enforced = fields.Boolean(help="Nobody can switch it off for their own mailboxes.")
    off_user_ids = fields.Many2many(
        "res.users",
        "easycrm_email_rule_off_rel",
        "rule_id",
        "user_id",
        groups=fields.NO_ACCESS,
    )
    is_on = fields.Boolean(string="On for Me", compute="_compute_is_on")
    can_switch = fields.Boolean(compute="_compute_is_on")
    can_remove = fields.Boolean(compute="_compute_is_on")
    scope = fields.Char(string="For", compute="_compute_scope")
    left_out_count = fields.Integer(
        string="Left Out",
        compute="_compute_left_out_count",
        help="Emails in your mailboxes that are not stored because of it.",
    )

    _pattern_idx = models.Index("(pattern, kind)")
    # (whether there is any is asked whenever mail is linked)
    _never_link_idx = models.Index("(pattern) WHERE kind = 'never_link'")
    _owner = models.Constraint(
        "CHECK(num_nonnulls(user_id, company_id) = 1)",
        "A rule is either yours, or that of a company.",
    )
    _own_unique = models.UniqueIndex(
        "(user_id, kind, pattern) WHERE user_id IS NOT NULL", "You have this rule."
    )
    _company_unique = models.UniqueIndex(
        "(company_id, kind, pattern) WHERE company_id IS NOT NULL",
        "The company has this rule.",
    )

    @api.depends_context("uid", "allowed_company_ids")
    @api.depends("pattern")
    def _compute_display_name(self):
        # Core reads the names of what records point to as superuser: whoever names
        # somebody's rule by its id would be told what it says.
        readable = self.sudo(False)._filtered_access("read")
        for rule in self:
            mine = rule.sudo(False)
            rule.display_name = mine in readable and mine.pattern or ""

    @api.depends_context("uid")
    @api.depends("enforced", "off_user_ids", "user_id")
    def _compute_is_on(self):
        for rule in self:
            is_off = self.env.user in rule.sudo().off_user_ids
            rule.is_on = rule.enforced or not is_off
            rule.can_switch = bool(rule.company_id) and not rule.enforced
            rule.can_remove = rule._origin.has_access("unlink")

    @api.depends_context("lang")
    @api.depends("enforced", "user_id")
    def _compute_scope(self):
        for rule in self:
            if rule.user_id:
                rule.scope = self.env._("Me")
            elif rule.enforced:
                rule.scope = self.env._("Everybody")
            else:
                rule.scope = self.env._("Everybody who does not switch it off")

    @api.depends_context("uid")
    def _compute_left_out_count(self):
        counts = self.env["easycrm.email.exclusion"]._count(
            Domain("rule_id", "in", self.ids), "rule_id"
        )
        for rule in self:
            rule.left_out_count = counts.get(rule._origin, 0)

    @api.model
    def _read_pattern(self, text):
        """Return the pattern that somebody has typed.

        :raise ValidationError: it is none, or covers half the world
        """
        pattern = read_pattern(text)
        if not pattern:
            raise ValidationError(
                self.env._(
                    "“%s” is neither an email address nor a domain such as "
                    "bank.example.",
                    text or "",
                )
            )
        if is_public(pattern):
            raise ValidationError(
                self.env._(
                    "Anybody can have an address at %s: enter the whole address.",
                    pattern[1:],
                )
            )
        return pattern

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("pattern"):
                vals["pattern"] = self._read_pattern(vals["pattern"])
            if vals.get("company_id"):
                vals.setdefault("user_id", False)
        rules = super().create(vals_list)
        rules._check_number()
        return rules

    def _check_number(self):
        """Raise if somebody has more rules of his own than are possible.

        :raise UserError: in plain words
        """
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        counts = self.sudo()._read_group(
            Domain("user_id", "in", self.user_id.ids)
            & Domain("kind", "in", list(set(self.mapped("kind")))),
            ["user_id", "kind"],
            ["__count"],
        )
        for _user, kind, count in counts:
            if count > MOST_PERSONAL:
                raise UserError(
                    self.env._(
                        "You can have %(most)s rules of your own that say “%(kind)s”. "
                        "Remove some, or use one for a whole domain in place of many "
                        "addresses.",
                        most=formatLang(self.env, MOST_PERSONAL, digits=0),
                        kind=kinds[kind],
                    )
                )

    def write(self, vals):
        if FIXED_FIELDS & set(vals):
            raise UserError(
                self.env._("Remove this rule and add another one in its place.")
            )
        return super().write(vals)

    def unlink(self):
        self.check_access("unlink")
        release = self._prepare_release()
        result = super().unlink()
        # its rows are kept, without a reason that applies: they can be read again
        self.env["easycrm.email.exclusion"].invalidate_model(flush=False)
        release()
        return result

    @api.model
    def _read_group_groupby(self, alias, groupby_spec, query):
        # (of a many2many field core does not ask whether it may be read)
        if groupby_spec == "off_user_ids":
            self._check_field_access(self._fields[groupby_spec], "read")
        return super()._read_group_groupby(alias, groupby_spec, query)

    def action_remove(self):
        """Open the window that asks what becomes of what the rule has left out."""
        return self._open_remove(only_me=False)

    def action_switch(self):
        """Switch a company's rule off, or on again, for one's own mailboxes."""
        self.ensure_one()
        if self.is_on and self.left_out_count:
            return self._open_remove(only_me=True)
        return self._switch()

    def _open_remove(self, only_me):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Switch Off “%s”", self.pattern)
            if only_me
            else self.env._("Remove “%s”", self.pattern),
            "res_model": "easycrm.email.rule.remove",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_rule_id": self.id, "default_only_me": only_me},
        }

    def _switch(self):
        self.check_access("read")
        rule, user = self.sudo(), self.env.user
        if not rule.company_id or rule.enforced:
            raise UserError(
                self.env._("This rule cannot be switched off: it is for everybody.")
            )
        if user in rule.off_user_ids:
            rule.off_user_ids -= user
            return True
        release = rule._prepare_release(user)
        rule.off_user_ids += user
        rule.flush_recordset(["off_user_ids"])
        release()
        return True
