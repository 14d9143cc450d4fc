from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from . import access

#: A mail's `words`, as PostgreSQL files them.
SEARCH_VECTOR = "array_to_tsvector(string_to_array(%s, ' '))"


class EasycrmEmailContent(models.Model):
    """What a share level can hide, apart from the envelope: a rule hides whole rows.

    Bodies are stored as they came, in plain text fields: an Html field would read as
    safe markup. They are sanitised when shown.
    """

    _name = "easycrm.email.content"
    _description = "Email Content"
    _inherit = ["easycrm.email.access"]
    _rec_name = "subject"
    _log_access = False

    email_id = fields.Many2one("easycrm.email", required=True, ondelete="cascade")
    subject = fields.Char()
    snippet = fields.Char(size=200)
    body_html_raw = fields.Text()
    body_text = fields.Text()
    reply_to = fields.Json(
        help="Whom a reply is to go to in place of the sender: names and addresses."
    )

    _email_unique = models.UniqueIndex("(email_id)")

    def init(self):
        # No field type of Odoo's holds a tsvector, so the column stands beside them.
        # Its words are cut by `messages.search_words`: PostgreSQL's own parser takes
        # longer than all the rest of storing a mail, and minutes for some. (In 19.0.1.0
        # the column was generated: nothing could be written to it.)
        self.env.cr.execute(
            """
            ALTER TABLE easycrm_email_content
                ADD COLUMN IF NOT EXISTS search_vector tsvector;
            ALTER TABLE easycrm_email_content
                ALTER search_vector DROP EXPRESSION IF EXISTS;
            CREATE INDEX IF NOT EXISTS easycrm_email_content_search_vector_index
                ON easycrm_email_content USING gin (search_vector);
            SELECT 'lz4' = ANY(enumvals) FROM pg_settings
            WHERE name = 'default_toast_compression'
            """
        )
        if any(self.env.cr.fetchone() or ()):  # PostgreSQL 14, if built with it
            # four times as fast as what PostgreSQL does by itself, and no larger
            self.env.cr.execute(
                """
                ALTER TABLE easycrm_email_content
                    ALTER body_html_raw SET COMPRESSION lz4,
                    ALTER body_text SET COMPRESSION lz4
                """
            )

    @api.model
    def _get_access_sql(self, alias):
        email_id = SQL.identifier(alias, "email_id")
        return access.visible_content(self.env, email_id, "everything")

    @api.model
    def _get_level_domain(self, level):
        """Return the domain of what may be read at that share level or better."""
        return Domain.custom(
            to_sql=lambda model, alias, query: access.visible_content(
                self.env, SQL.identifier(alias, "email_id"), level
            )
        )
