"""One run over the outbox: what is due is handed over, what is in doubt is asked for.

    main thread (ORM)                       pool (providers, no ORM)
    ---------------------------------       ------------------------------
    claim a mail, `sending`, commit    ->   send()
    claim the next, of another mailbox      ... up to WORKERS at once ...
    outcome, its copy stored, commit   <-   Sent, or an error

A mail is claimed with its row locked, and what claims it is committed before the call:
of two workers one gets it. Dying before the commit is harmless; after it the mail is in
doubt, whether the call was made or not, and is never handed over again by itself.
A mail that should have left long ago is asked for first: this database may be a copy
that was put back, and the mail may have gone out since.
"""

import logging
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError

from ..providers import Doubtful, MailboxError, Provider, Retry
from .easycrm_email_outgoing_outcome import LOST_SECONDS
from .ingest import Ingest
from .retrying import CROSSED
from .send_calls import clear, hand_over, look_for
from .sync_run import PULL_SECONDS
from .sync_store import StoreSteps

_logger = logging.getLogger(__name__)

#: Mails that are handed over at once, each from another mailbox, and each in memory: a
#: large one a few times over.
WORKERS = 4

#: Seconds of a run in which mails are taken on while others are under way: with the
#: longest call it ends before the cron is killed.
CLAIM_SECONDS = 40

#: Seconds after which the outbox is looked at again while mails are under way.
LOOK_SECONDS = 1


@dataclass
class Job:
    """One call for one mail.

    :ivar is_sending: it is handed over; else it is asked for
    :ivar is_clearing: what it may have left in the mailbox is taken away
    """

    mail_id: int
    account_id: int
    is_sending: bool
    deadline: float
    is_clearing: bool = False


