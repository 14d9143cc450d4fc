from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .unlinked_case import UnlinkedCase


@tagged("post_install", "-at_install")
class TestUnlinkedDone(UnlinkedCase):
    """What is done with mail that stands nowhere: linked, ignored, made a record."""

    def test_a_new_record_is_filled_from_the_mail(self):
        email = self.stranger(
            subject="Chairs",
            text="Hello\n\nTobias Wendt\nUnion GmbH · Berlin\nTel. +49 30 5550 7120",
        )
        filled = self.inbox().new_record_defaults(self.ids(email), "res.partner")
        context = filled.pop("context")
        self.assertEqual(
            filled,
            {
                "name": "Tobias Wendt",
                "email": "tobias1@union.example",
                "phone": "+49 30 5550 7120",
                "company": "Union GmbH",
            },
        )
        self.assertEqual(context["default_company_name"], "Union GmbH")
        union = self.env["res.partner"].create(
            {"name": "Union GmbH", "is_company": True}
        )
        filled = self.inbox().new_record_defaults(self.ids(email), "res.partner")
        self.assertEqual(filled["context"]["default_parent_id"], union.id)
        filled = self.inbox().new_record_defaults(self.ids(email), "crm.lead")
        context = filled["context"]
        self.assertEqual(context["default_name"], "Chairs")
        self.assertEqual(context["default_contact_name"], "Tobias Wendt")
        self.assertEqual(context["default_partner_name"], "Union GmbH")
        self.assertEqual(context["default_email_from"], "tobias1@union.example")
        lead = (
            self.env["crm.lead"].with_user(self.mira).with_context(**context).create({})
        )
        self.cr.flush()
        self.assertLinked(email, [lead])

    def test_what_is_selected_in_the_list_can_be_ignored_and_brought_back(self):
        emails = self.stranger(1) | self.stranger(2)
        self.stranger(3)
        view = self.env.ref("easycrm_mail.easycrm_email_copy_view_list")
        arch = etree.fromstring(self.inbox().get_view(view.id)["arch"])
        [button] = arch.findall("header/button[@type='object']")
        copies = self.inbox().browse(self.ids(*emails))
        action = getattr(copies, button.get("name"))()
        self.assertEqual(action["tag"], "easycrm_mail.ignored")
        self.assertEqual(action["params"]["message"], "2 mails ignored")
        self.assertEqual(self.inbox().unlinked_count(), 1)
        self.inbox().undo(action["params"]["batch"])
        self.assertEqual(self.inbox().unlinked_count(), 3)

    def test_linking_puts_mails_on_a_record_and_undo_takes_them_back(self):
        emails = self.stranger(1) | self.stranger(2)
        lead = self.add_lead("40 chairs", self.mira)
        done = self.inbox().link_to(self.ids(*emails), "crm.lead", lead.id)
        self.assertEqual(done["count"], 2)
        self.assertEqual(done["message"], "2 mails linked to 40 chairs")
        for email in emails:
            self.assertLinked(email, [lead])
        self.assertEqual(self.inbox().unlinked_count(), 0)
        self.assertEqual(self.inbox().undo(done["batch"])["count"], 2)
        for email in emails:
            self.assertLinked(email, [])
        self.assertEqual(self.inbox().unlinked_count(), 2)
        again = self.inbox().undo(done["batch"])
        self.assertEqual(again, {"count": 0, "message": "This was undone already."})

    def test_ignoring_and_bringing_back(self):
        emails = self.stranger(1) | self.stranger(2)
        done = self.inbox().ignore(self.ids(emails[0]), "these")
        self.assertEqual(done["count"], 1)
        self.assertEqual(self.inbox().unlinked_count(), 1)
        self.assertEqual(self.inbox().unlinked_groups([], ignored=True)["mails"], 1)
        back = self.inbox().bring_back(self.ids(emails[0]))
        self.assertEqual(back["count"], 1)
        self.assertEqual(self.inbox().unlinked_count(), 2)
        self.inbox().undo(back["batch"])
        self.assertEqual(self.inbox().unlinked_count(), 1)
        self.inbox().undo(done["batch"])
        self.assertEqual(self.inbox().unlinked_count(), 2)

    def test_suggestions_have_their_reasons(self):
        union = self.env["res.partner"].create(
            {"name": "Union", "is_company": True, "email": "info@union.example"}
        )
        lead = self.add_lead("Bestuhlung Filialen", self.mira, "lena@union.example")
        email = self.stranger(subject="Bestuhlung, 2. Stand")
        found = self.inbox().suggest_records(self.ids(email))
        cards = {(card["model"], card["id"]): card for card in found["suggested"]}
        self.assertIn(
            "Same domain: union.example", cards["res.partner", union.id]["reasons"]
        )
        self.assertIn("Subject: bestuhlung", cards["crm.lead", lead.id]["reasons"])
        self.inbox().link_to(self.ids(email), "res.partner", self.bruno.id)
        recent = self.inbox().suggest_records(self.ids(self.stranger()))["recent"]
        self.assertEqual([card["id"] for card in recent], [self.bruno.id])

    def test_one_search_finds_contacts_leads_and_opportunities(self):
        lead = self.add_lead("Union chairs", self.mira)
        union = self.env["res.partner"].create({"name": "Union", "is_company": True})
        cards = self.inbox().find_records("union")
        self.assertEqual(
            [(card["kind"], card["id"]) for card in cards],
            [("opportunity", lead.id), ("company", union.id)],
        )

    def test_nobody_gets_at_others_mail_by_its_id(self):
        theirs = self.ids(
            self.stranger(mailbox=self.jonas_mailbox), mailbox=self.jonas_mailbox
        )
        mine = self.inbox()
        for call in (
            lambda: mine.link_to(theirs, "res.partner", self.bruno.id),
            lambda: mine.ignore(theirs, "these"),
            lambda: mine.bring_back(theirs),
            lambda: mine.suggest_records(theirs),
        ):
            with self.assertRaises(AccessError):
                call()
        self.assertEqual(mine.unlinked_count(), 0)
        self.assertEqual(mine.unlinked_groups([])["groups"], [])
        self.assertEqual(mine.unlinked_page([])["rows"], [])
        self.assertEqual(mine.unlinked_ids([])["ids"], [])

    def test_a_record_that_one_cannot_read_is_refused(self):
        lead = self.add_lead("Not yours", self.jonas)
        ids = self.ids(self.stranger())
        with self.assertRaises(AccessError):
            self.inbox().link_to(ids, "crm.lead", lead.id)
        with self.assertRaises(AccessError):
            self.inbox().link_to(ids, "res.users", self.mira.id)
