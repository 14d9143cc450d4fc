"""Attachments by their URL, and the external API."""

from datetime import timedelta
from io import BytesIO

from PIL import Image

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import MailHttpCase, raw_mail

FILE = b"Kofel is the file."


@tagged("post_install", "-at_install")
class TestUrls(MailHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.raw = raw_mail(
            subject="Zugspitze",
            text="Watzmann",
            attachments=[("kofel.txt", "text/plain", FILE)],
        )
        [cls.email] = cls.deliver(cls.mailbox, cls.raw)
        cls.line = cls.email.attachment_line_ids
        cls.keep_files(cls.line, cls.raw)

    def login(self, user):
        self.env.flush_all()
        self.authenticate(user.login, user.login if user != self.admin else "admin")

    def get(self, url):
        with mute_logger("odoo.http", "odoo.addons.base.models.ir_rule"):
            return self.url_open(url, allow_redirects=False)

    def assertOpens(self, user, opens):
        """Assert whether that user gets the file, by each URL that could lead to it."""
        if user == self.public:
            self.authenticate(None, None)
        else:
            self.login(user)
        attachment = self.line.attachment_id
        urls = [
            f"/easycrm_mail/attachment/{self.line.id}",
            f"/easycrm_mail/attachment/{self.line.id}?download=1",
            f"/web/content/{attachment.id}",
        ]
        if not opens:
            content = self.email.content_ids
            urls += [
                f"/web/content/{self.line._name}/{self.line.id}/attachment_id",
                f"/web/image/{attachment.id}",
                f"/web/content/{content._name}/{content.id}/body_text",
                f"/web/content/{self.email._name}/{self.email.id}/body_html",
            ]
        for url in urls:
            with self.subTest(url=url, user=user.login):
                response = self.get(url)
                self.assertEqual(response.content == FILE, opens)
                self.assertNotIn(b"Watzmann", response.content)

    def test_the_file_opens_for_whoever_reads_the_email(self):
        self.assertOpens(self.mira, True)
        self.assertOpens(self.jonas, True)

    def test_the_file_opens_for_nobody_else(self):
        self.mailbox.share_level = "subject"
        for user in (self.jonas, self.ingrid, self.portal, self.bea, self.public):
            self.assertOpens(user, False)

    def test_the_file_of_unlinked_mail_opens_for_its_holder_alone(self):
        self.email.link_ids.unlink()
        self.assertOpens(self.mira, True)
        for user in (self.jonas, self.sofia):
            self.assertOpens(user, False)

    def test_a_file_that_is_not_there_is_not_found(self):
        self.login(self.mira)
        for line_id in (999999, 0, 2**31):
            answer = self.get(f"/easycrm_mail/attachment/{line_id}")
            self.assertEqual(answer.status_code, 404)
        self.mailbox.share_level = "subject"
        self.login(self.jonas)
        url = f"/easycrm_mail/attachment/{self.line.id}"
        self.assertEqual(self.get(url).status_code, 404)

    def test_what_could_run_scripts_is_only_ever_a_download(self):
        page = b"<html><body><script>alert(1)</script></body></html>"
        image = (
            b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
        )
        raw = raw_mail(
            attachments=[
                ("page.html", "text/html", page),
                ("page.xhtml", "application/xhtml+xml", page),
                ("image.svg", "image/svg+xml", image),
                ("odd.bin", "application/octet-stream", page),
                ("odd.xml", "text/xml", image),
            ]
        )
        [email] = self.deliver(self.mailbox, raw)
        # kept by whoever may edit templates: Odoo lets those have such files
        lines = email.attachment_line_ids.with_user(self.admin).sudo()
        self.keep_files(lines, raw)
        self.assertEqual(len(lines.attachment_id), 5)
        self.login(self.mira)
        for line in lines:
            for url in (
                f"/easycrm_mail/attachment/{line.id}",
                f"/web/content/{line.attachment_id.id}",
                f"/web/content/{line.attachment_id.id}/{line.name}",
                f"/web/image/{line.attachment_id.id}",
            ):
                with self.subTest(name=line.name, url=url):
                    headers = self.get(url).headers
                    self.assertNotRegex(headers["Content-Type"], "html|svg|xml")
                    self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
                    if url.startswith("/easycrm_mail"):
                        self.assertRegex(headers["Content-Disposition"], "^attachment")

    def test_a_large_image_is_kept_as_it_was_sent(self):
        image = BytesIO()
        Image.new("RGB", (2500, 10)).save(image, "png")
        raw = raw_mail(attachments=[("plan.png", "image/png", image.getvalue())])
        [email] = self.deliver(self.mailbox, raw)
        self.keep_files(email.attachment_line_ids, raw)
        self.assertEqual(email.attachment_line_ids.attachment_id.raw, image.getvalue())

    def test_what_is_shown_is_shown_as_what_it_is(self):
        self.login(self.mira)
        headers = self.get(f"/easycrm_mail/attachment/{self.line.id}").headers
        self.assertRegex(headers["Content-Type"], "^text/plain")
        self.assertNotRegex(headers.get("Content-Disposition", ""), "^attachment")
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        url = f"/easycrm_mail/attachment/{self.line.id}?download=1"
        self.assertRegex(self.get(url).headers["Content-Disposition"], "^attachment")

    # --- the external API ---

    def ask(self, user, method, **arguments):
        """Ask the external API with that user's key."""
        keys = self.env["res.users.apikeys"].with_user(user)
        key = keys._generate("rpc", "test", fields.Datetime.now() + timedelta(hours=1))
        self.env.flush_all()
        with mute_logger("odoo.http", "odoo.addons.base.models.ir_rule"):
            return self.url_open(
                f"/json/2/{method}",
                json=arguments,
                headers={"Authorization": f"Bearer {key}"},
            )

    def search_read(self, user, model="easycrm.email", domain=()):
        response = self.ask(user, f"{model}/search_read", domain=list(domain))
        return response

    def test_the_api_shows_what_the_level_allows(self):
        answer = self.search_read(self.jonas)
        self.assertEqual(answer.status_code, 200)
        [values] = answer.json()
        self.assertEqual(values["subject"], "Zugspitze")
        self.assertIn("Watzmann", values["body_html"])
        self.mailbox.share_level = "metadata"
        answer = self.search_read(self.jonas)
        self.assertEqual(answer.json()[0]["id"], self.email.id)
        for word in ("Zugspitze", "Watzmann"):
            self.assertNotIn(word, answer.text)
        for model in ("email.content", "email.attachment"):
            self.assertEqual(
                self.search_read(self.jonas, f"easycrm.{model}").json(), []
            )
        answer = self.ask(self.jonas, "easycrm.email/easycrm_body", ids=self.email.ids)
        self.assertNotIn("Watzmann", answer.text)

    def test_the_api_shows_nothing_of_unlinked_mail(self):
        self.email.link_ids.unlink()
        for model in ("email", "email.content", "email.participant", "email.copy"):
            for user in (self.jonas, self.sofia, self.admin):
                answer = self.search_read(user, f"easycrm.{model}")
                self.assertEqual(answer.json(), [])
        answer = self.ask(self.jonas, "easycrm.email/read", ids=self.email.ids)
        self.assertEqual(answer.status_code, 403)
        self.assertNotIn("Zugspitze", answer.text)

    def test_the_api_is_closed_to_portal_users_and_others_without_the_group(self):
        for user in (self.portal, self.ingrid):
            for method in ("email/search_read", "email.account/search_read"):
                answer = self.ask(user, f"easycrm.{method}", domain=[])
                self.assertEqual(answer.status_code, 403)
        answer = self.ask(
            self.portal, "res.partner/easycrm_timeline", ids=self.anna.ids
        )
        self.assertEqual(answer.status_code, 403)

    def test_private_methods_are_not_reached(self):
        for method in ("_fetch_files", "_render_body", "_get_share_levels"):
            answer = self.ask(self.mira, f"easycrm.email/{method}", ids=self.email.ids)
            self.assertIn(answer.status_code, (403, 404, 422))
            self.assertNotIn("Watzmann", answer.text)
