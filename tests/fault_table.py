"""What goes wrong with a mailbox × when it does, at IMAP, Gmail and Microsoft 365.

Law 5 first, then laws 1, 2 and 3. Each cell of the table is a test at each service: a
mailbox is read while something breaks at that moment, the account is looked at, the
fault is lifted, and the next runs end with exactly the mailbox's mail, once, and the
mailbox as it was.
"""

from datetime import timedelta
from typing import NamedTuple

from odoo import fields

#: Seconds to wait for the answer of a server that is to answer.
PATIENCE = 10

#: Seconds that a busy service asks to wait: more than the next step of ours.
LONG_WAIT = 600

#: In a first reading, or in a later look at a mailbox that is settled.
MOMENTS = {
    "at_sign_in": "later",
    "in_listing": "first",
    "in_mid_page": "first",
    "in_mid_look": "later",
}
EVERYWHERE = tuple(MOMENTS)
SIGNED_IN = EVERYWHERE[1:]


class After(NamedTuple):
    """What is left of an account by a run that failed.

    :ivar kind: `last_error_kind`, or False where the run did not fail
    :ivar words: from what its owner reads
    :ivar minutes: to the next attempt; None for none
    :ivar told: an activity and a banner, at once
    :ivar aside: mails that were set aside
    """

    kind: str | bool
    words: str = ""
    minutes: float | None = None
    told: bool = False
    aside: int = 0


BROKEN_OFF = After("retry", "broke off the connection", minutes=1)
NO_ANSWER = After("retry", "did not answer in time", minutes=1)
NO_PORT = After("retry", "does not answer on port", minutes=1)
NOT_THERE = After("retry", "cannot be reached", minutes=1)
NONSENSE = After("retry", "gave an answer that makes no sense", minutes=1)
BUSY = After("retry", "asks to come back later", minutes=1)
BUSY_LONG = BUSY._replace(minutes=LONG_WAIT / 60)
NO_PASSWORD = After("reconnect", "does not accept the password", told=True)
NO_GRANT = After("reconnect", "has expired or was taken back", told=True)
FORBIDDEN = After("permanent", "be read: ", told=True)
NO_FOLDER = After("gone", "The folder {folder} is not there any more.")
ONE_ASIDE = After(False, aside=1)
RESTING = After(False, minutes=LONG_WAIT / 60)
NOTHING = After(False)

#: Fault -> moment -> what it leaves. A moment that is missing makes no sense there.
ALL = {
    "reset": dict.fromkeys(EVERYWHERE, BROKEN_OFF),
    "half_answer": dict.fromkeys(EVERYWHERE, BROKEN_OFF),
    "silence": dict.fromkeys(EVERYWHERE, NO_ANSWER),
    # A connection that was open before the call is replaced within it.
    "restart": {
        "at_sign_in": BROKEN_OFF,
        "in_listing": NOTHING,
        "in_mid_page": NOTHING,
        "in_mid_look": BROKEN_OFF,
    },
    "no_such_folder": {"in_listing": NO_FOLDER, "in_mid_look": NO_FOLDER},
    "mail_late": {"in_mid_page": ONE_ASIDE, "in_mid_look": ONE_ASIDE},
    "clock_jump": dict.fromkeys(EVERYWHERE, BROKEN_OFF),
}

IMAP = ALL | {
    "refused": {"at_sign_in": NO_PORT},
    "drip": dict.fromkeys(EVERYWHERE, NO_ANSWER),
    "wrong_password": {"at_sign_in": NO_PASSWORD},
    "uidvalidity": {
        "at_sign_in": NOTHING,
        "in_listing": NOTHING,
        "in_mid_page": NOTHING,
        "in_mid_look": BROKEN_OFF,
    },
    "server_away": dict.fromkeys(EVERYWHERE, BROKEN_OFF),
}

API = ALL | {
    "refused": {"at_sign_in": NOT_THERE, "in_listing": NOT_THERE},
    "broken_json": dict.fromkeys(EVERYWHERE, NONSENSE),
    "server_error": dict.fromkeys(EVERYWHERE, BUSY),
    "too_many": dict.fromkeys(EVERYWHERE, BUSY_LONG),
    # Some mails of a batch come up against the limit: the others are stored.
    "some_too_many": {"in_mid_page": RESTING},
    "expired_token": dict.fromkeys(SIGNED_IN, NOTHING),
    "taken_back": dict.fromkeys(EVERYWHERE, NO_GRANT),
    "forbidden": dict.fromkeys(SIGNED_IN, FORBIDDEN),
    "server_away": {
        "at_sign_in": BROKEN_OFF,
        "in_listing": NOT_THERE,
        "in_mid_page": NOT_THERE,
        "in_mid_look": BROKEN_OFF,
    },
    "expired_checkpoint": {"in_mid_page": NOTHING, "in_mid_look": NOTHING},
    "mail_gone": {"in_mid_page": NOTHING, "in_mid_look": NOTHING},
    "mail_refused": {"in_mid_page": ONE_ASIDE, "in_mid_look": ONE_ASIDE},
    "mail_unreadable": {"in_mid_page": ONE_ASIDE, "in_mid_look": ONE_ASIDE},
    # A batch that never comes is fetched mail by mail.
    "batch_late": {"in_mid_page": NOTHING},
}

OUTLOOK = API

#: Gmail does not say which labels a new mail bears: it is asked for in both streams.
IN_BOTH_STREAMS = {"in_mid_page": ONE_ASIDE, "in_mid_look": After(False, aside=2)}

