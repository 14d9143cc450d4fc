"""Answering and forwarding in the Send Email window."""

from markupsafe import Markup

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .compose_case import ComposeCase


@tagged("post_install", "-at_install")
class TestComposeReply(ComposeCase):
    def answer(self, email, kind="reply", user=None, record=None):
        mail = self.as_user(email, user or self.mira)
        place = (record._name, record.id) if record else ()
        action = mail.easycrm_action_reply(kind, *place)
        return self.open(user, **action["params"]["context"])

    def addresses(self, window, role="to"):
        return [person["address"] for person in window["recipients"][role]]

    def test_a_reply_goes_to_the_sender_and_quotes_him(self):
        email = self.receive(
            self.mailbox, subject="40 chairs", html="<p>Which colour?</p>"
        )
        window = self.answer(email, record=self.anna)
        self.assertEqual(self.addresses(window), ["anna@acme.example"])
        self.assertEqual(window["subject"], "Re: 40 chairs")
        self.assertIn("Which colour?", window["quote"])
        self.assertNotIn("Which colour?", window["body"])
        sent = self.get_window(window).easycrm_send({"body": "<p>Green</p>"})
        outgoing = self.get_outgoing(sent)
        self.assertEqual(outgoing.reply_to_id, email)
        self.assertEqual(outgoing.partner_id, self.anna)
        self.assertIn("Which colour?", outgoing.quoted_html)

    def test_a_reply_to_all_leaves_out_who_writes_it(self):
        email = self.receive(
            self.mailbox,
            to="mira@ours.example, bruno@beck.example",
            cc="Jo <jo@acme.example>, mira@ours.example",
            subject="Re: 40 chairs",
        )
        window = self.answer(email, "reply_all")
        self.assertEqual(
            self.addresses(window), ["anna@acme.example", "bruno@beck.example"]
        )
        self.assertEqual(self.addresses(window, "cc"), ["jo@acme.example"])
        self.assertEqual(window["subject"], "Re: 40 chairs")

    def test_a_reply_to_one_s_own_mail_goes_to_whom_it_went(self):
        email = self.send(self.mailbox, to="bruno@beck.example")
        self.assertEqual(self.addresses(self.answer(email)), ["bruno@beck.example"])

    def answer_form(self, reply_to, kind="reply", **parts):
        """Answer a mail of a web form; return the window."""
        parts.setdefault("sender", "Shop <noreply@site.example>")
        email = self.receive(
            self.mailbox, headers=[("Reply-To", reply_to)] if reply_to else [], **parts
        )
        return self.answer(email, kind)

    def test_a_reply_goes_where_the_mail_asks_for_it(self):
        window = self.answer_form("Anna <Anna@acme.example>, new@stranger.example")
        self.assertEqual(
            self.addresses(window), ["anna@acme.example", "new@stranger.example"]
        )
        person = window["recipients"]["to"][0]
        self.assertEqual(person["partner_id"], self.anna.id)
        self.assertEqual(person["name"], "Anna")

    def test_a_reply_to_all_goes_where_the_mail_asks_for_it(self):
        window = self.answer_form(
            "list@forum.example",
            "reply_all",
            to="mira@ours.example, list@forum.example, bruno@beck.example",
        )
        self.assertEqual(
            self.addresses(window), ["list@forum.example", "bruno@beck.example"]
        )

    def test_one_s_own_address_in_reply_to_is_not_answered(self):
        window = self.answer_form("Mira@ours.example")
        self.assertEqual(self.addresses(window), ["noreply@site.example"])
        window = self.answer_form("mira@ours.example, anna@acme.example")
        self.assertEqual(self.addresses(window), ["anna@acme.example"])

    def test_reply_to_of_one_s_own_mail_is_for_others(self):
        email = self.send(
            self.mailbox,
            to="bruno@beck.example",
            headers=[("Reply-To", "sales@ours.example")],
        )
        self.assertEqual(self.addresses(self.answer(email)), ["bruno@beck.example"])

    def test_where_a_reply_goes_is_kept_with_the_text_only(self):
        email = self.receive(self.mailbox, headers=[("Reply-To", "private@x.example")])
        self.mailbox.share_level = "metadata"
        self.env.flush_all()
        self.assertEqual(email.content_ids.reply_to, [["", "private@x.example"]])
        Content = self.env["easycrm.email.content"].with_user(self.jonas)
        self.assertFalse(Content.search([("email_id", "=", email.id)]))
        with self.assertRaises(AccessError):
            email.content_ids.with_user(self.jonas).read(["reply_to"])
        same = self.receive(
            self.mailbox, headers=[("Reply-To", "Anna <anna@acme.example>")]
        )
        self.assertFalse(same.content_ids.reply_to)

    def test_a_forwarded_mail_brings_its_files(self):
        email = self.receive(
            self.mailbox,
            subject="Plans",
            attachments=[("Plan.pdf", "application/pdf", b"%PDF-1.4")],
        )
        line = email.attachment_line_ids
        line._keep({line.part: b"%PDF-1.4"})
        window = self.answer(email, "forward")
        self.assertEqual(self.addresses(window), [])
        self.assertEqual(window["subject"], "Fwd: Plans")
        self.assertEqual([file["id"] for file in window["forwarded"]], line.ids)
        files = self.get_window(window).easycrm_take_files(line.ids)
        self.assertEqual([file["name"] for file in files], ["Plan.pdf"])

    def test_a_draft_brings_the_forwarded_files_that_are_not_taken_yet(self):
        email = self.receive(
            self.mailbox,
            attachments=[
                (name, "application/pdf", b"%PDF-1.4")
                for name in ("Kept.pdf", "Removed.pdf", "Late.pdf")
            ],
        )
        lines = email.attachment_line_ids.sorted("id")
        lines._keep({line.part: b"%PDF-1.4" for line in lines})
        window = self.answer(email, "forward")
        compose = self.get_window(window)
        files = compose.easycrm_take_files(lines[:2].ids)
        compose.easycrm_save({"attachment_ids": [files[0]["id"]]})
        compose.unlink()
        again = self.answer(email, "forward")
        self.assertEqual([file["name"] for file in again["files"]], ["Kept.pdf"])
        self.assertEqual([file["name"] for file in again["forwarded"]], [lines[2].name])
        files = self.get_window(again).easycrm_take_files(lines.ids)
        self.assertEqual([file["name"] for file in files], ["Kept.pdf", "Late.pdf"])

    def test_a_draft_opens_though_the_forwarded_mail_is_not_for_him_any_more(self):
        email = self.receive(
            self.mailbox, attachments=[("Plan.pdf", "application/pdf", b"%PDF-1.4")]
        )
        window = self.answer(email, "forward", self.jonas)
        saved = self.get_window(window, self.jonas).easycrm_save({"subject": "Plan"})
        self.make_private(email)
        again = self.open(self.jonas, easycrm_outgoing_id=saved["outgoing_id"])
        self.assertEqual(again["subject"], "Plan")
        self.assertEqual(again["forwarded"], [])

    def test_a_colleague_s_attachment_is_not_taken(self):
        private = self.receive(
            self.mailbox,
            sender="doctor@private.example",
            attachments=[("Result.pdf", "application/pdf", b"%PDF-1.4")],
        )
        window = self.open_for(self.anna, self.jonas)
        with self.assertRaises(AccessError):
            self.get_window(window, self.jonas).easycrm_take_files(
                private.attachment_line_ids.ids
            )

    def test_quoted_text_can_be_left_out(self):
        email = self.receive(self.mailbox)
        window = self.answer(email)
        sent = self.get_window(window).easycrm_send(
            {"body": "<p>Yes</p>", "quoted_kept": False}
        )
        self.assertFalse(self.get_outgoing(sent).quoted_html)

    def test_scripts_of_a_quoted_mail_stay_behind(self):
        email = self.receive(
            self.mailbox, html="<p>Hi</p><script>alert(1)</script><img src=x onerror=y>"
        )
        window = self.answer(email)
        self.assertNotIn("alert(1)", window["quote"])
        self.assertNotIn("onerror", window["quote"])

    def test_looking_at_the_quoted_text_fetches_nothing_from_elsewhere(self):
        email = self.receive(
            self.mailbox,
            html='<p style="background: url(https://spy.example/b.png)">Hi</p>'
            '<img src="https://spy.example/o.gif" alt="Winter">',
        )
        window = self.answer(email)
        self.assertIn("Winter", window["quote"])
        self.assertNotIn("spy.example", window["quote"])
        self.assertIn('img-src data:">', window["quote"])
        sent = self.get_window(window).easycrm_send({"body": "<p>Yes</p>"})
        quoted = self.get_outgoing(sent).quoted_html
        self.assertIn("https://spy.example/o.gif", quoted)

    def test_an_unlinked_mail_is_answered_from_no_record(self):
        email = self.receive(self.mailbox, sender="new@stranger.example")
        window = self.answer(email)
        self.assertEqual(window["records"], [])
        sent = self.get_window(window).easycrm_send({"body": Markup("<p>Welcome</p>")})
        outgoing = self.get_outgoing(sent)
        self.assertFalse(outgoing.partner_id or outgoing.lead_id)
