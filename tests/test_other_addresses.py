"""Further addresses of a contact: in the index, in words, and what mail they find."""

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

from .common import raw_mail
from .merge_case import MergeCase


@tagged("post_install", "-at_install")
class TestOtherAddresses(MergeCase):
    def set_others(self, record, text, user=None):
        """Enter the further addresses, as somebody of the sales team."""
        self.as_user(record, user or self.paula).easycrm_other_emails = text
        self.follow_addresses()
        self.env.invalidate_all()

    def get_rows(self, record):
        self.env.invalidate_all()
        owner = "partner_id" if record._name == "res.partner" else "lead_id"
        rows = self.env["easycrm.email.address"].search([(owner, "=", record.id)])
        return {(row.address, row.source) for row in rows}

    def test_mail_that_is_here_and_mail_that_comes_finds_the_contact(self):
        old = self.receive(self.mailbox, sender="anna@home.example")
        self.assertLinked(old, [])
        self.set_others(self.anna, "Anna <Anna@Home.example>")
        self.assertLinked(old, [self.anna])
        new = self.receive(self.mailbox, sender="ANNA@home.example")
        self.assertLinked(new, [self.anna])
        self.assertIn("anna@home.example", old.link_ids.reason)

    def test_an_address_that_goes_takes_its_mail_off_but_not_what_others_find(self):
        self.set_others(self.anna, "anna@home.example, anna@club.example")
        home = self.receive(self.mailbox, sender="anna@home.example")
        both = self.receive(
            self.mailbox, sender="anna@home.example", cc="anna@acme.example"
        )
        by_hand = self.receive(self.mailbox, sender="anna@home.example")
        self.place(by_hand, self.anna)
        self.set_others(self.anna, "anna@club.example")
        self.assertLinked(home, [])
        self.assertLinked(both, [self.anna])
        self.assertEqual(both.link_ids.address, "anna@acme.example")
        self.assertLinked(by_hand, [self.anna])
        self.assertEqual(self.anna.easycrm_other_emails, "anna@club.example")

    def test_mailings_to_it_follow_to_the_company(self):
        mailing = self.env["mailing.mailing"].create({"subject": "Offer"})
        contact = self.env["mailing.contact"].create({"name": "Anna"})
        trace = self.env["mailing.trace"].create(
            {
                "mass_mailing_id": mailing.id,
                "model": contact._name,
                "res_id": contact.id,
                "email": "anna@home.example",
            }
        )
        Address = self.env["easycrm.email.address"]
        self.assertFalse(trace.easycrm_commercial_partner_id)
        self.set_others(self.anna, "anna@home.example")
        self.assertEqual(trace.easycrm_commercial_partner_id, self.acme)
        self.set_others(self.anna, "")
        self.assertFalse(trace.easycrm_commercial_partner_id)
        batch = self.env["easycrm.email.batch"].create({"kind": "link"})
        Address._teach(self.anna, ["anna@home.example"], batch)
        self.assertEqual(trace.easycrm_commercial_partner_id, self.acme)
        Address.search([("batch_id", "=", batch.id)])._take_back()
        self.assertFalse(trace.easycrm_commercial_partner_id)

    def test_what_was_taken_off_by_hand_stays_off(self):
        email = self.receive(self.mailbox, sender="anna@home.example")
        self.set_others(self.anna, "anna@home.example")
        self.take_off(email, self.anna)
        self.set_others(self.anna, "")
        self.set_others(self.anna, "anna@home.example")
        self.assertLinked(email, [])

    def test_what_is_wrong_is_said_in_words(self):
        for text, words in (
            ("anna", "“anna” is not an email address."),
            ("a@x.example, b@", "“b@” is not an email address."),
            ("a@x.example; A@X.example", "a@x.example stands twice"),
            ("ANNA@acme.example", "anna@acme.example stands in the Email field"),
        ):
            with (
                self.subTest(text=text),
                self.assertRaisesRegex(ValidationError, words),
            ):
                self.set_others(self.anna, text)

    def test_a_contact_is_created_with_them_and_imported(self):
        Partner = self.env["res.partner"].with_user(self.paula)
        clara = Partner.create(
            {"name": "C", "email": "c@x.example", "easycrm_other_emails": "d@x.example"}
        )
        self.follow_addresses()
        self.assertEqual(
            self.get_rows(clara), {("c@x.example", "field"), ("d@x.example", "extra")}
        )
        answer = Partner.load(
            ["name", "easycrm_other_emails"],
            [["Imported", "one@y.example, two@y.example"], ["Plain", ""]],
        )
        self.assertFalse(answer["messages"])
        imported = Partner.browse(answer["ids"])
        self.assertEqual(
            self.as_user(imported, self.admin).export_data(
                ["name", "easycrm_other_emails"]
            )["datas"],
            [["Imported", "one@y.example, two@y.example"], ["Plain", ""]],
        )

    def test_they_are_found_by_a_search(self):
        self.set_others(self.anna, "anna@home.example")
        Partner = self.as_user(self.env["res.partner"], self.mira)
        field = "easycrm_other_emails"
        everybody = self.anna | self.bruno
        among = [("id", "in", everybody.ids)]
        for domain, found in (
            ([(field, "ilike", "home")], self.anna),
            ([(field, "=", "anna@home.example")], self.anna),
            ([(field, "=", False)], self.bruno),
            ([(field, "!=", False)], self.anna),
            ([(field, "not ilike", "home")], self.bruno),
        ):
            self.assertEqual(Partner.search(domain + among), found, domain)

    def test_an_address_moves_between_the_field_and_the_list(self):
        email = self.receive(self.mailbox, sender="anna@home.example")
        self.set_others(self.anna, "anna@home.example")
        self.anna.write({"email": "anna@home.example"})
        self.follow_addresses()
        self.assertEqual(self.get_rows(self.anna), {("anna@home.example", "field")})
        self.assertFalse(self.anna.easycrm_other_emails)
        self.as_user(self.anna, self.paula).write(
            {
                "email": "anna@acme.example",
                "easycrm_other_emails": "anna@home.example",
            }
        )
        self.follow_addresses()
        self.assertEqual(
            self.get_rows(self.anna),
            {("anna@acme.example", "field"), ("anna@home.example", "extra")},
        )
        self.assertLinked(email, [self.anna])

    def test_who_may_not_write_the_contact_may_not_write_them(self):
        with self.assertRaises(AccessError):
            self.set_others(self.anna, "x@y.example", user=self.ingrid)
        self.assertFalse(self.anna.easycrm_other_emails)
        portal = self.as_user(self.anna, self.portal)
        with self.assertRaises(AccessError):
            portal.read(["easycrm_other_emails"])
        with self.assertRaises(AccessError):
            self.as_user(self.anna, self.sofia).read(["easycrm_address_ids"])

    def test_who_else_has_it_is_told_and_nothing_is_held_up(self):
        Contact = self.env["res.partner"].with_user(self.paula)
        with (
            Form(Contact.browse(self.anna.id)) as form,
            self.assertLogs("odoo.tests.form.onchange", "WARNING") as logs,
        ):
            form.easycrm_other_emails = "bruno@beck.example"
        self.assertIn("Bruno Beck", logs.output[0])
        self.assertEqual(self.anna.easycrm_other_emails, "bruno@beck.example")
        email = self.receive(self.mailbox, sender="bruno@beck.example")
        self.assertLinked(email, [self.anna, self.bruno, self.twin])

    def test_a_contact_that_one_may_not_read_is_not_named(self):
        self.env["ir.rule"].create(
            {
                "name": "Nobody sees Bruno",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": [("name", "not like", "Bruno")],
            }
        )
        anna = self.as_user(self.anna, self.paula)
        [line] = anna._easycrm_get_others({"bruno@beck.example"})
        self.assertNotIn("Bruno", line)
        self.assertIn("another contact", line)

    def test_contacts_of_another_company_and_archived_ones_are_not_told_of(self):
        self.bruno.company_id = self.company_b
        self.twin.active = False
        anna = self.as_user(self.anna, self.paula)
        self.assertFalse(anna._easycrm_get_others({"bruno@beck.example"}))

    def test_contacts_of_the_company_above_are_told_of(self):
        branch = self.env["res.company"].create(
            {"name": "Branch of A", "parent_id": self.company_a.id}
        )
        zoe = self.env["res.partner"].create({"name": "Zoe", "company_id": branch.id})
        self.bruno.company_id = self.company_a
        self.twin.active = False
        found = self.env["easycrm.email.address"]._find_others(
            {"bruno@beck.example"}, zoe
        )
        self.assertEqual(found, {"bruno@beck.example": self.bruno})

    def test_they_survive_a_merge(self):
        self.set_others(self.bruno, "bruno@home.example, both@x.example")
        self.set_others(self.twin, "twin@home.example, both@x.example")
        mails = [
            self.receive(self.mailbox, sender=sender)
            for sender in ("bruno@home.example", "twin@home.example", "both@x.example")
        ]
        self.assertTrue(self.bruno.easycrm_other_emails)  # it is in the cache
        self.merge(self.bruno, self.twin, user=self.paula)
        self.assertEqual(
            self.get_rows(self.bruno),
            {
                ("bruno@beck.example", "field"),
                ("bruno@home.example", "extra"),
                ("twin@home.example", "extra"),
                ("both@x.example", "extra"),
            },
        )
        self.assertEqual(len(self.bruno.easycrm_other_emails.split(", ")), 3)
        for email in mails:
            self.assertLinked(email, [self.bruno])
        late = self.receive(self.mailbox, sender="twin@home.example")
        self.assertLinked(late, [self.bruno])

    def test_an_archived_contact_gets_no_new_mail_until_it_is_back(self):
        self.set_others(self.bruno, "bruno@home.example")
        self.bruno.active = False
        self.follow_addresses()
        email = self.receive(self.mailbox, sender="bruno@home.example")
        self.assertLinked(email, [])
        self.bruno.active = True
        self.follow_addresses()
        self.assertLinked(email, [self.bruno])

    def test_a_colleagues_further_address_finds_nothing(self):
        self.set_others(self.leonie.partner_id, "leonie@home.example", self.admin)
        self.set_others(self.anna, "leonie@home.example")
        email = self.receive(self.mailbox, sender="leonie@home.example")
        self.assertLinked(email, [])

    def test_many_contacts_cost_as_many_queries_as_one(self):
        partners = self.env["res.partner"].create(
            [{"name": f"P{number}"} for number in range(20)]
        )
        self.follow_addresses()
        Address = self.env["easycrm.email.address"]

        def count_queries(records):
            addresses = {record.id: [f"{record.id}@x.example"] for record in records}
            self.env.flush_all()
            before = self.cr.sql_log_count
            Address._set_extra(records, addresses)
            self.env.flush_all()
            return self.cr.sql_log_count - before

        few = count_queries(partners[:2])
        many = count_queries(partners[2:])
        self.assertLessEqual(many, few)

    def test_they_find_the_opportunities_of_the_contact_too(self):
        deal = self.add_lead("Deal", self.mira, partner_id=self.anna.id)
        self.follow_addresses()
        old = self.receive(self.mailbox, sender="anna@home.example")
        self.set_others(self.anna, "anna@home.example")
        self.assertLinked(old, [self.anna, deal])
        self.assertFalse(deal.easycrm_other_emails)
        later = self.add_lead("Later", self.mira, partner_id=self.anna.id)
        self.follow_addresses()
        self.assertLinked(old, [self.anna, deal, later])
        later.partner_id = self.bruno
        self.follow_addresses()
        self.assertLinked(old, [self.anna, deal])
        self.set_others(self.anna, "")
        self.assertLinked(old, [])
        self.assertEqual(self.get_rows(deal), {("anna@acme.example", "field")})

    def test_opportunities_of_merged_contacts_follow(self):
        self.set_others(self.twin, "twin@home.example")
        deals = [
            self.add_lead(f"Deal of {one.name}", self.mira, partner_id=one.id)
            for one in (self.bruno, self.twin)
        ]
        self.follow_addresses()
        email = self.receive(self.mailbox, sender="twin@home.example")
        self.assertLinked(email, [self.twin, deals[1]])
        self.merge(self.bruno, self.twin, user=self.paula)
        self.env.flush_all()
        self.follow_addresses()
        self.assertLinked(email, [self.bruno, *deals])

    def test_a_lead_has_its_own(self):
        deal = self.add_lead("Deal", self.mira, "buyer@x.example")
        self.set_others(deal, "buyer@home.example", user=self.mira)
        [email] = self.deliver(self.mailbox, raw_mail(sender="buyer@home.example"))
        self.assertLinked(email, [deal])
