"""What goes wrong with a mailbox × when it does: law 5 first, then laws 1 and 3.

Each cell of the table is a test: a real mailbox is read through a proxy that breaks the
line at that moment, the account is looked at, the fault is lifted, and the next runs
end with exactly the mailbox's mail, once, and the mailbox as it was.
"""

import re
from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from typing import NamedTuple

from odoo import fields
from odoo.tests import TransactionCase, tagged

from .mailbox import PASSWORD, RealMailbox
from .servers.fault_proxy import FaultProxy

#: Seconds to wait for an answer: of a server that is to answer, and of one that is not.
PATIENCE, IMPATIENCE = 10, 1.0

#: When -> the command that springs the trap, in a first reading or in a later look.
MOMENTS = {
    "at_sign_in": (b"AUTHENTICATE", "later"),
    "in_listing": (b"SEARCH", "first"),
    "in_mid_page": (b"BODY.PEEK[]", "first"),
    "in_mid_look": (b"CHANGEDSINCE", "later"),
}
EVERYWHERE = tuple(MOMENTS)


class After(NamedTuple):
    """What is left of an account by a run that failed.

    :ivar kind: `last_error_kind`, or False where the run did not fail
    :ivar words: from what its owner reads
    :ivar minutes: to the next attempt; None for none
    :ivar told: an activity and a banner, at once
    """

    kind: str | bool
    words: str = ""
    minutes: int | None = None
    told: bool = False


BROKEN_OFF = After("retry", "broke off the connection", minutes=1)
NO_ANSWER = After("retry", "did not answer in time", minutes=1)
NOT_THERE = After("retry", "does not answer on port", minutes=1)
NO_PASSWORD = After("reconnect", "does not accept the password", told=True)
NO_FOLDER = After("gone", "The folder Sent is not there any more.")
NOTHING = After(False)

#: Fault -> moment -> what it leaves. A moment that is missing makes no sense there.
TABLE = {
    "refused": {"at_sign_in": NOT_THERE},
    "reset": dict.fromkeys(EVERYWHERE, BROKEN_OFF),
    "half_answer": dict.fromkeys(EVERYWHERE, BROKEN_OFF),
    "silence": dict.fromkeys(EVERYWHERE, NO_ANSWER),
    "drip": dict.fromkeys(EVERYWHERE, NO_ANSWER),
    "wrong_password": {"at_sign_in": NO_PASSWORD},
    "no_such_folder": {"in_listing": NO_FOLDER, "in_mid_look": NO_FOLDER},
    # A connection that was open before the call is replaced within it.
    "uidvalidity": {
        "at_sign_in": NOTHING,
        "in_listing": NOTHING,
        "in_mid_page": NOTHING,
        "in_mid_look": BROKEN_OFF,
    },
    "restart": {
        "at_sign_in": BROKEN_OFF,
        "in_listing": NOTHING,
        "in_mid_page": NOTHING,
        "in_mid_look": BROKEN_OFF,
    },
    "server_away": dict.fromkeys(EVERYWHERE, BROKEN_OFF),
    "clock_jump": dict.fromkeys(EVERYWHERE, BROKEN_OFF),
}


class Faults:
    """How each fault is made, and taken away again."""

    def refused(self, command):
        self.proxy.refuse()
        return self.proxy.listen

    def reset(self, command):
        self.proxy.spring(command, "reset", after=60)

    def half_answer(self, command):
        self.proxy.spring(command, "close", after=30)

    def silence(self, command):
        self.patience = IMPATIENCE
        self.proxy.spring(command, "silence", after=30)

    def drip(self, command):
        self.patience = IMPATIENCE
        self.proxy.spring(
            command, first=lambda: setattr(self.proxy, "drip", IMPATIENCE / 4)
        )

    def wrong_password(self, command):
        self.server.set_password(self.login, "another")

        def mend():
            self.server.set_password(self.login, PASSWORD)
            self.account.with_user(self.mira).imap_password = PASSWORD

        return mend

    def no_such_folder(self, command):
        def hide():
            self.server.hide_folder(self.login, "Sent")

        command = b'EXAMINE "Sent"' if self.is_first else b'STATUS "Sent"'
        self.proxy.spring(command, first=hide, times=1)
        return lambda: self.server.show_folder(self.login, "Sent")

    def uidvalidity(self, command):
        self.proxy.spring(
            command, first=lambda: self.server.recreate(self.login), times=1
        )

    def restart(self, command):
        self.proxy.spring(command, first=self.server.restart, times=1)

    def server_away(self, command):
        self.proxy.spring(command, first=self.server.kill, times=1)
        return self.server.restart

    def clock_jump(self, command):
        """Ahead by two days, an error there, and back again."""
        now = fields.Datetime.now
        clock = {"ahead": timedelta(0)}
        self.patch(
            fields.Datetime, "now", staticmethod(lambda *_args: now() + clock["ahead"])
        )
        self.proxy.spring(
            command, "reset", first=lambda: clock.update(ahead=timedelta(days=2))
        )
        return lambda: clock.update(ahead=timedelta(0))


