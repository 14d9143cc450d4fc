"""A contact that is deleted for privacy takes addresses, links and, by choice, mail."""

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ..easycrm_mail.messages import parse
from ..easycrm_mail.models.ingest import Ingest, Read
from ..easycrm_mail.providers import RemoteMessage
from .common import MailCase, raw_mail


@tagged("post_install", "-at_install")
class TestErase(MailCase):
    """Bruno asks Sofia, who may delete contacts, to be forgotten."""

    BRUNO = "bruno@beck.example"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sofia.group_ids = [
            Command.link(cls.env.ref("base.group_partner_manager").id)
        ]
        cls.raws = [
            raw_mail(cls.BRUNO, subject="Only us"),
            raw_mail(cls.BRUNO, cc="jonas@ours.example", subject="A colleague"),
            raw_mail(cls.BRUNO, cc="anna@acme.example", subject="Two contacts"),
            raw_mail(cls.BRUNO, cc="somebody@far.example", subject="A stranger"),
        ]
        emails = cls.deliver(cls.mailbox, *cls.raws)
        cls.only, cls.colleague, cls.two, cls.stranger = emails
        cls.sent = cls.send(cls.mailbox, to=cls.BRUNO, subject="Answer")
        cls.annas = cls.receive(cls.mailbox, subject="Anna")

    def open(self, partners=None, user=None):
        partners = partners or self.bruno
        context = {"active_model": "res.partner", "active_ids": partners.ids}
        erase = self.as_user(self.env["easycrm.email.erase"], user or self.sofia)
        return Form(erase.with_context(**context))

    def erase(self, emails="delete", partners=None, user=None):
        window = self.open(partners, user)
        window.emails = emails
        action = window.save().action_erase()
        self.env.flush_all()
        return action

    def test_nobody_opens_the_window_of_another_administrator(self):
        window = self.open().save()
        self.assertTrue(window.has_access("write"))
        for operation in ("read", "write", "unlink"):
            self.assertFalse(self.as_user(window, self.admin).has_access(operation))

    def test_it_says_how_many_there_are_before(self):
        window = self.open()
        self.assertEqual((window.own_count, window.shared_count), (3, 2))
        self.assertIn("3 emails that you can read are with them", window.own_words)
        self.assertIn("2 are with others, too", window.shared_words)
        window = self.open(self.bruno | self.anna)
        self.assertEqual((window.own_count, window.shared_count), (5, 1))
        self.assertIn("One is with others, too", window.shared_words)

    def test_the_contact_goes_with_its_addresses_links_and_mail(self):
        self.as_user(self.stranger.link_ids, self.mira).action_take_off()
        index = self.env["easycrm.email.address"].search([("address", "=", self.BRUNO)])
        links = self.bruno.easycrm_email_link_ids
        self.assertTrue(index and links)
        action = self.erase()
        self.assertEqual(
            action["params"]["message"], "Deleted, with 3 emails that you could read."
        )
        for records in (self.bruno, index, links, self.only, self.colleague, self.sent):
            self.assertFalse(records.exists())
        self.assertLinked(self.two, [self.anna])
        self.assertLinked(self.stranger, [])
        self.assertTimeline(self.anna, ["Anna", "Two contacts"])

    def test_what_was_done_with_its_mail_names_it_no_more(self):
        copies = self.as_user(self.env["easycrm.email.copy"], self.mira)
        ids = self.copy_in(self.mailbox, self.annas).ids
        done = copies.link_to(ids, "res.partner", self.bruno.id)
        self.erase()
        step = self.env["easycrm.email.batch"].browse(done["batch"])
        self.assertFalse(step.sudo().record_name)
        [told] = self.as_user(self.annas, self.mira).easycrm_history()
        self.assertEqual(told["sentence"], "Linked to a record")
        self.assertEqual(copies.undo(done["batch"])["count"], 0)

    def write_mails(self, **values):
        """Return mails of Mira to Bruno alone, and to him and Anna."""
        people = [self.BRUNO.upper(), "anna@acme.example"]
        return self.env["easycrm.email.outgoing"].create(
            [
                {
                    "account_id": self.mailbox.id,
                    "user_id": self.mira.id,
                    "recipient_ids": [
                        Command.create({"address": address}) for address in to
                    ],
                    **values,
                }
                for to in (people[:1], people)
            ]
        )

    def test_what_is_written_to_it_leaves_no_more(self):
        queued = {"state": "queued", "scheduled_at": "2030-01-01 08:00:00"}
        found, kept = self.env["easycrm.email.outgoing"], []
        for values in ({}, queued, {"state": "refused"}, {"state": "sent"}):
            own, shared = self.write_mails(**values)
            found += own
            kept.append((shared, shared.state))
        found += found.create({"user_id": self.mira.id, "partner_id": self.bruno.id})
        found += self.write_mails(partner_id=self.bruno.commercial_partner_id.id)[0]
        found += self.write_mails()[0]
        found[-1].recipient_ids = [
            Command.create({"address": "Jonas <Jonas@ours.example>", "role": "cc"})
        ]
        # (another contact has the address, too)
        namesake = self.env["res.partner"].create({"name": "Bruno's shop"})
        kept.append((self.write_mails(partner_id=namesake.id)[0], "draft"))
        # (it may be out)
        kept.append((self.write_mails(state="sending")[0], "sending"))
        self.erase()
        self.assertFalse(found.exists())
        self.assertEqual([(mail, mail.state) for mail, _state in kept], kept)

    def test_what_is_written_to_it_stays_with_its_mail(self):
        mails = self.write_mails()
        self.erase("keep")
        self.assertEqual(mails.exists(), mails)

    def test_a_draft_that_is_left_in_a_mailbox_is_taken_away_all_the_same(self):
        self.mailbox.provider = "outlook"
        values = {
            "state": "refused",
            "message_id": "<1@ours.example>",
            "handed_at": "2026-03-02 08:00:00",
            "planned_in": self.env["easycrm.email.outgoing"]._get_database(),
            "subject": "For Bruno",
            "body": "Dear Bruno",
        }
        mail = self.env["easycrm.email.outgoing"].create(
            {
                "account_id": self.mailbox.id,
                "user_id": self.mira.id,
                "recipient_ids": [Command.create({"address": self.BRUNO})],
                **values,
            }
        )
        self.erase()
        self.assertTrue(mail.clear_at)
        self.assertFalse(mail.recipient_ids or mail.subject or mail.body)

    def test_what_was_deleted_does_not_come_back(self):
        self.erase()
        contact = self.env["res.partner"].create({"name": "B", "email": self.BRUNO})
        self.follow_addresses()
        contact.easycrm_email_link_ids.unlink()
        for mailbox in (self.mailbox, self.jonas_mailbox):
            found = self.deliver(mailbox, *self.raws[:2])
            self.assertFalse(found)
        self.assertEqual(
            self.deliver(self.mailbox, *self.raws[2:]), self.two | self.stranger
        )
        self.assertLinked(self.receive(self.mailbox, sender=self.BRUNO), [contact])

    def test_a_large_mail_that_was_deleted_does_not_come_back_by_its_header(self):
        raw = raw_mail(self.BRUNO)
        remote = RemoteMessage(
            ref="5:1", raw=raw, is_read=True, headers_only=True, size=30_000_000
        )
        for mailbox in (self.mailbox, self.jonas_mailbox):
            with self.subTest(mailbox.email):
                reads = [Read(remote, parse(raw))]
                if mailbox == self.mailbox:
                    [email_id] = Ingest(mailbox.sudo(), "INBOX").store(reads)
                    self.env["easycrm.email"].browse(email_id)._delete_for_good()
                self.assertFalse(Ingest(mailbox.sudo(), "INBOX").store(reads))

    def test_it_says_what_becomes_of_unlinked_emails(self):
        window = self.open()
        window.emails = "keep"
        self.assertFalse(window.keep_words)
        self.env["ir.config_parameter"].set_param("easycrm_mail.unlinked_days", "30")
        window = self.open()
        self.assertFalse(window.keep_words)
        window.emails = "keep"
        self.assertIn("after 30 days", window.keep_words)

    def test_kept_they_are_unlinked_emails_of_their_mailboxes(self):
        self.erase("keep")
        self.assertFalse(self.bruno.exists())
        emails = self.only | self.colleague | self.stranger | self.sent
        for email in emails:
            self.assertLinked(email, [])
        self.assertVisible(self.mira, self.only, "everything")
        self.assertVisible(self.sofia, self.only, None)
        self.assertEqual(self.deliver(self.mailbox, self.raws[0]), self.only)

    def test_mail_of_somebody_with_the_same_address_stays(self):
        twin = self.env["res.partner"].create({"name": "Twin", "email": self.BRUNO})
        self.follow_addresses()
        self.assertEqual(self.open().own_count, 0)
        self.erase()
        self.assertLinked(self.only, [twin])

    def test_a_contact_with_a_colleagues_address_takes_no_colleagues_mail_along(self):
        inside = self.receive(self.mailbox, sender="jonas@ours.example")
        for address in ("jonas@ours.example", self.mailbox.email):
            with self.subTest(address):
                twin = self.env["res.partner"].create({"name": "T", "email": address})
                self.follow_addresses()
                window = self.open(twin)
                self.assertEqual((window.own_count, window.can_block), (0, False))
                self.erase(partners=twin)
                self.assertFalse(twin.exists())
                self.assertTrue(inside.exists())

    def test_what_was_put_on_it_by_hand_is_not_its_own(self):
        inside = self.receive(self.mailbox, sender="jonas@ours.example")
        self.env["easycrm.email.link"].create(
            {"email_id": inside.id, "partner_id": self.bruno.id}
        )
        self.assertEqual(self.open().shared_count, 3)
        self.erase()
        self.assertLinked(inside, [])

    def test_mail_that_stands_on_an_opportunity_is_deleted_too(self):
        deal = self.add_lead("Deal", self.mira, self.BRUNO)
        self.follow_addresses()
        self.assertLinked(self.only, [self.bruno, deal])
        self.erase()
        self.assertFalse(self.only.exists())
        self.assertTrue(deal.exists())

    def test_mail_that_was_put_on_anothers_opportunity_by_hand_stays(self):
        deal = self.add_lead("Deal", self.mira, "anna@acme.example")
        deal.partner_id = self.anna
        self.follow_addresses()
        self.env["easycrm.email.link"].create(
            {"email_id": self.only.id, "lead_id": deal.id}
        )
        self.assertEqual(self.open().own_count, 2)
        self.erase()
        self.assertLinked(self.only, [deal])

    def test_mail_of_another_company_is_not_touched(self):
        branch = self.connect(self.bea)
        theirs = self.receive(branch, sender=self.BRUNO)
        self.assertLinked(theirs, [self.bruno])
        self.assertEqual(self.open().own_count, 3)
        self.erase()
        self.assertLinked(theirs, [])

    def test_what_they_write_in_future_is_not_read_where_that_is_wished(self):
        rule = self.env["easycrm.email.rule"].create(
            {"company_id": self.company_a.id, "pattern": "b2@beck.example"}
        )
        for _time in range(2):
            bruno = self.bruno.copy({"email": f"{self.BRUNO}, b2@beck.example"})
            self.follow_addresses()
            window = self.open(bruno)
            window.block = True
            window.save().action_erase()
            self.env.flush_all()
        rules = self.env["easycrm.email.rule"].search([("pattern", "=", self.BRUNO)])
        self.assertEqual(rules.company_id, self.company_a)
        self.assertEqual((len(rules), rules.enforced), (1, True))
        self.assertTrue(rule.enforced, "that nobody goes on reading")
        self.assertFalse(self.receive(self.mailbox, sender=self.BRUNO))

    def test_an_address_that_two_of_them_have_is_blocked_once(self):
        both = self.bruno | self.bruno.copy({"email": self.BRUNO})
        self.follow_addresses()
        window = self.open(both)
        window.block = True
        window.save().action_erase()
        rules = self.env["easycrm.email.rule"].search([("pattern", "=", self.BRUNO)])
        self.assertEqual(len(rules), 1)

    def test_a_contact_without_an_address_takes_no_mail_along(self):
        nobody = self.env["res.partner"].create({"name": "Nobody"})
        window = self.open(nobody)
        self.assertEqual((window.own_count, window.shared_count), (0, 0))
        self.erase(partners=nobody)
        self.assertFalse(nobody.exists())

    def test_an_archived_contact_can_be_deleted(self):
        self.bruno.active = False
        self.erase()
        self.assertFalse(self.bruno.exists() or self.only.exists())

    def test_the_contact_of_a_user_stays_and_so_does_all_of_its_mail(self):
        with self.assertRaises(UserError):
            self.erase(partners=self.bruno | self.jonas.partner_id)
        self.assertTrue(self.only.exists())

    def test_only_who_may_delete_contacts_and_manages_mail_does_it(self):
        for user in (self.mira, self.leonie, self.ingrid, self.portal):
            with self.assertRaises(AccessError):
                self.open(user=user)
        manager = self.add_user("manager", "easycrm_mail.group_easycrm_mail_manager")
        with self.assertRaises(AccessError):
            self.erase(user=manager)
        self.assertTrue(self.bruno.exists() and self.only.exists())

    def test_who_deletes_sees_nothing_of_the_mail(self):
        private = self.receive(self.mailbox, sender=self.BRUNO, subject="Private")
        self.make_private(private)
        shared = self.receive(
            self.mailbox, sender=self.BRUNO, cc="anna@acme.example", subject="Both"
        )
        self.make_private(shared)
        # nor that it is there: what is private goes, and is not counted
        window = self.open()
        self.assertEqual((window.own_count, window.shared_count), (3, 2))
        action = window.save().action_erase()
        self.assertIn("3 emails that you could read", action["params"]["message"])
        self.assertFalse(private.exists())
        fields = self.env["easycrm.email.erase"]._fields.values()
        self.assertFalse({f.comodel_name for f in fields} & {"easycrm.email"})

    def test_links_that_went_with_their_contact_may_be_deleted_again(self):
        """Privacy Lookup deletes the contact, then all that had pointed at it."""
        links = self.bruno.easycrm_email_link_ids
        self.bruno.unlink()
        self.env.invalidate_all()
        self.assertTrue(links.unlink())
        self.assertLinked(self.only, [])

    def test_deleting_a_contact_as_usual_frees_its_mail(self):
        self.as_user(self.bruno, self.sofia).unlink()
        self.assertLinked(self.only, [])
        self.assertLinked(self.two, [self.anna])
        self.assertFalse(
            self.env["easycrm.email.address"].search([("address", "=", self.BRUNO)])
        )
