"""Merged contacts and leads: every email once, and what was done by hand wins."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from .merge_case import MergeCase


@tagged("post_install", "-at_install")
class TestMergedContacts(MergeCase):
    def test_mail_of_both_is_on_the_one_that_stays_once(self):
        other = self.env["res.partner"].create(
            {"name": "B. Beck", "email": "private@beck.example"}
        )
        self.cr.flush()
        shared = self.receive(
            self.mailbox, sender="bruno@beck.example", cc="private@beck.example"
        )
        only = self.receive(self.mailbox, sender="private@beck.example")
        self.assertEqual(len(shared.link_ids), 3)
        self.merge(self.bruno, self.twin, other)
        link = self.assertOnce(shared, self.bruno, "auto")
        self.assertEqual(link.role, "from")
        link = self.assertOnce(only, self.bruno, "auto")
        self.assertEqual(link.commercial_partner_id, self.bruno)
        self.assertEqual(self.bruno.easycrm_email_count, 2)

    def test_by_a_salesman_too(self):
        email = self.receive(self.jonas_mailbox, sender="bruno@beck.example")
        hidden = self.receive(self.jonas_mailbox, sender="bruno@beck.example")
        self.make_private(hidden)
        self.assertVisible(self.paula, hidden, None)
        self.merge(self.bruno, self.twin, user=self.paula)
        self.assertOnce(email, self.bruno, "auto")
        # also what the salesman may not see himself
        self.assertOnce(hidden, self.bruno, "auto")
        self.assertVisible(self.paula, hidden, None)
        self.assertVisible(self.jonas, hidden, "everything")

    def test_a_salesman_cannot_merge_different_addresses(self):
        self.twin.email = "other@beck.example"
        email = self.receive(self.mailbox, sender="other@beck.example")
        with self.assertRaises(UserError):
            self.merge(self.bruno, self.twin, user=self.paula)
        self.assertOnce(email, self.twin, "auto")

    def test_by_hand_beats_by_itself_whichever_stays(self):
        for into, other in (("bruno", "twin"), ("twin", "bruno")):
            with self.subTest(into=into), self.cr.savepoint() as savepoint:
                placed = self.receive(self.mailbox, sender="bruno@beck.example")
                self.place(placed, self.twin)
                removed = self.receive(self.mailbox, sender="bruno@beck.example")
                self.take_off(removed, self.twin)
                self.assertLinked(removed, [self.bruno])
                record = getattr(self, into)
                self.merge(record, getattr(self, other))
                self.assertOnce(placed, record, "manual")
                self.assertOnce(removed, record, "auto", removed=True)
                # it does not come back, and who took it off may put it back
                record.email = "bruno@new.example, bruno@beck.example"
                self.follow_addresses()
                self.assertOnce(removed, record, "auto", removed=True)
                link = self.link_on(removed, record)
                self.as_user(link, self.mira).action_put_back()
                self.assertOnce(removed, record, "auto")
                savepoint.rollback()
                self.env.invalidate_all()

    def test_what_one_placed_stays_where_another_took_it_off(self):
        email = self.receive(self.mailbox, sender="bruno@beck.example")
        self.place(email, self.bruno)
        self.take_off(email, self.twin)
        self.merge(self.bruno, self.twin)
        self.assertOnce(email, self.bruno, "manual")

    def test_placed_and_taken_off_again_is_off(self):
        email = self.receive(self.mailbox, sender="bruno@beck.example")
        self.place(email, self.twin)
        self.take_off(email, self.twin)
        self.merge(self.bruno, self.twin)
        self.assertOnce(email, self.bruno, "manual", removed=True)

    def test_the_reason_that_all_may_see_stays(self):
        self.bruno.email = "boss@beck.example"
        self.follow_addresses()
        email = self.send(
            self.mailbox, to="bruno@beck.example", bcc="boss@beck.example"
        )
        self.assertEqual(self.link_on(email, self.bruno).role, "bcc")
        self.merge(self.bruno, self.twin)
        self.assertEqual(self.assertOnce(email, self.bruno, "auto").role, "to")
        self.assertVisible(self.jonas, email, "everything")

    def test_the_address_of_the_one_that_goes_finds_mail_for_the_other(self):
        self.twin.email = "office@beck.example"
        self.follow_addresses()
        self.merge(self.bruno, self.twin)
        email = self.receive(self.mailbox, sender="office@beck.example")
        self.assertOnce(email, self.bruno, "auto")
        addresses = self.env["easycrm.email.address"].search(
            [("partner_id", "=", self.bruno.id)]
        )
        self.assertEqual(
            {(row.address, row.source) for row in addresses},
            {("bruno@beck.example", "field"), ("office@beck.example", "extra")},
        )
        # it outlives a change of the Email field
        self.bruno.email = "new@beck.example"
        self.follow_addresses()
        email = self.receive(self.mailbox, sender="office@beck.example")
        self.assertOnce(email, self.bruno, "auto")
        # but once entered there, it goes when it is removed from there
        self.bruno.email = "new@beck.example, office@beck.example"
        self.follow_addresses()
        self.assertOnce(email, self.bruno, "auto")
        self.bruno.email = "new@beck.example"
        self.follow_addresses()
        self.assertLinked(email, [])

    def test_an_address_that_moves_into_the_email_field_is_no_further_one(self):
        self.bruno.email = False
        self.follow_addresses()
        email = self.receive(self.mailbox, sender="bruno@beck.example")
        self.merge(self.bruno, self.twin)
        self.assertEqual(self.bruno.email, "bruno@beck.example")
        self.assertOnce(email, self.bruno, "auto")
        self.bruno.email = "bruno@new.example"
        self.follow_addresses()
        self.assertLinked(email, [])

    def test_mail_that_an_archived_contact_missed_comes_to_the_other(self):
        self.twin.write({"email": "office@beck.example", "active": False})
        self.follow_addresses()
        email = self.receive(self.mailbox, sender="office@beck.example")
        self.assertLinked(email, [])
        self.merge(self.bruno, self.twin)
        self.assertOnce(email, self.bruno, "auto")

    def test_merging_in_the_transaction_that_has_made_them(self):
        email = self.receive(self.mailbox, sender="late@beck.example")
        late = self.env["res.partner"].create(
            {"name": "Late", "email": "late@beck.example"}
        )
        self.merge(self.bruno, late)
        self.assertOnce(email, self.bruno, "auto")

    def test_people_of_a_merged_company_come_along(self):
        labs = self.env["res.partner"].create({"name": "ACME Inc", "is_company": True})
        email = self.receive(self.mailbox)
        self.assertTimeline(self.acme, ["Hello"])
        self.merge(labs, self.acme)
        self.assertEqual(self.anna.parent_id, labs)
        link = self.assertOnce(email, self.anna, "auto")
        self.assertEqual(link.commercial_partner_id, labs)
        self.assertTimeline(labs, ["Hello"])

    def test_a_contact_merged_into_one_of_a_company_is_on_the_companys_timeline(self):
        other = self.env["res.partner"].create(
            {"name": "Anna B.", "email": "anna@private.example"}
        )
        self.cr.flush()
        email = self.receive(self.mailbox, sender="anna@private.example")
        self.merge(self.anna, other)
        link = self.assertOnce(email, self.anna, "auto")
        self.assertEqual(link.commercial_partner_id, self.acme)
        self.assertTimeline(self.acme, ["Hello"])

    def test_other_contacts_keep_their_links(self):
        email = self.receive(
            self.mailbox, sender="bruno@beck.example", cc="anna@acme.example"
        )
        self.merge(self.bruno, self.twin)
        self.assertLinked(email, [self.bruno, self.anna])


@tagged("post_install", "-at_install")
class TestMergedLeads(MergeCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deal = cls.add_lead("Deal", cls.mira, "new@buyer.example")
        cls.lead = cls.add_lead("Lead", cls.mira, "new@buyer.example", type="lead")

    def test_mail_of_both_is_on_the_one_that_stays_once(self):
        other = self.add_lead("Old", self.mira, "old@buyer.example", type="lead")
        shared = self.receive(
            self.mailbox, sender="old@buyer.example", cc="new@buyer.example"
        )
        only = self.receive(self.mailbox, sender="old@buyer.example")
        self.merge(self.deal, self.lead, other, user=self.mira)
        self.assertOnce(shared, self.deal, "auto")
        self.assertOnce(only, self.deal, "auto")
        late = self.receive(self.mailbox, sender="old@buyer.example")
        self.assertOnce(late, self.deal, "auto")
        self.assertEqual(self.deal.email_from, "new@buyer.example")
        self.assertEqual(
            self.deal._easycrm_get_addresses(),
            ["new@buyer.example", "old@buyer.example"],
        )

    def test_by_hand_beats_by_itself(self):
        removed = self.receive(self.mailbox, sender="new@buyer.example")
        self.take_off(removed, self.lead)
        placed = self.receive(self.mailbox, sender="new@buyer.example")
        self.place(placed, self.lead)
        alone = self.receive(self.mailbox, sender="far@away.example")
        self.place(alone, self.lead)
        self.merge(self.deal, self.lead, user=self.mira)
        self.assertOnce(removed, self.deal, "auto", removed=True)
        self.assertOnce(placed, self.deal, "manual")
        self.assertOnce(alone, self.deal, "manual")

    def test_nothing_is_lost_where_core_deletes_the_others_later(self):
        # as the team's assignment of leads does
        email = self.receive(self.mailbox, sender="new@buyer.example")
        alone = self.receive(self.mailbox, sender="far@away.example")
        self.place(alone, self.lead)
        leads = self.deal | self.lead
        leads._merge_opportunity(auto_unlink=False, max_length=0)
        self.follow_addresses()
        self.lead.unlink()
        self.follow_addresses()
        self.assertOnce(email, self.deal, "auto")
        self.assertOnce(alone, self.deal, "manual")

    def test_a_lead_converted_into_an_opportunity_that_is_there_is_merged(self):
        self.lead.user_id = self.deal.user_id = self.mira
        email = self.receive(self.mailbox, sender="new@buyer.example")
        alone = self.receive(self.mailbox, sender="far@away.example")
        self.place(alone, self.lead)
        convert = (
            self.env["crm.lead2opportunity.partner"]
            .with_user(self.mira)
            .with_context(
                active_model="crm.lead",
                active_id=self.lead.id,
                active_ids=self.lead.ids,
            )
            .create({"name": "merge", "action": "create"})
        )
        self.assertIn(self.deal, convert.duplicated_lead_ids)
        convert.duplicated_lead_ids = self.lead | self.deal
        convert.action_apply()
        self.follow_addresses()
        self.assertFalse(self.lead.exists())
        self.assertOnce(email, self.deal, "auto")
        self.assertOnce(alone, self.deal, "manual")

    def test_merging_a_contact_keeps_its_leads_mail(self):
        deal = self.add_lead("Bruno's", self.mira, partner_id=self.twin.id)
        email = self.receive(self.mailbox, sender="bruno@beck.example")
        self.assertLinked(email, [self.bruno, self.twin, deal])
        self.merge(self.bruno, self.twin)
        self.assertEqual(deal.partner_id, self.bruno)
        self.assertLinked(email, [self.bruno, deal])