@tagged("post_install", "-at_install")
class TestSyncFaults(Faults, RealMailbox, TransactionCase):
    """The table, a test a cell."""

    def setUp(self):
        super().setUp()
        self.proxy = FaultProxy(self.server.host, self.server.port)
        self.addCleanup(self.proxy.close)
        self.account.imap_port = self.proxy.port
        self.account.imap_password = PASSWORD
        self.patience = PATIENCE
        make = type(self.account)._make_provider
        self.patch(
            type(self.account),
            "_make_provider",
            lambda account, timeout=0: make(account, self.patience),
        )

    def check_cell(self, fault, moment):
        command, reading = MOMENTS[moment]
        self.is_first = reading == "first"
        self.prepare()
        before = self.get_flags()
        mend = getattr(self, fault)(command)
        self.run_crons(1)
        if fault not in ("refused", "wrong_password"):
            self.assertTrue(self.proxy.sprung, "the fault did happen")
        self.assertLeft(TABLE[fault][moment])
        self.proxy.heal()
        self.patience = PATIENCE
        if mend:
            mend()
        if fault != "clock_jump":
            self.let_time_pass()
        self.run_crons(2)
        self.assertMended()
        self.assertMailboxIsHereOnce()
        self.assertEqual(self.get_flags(), before, "the mailbox is as it was")

    def prepare(self):
        """Fill the mailbox; before a later look it is read, and changes after that."""
        date = datetime.now(timezone.utc)
        self.deliver(*(f"Number {number}" for number in range(6)), date=date)
        answer = {"sender": self.account.email, "to": "anna@acme.example"}
        self.deliver("Answer", folder="Sent", date=date, **answer)
        keys = self.server.keys(self.login)
        self.server.mark(self.login, keys[0])
        self.gone = set()
        self.account.with_user(self.mira).action_sync_now()
        if self.is_first:
            return
        self.run_crons(1)
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.gone = {self.get_id(self.server.held(self.login)[keys[1]][0])}
        self.server.remove(self.login, keys[1])
        self.server.mark(self.login, keys[2])
        self.deliver("Later", date=date)

    def run_crons(self, times):
        for _time in range(times):
            self.run_cron("_cron_backfill")
            self.run_cron("_cron_sync")

    def let_time_pass(self):
        """An hour: long enough for what is put off, whatever it is."""
        for name in ("next_sync_at", "folders_at"):
            if self.account[name]:
                self.account[name] -= timedelta(hours=1)

    def test_a_fault_that_stays_is_told_once_and_goes_by_itself(self):
        self.is_first = False
        self.prepare()
        self.proxy.refuse()
        told = []
        for _attempt in range(6):
            self.run_crons(1)
            told.append((self.account.sync_status, self.account.retry_count))
            self.assertEqual(len(self.account.activity_ids), told[-1][0] == "error")
            self.let_time_pass()
        retries = [("ok", 0), ("ok", 1), ("ok", 2)]
        self.assertEqual(told, retries + [("error", 3)] * 3)
        self.proxy.listen()
        self.run_crons(1)
        self.assertMended()
        self.assertMailboxIsHereOnce()

    # --- the mailbox ---

    def get_id(self, raw):
        return message_from_bytes(raw)["Message-ID"]

    def get_flags(self):
        return {
            (folder, re.sub(r":2,$", "", name))
            for folder in ("INBOX", "Sent")
            for _directory, name, _time in self.server.snapshot(self.login, folder)
        }

    # --- what is asserted ---

    def assertLeft(self, after):
        """Assert what a failed run has left of the account."""
        account = self.account
        self.assertEqual(account.last_error_kind, after.kind, account.last_error)
        self.assertIn(after.words, account.last_error or "")
        self.assertEqual(account.retry_count, 0, "no retry was made yet")
        if after.minutes is None:
            self.assertFalse(account.next_sync_at)
        else:
            wait = account.next_sync_at - fields.Datetime.now()
            self.assertAlmostEqual(
                wait / timedelta(minutes=after.minutes), 1, delta=0.3
            )
        status = "error" if after.told else "ok"
        if not after.told and (after.kind == "gone" or self.is_first and after.kind):
            status = "incomplete"
        self.assertEqual(account.sync_status, status)
        self.assertEqual(bool(account.activity_ids), after.told)
        notices = self.anna.with_user(self.mira).easycrm_timeline()["notices"]
        self.assertEqual(bool(notices), after.told)

    def assertMended(self):
        account = self.account
        self.assertEqual(account.sync_status, "ok", account.last_error)
        self.assertFalse(account.last_error)
        self.assertFalse(account.retry_count)
        self.assertFalse(account.next_sync_at)
        self.assertFalse(account.activity_ids)
        self.assertFalse(account.failure_ids, "no mail is to blame")

    def assertMailboxIsHereOnce(self):
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


def _add_cells():
    for fault, moments in TABLE.items():
        for moment in moments:

            def test(self, fault=fault, moment=moment):
                self.check_cell(fault, moment)

            test.__doc__ = f"{fault}, {moment}"
            setattr(TestSyncFaults, f"test_{fault}_{moment}", test)


_add_cells()
