import random
from datetime import timedelta

from babel.dates import format_skeleton
from markupsafe import escape

from odoo import api, fields, models
from odoo.tools.misc import (
    babel_locale_parse,
    format_datetime,
    format_time,
    get_lang,
)

from .easycrm_email_folder import MAX_COUNT

#: Retries after the first failure, before the user is told (law 5).
RETRIES = 3

#: Minutes to the first retry; each next one waits twice as long.
RETRY_MINUTES = 1

#: Minutes between the automatic attempts after that.
ERROR_MINUTES = 30

#: Hours that an attempt is put off at most, whatever the server asks for.
MAX_WAIT_HOURS = 24


class EasycrmEmailAccount(models.Model):
    """How a mailbox is doing: what follows an error, and who is told in which words.

    ok/incomplete --retry--> waiting +1, +2, +4 min --third fails--> error, told once
    error (passing cause) --every 30 min--> ok: the notices go by themselves
    any --reconnect/permanent--> error at once, until the user mends it
    """

    _inherit = "easycrm.email.account"

    def _mark_failed(self, error):
        """Record that the sync failed and decide when it is tried again.

        :param MailboxError error:
        """
        self.ensure_one()
        if not self._is_running():
            return  # paused meanwhile
        now = fields.Datetime.now()
        vals = {
            "sync_stage": "waiting",
            "last_error": self._explain_error(error),
            "last_error_kind": error.kind,
            "failed_at": self.failed_at or now,
            "next_sync_at": False,
        }
        failed = True
        if error.kind in ("retry", "resync"):
            first = self.last_error_kind not in ("retry", "resync")
            vals["retry_count"] = min(0 if first else self.retry_count + 1, RETRIES)
            failed = self.sync_status == "error" or vals["retry_count"] >= RETRIES
            minutes = RETRY_MINUTES * 2 ** vals["retry_count"]
            wait = timedelta(minutes=ERROR_MINUTES if failed else minutes)
            wait *= random.uniform(0.9, 1.1)  # not all mailboxes of a server at once
            asked = timedelta(seconds=getattr(error, "retry_after", None) or 0)
            longest = timedelta(hours=MAX_WAIT_HOURS)
            vals["next_sync_at"] = now + min(max(wait, asked), longest)
            self._get_cron()._easycrm_trigger(vals["next_sync_at"])
        told = self.sync_status == "error"
        if failed:
            vals["sync_status"] = "error"
        self.write(vals)
        if failed and not told:
            self._notify_failed()
        else:
            self._ping("progress")

    def _is_running(self):
        """Tell whether the mailbox is to be read: it is neither paused nor a draft."""
        return self.active and self.sync_status in ("ok", "incomplete", "error")

    def _mark_waiting(self):
        """Record that the cron's time is up and the rest is read by its next run."""
        if self._is_running():
            self.sync_stage = "waiting"

    def _mark_resting(self, seconds):
        """Record that the service's limit for this mailbox is used up for a while.

        That is no error: what has come is stored, and the rest goes on by itself. What
        went wrong before is over: a first reading may rest a hundred times, and faults
        that lie hours apart are not one.

        :param float seconds: until it may be asked again
        """
        if not self._is_running():
            return
        wait = min(seconds + 1, MAX_WAIT_HOURS * 3600)
        at = fields.Datetime.now() + timedelta(seconds=wait)
        vals = {"sync_stage": "waiting", "next_sync_at": at}
        recovered = self.sync_status == "error"
        if self.last_error_kind in ("retry", "resync"):
            vals |= {"last_error": False, "last_error_kind": False}
            vals |= {"failed_at": False, "retry_count": 0}
        if recovered:
            vals["sync_status"] = "incomplete"
        self.write(vals)
        if recovered:
            self._clear_notices()
            self._notify_recovered()
        self._get_cron()._easycrm_trigger(at)

    def _mark_progress(self):
        """Record how far the folders have been read."""
        self.ensure_one()
        if not self._is_running():
            return
        folders = self._get_read_folders()
        self.write(
            {
                "sync_stage": "fetching",
                "sync_done": sum(folders.mapped("sync_done")),
                "sync_total": min(sum(folders.mapped("sync_total")), MAX_COUNT),
            }
        )
        self._ping("progress", done=self.sync_done, total=self.sync_total)

    def _mark_synced(self, missing=""):
        """Record that the mailbox has been read to its end.

        :param str missing: what could not be read, in words; it keeps the status from
            being green
        """
        self.ensure_one()
        recovered = self.sync_status == "error"
        missing = missing or " ".join(
            self._explain_missing(folder.name)
            for folder in self.folder_ids
            if folder.selected and folder.missing
        )
        gap = missing or self.failure_count or self._count_gaps()
        self._plan_check()
        self.write(
            {
                "sync_stage": "idle",
                "sync_status": "incomplete" if gap else "ok",
                "last_sync": fields.Datetime.now(),
                "last_error": missing or False,
                "last_error_kind": "gone" if missing else False,
                "failed_at": False,
                "told_at": False,
                "warned_at": False,
                "retry_count": 0,
                "next_sync_at": False,
            }
        )
        if recovered:
            self._clear_notices()
            self._notify_recovered()
        else:
            self._ping("synced")

    def _ping(self, event, **values):
        """Tell the screens of the mailbox's people that something has changed.

        :param str event: `progress`, `synced`, `failed` or `recovered`
        :param values: words and numbers for its people, never of their mail
        """
        self.ensure_one()
        (self.user_id | self.member_ids)._bus_send(
            "easycrm_mail.account", {"account_id": self.id, "event": event, **values}
        )

    def _notify_recovered(self):
        env = self.with_context(lang=self.user_id.lang).env
        self._ping(
            "recovered", title=env._("Email sync works again"), message=self.email
        )

    def _notify_failed(self):
        """Tell the mailbox's user, once for each failure: a toast and an activity."""
        self.ensure_one()
        # the toast and the activity are the notice: no third one by email
        account = self.with_context(
            lang=self.user_id.lang, mail_activity_quick_update=True
        )
        title = account._get_failure_title()
        account.activity_schedule(
            "mail.mail_activity_data_warning",
            summary=title,
            note=escape(self.last_error),  # what servers say is no markup
            user_id=self.user_id.id,
        )
        self.told_at = fields.Datetime.now()
        self._ping(
            "failed",
            title=title,
            email=self.email,
            message=account._get_failure_reason(),
            primary=self._get_remedy(),
        )

    def _get_remedy(self):
        """Return what its owner does first: `reconnect` or `retry`."""
        return "reconnect" if self.last_error_kind == "reconnect" else "retry"

    def _clear_notices(self):
        self.activity_unlink(["mail.mail_activity_data_warning"])

    @api.model
    def _get_failure_title(self):
        return self.env._("Email sync failed. Please check your connection")

    def _get_failure_reason(self):
        """Return what went wrong for where the mailbox itself is not to be seen: one
        may have several, and not every reason says which it is about.
        """
        reason = self.last_error or ""
        if self.email in reason:
            return reason
        return self.env._("%(mailbox)s: %(reason)s", mailbox=self.email, reason=reason)

    def _get_notice(self, mine):
        """Return the banner that a failing mailbox gets on a timeline.

        :param bool mine: for its own user; others get the line without buttons
        """
        self.ensure_one()
        if mine:
            title, reason = self._get_failure_title(), self._get_failure_reason()
            following = self._get_next_step()
        else:
            owner = self.user_id.name
            title = (
                self.env._(
                    "%(owner)s’s mailbox has not synced since %(since)s",
                    owner=owner,
                    since=self._format_moment(self.last_sync),
                )
                if self.last_sync
                else self.env._("%s’s mailbox does not sync", owner)
            )
            reason = self.env._(
                "Newer emails with this contact may be missing here. %s has been told.",
                owner,
            )
            following = (
                self.env._("Only %s or an administrator can reconnect it.", owner)
                if not self.sign_in_service
                else self.env._("Only %s can sign in again.", owner)
            )
        return {
            "account_id": self.id,
            "email": self.email,
            "mine": mine,
            "title": title,
            "reason": reason,
            "next": following,
            "primary": self._get_remedy(),
        }

    def _get_next_step(self):
        """Say what happens next, below the reason."""
        self.ensure_one()
        if self.next_sync_at and self.next_sync_at <= fields.Datetime.now():
            return self.env._("It is being tried now.")
        if self.next_sync_at:
            at = self._format_moment(self.next_sync_at)
            return self.env._("Tried again by itself at %s.", at)
        if self.last_error_kind == "reconnect":
            return self.env._("Not tried again before you have signed in again.")
        return self.env._("Not tried again before the settings are changed.")

    def _format_moment(self, moment):
        """Return a moment for the reader: the time, with the day unless it is today."""
        local = fields.Datetime.context_timestamp(self, moment)
        if local.date() == fields.Date.context_today(self):
            return format_time(self.env, local.time(), time_format="short")
        return format_datetime(self.env, moment, dt_format="short")

    def _format_day(self, moment):
        """Return the day of a moment for the reader, without its year: “Nov 24”."""
        local = fields.Datetime.context_timestamp(self, moment)
        locale = babel_locale_parse(get_lang(self.env).code)
        return format_skeleton("MMMd", local, locale=locale)
