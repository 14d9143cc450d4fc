from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import MailCase


@tagged("post_install", "-at_install")
class TestConnect(MailCase):
    """What the window asks for, and what it keeps of the mailbox."""

    def setUp(self):
        super().setUp()
        self.Account = self.as_user(self.mailbox, self.mira).browse()

    def test_the_servers_of_a_common_provider_are_found(self):
        found = self.Account.connect_find_servers("Mira@GMX.de")
        self.assertEqual(found["imap_host"], "imap.gmx.net")
        self.assertEqual(
            (found["smtp_port"], found["smtp_security"]), (587, "starttls")
        )
        for address in ("mira@chairs.example", "gmx.de", "", None):
            self.assertFalse(self.Account.connect_find_servers(address))

    def test_every_known_server_can_be_entered(self):
        known = self.Account._get_known_servers()
        self.assertGreaterEqual(len(known), 20)
        for domain, values in known.items():
            note = values.get("password_note")
            self.assertIn(note, (None, "app", "enable", "own"), domain)
            values = {k: v for k, v in values.items() if k != "password_note"}
            account = self.Account.create({"email": f"a@{domain}", **values})
            self.assertEqual(account.imap_security, "ssl")
            self.assertNotEqual(account.smtp_security, "none")

    def test_a_new_mailbox_leaves_out_what_looks_private(self):
        values = self.Account.connect_save({"email": "new@ours.example"})
        self.assertIs(values["ignore_private"], True)
        self.assertIn("ignore_private", self.Account.connect_get_options()["fields"])
        self.assertFalse(
            self.mailbox.ignore_private, "one that is here goes on as it was"
        )

    def test_the_same_address_goes_on_with_the_same_draft(self):
        first = self.Account.connect_save({"email": "Mira2@ours.example"})
        again = self.Account.connect_save(
            {"email": "mira2@ours.example", "imap_host": "imap.ours.example"}
        )
        self.assertEqual(first["id"], again["id"])
        self.assertEqual(again["step"], "sign_in")

    def test_only_what_it_asks_for_is_written(self):
        for values in (
            {"user_id": self.jonas.id},
            {"sync_status": "ok"},
            {"connect_state": {}},
            {"alias_emails": "a@b.example"},
        ):
            with self.assertRaises(AccessError):
                self.Account.connect_save({"email": "mira2@ours.example", **values})
        with self.assertRaises(UserError):
            self.Account.connect_save({"email": "anna@acme.example"})

    def test_another_server_forgets_the_password(self):
        values = {"email": "mira2@ours.example", "imap_host": "imap.ours.example"}
        saved = self.Account.connect_save({**values, "imap_password": "secret"})
        self.assertTrue(saved["is_signed_in"])
        account = self.Account.browse(saved["id"])
        saved = account.connect_save({"imap_host": "imap.far.example"})
        self.assertFalse(saved["is_signed_in"])

    def test_a_level_above_the_limit_is_not_taken(self):
        saved = self.Account.connect_save({"email": "mira2@ours.example"})
        account = self.Account.browse(saved["id"])
        params = self.env["ir.config_parameter"].sudo()
        for limit, levels in (
            ("everything", ["everything", "subject", "metadata"]),
            ("subject", ["subject", "metadata"]),
            ("metadata", ["metadata"]),
            ("a slip", ["metadata"]),
        ):
            params.set_param("easycrm_mail.share_limit", limit)
            self.assertEqual(self.Account.connect_get_options()["share_levels"], levels)
            account.connect_leave("look", {"share_level": "everything"})
            self.assertEqual(account.share_level, levels[0])

    def test_what_is_offered_says_what_is_set_up(self):
        options = self.Account.connect_get_options()
        self.assertEqual(options["services"], {"gmail": False, "outlook": False})
        self.assertEqual(options["email"], "mira@ours.example")
        self.assertEqual(options["left"], [])
