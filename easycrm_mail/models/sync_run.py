"""One run over several mailboxes: waiting on networks overlaps, storing does not.

    main thread (ORM)                       pool (providers, no ORM)
    ---------------------------------       ------------------------------
    start a session a mailbox          ->   streams() / pull() + parse
    commit; wait for the first answer       ... up to WORKERS at once ...
    ask for the page after             <-   Pulled
    lock folder, compare checkpoint         pull() + parse of the page after
    store, move checkpoint, commit
    go on with that answer             <-   Pulled

No transaction is open while anything waits. The page after is asked for by the
checkpoint that came with a page, which is not stored yet: were it not to be, the answer
finds another checkpoint in its folder and is dropped. Dying anywhere is harmless: the
checkpoint moves in the transaction that stores what it covers, so the next run asks
again for what was not stored, and mail that is here already is recognised.
"""

import logging
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime

from odoo.exceptions import UserError

from ..providers import (
    Gone,
    MailboxError,
    Permanent,
    Provider,
    Reconnect,
    Resync,
    Retry,
    SetAside,
)
from .ingest import Ingest
from .retrying import CROSSED
from .sync_calls import fetch_again, list_streams, pull
from .sync_compare import CompareSteps, Comparison
from .sync_store import StoreSteps

_logger = logging.getLogger(__name__)

#: Mailboxes that are read at once. Their threads wait; the work is the main thread's.
WORKERS = 8

#: Seconds after which a call is given up that has not ended by its own time-out, which
#: is twice SYNC_TIMEOUT. A cron job is killed after 120 s.
PULL_SECONDS = 65

#: Calls under way from which on none is asked ahead: the main thread has enough to do,
#: and each page that waits takes memory.
AHEAD = 3

#: Seconds after which no job is called once more while mailboxes wait. Each is called
#: once in every run.
JOBS_SECONDS = 3

#: How often in a run a mailbox may be listed anew before that is an error.
RESETS = 2


@dataclass
class Session:
    """One mailbox during the run."""

    account_id: int
    provider: Provider
    since: datetime
    mailbox: list  # that the provider reads: `_get_mailbox`
    folder_ids: deque | None = None  # that may have more; None: not looked up yet
    task: tuple = ()
    ahead: tuple = ()  # (task, Future) of the call after, under way while one is stored
    deadline: float = 0
    missing: list = field(default_factory=list)
    resets: int = 0
    count: int = 0
    listed: bool = False
    overdue: bool = False
    lost: set = field(default_factory=set)  # folders that another worker reads
    comparison: Comparison | None = None  # of the folder that is being compared
    tried: set = field(default_factory=set)  # gaps that were not filled

    @property
    def is_pulling(self):
        return self.task[:1] == ("pull",)

    def close(self, _future=None):
        """End the connections, when nothing is under way any more."""
        self.provider.close()


