"""What a mail takes along by showing it: what its writer has put in, and no more."""

from unittest.mock import patch

from odoo.tests import tagged

from .common import PNG, MailCase
from .sending_case import OutgoingFixtures


@tagged("post_install", "-at_install")
class TestSendImages(OutgoingFixtures, MailCase):
    def add_file(self, name="plan.png", content=PNG, **vals):
        """Return a document of Anna's, which Mira may read."""
        vals = {"res_model": "res.partner", "res_id": self.anna.id, **vals}
        if content:
            vals["raw"] = content
        return self.env["ir.attachment"].create({"name": name, **vals})

    def make(self, **vals):
        """Return the mail that leaves, of what Mira has written."""
        mail = self.write_mail(**vals)
        mail.action_queue()
        return mail.sudo()._make_draft()

    def get_own_url(self, file):
        return f"{self.mailbox.get_base_url()}/web/image/{file.id}-a1b2/plan.png?x=1"

    def test_who_is_answered_gets_no_file_that_his_own_mail_names(self):
        file = self.add_file()
        path = f"/web/image/{file.id}"
        for text in (
            f"See https://x/web/image/{file.id}",
            f'<a href="https://x/web/image/{file.id}">here</a>',
            f'<a href="{path}">here</a> {path}',
            f'<img src="{path}">',
            f'<img src="{self.get_own_url(file)}">',
        ):
            with self.subTest(text=text):
                self.assertFalse(self.make(quoted_html=f"<p>{text}</p>").files)

    def test_a_text_that_speaks_of_a_file_does_not_take_it(self):
        file = self.add_file()
        path = f"/web/image/{file.id}"
        for text in (path, f'<a href="{path}">here</a>', f'<img alt="{path}">'):
            with self.subTest(text=text):
                self.assertFalse(self.make(body=f"<p>{text}</p>").files)

    def test_the_image_of_another_server_stays_one(self):
        file = self.add_file()
        url = f"https://their.odoo.example/web/image/{file.id}-a1b2/logo.png"
        for name in ("body", "quoted_html"):
            with self.subTest(part=name):
                draft = self.make(**{name: f'<p>Hello<img src="{url}"></p>'})
                self.assertFalse(draft.files)
                self.assertIn(f'src="{url}"', draft.html)

    def test_an_image_of_this_server_goes_along_by_whichever_address(self):
        file = self.add_file()
        for source in (f"/web/image/{file.id}-a1b2/plan.png", self.get_own_url(file)):
            with self.subTest(source=source):
                draft = self.make(body=f'<p>Hello<img src="{source}"></p>')
                [shown] = draft.files
                self.assertEqual(shown.data, PNG)
                self.assertIn(f'src="cid:{shown.content_id}"', draft.html)

    def test_an_image_goes_along_by_the_address_of_its_record(self):
        file, base = self.add_file(), "https://shop.example"
        body = f'<p>Hello<img src="{base}/web/image/{file.id}-a1b2/plan.png"></p>'
        with patch.object(type(self.lead), "get_base_url", return_value=base):
            draft = self.make(body=body, lead_id=self.lead.id)
        self.assertEqual([shown.data for shown in draft.files], [PNG])

    def test_what_is_no_image_is_not_taken_as_one(self):
        file = self.add_file("salaries.txt", b"Mira: 1")
        draft = self.make(body=f'<p>Hello<img src="/web/image/{file.id}"></p>')
        self.assertFalse(draft.files)
        self.assertNotIn("/web/image", draft.html)

    def test_a_number_that_no_file_can_have_is_none(self):
        for number in ("9" * 10, "9" * 5000):
            with self.subTest(digits=len(number)):
                body = f'<p>Hello<img src="/web/image/{number}"></p>'
                self.assertFalse(self.make(body=body, quoted_html=body).files)

    def test_an_image_that_is_kept_as_an_address_leaves_as_that(self):
        url = "https://pictures.example/chair.png"
        file = self.add_file("chair.png", b"", type="url", url=url)
        source = f"/web/image/{file.id}-redirect/chair.png"
        mail = self.write_mail(body=f'<p>Hello<img src="{source}"></p>')
        mail.attachment_ids = file.with_user(self.mira)
        mail.action_queue()
        draft = mail.sudo()._make_draft()
        self.assertFalse(draft.files)
        self.assertIn(f'src="{url}"', draft.html)

    def test_what_is_taken_back_still_shows_its_images(self):
        file = self.add_file()
        body = f'<p>One &amp; two<img src="/web/image/{file.id}"></p><p>three</p>'
        mail = self.write_mail(body=body)
        for _time in range(2):
            mail.action_queue()
            [kept] = mail.sudo().attachment_ids
            self.assertEqual(mail.body, body.replace(f"/{file.id}", f"/{kept.id}"))
            mail.action_undo()
        again = mail.sudo()._repeat()
        [copied] = again.attachment_ids
        self.assertEqual(again.body, body.replace(f"/{file.id}", f"/{copied.id}"))
