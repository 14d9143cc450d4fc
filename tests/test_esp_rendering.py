from unittest.mock import patch

from odoo.tests import tagged

from .mailing_case import BODY, MailingCase

LOGIC = """
<div class="o_layout">
  <p t-if="object.city">You are <t t-out="object.name"/>, <b t-out="object.city"/></p>
  <p t-else="">We do not know where you live.</p>
  <ul><li t-foreach="object.category_id" t-as="tag" t-out="tag.name"/></ul>
  <a t-attf-href="/my/{{ object.id }}" t-att-title="object.name">Yours</a>
  <t t-set="greeting"><i t-out="object.name"/></t>
  <p><t t-out="greeting"/><span t-field="object.email"/></p>
</div>
"""


@tagged("post_install", "-at_install")
class TestEspRendering(MailingCase):
    def check_equal(self, body, subject="Spring offer", people=None, **values):
        self.esp.tracks_clicks = False
        people = people or self.make_people(8)
        mailing = self.make_mailing(people, body, subject=subject, **values)
        self.env.flush_all()
        self.env.invalidate_all()
        with self.env.cr.savepoint() as savepoint:
            expected = self.render_by_odoo(mailing)
            savepoint.rollback()
            self.env.invalidate_all()
        self.send(mailing)
        got = {
            mail.address: (mail.subject, mail.html.strip())
            for mail in self.sendgrid.deliveries.all()
        }
        self.assertEqual(set(got), set(expected))
        for address, value in expected.items():
            self.assertEqual(got[address], value)
        return mailing

    def test_values_of_fields(self):
        mailing = self.check_equal(BODY)
        self.assertEqual(len(mailing.easycrm_batch_ids), 1)

        self.assertLess(self.count_values(mailing), 1000)

    def count_values(self, mailing):
        """Return the characters of the values of the first recipient."""
        content = mailing.easycrm_batch_ids.content_id.content
        self.assertGreater(len(content), 1000)
        block = self.sendgrid.bodies[-1]["personalizations"][0]
        return sum(map(len, block["substitutions"].values()))

    def test_logic_on_the_recipient(self):
        mailing = self.check_equal(LOGIC)
        self.assertGreater(len(mailing.easycrm_batch_ids), 1)

    def test_a_value_that_is_set_and_compared(self):
        self.check_equal(
            """
            <div>
              <t t-set="town"><t t-out="object.city"/></t>
              <p t-if="town == 'City 1'">You are of the first.</p>
              <p t-elif="len(str(town)) == 6">You are of the others.</p>
              <p t-else="">You are of none.</p>
              <p t-att-title="town">In <t t-out="town"/> or <i t-out="town"/></p>
              <t t-set="both"><b t-out="town"/> and <t t-out="object.name"/></t>
              <p t-if="'City 2' in str(both)" t-out="both"/>
            </div>
            """
        )

    def test_a_template_is_compiled_once(self):
        qweb = type(self.env["ir.qweb"])
        mailing = self.make_mailing(self.make_people(20), LOGIC)
        with patch.object(
            qweb, "_generate_code", autospec=True, side_effect=qweb._generate_code
        ) as compiling:
            self.send(mailing)
        self.assertEqual(len(self.sendgrid.deliveries.all()), 20)
        templates = [call.args[1] for call in compiling.call_args_list]
        self.assertLess(len(templates), 10, templates)

    def test_a_subject_with_values(self):
        self.check_equal(BODY, "For {{ object.name }} ({{ object.city or 'no city' }})")

    def test_a_preview(self):
        self.check_equal(BODY, preview="Only for {{ object.name }}")

    def test_values_that_are_large(self):
        people = self.make_people(3)
        people[0].comment = "<p>long</p>" * 3000
        body = '<div><t t-out="object.comment"/><t t-out="object.name"/></div>'
        mailing = self.check_equal(body, people=people)
        self.assertEqual(len(mailing.easycrm_batch_ids), 2)

    def test_odoo_s_own_templates(self):
        views = self.env["ir.ui.view"].search(
            [
                ("key", "=like", "mass_mailing.theme_%template%"),
                ("type", "=", "qweb"),
            ]
        )
        self.assertTrue(views)
        people = self.make_people(3)
        values = {"company_id": self.env.company}
        for view in views:
            body = str(self.env["ir.qweb"]._render(view.id, values))
            body += "<p>For <t t-out='object.name'/></p>"
            with self.subTest(view.key):
                self.sendgrid.deliveries.__init__()
                self.check_equal(body, people=people)
