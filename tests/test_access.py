"""Who may read which email: the situations. The roads to it: test_access_roads."""

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import START, MailCase, raw_mail

NAMES = {"display_name": {}, "subject": {}}


@tagged("post_install", "-at_install")
class TestWhoReads(MailCase):
    def test_mail_of_a_contact_is_read_by_every_salesman_of_the_company(self):
        email = self.receive(self.mailbox)
        for user in (self.mira, self.jonas, self.leonie, self.sofia):
            self.assertVisible(user, email, "everything")
        for user in (self.ingrid, self.portal, self.public):
            with self.assertRaises(AccessError):
                self.as_user(email, user).search([])
        self.assertVisible(self.bea, email, None)

    def test_mail_on_a_lead_follows_the_leads_own_rules(self):
        deal = self.add_lead("Deal", self.mira, "new@buyer.example")
        email = self.receive(self.mailbox, sender="new@buyer.example")
        self.assertLinked(email, [deal])
        self.assertVisible(self.jonas, email, None)
        self.assertVisible(self.leonie, email, "everything")
        deal.user_id = self.jonas
        self.assertVisible(self.jonas, email, "everything")

    def test_mail_on_a_hidden_lead_is_read_by_its_contact(self):
        deal = self.add_lead("Deal", self.mira, "anna@acme.example")
        email = self.receive(self.mailbox, subject="Both")
        self.assertLinked(email, [deal, self.anna])
        self.assertVisible(self.jonas, email, "everything")
        links = self.as_user(email, self.jonas).link_ids
        self.assertEqual(links.partner_id, self.anna)
        self.assertFalse(links.lead_id)
        self.assertTimeline(self.anna, ["Both"], self.jonas)
        with self.assertRaises(AccessError):
            self.as_user(deal, self.jonas).easycrm_timeline()

    def test_a_record_lists_the_links_that_one_may_see(self):
        deal = self.add_lead("Deal", self.mira, "anna@acme.example")
        shown, hidden = (self.receive(self.mailbox) for _number in range(2))
        self.make_private(hidden)
        for record in (self.anna, deal):
            links = self.as_user(record, self.mira).easycrm_email_link_ids
            self.assertEqual(links.email_id, shown | hidden)
        links = self.as_user(self.anna, self.jonas).easycrm_email_link_ids
        self.assertEqual(links.email_id, shown)
        self.mailbox.share_level = "metadata"
        [values] = self.as_user(self.anna, self.jonas).web_read(
            {"easycrm_email_link_ids": {"fields": {"email_id": {"fields": NAMES}}}}
        )
        [link] = values["easycrm_email_link_ids"]
        self.assertEqual(
            link["email_id"], {"id": shown.id, "display_name": "", "subject": False}
        )
        for user in (self.ingrid, self.portal):
            with self.assertRaises(AccessError):
                self.as_user(self.anna, user).read(["easycrm_email_link_ids"])
        with self.assertRaises(AccessError):
            self.as_user(deal, self.jonas).read(["easycrm_email_link_ids"])

    def test_the_manager_reads_no_unlinked_mail_of_others(self):
        email = self.receive(self.mailbox, sender="doctor@private.example")
        for user in (self.sofia, self.admin):
            self.assertVisible(user, email, None)
            self.assertFalse(
                self.as_user(self.env["easycrm.email.copy"], user).search([])
            )
            location = self.env["easycrm.email.location"]
            self.assertFalse(self.as_user(location, user).search([]))
            accounts = self.as_user(self.mailbox, user).search([])
            self.assertEqual(accounts, self.mailbox | self.jonas_mailbox)

    def test_the_most_permissive_mailbox_decides(self):
        raw = raw_mail(to="mira@ours.example, jonas@ours.example")
        email = self.deliver(self.mailbox, raw)
        self.mailbox.share_level = "metadata"
        self.assertVisible(self.leonie, email, "metadata")
        self.assertVisible(self.jonas, email, "metadata")
        self.deliver(self.jonas_mailbox, raw)
        self.assertEqual(len(email.copy_ids), 2)
        self.assertVisible(self.leonie, email, "everything")
        self.jonas_mailbox.share_level = "subject"
        self.assertVisible(self.leonie, email, "subject")
        # both hold it
        self.assertVisible(self.mira, email, "everything")
        self.assertVisible(self.jonas, email, "everything")

    def test_a_copy_is_seen_by_its_mailbox_alone(self):
        raw = raw_mail(to="mira@ours.example, jonas@ours.example")
        email = self.deliver(self.mailbox, raw)
        self.deliver(self.jonas_mailbox, raw)
        for user, mailbox in (
            (self.mira, self.mailbox),
            (self.jonas, self.jonas_mailbox),
            (self.leonie, self.env["easycrm.email.account"]),
        ):
            copies = self.as_user(email, user).copy_ids
            self.assertEqual(copies.account_id, mailbox)
            found = self.as_user(self.env["easycrm.email.copy"], user).search([])
            self.assertEqual(found, copies)
            self.assertEqual(found.location_ids.account_id, mailbox)

    def test_a_forged_message_id_gives_no_access_to_the_original(self):
        secret = self.receive(
            self.mailbox,
            sender="doctor@private.example",
            subject="Results",
            text="Private.",
            message_id="<known@private.example>",
        )
        forgery = self.receive(
            self.jonas_mailbox,
            sender="doctor@private.example",
            subject="Results",
            text="Guessed.",
            message_id="<known@private.example>",
            references=["<known@private.example>"],
        )
        self.assertNotEqual(secret, forgery)
        self.assertEqual(secret.copy_ids.account_id, self.mailbox)
        self.assertVisible(self.jonas, secret, None)
        self.assertVisible(self.jonas, forgery, "everything")
        self.assertVisible(self.mira, forgery, None)

    def test_whoever_knows_but_a_part_of_a_mail_gets_no_access_to_the_rest(self):
        parts = {
            "sender": "doctor@private.example",
            "subject": "Results",
            "text": "See the file.",
            "html": "<p>See the file: red.</p>",
            "message_id": "<known@private.example>",
            "date": START,
        }
        file = ("results.pdf", "application/pdf", b"%PDF secret")
        secret = self.receive(self.mailbox, attachments=[file], **parts)
        for forged in (
            {},
            {"attachments": [(*file[:2], b"%PDF guessed")]},
            {"attachments": [file], "html": "<p>See the file: blue.</p>"},
            {"attachments": [file], "html": None},
            {"attachments": [file], "text": "See it."},
            {"attachments": [file], "subject": "Result"},
            {"attachments": [file], "sender": "nurse@private.example"},
        ):
            with self.subTest(forged=list(forged)):
                forgery = self.receive(self.jonas_mailbox, **{**parts, **forged})
                self.assertNotEqual(forgery, secret)
                self.assertVisible(self.jonas, secret, None)

    def test_a_tombstone_leaves_the_other_records(self):
        deal = self.add_lead("Deal", self.jonas, "anna@acme.example")
        email = self.receive(self.mailbox)
        on_anna = email.link_ids.filtered("partner_id")
        self.as_user(on_anna, self.mira).action_take_off()
        self.assertVisible(self.jonas, email, "everything")
        self.assertTimeline(self.anna, [], self.jonas)
        self.assertTimeline(deal, ["Hello"], self.jonas)
        # not even that there is a tombstone
        links = self.as_user(self.env["easycrm.email.link"], self.jonas).search([])
        self.assertEqual(links.lead_id, deal)

    def test_a_private_conversation_hides_all_its_mail(self):
        first = self.receive(self.mailbox, message_id="<root@acme.example>")
        self.make_private(first)
        answer = self.send(self.mailbox, references=["<root@acme.example>"])
        self.assertEqual(answer.thread_id, first.thread_id)
        for email in (first, answer):
            self.assertVisible(self.jonas, email, None)
            self.assertVisible(self.mira, email, "everything")
        self.assertTimeline(self.anna, [], self.jonas)

    def test_a_mail_of_one_company_is_not_read_while_working_for_another(self):
        email = self.receive(self.mailbox)
        self.mira.company_ids |= self.company_b
        for companies, expected in (
            (self.company_a, 1),
            (self.company_b, 0),
            (self.company_a | self.company_b, 1),
        ):
            for model, number in (
                ("email", 1),
                ("email.content", 1),
                ("email.participant", 2),
                ("email.link", 1),
            ):
                mine = self.as_user(email.env[f"easycrm.{model}"], self.mira)
                mine = mine.with_context(allowed_company_ids=companies.ids)
                self.assertEqual(mine.search_count([]), number * expected)

    def test_the_same_mail_in_two_companies_is_two_emails(self):
        raw = raw_mail(to="mira@ours.example, bea@ours.example")
        ours = self.deliver(self.mailbox, raw)
        theirs = self.deliver(self.connect(self.bea), raw)
        self.assertNotEqual(ours, theirs)
        self.assertVisible(self.bea, ours, None)
        self.assertVisible(self.bea, theirs, "everything")
        self.assertVisible(self.mira, theirs, None)

    def test_nobody_changes_what_came_in(self):
        email = self.receive(self.mailbox, attachments=[("a.txt", "text/plain", b"x")])
        for records in (
            email,
            email.content_ids,
            email.participant_ids,
            email.attachment_line_ids,
            email.copy_ids,
            email.copy_ids.location_ids,
            email.link_ids,
            email.thread_id,
            self.anna.easycrm_email_link_ids,
        ):
            for user in (self.mira, self.sofia):
                mine = self.as_user(records, user)
                with self.subTest(model=records._name, user=user.login):
                    for change in (
                        lambda mine=mine: mine.write({"display_name": "x"}),
                        lambda mine=mine: mine.create({}),
                        mine.unlink,
                    ):
                        with mute_logger("odoo.addons.base.models.ir_rule"):
                            self.assertRaises(AccessError, change)