GMAIL = API | {
    "rate_limit": dict.fromkeys(SIGNED_IN, BUSY),
    "mail_refused": IN_BOTH_STREAMS,
    "mail_late": IN_BOTH_STREAMS,
    # Of a label that is gone the history says nothing: the daily listing does.
    "no_such_folder": {"in_listing": NO_FOLDER},
}


class FaultTable:
    """A test a cell, and what they assert. A service says how each fault is made.

    A fault is a method: it takes the pattern of what it meets, and returns how it is
    taken away where mending the line is not enough.

    :cvar table: of the service
    :cvar patterns: moment -> what is said on the line then
    :cvar impatience: seconds to wait for a server that is not to answer
    :ivar is_first: it is a first reading
    :ivar line: what breaks: a proxy, or the service itself
    :ivar before: what the mailbox holds
    :ivar folder: one of it that can be hidden
    """

    table, patterns = {}, {}
    impatience = 1.0
    moment = "in_mid_look"

    def setUp(self):
        super().setUp()
        self.patience = PATIENCE
        Account = type(self.account)
        make = Account._make_provider
        self.patch(
            Account,
            "_make_provider",
            lambda account, timeout=0: make(account, self.patience),
        )

    # --- what a service adds ---

    def fill(self):
        """Deliver to a mailbox that is new, and connect it."""
        raise NotImplementedError

    def change(self):
        """Delete, mark and deliver in a mailbox that has been read."""
        raise NotImplementedError

    def get_ready(self):
        """Do, or note, what comes before a fault is made."""

    def get_contents(self):
        """Return what the mailbox holds, for a comparison."""
        raise NotImplementedError

    def assert_mailbox_is_here(self):
        """Compare the mailbox and the database mail by mail."""
        raise NotImplementedError

    def mend(self):
        """Take the faults off the line."""
        raise NotImplementedError

    def assert_broken(self, fault):
        """Assert what else is to be seen of a fault after the run."""

    # --- the cells ---

    def check_cell(self, fault, moment):
        self.moment = moment
        self.prepare()
        self.before = self.get_contents()
        heal = getattr(self, fault)(self.patterns[moment])
        self.run_cron("_cron_backfill" if self.is_first else "_cron_sync")
        self.assertLeft(self.table[fault][moment])
        self.assert_broken(fault)
        self.mend()
        self.patience = PATIENCE
        if heal:
            heal()
        if fault != "clock_jump":
            self.let_time_pass()
        self.run_crons(2)
        self.assertMended()
        self.assert_mailbox_is_here()
        self.assertEqual(self.get_contents(), self.before, "the mailbox is as it was")

    @property
    def is_first(self):
        return MOMENTS[self.moment] == "first"

    def prepare(self):
        """Fill the mailbox; before a later look it is read, and changes after that."""
        self.fill()
        if not self.is_first:
            self.run_crons()
            self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
            self.change()
        self.get_ready()

    def run_crons(self, times=1):
        for _time in range(times):
            self.run_cron("_cron_backfill")
            self.run_cron("_cron_sync")

    def let_time_pass(self):
        """An hour: long enough for what is put off, whatever it is."""
        for name in ("next_sync_at", "folders_at"):
            if self.account[name]:
                self.account[name] -= timedelta(hours=1)

    def retry_aside(self):
        """Press Retry on what was set aside."""
        self.account.failure_ids.with_user(self.mira).action_retry()

    def clock_jump(self, pattern):
        """Ahead by two days, an error there, and back again."""
        now = fields.Datetime.now
        clock = {"ahead": timedelta(0)}
        self.patch(
            fields.Datetime, "now", staticmethod(lambda *_args: now() + clock["ahead"])
        )
        self.arm(pattern, "reset", first=lambda: clock.update(ahead=timedelta(days=2)))
        return lambda: clock.update(ahead=timedelta(0))

    def test_a_fault_that_stays_is_told_once_and_goes_by_itself(self):
        self.prepare()
        self.line.refuse()
        told = []
        for _attempt in range(6):
            self.run_crons()
            told.append((self.account.sync_status, self.account.retry_count))
            self.assertEqual(len(self.account.activity_ids), told[-1][0] == "error")
            self.let_time_pass()
        retries = [("ok", 0), ("ok", 1), ("ok", 2)]
        self.assertEqual(told, retries + [("error", 3)] * 3)
        self.line.listen()
        self.run_crons()
        self.assertMended()
        self.assert_mailbox_is_here()

    # --- what is asserted ---

    def assertLeft(self, after):
        """Assert what a failed run has left of the account."""
        account = self.account
        self.assertEqual(account.last_error_kind, after.kind, account.last_error)
        words = after.words.format(folder=self.folder)
        self.assertIn(words, account.last_error or "")
        self.assertEqual(account.retry_count, 0, "no retry was made yet")
        self.assertEqual(len(account.failure_ids), after.aside)
        if after.minutes is None:
            self.assertFalse(account.next_sync_at)
        else:
            wait = account.next_sync_at - fields.Datetime.now()
            self.assertAlmostEqual(
                wait / timedelta(minutes=after.minutes), 1, delta=0.3
            )
        status = "error" if after.told else "ok"
        is_open = self.is_first and (after.kind or after.minutes)
        if not after.told and (after.kind == "gone" or after.aside or is_open):
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


def add_cells(cls):
    """Give a class its tests, one for each cell of its table."""
    for fault, moments in cls.table.items():
        for moment in moments:

            def test(self, fault=fault, moment=moment):
                self.check_cell(fault, moment)

            test.__doc__ = f"{fault}, {moment}"
            setattr(cls, f"test_{fault}_{moment}", test)
