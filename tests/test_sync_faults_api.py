"""What goes wrong with Gmail and Microsoft 365 × when it does: laws 5, 1 and 3.

Each cell of the tables is a test: a mailbox on a loopback service is read while the
service breaks at that moment, the account is looked at, the fault is lifted, and the
next runs end with exactly the mailbox's mail, once, and the mailbox as it was. IMAP has
a table of its own, in `test_sync_faults`.
"""

import re
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import quote

from odoo import fields
from odoo.tests import TransactionCase, tagged

from ..easycrm_mail.providers import gmail_page
from .api_mailbox import ApiMailbox, GmailService, OutlookService
from .common import MailFixtures, raw_mail
from .servers.gmail_answers import refusal as gmail_refusal
from .servers.graph import Refusal
from .servers.web import Answer

#: Seconds to wait for an answer: of a server that is to answer, and of one that is not.
PATIENCE, IMPATIENCE = 10, 0.6

#: Seconds that a busy service asks to wait: more than the next step of ours.
LONG_WAIT = 600

#: In a first reading, or in a later look at a mailbox that is settled.
MOMENTS = {
    "at_token": "later",
    "in_listing": "first",
    "in_mid_page": "first",
    "in_mid_look": "later",
}
EVERYWHERE = tuple(MOMENTS)
AFTER_TOKEN = EVERYWHERE[1:]


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
    minutes: int | None = None
    told: bool = False
    aside: int = 0


BROKEN_OFF = After("retry", "broke off the connection", minutes=1)
NO_ANSWER = After("retry", "did not answer in time", minutes=1)
NOT_THERE = After("retry", "cannot be reached", minutes=1)
NONSENSE = After("retry", "gave an answer that makes no sense", minutes=1)
BUSY = After("retry", "asks to come back later", minutes=1)
BUSY_LONG = BUSY._replace(minutes=LONG_WAIT / 60)
NO_GRANT = After("reconnect", "has expired or was taken back", told=True)
FORBIDDEN = After("permanent", "be read: ", told=True)
NO_FOLDER = After("gone", "The folder Customers is not there any more.")
ONE_ASIDE = After(False, aside=1)
RESTING = After(False, minutes=LONG_WAIT / 60)
NOTHING = After(False)

#: Fault -> moment -> what it leaves. A moment that is missing makes no sense there.
BOTH = {
    "refused": {"at_token": NOT_THERE, "in_listing": NOT_THERE},
    "reset": dict.fromkeys(EVERYWHERE, BROKEN_OFF),
    "half_answer": dict.fromkeys(EVERYWHERE, BROKEN_OFF),
    "broken_json": dict.fromkeys(EVERYWHERE, NONSENSE),
    "silence": dict.fromkeys(EVERYWHERE, NO_ANSWER),
    "server_error": dict.fromkeys(EVERYWHERE, BUSY),
    "too_many": dict.fromkeys(EVERYWHERE, BUSY_LONG),
    "expired_token": dict.fromkeys(AFTER_TOKEN, NOTHING),
    "taken_back": dict.fromkeys(EVERYWHERE, NO_GRANT),
    "forbidden": dict.fromkeys(AFTER_TOKEN, FORBIDDEN),
    # A connection that was open before the call is replaced within it.
    "restart": {
        "at_token": BROKEN_OFF,
        "in_listing": NOTHING,
        "in_mid_page": NOTHING,
        "in_mid_look": BROKEN_OFF,
    },
    "server_away": {
        "at_token": BROKEN_OFF,
        "in_listing": NOT_THERE,
        "in_mid_page": NOT_THERE,
        "in_mid_look": BROKEN_OFF,
    },
    "expired_checkpoint": {"in_mid_page": NOTHING, "in_mid_look": NOTHING},
    "no_such_folder": {"in_listing": NO_FOLDER, "in_mid_look": NO_FOLDER},
    "mail_gone": {"in_mid_page": NOTHING, "in_mid_look": NOTHING},
    "mail_refused": {"in_mid_page": ONE_ASIDE, "in_mid_look": ONE_ASIDE},
    "mail_unreadable": {"in_mid_page": ONE_ASIDE, "in_mid_look": ONE_ASIDE},
    "clock_jump": dict.fromkeys(EVERYWHERE, BROKEN_OFF),
}

