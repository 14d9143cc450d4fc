"""The attachments of linked mail, fetched soon after it came, off the hot path.

And the bodies of large mails that somebody wanted to read, and could not wait for.

As in `SyncRun`, waiting on networks overlaps and storing does not; no transaction is
open meanwhile, and each mail is committed by itself. Dying anywhere is harmless: what
is not stored is still due.
"""

import logging
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass

from odoo.exceptions import UserError

from ..messages import UnreadableMessage
from ..providers import Gone, MailboxError, Provider, Retry
from .body_calls import fetch_files, read_large
from .easycrm_email_files import AWAY_HOURS, FAILED_HOURS
from .ingest_bodies import BodyIngest
from .retrying import Retrying
from .sync_run import PULL_SECONDS

_logger = logging.getLogger(__name__)

#: Mails that are fetched at once, all attachments of each in memory: 25 MB at most.
WORKERS = 2

#: Mails that are looked up in one query.
CLAIMED = 50


@dataclass
class Job:
    """One mail, and where it stands: the places that were not tried yet.

    :ivar is_held: it stands in a mailbox that works
    :ivar is_counted: not to get it is an attempt: it was asked for, or stands nowhere
    :ivar is_large: the whole mail was asked for
    """

    email_id: int
    places: deque  # of (account id, stream, ref)
    is_held: bool
    is_counted: bool
    is_large: bool = False


class FilesRun(Retrying):
    """Fetches what is due, newest mail first, until the cron's time is up.

    :param env: of the superuser
    :param seconds: to take on work in although the cron's time is up, as others have
        used it up, and are not done
    """

    def __init__(self, env, seconds=0):
        self.env = env
        self.is_share = bool(seconds)
        self.until = time.monotonic() + seconds
        self.queues: dict[int, deque] = {}  # by mailbox
        self.pending: dict[Future, tuple] = {}
        self.providers: dict[int, Provider] = {}
        self.failed = set()  # mailboxes that are left alone for the rest of the run
        self.has_begun = self.stopped = False

    def run(self):
        """Fetch; every mail is committed by itself."""
        pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="easycrm_mail")
        try:
            while self.pending or (not self.stopped and (self.queues or self._claim())):
                if not self.stopped:
                    self._fill(pool)
                self._report(0)
                for future in self._wait():
                    self._finish(future)
        finally:
            # a call that is under way ends with its own time-out
            busy = {account_id for account_id, *_rest in self.pending.values()}
            for account_id in self.providers.keys() - busy:
                pool.submit(self.providers[account_id].close)
            pool.shutdown(wait=False)
        if self.has_begun and not self.stopped and not self.is_share:
            self._report(0, remaining=0)

    def _claim(self):
        """Queue the next mails; return whether there were any."""
        jobs = self._retrying(self._look_up)
        self._queue(jobs)
        self.has_begun = self.has_begun or bool(jobs)
        return bool(jobs)

    def _look_up(self):
        return [
            self._make_job(email)
            for email in self.env["easycrm.email"]._get_due_files(CLAIMED)
        ]

    def _make_job(self, email):
        places = email._get_places()
        reachable = deque(
            (account.id, stream, ref)
            for account, stream, ref in places
            if account._is_reachable()
        )
        return Job(email.id, reachable, bool(reachable), is_counted=not places)

    def _queue(self, jobs):
        """Have each fetched from the next mailbox that works, or else later."""
        nowhere = []
        for job in jobs:
            while job.places and job.places[0][0] in self.failed:
                job.places.popleft()
            if job.places:
                self.queues.setdefault(job.places[0][0], deque()).append(job)
            else:
                nowhere.append(job)
        if nowhere:
            self._retrying(self._postpone, nowhere)

    def _postpone(self, jobs):
        emails = self.env["easycrm.email"].browse(job.email_id for job in jobs).exists()
        jobs = {job.email_id: job for job in jobs}
        counted = emails.filtered(lambda email: jobs[email.id].is_counted)
        held = (emails - counted).filtered(lambda email: jobs[email.id].is_held)
        counted._postpone_files()
        held._rest_files(FAILED_HOURS)
        (emails - counted - held)._rest_files(AWAY_HOURS)

    def _fill(self, pool):
        busy = {account_id for account_id, *_rest in self.pending.values()}
        for account_id in list(self.queues):
            if len(self.pending) >= WORKERS:
                return
            if account_id in busy or account_id not in self.queues:
                continue
            job = self.queues[account_id].popleft()
            if not self.queues[account_id]:
                del self.queues[account_id]
            self._submit(pool, job)

    def _submit(self, pool, job):
        account_id, stream, ref = job.places[0]
        call = self._retrying(self._plan, job)
        if not call:
            return
        provider = self._get_provider(account_id)
        if not provider:
            self._leave(account_id, job)
            return
        job.is_counted = True
        function, *args = call
        future = pool.submit(function, provider, stream, ref, *args)
        self.pending[future] = account_id, job, time.monotonic() + PULL_SECONDS

    def _plan(self, job):
        """Return the call that fetches what is missing of a mail, or nothing."""
        email = self.env["easycrm.email"].browse(job.email_id).exists()
        job.is_large = email.headers_only
        if job.is_large:
            return (read_large,)
        if missing := email.attachment_line_ids._get_missing():
            return fetch_files, email.digest, missing
        # somebody has opened them meanwhile
        email.fetch_at = False
        return None

    def _get_provider(self, account_id):
        account = self.env["easycrm.email.account"].browse(account_id).exists()
        if account and account_id not in self.providers:
            with suppress(UserError):
                self.providers[account_id] = account._make_provider()
        return self.providers.get(account_id)

    def _wait(self):
        """Wait for the first answer; return what has come, or came too late."""
        if not self.pending:
            return ()
        deadline = min(deadline for *_rest, deadline in self.pending.values())
        timeout = max(deadline - time.monotonic(), 0)
        done, _open = wait(self.pending, timeout, FIRST_COMPLETED)
        return done or [f for f, job in self.pending.items() if job[2] <= deadline]

    def _finish(self, future):
        account_id, job, _deadline = self.pending.pop(future)
        try:
            if not future.done():
                # its thread still uses the client
                del self.providers[account_id]
                raise Retry("timeout")
            self._retrying(self._keep, job, self.providers[account_id], future.result())
        except (Gone, UnreadableMessage):
            job.places.popleft()
            self._queue([job])
        except MailboxError as error:
            _logger.info("Attachments of mailbox %s: %s", account_id, error)
            self._leave(account_id, job)
        except Exception as error:  # noqa: BLE001 - one mail must not stop the others
            self._roll_back()
            # (neither its text nor its trace: what people wrote stands in them)
            _logger.warning("Attachments were refused: %s", type(error).__name__)
            job.places.clear()
            self._queue([job])
        self._report(1)

    def _keep(self, job, provider, result):
        account = self.env["easycrm.email.account"].browse(job.places[0][0])
        account._keep_quota(provider)
        email = self.env["easycrm.email"].browse(job.email_id).exists()
        if not job.is_large:
            email._keep_files(result)
            return
        if not email.headers_only:
            return  # a reader was first; what is missing still is due
        if not BodyIngest(account).complete(email, *result):
            raise Gone("mail")

    def _leave(self, account_id, job):
        """Leave a mailbox alone; what it was asked for may stand in another one."""
        self.failed.add(account_id)
        self._queue([job, *self.queues.pop(account_id, ())])

    def _report(self, count, remaining=1):
        left = self.env["ir.cron"]._commit_progress(count, remaining=remaining)
        if not left and time.monotonic() >= self.until:
            self.stopped = True
