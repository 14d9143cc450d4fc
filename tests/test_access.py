from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import MailCase, raw_mail


@tagged("post_install", "-at_install")
class TestSmoke(MailCase):
    def test_smoke(self):
        email = self.receive(self.mailbox, subject="A")
        self.assertLinked(email, [self.anna])
        self.assertTimeline(self.anna, ["A"])
        self.assertVisible(self.mira, email, "everything")
        self.assertVisible(self.jonas, email, "everything")
