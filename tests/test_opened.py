from odoo.tests import HttpCase, tagged

from .common import MailFixtures
from .sending_case import OutgoingFixtures


@tagged("post_install", "-at_install")
class TestOpened(OutgoingFixtures, MailFixtures, HttpCase):
    """That a mail was opened is told only where its writer has asked for it."""

    def queue(self, **vals):
        mail = self.write_mail(lead_id=self.lead.id, **vals)
        mail.action_queue()
        mail = mail.sudo()
        html = mail._make_draft().html
        self.env.flush_all()
        return mail, html

    def test_without_being_asked_there_is_no_pixel(self):
        mail, html = self.queue()
        self.assertNotIn("/easycrm_mail/opened/", html)
        self.assertFalse(mail.open_token)

    def test_a_mail_that_was_opened_says_since_when(self):
        mail, html = self.queue(track_opens=True)
        path = f"/easycrm_mail/opened/{mail.open_token}"
        self.assertIn(path, html)
        self.assertEqual(mail._make_draft().html, html, "the same at each making")
        self.assertEqual(self.url_open(path).headers["Content-Type"], "image/gif")
        self.assertFalse(mail.open_count, "it has not gone out")
        mail._mark_sending()
        self.env.flush_all()
        for _time in range(2):
            self.assertEqual(self.url_open(path).headers["Cache-Control"], "no-store")
        self.env.invalidate_all()
        self.assertEqual((mail.open_count, bool(mail.opened_at)), (2, True))
        # (our own people do not count; and whoever guesses learns nothing)
        self.authenticate("jonas.user", "jonas.user")
        self.url_open(path)
        self.authenticate(None, None)
        self.assertEqual(self.url_open("/easycrm_mail/opened/x").status_code, 200)
        self.env.invalidate_all()
        self.assertEqual(mail.open_count, 2)

    def test_what_no_token_can_hold_breaks_nothing(self):
        for token in ("%00", "%FF", "x" * 5000, "%F0%9F%98%80"):
            answer = self.url_open(f"/easycrm_mail/opened/{token}")
            self.assertEqual(answer.status_code, 200, token)
