"""One run over several mailboxes: waiting on networks overlaps, storing does not.

    main thread (ORM)                       pool (providers, no ORM)
    ---------------------------------       ------------------------------
    start a session a mailbox          ->   streams() / pull() + parse
    commit; wait for the first answer       ... up to WORKERS at once ...
    lock folder, compare checkpoint    <-   Pulled
    store, move checkpoint, commit
    next pull of that session, if any  ->

No transaction is open while anything waits. Dying anywhere is harmless: the checkpoint
moves in the transaction that stores what it covers, so the next run asks again for what
was not stored, and mail that is here already is recognised.
"""

import logging
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime

from psycopg2 import OperationalError
from psycopg2.errors import DeadlockDetected, SerializationFailure

from odoo.exceptions import UserError

from ..messages import UnreadableMessage, parse
from ..providers import (
    Batch,
    Gone,
    MailboxError,
    Permanent,
    Provider,
    RemoteMessage,
    Resync,
    Retry,
    SetAside,
)
from .ingest import Ingest, Read

_logger = logging.getLogger(__name__)

#: Mailboxes that are read at once. Their threads wait; the work is the main thread's.
WORKERS = 8

#: Seconds after which a pull is given up. A cron job is killed after 120 s.
PULL_SECONDS = 60

#: Mails set aside that are fetched again in one call.
REFETCHED = 20

#: How often in a run a mailbox may be listed anew before that is an error.
RESETS = 2

#: How often a transaction that another one crossed is tried again.
ATTEMPTS = 5


@dataclass
class Pulled:
    """What one call brought, parsed.

    :ivar gone: refs that were asked for again and are not in the mailbox any more
    """

    batch: Batch
    reads: list[Read] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


@dataclass
class Session:
    """One mailbox during the run."""

    account_id: int
    provider: Provider
    since: datetime
    folder_ids: deque | None = None  # that may have more; None: not looked up yet
    task: tuple = ()
    deadline: float = 0
    missing: list = field(default_factory=list)
    resets: int = 0


def read_all(remotes, set_aside=()):
    """Parse what was fetched; what cannot be read is set aside (law 2).

    :return: (list of Read, list of SetAside)
    """
    reads, aside = [], list(set_aside)
    for remote in remotes:
        try:
            reads.append(Read(remote, parse(remote.raw, remote.received_at)))
        except UnreadableMessage as error:
            aside.append(SetAside(remote.ref, str(error)))
    return reads, aside


def _list_streams(provider):
    return provider.streams()


def pull(provider, stream, checkpoint, since):
    """Pull one batch and parse it. Runs in the pool."""
    batch = provider.pull(stream, checkpoint, since)
    return Pulled(batch, *read_all(batch.messages, batch.set_aside))


def fetch_again(provider, stream, refs):
    """Fetch mails that were set aside. Runs in the pool."""
    remotes, gone, aside = [], [], []
    for ref in refs:
        try:
            raw = provider.fetch(stream, ref)
            remotes.append(RemoteMessage(ref=ref, raw=raw, is_read=False))
        except Gone:
            gone.append(ref)
        except Permanent as error:
            aside.append(SetAside(ref, str(error)))
    return Pulled(Batch(checkpoint=""), *read_all(remotes, aside), gone)


