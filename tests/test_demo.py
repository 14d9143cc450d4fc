from odoo.tests import TransactionCase, tagged
from odoo.tools import convert_file


@tagged("post_install", "-at_install")
class TestDemo(TransactionCase):
    def test_the_demo_data_can_be_loaded(self):
        """Odoo installs an addon without them when they cannot, and says little."""
        convert_file(
            self.env, "easycrm_mail", "demo/easycrm_mail_demo.xml", {}, mode="init"
        )
        anna = self.env.ref("easycrm_mail.demo_anna_berg")
        self.assertEqual(anna.email, "anna.berg@nordlicht-hotels.example")
        self.assertTrue(anna.opportunity_ids)