GMAIL = BOTH | {
    # Some mails of a batch come up against the limit: the others are stored.
    "some_too_many": {"in_mid_page": RESTING},
    "rate_limit": dict.fromkeys(AFTER_TOKEN, BUSY),
    # Gmail does not say which labels a new mail bears: it is asked for in both streams.
    "mail_refused": {"in_mid_page": ONE_ASIDE, "in_mid_look": After(False, aside=2)},
    # Of a label that is gone the history says nothing: the daily listing does.
    "no_such_folder": {"in_listing": NO_FOLDER},
}

OUTLOOK = BOTH | {
    "some_too_many": {"in_mid_page": RESTING},
}


class Faults:
    """How each fault is made, and taken away again.

    :param pattern: of the request that it meets
    """

    def arm(self, pattern, kind, times=99, **kwargs):
        after = 1 if self.moment == "in_mid_page" else 0
        self.server.break_(pattern, kind, times=times, after=after, **kwargs)

    def refused(self, pattern):
        self.server.refuse()
        return self.server.listen

    def reset(self, pattern):
        self.arm(pattern, "reset")

    def half_answer(self, pattern):
        self.arm(pattern, "half")

    def broken_json(self, pattern):
        self.arm(self.any_mail if self.moment == "in_mid_page" else pattern, "broken")

    def silence(self, pattern):
        self.patience = IMPATIENCE
        self.arm(pattern, "slow", seconds=30)

    def server_error(self, pattern):
        self.arm(pattern, "answer", answer=Answer({"error": "unavailable"}, 503))

    def too_many(self, pattern):
        self.arm(pattern, "answer", answer=self.refusal(429))

    def some_too_many(self, pattern):
        ref = self.refs[0]
        self.server.break_(
            self.of_mail(ref), "answer", answer=self.refusal(429), times=99
        )

    def rate_limit(self, pattern):
        self.arm(pattern, "answer", answer=self.refusal(403, "rateLimitExceeded"))

    def forbidden(self, pattern):
        self.arm(pattern, "answer", answer=self.refusal(403))
        return self.account.with_user(self.mira).action_sync_now

    def expired_token(self, pattern):
        self.arm(pattern, "none", times=1, first=self.service.expire_tokens)

    def taken_back(self, pattern):
        self.arm(pattern, "none", times=1, first=self.service.revoke)
        return lambda: self.assertFalse(self.sign_in())

    def restart(self, pattern):
        self.arm(pattern, "none", times=1, first=self.server.restart)

    def server_away(self, pattern):
        self.arm(pattern, "none", times=1, first=self.server.refuse)
        return self.server.listen

    def expired_checkpoint(self, pattern):
        if self.is_first:
            pattern = self.patterns["in_listing"]
        self.arm(
            pattern,
            "none",
            times=1,
            first=lambda: self.service.expire_checkpoint(self.address),
        )

    def no_such_folder(self, pattern):
        hidden = []

        def hide():
            hidden.append(self.service.hide_folder(self.address, self.folder))

        pattern = self.of_folder if self.is_first else pattern
        self.server.break_(pattern, "none", first=hide)
        return lambda: self.service.show_folder(self.address, hidden[0])

    def mail_gone(self, pattern):
        pattern = pattern if self.is_first else self.of_mail(self.refs[-1])

        def delete():
            self.service.delete(self.address, self.refs[-1 if self.later else 0])
            self.before = self.service.contents(self.address)

        self.arm(pattern, "none", times=1, first=delete)

    def mail_refused(self, pattern):
        ref = self.refs[-1 if self.later else 0]
        self.server.break_(
            self.of_mail(ref), "answer", answer=self.refusal(500), times=99
        )
        return lambda: self.account.failure_ids.with_user(self.mira).action_retry()

    def mail_unreadable(self, pattern):
        """It cannot be parsed, until we can do that."""
        ref = self.service.deliver(self.address, b"\r\n")
        self.before = self.service.contents(self.address)

        def repair():
            raw = raw_mail(subject="Repaired", to=self.address)
            self.service.replace(self.address, ref, raw)
            self.before = self.service.contents(self.address)
            self.account.failure_ids.with_user(self.mira).action_retry()

        return repair

    def clock_jump(self, pattern):
        """Ahead by two days, an error there, and back again."""
        now = fields.Datetime.now
        clock = {"ahead": timedelta(0)}
        self.patch(
            fields.Datetime, "now", staticmethod(lambda *_args: now() + clock["ahead"])
        )

        def jump():
            clock["ahead"] = timedelta(days=2)

        self.arm(pattern, "reset", first=jump)
        return lambda: clock.update(ahead=timedelta(0))


