from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import MailCase


@tagged("post_install", "-at_install")
class TestUnlinked(MailCase):
    """The lists of Unlinked Emails, and what is done with them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Copy = cls.env["easycrm.email.copy"]

    def inbox(self, user=None):
        return self.as_user(self.Copy, user or self.mira)

    def ids(self, *emails, mailbox=None):
        return [self.copy_in(mailbox or self.mailbox, email).id for email in emails]

    def stranger(self, number=1, mailbox=None, **parts):
        parts.setdefault("sender", f"Tobias Wendt <tobias{number}@union.example>")
        return self.receive(mailbox or self.mailbox, **parts)

    def test_the_groups_say_who_wrote_how_much_the_newest_first(self):
        self.stranger(1, subject="Old")
        self.stranger(2, subject="Other")
        self.stranger(1, subject="New")
        groups = self.inbox().unlinked_groups([])
        self.assertEqual(groups["total"], 2)
        self.assertEqual(groups["mails"], 3)
        self.assertEqual(
            [
                (group["address"], group["name"], group["count"], group["subject"])
                for group in groups["groups"]
            ],
            [
                ("tobias1@union.example", "Tobias Wendt", 2, "New"),
                ("tobias2@union.example", "Tobias Wendt", 1, "Other"),
            ],
        )
        self.assertEqual(self.inbox().unlinked_count(), 3)
        second = self.inbox().unlinked_groups([], offset=1, limit=1)
        self.assertEqual(second["groups"], groups["groups"][1:])
        beyond = self.inbox().unlinked_groups([], offset=9)
        self.assertEqual((beyond["groups"], beyond["total"]), ([], 2))

    def test_pages_are_stable_while_new_mail_comes(self):
        for number in range(5):
            self.stranger(subject=f"Mail {number}")
        first = self.inbox().unlinked_page([], limit=2)
        self.stranger(subject="Just in")
        second = self.inbox().unlinked_page([], first["next"], limit=2)
        third = self.inbox().unlinked_page([], second["next"], limit=2)
        subjects = [
            row["subject"] for page in (first, second, third) for row in page["rows"]
        ]
        self.assertEqual(subjects, ["Mail 4", "Mail 3", "Mail 2", "Mail 1", "Mail 0"])
        self.assertIsNone(third["next"])

    def test_a_row_says_who_and_what(self):
        email = self.stranger(
            subject="Chairs", text="Forty please.", cc="Uli <uli@union.example>"
        )
        [row] = self.inbox().unlinked_page([])["rows"]
        self.assertEqual(row["id"], self.ids(email)[0])
        self.assertEqual(row["email_id"], email.id)
        self.assertEqual(row["from_name"], "Tobias Wendt")
        self.assertEqual(row["people"], "Tobias Wendt, +1")
        self.assertEqual(row["snippet"], "Forty please.")
        self.assertEqual(row["mailbox"], self.mailbox.name)
        self.assertEqual(row["direction"], "inbound")

    def test_the_search_bar_and_the_sender_narrow_it(self):
        self.stranger(1, subject="Chairs")
        self.stranger(2, subject="Tables")
        domain = [("subject", "ilike", "chair")]
        inbox = self.inbox()
        self.assertEqual(inbox.unlinked_groups(domain)["mails"], 1)
        self.assertEqual(len(inbox.unlinked_page(domain)["rows"]), 1)
        found = inbox.unlinked_ids([], address="tobias2@union.example")
        self.assertEqual((len(found["ids"]), found["total"]), (1, 1))

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
