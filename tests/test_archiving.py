"""Archived contacts and lost leads: what stands stays, what was missed comes later."""

from odoo.tests import tagged

from .common import MailCase, raw_mail


@tagged("post_install", "-at_install")
class TestArchiving(MailCase):
    def add_contacts(self, number, at):
        contacts = self.env["res.partner"].create(
            [
                {"name": f"C{i}", "email": f"c{i}@{at}.example"}
                for i in range(1, number + 1)
            ]
        )
        self.follow_addresses()
        return contacts

    def add_leads(self, number, at):
        leads = self.env["crm.lead"].create(
            [
                {
                    "name": f"C{i}",
                    "email_from": f"c{i}@{at}.example",
                    "user_id": self.mira.id,
                }
                for i in range(1, number + 1)
            ]
        )
        self.follow_addresses()
        return leads

    def receive_from_each(self, number, at):
        return self.deliver(
            self.mailbox,
            *(raw_mail(sender=f"c{i}@{at}.example") for i in range(1, number + 1)),
        )

    def archive(self, records):
        if records._name == "crm.lead":
            records.action_set_lost()
        else:
            records.action_archive()
        self.follow_addresses()

    def restore(self, records):
        records.action_unarchive()
        self.follow_addresses()

    def test_links_stay_nothing_new_comes_and_what_was_missed_comes_later(self):
        for add in (self.add_contacts, self.add_leads):
            at = add.__name__.replace("_", "")
            with self.subTest(at):
                records = add(3, at)
                before = self.receive_from_each(3, at)
                self.archive(records)
                meanwhile = self.receive_from_each(3, at)
                for record, old, new in zip(records, before, meanwhile, strict=True):
                    self.assertLinked(old, [record])
                    self.assertLinked(new, [])
                    self.assertTimeline(record, ["Hello"])
                self.restore(records)
                for record, old, new in zip(records, before, meanwhile, strict=True):
                    self.assertLinked(old, [record])
                    self.assertLinked(new, [record])
                    self.assertTimeline(record, ["Hello", "Hello"])

    def test_an_address_entered_while_archived_finds_nothing_until_restored(self):
        deal = self.add_lead("Deal", self.mira)
        email = self.receive(self.mailbox, sender="new@buyer.example")
        self.archive(self.bruno)
        self.archive(deal)
        self.bruno.email = deal.email_from = "new@buyer.example"
        self.follow_addresses()
        self.assertLinked(email, [])
        self.restore(self.bruno)
        self.restore(deal)
        self.assertLinked(email, [self.bruno, deal])

    def test_an_address_that_leaves_while_archived_takes_its_links_along(self):
        email = self.receive(self.mailbox, sender="bruno@beck.example")
        self.archive(self.bruno)
        self.bruno.email = "bruno@new.example"
        self.follow_addresses()
        self.assertLinked(email, [])

    def test_what_was_taken_off_stays_off(self):
        email = self.receive(self.mailbox, sender="bruno@beck.example")
        self.as_user(email.link_ids, self.mira).action_take_off()
        self.archive(self.bruno)
        self.restore(self.bruno)
        self.assertLinked(email, [])
        self.assertTrue(email.link_ids.removed)

    def test_a_lost_lead_that_is_won_after_all_gets_what_it_missed(self):
        deal = self.add_lead("Deal", self.mira, "new@buyer.example")
        self.archive(deal)
        email = self.receive(self.mailbox, sender="new@buyer.example")
        self.assertLinked(email, [])
        deal.stage_id = self.env["crm.stage"].search([("is_won", "=", True)], limit=1)
        self.follow_addresses()
        self.assertTrue(deal.active)
        self.assertLinked(email, [deal])

    def test_a_lost_lead_moved_back_on_the_board_gets_what_it_missed(self):
        deal = self.add_lead("Deal", self.mira, "new@buyer.example")
        self.archive(deal)
        email = self.receive(self.mailbox, sender="new@buyer.example")
        self.as_user(deal, self.mira).write({"active": True, "probability": 10})
        self.follow_addresses()
        self.assertLinked(email, [deal])

    def test_many_take_as_many_queries_as_a_few(self):
        for add in (self.add_contacts, self.add_leads):
            counts = []
            for number in (2, 2, 60):  # the first one looks up what a process knows
                at = f"{add.__name__.replace('_', '')}{number}{len(counts)}"
                records = add(number, at)
                self.archive(records)
                emails = self.receive_from_each(number, at)
                records.active = True  # core's own part of it aside
                self.env["easycrm.email.address"].search([]).look_again_at = False
                self.env.flush_all()
                before = self.cr.sql_log_count
                records._easycrm_follow_addresses()
                counts.append(self.cr.sql_log_count - before)
                for record, email in zip(records, emails, strict=True):
                    self.assertLinked(email, [record])
            with self.subTest(add.__name__):
                self.assertEqual(counts[1], counts[2])

    def test_many_changed_addresses_take_as_many_queries_as_a_few(self):
        for add in (self.add_contacts, self.add_leads):
            counts = []
            for number in (2, 2, 60):
                at = f"{add.__name__.replace('_', '')}{number}{len(counts)}"
                records = add(number, at)
                emails = self.receive_from_each(number, at)
                for record in records:
                    record[record._primary_email] = f"new{record.id}@{at}.example"
                self.env["easycrm.email.address"].search([]).look_again_at = False
                self.env.flush_all()
                before = self.cr.sql_log_count
                records._easycrm_follow_addresses()
                counts.append(self.cr.sql_log_count - before)
                for email in emails:
                    self.assertLinked(email, [])
            with self.subTest(add.__name__):
                self.assertEqual(counts[1], counts[2])
