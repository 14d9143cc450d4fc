"""IMAP's table of faults: a real mailbox, read through a proxy that breaks the line.

The table, and what each cell asserts, stand in `fault_table`.
"""

import re
from datetime import datetime, timezone
from email import message_from_bytes

from odoo.tests import TransactionCase, tagged

from .fault_table import IMAP, FaultTable, add_cells
from .mailbox import PASSWORD, RealMailbox
from .servers.fault_proxy import FaultProxy


class Faults:
    """How each fault is made, and taken away again."""

    def arm(self, command, fault="", **kwargs):
        self.proxy.spring(command, fault, **kwargs)

    def refused(self, command):
        self.proxy.refuse()
        return self.proxy.listen

    def reset(self, command):
        self.arm(command, "reset", after=60)

    def half_answer(self, command):
        self.arm(command, "close", after=30)

    def silence(self, command):
        self.patience = self.impatience
        self.arm(command, "silence", after=30)

    def drip(self, command):
        self.patience = self.impatience
        self.arm(
            command, first=lambda: setattr(self.proxy, "drip", self.impatience / 4)
        )

    def mail_late(self, command):
        self.patience = self.impatience
        subject = "Number 3" if self.is_first else "Later"
        self.proxy.stall_at = f"Subject: {subject}\r\n".encode()
        return self.retry_aside

    def wrong_password(self, command):
        self.server.set_password(self.login, "another")

        def heal():
            self.server.set_password(self.login, PASSWORD)
            self.account.with_user(self.mira).imap_password = PASSWORD

        return heal

    def no_such_folder(self, command):
        def hide():
            self.server.hide_folder(self.login, self.folder)

        command = b'EXAMINE "Sent"' if self.is_first else b'STATUS "Sent"'
        self.arm(command, first=hide, times=1)
        return lambda: self.server.show_folder(self.login, self.folder)

    def uidvalidity(self, command):
        self.arm(command, first=lambda: self.server.recreate(self.login), times=1)

    def restart(self, command):
        self.arm(command, first=self.server.restart, times=1)

    def server_away(self, command):
        self.arm(command, first=self.server.kill, times=1)
        return self.server.restart


@tagged("post_install", "-at_install")
class TestSyncFaults(Faults, FaultTable, RealMailbox, TransactionCase):
    """The table, a test a cell."""

    allow_inherited_tests_method = True
    table = IMAP
    patterns = {
        "at_sign_in": b"AUTHENTICATE",
        "in_listing": b"SEARCH",
        "in_mid_page": b"BODY.PEEK[]",
        "in_mid_look": b"CHANGEDSINCE",
    }
    folder = "Sent"

    def setUp(self):
        super().setUp()
        self.proxy = self.line = FaultProxy(self.server.host, self.server.port)
        self.addCleanup(self.proxy.close)
        self.account.imap_port = self.proxy.port
        self.account.imap_password = PASSWORD

    def fill(self):
        date = datetime.now(timezone.utc)
        self.deliver(*(f"Number {number}" for number in range(6)), date=date)
        answer = {"sender": self.account.email, "to": "anna@acme.example"}
        self.deliver("Answer", folder="Sent", date=date, **answer)
        self.server.mark(self.login, self.server.keys(self.login)[0])
        self.gone = set()
        self.account.with_user(self.mira).action_sync_now()

    def change(self):
        keys = self.server.keys(self.login)
        self.gone = {self.get_id(self.server.held(self.login)[keys[1]][0])}
        self.server.remove(self.login, keys[1])
        self.server.mark(self.login, keys[2])
        self.deliver("Later", date=datetime.now(timezone.utc))

    def mend(self):
        self.proxy.heal()

    def assert_broken(self, fault):
        if fault not in ("refused", "wrong_password", "mail_late"):
            self.assertTrue(self.proxy.sprung, "the fault did happen")

    def get_id(self, raw):
        return message_from_bytes(raw)["Message-ID"]

    def get_contents(self):
        """Return the mails and their marks, of which none may change."""
        return {
            (folder, re.sub(r":2,$", "", name))
            for folder in ("INBOX", "Sent")
            for _directory, name, _time in self.server.snapshot(self.login, folder)
        }

    def assert_mailbox_is_here(self):
        """Compare the mailbox and the database mail by mail."""
        everything = set()
        for folder in ("INBOX", "Sent"):
            held = [
                (self.get_id(raw), seen)
                for raw, seen in self.server.held(self.login, folder).values()
            ]
            places = self.env["easycrm.email.location"].search(
                [("account_id", "=", self.account.id), ("stream", "=", folder)]
            )
            self.assertEqual(
                sorted(
                    (p.copy_id.email_id.message_id, p.copy_id.is_read) for p in places
                ),
                sorted(held),
            )
            everything |= {message_id for message_id, _seen in held}
        copies = self.env["easycrm.email.copy"].search(
            [("account_id", "=", self.account.id)]
        )
        self.assertEqual(
            sorted(copies.email_id.mapped("message_id")),
            sorted(everything | self.gone),
        )
        self.assertEqual(len(copies), len(everything | self.gone))
        removed = copies.filtered("removed_at").email_id
        self.assertEqual(set(removed.mapped("message_id")), self.gone)
        for email in copies.email_id:
            self.assertEqual(len(email.link_ids), 1)
            self.assertTrue(email.sudo().subject)


add_cells(TestSyncFaults)
