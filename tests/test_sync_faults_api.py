"""The tables of faults of Gmail and Microsoft 365, on loopback services.

The tables, and what each cell asserts, stand in `fault_table`.
"""

import re
from urllib.parse import quote

from odoo.tests import TransactionCase, tagged

from ..easycrm_mail.providers import gmail_page
from .api_mailbox import ApiMailbox, GmailService, OutlookService
from .common import MailFixtures, raw_mail
from .fault_table import (
    BROKEN_OFF,
    GMAIL,
    LONG_WAIT,
    NO_GRANT,
    OUTLOOK,
    FaultTable,
    add_cells,
)
from .servers.gmail_answers import refusal as gmail_refusal
from .servers.graph import Refusal
from .servers.web import Answer


class Faults:
    """How each fault is made, and taken away again.

    :param pattern: of the request that it meets
    """

    def arm(self, pattern, kind, times=99, **kwargs):
        after = 1 if self.moment == "in_mid_page" else 0
        self.server.break_(pattern, kind, times=times, after=after, **kwargs)

    def any_mail_in_mid_page(self, pattern):
        """In mid page no mail comes, alone neither: it is the service's fault."""
        return self.any_mail if self.moment == "in_mid_page" else pattern

    def refused(self, pattern):
        self.server.refuse()
        return self.server.listen

    def reset(self, pattern):
        self.arm(pattern, "reset")

    def half_answer(self, pattern):
        self.arm(pattern, "half")

    def broken_json(self, pattern):
        self.arm(self.any_mail_in_mid_page(pattern), "broken")

    def silence(self, pattern):
        self.patience = self.impatience
        self.arm(self.any_mail_in_mid_page(pattern), "slow", seconds=30)

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
            hidden.append(self.service.hide_folder(self.address, self.stream))

        pattern = self.of_folder if self.is_first else pattern
        self.server.break_(pattern, "none", first=hide)
        return lambda: self.service.show_folder(self.address, hidden[0])

    def mail_gone(self, pattern):
        pattern = pattern if self.is_first else self.of_mail(self.refs[-1])

        def delete():
            self.service.delete(self.address, self.new_ref)
            self.before = self.service.contents(self.address)

        self.arm(pattern, "none", times=1, first=delete)

    def mail_refused(self, pattern):
        ref = self.new_ref
        self.server.break_(
            self.of_mail(ref), "answer", answer=self.refusal(500), times=99
        )
        return self.retry_aside

    def mail_late(self, pattern):
        self.patience = self.impatience
        self.server.break_(self.of_mail(self.new_ref), "slow", seconds=30, times=99)
        return self.retry_aside

    def batch_late(self, pattern):
        self.patience = self.impatience
        self.arm(pattern, "slow", seconds=30)

    def mail_unreadable(self, pattern):
        """It cannot be parsed, until we can do that."""
        ref = self.service.deliver(self.address, b"\r\n")
        self.before = self.service.contents(self.address)

        def repair():
            raw = raw_mail(subject="Repaired", to=self.address)
            self.service.replace(self.address, ref, raw)
            self.before = self.service.contents(self.address)
            self.retry_aside()

        return repair


