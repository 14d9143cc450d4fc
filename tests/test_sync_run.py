import logging
from threading import Thread
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger

from ..easycrm_mail.models import retrying, sync_run
from ..easycrm_mail.models.retrying import quiet_sql
from ..easycrm_mail.providers import Retry
from .mailbox import RealMailbox


@tagged("post_install", "-at_install")
class TestSyncRun(RealMailbox, TransactionCase):
    """One run over mailboxes: what it tells the cron, and what it bears."""

    def add_mailbox(self):
        return self.account.copy(
            {
                "email": "second.real@ours.example",
                "imap_password": "wrong",
                "sync_status": "incomplete",
            }
        )

    def record_progress(self):
        """Return the list of what is told to the cron: how much remains."""
        told = []
        Cron = type(self.env["ir.cron"])
        commit = Cron._commit_progress

        def record(cron, processed=0, *, remaining=None, **kwargs):
            if remaining is not None:
                told.append(remaining)
            return commit(cron, processed, remaining=remaining, **kwargs)

        self.patch(Cron, "_commit_progress", record)
        return told

    def test_a_mailbox_remains_until_it_is_read_to_its_end(self):
        """Else the cron would take an unfinished first reading for done."""
        self.deliver("One", "Two")
        told = self.record_progress()
        self.start()
        self.assertEqual(told[-1], 0)
        self.assertTrue(all(told[:-1]), told)

    def test_when_the_time_is_up_the_rest_remains_and_the_next_run_goes_on(self):
        self.deliver(*map(str, range(5)))
        told = self.record_progress()
        record = type(self.env["ir.cron"])._commit_progress

        def no_time(cron, processed=0, **kwargs):
            record(cron, processed, **kwargs)
            return 0 if processed else 1

        with patch.object(type(self.env["ir.cron"]), "_commit_progress", no_time):
            self.start()
        self.assertEqual(told[-1], 1, "there is more to do: run again at once")
        self.assertEqual(self.account.sync_stage, "waiting")
        self.assertFalse(self.account.last_sync)
        for _run in range(5):
            self.run_cron("_cron_backfill")
        self.assertEqual(len(self.anna.easycrm_email_link_ids), 5)
        self.assertEqual(self.account.sync_status, "ok")

    def test_a_mailbox_that_another_worker_reads_as_fast_is_left_to_it(self):
        self.deliver("One")
        self.start()
        self.deliver("Two")
        crossed = patch.object(
            sync_run.SyncRun, "_store_batch", side_effect=SerializationFailure
        )
        with (
            crossed as store,
            patch.object(retrying.time, "sleep"),
            self.assertNoLogs("odoo", logging.WARNING),
        ):
            self.run_cron("_cron_sync")
        self.assertEqual(store.call_count, retrying.ATTEMPTS)
        self.assertEqual(self.account.sync_status, "ok")
        self.assertFalse(self.account.failed_at)
        self.run_cron("_cron_sync")
        self.assertEqual(len(self.anna.easycrm_email_link_ids), 2)

    def test_a_job_of_which_much_is_left_leaves_the_mailboxes_their_time(self):
        self.deliver("One")
        self.account.with_user(self.mira).action_sync_now()
        calls = []

        def job():
            calls.append(1)
            return len(calls) < 100

        cron = self.env.ref("easycrm_mail.ir_cron_email_backfill")
        triggers = self.env["ir.cron.trigger"]
        triggers.search([]).unlink()
        told = self.record_progress()
        Account = type(self.env["easycrm.email.account"])
        Account._run_jobs = lambda account: sync_run.SyncRun(account).run(job, int)
        self.addCleanup(delattr, Account, "_run_jobs")
        with patch.object(sync_run, "JOBS_SECONDS", 0):
            self.run_as_cron(self.account, "_run_jobs")
        self.assertEqual(len(calls), 1)
        self.assertEqual(len(self.anna.easycrm_email_link_ids), 1)
        self.assertEqual(told[-1], 1, "there is more to do: run again at once")
        self.assertTrue(triggers.search([("cron_id", "=", cron.id)]))
        # nothing else waits: it is done to its end
        self.run_as_cron(self.account.browse(), "_run_jobs")
        self.assertEqual((len(calls), told[-1]), (100, 0))

    def test_a_mail_that_breaks_the_line_does_not_keep_the_new_ones_out(self):
        self.server.deliver(self.login, b"\n")
        self.start()
        failure = self.account.failure_ids
        failure.with_user(self.mira).action_retry()
        self.deliver("New one")

        def break_line(*args):
            raise Retry("dropped")

        with patch.object(sync_run, "fetch_again", break_line):
            self.run_cron()
        self.assertEqual(
            self.anna.easycrm_email_link_ids.email_id.mapped("subject"), ["New one"]
        )
        self.assertEqual(self.account.sync_status, "incomplete")
        self.assertFalse(self.account.retry_count)
        self.assertEqual(failure.attempts, 2)
        self.assertFalse(failure.retry, "it waits for the next click")

    def test_pausing_during_a_run_is_not_undone_by_its_end(self):
        self.start()
        self.account.action_pause()
        self.account._mark_progress()
        self.account._mark_failed(Retry("timeout"))
        self.assertEqual(self.account.sync_status, "paused")
        self.assertEqual(self.account.sync_stage, "idle")
        self.assertFalse(self.account.last_error)

    def test_what_one_mailbox_raises_is_not_the_end_of_the_others(self):
        self.deliver("Fine")
        other = self.add_mailbox()
        plan = sync_run.SyncRun._plan

        def fail(run, session):
            if session.account_id == other.id:
                raise ZeroDivisionError
            return plan(run, session)

        self.patch(sync_run.SyncRun, "_plan", fail)
        with mute_logger(sync_run.__name__):
            self.start()
        self.assertEqual(self.account.sync_status, "ok")
        self.assertEqual(other.last_error_kind, "retry")
        self.assertIn("our side", other.last_error)

    def test_a_batch_that_another_worker_has_stored_is_dropped(self):
        self.deliver("One")
        self.start()
        folder = self.account.folder_ids.filtered(lambda f: f.role == "inbox")
        provider = self.account._make_provider()
        self.addCleanup(provider.close)
        since = self.account._get_since()
        pulled = sync_run.pull(provider, folder.stream, "", since)
        mailbox = self.account._get_mailbox()
        session = sync_run.Session(self.account.id, provider, since, mailbox)
        session.task = ("pull", folder.id, "")
        before = folder.checkpoint
        run = sync_run.SyncRun(self.account.sudo())
        self.assertEqual(run._store_batch(self.account.sudo(), session, pulled), 0)
        self.assertEqual(folder.checkpoint, before)

    def test_a_job_that_breaks_does_not_keep_mailboxes_from_being_read(self):
        self.deliver("One")

        def fail(account):
            raise ZeroDivisionError

        self.patch(type(self.account), "_apply_schedule", fail)
        with mute_logger(sync_run.__name__):
            self.start()
        self.assertEqual(len(self.anna.easycrm_email_link_ids), 1)
        self.assertEqual(self.account.sync_status, "ok")

    def test_what_is_left_of_a_job_remains(self):
        told = self.record_progress()
        Cron = type(self.env["ir.cron"])
        commit = Cron._commit_progress
        self.patch(type(self.account), "_apply_schedule", lambda account: True)

        def no_time(cron, processed=0, **kwargs):
            commit(cron, processed, **kwargs)
            return 0 if processed else 1

        with patch.object(Cron, "_commit_progress", no_time):
            self.run_cron("_cron_backfill")
        self.assertEqual(told[-1], 1)

    def test_a_folder_that_is_renamed_is_found_again(self):
        self.server.create_folder(self.login, "Projects")
        self.start()
        projects = self.account.folder_ids.filtered(lambda f: f.stream == "Projects")
        projects.selected = True
        self.deliver("In the folder", folder="Projects")
        self.run_cron("_cron_backfill")
        self.assertEqual(self.account.sync_status, "ok")
        self.server.delete_folder(self.login, "Projects")
        self.server.create_folder(self.login, "Customers")
        self.run_cron()
        self.assertEqual(self.account.sync_status, "incomplete")
        self.assertIn("Projects", self.account.last_error)
        self.run_cron()
        self.assertEqual(self.account.sync_status, "incomplete", "a gap is known")
        streams = self.account.folder_ids.mapped("stream")
        self.assertIn("Customers", streams)
        self.assertIn("Projects", streams, "it may come back")
        self.assertIn("Projects", self.account.last_error)
        projects.selected = False
        self.run_cron()
        self.assertEqual(self.account.sync_status, "ok")
        email = self.anna.easycrm_email_link_ids.email_id
        self.assertEqual(email.subject, "In the folder", "the CRM keeps it")
        # it comes back: the choice was the user's, and so is this one
        self.server.create_folder(self.login, "Projects")
        self.account.folders_at = False
        projects.selected = True
        self.deliver("Back again", folder="Projects")
        self.run_cron("_cron_backfill")
        self.run_cron()
        self.assertIn(
            "Back again", self.anna.easycrm_email_link_ids.email_id.mapped("subject")
        )

    def test_an_empty_list_of_folders_forgets_nothing(self):
        self.deliver("One")
        self.start()
        inbox = self.account.folder_ids.filtered(lambda folder: folder.role == "inbox")
        checkpoint = inbox.checkpoint
        self.account._update_folders([])
        self.assertTrue(checkpoint)
        self.assertEqual(inbox.checkpoint, checkpoint)
        self.assertFalse(inbox.missing)

    def test_mails_set_aside_of_a_listing_that_is_void_do_not_stay(self):
        self.server.deliver(self.login, b"\n")
        self.start()
        self.assertEqual(len(self.account.failure_ids), 1)
        self.server.recreate(self.login, "INBOX")
        for _run in range(2):
            self.run_cron()
            self.run_cron("_cron_backfill")
        self.assertEqual(len(self.account.failure_ids), 1, "found anew, once")

    def test_a_mail_that_is_fetched_again_keeps_its_read_state(self):
        key = self.server.deliver(self.login, b"\n")
        self.server.mark(self.login, key, seen=True)
        self.start()
        failure = self.account.failure_ids
        provider = self.account._make_provider()
        self.addCleanup(provider.close)
        remote = provider.fetch(failure.stream, failure.provider_ref)
        self.assertTrue(remote.is_read)
        self.assertTrue(remote.received_at)

    def test_deleting_an_account_takes_mail_along_that_stands_nowhere(self):
        self.deliver("Stranger", sender="who@far.example")
        self.start()
        email = (
            self.env["easycrm.email.copy"]
            .search([("account_id", "=", self.account.id)])
            .email_id
        )
        file = self.env["ir.attachment"].create({"name": "a", "raw": b"x"})
        self.env["easycrm.email.attachment"].create(
            {
                "email_id": email.id,
                "name": "a",
                "mimetype": "text/plain",
                "part": "1",
                "attachment_id": file.id,
            }
        )
        self.account.unlink()
        self.assertFalse(email.exists())
        self.assertFalse(file.exists(), "and their files")

    def test_a_first_reading_waits_for_no_import_of_contacts(self):
        self.env["res.partner"].create(
            [
                {"name": f"C{number}", "email": f"c{number}@new.example"}
                for number in range(30)
            ]
        )
        self.env.cr.flush()
        addresses = self.env["easycrm.email.address"]
        addresses.search([]).look_again_at = fields.Datetime.now()
        self.deliver("One")
        self.start()
        self.assertEqual(self.account.sync_status, "ok")
        self.assertFalse(addresses.search([("look_again_at", "!=", False)]))

    def test_queries_are_kept_out_of_the_log_for_one_thread_and_one_time(self):
        """Two cron threads, or one and the pool, overlap like this all the time."""
        logger = logging.getLogger("odoo.sql_db")
        first, second = quiet_sql(), quiet_sql()
        with self.assertLogs(logger) as logs:
            first.__enter__()
            thread = Thread(target=second.__enter__)
            thread.start()
            thread.join()
            other = Thread(target=logger.error, args=["of another thread"])
            other.start()
            other.join()
            logger.error("hidden")
            first.__exit__(None, None, None)
            logger.error("after it")
        self.assertEqual(
            [one.getMessage() for one in logs.records],
            ["of another thread", "after it"],
        )
