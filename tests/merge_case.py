"""Contacts and leads that are merged, for tests of what becomes of their mail."""

from .common import MailCase


class MergeCase(MailCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Odoo lets a salesman merge only contacts with the same email
        cls.paula = cls.add_user(
            "paula", "sales_team.group_sale_salesman,base.group_partner_manager"
        )
        cls.twin = cls.env["res.partner"].create(
            {"name": "Bruno B.", "email": "bruno@beck.example"}
        )
        cls.cr.flush()

    def merge(self, into, *others, user=None):
        """Merge contacts or leads, by the wizard or by the lead's own method."""
        records = self.as_user(into.union(*others), user or self.admin)
        if into._name == "crm.lead":
            head = records._sort_by_confidence_level(reverse=True)[0]
            self.assertEqual(head, into, "the test has to make this one the head")
            self.assertEqual(records.merge_opportunity(), into)
        else:
            wizard = (
                self.env["base.partner.merge.automatic.wizard"]
                .with_user(user or self.admin)
                .create(
                    {
                        "state": "selection",
                        "partner_ids": records.ids,
                        "dst_partner_id": into.id,
                    }
                )
            )
            wizard.action_merge()
        self.follow_addresses()
        for other in others:
            self.assertFalse(other.exists())

    def link_on(self, email, record):
        return email.link_ids.filtered(
            lambda link: (link.partner_id or link.lead_id) == record
        )

    def place(self, email, record):
        """Put an email on a record by hand."""
        owner = "partner_id" if record._name == "res.partner" else "lead_id"
        link = self.link_on(email, record)
        if link:
            link.origin = "manual"
        else:
            link = link.create({"email_id": email.id, owner: record.id})
        self.env.flush_all()
        return link

    def take_off(self, email, record, user=None):
        self.as_user(self.link_on(email, record), user or self.mira).action_take_off()

    def assertOnce(self, email, record, origin, removed=False):
        self.env.flush_all()
        self.env.invalidate_all()
        link = self.link_on(email, record)
        self.assertEqual(len(link), 1)
        self.assertEqual((link.origin, link.removed), (origin, removed))
        self.assertEqual(link, email.link_ids)
        self.assertEqual(email.is_linked, not removed)
        for copy in email.copy_ids:
            self.assertEqual(copy.is_unlinked, removed)
        return link
