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
        return self._search_each(
            operator,
            value,
            lambda word: SQL(
                "(%s OR %s)", self._get_said_sql(word), self._get_known_sql(word)
            ),
        )

    def _search_people(self, operator, value):
        return self._search_each(operator, value, self._get_known_sql)

    def _search_each(self, operator, value, get_sql):
        """Return the domain of the copies of which all words of a text are found.

        :param get_sql: of a word, the condition on `held` that it is found
        """
        if operator not in ("in", "ilike"):
            return NotImplemented
        texts = [
            [get_sql(word) for word in split_words(text)]
            for text in (value if operator == "in" else [value])
            if isinstance(text, str)
        ]
        found = [SQL("(%s)", SQL(" AND ").join(words)) for words in texts if words]
        return self._get_copies_domain(SQL(" OR ").join(found or [SQL("FALSE")]))

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
