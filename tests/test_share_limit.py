"""What mailboxes share when they are new, and what they may share at most."""

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

from .common import MailCase
from .settings_case import SettingsCase


@tagged("post_install", "-at_install")
class TestShareLimit(SettingsCase, MailCase):
    def connect_anew(self, **values):
        return self.as_user(self.env["easycrm.email.account"], self.jonas).create(
            {"email": "new@ours.example", "imap_host": "imap.ours.example", **values}
        )

    def test_before_anything_is_set_everything_is_shared(self):
        self.assertEqual(self.read()["share_limit"], "everything")
        self.assertEqual(self.read()["share_default"], "everything")
        self.assertEqual(self.connect_anew().share_level, "everything")
        self.assertFalse(self.mailbox.share_notice)

    def test_a_new_mailbox_begins_with_the_default(self):
        self.save(share_default="subject")
        self.assertEqual(self.read()["share_default"], "subject")
        account = self.connect_anew()
        self.assertEqual(account.share_level, "subject")
        account.share_level = "everything"
        self.assertEqual(account.share_level, "everything")

    def test_a_default_beyond_the_limit_is_the_limit(self):
        self.save(share_default="everything", share_limit="metadata")
        self.assertEqual(self.read()["share_default"], "metadata")
        self.assertEqual(self.connect_anew().share_level, "metadata")

    def test_lowering_the_limit_on_the_page_lowers_the_default(self):
        with Form(self.env["res.config.settings"].with_user(self.admin)) as form:
            form.easycrm_share_limit = "subject"
            self.assertEqual(form.easycrm_share_default, "subject")

    def test_nothing_beyond_the_limit_is_chosen(self):
        self.save(share_limit="subject")
        mailbox = self.as_user(self.mailbox, self.mira)
        mailbox.share_level = "metadata"
        mailbox.share_level = "subject"
        for call in (
            lambda: mailbox.write({"share_level": "everything"}),
            lambda: self.connect_anew(share_level="everything"),
        ):
            with self.assertRaisesRegex(ValidationError, "Subject, who and when"):
                call()

    def test_a_mailbox_beyond_the_limit_is_held_to_it_at_once(self):
        email = self.receive(self.mailbox)
        for limit in ("subject", "metadata", "subject", "everything"):
            self.save(share_limit=limit)
            with self.subTest(limit=limit):
                self.assertVisible(self.jonas, email, limit)
                self.assertVisible(self.mira, email, "everything")
                self.assertEqual(self.mailbox.share_level, "everything")
                [line] = self.read_timeline(self.anna, self.jonas)
                self.assertEqual(line["level"], limit)

    def test_the_limit_does_not_share_more_than_the_owner(self):
        email = self.receive(self.mailbox)
        self.mailbox.share_level = "metadata"
        self.save(share_limit="subject")
        self.assertVisible(self.jonas, email, "metadata")

    def test_a_mailbox_beyond_the_limit_is_changed_otherwise(self):
        self.save(share_limit="subject")
        mailbox = self.as_user(self.mailbox, self.mira)
        self.assertIn("what colleagues see", mailbox.share_notice)
        with Form(mailbox) as form:
            form.member_ids.add(self.leonie)
        self.assertEqual(self.mailbox.share_level, "everything")
        self.assertEqual(self.mailbox.member_ids, self.leonie)

    def test_a_limit_that_is_none_is_the_strictest(self):
        email = self.receive(self.mailbox)
        params = self.env["ir.config_parameter"]
        params.set_param("easycrm_mail.share_limit", "all")
        self.assertVisible(self.jonas, email, "metadata")

    def test_only_an_administrator_of_the_system_sets_it(self):
        Settings = self.env["res.config.settings"]
        for user in (self.mira, self.sofia):
            with self.assertRaises(AccessError):
                Settings.with_user(user).create(
                    {"easycrm_share_limit": "everything"}
                ).execute()