class Table(Faults):
    """A test a cell, and what they assert."""

    patterns = {}
    table = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.service.server

    def setUp(self):
        super().setUp()
        self.patience = PATIENCE
        Account = type(self.account)
        make, make_sign_in = Account._make_provider, Account._make_sign_in
        self.patch(
            Account, "_make_provider", lambda account: make(account, self.patience)
        )

        def make_impatient(account, *args):
            sign_in = make_sign_in(account, *args)
            sign_in._timeout = min(sign_in._timeout, self.patience)
            return sign_in

        self.patch(Account, "_make_sign_in", make_impatient)

    def check_cell(self, fault, moment):
        self.moment = moment
        self.later = MOMENTS[moment] == "later"
        self.is_first = not self.later
        self.prepare()
        self.before = self.service.contents(self.address)
        checkpoints = self.account.folder_ids.mapped("checkpoint")
        refreshes = self.count_refreshes()
        if moment == "at_token":
            self.service.expire_tokens()
        mend = getattr(self, fault)(self.patterns[moment])
        self.run_cron("_cron_sync" if self.later else "_cron_backfill")
        self.assertLeft(self.table[fault][moment])
        if fault == "expired_token":
            self.assertEqual(self.count_refreshes(), refreshes + 1)
        if fault == "taken_back" and self.later:
            held = self.account.folder_ids.mapped("checkpoint")
            self.assertEqual(held, checkpoints)
        self.server.mend()
        self.patience = PATIENCE
        if mend:
            mend()
        if fault != "clock_jump":
            self.let_time_pass()
        self.run_crons(2)
        self.assertMended()
        self.assertMailboxIsHereOnce(self.gone)
        contents = self.service.contents(self.address)
        self.assertEqual(contents, self.before, "the mailbox is as it was")

    def prepare(self):
        """Fill the mailbox; before a later look it is read, and changes after that."""
        self.gone = set()
        self.folder = self.choose_folder("Customers")
        self.refs = self.deliver(*(f"Number {number}" for number in range(6)))
        self.refs += self.deliver("Filed", "Filed too", "Filed as well")
        for ref in self.refs[-3:]:
            self.service.file(self.address, ref, self.folder)
        self.deliver("Answer", sent=True)
        self.service.mark_read(self.address, self.refs[0])
        self.assertFalse(self.sign_in())
        if self.is_first:
            return
        self.run_crons()
        self.assertEqual(self.account.sync_status, "ok", self.account.last_error)
        self.gone = {self.get_id(self.refs[1])}
        self.service.delete(self.address, self.refs[1])
        self.service.mark_read(self.address, self.refs[2])
        self.refs += self.deliver("Later")

    def let_time_pass(self):
        """An hour: long enough for what is put off, whatever it is."""
        for name in ("next_sync_at", "folders_at"):
            if self.account[name]:
                self.account[name] -= timedelta(hours=1)

    def count_refreshes(self):
        token = re.compile(self.patterns["at_token"])
        return sum(bool(token.search(call)) for call in self.server.calls)

    def test_a_fault_that_stays_is_told_once_and_goes_by_itself(self):
        self.is_first = False
        self.prepare()
        self.server.refuse()
        told = []
        for _attempt in range(6):
            self.run_crons()
            told.append((self.account.sync_status, self.account.retry_count))
            self.assertEqual(len(self.account.activity_ids), told[-1][0] == "error")
            self.let_time_pass()
        retries = [("ok", 0), ("ok", 1), ("ok", 2)]
        self.assertEqual(told, retries + [("error", 3)] * 3)
        self.server.listen()
        self.run_crons()
        self.assertMended()
        self.assertMailboxIsHereOnce(self.gone)

    # --- what is asserted ---

    def assertLeft(self, after):
        """Assert what a failed run has left of the account."""
        account = self.account
        self.assertEqual(account.last_error_kind, after.kind, account.last_error)
        self.assertIn(after.words, account.last_error or "")
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


