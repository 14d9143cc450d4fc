from unittest.mock import patch

from odoo.tests import HttpCase, tagged

from ..easycrm_mail.providers import imap, imap_page
from .mailbox import RealMailbox

PDF = b"%PDF-1.4\n%%EOF\n"


@tagged("post_install", "-at_install")
class TestTour(RealMailbox, HttpCase):
    """What a salesman does with the timeline, in a real browser."""

    def test_open_a_contact_read_a_mail_open_its_attachment(self):
        self.deliver("Offer for 40 chairs", text="Dear Anna, our offer.", folder="Sent")
        self.deliver(
            "Re: Offer for 40 chairs",
            text="Thank you.",
            html="""<p>Hello Mira, thank you for the offer.</p>
                <img src="https://mailer.acme.example/pixel.png" width="1" height="1"/>
                <div class="gmail_quote"><blockquote>Our offer.</blockquote></div>""",
            attachments=[("Floorplan.pdf", "application/pdf", PDF)],
        )
        self.start()
        self.mira.password = self.mira.login * 2
        self.start_tour(
            f"/odoo/contacts/{self.anna.id}",
            "easycrm_timeline_tour",
            login=self.mira.login,
        )

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
        self.mira.password = self.mira.login * 2
        self.start_tour(
            f"/odoo/contacts/{self.anna.id}",
            "easycrm_large_tour",
            login=self.mira.login,
        )

    def test_the_logic_of_the_timeline(self):
        """The unit tests in static/tests."""
        self.browser_js(
            "/web/tests?headless&loglevel=2&preset=desktop&timeout=15000"
            "&filter=%22@easycrm_mail%22",
            "",
            "",
            login="admin",
            success_signal="[HOOT] Test suite succeeded",
        )
