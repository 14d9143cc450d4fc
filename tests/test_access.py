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
