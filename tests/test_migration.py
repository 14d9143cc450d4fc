from pathlib import Path

from odoo.modules.migration import load_script
from odoo.tests import TransactionCase, tagged

from ..hooks import post_init_hook
from .common import MailCase, raw_mail

MIGRATIONS = Path(__file__).parents[1] / "migrations"


@tagged("post_install", "-at_install")
class TestMigration(MailCase, TransactionCase):
    """Databases of earlier versions are brought up to this one."""

    def migrate(self, version, script="post-migration"):
        self.env.flush_all()
        path = MIGRATIONS / version / f"{script}.py"
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

    def test_a_company_shows_what_its_people_got_before(self):
        mailing = self.env["mailing.mailing"].create({"subject": "Offer"})
        contact = self.env["mailing.contact"].create({"name": "Anna"})
        traces = self.env["mailing.trace"].create(
            [
                {
                    "mass_mailing_id": mailing.id,
                    "model": record._name,
                    "res_id": record.id,
                    "email": "anna@acme.example",
                }
                for record in (self.anna, contact, self.anna.user_ids[:1])
            ]
        )
        field = "easycrm_commercial_partner_id"
        expected = [self.acme.id, self.acme.id, False]
        self.assertEqual([trace[field].id for trace in traces], expected)
        traces.write({field: False})
        self.migrate("19.0.1.5.0", "post-campaign-companies")
        self.assertEqual([trace[field].id for trace in traces], expected)
        # and where the addon is installed beside mailings that are there
        traces.write({field: False})
        self.env.flush_all()
        post_init_hook(self.env)
        self.assertEqual([trace[field].id for trace in traces], expected)

    def test_what_was_left_out_on_purpose_is_a_gap_no_more(self):
        gaps = self.env["easycrm.email.gap"].create(
            [
                {
                    "account_id": self.mailbox.id,
                    "stream": "INBOX",
                    "provider_ref": ref,
                    "day": "2026-11-20",
                }
                for ref in ("7:missing", "7:out", "7:rule")
            ]
        )
        self.env["easycrm.email.exclusion"].create(
            {
                "account_id": self.mailbox.id,
                "stream": "INBOX",
                "provider_ref": "7:rule",
                "reason": "automatic",
                "day": "2026-11-20",
                "mark": "x",
            }
        )
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE easycrm_email_gap ADD left_out boolean")
        self.env.cr.execute(
            "UPDATE easycrm_email_gap SET left_out = TRUE WHERE id = ANY(%s)",
            [gaps[1:].ids],
        )
        for _time in range(2):  # once more does no harm
            self.migrate("19.0.1.5.0", "post-left-out")
            self.assertEqual(gaps.exists().mapped("provider_ref"), ["7:missing"])
            exclusions = self.env["easycrm.email.exclusion"].search(
                [("account_id", "=", self.mailbox.id)]
            )
            self.assertEqual(
                sorted(exclusions.mapped(lambda out: (out.provider_ref, out.reason))),
                [("7:out", "old"), ("7:rule", "automatic")],
            )
            self.assertTrue(exclusions[0].mark)
        self.env.cr.execute("ALTER TABLE easycrm_email_gap DROP left_out")
        self.migrate("19.0.1.5.0", "post-left-out")  # where it was never there

    def is_found(self, email, query):
        self.env.cr.execute(
            """SELECT search_vector @@ %s::tsquery FROM easycrm_email_content
               WHERE email_id = %s""",
            [query, email.id],
        )
        return self.env.cr.fetchone()[0]
