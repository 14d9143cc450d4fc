"""Templates in the Send Email window: values, blanks, and code."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .compose_case import ComposeCase


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

    def add_files_template(self, name, **values):
        file = {"name": name, "raw": b"%PDF", "mimetype": "application/pdf"}
        return self.add_template(
            "<p>Hello</p>", attachment_ids=[(0, 0, file)], **values
        )

    def get_names(self, window):
        return [file["name"] for file in window["files"]]

    def check_files(self, records):
        """Use two templates one after the other, beside a file of one's own."""
        window = self.open_for(records)
        compose = self.get_window(window)
        own = self.env["ir.attachment"].with_user(self.mira)
        own = own.create(
            {
                "name": "Plan.pdf",
                "raw": b"%PDF plan",
                "res_model": compose._name,
                "res_id": compose.id,
            }
        )
        compose.easycrm_save({"attachment_ids": own.ids})
        terms, prices = map(self.add_files_template, ("Terms.pdf", "Prices.pdf"))
        for template, name in ((terms, "Terms.pdf"),) * 2 + ((prices, "Prices.pdf"),):
            window = compose.easycrm_use_template(template.id)
            self.assertEqual(self.get_names(window), ["Plan.pdf", name])
        return compose, terms

    def test_files_of_a_template_take_the_place_of_those_of_the_one_before(self):
        compose, terms = self.check_files(self.lead)
        files = compose.attachment_ids.ids
        compose.easycrm_save({"attachment_ids": files})
        compose.unlink()
        again = self.get_window(self.open_for(self.lead))
        window = again.easycrm_use_template(terms.id)
        self.assertEqual(self.get_names(window), ["Plan.pdf", "Terms.pdf"])

    def test_files_of_a_template_for_several_are_replaced_likewise(self):
        table = self.add_lead("Tables", self.mira, "bruno@beck.example")
        self.check_files(self.lead + table)

    def test_a_template_that_makes_a_document_is_for_one_record(self):
        report = self.env["ir.actions.report"].create(
            {"name": "Offer", "model": "crm.lead", "report_name": "easycrm_mail.offer"}
        )
        template = self.add_template(
            "<p>Hello</p>", report_template_ids=[(6, 0, report.ids)]
        )
        table = self.add_lead("Tables", self.mira, "bruno@beck.example")
        with self.assertRaisesRegex(UserError, "document for each record"):
            self.use(template, records=self.lead + table)

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
