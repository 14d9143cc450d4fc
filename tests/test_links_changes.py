"""How links follow the records: new ones, changed addresses, removals, deletions."""

from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tests import tagged

from odoo.addons.base.tests.test_ir_cron import CronMixinCase

from ..easycrm_mail.models import easycrm_email_address_match
from .common import MailCase, raw_mail


@tagged("post_install", "-at_install")
class TestRecordsThatChange(MailCase, CronMixinCase):
    def test_a_record_created_later_gets_the_mail_that_is_here(self):
        first = self.receive(self.mailbox, sender="new@buyer.example", subject="1")
        second = self.send(
            self.mailbox, "x@far.example, New@Buyer.example", subject="2"
        )
        contact = self.env["res.partner"].create(
            {"name": "New", "email": "New <new@buyer.example>"}
        )
        deal = self.add_lead("Deal", self.mira, "new@buyer.example")
        self.follow_addresses()
        for email in (first, second):
            self.assertLinked(email, [contact, deal])
        self.assertTimeline(contact, ["2", "1"])
        self.assertTimeline(deal, ["2", "1"])

    def test_a_changed_address_gains_its_mail_and_loses_that_of_the_old_one(self):
        old = self.receive(self.mailbox, sender="bruno@beck.example")
        new = self.receive(self.mailbox, sender="bruno@new.example")
        both = self.receive(
            self.mailbox, sender="bruno@beck.example", cc="bruno@new.example"
        )
        self.assertLinked(old, [self.bruno])
        self.assertLinked(new, [])
        self.bruno.email = "bruno@new.example"
        self.follow_addresses()
        self.assertLinked(old, [])
        self.assertLinked(new, [self.bruno])
        self.assertLinked(both, [self.bruno])
        self.assertEqual(both.link_ids.role, "cc")
        self.assertEqual(both.link_ids.address, "bruno@new.example")

    def test_an_address_added_to_the_field_takes_nothing_away(self):
        old = self.receive(self.mailbox, sender="bruno@beck.example")
        new = self.receive(self.mailbox, sender="bruno@new.example")
        self.bruno.email = "bruno@beck.example, bruno@new.example"
        self.follow_addresses()
        self.assertLinked(old, [self.bruno])
        self.assertLinked(new, [self.bruno])

    def test_links_made_by_hand_outlive_an_address(self):
        email = self.receive(self.mailbox, sender="bruno@beck.example")
        email.link_ids.origin = "manual"
        self.bruno.email = "bruno@new.example"
        self.follow_addresses()
        self.assertLinked(email, [self.bruno])

    def test_a_contacts_new_address_changes_its_leads_links(self):
        deal = self.add_lead("Deal", self.mira, partner_id=self.bruno.id)
        self.assertEqual(deal.email_from, "bruno@beck.example")
        old = self.receive(self.mailbox, sender="bruno@beck.example")
        new = self.receive(self.mailbox, sender="bruno@new.example")
        self.assertLinked(old, [self.bruno, deal])
        self.bruno.email = "bruno@new.example"
        self.follow_addresses()
        self.assertEqual(deal.email_from, "bruno@new.example")
        self.assertLinked(old, [])
        self.assertLinked(new, [self.bruno, deal])

    def test_an_unarchived_record_gets_the_mail_it_missed(self):
        deal = self.add_lead("Deal", self.mira, "bruno@beck.example")
        deal.action_set_lost()
        self.bruno.active = False
        self.follow_addresses()
        email = self.receive(self.mailbox, sender="bruno@beck.example")
        self.assertLinked(email, [])
        self.bruno.active = True
        self.follow_addresses()
        self.assertLinked(email, [self.bruno])
        deal.action_unarchive()
        self.follow_addresses()
        self.assertLinked(email, [self.bruno, deal])

    def test_a_record_shared_with_all_companies_gets_their_mail(self):
        self.bruno.company_id = self.company_b
        self.follow_addresses()
        email = self.receive(self.mailbox, sender="bruno@beck.example")
        self.assertLinked(email, [])
        self.bruno.company_id = False
        self.follow_addresses()
        self.assertLinked(email, [self.bruno])

    def test_a_salesmans_change_reaches_mail_that_he_may_not_read(self):
        email = self.receive(self.mailbox, sender="new@buyer.example")
        self.assertVisible(self.jonas, email, None)
        self.as_user(self.env["res.partner"], self.jonas).create(
            {"name": "New", "email": "new@buyer.example"}
        )
        self.follow_addresses()
        self.assertVisible(self.jonas, email, "everything")

    def test_the_mail_of_many_is_left_to_the_cron(self):
        emails = self.deliver(
            self.mailbox,
            *(raw_mail(sender="new@buyer.example") for _number in range(6)),
        )
        cron = self.env.ref("easycrm_mail.ir_cron_email_backfill")
        with patch.object(easycrm_email_address_match, "MATCHED_AT_ONCE", 5):
            contact = self.env["res.partner"].create(
                {"name": "New", "email": "new@buyer.example"}
            )
            with self.capture_triggers(cron.id) as captured:
                self.follow_addresses()
        self.assertEqual(len(captured.records), 1)
        for email in emails:
            self.assertLinked(email, [])
        # until then nothing is found twice or out of turn
        late = self.receive(self.mailbox, sender="new@buyer.example")
        self.assertLinked(late, [contact])
        pending = [("look_again_at", "!=", False)]
        Address = self.env["easycrm.email.address"]
        Address.search(pending).look_again_at = fields.Datetime.now()
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
        for email in emails | late:
            self.assertLinked(email, [contact])
        self.assertFalse(self.env["easycrm.email.address"].search(pending))

    def test_up_to_that_many_are_placed_at_once(self):
        emails = self.deliver(
            self.mailbox,
            *(raw_mail(sender="new@buyer.example") for _number in range(5)),
        )
        with patch.object(easycrm_email_address_match, "MATCHED_AT_ONCE", 5):
            contact = self.env["res.partner"].create(
                {"name": "New", "email": "new@buyer.example"}
            )
            self.follow_addresses()
        for email in emails:
            self.assertLinked(email, [contact])

    def test_mail_that_was_being_stored_meanwhile_is_found_a_minute_later(self):
        contact = self.env["res.partner"].create(
            {"name": "New", "email": "new@buyer.example"}
        )
        self.follow_addresses()
        # a batch that does not see the address, as one in a transaction of its own
        address = self.env["easycrm.email.address"].search(
            [("address", "=", "new@buyer.example")]
        )
        address.address = "unseen@buyer.example"
        [email] = self.deliver(self.mailbox, raw_mail(sender="new@buyer.example"))
        address.address = "new@buyer.example"
        self.assertLinked(email, [])
        self.assertGreater(address.look_again_at, fields.Datetime.now())
        address.look_again_at = fields.Datetime.now()
        self.env["easycrm.email.address"]._match_due()
        self.assertLinked(email, [contact])

    def test_the_cron_takes_addresses_by_the_mails_they_stand_in(self):
        for number in range(3):
            self.receive(self.mailbox, sender=f"c{number % 2}@buyer.example")
        contacts = self.env["res.partner"].create(
            [{"name": f"C{n}", "email": f"c{n}@buyer.example"} for n in range(2)]
        )
        Address = self.env["easycrm.email.address"]
        with patch.object(easycrm_email_address_match, "MATCHED_AT_ONCE", 0):
            self.follow_addresses()
        pending = Domain("look_again_at", "!=", False)
        Address.search(pending).look_again_at = fields.Datetime.now()
        colleague = Domain("partner_id", "=", self.mira.partner_id.id)
        Address.search(colleague).look_again_at = fields.Datetime.now()
        with patch.object(easycrm_email_address_match, "MATCHED_BY_CRON", 2):
            self.assertTrue(Address._match_due(), "there is more")
            # (a colleague's address finds nothing, whatever it stands in)
            self.assertFalse(Address.search(colleague & pending))
            self.assertEqual(len(contacts.easycrm_email_link_ids), 2)
            self.assertFalse(Address._match_due())
        self.assertEqual(len(contacts.easycrm_email_link_ids), 3)
        self.assertFalse(Address.search(pending))

    def test_the_limit_is_500(self):
        self.assertEqual(easycrm_email_address_match.MATCHED_AT_ONCE, 500)


