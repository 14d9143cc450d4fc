import shutil
import tempfile
from pathlib import Path

from .common import MailFixtures, raw_mail
from .servers.dovecot import Dovecot
from .servers.smtp_sink import SmtpSink

PASSWORD = "pass wörd"

#: A mailbox for each test: an empty one, without starting the server again.
LOGINS = [f"mira{number}" for number in range(40)]


class RealMailbox(MailFixtures):
    """Mira has a mailbox on a real Dovecot, an empty one for each test."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        root = Path(tempfile.mkdtemp(prefix="easycrm_mail"))
        cls.addClassCleanup(shutil.rmtree, root, ignore_errors=True)
        cls.server = Dovecot(root, dict.fromkeys(LOGINS, PASSWORD))
        cls.server.start()
        cls.logins = iter(LOGINS)
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        super().setUp()
        self.login = next(self.logins)
        (self.mailbox | self.jonas_mailbox).sync_status = "paused"
        self.account = self.env["easycrm.email.account"].create(
            {
                "email": "mira.real@ours.example",
                "user_id": self.mira.id,
                "imap_host": self.server.host,
                "imap_port": self.server.port,
                "imap_security": "none",
                "imap_login": self.login,
                "imap_password": PASSWORD,
            }
        )

    def connect_smtp(self):
        """Have the mailbox send through a real SMTP server, `sink`."""
        self.sink = self.enterContext(SmtpSink({self.login: PASSWORD}))
        # (the password is forgotten when its servers change)
        self.account.write(
            {
                "smtp_host": self.sink.host,
                "smtp_port": self.sink.port,
                "smtp_security": "none",
                "imap_password": PASSWORD,
            }
        )

    def deliver(self, *subjects, folder="INBOX", **values):
        values.setdefault("to", self.account.email)
        for subject in subjects:
            raw = raw_mail(subject=subject, **values)
            self.server.deliver(self.login, raw, folder=folder)

    def start(self):
        self.account.with_user(self.mira).action_sync_now()
        self.run_cron("_cron_backfill")
