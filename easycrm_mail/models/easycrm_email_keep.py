from odoo import fields, models
from odoo.tools import SQL

from ..messages import search_words
from .easycrm_email_content import SEARCH_VECTOR


class EasycrmEmailAccount(models.Model):
    _inherit = "easycrm.email.account"

    unlinked_keep = fields.Selection(
        [
            ("full", "Keep in full"),
            ("headers", "Headers only"),
            ("nothing", "Keep nothing"),
        ],
        string="Mail That Is Not Linked",
        required=True,
        default="full",
        help="What is stored of new emails that stand on no contact, lead or "
        "opportunity. Headers only: the text is read from the mailbox when you open "
        "the email, and stored once the email is linked. Keep nothing: they are not "
        "found again for contacts that you add later.",
    )


class EasycrmEmail(models.Model):
    """What is kept of emails on no record: their mailboxes say it.

    An email of which the header alone is kept has the identity of the whole mail.
    `headers_only` says that its body is still in the mailbox, as of a large one.
    """

    _inherit = "easycrm.email"

    def _is_provisional(self):
        """Tell whether the email is known by its header, until its body comes."""
        self.ensure_one()
        return ":" in self.digest

    def _get_first_fetch(self):
        """Return `fetch_at` of what is fetched once it is linked, newest mail first."""
        self.ensure_one()
        return min(self.date, fields.Datetime.now())

    def _is_kept_in_full(self):
        """Tell whether the body is stored once it has been read."""
        self.ensure_one()
        keeps = self.copy_ids.account_id.mapped("unlinked_keep")
        return self.is_linked or not keeps or "full" in keeps

    def _put_away(self):
        """Forget the bodies: who, when and the subject stay, and what is attached.

        Once an email is linked its body is fetched again, but of a large one.
        """
        if not self:
            return
        contents = self.content_ids
        contents.flush_model()
        # (SEARCH_VECTOR is a literal; the words are its parameter)
        self.env.cr.execute_values(
            f"""UPDATE easycrm_email_content content
                SET snippet = NULL, body_html_raw = NULL, body_text = NULL,
                    search_vector = {SEARCH_VECTOR.replace("%s", "bare.words")}
                FROM (VALUES %s) AS bare (id, words) WHERE content.id = bare.id""",
            [
                (content.id, " ".join(search_words(content.subject or "")))
                for content in contents
            ],
            page_size=len(contents) or 1,
        )
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                UPDATE easycrm_email SET headers_only = TRUE,
                    fetch_at = CASE WHEN size > 0 THEN NULL ELSE LEAST(date, %s) END
                WHERE id = ANY(%s)
                """,
                fields.Datetime.now(),
                self.ids,
            )
        )
        contents.invalidate_recordset(flush=False)
        self.invalidate_recordset(flush=False)