class SyncRun:
    """Reads mailboxes until they are read to their ends, or the cron's time is up.

    :param accounts: `easycrm.email.account`s, as superuser
    """

    def __init__(self, accounts):
        self.env = accounts.env
        self.accounts = accounts.browse()
        self.waiting = deque(accounts.ids)
        self.pending: dict[Future, Session] = {}
        self.stopped = False

    def run(self):
        """Read them; every batch is committed by itself."""
        pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="easycrm_mail")
        try:
            self._report(0)
            while self.pending or self.waiting and not self.stopped:
                self._fill(pool)
                # no transaction is open meanwhile: `_report` has committed
                for future in self._wait():
                    self._finish(pool, self.pending.pop(future), future)
        finally:
            # what still waits on a network ends with its own time-out; whatever it
            # brings is asked for again by the next run
            pool.shutdown(wait=False, cancel_futures=True)

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
            account = self.accounts.browse(self.waiting.popleft()).exists()
            try:
                session = account and Session(
                    account.id, account._make_provider(), account._get_since()
                )
            except UserError as error:
                self._fail(account.id, Permanent("setting", str(error)))
                continue
            if session:
                self._advance(pool, session)
                self._report(0)

    def _advance(self, pool, session):
        """Submit the session's next call, or end it."""
        call = None if self.stopped else self._retrying(self._plan, session)
        if self.stopped:
            account = self.accounts.browse(session.account_id).exists()
            self._retrying(account.write, {"sync_stage": "waiting"})
        if not call:
            pool.submit(session.provider.close)
            return
        session.task, function, args = call
        session.deadline = time.monotonic() + PULL_SECONDS
        self.pending[pool.submit(function, session.provider, *args)] = session

    def _plan(self, session):
        """Decide the next call of a session.

        :return: (task, function, its arguments after the provider), or None at the end
        """
        account = self.accounts.browse(session.account_id).exists()
        if account.sync_status not in ("ok", "incomplete", "error"):
            return None  # deleted or paused meanwhile
        if not account.folder_ids:
            account.sync_stage = "listing"
            return ("streams",), _list_streams, ()
        if session.folder_ids is None:
            account.sync_stage = "listing"
            session.folder_ids = deque(account.folder_ids.filtered("selected").ids)
        if again := account.failure_ids.filtered("retry"):
            stream = again[0].stream
            failures = again.filtered(lambda failure: failure.stream == stream)
            refs = failures[:REFETCHED].mapped("provider_ref")
            return ("again", stream), fetch_again, (stream, refs)
        if session.folder_ids:
            folder = self.env["easycrm.email.folder"].browse(session.folder_ids[0])
            checkpoint = folder.checkpoint or ""
            args = folder.stream, checkpoint, session.since
            return ("pull", folder.id, checkpoint), pull, args
        account._mark_synced(" ".join(session.missing))
        return None

    def _finish(self, pool, session, future):
        """Store what a call brought and go on with the session."""
        count = 0
        try:
            if not future.done():
                raise Retry("timeout")
            count = self._keep(session, future.result())
        except MailboxError as error:
            if not self._bear(session, error):
                return self._fail(session.account_id, error, pool, session.provider)
        except Exception:
            self.env.cr.rollback()
            self.env.transaction.reset()
            _logger.exception("Mailbox %s could not be stored", session.account_id)
            error = Retry("internal")
            return self._fail(session.account_id, error, pool, session.provider)
        self._report(count)
        return self._advance(pool, session)

    def _fail(self, account_id, error, pool=None, provider=None):
        _logger.info("Mailbox %s: %s", account_id, error)
        if account := self.accounts.browse(account_id).exists():
            self._retrying(account._mark_failed, error)
        if provider:
            pool.submit(provider.close)
        self._report(1)

    def _bear(self, session, error):
        """Tell whether the session goes on after an error that concerns one folder."""
        if session.task[0] != "pull":
            return False
        folder = self.env["easycrm.email.folder"].browse(session.task[1])
        if isinstance(error, Gone):
            session.folder_ids.popleft()
            words = folder.env._("The folder %s is not there any more.", folder.name)
            session.missing.append(words)
            return True
        if isinstance(error, Resync) and session.resets < RESETS:
            session.resets += 1
            self._retrying(folder.write, {"checkpoint": False, "settled": False})
            return True
        return False

    def _keep(self, session, result):
        """Store a call's result and commit; return how many mails came."""
        account = self.accounts.browse(session.account_id)
        kind = session.task[0]
        if kind == "streams":
            self._retrying(account._update_folders, result)
            return 1
        if kind == "again":
            return self._retrying(self._store_again, account, session.task[1], result)
        more, count = self._retrying(self._store_batch, account, session, result)
        folder_id = session.folder_ids.popleft()
        if more:
            # the others take their turn: what is newest in each comes first
            session.folder_ids.append(folder_id)
        return count

    def _store_again(self, account, stream, pulled):
        ingest = Ingest(account, stream)
        failed = self._store_reads(ingest, pulled.reads)
        done = {read.remote.ref for read in pulled.reads} - {f.ref for f in failed}
        ingest.settle([*done, *pulled.gone])
        ingest.set_aside([*pulled.set_aside, *failed])
        return len(done)

    def _store_batch(self, account, session, pulled):
        """Store a batch and its checkpoint: both in this transaction, or neither.

        :return: (whether the folder has more, how many mails were stored)
        """
        _kind, folder_id, checkpoint = session.task
        # Another worker may have stored this very batch meanwhile: the row is locked
        # and compared, and whoever comes second drops what it brought.
        self.env.cr.execute(
            "SELECT checkpoint FROM easycrm_email_folder WHERE id = %s FOR UPDATE",
            [folder_id],
        )
        row = self.env.cr.fetchone()
        if not row or (row[0] or "") != checkpoint:
            return False, 0
        folder = self.env["easycrm.email.folder"].browse(folder_id)
        batch = pulled.batch
        ingest = Ingest(account, folder.stream)
        if batch.reset:
            ingest.reset()
        failed = self._store_reads(ingest, pulled.reads)
        ingest.change(batch.changes)
        ingest.remove(batch.removals)
        ingest.settle(batch.removals)
        ingest.set_aside([*pulled.set_aside, *failed])
        if batch.settled:
            ingest.sweep(session.since)
        folder.write(
            {
                "checkpoint": batch.checkpoint,
                "settled": batch.settled or folder.settled and not batch.reset,
                "synced_at": self.env.cr.now(),
                "sync_done": batch.done if batch.total else folder.sync_done,
                "sync_total": batch.total or folder.sync_total,
            }
        )
        account._mark_progress()
        return batch.more, len(pulled.reads)

    def _store_reads(self, ingest, reads):
        """Store mails; where the database refuses one, the others are still stored.

        :return: `SetAside`s of those that were refused
        """
        if self._try_store(ingest, reads) is None:
            return []
        failed = []
        for read in reads:
            if error := self._try_store(ingest, [read]):
                reason = self.env._(
                    "The database refused it (%s).", type(error).__name__
                )
                failed.append(SetAside(read.remote.ref, reason))
        return failed

    def _try_store(self, ingest, reads):
        """Store mails, or none; return the error that they are to blame for."""
        try:
            with self.env.cr.savepoint():
                ingest.store(reads)
        except OperationalError:
            raise  # crossed by another transaction, or no database
        except Exception as error:
            _logger.warning("%s mails were refused", len(reads), exc_info=True)
            return error
        return None

    def _retrying(self, function, *args):
        """Call and commit; again, on a fresh snapshot, when another one crossed."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                result = function(*args)
                # what the network brought is safe before the next wait
                self.env["ir.cron"]._commit_progress()
                return result
            except (SerializationFailure, DeadlockDetected):
                self.env.cr.rollback()
                self.env.transaction.reset()
                if attempt == ATTEMPTS:
                    raise
                time.sleep(0.05 * attempt)
        return None

    def _report(self, count):
        """Commit, and stop taking on work when the cron's time is up."""
        remaining = len(self.waiting) + len(self.pending)
        left = self.env["ir.cron"]._commit_progress(count, remaining=remaining)
        self.stopped = self.stopped or not left
