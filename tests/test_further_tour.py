from odoo.tests import tagged

from .common import MailHttpCase


@tagged("post_install", "-at_install")
class TestFurtherTour(MailHttpCase):
    """Further addresses, one opportunity only, where an email is: in the browser."""

    def tour(self, url, name, user=None):
        user = user or self.mira
        user.password = user.login * 2
        self.env.flush_all()
        self.start_tour(url, name, login=user.login)

    def test_a_further_address(self):
        email = self.receive(
            self.mailbox, sender="anna@home.example", subject="From home"
        )
        self.receive(self.mailbox, subject="From work")
        paula = self.add_user(
            "paula", "sales_team.group_sale_salesman,base.group_partner_manager"
        )
        self.mailbox.member_ids = paula
        self.tour(
            f"/odoo/contacts/{self.anna.id}", "easycrm_other_addresses_tour", paula
        )
        self.assertLinked(email, [])

    def test_only_this_opportunity(self):
        chairs = self.add_lead("Chairs", self.mira, "anna@acme.example")
        tables = self.add_lead("Tables", self.mira, "anna@acme.example")
        email = self.receive(self.mailbox)
        self.tour(f"/odoo/crm/{chairs.id}", "easycrm_only_here_tour")
        self.env.invalidate_all()
        self.assertLinked(email, [self.anna, chairs, tables])

    def test_where_is_my_email(self):
        self.receive(self.mailbox, subject="Offer for 40 chairs")
        self.tour(f"/odoo/contacts/{self.bruno.id}", "easycrm_where_tour")
