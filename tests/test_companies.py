"""Several companies: mail of each stays within its sight."""

from odoo.tests import tagged

from .common import MailCase


@tagged("post_install", "-at_install")
class TestCompanies(MailCase):
    """Mira works for A, Bea for B, Lena for both."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lena = cls.add_user(
            "lena",
            "sales_team.group_sale_salesman_all_leads",
            company_ids=[(6, 0, (cls.company_a | cls.company_b).ids)],
        )
        cls.mailbox_b = cls.connect(cls.bea)

    def receive_both(self, sender):
        """Bring a mail of that sender into a mailbox of A and into one of B."""
        return (
            self.receive(self.mailbox, sender=sender, subject="To A"),
            self.receive(self.mailbox_b, sender=sender, subject="To B"),
        )

    def assertTimelines(self, record, mira, bea, lena):
        for user, subjects in ((self.mira, mira), (self.bea, bea), (self.lena, lena)):
            with self.subTest(user=user.login):
                self.assertTimeline(record, subjects, user)
                record_of_user = self.as_user(record, user)
                self.assertEqual(record_of_user.easycrm_email_count, len(subjects))

    def test_a_shared_contact_has_the_mail_of_both(self):
        to_a, to_b = self.receive_both("bruno@beck.example")
        self.assertLinked(to_a, [self.bruno])
        self.assertLinked(to_b, [self.bruno])
        self.assertTimelines(self.bruno, ["To A"], ["To B"], ["To B", "To A"])
        self.assertVisible(self.bea, to_a, None)
        self.assertVisible(self.mira, to_b, None)

    def test_who_works_for_both_sees_the_companies_that_are_chosen(self):
        self.receive_both("bruno@beck.example")
        for company, subject in ((self.company_a, "To A"), (self.company_b, "To B")):
            record = self.as_user(self.bruno, self.lena).with_context(
                allowed_company_ids=company.ids
            )
            [conversation] = record.easycrm_timeline()["conversations"]
            self.assertEqual(conversation["emails"][0]["subject"], subject)

    def test_a_contact_of_one_company_has_that_ones_mail(self):
        self.bruno.company_id = self.company_b
        self.follow_addresses()
        to_a, to_b = self.receive_both("bruno@beck.example")
        self.assertLinked(to_a, [])
        self.assertLinked(to_b, [self.bruno])
        self.assertTimeline(self.bruno, ["To B"], self.bea)
        self.assertTimeline(self.bruno, ["To B"], self.lena)

    def test_leads_have_the_mail_of_their_company(self):
        of_a, of_b, of_both = (
            self.add_lead("Deal", self.lena, "new@buyer.example", company_id=company.id)
            for company in (self.company_a, self.company_b, self.env["res.company"])
        )
        to_a, to_b = self.receive_both("new@buyer.example")
        self.assertLinked(to_a, [of_a, of_both])
        self.assertLinked(to_b, [of_b, of_both])
        self.assertTimeline(of_both, ["To B", "To A"], self.lena)

    def test_two_mailboxes_of_one_user_in_two_companies(self):
        in_b = self.connect(self.lena, "lena@b.example", company_id=self.company_b.id)
        in_a = self.connect(self.lena, "lena@a.example")
        to_a = self.receive(in_a, sender="bruno@beck.example", subject="To A")
        to_b = self.receive(in_b, sender="bruno@beck.example", subject="To B")
        self.assertEqual((to_a | to_b).company_id, self.company_a | self.company_b)
        self.assertTimelines(self.bruno, ["To A"], ["To B"], ["To B", "To A"])

    def test_a_mailbox_claims_its_address_in_its_own_company(self):
        contact = self.env["res.partner"].create(
            {"name": "Office", "email": "office@b.example"}
        )
        self.cr.flush()
        self.connect(self.bea, "office@b.example")
        to_a, to_b = self.receive_both("office@b.example")
        self.assertLinked(to_a, [contact])
        self.assertLinked(to_b, [])

    def test_a_record_that_comes_to_a_company_gets_its_mail(self):
        deal = self.add_lead(
            "Deal", self.lena, "bruno@beck.example", company_id=self.company_a.id
        )
        self.bruno.company_id = self.company_a
        self.follow_addresses()
        to_a, to_b = self.receive_both("bruno@beck.example")
        self.assertLinked(to_a, [self.bruno, deal])
        self.assertLinked(to_b, [])
        self.bruno.company_id = self.company_b
        deal.company_id = self.company_b
        self.follow_addresses()
        self.assertLinked(to_b, [self.bruno, deal])
        # what stands on it stays, for those who work for both
        self.assertLinked(to_a, [self.bruno, deal])
        self.assertTimeline(self.bruno, ["To B"], self.bea)
        self.assertTimeline(self.bruno, ["To B", "To A"], self.lena)
        self.assertTimeline(deal, ["To B", "To A"], self.lena)
        self.assertVisible(self.bea, to_a, None)
        # and nothing new of A's comes
        self.assertLinked(self.receive(self.mailbox, sender="bruno@beck.example"), [])

    def test_a_record_that_is_shared_gets_the_mail_of_all(self):
        deal = self.add_lead(
            "Deal", self.lena, "new@buyer.example", company_id=self.company_a.id
        )
        to_a, to_b = self.receive_both("new@buyer.example")
        self.assertLinked(to_b, [])
        deal.company_id = False
        self.follow_addresses()
        self.assertLinked(to_a, [deal])
        self.assertLinked(to_b, [deal])

    def test_people_follow_their_company_to_another_company(self):
        to_a, to_b = self.receive_both("anna@acme.example")
        self.portal.active = False
        self.acme.company_id = self.company_b
        self.follow_addresses()
        self.assertEqual(self.anna.company_id, self.company_b)
        to_a, to_b = self.receive_both("anna@acme.example")
        self.assertLinked(to_a, [])
        self.assertLinked(to_b, [self.anna])

    def test_merged_contacts_of_two_companies(self):
        self.bruno.company_id = self.company_a
        twin = self.env["res.partner"].create(
            {
                "name": "Twin",
                "email": "bruno@beck.example",
                "company_id": self.company_b.id,
            }
        )
        self.cr.flush()
        to_a, to_b = self.receive_both("bruno@beck.example")
        self.assertLinked(to_a, [self.bruno])
        self.assertLinked(to_b, [twin])
        twin._easycrm_absorb(self.bruno)
        self.follow_addresses()
        self.assertLinked(to_a, [twin])
        self.assertLinked(to_b, [twin])
        self.assertVisible(self.bea, to_a, None)

    def test_a_branch_has_the_mail_of_contacts_of_the_company_above(self):
        above, branch = self.company_a, self.add_branch()
        tom = self.add_user("tom", "sales_team.group_sale_salesman", company=branch)
        self.bruno.company_id = above
        self.follow_addresses()
        mailbox = self.connect(tom)
        email = self.receive(mailbox, sender="bruno@beck.example", subject="To branch")
        self.assertLinked(email, [self.bruno])
        self.assertTimeline(self.bruno, ["To branch"], tom)
        self.assertTimeline(self.bruno, [], self.mira)

    def test_what_is_placed_or_sent_in_a_branch_stands_on_a_shared_contact(self):
        tom = self.add_user(
            "tom", "sales_team.group_sale_salesman", company=self.add_branch()
        )
        self.acme.company_id = self.company_a
        mailbox = self.connect(tom)
        stranger = self.receive(mailbox, sender="zoe@nobody.example", subject="Place")
        copies = self.as_user(self.copy_in(mailbox, stranger), tom)
        copies.link_to(copies.ids, "res.partner", self.acme.id)
        self.assertLinked(stranger, [self.acme])
        sent = self.send(mailbox, to="max@nobody.example", subject="Sent")
        mail = self.env["easycrm.email.outgoing"].create(
            {
                "account_id": mailbox.id,
                "user_id": tom.id,
                "partner_id": self.acme.id,
                "state": "sending",
            }
        )
        mail._settle(sent)
        self.assertLinked(sent, [self.acme])
        self.assertTimeline(self.acme, ["Sent", "Place"], tom)

    def test_what_is_taught_in_a_branch_is_for_a_shared_contact_too(self):
        tom = self.add_user(
            "tom", "sales_team.group_sale_salesman", company=self.add_branch()
        )
        self.acme.company_id = self.company_a
        mailbox = self.connect(tom)
        parts = {"sender": "zoe@nobody.example", "message_id": "<zoe@nobody.example>"}
        first = self.receive(mailbox, **parts)
        answer = self.receive(
            mailbox, sender="max@other.example", references=[parts["message_id"]]
        )
        later = self.receive(mailbox, sender="kim@nobody.example")
        copies = self.as_user(self.copy_in(mailbox, first), tom)
        for scope, placed in (("thread", answer), ("domain", later)):
            with self.subTest(scope=scope):
                done = copies.link_to(copies.ids, "res.partner", self.acme.id)
                counts = {
                    option["scope"]: option["count"]
                    for option in done["question"]["options"]
                }
                self.assertEqual(counts[scope], 1)
                self.assertEqual(copies.teach(done["batch"], scope)["count"], 1)
                self.assertLinked(placed, [self.acme])
                copies.undo(done["batch"])

    def test_what_is_taught_is_not_for_the_mail_of_another_company(self):
        company = self.env["res.company"]
        lead = self.add_lead("Chairs", self.mira, company_id=self.company_a.id)
        self.bruno.company_id = self.company_a
        branch = self.add_branch()
        for record, sharing in (
            (self.bruno, self.company_a | branch),
            (lead, self.company_a),
            (self.anna, company),
        ):
            self.assertEqual(company._easycrm_get_sharing(record), sharing)

    def test_a_company_has_no_mail_of_contacts_of_its_branch(self):
        self.bruno.company_id = self.add_branch()
        self.follow_addresses()
        email = self.receive(self.mailbox, sender="bruno@beck.example")
        self.assertLinked(email, [])

    def add_branch(self):
        return self.env["res.company"].create(
            {"name": "Branch of A", "parent_id": self.company_a.id}
        )
