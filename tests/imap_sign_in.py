"""Mailboxes on a real mail server that wants a sign-in in place of a password."""

import os
import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

import trustme

from .api_mailbox import ApiMailbox
from .common import raw_mail
from .servers.dovecot import Dovecot

HOST = "localhost"


class SignedInImap(ApiMailbox):
    """Mira's mailbox is on a Dovecot that takes the tokens of a service, and nothing
    else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        root = Path(tempfile.mkdtemp(prefix="easycrm_mail"))
        cls.addClassCleanup(shutil.rmtree, root, ignore_errors=True)
        cls.authority = trustme.CA()
        certificate = cls.authority.issue_cert(HOST)
        chain, key = root / "chain", root / "key"
        chain.write_bytes(b"".join(one.bytes() for one in certificate.cert_chain_pems))
        certificate.private_key_pem.write_to_path(str(key))
        cls.authority.cert_pem.write_to_path(str(root / "ca.pem"))
        trusted = {"SSL_CERT_FILE": str(root / "ca.pem")}
        cls.startClassPatcher(patch.dict(os.environ, trusted))
        cls.dovecot = Dovecot(
            root / "d",
            {},
            tls=(chain, key),
            mechanisms=("xoauth2", "oauthbearer"),
            tokens=f"{cls.service.server.url}/introspect",
        )
        cls.dovecot.start()
        cls.addClassCleanup(cls.dovecot.stop)
        known = {"service": cls.service.provider, "password_note": ""}
        cls.startClassPatcher(
            patch.object(
                cls.env.registry["easycrm.email.account"],
                "_get_sign_in_hosts",
                lambda _accounts: {HOST: known},
            )
        )

    def setUp(self):
        super().setUp()
        for address in (self.address, f"other.{self.address}"):
            self.dovecot.add_user(address, "none at all")
        self.account.write(
            {
                "provider": "imap",
                "imap_auth": "oauth",
                "imap_host": HOST,
                "imap_port": self.dovecot.port,
                "imap_security": "starttls",
            }
        )

    def deliver(self, *subjects, sent=False, **values):
        """Mails between Mira and Anna; return their keys in the mailbox."""
        people = {"sender": self.address, "to": "anna@acme.example"}
        if not sent:
            people = {"to": self.address}
        return [
            self.dovecot.deliver(
                self.address,
                raw_mail(subject=subject, **people, **values),
                folder="Sent" if sent else "INBOX",
            )
            for subject in subjects
        ]
