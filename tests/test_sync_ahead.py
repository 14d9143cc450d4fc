from concurrent.futures import wait
from unittest.mock import patch

from odoo.tests import TransactionCase, tagged

from ..easycrm_mail.models import sync_run
from ..easycrm_mail.providers import Retry, imap_page
from .mailbox import RealMailbox


@tagged("post_install", "-at_install")
class TestSyncAhead(RealMailbox, TransactionCase):
    """While a page is stored the next one is asked for; it may have to be dropped."""

    def pages(self, size=1):
        """Let a page hold so many mails; return the list of what happens."""
        self.patch(imap_page, "PAGE_MAILS", size)
        events = []
        pull, store = sync_run.pull, sync_run.SyncRun._store_batch

        def record_pull(*args):
            events.append("asked")
            return pull(*args)

        def record_store(run, account, session, pulled):
            if session.ahead:  # (it may not have begun yet)
                wait([session.ahead[1]])
            events.append("stored")
            return store(run, account, session, pulled)

        self.patch(sync_run, "pull", record_pull)
        self.patch(sync_run.SyncRun, "_store_batch", record_store)
        return events

    def test_the_page_after_is_asked_for_while_one_is_stored(self):
        self.deliver("One", "Two", "Three")
        events = self.pages()
        self.start()
        self.assertEqual(events[:3], ["asked", "asked", "stored"])
        self.assertEqual(events.count("asked"), events.count("stored"))
        self.assertEqual(len(self.anna.easycrm_email_link_ids), 3)

    def test_what_was_asked_ahead_of_a_page_that_failed_is_dropped(self):
        self.deliver("One", "Two", "Three", "Four", "Five")
        events = self.pages()
        store = sync_run.SyncRun._store_batch
        calls = []

        def fail_second(*args):
            calls.append(args)
            if len(calls) == 2:
                raise Retry("dropped")
            return store(*args)

        self.patch(sync_run.SyncRun, "_store_batch", fail_second)
        self.start()
        self.assertEqual(events.count("asked"), 3, "what was under way, and no more")
        self.assertEqual(len(calls), 2)
        self.assertEqual(self.account.retry_count, 0)
        self.assertEqual(self.account.last_error_kind, "retry")
        self.assertEqual(len(self.anna.easycrm_email_link_ids), 1)
        self.account.next_sync_at = False
        self.run_cron("_cron_backfill")
        self.assertEqual(
            sorted(self.anna.easycrm_email_link_ids.email_id.mapped("subject")),
            ["Five", "Four", "One", "Three", "Two"],
        )

    def test_no_page_is_asked_ahead_when_the_time_is_up(self):
        self.deliver("One", "Two", "Three")
        events = self.pages()
        Cron = type(self.env["ir.cron"])
        commit = Cron._commit_progress

        def no_time(cron, processed=0, **kwargs):
            commit(cron, processed, **kwargs)
            return 0 if "asked" in events else 1

        with patch.object(Cron, "_commit_progress", no_time):
            self.start()
        self.assertEqual(events, ["asked", "stored"])

    def test_the_second_worker_leaves_the_folder_to_the_first(self):
        self.deliver(*map(str, range(6)))
        events = self.pages()
        pull = sync_run.pull
        inbox = []

        def cross(provider, stream, checkpoint, since):
            if stream == "INBOX" and not inbox:
                inbox.append(stream)
                # what the first worker has stored meanwhile
                self.env.cr.execute(
                    """UPDATE easycrm_email_folder SET checkpoint = 'theirs'
                       WHERE account_id = %s AND stream = 'INBOX'""",
                    [self.account.id],
                )
            return pull(provider, stream, checkpoint, since)

        self.account._update_folders(self.account._make_provider().streams())
        self.patch(sync_run, "pull", cross)
        self.start()
        self.assertLessEqual(events.count("asked"), 3)
        self.assertFalse(self.anna.easycrm_email_link_ids)

    def test_nothing_is_asked_ahead_for_a_mailbox_that_was_paused(self):
        self.deliver("One", "Two", "Three")
        events = self.pages()
        store = sync_run.SyncRun._store_batch

        def pause(run, account, session, pulled):
            account.sync_status = "paused"
            return store(run, account, session, pulled)

        self.patch(sync_run.SyncRun, "_store_batch", pause)
        self.start()
        self.assertEqual(events, ["asked", "asked", "stored", "stored"])
        self.assertEqual(self.account.sync_status, "paused")
