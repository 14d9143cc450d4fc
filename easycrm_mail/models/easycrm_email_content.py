from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from . import access


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

    _email_unique = models.UniqueIndex("(email_id)")

    def init(self):
        # No field type of Odoo's holds a tsvector, so the column stands beside them;
        # PostgreSQL keeps it up to what it is made from. A tsvector holds 1 MB at most,
        # hence the limit on the text; and its parser takes minutes for one word of
        # 100 kB, or for a row of "<": words are cut, and "<" is no tag in plain text.
        self.env.cr.execute(
            SQL(
                r"""
                ALTER TABLE easycrm_email_content
                    ADD COLUMN IF NOT EXISTS search_vector tsvector
                    GENERATED ALWAYS AS (
                        to_tsvector('simple', left(translate(regexp_replace(
                            left(coalesce(subject, '') || ' '
                                 || coalesce(body_text, ''), 100000),
                            '(\S{200})', '\1 ', 'g'), '<', ' '), 100000))
                    ) STORED;
                CREATE INDEX IF NOT EXISTS easycrm_email_content_search_vector_index
                    ON easycrm_email_content USING gin (search_vector);
                """
            )
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
