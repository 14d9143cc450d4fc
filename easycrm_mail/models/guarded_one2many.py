from collections.abc import Set as AbstractSet

from odoo import fields
from odoo.fields import Domain
from odoo.tools import SQL


class GuardedOne2many(fields.One2many):
    """A One2many that is searched only by the rows that the user may see.

    Core takes the rows of `in` and of "is set" as superuser: a search would tell that
    a contact has private mail, or an email attachments that are not shared.
    """

    def condition_to_sql(self, field_expr, operator, value, model, alias, query):
        def make(operator, domain):
            return super(GuardedOne2many, self).condition_to_sql(
                field_expr, operator, domain, model, alias, query
            )

        if model.env.su or not isinstance(value, (list, tuple, AbstractSet)):
            return make(operator, value)
        conditions = [SQL("FALSE")]
        if ids := [one for one in value if one]:
            conditions.append(make("any", Domain("id", "in", ids)))
        if len(ids) < len(value):  # "is not set"
            conditions.append(make("not any", Domain.TRUE))
        found = SQL("(%s)", SQL(" OR ").join(conditions))
        return SQL("NOT %s", found) if operator == "not in" else found
