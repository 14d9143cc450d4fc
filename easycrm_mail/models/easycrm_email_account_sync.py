from datetime import datetime, time, timedelta, timezone
from time import monotonic

from odoo import api, fields, models
from odoo.fields import Domain

from ..providers import MailboxError
from .easycrm_email_account import BUTTON_TIMEOUT, READING_SECONDS, TEST_SECONDS
from .easycrm_email_account_health import ERROR_MINUTES, MAX_WAIT_HOURS
from .easycrm_email_failure import NOT_TRIED
from .files_run import FilesRun
from .storable import is_storable_name, to_storable
from .sync_run import SyncRun

#: Seconds of a cron's run that attachments get when mailboxes have used it up; and how
#: much later than that it may be: what is begun then ends within the cron's hard limit.
FILES_SECONDS, FILES_LATEST = 2, 30

#: Hours after which a mailbox is asked again which folders it has.
FOLDERS_HOURS = 24


class EasycrmEmailAccount(models.Model):
    """When a mailbox is read: the crons, and the buttons that trigger them."""

    _inherit = "easycrm.email.account"

    @api.model
    def _cron_sync(self):
        """Read what has happened in the mailboxes that have been read once.

        Runs every five minutes; first readings go under a cron of their own, so that
        they are never in the way.
        """
        if self._is_switched_on("sync_enabled", True):
            SyncRun(self._get_due(first=False)).run()
            if self.env["easycrm.email"]._get_due_files(1):
                self._wake_backfill()

    @api.model
    def _cron_backfill(self):
        """Read new mailboxes; do what Settings and changed addresses ask for.

        Then fetch the attachments of linked mail, and bodies that are not here: in the
        time that is left, or else for some seconds, once in a run of the cron.
        """
        # (which calls this again, when its time is up too)
        end = self.env.context.get("cron_end_time", float("inf"))
        is_on_time = monotonic() < end
        run = SyncRun(self._get_due(first=True))
        Address = self.env["easycrm.email.address"]
        run.run(
            self._apply_schedule,
            Address._follow_colleagues,
            Address._match_due,
            self.env["easycrm.email.rule"]._follow_due,
            self._warn_administrators,
            self.env["easycrm.email.thread"]._narrow_due,
            self.env["easycrm.email.tally"].sudo()._sum_up,
            # (last: it may take many runs)
            self.env["easycrm.email.batch"]._look_again_due,
        )
        if not run.stopped and not run.jobs_left:
            FilesRun(self.sudo().env).run()
        elif is_on_time and monotonic() < end + FILES_LATEST:
            FilesRun(self.sudo().env, FILES_SECONDS).run()

    @api.model
    def _keeps_files(self):
        """Tell whether the attachments of linked mail are stored by themselves."""
        return self._is_switched_on("keep_attachments", True)

    @api.model
    def _get_due(self, first):
        """Return the mailboxes to be read now, the longest waiting first.

        :param bool first: those whose first reading is not complete, or the others
        """
        now = fields.Datetime.now()
        unread = Domain("folder_ids", "=", False) | Domain(
            "folder_ids",
            "any",
            Domain("selected", "=", True)
            & Domain("settled", "=", False)
            & Domain("missing", "=", False),
        )
        # (nothing is put off for longer: the clock has been set back since)
        latest = now + timedelta(hours=MAX_WAIT_HOURS)
        waited = Domain("next_sync_at", "<=", now) | Domain("next_sync_at", ">", latest)
        due = (
            Domain("sync_status", "in", ["ok", "incomplete"])
            & (Domain("next_sync_at", "=", False) | waited)
            | Domain("sync_status", "=", "error") & waited
        )
        return self.sudo().search(
            due & (unread if first else ~unread), order="last_sync NULLS FIRST, id"
        )

    def action_sync_now(self):
        """Have the mailbox read now: the cron does it, the button only wakes it.

        A mailbox that was not started is started by it.
        """
        return self._sync_now(self.env._("The mailbox is being read."))

    def _sync_now(self, message):
        """Have the mailbox read now.

        :param str message: what the user is told
        :return: the action that tells it, or why nothing is read
        """
        self.check_access("read")  # its owner, its team and the administrators
        self._check_owner_is_here()
        for account in self.sudo():
            if account.sync_status in ("draft", "paused", "stopped"):
                account._make_provider()  # says what is not filled in
                settled = account.last_sync and not (
                    account.failure_ids or account._count_gaps()
                )
                account.write(
                    {
                        "sync_status": "ok" if settled else "incomplete",
                        "sync_stage": "waiting",
                    }
                )
            account.next_sync_at = (
                fields.Datetime.now() if account.sync_status == "error" else False
            )
            account._get_cron()._easycrm_trigger()
        if not all(account._get_cron() for account in self.sudo()):
            return self._show_result(
                "warning", self.env["ir.cron"]._easycrm_say_deleted()
            )
        if not self._get_schedule()[0] and self._get_sync_cron() in {
            account._get_cron() for account in self.sudo()
        }:
            message = self.env._(
                "Reading mailboxes is switched off in the settings: ask your "
                "administrator."
            )
            if self.env.user.has_group("base.group_system"):
                message = self.env._(
                    "Reading mailboxes is switched off. Switch it on under Settings → "
                    "Email for CRM."
                )
            return self._show_result("warning", message)
        return self._show_result("info", message)

    def action_pause(self):
        """Stop reading the mailbox until `action_sync_now`."""
        self.check_access("write")
        self._check_owner_is_here()
        self.sudo().write(
            {
                "next_sync_at": False,
                "paused_at": fields.Datetime.now(),
                "paused_by_id": self.env.uid,
                "sync_stage": "idle",
                "sync_status": "paused",
            }
        )
        self.sudo()._clear_notices()
        return True

    def action_reconnect(self):
        """Sign in again, or open the account where the password is entered."""
        self.ensure_one()
        self.check_access("write")
        if self.sign_in_service:
            return self.action_sign_in()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reconnect %s", self.email),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "current",
        }

    def action_test_connection(self):
        """Sign in to the mailbox, look which folders it has, and test sending.

        :return: the action that says how it went, in plain words
        :raise UserError: something is not filled in
        """
        self.ensure_one()
        self.check_access("write")
        deadline = monotonic() + TEST_SECONDS
        provider = self._make_provider(BUTTON_TIMEOUT, READING_SECONDS)
        self._release_transaction()
        try:
            streams = provider.streams()
        except MailboxError as error:
            return self._show_result(
                "danger",
                self.sudo()._explain_error(error),
                title=self.env._("The connection does not work"),
                sticky=True,
            )
        finally:
            provider.close()
        self.sudo()._update_folders(streams)
        if words := self.sudo()._explain_sending_test(deadline - monotonic()):
            return self._show_result(
                "warning",
                words,
                title=self.env._("Reading works, sending does not"),
                sticky=True,
            )
        return self._show_result(
            "success",
            self.env._("The connection works: one folder found.")
            if len(streams) == 1
            else self.env._("The connection works: %s folders found.", len(streams)),
        )

    @api.model
    def _show_result(self, kind, message, **params):
        """Return the action that tells the result of a button and reloads the form."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
                **params,
            },
        }

    def _get_read_folders(self):
        """Return the folders that are read."""
        return self.folder_ids.filtered(
            lambda folder: folder.selected and not folder.missing
        )

    def _get_next_retry(self):
        """Return the next of the mails set aside that is to be read again, if any."""
        return self.env["easycrm.email.failure"].search(
            [("account_id", "=", self.id), ("retry", "=", True)], limit=1, order="id"
        )

    def _count_first_try(self, stream, ref):
        """Count the first try of a mail that was left out and is read again.

        :return: whether it was the first
        """
        failure = self.failure_ids.filtered_domain(
            [
                ("stream", "=", stream),
                ("provider_ref", "=", ref),
                ("attempts", "=", NOT_TRIED),
            ]
        )
        failure.attempts = NOT_TRIED + 1
        return bool(failure)

    def _is_reachable(self):
        """Tell whether mails can be asked for: it is read, and that works."""
        self.ensure_one()
        return self._is_running() and self.sync_status != "error"

    def _needs_folders(self):
        """Tell whether the mailbox is to be asked which folders it has."""
        self.ensure_one()
        if not self.folder_ids or not self.folders_at:
            return True
        now = fields.Datetime.now()
        wait = timedelta(hours=FOLDERS_HOURS)
        if any(folder.selected and folder.missing for folder in self.folder_ids):
            wait = timedelta(minutes=ERROR_MINUTES)  # it may be back
        # (a time to come: the clock has been set back)
        return not now - wait <= self.folders_at <= now

    def _get_since(self):
        """Return the beginning of the window that is read, aware."""
        self.ensure_one()
        return datetime.combine(self.sync_from, time.min, timezone.utc)

    def _get_cron(self):
        """Return the cron that reads this mailbox next; nothing if it was deleted."""
        self.ensure_one()
        selected = self._get_read_folders()
        settled = selected and all(selected.mapped("settled"))
        name = "ir_cron_email_sync" if settled else "ir_cron_email_backfill"
        return self.env["ir.cron"]._easycrm_get(f"easycrm_mail.{name}")

    def _update_folders(self, streams):
        """Follow the folders that the mailbox has; the user's choice stays.

        One that is missing is kept, and read again when it is back: a server may give
        half a list. It is only not asked for meanwhile. One whose name cannot be stored
        is left out.

        :param streams: `Stream`s of the provider
        """
        self.ensure_one()
        wanted = {
            stream.stream: stream
            for stream in streams
            if is_storable_name(stream.stream)
        }
        if not wanted:
            return
        for folder in self.folder_ids:
            folder.missing = folder.stream not in wanted
        # (two workers, or the button and the cron, may list at the same time)
        self.env.cr.execute_values(
            """
            INSERT INTO easycrm_email_folder (account_id, stream, name, role, selected)
            VALUES %s ON CONFLICT (account_id, stream) DO NOTHING
            """,
            [
                (
                    self.id,
                    stream.stream,
                    to_storable(stream.name),
                    stream.role.value,
                    stream.default,
                )
                for stream in wanted.values()
            ],
        )
        self.invalidate_recordset(["folder_ids"], flush=False)
        self.folders_at = fields.Datetime.now()