@tagged("post_install", "-at_install")
class TestTombstones(MailCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.raw = raw_mail(cc="bruno@beck.example")
        [cls.email] = cls.deliver(cls.mailbox, cls.raw)
        cls.on_anna = cls.email.link_ids.filtered(
            lambda link: link.partner_id == cls.anna
        )

    def take_off(self):
        self.as_user(self.on_anna, self.mira).action_take_off()

    def test_a_link_taken_off_never_comes_back_by_itself(self):
        self.take_off()
        self.assertLinked(self.email, [self.bruno])
        # the same mail in another folder, and in another mailbox
        self.deliver(self.mailbox, self.raw, stream="Archive")
        self.deliver(self.jonas_mailbox, self.raw)
        self.assertLinked(self.email, [self.bruno])
        # the contact's address goes and comes again
        self.anna.email = "anna@new.example"
        self.follow_addresses()
        self.anna.email = "anna@acme.example"
        self.follow_addresses()
        self.anna.active = True
        self.follow_addresses()
        self.assertLinked(self.email, [self.bruno])
        self.assertTimeline(self.anna, [])

    def test_the_last_link_taken_off_makes_it_unlinked(self):
        self.take_off()
        on_bruno = self.email.link_ids - self.on_anna
        self.as_user(on_bruno, self.mira).action_take_off()
        self.assertLinked(self.email, [])
        self.assertTrue(self.copy_in(self.mailbox, self.email).is_unlinked)

    def test_it_is_put_back(self):
        self.take_off()
        self.as_user(self.on_anna, self.mira).action_put_back()
        self.assertLinked(self.email, [self.anna, self.bruno])
        self.assertTimeline(self.anna, ["Hello"])

    def test_other_mail_of_the_same_address_is_not_concerned(self):
        self.take_off()
        self.assertLinked(self.receive(self.mailbox), [self.anna])


@tagged("post_install", "-at_install")
class TestDeletedRecords(MailCase):
    def test_a_deleted_contact_frees_its_emails(self):
        alone = self.receive(self.mailbox, sender="bruno@beck.example")
        shared = self.receive(
            self.mailbox, sender="bruno@beck.example", cc=self.anna.email
        )
        self.bruno.unlink()
        self.assertLinked(alone, [])
        self.assertLinked(shared, [self.anna])
        self.assertTrue(self.copy_in(self.mailbox, alone).is_unlinked)
        self.assertFalse(self.copy_in(self.mailbox, shared).is_unlinked)
        self.assertVisible(self.mira, alone, "everything")
        self.assertVisible(self.jonas, alone, None)

    def test_a_deleted_lead_frees_its_emails(self):
        deal = self.add_lead("Deal", self.mira, "new@buyer.example")
        email = self.receive(self.mailbox, sender="new@buyer.example")
        deal.unlink()
        self.assertLinked(email, [])
        addresses = self.env["easycrm.email.address"]
        self.assertFalse(addresses.search([("address", "=", "new@buyer.example")]))

    def test_who_may_not_delete_a_record_frees_nothing(self):
        deal = self.add_lead("Deal", self.mira, "new@buyer.example")
        email = self.receive(self.mailbox, sender="new@buyer.example")
        with self.assertRaises(AccessError):
            self.as_user(deal, self.jonas).unlink()
        self.assertLinked(email, [deal])

    def test_a_contact_of_a_user_with_mail_is_deleted_by_a_salesman(self):
        email = self.receive(self.mailbox, sender="bruno@beck.example")
        manager = self.add_user(
            "paula", "sales_team.group_sale_salesman,base.group_partner_manager"
        )
        self.as_user(self.bruno, manager).unlink()
        self.assertLinked(email, [])


@tagged("post_install", "-at_install")
class TestConversion(MailCase):
    def test_a_converted_lead_keeps_its_timeline(self):
        lead = self.add_lead("Lead", self.mira, "new@buyer.example", type="lead")
        email = self.receive(self.mailbox, sender="new@buyer.example", subject="First")
        self.assertLinked(email, [lead])
        lead.convert_opportunity(self.env["res.partner"])
        self.follow_addresses()
        self.assertEqual(lead.type, "opportunity")
        self.assertTimeline(lead, ["First"])
        links = self.as_user(email, self.mira).link_ids
        self.assertEqual(links.reason, "from: new@buyer.example = opportunity Lead")

    def test_a_lead_converted_with_a_new_contact_gives_it_the_mail_too(self):
        lead = self.add_lead(
            "Lead", self.mira, "new@buyer.example", type="lead", contact_name="New"
        )
        email = self.receive(self.mailbox, sender="new@buyer.example", subject="First")
        convert = self.env["crm.lead2opportunity.partner"].with_context(
            active_model="crm.lead", active_id=lead.id, active_ids=lead.ids
        )
        convert.create({"name": "convert", "action": "create"}).action_apply()
        self.follow_addresses()
        self.assertTrue(lead.partner_id)
        self.assertLinked(email, [lead, lead.partner_id])
        self.assertTimeline(lead, ["First"])
        self.assertTimeline(lead.partner_id, ["First"])