class SendRun(StoreSteps):
    """Sends until nothing is due, or the cron's time is up.

    :param env: of the superuser
    """

    def __init__(self, env):
        self.env = env
        self.mails = env["easycrm.email.outgoing"]
        self.pending: dict[Future, Job] = {}
        self.providers: dict[int, Provider] = {}
        self.until = time.monotonic() + CLAIM_SECONDS
        self.stopped = False
        self.claimed_id = 0

    def run(self):
        """Send; every mail is committed by itself."""
        pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="easycrm_mail")
        try:
            self._retrying(self._doubt_lost)
            while True:
                self._fill(pool)
                self._report(0)
                if not self.pending:
                    break
                for future in self._wait():
                    self._finish(future)
            self._report(0, remaining=int(self.stopped))
        finally:
            # a call that is under way ends with its own time-out
            busy = {job.account_id for job in self.pending.values()}
            for account_id in self.providers.keys() - busy:
                pool.submit(self.providers[account_id].close)
            pool.shutdown(wait=False)

    def _doubt_lost(self):
        """Let mails be in doubt that were being sent by a worker that has died."""
        limit = fields.Datetime.now() - timedelta(seconds=LOST_SECONDS)
        for mail in self.mails.search(
            [("state", "=", "sending"), ("handed_at", "<", limit)]
        ):
            if mail._lock_free():
                mail._mark_doubtful()

    def _fill(self, pool):
        while not self.stopped and len(self.pending) < WORKERS:
            claimed = self._take_on()
            if not claimed:
                return
            job, function, args = claimed
            if function:
                future = pool.submit(function, self.providers[job.account_id], *args)
                self.pending[future] = job

    def _take_on(self):
        """Claim the next mail and commit; one that cannot be made stops no other."""
        self.claimed_id = 0
        try:
            return self._retrying(self._claim)
        except CROSSED:
            self._roll_back()
            return None  # the next look finds what the others leave
        except Exception:
            self._roll_back()
            if not self.claimed_id:
                raise
            # (what was not committed has not been handed over)
            _logger.exception("Mail %s cannot be made", self.claimed_id)
            job = Job(self.claimed_id, 0, False, 0)
            self._conclude(job, None, self._fail, Retry("internal"))
            return job, None, ()

    def _claim(self):
        """Take on the next mail that is due.

        :return: None if there is none, else (Job, function, its arguments after the
            provider); without a function, nothing is to be asked of the network
        """
        busy_ids = [job.account_id for job in self.pending.values()]
        mail = self.mails._claim_due(busy_ids)
        if not mail:
            return self._claim_left(busy_ids)
        self.claimed_id = mail.id
        # (its writer is told what is wrong with it)
        mail = mail.with_context(lang=mail.user_id.lang)
        job = Job(mail.id, mail.account_id.id, False, time.monotonic() + PULL_SECONDS)
        if why := mail.state == "queued" and mail._why_not_leaving():
            mail._refuse(why, "permanent")
            return job, None, ()
        try:
            self._have_provider(mail.account_id)
            if mail.state == "doubt" or mail._is_late():
                mail._mark_asked(PULL_SECONDS + LOST_SECONDS)
                return job, look_for, (mail.message_id,)
            if at := mail.account_id._get_next_chance():
                mail._mark_resting(at)
                return job, None, ()
            job.is_sending = True
            mail._mark_sending()
            return job, hand_over, (mail._make_outgoing(),)
        except UserError as error:
            self._bear(mail, str(error))
            return job, None, ()

    def _claim_left(self, busy_ids):
        """Take on the next mail that may have left a draft; returns as `_claim`."""
        mail = self.mails._claim_left(busy_ids)
        if not mail:
            return None
        self.claimed_id = mail.id
        deadline = time.monotonic() + PULL_SECONDS
        job = Job(mail.id, mail.account_id.id, False, deadline, is_clearing=True)
        if not mail._get_clear_moment():
            # (the mailbox, or this database, is not what it was)
            mail.clear_at = False
            return job, None, ()
        mail._mark_clearing()
        try:
            self._have_provider(mail.account_id)
        except UserError:
            return job, None, ()  # it is tried again in a while
        return job, clear, (mail.message_id, mail._get_clear_limit())

    def _have_provider(self, account):
        if account.id not in self.providers:
            self.providers[account.id] = account._make_provider()

    def _bear(self, mail, words):
        """Record that a mailbox cannot be asked, as something is missing in it."""
        if mail.state == "doubt":
            mail._mark_not_found(Retry("setting", words))
        else:
            mail._refuse(words, "permanent")

    def _wait(self):
        """Wait for an answer, not for long; return what has come, or came too late."""
        now = time.monotonic()
        timeout = min(job.deadline for job in self.pending.values()) - now
        if not self.stopped:
            timeout = min(timeout, LOOK_SECONDS)
        done, _open = wait(self.pending, max(timeout, 0), FIRST_COMPLETED)
        now = time.monotonic()
        return done or [f for f, job in self.pending.items() if job.deadline <= now]

    def _finish(self, future):
        job = self.pending.pop(future)
        provider = self.providers[job.account_id]
        try:
            if not future.done():
                # its thread still uses the client
                del self.providers[job.account_id]
                # (others that were given up have kept every thread: it never began)
                is_harmless = future.cancel() or not job.is_sending
                raise (Retry if is_harmless else Doubtful)("timeout")
            self._conclude(job, provider, self._keep, future.result())
        except MailboxError as error:
            self._conclude(job, provider, self._fail, error)
        except Exception as error:  # noqa: BLE001 - one mail must not stop the others
            self._roll_back()
            # (neither its text nor its trace: what people wrote stands in them)
            _logger.warning("Mail %s: %s", job.mail_id, type(error).__name__)
            failure = (Doubtful if job.is_sending else Retry)("internal")
            self._conclude(job, provider, self._fail, failure)
        self._report(1)

    def _conclude(self, job, provider, function, result):
        """Record what came of a call; nothing here calls again."""
        try:
            self._retrying(self._record, job, provider, function, result)
        except Exception as error:  # noqa: BLE001 - it is in doubt, and asked for
            self._roll_back()
            _logger.error(
                "What became of mail %s is not kept: %s",
                job.mail_id,
                type(error).__name__,
            )

    def _record(self, job, provider, function, result):
        mail = self.mails.browse(job.mail_id).exists()
        if not mail:
            return
        mail._lock()
        if provider:
            mail.account_id._keep_quota(provider)
        function(job, mail, result)

    def _keep(self, job, mail, handed):
        if job.is_clearing:
            mail.clear_at = False
            return
        if handed is None:
            if mail.state == "queued":
                now = fields.Datetime.now()
                mail.write({"looked_at": now, "next_try_at": False})
            elif mail.state == "doubt":
                mail._mark_not_found()
            return
        sent = handed.sent
        mail._mark_sent(sent.message_id, sent.refused, sent.note)
        if not mail.account_id:
            return
        ingest = Ingest(mail.account_id, sent.stream)
        # (what fails here is in the mailbox, and comes by its sync)
        self._try_store(ingest, handed.reads)

    def _fail(self, job, mail, error):
        _logger.info("Mail %s: %s", mail.id, error.code)
        if not job.is_sending:
            self._fail_to_ask(mail, error)
        elif isinstance(error, Doubtful):
            # (a sync may have brought its copy meanwhile)
            if mail.state == "sending":
                mail._mark_doubtful(error)
        elif mail.state in ("sending", "doubt"):
            # (else its writer, who was asked meanwhile, has decided)
            mail._mark_failed(error)

    def _fail_to_ask(self, mail, error):
        if mail.state == "queued":
            mail._mark_failed(error)
        elif mail.state == "doubt":
            mail._mark_not_found(error)
        elif mail.clear_at and mail.clear_at <= fields.Datetime.now():
            # (what took it on was not committed)
            mail._mark_clearing()

    def _report(self, count, remaining=1):
        left = self.env["ir.cron"]._commit_progress(count, remaining=remaining)
        out_of_time = time.monotonic() >= self.until
        if out_of_time or not left and not self.pending:
            self.stopped = True
