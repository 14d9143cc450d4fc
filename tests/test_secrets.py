import stat
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

from odoo.tests import TransactionCase, tagged
from odoo.tools import config

from ..easycrm_mail.models import secrets


@tagged("post_install", "-at_install")
class TestSecrets(TransactionCase):
    """Passwords at rest: law 8."""

    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = Path(directory.name)
        self.patch(config, "options", {**config.options, "data_dir": directory.name})

    def connect(self):
        return self.env["easycrm.email.account"].create(
            {
                "email": "mira@own.example",
                "imap_host": "127.0.0.1",
                "imap_password": "correct horse",
            }
        )

    def test_a_password_is_not_in_the_database(self):
        account = self.connect()
        account.flush_recordset()
        self.env.cr.execute(
            "SELECT to_jsonb(a)::text FROM easycrm_email_account a WHERE id = %s",
            [account.id],
        )
        row = self.env.cr.fetchone()[0]
        self.assertNotIn("correct horse", row)
        self.assertIn("imap_secret", row)
        self.assertFalse(account.imap_password)

    def test_the_key_that_is_made_is_readable_by_its_owner_only(self):
        secrets.encrypt("anything")
        key = self.path / "easycrm_mail.key"
        self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
        self.assertEqual(list(self.path.iterdir()), [key], "no draft is left")

    def test_a_new_key_decrypts_what_the_old_one_encrypted(self):
        old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
        self.patch(config, "options", {**config.options, "easycrm_mail_key": old})
        token = secrets.encrypt("correct horse")
        self.patch(
            config, "options", {**config.options, "easycrm_mail_key": f"{new}, {old}"}
        )
        self.assertEqual(secrets.decrypt(token), "correct horse")
        self.patch(config, "options", {**config.options, "easycrm_mail_key": new})
        with self.assertRaises(secrets.UnknownKey):
            secrets.decrypt(token)

    def test_a_lost_key_asks_for_the_password_again(self):
        account = self.connect()
        (self.path / "easycrm_mail.key").unlink()
        with self.assertRaisesRegex(Exception, "Enter the password again"):
            account._make_provider()

    def test_a_neutralized_copy_signs_in_to_nobodys_mailbox(self):
        account = self.connect()
        account.write({"sync_status": "ok", "next_sync_at": "2026-11-24 09:00:00"})
        account.flush_recordset()
        script = Path(__file__).parents[1] / "data" / "neutralize.sql"
        self.env.cr.execute(script.read_text())
        account.invalidate_recordset()
        self.assertFalse(account.has_password)
        self.assertEqual(account.sync_status, "paused")
        self.assertFalse(account.next_sync_at)
