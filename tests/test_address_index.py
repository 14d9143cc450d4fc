"""The index of all addresses that emails are compared with."""

from odoo import fields
from odoo.tests import tagged

from .common import MailCase
from .partner_rows import insert_partners


@tagged("post_install", "-at_install")
class TestAddressIndex(MailCase):
    def get_addresses(self, record):
        owner = "partner_id" if record._name == "res.partner" else "lead_id"
        rows = self.env["easycrm.email.address"].search([(owner, "=", record.id)])
        return sorted(rows.mapped("address"))

    def test_it_holds_every_address_of_the_field(self):
        self.bruno.email = "b@x.example; Bruno <B@Y.example>, broken, b@x.example"
        self.follow_addresses()
        self.assertEqual(self.get_addresses(self.bruno), ["b@x.example", "b@y.example"])
        self.bruno.email = "b@y.example"
        self.follow_addresses()
        self.assertEqual(self.get_addresses(self.bruno), ["b@y.example"])
        self.bruno.email = False
        self.follow_addresses()
        self.assertEqual(self.get_addresses(self.bruno), [])

    def test_it_is_rebuilt_from_records_that_were_there_before(self):
        odd = self.env["res.partner"].create(
            {"name": "Odd", "email": "Odd <ODD@x.example>, other@x.example"}
        )
        spaced = self.env["res.partner"].create({"name": "S", "email": " S@x.example "})
        deal = self.add_lead("Deal", self.mira, "New@buyer.example")
        several = self.add_lead("Two", self.mira, "a@x.example; A <A@x.example>, b@y.z")
        idn = self.env["res.partner"].create(
            {"name": "I", "email": "i@xn--bcher-kva.x"}
        )
        self.follow_addresses()
        self.env["easycrm.email.address"].search([]).unlink()
        self.env["easycrm.email.address"]._rebuild_index()
        for record, addresses in (
            (self.anna, ["anna@acme.example"]),
            (odd, ["odd@x.example", "other@x.example"]),
            (spaced, ["s@x.example"]),
            (deal, ["new@buyer.example"]),
            (several, ["a@x.example", "b@y.z"]),
            (idn, ["i@bücher.x"]),
            (self.acme, []),
        ):
            self.assertEqual(self.get_addresses(record), addresses)
        before = self.env["easycrm.email.address"].search_count([])
        self.env["easycrm.email.address"]._rebuild_index()
        self.assertEqual(self.env["easycrm.email.address"].search_count([]), before)

    def test_it_is_rebuilt_in_as_many_queries_for_many_as_for_few(self):
        def count_queries(number):
            with self.cr.savepoint() as savepoint:
                insert_partners(
                    self.bruno,
                    number,
                    email="'A <a' || i || '@x.example>, b' || i || '@x.example'",
                    email_normalized="'a' || i || '@x.example'",
                )
                before = self.cr.sql_log_count
                self.env["easycrm.email.address"]._rebuild_index()
                queries = self.cr.sql_log_count - before
                found = self.env["easycrm.email.address"].search_count(
                    [("address", "like", "%@x.example")]
                )
                self.assertEqual(found, number * 2)
                savepoint.rollback()
            return queries

        counts = count_queries(1), count_queries(3_000)
        self.assertEqual(*counts)
        self.assertLess(counts[0], 10)

    def test_a_draft_of_a_form_changes_nothing(self):
        draft = self.env["res.partner"].new({"name": "New", "email": "new@x.example"})
        self.assertEqual(draft.email_normalized, "new@x.example")
        edited = self.env["res.partner"].new(
            {"email": "e@x.example"}, origin=self.bruno
        )
        self.assertEqual(edited.email_normalized, "e@x.example")
        self.follow_addresses()
        self.assertEqual(self.get_addresses(self.bruno), ["bruno@beck.example"])
        found = self.env["easycrm.email.address"].search_count(
            [("address", "in", ["new@x.example", "e@x.example"])]
        )
        self.assertFalse(found)

    def test_a_link_is_not_made_by_the_day_it_is_found(self):
        day = fields.Datetime.to_datetime("2020-01-02 03:04:05")
        email = self.receive(self.mailbox, date=day.astimezone())
        self.assertEqual(email.link_ids.date, email.date)
        self.assertEqual(email.link_ids.commercial_partner_id, self.acme)
        self.assertEqual(email.link_ids.thread_id, email.thread_id)
        self.assertEqual(email.link_ids.company_id, self.company_a)

    def test_what_a_form_gives_by_default_is_not_the_addresss(self):
        """An opportunity that is made by the button of a contact, and the reverse."""
        opportunity = (
            self.env["crm.lead"]
            .with_context(default_partner_id=self.anna.id, default_type="opportunity")
            .create({"name": "Chairs"})
        )
        self.follow_addresses()
        self.assertEqual(self.get_addresses(opportunity), ["anna@acme.example"])
        contact = (
            self.env["res.partner"]
            .with_context(default_lead_id=opportunity.id)
            .create(
                {
                    "name": "Clara",
                    "email": "clara@far.example",
                    "easycrm_other_emails": "c@far.example",
                }
            )
        )
        self.follow_addresses()
        self.assertEqual(
            self.get_addresses(contact), ["c@far.example", "clara@far.example"]
        )
