"""The Send Email window shows, sends and suggests what its writer may see."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .compose_case import ComposeCase


@tagged("post_install", "-at_install")
class TestComposeAccess(ComposeCase):
    def test_a_window_is_its_writer_s_alone(self):
        window = self.open_for(self.anna)
        with self.assertRaises(AccessError):
            self.get_window(window, self.jonas).easycrm_save({"subject": "Mine"})
        with self.assertRaises(AccessError):
            self.get_window(window, self.sofia).read(["subject"])

    def test_a_colleague_s_draft_cannot_be_opened(self):
        window = self.open_for(self.anna)
        saved = self.get_window(window).easycrm_save({"subject": "Chairs"})
        with self.assertRaises(AccessError):
            self.open(self.jonas, easycrm_outgoing_id=saved["outgoing_id"])
        self.assertFalse(self.open_for(self.anna, self.jonas)["outgoing_id"])

    def test_a_colleague_s_record_cannot_be_written_from(self):
        with self.assertRaises(AccessError):
            self.open_for(self.lead, self.jonas)
        with self.assertRaises(AccessError):
            self.lead.with_user(self.jonas).easycrm_action_compose()

    def test_a_colleague_s_file_does_not_go_along(self):
        file = self.env["ir.attachment"].create(
            {
                "name": "Secret.pdf",
                "raw": b"%PDF",
                "res_model": "crm.lead",
                "res_id": self.lead.id,
            }
        )
        window = self.open_for(self.anna, self.jonas)
        with self.assertRaises(AccessError):
            self.get_window(window, self.jonas).easycrm_save(
                {"attachment_ids": file.ids}
            )

    def test_a_colleague_s_mailbox_is_not_sent_from(self):
        window = self.open_for(self.anna)
        with self.assertRaises(AccessError):
            self.get_window(window).easycrm_send(
                {
                    "account_id": self.jonas_mailbox.id,
                    "from_address": "jonas@ours.example",
                }
            )

    def test_the_address_of_a_colleague_s_mailbox_is_not_told_by_its_id(self):
        named = {"account_id": {"fields": {"display_name": {}}}}
        windows = self.env["easycrm.email.compose"].with_user(self.mira)
        foreign = {"account_id": self.jonas_mailbox.id}
        window = windows.create(foreign)
        groups = windows.formatted_read_group(
            [("id", "=", window.id)], ["account_id"], ["__count"]
        )
        told = [
            window.read(["account_id"]),
            window.web_read(named),
            window.web_save({"track_opens": True}, named),
            windows.onchange(foreign, ["account_id"], named),
            groups,
        ]
        self.assertNotIn("jonas@", str(told))
        self.assertFalse(
            windows.search_count([("account_id.email", "like", "jonas@")])
            + windows.search_count([("account_id", "like", "jonas@")])
        )
        window.account_id = self.mailbox
        self.assertEqual(
            window.read(["account_id"])[0]["account_id"],
            (self.mailbox.id, "mira@ours.example"),
        )

    def test_who_may_not_read_an_email_may_not_answer_it(self):
        self.mailbox.share_level = "metadata"
        email = self.receive(self.mailbox, subject="Secret")
        hidden = self.as_user(email, self.jonas)
        action = hidden.easycrm_action_reply("reply")
        with self.assertRaises(UserError):
            self.open(self.jonas, **action["params"]["context"])
        private = self.receive(self.mailbox, sender="doctor@private.example")
        with self.assertRaises(AccessError):
            self.as_user(private, self.jonas).easycrm_action_reply("reply")
        with self.assertRaises(AccessError):
            self.open(self.jonas, easycrm_email_id=private.id)

    def test_defaults_of_the_context_tell_nothing_of_hidden_emails(self):
        private = self.receive(
            self.mailbox,
            sender="doctor@private.example",
            attachments=[("Result.pdf", "application/pdf", b"%PDF-1.4")],
        )
        with self.assertRaises(AccessError):
            self.open(
                self.jonas,
                default_reply_to_id=private.id,
                default_reply_kind="forward",
            )

    def test_addresses_that_one_may_not_see_do_not_come_to_mind(self):
        self.receive(self.mailbox, sender="Doctor Who <doctor@private.example>")
        suggest = self.env["easycrm.email.compose"]
        [seen] = suggest.with_user(self.mira).easycrm_suggest("doct")
        self.assertEqual(
            (seen["address"], seen["name"], seen["seen"]),
            ("doctor@private.example", "Doctor Who", 1),
        )
        self.assertEqual(suggest.with_user(self.jonas).easycrm_suggest("doct"), [])
        self.assertEqual(suggest.with_user(self.sofia).easycrm_suggest("doct"), [])

    def test_bcc_comes_to_mind_of_its_writer_only(self):
        email = self.send(self.mailbox, bcc="hidden@secret.example")
        self.assertIn(self.anna, email.link_ids.partner_id)
        suggest = self.env["easycrm.email.compose"]
        self.assertEqual(len(suggest.with_user(self.mira).easycrm_suggest("hidden")), 1)
        self.assertEqual(suggest.with_user(self.jonas).easycrm_suggest("hidden"), [])

    def test_whose_mail_came_back_is_flagged(self):
        email = self.send(self.mailbox, to="anna@acme.example")
        self.env["easycrm.email.bounce"].create(
            {
                "email_id": email.id,
                "address": "anna@acme.example",
                "kind": "hard",
                "status": "5.2.2",
                "at": email.date,
            }
        )
        [person] = self.open_for(self.anna)["recipients"]["to"]
        self.assertIn("full", person["problem"])
        [person] = (
            self.env["easycrm.email.compose"]
            .with_user(self.mira)
            .easycrm_suggest("anna")
        )
        self.assertIn("full", person["problem"])

    def test_wildcards_are_letters(self):
        suggest = self.env["easycrm.email.compose"].with_user(self.mira)
        self.receive(self.mailbox, sender="doctor@private.example")
        self.assertEqual(suggest.easycrm_suggest("%octor"), [])
        self.assertEqual(suggest.easycrm_suggest("__ctor"), [])

    def test_a_contact_comes_before_addresses_and_once(self):
        self.receive(self.mailbox, sender="bruno@beck.example")
        self.receive(self.mailbox, sender="bruno@elsewhere.example")
        people = (
            self.env["easycrm.email.compose"]
            .with_user(self.mira)
            .easycrm_suggest("bruno")
        )
        self.assertEqual(
            [(one["address"], one["partner_id"]) for one in people],
            [("bruno@beck.example", self.bruno.id), ("bruno@elsewhere.example", False)],
        )

    def test_typed_text_becomes_people(self):
        people = (
            self.env["easycrm.email.compose"]
            .with_user(self.mira)
            .easycrm_read_people("Bruno <BRUNO@beck.example>, x@y.example")
        )
        self.assertEqual(people[0]["partner_id"], self.bruno.id)
        self.assertEqual(people[1]["address"], "x@y.example")
        [nobody] = (
            self.env["easycrm.email.compose"]
            .with_user(self.mira)
            .easycrm_read_people("no address")
        )
        self.assertEqual(nobody["address"], "no address")