class SyncRun(CompareSteps, StoreSteps):
    """Reads mailboxes until they are read to their ends, or the cron's time is up.

    :param accounts: `easycrm.email.account`s, as superuser
    """

    def __init__(self, accounts):
        self.env = accounts.env
        self.accounts = accounts.browse()
        self.waiting = deque(accounts.ids)
        self.unfinished = set(accounts.ids)
        self.pending: dict[Future, Session] = {}
        self.stopped = False
        self.jobs_left = 0

    def run(self, *jobs):
        """Read them; every batch is committed by itself.

        :param jobs: what is done before, each called until it returns nothing more, or
            what is left of it is to leave the mailboxes their time
        """
        jobs_end = time.monotonic() + JOBS_SECONDS
        pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="easycrm_mail")
        try:
            self._report(0)
            for job in jobs:
                self._do(job, jobs_end)
            while self.pending or self.waiting and not self.stopped:
                self._fill(pool)
                # no transaction is open meanwhile: `_report` has committed
                for future in self._wait():
                    session = self.pending.pop(future)
                    self._report(0)  # is there time for another page?
                    self._guarded(session.account_id, self._ask, pool, session, future)
                    self._guarded(session.account_id, self._finish, session, future)
                    self._report(session.count)
                    self._guarded(session.account_id, self._advance, pool, session)
            if self.jobs_left or self.stopped and self.unfinished:
                self._wake_crons()
            self._report(0)
        finally:
            # what still waits on a network ends with its own time-out; whatever it
            # brings is asked for again by the next run
            for future, session in self.pending.items():
                under_way = [f for f in (future, *session.ahead[1:]) if not f.cancel()]
                if under_way:
                    under_way[-1].add_done_callback(session.close)
                else:
                    pool.submit(session.close)
            # (the connections that are being closed are waited for by nobody)
            pool.shutdown(wait=False)

    def _do(self, job, end):
        """Call a job until it returns nothing more; a broken one stops nobody else.

        :param float end: when it is called no more if mailboxes wait
        """
        self.jobs_left += 1
        try:
            while not self.stopped:
                if not self._retrying(job):
                    self.jobs_left -= 1
                    return
                self._report(1)
                if self.waiting and time.monotonic() >= end:
                    return
        except Exception:
            self._roll_back()
            self.jobs_left -= 1
            _logger.exception("%s failed", getattr(job, "__name__", job))

    def _wake_crons(self):
        """Have the crons go on at once with what is unfinished.

        A job whose ten seconds are up is due again, but nobody is told: Odoo's workers
        look for due jobs once a minute, and a first sync would rest most of the time.
        """
        accounts = self.accounts.browse(self.unfinished).exists()
        for cron in {account._get_cron() for account in accounts}:
            cron._easycrm_trigger()
        if self.jobs_left:
            self.env["easycrm.email.account"]._wake_backfill()

    def _wait(self):
        """Wait for the first answer; return what has come, or what came too late."""
        if not self.pending:
            return ()
        deadline = min(session.deadline for session in self.pending.values())
        timeout = max(deadline - time.monotonic(), 0)
        done, _open = wait(self.pending, timeout, FIRST_COMPLETED)
        now = time.monotonic()
        return done or [f for f, open_ in self.pending.items() if open_.deadline <= now]

    def _fill(self, pool):
        while self.waiting and not self.stopped and len(self.pending) < WORKERS:
            account_id = self.waiting.popleft()
            self._guarded(account_id, self._begin, pool, account_id)
            self._report(0)

    def _begin(self, pool, account_id):
        account = self.accounts.browse(account_id).exists()
        if not account:
            self.unfinished.discard(account_id)
            return
        try:
            provider = account._make_provider()
        except UserError as error:
            kind = Reconnect if account._lacks_grant() else Permanent
            self._fail(account_id, kind("setting", str(error)))
            return
        since, mailbox = account._get_since(), account._get_mailbox()
        self._advance(pool, Session(account_id, provider, since, mailbox))

    def _guarded(self, account_id, function, *args):
        """Call; whatever one mailbox raises is its own failure, not that of the run."""
        try:
            function(*args)
        except CROSSED:
            # However often it was tried: another worker is at this mailbox.
            self._roll_back()
            _logger.info("Mailbox %s is being read by another worker", account_id)
            self.unfinished.discard(account_id)
        except Exception:
            self._roll_back()
            _logger.exception("Mailbox %s could not be synced", account_id)
            try:
                self._fail(account_id, Retry("internal"))
            except Exception:
                self._roll_back()
                _logger.exception("The failure of mailbox %s is not kept", account_id)

    def _advance(self, pool, session):
        """Submit the session's next call, or end it."""
        if session.ahead:
            (session.task, future), session.ahead = session.ahead, ()
            self.pending[future] = session
            return
        if session.account_id not in self.unfinished:
            call = None  # it has failed
        elif self.stopped:
            account = self.accounts.browse(session.account_id).exists()
            self._retrying(account._mark_waiting)
            call = None
        else:
            call = self._retrying(self._plan, session)
            if not call:
                self.unfinished.discard(session.account_id)
        if call:
            session.task, future = self._submit(pool, session, call)
            self.pending[future] = session
        elif not session.overdue:
            # (one that is overdue is still in use by its thread)
            pool.submit(session.close)

    def _submit(self, pool, session, call):
        task, function, args = call
        session.deadline = time.monotonic() + PULL_SECONDS
        return task, pool.submit(function, session.provider, *args)

    def _ask(self, pool, session, future):
        """Ask for the page after the one that has come, before that is stored."""
        if session.account_id not in self.unfinished or not session.is_pulling:
            return
        if not future.done() or future.exception():
            return
        _kind, folder_id, _checkpoint = session.task
        batch = future.result().batch
        if batch.more and folder_id not in session.lost:
            # the others take their turn: what is newest in each comes first
            session.folder_ids.append(folder_id)
        if not session.folder_ids or batch.pause:
            return
        if self.stopped or len(self.pending) >= AHEAD:
            return
        if self.accounts.browse(session.account_id).exists()._is_running():
            following = session.folder_ids.popleft()
            checkpoint = batch.checkpoint if following == folder_id else None
            call = self._plan_pull(session, following, checkpoint)
            session.ahead = self._submit(pool, session, call)

    def _plan_pull(self, session, folder_id, checkpoint=None):
        folder = self.env["easycrm.email.folder"].browse(folder_id)
        if checkpoint is None:
            checkpoint = folder.checkpoint or ""
        args = folder.stream, checkpoint, session.since
        return ("pull", folder_id, checkpoint), pull, args

    def _plan(self, session):
        """Decide the next call of a session.

        :return: (task, function, its arguments after the provider), or None at the end
        """
        account = self.accounts.browse(session.account_id).exists()
        if not account._is_running() or account._get_mailbox() != session.mailbox:
            return None  # deleted, paused, or another mailbox or another's by now
        if account._needs_folders() and not session.listed:
            session.listed = True
            account.sync_stage = "listing"
            return ("streams",), list_streams, ()
        if session.folder_ids is None:
            account.sync_stage = "listing"
            session.folder_ids = deque(account._get_read_folders().ids)
        if session.folder_ids:
            return self._plan_pull(session, session.folder_ids.popleft())
        # (after the pulls: a mail that breaks the line must not keep the new ones out)
        if again := account._get_next_retry():
            args = again.stream, again.provider_ref
            return ("again", *args), fetch_again, args
        if call := self._plan_comparison(session, account):
            return call
        if not session.lost:  # the other worker says how it went
            account._mark_synced(" ".join(session.missing))
        return None

    def _finish(self, session, future):
        """Store what a call brought."""
        session.count = 0
        session.overdue = not future.done()
        if session.account_id not in self.unfinished:
            return  # asked ahead of a page that then failed
        try:
            if session.overdue:
                raise Retry("timeout")
            session.count = self._keep(session, future.result())
        except MailboxError as error:
            if not self._bear(session, error):
                self._fail(session.account_id, error)

    def _fail(self, account_id, error):
        _logger.info("Mailbox %s: %s", account_id, error)
        self.unfinished.discard(account_id)
        if account := self.accounts.browse(account_id).exists():
            self._retrying(account._mark_failed, error)

    def _bear(self, session, error):
        """Tell whether the session goes on after an error that concerns one thing."""
        account = self.accounts.browse(session.account_id)
        kind = session.task[0]
        if kind in ("held", "gap"):
            return self._bear_comparison(session, account, error)
        if kind == "again" and not isinstance(error, Reconnect) and not session.overdue:
            _kind, stream, ref = session.task
            if isinstance(error, Retry) and self._retrying(
                account._count_first_try, stream, ref
            ):
                return False  # many may follow: it is the mailbox that is not there
            failure = SetAside(ref, account._explain_error(error))
            self._retrying(Ingest(account, stream).set_aside, [failure])
            return True
        if kind == "pull" and isinstance(error, Gone):
            folder = self.env["easycrm.email.folder"].browse(session.task[1])
            session.missing.append(account._explain_missing(folder.name))
            # the next run looks what became of it
            self._retrying(account.write, {"folders_at": False})
            return True
        if kind == "pull" and isinstance(error, Resync) and session.resets < RESETS:
            session.resets += 1
            folder = self.env["easycrm.email.folder"].browse(session.task[1])
            session.folder_ids.appendleft(folder.id)
            self._retrying(folder.write, {"checkpoint": False, "settled": False})
            return True
        return False

    def _keep(self, session, result):
        """Store a call's result and commit; return how many mails came."""
        account = self.accounts.browse(session.account_id)
        kind = session.task[0]
        if kind == "streams":
            self._retrying(self._store_streams, account, session, result)
            return 1
        if kind == "again":
            stream = session.task[1]
            count = self._retrying(self._store_again, account, session, stream, result)
        elif kind == "held":
            count = self._keep_held(session, account, result)
            self._rest(session, account, result.pause)
            return count
        elif kind == "gap":
            count = self._retrying(self._store_gap, account, session, result)
            self._rest(session, account, self._get_gap_pause(session))
            return count
        else:
            count = self._retrying(self._store_batch, account, session, result)
            self._count_stored(count)
        self._rest(session, account, result.batch.pause)
        return count

    def _rest(self, session, account, pause):
        """Leave a mailbox alone whose service's limit is used up for some seconds.

        The others go on meanwhile; a later run goes on with this one.
        """
        if pause:
            self.unfinished.discard(session.account_id)
            self._retrying(account._mark_resting, pause)

    def _report(self, count):
        """Commit, and stop taking on work when the cron's time is up."""
        remaining = len(self.unfinished) + bool(self.jobs_left)
        left = self.env["ir.cron"]._commit_progress(count, remaining=remaining)
        self.stopped = self.stopped or not left
