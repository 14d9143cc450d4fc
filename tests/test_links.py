"""Which records an email finds by itself, and why."""

from odoo.tests import tagged
from odoo.tools import email_normalize

from ..easycrm_mail.models.addresses import normalise
from .common import MailCase, raw_mail


@tagged("post_install", "-at_install")
class TestMatching(MailCase):
    def reasons(self, email):
        return {
            (link.partner_id or link.lead_id): (link.role, link.address)
            for link in email.link_ids
        }

    def test_addresses_are_compared_normalised_and_whole(self):
        for sender in (
            "anna@acme.example",
            "Anna Berg <ANNA@Acme.Example>",
            '"Berg, Anna (ACME)" <anna@acme.example>',
            "=?utf-8?q?Anna_B=C3=A9rg?= <Anna@ACME.EXAMPLE>",
        ):
            with self.subTest(sender=sender):
                email = self.receive(self.mailbox, sender=sender)
                self.assertLinked(email, [self.anna])
        for sender in (
            "hanna@acme.example",
            "anna@acme.example.org",
            "anna@acme",
            "anna+crm@acme.example",
            '"anna@acme.example" <stranger@far.example>',
        ):
            with self.subTest(sender=sender):
                email = self.receive(self.mailbox, sender=sender)
                self.assertLinked(email, [])

    def test_the_short_way_to_normalise_gives_what_odoo_gives(self):
        for address in (
            *("A.b+c_d-E@Sub.Example-x.COM", "a@b", "a..b@x.de", "_@x.de", "-a@-x.de"),
            *("a@x.de.", "1@2.3", "a@x..de", "o'hara@x.de", "a@192.0.2.1", "a b@x.de"),
            *("Grüße@X.de", "ÄÖ@x.de", "a@[192.0.2.1]", f"{'a' * 400}@x.de"),
        ):
            with self.subTest(address=address):
                self.assertEqual(normalise(address), email_normalize(address))

    def test_every_address_of_an_email_field_finds(self):
        self.bruno.email = "Office <office@beck.example>, Bruno <Bruno@Beck.example>"
        self.follow_addresses()
        for sender in ("office@beck.example", "bruno@beck.example"):
            email = self.receive(self.mailbox, sender=sender)
            self.assertLinked(email, [self.bruno])

    def test_a_field_with_several_addresses(self):
        for text in (
            "bruno@beck.example, office@beck.example",
            "bruno@beck.example; office@beck.example",
            "bruno@beck.example office@beck.example",
            "  BRUNO@beck.example ,, Office@Beck.example  ",
            "Bruno <bruno@beck.example>; office@beck.example",
            '"Beck, Bruno" <bruno@beck.example>, Office <office@beck.example>',
            "bruno@beck.example, office@beck.example, Bruno@Beck.example, broken",
        ):
            deal = self.add_lead("Deal", self.mira, text)
            self.bruno.email = text
            self.follow_addresses()
            for sender in ("bruno@beck.example", "office@beck.example"):
                with self.subTest(text=text, sender=sender):
                    email = self.receive(self.mailbox, sender=sender)
                    self.assertLinked(email, [self.bruno, deal])
            deal.unlink()

    def test_removing_one_takes_off_just_its_automatic_links(self):
        text = "bruno@beck.example, office@beck.example"
        deal = self.add_lead("Deal", self.mira, text)
        self.bruno.email = text
        self.follow_addresses()
        first = self.receive(self.mailbox, sender="bruno@beck.example")
        second = self.receive(self.mailbox, sender="office@beck.example")
        both = self.receive(
            self.mailbox, sender="bruno@beck.example", cc="office@beck.example"
        )
        placed = self.receive(self.mailbox, sender="bruno@beck.example")
        placed.link_ids.origin = "manual"
        removed = self.receive(self.mailbox, sender="bruno@beck.example")
        self.as_user(removed.link_ids, self.mira).action_take_off()
        deal.email_from = self.bruno.email = "office@beck.example"
        self.follow_addresses()
        self.assertLinked(first, [])
        for email in (second, both, placed):
            self.assertLinked(email, [self.bruno, deal])
        self.assertEqual(set(both.link_ids.mapped("role")), {"cc"})
        self.assertLinked(removed, [])
        # what was taken off stays off when the address is entered again
        self.bruno.email = text
        self.follow_addresses()
        self.assertLinked(first, [self.bruno])
        self.assertLinked(removed, [])

    def test_several_addresses_of_a_contact_come_to_its_leads(self):
        deal = self.add_lead("Deal", self.mira, partner_id=self.bruno.id)
        self.bruno.email = "bruno@beck.example, office@beck.example"
        self.follow_addresses()
        email = self.receive(self.mailbox, sender="office@beck.example")
        self.assertLinked(email, [self.bruno, deal])
        self.bruno.email = "bruno@beck.example"
        self.follow_addresses()
        self.assertLinked(email, [])
        # and a lead's address, entered on the lead, comes to its contact
        deal.email_from = "bruno@beck.example, office@beck.example"
        self.follow_addresses()
        self.assertLinked(email, [self.bruno, deal])

    def test_an_international_domain_is_the_same_in_both_spellings(self):
        typed = ["Anna <anna@Bücher.example>", "anna@xn--bcher-kva.example"]
        decomposed = "anna@bu\u0308cher.example"
        for text in [*typed, decomposed]:
            self.bruno.email = text
            self.follow_addresses()
            for sender in typed:
                with self.subTest(text=text, sender=sender):
                    email = self.receive(self.mailbox, sender=sender)
                    self.assertLinked(email, [self.bruno])
        # what only looks like such a spelling is not another domain
        self.bruno.email = "anna@acme.example"
        self.follow_addresses()
        email = self.receive(self.mailbox, sender="anna@xn--acme-.example")
        self.assertLinked(email, [])

    def test_every_role_finds(self):
        for role, parts in {
            "from": {"sender": "anna@acme.example", "to": "x@far.example"},
            "to": {"to": "x@far.example, anna@acme.example"},
            "cc": {"to": "x@far.example", "cc": "y@far.example, anna@acme.example"},
            "bcc": {"to": "x@far.example", "bcc": "anna@acme.example"},
        }.items():
            with self.subTest(role=role):
                parts = {"sender": self.mailbox.email, **parts}
                email = self.deliver(self.mailbox, raw_mail(**parts))
                self.assertLinked(email, [self.anna])
                self.assertEqual(email.link_ids.role, role)

    def test_reply_to_and_names_find_nothing(self):
        email = self.receive(
            self.mailbox,
            sender="list@far.example",
            headers=[
                ("Reply-To", "anna@acme.example"),
                ("Sender", "bruno@beck.example"),
            ],
        )
        self.assertLinked(email, [])

    def test_the_strongest_role_is_the_reason(self):
        for role, parts in {
            "from": {"sender": "anna@acme.example", "cc": "anna@acme.example"},
            "to": {
                "sender": "x@far.example",
                "to": "anna@acme.example",
                "cc": "anna@acme.example",
            },
            "cc": {"sender": "mira@ours.example", "to": "x@far.example"}
            | {"cc": "anna@acme.example", "bcc": "anna@acme.example"},
        }.items():
            email = self.deliver(self.mailbox, raw_mail(**parts))
            self.assertEqual(self.reasons(email)[self.anna], (role, self.anna.email))

    def test_a_link_says_why_in_one_sentence(self):
        lead = self.add_lead("Old machine", self.mira, "cc@far.example", type="lead")
        deal = self.add_lead("New machine", self.mira, "cc@far.example")
        email = self.receive(self.mailbox, cc="Somebody <cc@far.example>")
        links = self.as_user(email, self.mira).link_ids
        self.assertEqual(
            {(link.partner_id or link.lead_id).id: link.reason for link in links},
            {
                self.anna.id: "from: anna@acme.example = contact Anna Berg",
                lead.id: "cc: cc@far.example = lead Old machine",
                deal.id: "cc: cc@far.example = opportunity New machine",
            },
        )
        self.assertEqual(set(links.mapped("origin")), {"auto"})

    def test_all_contacts_leads_and_opportunities_with_the_address_get_it(self):
        twin = self.env["res.partner"].create(
            {"name": "Twin", "email": "anna@acme.example"}
        )
        records = [
            twin,
            self.anna,
            self.add_lead("Lead", self.mira, "anna@acme.example", type="lead"),
            self.add_lead("Deal", self.mira, "anna@acme.example"),
            self.add_lead("Other", self.jonas, "x@far.example, Anna@acme.example"),
        ]
        self.assertLinked(self.receive(self.mailbox), records)

    def test_one_mail_to_two_contacts_is_one_email_on_both(self):
        email = self.send(self.mailbox, "anna@acme.example, bruno@beck.example")
        self.assertEqual(len(email), 1)
        self.assertLinked(email, [self.anna, self.bruno])

    def test_archived_contacts_and_lost_leads_get_nothing_new(self):
        deal = self.add_lead("Deal", self.mira, "anna@acme.example")
        before = self.receive(self.mailbox)
        self.bruno.email = self.anna.email
        self.bruno.active = False
        deal.action_set_lost()
        self.anna.with_context(active_test=False).user_ids.active = False
        self.anna.action_archive()
        self.follow_addresses()
        after = self.receive(self.mailbox)
        self.assertLinked(before, [self.anna, deal])
        self.assertLinked(after, [])

    def test_a_won_opportunity_goes_on(self):
        deal = self.add_lead("Deal", self.mira, "anna@acme.example")
        deal.action_set_won()
        self.assertLinked(self.receive(self.mailbox), [self.anna, deal])

    def test_a_mailbox_links_within_its_companys_sight(self):
        theirs = self.env["res.partner"].create(
            {"name": "B", "email": "anna@acme.example", "company_id": self.company_b.id}
        )
        ours = self.env["res.partner"].create(
            {"name": "A", "email": "anna@acme.example", "company_id": self.company_a.id}
        )
        email = self.receive(self.mailbox)
        self.assertLinked(email, [self.anna, ours])
        email = self.receive(self.connect(self.bea))
        self.assertLinked(email, [self.anna, theirs])

    def test_a_lead_of_another_company_gets_nothing(self):
        deal = self.add_lead("Deal", self.bea, "new@buyer.example")
        deal.company_id = self.company_b
        email = self.receive(self.mailbox, sender="new@buyer.example")
        self.assertLinked(email, [])


