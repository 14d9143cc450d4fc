from pathlib import Path

from odoo.modules.migration import load_script
from odoo.tests import TransactionCase, tagged

from .common import MailCase, raw_mail

MIGRATIONS = Path(__file__).parents[1] / "migrations"


@tagged("post_install", "-at_install")
class TestMigration(MailCase, TransactionCase):
    """Databases of earlier versions are brought up to this one."""

    def migrate(self, version):
        self.env.flush_all()
        path = MIGRATIONS / version / "post-migration.py"
        load_script(str(path), f"migrate_{version}").migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()

    def test_search_words_of_stored_mail_are_cut_anew(self):
        [email] = self.deliver(
            self.mailbox, raw_mail(subject="Grüße", text="from anna@nordlicht.example")
        )
        self.env.cr.execute(
            """
            ALTER TABLE easycrm_email_content DROP COLUMN search_vector;
            ALTER TABLE easycrm_email_content ADD COLUMN search_vector tsvector
                GENERATED ALWAYS AS (to_tsvector('simple', coalesce(subject, '') || ' '
                                                 || coalesce(body_text, ''))) STORED
            """
        )
        self.assertFalse(self.is_found(email, "grusse & nordlicht"))
        self.env["easycrm.email.content"].init()
        # also where the scripts are skipped
        [new] = self.deliver(self.mailbox, raw_mail(subject="Can be stored"))
        self.assertTrue(self.is_found(new, "stored"))
        self.migrate("19.0.1.1.0")
        self.assertTrue(self.is_found(email, "grusse & nordlicht"))
        self.migrate("19.0.1.1.0")  # once more does no harm
        self.assertTrue(self.is_found(email, "grusse & nordlicht"))

    def is_found(self, email, query):
        self.env.cr.execute(
            """SELECT search_vector @@ %s::tsquery FROM easycrm_email_content
               WHERE email_id = %s""",
            [query, email.id],
        )
        return self.env.cr.fetchone()[0]