@tagged("post_install", "-at_install")
class TestBcc(MailCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.message_id = "<bcc@ours.example>"
        cls.parts = {
            "sender": "mira@ours.example",
            "to": "jonas@ours.example, stranger@far.example",
            "message_id": cls.message_id,
            "subject": "Offer",
            "date": None,
        }
        raw = raw_mail(bcc="bruno@beck.example", **cls.parts)
        [cls.email] = cls.deliver(cls.mailbox, raw, stream="Sent")
        # what a recipient gets has no such header
        received = raw.replace(b"Bcc: bruno@beck.example\n", b"")
        cls.deliver(cls.jonas_mailbox, received)

    def get_roles(self, user):
        return set(self.as_user(self.email, user).participant_ids.mapped("role"))

    def test_both_mailboxes_hold_the_one_email(self):
        self.assertEqual(
            self.email.copy_ids.account_id, self.mailbox | self.jonas_mailbox
        )
        self.assertLinked(self.email, [self.bruno])

    def test_who_sent_it_knows_who_is_in_bcc(self):
        self.assertEqual(self.get_roles(self.mira), {"from", "to", "bcc"})
        self.assertTimeline(self.bruno, ["Offer"], self.mira)
        [email] = self.read_timeline(self.bruno, self.mira)
        self.assertEqual([one["address"] for one in email["bcc"]], [self.bruno.email])

    def test_who_received_it_does_not(self):
        self.assertVisible(self.jonas, self.email, "everything")
        self.assertEqual(self.get_roles(self.jonas), {"from", "to"})
        self.assertFalse(self.as_user(self.email, self.jonas).link_ids)
        self.assertTimeline(self.bruno, [], self.jonas)
        self.assertEqual(self.as_user(self.bruno, self.jonas).easycrm_email_count, 0)

    def test_a_link_by_bcc_shows_the_email_to_nobody_else(self):
        self.assertVisible(self.leonie, self.email, None)
        self.assertVisible(self.sofia, self.email, None)

    def test_a_link_by_another_role_shows_it_without_those_in_bcc(self):
        self.env["easycrm.email.link"].create(
            {"email_id": self.email.id, "partner_id": self.anna.id}
        )
        self.assertVisible(self.leonie, self.email, "everything")
        self.assertEqual(self.get_roles(self.leonie), {"from", "to"})
        [email] = self.read_timeline(self.anna, self.leonie)
        self.assertEqual(email["bcc"], [])
        self.assertTimeline(self.bruno, [], self.leonie)

    def ask_who_is_in_bcc(self, user):
        """Return, by each road, whether it tells this user of Bruno in Bcc."""
        env = self.as_user(self.email, user).env
        email, bruno = self.email.with_env(env), self.bruno.with_env(env)
        people, links = env["easycrm.email.participant"], env["easycrm.email.link"]
        mine = [("email_id", "=", email.id)]

        def tells(value):
            return "bruno" in str(value).lower()

        def find(domain):
            return email in env["easycrm.email"].search(domain)

        return {
            "search": bool(people.search([*mine, ("role", "=", "bcc")])),
            "count": bool(people.search_count([*mine, ("role", "=", "bcc")])),
            "group": tells(people._read_group(mine, ["role", "address"])),
            "web group": tells(
                people.formatted_read_group(mine, ["address"], ["__count"])
            ),
            "export": tells(
                email.export_data(["participant_ids/address"])["datas"]
                + email.export_data(["participant_ids/name"])["datas"]
            ),
            "export of links": tells(email.export_data(["link_ids/reason"])["datas"]),
            "web read": tells(
                email.web_read({"participant_ids": {"fields": {"address": {}}}})
            ),
            "link": bool(links.search([*mine, ("partner_id", "=", bruno.id)])),
            "links by role": bool(links.search_count([*mine, ("role", "=", "bcc")])),
            "links by group": tells(
                [
                    (partner.display_name, count)
                    for partner, count in links._read_group(
                        mine, ["partner_id"], ["__count"]
                    )
                ]
            ),
            "by address": find([("participant_ids.address", "=", bruno.email)]),
            "by contact": find([("link_ids.partner_id", "=", bruno.id)]),
            "contacts by mail": bruno
            in bruno.search([("easycrm_email_link_ids.email_id", "=", email.id)]),
            "contact's links": bool(bruno.easycrm_email_link_ids),
            "contact's count": bool(bruno.easycrm_email_count),
            "timeline": bool(bruno.easycrm_timeline()["conversations"]),
            "values": tells(email.easycrm_values()),
            "why": tells(email.easycrm_why("res.partner", bruno.id)),
        }

    def test_no_road_tells_others_who_is_in_bcc(self):
        self.env["easycrm.email.link"].create(
            {"email_id": self.email.id, "partner_id": self.anna.id}
        )
        users = self.mira | self.jonas | self.leonie | self.sofia
        users.group_ids += self.env.ref("base.group_allow_export")
        told = self.ask_who_is_in_bcc(self.mira)
        self.assertEqual({road for road, tells in told.items() if not tells}, set())
        # who received it, and who sees it on another contact
        for user in (self.jonas, self.leonie, self.sofia, self.admin):
            with self.subTest(user=user.login):
                self.assertVisible(user, self.email, "everything")
                told = self.ask_who_is_in_bcc(user)
                self.assertEqual({road for road, tells in told.items() if tells}, set())

    def test_a_recipient_cannot_write_somebody_into_bcc(self):
        forged = raw_mail(bcc="anna@acme.example", **{**self.parts, "date": ""})
        plain = raw_mail(**{**self.parts, "date": ""})
        [email] = self.deliver(self.mailbox, plain, stream="Sent")
        self.assertEqual(self.deliver(self.jonas_mailbox, forged), email)
        self.assertNotIn("bcc", email.participant_ids.mapped("role"))
        self.assertLinked(email, [])

    def test_the_senders_copy_that_comes_later_tells_who_is_in_bcc(self):
        parts = {**self.parts, "date": "", "message_id": "<later@ours.example>"}
        [email] = self.deliver(self.jonas_mailbox, raw_mail(**parts))
        self.assertEqual(email.direction, "inbound")
        self.assertLinked(email, [])
        raw = raw_mail(bcc="bruno@beck.example", **parts)
        self.assertEqual(self.deliver(self.mailbox, raw, stream="Sent"), email)
        self.assertLinked(email, [self.bruno])
        self.assertEqual(email.link_ids.role, "bcc")
        self.deliver(self.mailbox, raw, stream="Sent")
        self.assertEqual(email.participant_ids.mapped("role").count("bcc"), 1)


@tagged("post_install", "-at_install")
class TestTakingOff(MailCase):
    def test_it_takes_the_right_to_change_the_record(self):
        deal = self.add_lead("Deal", self.mira, "anna@acme.example")
        email = self.receive(self.mailbox)
        on_deal = email.link_ids.filtered("lead_id")
        with self.assertRaises(AccessError):
            self.as_user(on_deal, self.jonas).action_take_off()
        self.as_user(on_deal, self.mira).action_take_off()
        self.assertTimeline(deal, [])

    def test_a_reader_without_a_record_of_it_takes_nothing_off(self):
        email = self.receive(self.mailbox)
        for user in (self.ingrid, self.portal, self.bea):
            with self.assertRaises(AccessError):
                self.as_user(email.link_ids, user).action_take_off()
        self.assertFalse(email.link_ids.removed)

    def test_only_who_took_it_off_puts_it_back(self):
        link = self.receive(self.mailbox).link_ids
        self.as_user(link, self.mira).action_take_off()
        for user in (self.jonas, self.sofia, self.ingrid, self.portal):
            with self.assertRaises(AccessError):
                self.as_user(link, user).action_put_back()
        self.as_user(link, self.mira).action_put_back()
        self.assertTimeline(self.anna, ["Hello"], self.jonas)

    def test_links_cannot_be_written_around_the_actions(self):
        link = self.receive(self.mailbox).link_ids
        for values in ({"removed": True}, {"partner_id": self.bruno.id}):
            with self.assertRaises(AccessError):
                self.as_user(link, self.mira).write(values)
        with self.assertRaises(AccessError):
            self.as_user(self.anna, self.sofia).write(
                {"easycrm_email_link_ids": [Command.delete(link.id)]}
            )