@tagged("post_install", "-at_install")
class TestOurselves(MailCase):
    """The addresses of our own people and mailboxes match nothing."""

    def add_contact(self, email):
        contact = self.env["res.partner"].create({"name": "Contact", "email": email})
        self.follow_addresses()
        return contact

    def match_colleagues(self):
        self.env["ir.config_parameter"].set_param("easycrm_mail.match_colleagues", "1")

    def test_mail_among_colleagues_is_on_no_record(self):
        self.add_contact("jonas@ours.example")
        self.add_lead("Deal", self.mira, "jonas@ours.example")
        email = self.send(self.mailbox, "jonas@ours.example")
        self.assertLinked(email, [])

    def test_a_mail_with_a_colleague_in_cc_is_on_the_customer_alone(self):
        email = self.send(self.mailbox, cc="jonas@ours.example, ingrid@ours.example")
        self.assertLinked(email, [self.anna])

    def test_a_connected_mailbox_matches_nothing_though_no_user_has_its_address(self):
        self.connect(self.mira, "sales@ours.example", alias_emails="info@ours.example")
        for address in ("sales@ours.example", "info@ours.example"):
            self.add_contact(address)
            email = self.receive(self.mailbox, sender=address)
            self.assertLinked(email, [])

    def test_a_mailbox_that_never_worked_claims_no_address(self):
        # or anybody could cut a customer off by entering their address
        self.connect(self.jonas, "bruno@beck.example", last_sync=False)
        email = self.receive(self.mailbox, sender="bruno@beck.example")
        self.assertLinked(email, [self.bruno])

    def test_a_mailboxs_own_addresses_match_nothing_from_its_first_mail_on(self):
        contact = self.add_contact("sales@ours.example")
        for switch in (False, True):
            if switch:
                self.match_colleagues()
            mailbox = self.connect(
                self.mira,
                f"sales{switch}@ours.example",
                alias_emails="sales@ours.example",
                last_sync=False,
            )
            with self.subTest(match_colleagues=switch):
                email = self.receive(mailbox, to="sales@ours.example")
                self.assertNotIn(contact, email.link_ids.partner_id)
                self.assertLinked(email, [self.anna])

    def test_portal_users_are_customers(self):
        self.assertEqual(self.portal.partner_id, self.anna)
        self.assertLinked(self.receive(self.mailbox), [self.anna])

    def test_mail_of_a_colleague_who_left_does_not_come_to_light(self):
        contact = self.ingrid.partner_id
        email = self.receive(self.mailbox, sender="ingrid@ours.example")
        self.ingrid.active = False
        contact.active = True
        self.follow_addresses()
        self.assertLinked(email, [])
        customer = contact.create({"name": "Ingrid", "email": "ingrid@home.example"})
        self.follow_addresses()
        email = self.receive(self.mailbox, sender="ingrid@home.example")
        self.assertLinked(email, [customer])

    def test_by_a_switch_colleagues_match_but_not_the_holder(self):
        self.match_colleagues()
        email = self.send(self.mailbox, "jonas@ours.example, anna@acme.example")
        self.assertLinked(email, [self.anna, self.jonas.partner_id])
        email = self.receive(self.mailbox, cc="ingrid@ours.example")
        self.assertLinked(email, [self.anna, self.ingrid.partner_id])
