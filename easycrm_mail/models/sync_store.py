"""Storing what a sync's calls brought: a batch and its checkpoint, or neither."""

import logging

from psycopg2 import IntegrityError, OperationalError

from odoo.tools import mute_logger

from ..providers import SetAside
from .ingest import Ingest
from .retrying import ATTEMPTS, CROSSED, Retrying

_logger = logging.getLogger(__name__)


class StoreSteps(Retrying):
    """The steps of `SyncRun` that write."""

    def _store_again(self, account, stream, pulled):
        ingest = Ingest(account, stream)
        failed = self._store_reads(ingest, pulled.reads)
        done = {read.remote.ref for read in pulled.reads} - {f.ref for f in failed}
        ingest.settle([*done, *pulled.gone])
        ingest.set_aside([*pulled.set_aside, *failed])
        return len(done)

    def _store_batch(self, account, session, pulled):
        """Store a batch and its checkpoint: both in this transaction, or neither.

        :return: how many mails were stored
        """
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
        if not row or (row[0] or "") != checkpoint:
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
                "sync_total": batch.total or folder.sync_total,
            }
        )
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
            with self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
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
