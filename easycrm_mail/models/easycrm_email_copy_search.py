from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..messages import split_words


class EasycrmEmailCopy(models.Model):
    """What the search bar of Unlinked Emails looks for."""

    _inherit = "easycrm.email.copy"

    words = fields.Char(
        store=False,
        search="_search_words",
        help="Words that stand in the email, or in its people's names or addresses.",
    )
    people = fields.Char(
        store=False,
        search="_search_people",
        help="Somebody's name or address, whether it was sent by or to them.",
    )

    def _search_words(self, operator, value):
        if operator not in ("ilike", "=") or not isinstance(value, str):
            return NotImplemented
        found = [
            SQL("(%s OR %s)", self._get_said_sql(word), self._get_known_sql(word))
            for word in split_words(value)
        ]
        return self._get_copies_domain(SQL(" AND ").join(found or [SQL("FALSE")]))

    def _search_people(self, operator, value):
        if operator not in ("ilike", "=") or not isinstance(value, str):
            return NotImplemented
        found = [self._get_known_sql(word) for word in split_words(value)]
        return self._get_copies_domain(SQL(" AND ").join(found or [SQL("FALSE")]))

    def _get_copies_domain(self, condition):
        # compiling the statement would take longer than going through an inbox
        self.env.cr.execute("SET LOCAL jit TO off")
        # (the conditions are on `held`, whatever the table is called in the query)
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                """EXISTS (SELECT FROM (SELECT %s AS email_id) AS held WHERE %s)""",
                SQL.identifier(alias, "email_id"),
                condition,
            )
        )

    def _get_said_sql(self, word):
        """Return the condition on `held` that a word stands in the email's text."""
        self.env["easycrm.email.content"].flush_model()
        return SQL(
            """held.email_id IN (
                SELECT content.email_id FROM easycrm_email_content content
                WHERE content.search_vector @@ %s::tsquery)""",
            word.query,
        )

    def _get_known_sql(self, word):
        """Return the condition on `held` that a word is of the email's people.

        Not of those in Bcc: these are only some readers' to know.
        """
        self.env["easycrm.email.participant"].flush_model()
        unaccent = self.env.registry.unaccent
        return SQL(
            """EXISTS (
                SELECT FROM easycrm_email_participant person
                WHERE person.email_id = held.email_id AND person.role <> 'bcc'
                  AND %s ILIKE %s OFFSET 0)""",
            unaccent(SQL("concat_ws(' ', person.name, person.address)")),
            unaccent(SQL("%s", word.pattern)),
        )
