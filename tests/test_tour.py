from datetime import datetime, timezone
from unittest.mock import patch

from odoo.tests import HttpCase, tagged

from ..easycrm_mail.providers import imap, imap_page
from .mailbox import RealMailbox

PDF = b"%PDF-1.4\n%%EOF\n"


@tagged("post_install", "-at_install")
class TestTour(RealMailbox, HttpCase):
    """What a salesman does with the timeline, in a real browser."""

    def deliver_offer(self):
        self.deliver("Offer for 40 chairs", text="Dear Anna, our offer.", folder="Sent")
        self.deliver(
            "Re: Offer for 40 chairs",
            text="Thank you, we are grateful.",
            html="""<p>Hello Mira, thank you for the offer, we are grateful.</p>
                <img src="https://mailer.acme.example/pixel.png" width="1" height="1"/>
                <div class="gmail_quote"><blockquote>Our offer.</blockquote></div>""",
            attachments=[("Floorplan.pdf", "application/pdf", PDF)],
        )

    def tour(self, name, user=None):
        user = user or self.mira
        user.password = user.login * 2
        self.start_tour(f"/odoo/contacts/{self.anna.id}", name, login=user.login)

    def test_open_a_contact_read_a_mail_open_its_attachment(self):
        self.deliver_offer()
        self.start()
        self.tour("easycrm_timeline_tour")

    def test_find_mails_and_see_one_come_in(self):
        self.deliver_offer()
        self.deliver("Are you there?", date=datetime.now(timezone.utc))
        self.start()
        newest = self.anna.easycrm_email_link_ids.sorted("date")[-1:]
        newest.with_user(self.mira).action_take_off()
        self.tour("easycrm_timeline_find_tour")

    def test_make_private_a_colleague_sees_nothing_share_again(self):
        self.deliver("Offer for 40 chairs", "Salary of the new colleague")
        self.start()
        self.tour("easycrm_make_private_tour")
        self.tour("easycrm_private_unseen_tour", self.jonas)
        self.assertTimeline(self.anna, ["Offer for 40 chairs"], self.jonas)
        self.tour("easycrm_share_tour")
        self.assertEqual(len(self.read_timeline(self.anna, self.jonas)), 2)

    def test_a_large_email_is_shown_when_asked_for(self):
        for module in (imap, imap_page):
            self.startPatcher(patch.object(module, "MAX_MAIL_BYTES", 20_000))
        self.deliver(
            "Plans of the hall",
            text="The plans.",
            html="<p>Here are the plans of the hall.</p>",
            attachments=[
                ("Plan.pdf", "application/pdf", b"%PDF-1.4\n" + b"x" * 30_000)
            ],
        )
        self.start()
        self.tour("easycrm_large_tour")

    def test_add_a_rule_and_remove_it(self):
        self.deliver("Offer")
        self.deliver("Account", sender="x@bank.example")
        self.deliver("Copy of it", sender="x@bank.example", cc="anna@acme.example")
        self.start()
        self.assertEqual(self.get_subjects(), ["Account", "Copy of it", "Offer"])
        self.mira.password = self.mira.login * 2
        self.start_tour(
            "/odoo/action-easycrm_mail.easycrm_email_rule_action_my",
            "easycrm_rules_tour",
            login=self.mira.login,
        )
        self.assertEqual(self.get_subjects(), ["Offer"])
        self.run_cron()
        self.assertEqual(self.get_subjects(), ["Account", "Copy of it", "Offer"])

    def get_subjects(self):
        copies = self.env["easycrm.email.copy"].search(
            [("account_id", "=", self.account.id)]
        )
        return sorted(copies.email_id.mapped("subject"))

    def test_the_logic_of_the_timeline(self):
        """The unit tests in static/tests."""
        self.browser_js(
            "/web/tests?headless&loglevel=2&preset=desktop&timeout=15000"
            "&filter=%22@easycrm_mail%22",
            "",
            "",
            login="admin",
            success_signal="[HOOT] Test suite succeeded",
            timeout=300,
        )
