"""Storing what a sync's calls brought: a batch and its checkpoint, or neither."""

import logging

from psycopg2 import IntegrityError, OperationalError

from odoo.tools import SQL

from ..providers import SetAside
from .easycrm_email_folder import MAX_COUNT
from .ingest import Ingest
from .retrying import ATTEMPTS, CROSSED, Retrying, quiet_sql

_logger = logging.getLogger(__name__)

#: Mails of a run after which the tables' statistics are looked at for the first time.
LOOK_AT_STATISTICS = 400

#: Rows up to which statistics may make PostgreSQL scan the table for every new mail.
FEW_ROWS = 1000


class StoreSteps(Retrying):
    """The steps of `SyncRun` that write.

    :ivar int stored: mails that the run has stored
    """

    stored = 0
    _look_at = LOOK_AT_STATISTICS

    def _count_stored(self, count):
        """Count mails that are stored and committed, and keep storing more cheap."""
        self.stored += count
        if self.stored >= self._look_at:
            self._look_at = 2 * self.stored
            self._retrying(self._renew_statistics)

    def _renew_statistics(self):
        """Analyse the tables that PostgreSQL takes for empty, and are not any more.

        A connection plans the check of a foreign key once, and again when the table it
        points at is analysed. Of one that somebody has analysed while it was empty it
        takes a scan for the cheapest, which costs more with each page of a first sync.
        Autovacuum would come by within minutes. Tables that nobody has analysed (-1)
        are taken for larger, and looked up by index.
        """
        self.env.cr.execute(
            """
            SELECT relname FROM pg_class WHERE reltuples BETWEEN 0 AND %s AND oid IN (
                'easycrm_email'::regclass, 'easycrm_email_copy'::regclass,
                'easycrm_email_thread'::regclass
            )
            """,
            [FEW_ROWS],
        )
        tables = [SQL.identifier(name) for (name,) in self.env.cr.fetchall()]
        if tables:
            # (not those that somebody else is analysing now)
            self.env.cr.execute(SQL("ANALYZE (SKIP_LOCKED) %s", SQL(", ").join(tables)))

    def _store_again(self, account, session, stream, pulled):
        if not account._is_running():
            return 0  # as a batch
        ingest = Ingest(account, stream)
        failed = self._store_reads(ingest, pulled.reads)
        done = {read.remote.ref for read in pulled.reads} - {f.ref for f in failed}
        ingest.settle([*done, *pulled.gone])
        ingest.set_aside([*pulled.set_aside, *failed])
        account._keep_quota(session.provider)
        return len(done)

    def _store_streams(self, account, session, streams):
        if account.exists()._get_mailbox() == session.mailbox:
            account._update_folders(streams)

    def _store_batch(self, account, session, pulled):
        """Store a batch and its checkpoint: both in this transaction, or neither.

        :return: how many mails were stored
        """
        if not account._is_running():
            return 0  # paused or stopped meanwhile: it is asked for again
        _kind, folder_id, checkpoint = session.task
        # Another worker may be storing this very batch, or have stored it: the row is
        # locked and compared, and whoever comes second drops what it brought. Waiting
        # for the lock would be of no use: the snapshot is older than what it waits for.
        self.env.cr.execute(
            """SELECT checkpoint FROM easycrm_email_folder
               WHERE id = %s FOR UPDATE SKIP LOCKED""",
            [folder_id],
        )
        row = self.env.cr.fetchone()
        if (
            not row
            or (row[0] or "") != checkpoint
            or account._get_mailbox() != session.mailbox
        ):
            session.lost.add(folder_id)
            if folder_id in (session.folder_ids or ()):
                session.folder_ids.remove(folder_id)
            return 0
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
                "sync_total": min(batch.total, MAX_COUNT) or folder.sync_total,
            }
        )
        account._keep_quota(session.provider)
        account._mark_progress()
        return len(pulled.reads)

    def _store_reads(self, ingest, reads):
        """Store mails; where the database refuses one, the others are still stored.

        :return: `SetAside`s of those that were refused
        """
        if self._try_store(ingest, reads) is None:
            return []
        failed = []
        for read in reads:
            if error := self._try_store(ingest, [read]):
                reason = ingest.account._explain_refused(type(error).__name__)
                failed.append(SetAside(read.remote.ref, reason))
        return failed

    def _try_store(self, ingest, reads):
        """Store mails, or none; return the error that they are to blame for."""
        try:
            with self.env.cr.savepoint(), quiet_sql():
                ingest.store(reads)
        except CROSSED:
            raise
        except IntegrityError as error:
            # Another worker has stored or merged a conversation meanwhile: a fresh
            # snapshot shows it. What still fails then is the mail's own doing.
            if self.attempt < ATTEMPTS:
                raise
            return self._refuse(reads, error)
        except OperationalError as error:
            if not error.pgcode:
                raise  # no database
            return self._refuse(reads, error)
        except Exception as error:  # noqa: BLE001 - one mail must not stop the others
            return self._refuse(reads, error)
        return None

    def _refuse(self, reads, error):
        # (neither its text nor its trace: what people wrote stands in them)
        _logger.warning("%s mails were refused: %s", len(reads), type(error).__name__)
        return error