class ApiFaults(Faults, FaultTable, ApiMailbox, MailFixtures):
    """What holds for both services."""

    impatience = 0.6
    any_mail = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.service.server

    def setUp(self):
        super().setUp()
        self.line = self.server
        Account = type(self.account)
        make_sign_in = Account._make_sign_in

        def make_impatient(account, *args):
            sign_in = make_sign_in(account, *args)
            sign_in._timeout = min(sign_in._timeout, self.patience)
            return sign_in

        self.patch(Account, "_make_sign_in", make_impatient)

    def get_ready(self):
        self.checkpoints = self.account.folder_ids.mapped("checkpoint")
        self.refreshes = self.count_refreshes()
        if self.moment == "at_sign_in":
            self.service.expire_tokens()

    def fill(self):
        self.gone = set()
        self.folder = "Customers"
        self.stream = self.choose_folder(self.folder)
        self.refs = self.deliver(*(f"Number {number}" for number in range(6)))
        self.refs += self.deliver("Filed", "Filed too", "Filed as well")
        for ref in self.refs[-3:]:
            self.service.file(self.address, ref, self.stream)
        self.deliver("Answer", sent=True)
        self.service.mark_read(self.address, self.refs[0])
        self.assertFalse(self.sign_in())

    def change(self):
        self.gone = {self.get_id(self.refs[1])}
        self.service.delete(self.address, self.refs[1])
        self.service.mark_read(self.address, self.refs[2])
        self.refs += self.deliver("Later")

    @property
    def new_ref(self):
        """A mail that is still to be read."""
        return self.refs[0 if self.is_first else -1]

    def mend(self):
        self.server.mend()

    def assert_broken(self, fault):
        if fault == "expired_token":
            self.assertEqual(self.count_refreshes(), self.refreshes + 1)
        if fault == "taken_back" and not self.is_first:
            held = self.account.folder_ids.mapped("checkpoint")
            self.assertEqual(held, self.checkpoints)

    def count_refreshes(self):
        token = re.compile(self.patterns["at_sign_in"])
        return sum(bool(token.search(call)) for call in self.server.calls)

    def get_contents(self):
        return self.service.contents(self.address)

    def assert_mailbox_is_here(self):
        self.assertMailboxIsHereOnce(self.gone)


@tagged("post_install", "-at_install")
class TestGmailFaults(ApiFaults, TransactionCase):
    """Gmail's table."""

    allow_inherited_tests_method = True
    service_class = GmailService
    table = GMAIL
    patterns = {
        "at_sign_in": "^POST /token",
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
        return f"messages.*labelIds={self.stream}"

    def of_mail(self, ref):
        return f"/messages/{ref}"

    def refusal(self, status, reason="forbidden"):
        wait = {"Retry-After": str(LONG_WAIT)} if status == 429 else {}
        return gmail_refusal(status, reason, "No.", wait)


@tagged("post_install", "-at_install")
class TestOutlookFaults(ApiFaults, TransactionCase):
    """Microsoft's table."""

    allow_inherited_tests_method = True
    service_class = OutlookService
    table = OUTLOOK
    patterns = {
        "at_sign_in": "^POST /[a-z]+/oauth2/v2.0/token",
        "in_listing": "^GET .*/messages/delta",
        "in_mid_page": r"^POST /v1.0/\$batch",
        "in_mid_look": "^GET .*/messages/delta",
    }
    any_mail = r"^POST /v1.0/\$batch|/\$value"

    def fill(self):
        # An old refresh token stays valid where the answer with the new one is lost:
        # https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens
        self.server.login.rotates = False
        self.server.deltas[self.address].max_page = 3
        return super().fill()

    def test_a_refresh_token_that_is_used_up_by_a_lost_answer_asks_to_reconnect(self):
        """Should Microsoft ever end the old one: nobody knows the new one."""
        self.moment = "at_sign_in"
        self.prepare()
        self.server.login.rotates = True
        self.reset(self.patterns["at_sign_in"])
        self.run_cron()
        self.assertLeft(BROKEN_OFF)
        self.server.mend()
        self.let_time_pass()
        self.run_cron()
        self.assertLeft(NO_GRANT)
        self.assertFalse(self.sign_in())
        self.run_crons()
        self.assertMended()
        self.assert_mailbox_is_here()

    @property
    def of_folder(self):
        return f"/mailFolders/{quote(self.stream)}"

    def of_mail(self, ref):
        return re.escape(f"/messages/{quote(ref, safe='')}")

    def refusal(self, status, code="ErrorAccessDenied"):
        wait = {"Retry-After": str(LONG_WAIT)} if status == 429 else {}
        return Refusal(status, code if status == 403 else "", "No.", **wait).answer


add_cells(TestGmailFaults)
add_cells(TestOutlookFaults)
