from dataclasses import replace
from datetime import datetime, timezone

from odoo.tests import tagged

from ..easycrm_mail.providers import Glance
from .common import MailCase

NEWSLETTER = {
    "sender": "news@shop.example",
    "headers": [("List-Unsubscribe", "<https://shop.example/u>")],
}
PRIVATE = {"sender": "info@hsbc.example", "subject": "Your account statement"}
COLLEAGUE = {"sender": "jonas@ours.example"}

#: A switch, mail that it leaves out, and whose mail that is.
SWITCHES = (
    ("ignore_automatic", NEWSLETTER, "@shop.example"),
    ("ignore_automatic", NEWSLETTER, "news@shop.example"),
    ("ignore_private", PRIVATE, "@hsbc.example"),
    ("ignore_colleagues", COLLEAGUE, "jonas@ours.example"),
)


@tagged("post_install", "-at_install")
class TestRulesAndSwitches(MailCase):
    """What a person has said of an address, beside what a switch says of all."""

    def add_rule(self, pattern, kind="always_link", user=None):
        partner = {"partner_id": self.acme.id} if kind == "always_link" else {}
        return self.env["easycrm.email.rule"].create(
            {
                "kind": kind,
                "pattern": pattern,
                "user_id": (user or self.mira).id,
                **partner,
            }
        )

    def get_reasons(self):
        rows = self.env["easycrm.email.exclusion"].search(
            [("account_id", "=", self.mailbox.id)], order="id"
        )
        return rows.mapped("reason")

    def test_where_mail_always_goes_no_switch_leaves_it_out(self):
        for switch, mail, pattern in SWITCHES:
            with self.subTest(switch=switch, pattern=pattern):
                self.mailbox[switch] = True
                self.assertFalse(self.receive(self.mailbox, **mail))
                rule = self.add_rule(pattern)
                email = self.receive(self.mailbox, **mail)
                self.assertIn(self.acme, email.link_ids.partner_id)
                rule.unlink()
                self.assertFalse(self.receive(self.mailbox, **mail))
                self.mailbox[switch] = False

    def test_who_only_gets_a_newsletter_too_does_not_keep_it(self):
        self.mailbox.ignore_automatic = True
        self.add_rule("@pal.example")
        copied = {**NEWSLETTER, "cc": "Pia <pia@pal.example>"}
        self.assertFalse(self.receive(self.mailbox, **copied))
        self.assertEqual(self.get_reasons(), ["automatic"])

    def test_to_whom_it_is_written_counts_for_what_is_sent(self):
        self.mailbox.ignore_colleagues = True
        self.add_rule("jonas@ours.example")
        email = self.send(self.mailbox, to="jonas@ours.example")
        self.assertIn(self.acme, email.link_ids.partner_id)

    def test_a_switch_goes_on_for_everybody_else(self):
        self.mailbox.ignore_automatic = True
        self.add_rule("@shop.example")
        other = {**NEWSLETTER, "sender": "news@other.example"}
        self.assertFalse(self.receive(self.mailbox, **other))
        self.assertEqual(self.get_reasons(), ["automatic"])

    def test_never_to_store_goes_before_always_to_link(self):
        self.mailbox.ignore_automatic = True
        self.add_rule("@shop.example")
        never = self.add_rule("news@shop.example", "never_store")
        self.assertFalse(self.receive(self.mailbox, **NEWSLETTER))
        self.assertEqual(self.get_reasons(), ["rule"])
        never.unlink()
        self.assertTrue(self.receive(self.mailbox, **NEWSLETTER))

    def test_another_s_rule_says_nothing_for_this_mailbox(self):
        self.mailbox.ignore_automatic = True
        self.add_rule("@shop.example", user=self.jonas)
        self.assertFalse(self.receive(self.mailbox, **NEWSLETTER))
        self.mailbox.member_ids = self.jonas
        self.assertTrue(self.receive(self.mailbox, **NEWSLETTER))

    def test_the_look_before_the_start_tells_the_same(self):
        glance = Glance(
            "1",
            datetime.now(timezone.utc),
            ("news@shop.example", "mira@ours.example"),
            ("news@shop.example",),
            is_automatic=True,
        )
        mailbox = self.mailbox
        [row] = mailbox._sort_glances([glance], "2026-01-01")
        self.assertIs(row[3], True)
        # Whoever gets it too is not whom it is from.
        self.add_rule("@pal.example")
        copied = replace(glance, addresses=(*glance.addresses, "pia@pal.example"))
        [row] = mailbox._sort_glances([copied], "2026-01-01")
        self.assertIs(row[3], True)
        self.add_rule("@shop.example")
        [row] = mailbox._sort_glances([glance], "2026-01-01")
        self.assertIs(row[3], False)
