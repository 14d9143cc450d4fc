from collections import Counter, defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError

#: Days that the small bars of a mailbox show.
BAR_DAYS = 14

#: A mailbox is late when it was not read for so many rounds of the cron, or minutes.
LATE_ROUNDS, LATE_MINUTES = 3, 15


class EasycrmEmailAccount(models.Model):
    """How all mailboxes are doing, for who looks after them: counts, never the mail.

    Each of these takes as many queries for a page of mailboxes as for one.
    """

    _inherit = "easycrm.email.account"

    service_line = fields.Char(compute="_compute_service_line", compute_sudo=True)
    late_minutes = fields.Integer(
        compute="_compute_late_minutes",
        help="Minutes since the last sync after which it is late; 0: it never is.",
    )
    mails_a_day = fields.Json(compute="_compute_mails_a_day", compute_sudo=True)
    came_today = fields.Integer(compute="_compute_mails_a_day", compute_sudo=True)
    came_in_week = fields.Integer(
        string="Came in 7 Days", compute="_compute_mails_a_day", compute_sudo=True
    )
    quota_used = fields.Integer(
        compute="_compute_quota_used",
        compute_sudo=True,
        help="Of what the service lets be asked of one mailbox, in percent; -1 where "
        "it does not count.",
    )
    paused_at = fields.Datetime(copy=False, readonly=True)
    paused_by_id = fields.Many2one(
        "res.users", copy=False, readonly=True, ondelete="set null"
    )
    trouble = fields.Json(compute="_compute_trouble", compute_sudo=True)

    @api.depends_context("lang")
    @api.depends("provider", "imap_host", "member_ids")
    def _compute_service_line(self):
        env = self.env
        names = {"gmail": "Gmail", "outlook": "Microsoft 365"}
        for account in self:
            name = names.get(account.provider) or (
                env._("IMAP, %s", account.imap_host) if account.imap_host else "IMAP"
            )
            if account.member_ids:
                people = len(account.member_ids | account.user_id)
                name = env._(
                    "%(service)s, team of %(count)s", service=name, count=people
                )
            account.service_line = name

    @api.depends("sync_status")
    def _compute_late_minutes(self):
        is_on, minutes = self._get_schedule()
        late = max(LATE_ROUNDS * minutes, LATE_MINUTES) if is_on else 0
        for account in self:
            account.late_minutes = late * account._is_running()

    @api.depends_context("tz")
    @api.depends("last_sync")
    def _compute_mails_a_day(self):
        today = fields.Date.context_today(self)
        days = [today - timedelta(days=ago) for ago in reversed(range(BAR_DAYS))]
        counts = self._count_mails(days[0])
        for account in self:
            came = counts[account._origin.id]
            account.mails_a_day = [
                {"day": str(day), "count": came[day]} for day in days
            ]
            account.came_today = came[today]
            account.came_in_week = sum(came[day] for day in days[-7:])

    def _count_mails(self, since):
        """Count the mails of these mailboxes by day, in the reader's time zone.

        :param date since: the first day
        :return: {account id: {day: count}}
        """
        counts = defaultdict(Counter)
        self.env["easycrm.email.copy"].flush_model(["account_id", "date"])
        self.env.cr.execute(
            """
            SELECT account_id, (date AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date,
                   count(*)
            FROM easycrm_email_copy
            WHERE account_id = ANY(%(ids)s)
              AND date >= %(since)s::timestamp AT TIME ZONE %(zone)s AT TIME ZONE 'UTC'
            GROUP BY 1, 2
            """,
            {
                "zone": self.env.tz.zone,
                "ids": self._origin.ids,
                "since": since,
            },
        )
        for account_id, day, count in self.env.cr.fetchall():
            counts[account_id][day] = count
        return counts

    @api.depends("quota_state", "provider")
    def _compute_quota_used(self):
        for account in self:
            budget = account._get_budget()
            account.quota_used = min(round(100 * budget.used()), 100) if budget else -1

    @api.depends_context("lang", "tz")
    @api.depends(
        "sync_status", "sync_stage", "last_error", "next_sync_at", "failure_count"
    )
    @api.depends("gap_count", "paused_at", "paused_by_id")
    def _compute_trouble(self):
        for account in self:
            title, detail = account._get_trouble()
            account.trouble = {
                "title": title or "",
                "detail": detail or "",
                "is_error": account.sync_status == "error",
            }

    def _get_trouble(self):
        """Say what is wrong with the mailbox, and what happens next.

        :return: two short sentences, empty where there is nothing to say
        """
        env = self.env
        if self.sync_status == "error":
            return self.last_error, self._get_told_words()
        if self.sync_status == "paused" and self.paused_at:
            return self._get_paused_words(), ""
        if self.last_error:
            return self.last_error, self.next_sync_at and self._get_next_step()
        if self.sync_stage == "waiting" and self.next_sync_at:
            return env._(
                "%(service)s asks to wait until %(at)s",
                service=self._get_server_title(),
                at=self._format_moment(self.next_sync_at),
            ), ""
        if self.gap_count == 1:
            return env._("1 email is missing, and is being fetched"), ""
        if self.gap_count:
            return env._("%s emails are missing, being fetched", self.gap_count), ""
        if self.failure_count == 1:
            return env._("1 email cannot be read: set aside"), ""
        if self.failure_count:
            return env._("%s emails cannot be read: set aside", self.failure_count), ""
        return "", ""

    def _get_paused_words(self):
        """Say who has paused it, and on which day."""
        return self.env._(
            "paused by %(who)s, %(date)s",
            who=self.paused_by_id.sudo().name or self.env._("somebody"),
            date=self._format_day(self.paused_at),
        )

    def _get_told_words(self):
        """Say what happens next with a mailbox in error: it is tried, or was told."""
        if self.next_sync_at:
            return self._get_next_step()
        if self.told_at:
            return self.env._(
                "%(owner)s was told %(at)s",
                owner=self.user_id.sudo().name,
                at=self._format_moment(self.told_at),
            )
        return self._get_next_step()

    @api.model
    def easycrm_health_counts(self, domain=()):
        """Count the mailboxes that the user sees by how they are doing.

        :param domain: those that a list is about
        :return: dict: `total`, `counts` by `sync_health`, `minutes` between two syncs
            (0: switched off), and `oldest`, the last sync of the one that lags most
        :raise AccessError: it is for administrators
        """
        if not self.env.user.has_group("easycrm_mail.group_easycrm_mail_manager"):
            raise AccessError(
                self.env._("Only administrators see how all mailboxes are doing.")
            )
        accounts = self.search(list(domain))
        counts = Counter(accounts.mapped("sync_health"))
        synced = [
            one.last_sync for one in accounts if one.late_minutes and one.last_sync
        ]
        is_on, minutes = self._get_schedule()
        return {
            "total": len(accounts),
            "counts": dict(counts),
            "minutes": minutes if is_on else 0,
            "oldest": fields.Datetime.to_string(min(synced)) if synced else False,
            "late_minutes": max(accounts.mapped("late_minutes"), default=0),
        }
