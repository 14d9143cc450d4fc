import random
from collections import Counter
from datetime import datetime, time, timedelta, timezone

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

#: Days that are compared: today and those before it, in the owner's time zone.
WEEK_DAYS = 7

#: When a night's comparison begins, by the owner's clock: from, to.
CHECK_HOURS = 3, 5

#: Minutes after which a comparison that failed is made again.
PUT_OFF_MINUTES = 60

#: Hours after which a comparison says nothing any more about today.
CHECK_EXPIRES_HOURS = 26


class EasycrmEmailAccount(models.Model):
    """Whether all mail of the last days is here: compared every night, and healed.

    A sync asks for the ids that the mailbox holds once `check_at` has come; see
    `sync_compare.py`. Each folder keeps what it held a day, gaps what is missing of it:
    what is here is the difference.
    """

    _inherit = "easycrm.email.account"

    check_at = fields.Datetime(
        string="Next Comparison",
        copy=False,
        readonly=True,
        help="When the last 7 days are compared with the mailbox the next time.",
    )
    checked_at = fields.Datetime(
        string="Compared",
        copy=False,
        readonly=True,
        help="When the last 7 days were compared with the mailbox.",
    )
    week_recovered = fields.Integer(
        string="Recovered",
        copy=False,
        readonly=True,
        help="Emails that the last comparison found missing, and that are here now.",
    )
    gap_count = fields.Integer(
        string="Missing", compute="_compute_week", compute_sudo=True
    )
    week_held = fields.Integer(
        string="In the Mailbox (7 Days)", compute="_compute_week", compute_sudo=True
    )
    week_stored = fields.Integer(
        string="Here (7 Days)", compute="_compute_week", compute_sudo=True
    )
    week_days = fields.Json(compute="_compute_week", compute_sudo=True)
    week_words = fields.Json(compute="_compute_week_words", compute_sudo=True)
    week_line = fields.Char(
        string="Last 7 Days", compute="_compute_week_words", compute_sudo=True
    )

    @api.depends("folder_ids.week_days", "checked_at")
    def _compute_week(self):
        held = {account: Counter() for account in self}
        missing = {account: Counter() for account in self}
        for account in self:
            for folder in account._get_read_folders():
                held[account].update(folder.week_days or {})
        counts = self.env["easycrm.email.gap"]._read_group(
            Domain("account_id", "in", self.ids),
            ["account_id", "day:day"],
            ["__count"],
        )
        by_id = {account._origin.id: account for account in self}
        for owner, day, count in counts:
            missing[by_id[owner.id]][str(day)] = count
        for account in self:
            here, gaps = held[account], missing[account]
            account.week_days = [
                {"day": day, "held": here[day], "stored": here[day] - gaps[day]}
                for day in sorted(here)
            ]
            account.gap_count = gaps.total()
            account.week_held = here.total()
            account.week_stored = here.total() - sum(gaps[day] for day in here)

    @api.depends_context("lang", "tz")
    @api.depends("week_held", "week_stored", "checked_at", "sync_status", "last_sync")
    def _compute_week_words(self):
        for account in self:
            title, detail = account._get_week_words()
            account.week_words = {"title": title, "detail": detail}
            account.week_line = account._get_week_line(title, detail)

    def _get_week_words(self):
        """Say how much of the last days is here, and how one knows.

        :return: two short phrases, the first one empty where nothing can be said
        """
        env = self.env
        if not self.last_sync:
            reading = self.sync_status in ("ok", "incomplete")
            return "", env._("after the first sync") if reading else ""
        if self.sync_status == "paused":
            return env._("not checked"), env._("while paused")
        if self.sync_status == "stopped":
            return "", ""
        if not self.checked_at:
            if self.sync_status == "error":
                return env._("not checked"), env._("while in error")
            return env._("not checked"), env._("tonight")
        if not self._is_check_valid():
            since = self._format_day(self.checked_at)
            return env._("not checked"), env._("since %s", since)
        at = self._format_moment(self.checked_at)
        title = env._(
            "%(stored)s of %(held)s", stored=self.week_stored, held=self.week_held
        )
        if self.week_recovered:
            return title, env._(
                "checked %(at)s, %(count)s recovered", at=at, count=self.week_recovered
            )
        return title, env._("checked %s", at)

    def _get_week_line(self, title, detail):
        """Put both phrases into one sentence; nothing before the first comparison."""
        if not title or not self.checked_at:
            return False
        if self._is_check_valid():
            return self.env._(
                "7 days: %(title)s, %(detail)s", title=title, detail=detail
            )
        return self.env._("7 days: %(title)s %(detail)s", title=title, detail=detail)

    def _is_check_valid(self):
        """Tell whether the last comparison still says something about today."""
        expired = fields.Datetime.now() - timedelta(hours=CHECK_EXPIRES_HOURS)
        return (
            self.sync_status not in ("paused", "stopped")
            and bool(self.checked_at)
            and self.checked_at >= expired
        )

    def action_compare_now(self):
        """Have the last 7 days compared with the mailbox now: the cron does it.

        :raise UserError: it is not read at all
        """
        self.check_access("read")
        if not all(account._is_running() for account in self):
            raise UserError(
                self.env._("The mailbox is not read now, and cannot be compared.")
            )
        self.sudo()._want_check()
        return self._sync_now(
            self.env._(
                "The last 7 days are being compared. The result shows here in a moment."
            )
        )

    def _want_check(self):
        self.folder_ids.checked_at = False
        self.check_at = fields.Datetime.now()

    # --- when ---

    def _get_zone(self):
        """Return the time zone of the mailbox's owner."""
        self.ensure_one()
        try:
            return pytz.timezone(self.user_id.sudo().tz or "UTC")
        except pytz.UnknownTimeZoneError:
            return pytz.utc

    def _get_next_check(self):
        """Return a moment of the coming night, by chance: not all mailboxes at once."""
        self.ensure_one()
        first, last = CHECK_HOURS
        zone = self._get_zone()
        local = pytz.utc.localize(fields.Datetime.now()).astimezone(zone)
        day = local.date() + timedelta(days=local.hour >= first)
        begin = zone.localize(datetime.combine(day, time(first)))
        spread = timedelta(seconds=random.randrange((last - first) * 3600))
        return (begin + spread).astimezone(pytz.utc).replace(tzinfo=None)

    def _get_week(self):
        """Return the days that are compared, and the moments at which they begin.

        :return: list of dates, oldest first, and list of aware datetimes. Before the
            window that is read no day begins
        """
        self.ensure_one()
        zone, since = self._get_zone(), self._get_since()
        now = pytz.utc.localize(fields.Datetime.now())
        today = now.astimezone(zone).date()
        days = [today - timedelta(days=ago) for ago in reversed(range(WEEK_DAYS))]
        midnights = [zone.localize(datetime.combine(day, time.min)) for day in days]
        return days, [max(one.astimezone(timezone.utc), since) for one in midnights]

    def _is_check_due(self):
        """Tell whether the time has come to compare the mailbox."""
        self.ensure_one()
        return bool(self.check_at) and self.check_at <= fields.Datetime.now()

    def _get_unchecked_folders(self):
        """Return the folders that are still to be compared, if the time has come."""
        self.ensure_one()
        if not self._is_check_due():
            return self.folder_ids.browse()
        return self._get_read_folders().filtered(
            lambda folder: not folder.checked_at or folder.checked_at < self.check_at
        )

    def _plan_check(self):
        """Have the mailbox compared in the coming night, unless that is settled."""
        # (what lies further off was settled by a clock that has been set back since)
        latest = fields.Datetime.now() + timedelta(days=2)
        if not self.check_at or self.check_at > latest:
            self.check_at = self._get_next_check()

    def _mark_checked(self):
        """Record that all folders have been compared."""
        self.ensure_one()
        self.write(
            {
                "checked_at": fields.Datetime.now(),
                "check_at": self._get_next_check(),
                "week_recovered": 0,
            }
        )

    def _count_gaps(self):
        """Return how many mails are known to be missing."""
        self.ensure_one()
        return self.env["easycrm.email.gap"].search_count(
            [("account_id", "=", self.id)]
        )

    def _get_next_gap(self, tried):
        """Return the missing mail that is to be fetched next, the newest first.

        :param set tried: ids of those that were fetched in vain
        """
        self.ensure_one()
        return self.env["easycrm.email.gap"].search(
            Domain("account_id", "=", self.id) & Domain("id", "not in", list(tried)),
            limit=1,
        )

    def _settle_gaps(self):
        """Drop the gaps whose mail is here by now, or was set aside."""
        self.ensure_one()
        self.env["easycrm.email.gap"].flush_model()
        self.env.cr.execute(
            """
            WITH known AS (
                SELECT gap.id, EXISTS (
                    SELECT FROM easycrm_email_location place
                    WHERE place.account_id = gap.account_id
                      AND place.stream = gap.stream
                      AND place.provider_ref = gap.provider_ref
                ) AS is_here, EXISTS (
                    SELECT FROM easycrm_email_failure failure
                    WHERE failure.account_id = gap.account_id
                      AND failure.stream = gap.stream
                      AND failure.provider_ref = gap.provider_ref
                ) AS is_aside
                FROM easycrm_email_gap gap
                WHERE gap.account_id = %s
            )
            DELETE FROM easycrm_email_gap gap USING known
            WHERE gap.id = known.id AND (known.is_here OR known.is_aside)
            RETURNING known.is_here
            """,
            [self.id],
        )
        settled = self.env.cr.fetchall()
        if recovered := sum(is_here for (is_here,) in settled):
            self.week_recovered += recovered
        if settled:
            self._forget_gaps()

    def _is_excluded(self, gap):
        """Tell whether what was missing was left out when it came."""
        self.ensure_one()
        place = [
            ("account_id", "=", self.id),
            ("stream", "=", gap.stream),
            ("provider_ref", "=", gap.provider_ref),
        ]
        return bool(self.env["easycrm.email.exclusion"].search_count(place, limit=1))

    def _drop_gap(self, gap):
        """Record that a mail is not missing: it is gone from the mailbox, or left out.

        It does not count any more.
        """
        folder = self.folder_ids.filtered(lambda one: one.stream == gap.stream)
        days = folder.week_days or {}
        if days.get(str(gap.day)):
            folder.week_days = {**days, str(gap.day): days[str(gap.day)] - 1}
        gap.unlink()
        self.env.flush_all()
        self._forget_gaps()

    def _forget_gaps(self):
        """Forget what the ORM has cached of what is missing."""
        self.env["easycrm.email.gap"].invalidate_model(flush=False)
        self.invalidate_recordset(
            ["gap_count", "week_days", "week_held", "week_stored"], flush=False
        )

    def _put_check_off(self):
        """Record that the mailbox could not be compared now."""
        wait = timedelta(minutes=PUT_OFF_MINUTES)
        self.check_at = fields.Datetime.now() + wait
