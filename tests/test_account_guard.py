from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import START, MailCase, raw_mail


@tagged("post_install", "-at_install")
class TestAccountGuard(MailCase):
    """What record rules cannot say of a mailbox: nobody takes another's mail."""

    def test_a_manager_cannot_let_himself_into_a_mailbox(self):
        self.receive(self.mailbox)
        mailbox = self.as_user(self.mailbox, self.sofia)
        with self.assertRaises(AccessError):
            mailbox.member_ids = self.sofia
        with self.assertRaises(UserError):
            mailbox.user_id = self.sofia
        self.assertFalse(
            self.env["easycrm.email.copy"].with_user(self.sofia).search_count([])
        )

    def test_its_owner_shares_it_with_a_team(self):
        self.receive(self.mailbox)
        self.as_user(self.mailbox, self.mira).member_ids = self.jonas
        self.assertTrue(
            self.env["easycrm.email.copy"].with_user(self.jonas).search_count([])
        )

    def test_a_mailbox_that_is_being_read_cannot_become_another(self):
        self.mailbox.last_sync = False
        self.receive(self.mailbox)
        with self.assertRaises(UserError):
            self.as_user(self.mailbox, self.mira).email = "other@ours.example"

    def test_nobody_takes_a_customers_address_for_his_own(self):
        Account = self.env["easycrm.email.account"].with_user(self.jonas)
        with self.assertRaises(UserError):
            Account.create({"email": "Anna@acme.example", "imap_host": "127.0.0.1"})
        Account.create({"email": "jonas2@ours.example", "imap_host": "127.0.0.1"})

    def test_nobody_takes_a_leads_or_a_colleagues_address_either(self):
        self.add_lead("Deal", self.mira, "prospect@far.example")
        self.mailbox.alias_emails = "sales@ours.example"
        self.env.cr.flush()
        Account = self.env["easycrm.email.account"].with_user(self.jonas)
        for address in (
            "prospect@far.example",
            "sales@ours.example",
            self.leonie.email,
        ):
            with self.assertRaises(UserError):
                Account.create({"email": address, "imap_host": "127.0.0.1"})

    def test_a_mailbox_that_changes_hands_forgets_its_password(self):
        account = self.env["easycrm.email.account"].create(
            {
                "email": "new@ours.example",
                "user_id": self.mira.id,
                "imap_host": "127.0.0.1",
                "imap_password": "secret",
            }
        )
        account.with_user(self.sofia).user_id = self.sofia
        self.assertFalse(account.has_password)

    def test_no_screen_offers_a_second_one_of_the_same_mailbox(self):
        Account = self.env["easycrm.email.account"]
        views = self.env["ir.ui.view"].search(
            [("model", "=", Account._name), ("type", "in", ["form", "list"])]
        )
        shown = views.filtered(lambda v: not v.inherit_id or v.mode == "primary")
        self.assertGreaterEqual(len(shown), 4)
        for view in shown:
            arch = etree.fromstring(Account.get_view(view.id, view.type)["arch"])
            self.assertEqual(arch.get("duplicate"), "0", view.name)

    def test_only_its_owner_shares_more_of_a_mailbox(self):
        self.mailbox.share_level = "metadata"
        with self.assertRaises(AccessError):
            self.as_user(self.mailbox, self.sofia).share_level = "everything"
        self.as_user(self.mailbox, self.mira).share_level = "subject"

    def test_a_forged_copy_opens_nothing_that_it_does_not_hold(self):
        """Same Message-ID, sender, date, subject and text: another email."""
        self.mailbox.share_level = "metadata"
        values = {
            "message_id": "<scan@acme.example>",
            "subject": "Scan",
            "text": "See attached.",
            "date": START,
        }
        [secret] = self.deliver(
            self.mailbox,
            raw_mail(
                **values,
                html="<p>The secret</p>",
                attachments=[("contract.pdf", "application/pdf", b"%PDF-")],
            ),
        )
        [forged] = self.deliver(self.jonas_mailbox, raw_mail(**values))
        self.assertNotEqual(forged, secret)
        self.assertFalse(self.as_user(secret, self.jonas).body_html)
        with self.assertRaises(AccessError):
            self.as_user(secret, self.jonas).read(["digest"])

    def test_the_stream_of_a_folder_is_not_chosen_by_hand(self):
        folder = self.env["easycrm.email.folder"].create(
            {"account_id": self.mailbox.id, "stream": "Own", "name": "Own"}
        )
        mine = self.as_user(folder, self.mira)
        mine.selected = True
        for values in ({"stream": "Drafts"}, {"settled": True}, {"checkpoint": "x"}):
            with self.assertRaises(AccessError):
                mine.write(values)

    def test_typing_an_address_moves_no_mail(self):
        self.receive(self.mailbox, sender="typed@far.example")
        with Form(self.bruno) as form:
            form.email = "typed@far.example"
            self.env.cr.flush()
            found = self.env["easycrm.email.address"].search(
                [("address", "=", "typed@far.example")]
            )
            self.assertFalse(found, "it is not saved yet")
            form.email = "bruno@beck.example"

    def test_a_lead_that_moves_to_the_company_gets_its_mail(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "Deal",
                "email_from": "deal@far.example",
                "company_id": self.company_b.id,
            }
        )
        self.env.cr.flush()
        [email] = self.deliver(self.mailbox, raw_mail(sender="deal@far.example"))
        self.assertFalse(email.is_linked)
        team = self.env["crm.team"].create(
            {"name": "Team A", "company_id": self.company_a.id}
        )
        lead.write({"user_id": False, "team_id": team.id})
        self.env.cr.flush()
        self.assertEqual(lead.company_id, self.company_a)
        self.assertEqual(email.link_ids.lead_id, lead)

    def test_a_contact_that_moves_takes_its_mail_to_the_new_company(self):
        [email] = self.deliver(self.mailbox, raw_mail(sender="bruno@beck.example"))
        company = self.env["res.partner"].create({"name": "New", "is_company": True})
        self.bruno.parent_id = company
        self.env.cr.flush()
        self.assertEqual(company.easycrm_email_count, 1)
        self.assertEqual(email.link_ids.commercial_partner_id, company)

    def test_the_count_is_right_in_the_very_save(self):
        self.receive(self.mailbox, sender="fresh@far.example")
        contact = self.env["res.partner"].create({"name": "Fresh"})
        [values] = contact.web_save(
            {"email": "fresh@far.example"}, {"easycrm_email_count": {}}
        )
        self.assertEqual(values["easycrm_email_count"], 1)

    def test_many_contacts_are_counted_in_as_many_queries_as_one(self):
        partners = self.env["res.partner"].search([], limit=12)

        def count(records):
            self.env.invalidate_all()
            records.mapped("easycrm_email_count")  # rules and groups are cached
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            records.mapped("easycrm_email_count")
            return self.cr.sql_log_count - before

        self.assertLessEqual(count(partners), count(partners[0] | partners[1]) + 1)

    def test_a_manager_lets_himself_into_no_mailbox_that_he_adds_for_others(self):
        Account = self.as_user(self.env["easycrm.email.account"], self.sofia)
        fresh = {"email": "mira2@ours.example"}
        team = {"member_ids": [Command.link(self.sofia.id)]}
        with self.assertRaises(AccessError):
            Account.create({**fresh, **team, "user_id": self.mira.id})
        with self.assertRaises(AccessError):
            Account.with_context(default_member_ids=team["member_ids"]).create(
                {**fresh, "user_id": self.mira.id}
            )
        mailbox = Account.create({**fresh, **team})
        with self.assertRaises(AccessError):
            mailbox.write({**team, "user_id": self.mira.id})

    def test_a_mailbox_that_changes_hands_forgets_its_team(self):
        Account = self.as_user(self.env["easycrm.email.account"], self.sofia)
        mailbox = Account.create(
            {
                "email": "mira2@ours.example",
                "member_ids": [Command.link(self.jonas.id)],
            }
        )
        mailbox.user_id = self.sofia
        self.assertEqual(mailbox.member_ids, self.jonas, "it is hers as it was")
        mailbox.user_id = self.mira
        self.assertFalse(mailbox.member_ids)
        self.assertNotIn(
            mailbox.id, self.as_user(Account, self.jonas)._get_own_account_ids()
        )
