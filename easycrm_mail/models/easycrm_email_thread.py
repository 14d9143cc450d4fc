from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL


class EasycrmEmailThread(models.Model):
    """One conversation, across mailboxes.

    Providers number their threads per mailbox; this one is ours, found by the root of
    References, else by what In-Reply-To leads to.

    A private one is kept so by mailboxes: those of whoever made it private. It is
    shared again when none of them keeps it any more, so that nobody shares what a
    colleague keeps to himself. While it is private everybody sees of it what his own
    mailboxes hold, and nothing else.
    """

    _name = "easycrm.email.thread"
    _description = "Email Conversation"

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    root = fields.Char(required=True, help="Message-ID of the first email known.")
    privacy = fields.Selection(
        [("shared", "Shared"), ("private", "Private")],
        required=True,
        default="shared",
        help="Private: everybody sees of it what his own mailboxes hold, alone.",
    )
    # (who keeps what to himself is nobody else's business, an administrator's neither)
    keeper_ids = fields.Many2many(
        "easycrm.email.account",
        "easycrm_email_thread_keeper_rel",
        "thread_id",
        "account_id",
        string="Kept Private by",
        groups=fields.NO_ACCESS,
    )
    email_ids = fields.One2many("easycrm.email", "thread_id")

    _root_unique = models.UniqueIndex("(company_id, root)")
    _private_idx = models.Index("(id) WHERE privacy = 'private'")

    def action_make_private(self):
        """Keep this conversation to those who have it in a mailbox of their own.

        :return: whose it is now, see `_get_privacy`
        :raise AccessError: the user has nothing of it in an own mailbox
        """
        return self._set_kept(True)

    def action_share(self):
        """Undo `action_make_private`, as far as the user's own mailboxes keep it.

        :return: whose it is now, see `_get_privacy`: a colleague may keep it, too
        :raise AccessError: the user has nothing of it in an own mailbox, or it is not
            his to share
        """
        return self._set_kept(False)

    def _set_kept(self, is_kept):
        """Let the user's own mailboxes keep this conversation private, or no more."""
        accounts = self._get_own_accounts()
        thread = self.sudo()
        keepers = thread.with_context(active_test=False).keeper_ids
        if thread.privacy == "private" and not keepers & accounts:
            if not is_kept:
                raise AccessError(
                    self.env._("Only the person who made this private can share it.")
                )
            if not keepers:  # it would be his to share then, and it is not
                return self._get_privacy()
        self.env.flush_all()
        statement = (
            """INSERT INTO easycrm_email_thread_keeper_rel (thread_id, account_id)
               SELECT %s, unnest(%s) ON CONFLICT DO NOTHING"""
            if is_kept
            else """DELETE FROM easycrm_email_thread_keeper_rel
                    WHERE thread_id = %s AND account_id = ANY(%s)"""
        )
        self.env.cr.execute(SQL(statement, self.id, accounts.ids))
        thread._follow_keepers()
        return self._get_privacy()

    def _follow_keepers(self):
        """Bring `privacy` up to what the keepers say, and tell open screens."""
        before = {thread.id: thread.privacy for thread in self}
        # Written whether it changes or not: two who do this at once are told so by a
        # serialization error, and the second goes by what the first has left.
        self.env.cr.execute(
            SQL(
                """
                UPDATE easycrm_email_thread thread
                SET privacy = CASE WHEN EXISTS (
                        SELECT FROM easycrm_email_thread_keeper_rel keeper
                        WHERE keeper.thread_id = thread.id
                    ) THEN 'private' ELSE 'shared' END,
                    write_uid = %s, write_date = %s
                WHERE id = ANY(%s)
                """,
                self.env.uid,
                fields.Datetime.now(),
                self.ids,
            ),
            log_exceptions=False,
        )
        # (what is cached of emails and links was seen, or hidden, by what it was)
        self.env.invalidate_all(flush=False)
        for thread in self:
            if thread.privacy != before[thread.id]:
                self.env["easycrm.email.link"]._announce_privacy(thread)
        self._withdraw_hand_overs()

    def _withdraw_hand_overs(self):
        """Hand over to nobody those of these conversations that are private.

        What is still to be done about them goes, or says no more than that somebody
        has left, where it is about others, too.
        """
        private = self.filtered(lambda thread: thread.privacy == "private")
        if not private:
            return
        activities = self.env["mail.activity"].sudo()
        activities = activities.search([("easycrm_thread_ids", "in", private.ids)])
        for activity in activities:
            activity.easycrm_thread_ids -= private
        over = activities.filtered(lambda one: not one.easycrm_thread_ids)
        for activity in activities - over:
            env = activity.with_context(lang=activity.user_id.lang).env
            owner = activity.easycrm_account_id.user_id
            activity.note = env._("%s has left.", owner.name)
        over.unlink()

    def _get_own_accounts(self):
        """Return the user's own mailboxes that hold something of this conversation.

        :raise AccessError: none does
        """
        self.ensure_one()
        groups = self.env["easycrm.email.copy"]._read_group(
            [("email_id.thread_id", "=", self.id)], ["account_id"]
        )
        accounts = self.env["easycrm.email.account"].union(
            *(account for (account,) in groups)
        )
        if not accounts:
            raise AccessError(
                self.env._(
                    "Only those who have this conversation in a mailbox of their own "
                    "decide who sees it."
                )
            )
        return accounts.sudo()

    def _get_privacy(self):
        """Tell whose this conversation is.

        :return: `shared`; `private`, where the user may share it again; `kept`, where
            that is a colleague's to do
        """
        self.ensure_one()
        rows = self.env.execute_query(
            SQL(
                "SELECT %s FROM easycrm_email_thread thread WHERE id = %s",
                self._get_privacy_sql("thread"),
                self.id,
            )
        )
        return rows[0][0]

    @api.model
    def _get_privacy_sql(self, alias):
        """Return what `_get_privacy` returns, as an expression.

        :param str alias: of this model's table
        """
        self.flush_model(["privacy"])
        return SQL(
            """CASE WHEN %s = 'shared' THEN 'shared'
                WHEN (SELECT bool_and(keeper.account_id = ANY(%s))
                      FROM easycrm_email_thread_keeper_rel keeper
                      WHERE keeper.thread_id = %s) THEN 'private'
                ELSE 'kept' END""",
            SQL.identifier(alias, "privacy"),
            list(self.env["easycrm.email.account"]._get_own_account_ids()),
            SQL.identifier(alias, "id"),
        )
