"""The Send Email window: what it begins with, what it keeps, what it refuses."""

from markupsafe import Markup

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import MailCase


class ComposeCase(MailCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mailbox.smtp_host = "smtp.ours.example"
        cls.lead = cls.add_lead("40 chairs", cls.mira, "anna@acme.example")

    def open(self, user=None, **context):
        """Open a window as the browser does; return what it shows."""
        user = user or self.mira
        self.env.flush_all()
        compose = self.env["easycrm.email.compose"].with_user(user)
        return compose.with_context(**context).easycrm_open()

    def open_for(self, records, user=None):
        return self.open(user, active_model=records._name, active_ids=records.ids)

    def get_window(self, window, user=None):
        return (
            self.env["easycrm.email.compose"]
            .with_user(user or self.mira)
            .browse(window["id"])
        )

    def get_outgoing(self, sent):
        return self.env["easycrm.email.outgoing"].browse(sent["ids"])

    def add_template(self, body, subject="Offer", **values):
        return self.env["mail.template"].create(
            {
                "name": "Offer",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "subject": subject,
                "body_html": body,
                **values,
            }
        )


@tagged("post_install", "-at_install")
class TestCompose(ComposeCase):
    def test_it_begins_with_the_record_s_person_and_the_writer_s_mailbox(self):
        window = self.open_for(self.anna)
        self.assertEqual(
            [person["address"] for person in window["recipients"]["to"]],
            ["anna@acme.example"],
        )
        self.assertEqual(window["account_id"], self.mailbox.id)
        self.assertEqual(window["from_address"], "mira@ours.example")
        self.assertFalse(window["outgoing_id"], "Nothing is written yet")

    def test_a_lead_s_person_is_its_contact(self):
        window = self.open_for(self.lead)
        [person] = window["recipients"]["to"]
        self.assertEqual(person["address"], "anna@acme.example")
        self.assertEqual(window["records"][0]["kind"], "opportunity")

    def test_what_is_written_outlives_the_window(self):
        window = self.open_for(self.anna)
        compose = self.get_window(window)
        saved = compose.easycrm_save(
            {"subject": "Chairs", "body": "<p>Hello</p>", "recipients": {"to": []}}
        )
        compose.unlink()
        again = self.open_for(self.anna)
        self.assertEqual(again["outgoing_id"], saved["outgoing_id"])
        self.assertEqual(again["subject"], "Chairs")
        self.assertEqual(again["body"], "<p>Hello</p>")
        self.assertEqual(again["recipients"]["to"], [])

    def test_discarded_nothing_is_left(self):
        window = self.open_for(self.anna)
        saved = self.get_window(window).easycrm_save({"subject": "Chairs"})
        self.get_window(window).easycrm_discard()
        draft = self.env["easycrm.email.outgoing"].browse(saved["outgoing_id"])
        self.assertFalse(draft.exists())
        self.assertFalse(self.open_for(self.anna)["subject"])

    def test_sent_it_waits_in_the_outbox_and_can_be_taken_back(self):
        window = self.open_for(self.anna)
        compose = self.get_window(window)
        sent = compose.easycrm_send({"subject": "Chairs", "body": "<p>Hello</p>"})
        outgoing = self.get_outgoing(sent)
        self.assertEqual(outgoing.state, "queued")
        self.assertEqual(outgoing.partner_id, self.anna)
        self.assertEqual(outgoing.user_id, self.mira)
        self.assertEqual(sent["seconds"], 10)
        back = compose.easycrm_undo(sent["ids"])
        self.assertEqual(outgoing.state, "draft")
        self.assertEqual(back["late"], 0)
        self.assertEqual(back["window"]["subject"], "Chairs")

    def test_files_go_along_and_a_record_s_documents_as_copies(self):
        document = self.env["ir.attachment"].create(
            {
                "name": "Offer.pdf",
                "raw": b"%PDF-1.4",
                "res_model": "res.partner",
                "res_id": self.anna.id,
            }
        )
        window = self.open_for(self.anna)
        compose = self.get_window(window)
        self.assertEqual(window["documents"], 1)
        uploaded = (
            self.env["ir.attachment"]
            .with_user(self.mira)
            .create(
                {
                    "name": "Plan.pdf",
                    "raw": b"%PDF-1.4 plan",
                    "res_model": compose._name,
                    "res_id": compose.id,
                }
            )
        )
        compose.easycrm_save({"attachment_ids": uploaded.ids})
        files = compose.easycrm_take_documents(document.ids)
        self.assertEqual([file["name"] for file in files], ["Plan.pdf", "Offer.pdf"])
        self.assertNotIn(document.id, [file["id"] for file in files])
        sent = compose.easycrm_send({})
        outgoing = self.get_outgoing(sent)
        self.assertEqual(
            set(outgoing.attachment_ids.mapped("name")), {"Plan.pdf", "Offer.pdf"}
        )
        self.assertEqual(
            set(outgoing.attachment_ids.mapped("res_model")), {outgoing._name}
        )
        compose.unlink()
        self.assertEqual(len(outgoing.attachment_ids.exists()), 2)

    def test_several_records_get_an_email_each(self):
        people = self.anna + self.bruno
        window = self.open_for(people)
        self.assertEqual(window["recipients"]["to"], [])
        compose = self.get_window(window)
        sent = compose.easycrm_send(
            {
                "subject": "For {{ object.name }}",
                "body": '<p>Dear <t t-out="object.name"></t></p>',
            }
        )
        outgoing = self.get_outgoing(sent)
        self.assertEqual(
            outgoing.mapped("subject"), ["For Anna Berg", "For Bruno Beck"]
        )
        self.assertIn("Dear Bruno Beck", outgoing[1].body)
        self.assertEqual(outgoing.mapped("partner_id"), people)
        back = compose.easycrm_undo(sent["ids"])
        self.assertFalse(outgoing.exists())
        self.assertEqual(len(back["window"]["records"]), 2)

    def test_somebody_is_taken_out_of_a_selection_and_nobody_comes_in(self):
        window = self.open_for(self.anna + self.bruno)
        sent = self.get_window(window).easycrm_send(
            {"subject": "Hello", "res_ids": [self.bruno.id, self.acme.id]}
        )
        self.assertEqual(self.get_outgoing(sent).partner_id, self.bruno)

    def test_a_selection_of_more_is_a_campaign_s(self):
        people = self.env["res.partner"].create(
            [{"name": f"{n}", "email": f"{n}@many.example"} for n in range(51)]
        )
        few = people[:50].with_user(self.mira).easycrm_action_compose()
        self.assertEqual(few["tag"], "easycrm_mail.compose")
        many = people.with_user(self.mira).easycrm_action_compose()
        self.assertEqual(many["tag"], "display_notification")
        self.assertIn("campaign", many["params"]["message"])
        as_marketer = people.with_user(self.admin).easycrm_action_compose()
        self.assertEqual(as_marketer["params"]["next"]["res_model"], "mailing.mailing")


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


@tagged("post_install", "-at_install")
class TestComposeTemplate(ComposeCase):
    def use(self, template, user=None, records=None):
        window = self.open_for(records or self.lead, user)
        compose = self.get_window(window, user)
        return compose, compose.easycrm_use_template(template.id)

    def test_a_template_is_shown_with_the_record_s_values(self):
        template = self.add_template(
            '<p>About <b t-out="object.name"></b></p>',
            "Offer {{ object.name }}",
            attachment_ids=[
                (
                    0,
                    0,
                    {
                        "name": "Terms.pdf",
                        "raw": b"%PDF",
                        "mimetype": "application/pdf",
                    },
                )
            ],
        )
        _compose, window = self.use(template)
        self.assertEqual(window["subject"], "Offer 40 chairs")
        self.assertIn("About <b>40 chairs</b>", window["body"])
        self.assertEqual([file["name"] for file in window["files"]], ["Terms.pdf"])
        self.assertNotIn(window["files"][0]["id"], template.attachment_ids.ids)

    def test_a_missing_value_is_marked_and_not_sent_as_a_blank(self):
        template = self.add_template(
            '<p>On <t t-out="object.date_deadline"/>, in <t t-out="object.city">Hamburg'
            "</t></p>",
            "Offer {{ object.phone }}",
        )
        compose, window = self.use(template)
        self.assertIn('class="o_easycrm_missing"', window["body"])
        self.assertIn("Expected Closing: no value", window["body"])
        self.assertIn("Hamburg", window["body"])
        self.assertEqual(window["subject"], "Offer {{Phone}}")
        with self.assertRaisesRegex(UserError, "Phone, Expected Closing"):
            compose.easycrm_send({})
        sent = compose.easycrm_send({"subject": "Offer", "body": "<p>On Monday</p>"})
        self.assertEqual(self.get_outgoing(sent).state, "queued")

    def test_code_of_a_template_runs_for_whoever_may_use_it(self):
        template = self.add_template(
            "<p><t t-out=\"'a' + 'b' if 1 else object.phone\"/></p>"
        )
        _compose, window = self.use(template)
        self.assertIn("<p>ab</p>", window["body"])

    def test_code_is_refused_to_those_who_may_not_edit_templates(self):
        code = "<p><t t-out=\"object.env['res.users'].sudo().search([])\"/></p>"
        leads = self.lead + self.add_lead("Tables", self.mira, "bruno@beck.example")
        window = self.open_for(leads)
        with self.assertRaises(AccessError):
            self.get_window(window).easycrm_send({"subject": "Hello", "body": code})
        with self.assertRaises(AccessError):
            self.get_window(window).easycrm_send(
                {"subject": "{{ object.env.user.sudo().name }}", "body": "<p>Hello</p>"}
            )
        window = self.open_for(self.lead)
        with self.assertRaises(AccessError):
            self.get_window(window).easycrm_save_template("Evil", {"body": code})

    def test_code_that_is_written_for_one_record_is_text(self):
        window = self.open_for(self.lead)
        sent = self.get_window(window).easycrm_send(
            {"subject": "Hello", "body": '<p><t t-out="object.phone">code</t></p>'}
        )
        self.assertIn("code", self.get_outgoing(sent).body)

    def test_each_of_several_gets_its_own_values_or_is_named(self):
        template = self.add_template('<p>By <t t-out="object.phone"/></p>')
        table = self.add_lead("Tables", self.mira, "bruno@beck.example", phone="2")
        leads = self.lead + table
        compose, window = self.use(template, records=leads)
        self.assertIn("t-out", window["body"])
        with self.assertRaisesRegex(UserError, "40 chairs has no value for: Phone"):
            compose.easycrm_send({})
        self.lead.phone = "1"
        outgoing = self.get_outgoing(compose.easycrm_send({}))
        self.assertIn("By 1", outgoing[0].body)
        self.assertIn("By 2", outgoing[1].body)

    def test_the_text_of_a_template_for_several_is_changed_by_its_editors_only(self):
        template = self.add_template("<p>Hello</p>")
        leads = self.lead + self.add_lead("Tables", self.mira, "bruno@beck.example")
        compose, window = self.use(template, records=leads)
        self.assertTrue(window["body_locked"])
        sent = compose.easycrm_send({"body": "<p>Changed</p>"})
        self.assertIn("Hello", self.get_outgoing(sent)[0].body)
        self.mira.group_ids += self.env.ref("mail.group_mail_template_editor")
        compose, window = self.use(template, records=leads)
        self.assertFalse(window["body_locked"])
        sent = compose.easycrm_send({"body": "<p>Changed</p>"})
        self.assertIn("Changed", self.get_outgoing(sent)[0].body)
        self.assertIn("o-signature-container", self.get_outgoing(sent)[0].body)

    def test_a_template_for_other_records_is_refused(self):
        template = self.add_template("<p>Hello</p>")
        window = self.open_for(self.anna)
        with self.assertRaises(UserError):
            self.get_window(window).easycrm_use_template(template.id)

    def test_what_is_written_becomes_a_template_of_one_s_own(self):
        self.mira.group_ids += self.env.ref("mail.group_mail_template_editor")
        template = self.add_template('<p>By <t t-out="object.phone"/></p>')
        compose, window = self.use(template)
        saved = compose.easycrm_save_template("Mine", {"body": window["body"]})
        mine = self.env["mail.template"].browse(saved["id"])
        self.assertEqual(mine.user_id, self.mira)
        self.assertIn('t-out="object.phone"', mine.body_html)
        self.assertNotIn("o-signature", mine.body_html)
        names = [one["name"] for one in compose.easycrm_get_templates()]
        self.assertEqual(names[0], "Mine")


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