@tagged("post_install", "-at_install")
class TestGmailFaults(Table, ApiMailbox, MailFixtures, TransactionCase):
    """Gmail's table."""

    allow_inherited_tests_method = True
    service_class = GmailService
    table = GMAIL
    patterns = {
        "at_token": "^POST /token",
        "in_listing": r"^GET /gmail/v1/users/me/messages\?",
        "in_mid_page": "^POST /batch",
        "in_mid_look": "^GET /gmail/v1/users/me/history",
    }
    any_mail = r"^POST /batch|^GET /gmail/v1/users/me/messages/"

    def setUp(self):
        super().setUp()
        self.patch(gmail_page, "MAX_BATCH", 4)

    @property
    def of_folder(self):
        return f"messages.*labelIds={self.folder}"

    def of_mail(self, ref):
        return f"/messages/{ref}"

    def refusal(self, status, reason="forbidden"):
        wait = {"Retry-After": str(LONG_WAIT)} if status == 429 else {}
        return gmail_refusal(status, reason, "No.", wait)


@tagged("post_install", "-at_install")
class TestOutlookFaults(Table, ApiMailbox, MailFixtures, TransactionCase):
    """Microsoft's table."""

    allow_inherited_tests_method = True
    service_class = OutlookService
    table = OUTLOOK
    patterns = {
        "at_token": "^POST /[a-z]+/oauth2/v2.0/token",
        "in_listing": "^GET .*/messages/delta",
        "in_mid_page": r"^POST /v1.0/\$batch",
        "in_mid_look": "^GET .*/messages/delta",
    }
    any_mail = r"^POST /v1.0/\$batch|/\$value"

    def prepare(self):
        # An old refresh token stays valid where the answer with the new one is lost:
        # https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens
        self.server.login.rotates = False
        self.server.deltas[self.address].max_page = 3
        return super().prepare()

    def test_a_refresh_token_that_is_used_up_by_a_lost_answer_asks_to_reconnect(self):
        """Should Microsoft ever end the old one: nobody knows the new one."""
        self.is_first, self.later, self.moment = False, True, "at_token"
        self.prepare()
        self.server.login.rotates = True
        self.service.expire_tokens()
        self.reset(self.patterns["at_token"])
        self.run_cron()
        self.assertLeft(BROKEN_OFF)
        self.server.mend()
        self.let_time_pass()
        self.run_cron()
        self.assertLeft(NO_GRANT)
        self.assertFalse(self.sign_in())
        self.run_crons()
        self.assertMended()
        self.assertMailboxIsHereOnce(self.gone)

    @property
    def of_folder(self):
        return f"/mailFolders/{quote(self.folder)}"

    def of_mail(self, ref):
        return re.escape(f"/messages/{quote(ref, safe='')}")

    def refusal(self, status, code="ErrorAccessDenied"):
        wait = {"Retry-After": str(LONG_WAIT)} if status == 429 else {}
        return Refusal(status, code if status == 403 else "", "No.", **wait).answer


def _add_cells(cls):
    for fault, moments in cls.table.items():
        for moment in moments:

            def test(self, fault=fault, moment=moment):
                self.check_cell(fault, moment)

            test.__doc__ = f"{fault}, {moment}"
            setattr(cls, f"test_{fault}_{moment}", test)


_add_cells(TestGmailFaults)
_add_cells(TestOutlookFaults)
