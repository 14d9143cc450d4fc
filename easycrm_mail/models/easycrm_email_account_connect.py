import re

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools.misc import format_date, format_time

from ..providers import MailboxError, check_smtp
from .access import SHARE_LEVELS
from .addresses import normalise
from .easycrm_email_account import BUTTON_TIMEOUT, READING_SECONDS, TEST_SECONDS

#: What the window may write of a mailbox, beside what is chosen of its mail.
MAILBOX_FIELDS = {
    "email",
    "imap_auth",
    "imap_host",
    "imap_login",
    "imap_password",
    "imap_port",
    "imap_security",
    "provider",
    "shared_mailbox",
    "smtp_host",
    "smtp_port",
    "smtp_security",
}

#: What is chosen of its mail, as far as the account has it.
CHOSEN_FIELDS = ("share_level", "ignore_automatic", "ignore_private", "unlinked_keep")

#: What is chosen in it unless the user says otherwise: what looks private stays out.
CHOSEN_FIRST = {"ignore_private": True}

#: A page of ours that a sign-in may lead back to.
OWN_PAGE = re.compile(r"/odoo(/[\w.-]+)*(\?[\w.=&%-]*)?")


class EasycrmEmailAccount(models.Model):
    """The window in which a mailbox is connected, step by step.

    mailbox -> sign_in -> look -> start: a draft until then, of which `connect_state`
    keeps how far it is and what was chosen; nothing else is stored.
    """

    _inherit = "easycrm.email.account"

    connect_state = fields.Json(groups=fields.NO_ACCESS, copy=False)
    connect_words = fields.Char(compute="_compute_connect_words", compute_sudo=True)
    may_connect = fields.Boolean(
        compute="_compute_may_connect",
        help="Its owner starts it in the window, after a look at it.",
    )

    @api.depends("connect_state", "sync_status", "user_id")
    @api.depends_context("tz", "lang", "uid")
    def _compute_connect_words(self):
        for account in self:
            is_left = account._is_being_connected() and account.user_id == self.env.user
            account.connect_words = is_left and account._get_connect_words()

    @api.depends("active", "sync_status", "user_id")
    @api.depends_context("uid")
    def _compute_may_connect(self):
        for account in self:
            is_mine = account.user_id == self.env.user
            is_draft = account.sync_status == "draft"
            account.may_connect = is_mine and is_draft and account.active

    def _get_connect_words(self):
        """Say where the window was left, and when."""
        state = self.connect_state
        title = {
            "sign_in": self.env._("Sign in"),
            "look": self.env._("Look first"),
        }.get(state.get("step"), self.env._("Mailbox"))
        at = fields.Datetime.context_timestamp(
            self, fields.Datetime.to_datetime(state["at"])
        )
        values = {
            "step": title,
            "time": format_time(self.env, at.time(), time_format="short"),
            "date": format_date(self.env, at.date()),
        }
        days = (fields.Date.context_today(self) - at.date()).days
        if days <= 0:
            return self.env._(
                "You stopped at “%(step)s” today at %(time)s. Your choices are kept, "
                "no mail is.",
                **values,
            )
        if days == 1:
            return self.env._(
                "You stopped at “%(step)s” yesterday at %(time)s. Your choices are "
                "kept, no mail is.",
                **values,
            )
        return self.env._(
            "You stopped at “%(step)s” on %(date)s at %(time)s. Your choices are kept, "
            "no mail is.",
            **values,
        )

    # --- what the window asks for ---

    def action_connect(self):
        """Open the window, to go on with this mailbox.

        :return: the client action
        """
        self.ensure_one()
        self._check_connecting()
        return {
            "type": "ir.actions.client",
            "tag": "easycrm_mail.connect",
            "params": {"account_id": self.id},
        }

    @api.model
    def connect_get_options(self):
        """Return what the window offers, and the mailboxes that were left in it."""
        self.check_access("create")
        return {
            "email": self.env.user.email_normalized or "",
            "services": {
                provider: self._is_service_set_up(provider)
                for provider in ("gmail", "outlook")
            },
            "share_levels": self._get_allowed_levels(),
            "fields": [name for name in CHOSEN_FIELDS if name in self._fields],
            "sign_in_hosts": self._get_sign_in_hosts(),
            "left": [account.connect_read() for account in self._get_left()],
        }

    @api.model
    def _get_left(self):
        """Return one's own mailboxes that were left before they were started."""
        condition = [("user_id", "=", self.env.uid), ("sync_status", "=", "draft")]
        return self.search(condition).filtered("connect_words")

    @api.model
    def _tell_left(self):
        """Return what is told of the mailbox that one has left last; or False."""
        left = self.sudo()._get_left()[-1:]
        if not left:
            return False
        return {"id": left.id, "email": left.email, "words": left.connect_words}

    @api.model
    def _is_service_set_up(self, provider):
        try:
            self._make_sign_in(provider)
        except UserError:
            return False
        return True

    @api.model
    def _get_allowed_levels(self):
        """Return the levels of sharing that may be chosen, the most open first."""
        limit = SHARE_LEVELS.index(self._get_share_limit())
        return SHARE_LEVELS[limit::-1]

    def connect_read(self):
        """Return one's own mailbox as the window shows it: never its password."""
        self._check_connecting()
        account = self.sudo()
        state = account.connect_state or {}
        names = MAILBOX_FIELDS - {"imap_password"}
        return {
            "id": account.id,
            **{name: account[name] for name in names},
            "has_password": account.has_password,
            "is_signed_in": bool(
                account._get_grants()
                if account.sign_in_service
                else account.imap_secret
            ),
            "service": account._get_server_title(),
            "error": account.last_error,
            "step": state.get("step") or "mailbox",
            "words": account.with_user(self.env.user).connect_words,
            "since": fields.Date.to_string(account.sync_from),
            "folders": state.get("folders") or False,
            **{
                name: account[name] for name in CHOSEN_FIELDS if name in account._fields
            },
        }

    @api.model
    def connect_find_servers(self, email):
        """Return the servers of a common provider, by an address.

        :return: the values of the account's fields, and `password_note` where another
            password is needed than that of the website; nothing where it is not known
        """
        self.check_access("create")
        _local, at, domain = normalise(email or "").rpartition("@")
        found = at and self._get_known_servers().get(domain)
        if not found:
            return False
        return {**found, "imap_auth": self._get_usual_auth(found["imap_host"])}

    # --- what it does ---

    def connect_save(self, values):
        """Keep which mailbox it is, and how it is reached.

        :param dict values: of the account; without a record, of a new one, or of a
            draft with this address
        :return: as `connect_read`
        """
        if unknown := set(values) - MAILBOX_FIELDS:
            raise AccessError(
                self.env._("This cannot be set here: %s", ", ".join(sorted(unknown)))
            )
        account = self or self.search(
            [
                ("user_id", "=", self.env.uid),
                ("sync_status", "=", "draft"),
                ("company_id", "=", self.env.company.id),
                ("email", "=", normalise(values.get("email") or "")),
            ],
            limit=1,
        )
        if account:
            account._check_connecting()
            account.write(values)
        else:
            account = account.create(values)
        account.sudo().last_error = False
        account._keep_step("sign_in")
        return account.connect_read()

    def connect_sign_in(self, back):
        """Begin to sign in at Google or Microsoft.

        :param str back: the page that the browser comes back to
        :return: the action that leads to the consent page
        :raise UserError: the sign-in is not set up, or the mailbox has a password
        """
        self._check_connecting()
        self._keep_step("sign_in")
        if not OWN_PAGE.fullmatch(back or ""):
            back = False
        return self.with_context(easycrm_mail_back=back).action_sign_in()

    def connect_test(self, what):
        """Test one direction of a mailbox on a mail server.

        :param str what: `reading` or `sending`
        :return: the error in plain words, or False
        """
        self._check_connecting()
        account = self.sudo()
        test = account._test_sending if what == "sending" else account._test_reading
        try:
            test(TEST_SECONDS)
        except MailboxError as error:
            if what == "sending":
                return account._explain_sending(error)
            return account._explain_error(error)
        if what == "reading":
            self._keep_step("look")
        return False

    def _test_reading(self, _seconds):
        provider = self._make_provider(BUTTON_TIMEOUT, READING_SECONDS)
        self._release_transaction()
        try:
            provider.check()
        finally:
            provider.close()

    def _test_sending(self, seconds):
        """Sign in to the outgoing server, without sending anything."""
        login, password, tokens = self._get_sending_login(BUTTON_TIMEOUT)
        settings = self.smtp_host, self.smtp_port, self.smtp_security
        self._release_transaction()
        check_smtp(*settings, login, password, seconds, tokens)

    def _explain_sending_test(self, seconds):
        """Test sending, where there is an outgoing server.

        :param float seconds: that it may take
        :return: what is wrong, in plain words, or False
        """
        if self.provider != "imap" or not self.smtp_host:
            return False
        try:
            self._test_sending(max(seconds, 1))
        except UserError as error:
            return str(error)
        except MailboxError as error:
            return self._explain_sending(error)
        return False

    def connect_leave(self, step, choices):
        """Keep what was chosen so far, for another time.

        :param str step: at which the window is left
        :param dict choices: see `connect_start`
        """
        self._check_connecting()
        self._keep_step(step, choices.get("folders"))
        self._keep_choices(choices)
        return True

    def connect_start(self, choices):
        """Have the mailbox read for the first time, as it was chosen.

        :param dict choices: `folders` (streams), `since` (a date), and what
            `connect_get_options` names in `fields`
        :return: what is wrong, in plain words, or False
        """
        self._check_connecting()
        wanted = set(choices.get("folders") or ())
        if not wanted:
            raise UserError(self.env._("Choose at least one folder."))
        self._keep_step("look", sorted(wanted))
        self._keep_choices(choices)
        provider = self._make_provider(BUTTON_TIMEOUT)
        self._release_transaction()
        try:
            streams = provider.streams()
        except MailboxError as error:
            return self.sudo()._explain_error(error)
        finally:
            provider.close()
        if not wanted & {stream.stream for stream in streams}:
            return self.env._("These folders are not there any more. Look again.")
        account = self.sudo()
        account._update_folders(streams)
        for folder in account.folder_ids:
            folder.selected = folder.stream in wanted
        account.connect_state = False
        self.action_sync_now()
        return False

    def connect_restart(self):
        """Begin at the first step again, with nothing chosen.

        :return: as `connect_read`
        """
        self._check_connecting()
        fresh = self.default_get([*CHOSEN_FIELDS, "sync_from"])
        self._keep_choices({**fresh, **CHOSEN_FIRST, "since": fresh["sync_from"]})
        self.sudo().write({"connect_state": False, "last_error": False})
        return self.connect_read()

    # --- within ---

    def _check_connecting(self):
        """Let pass only the owner, of a mailbox that has not been started.

        An administrator may change the settings of others' mailboxes, and must not
        look into them.
        """
        self.ensure_one()
        self.check_access("write")
        if self.user_id != self.env.user:
            raise AccessError(self.env._("Only its owner connects a mailbox."))
        if self.sync_status != "draft":
            raise UserError(self.env._("This mailbox is connected already."))

    def _is_being_connected(self):
        """Tell whether the window says when the mailbox is started."""
        self.ensure_one()
        return self.sync_status == "draft" and bool(self.sudo().connect_state)

    def _keep_step(self, step, folders=None):
        account = self.sudo()
        state = account.connect_state or {}
        if not state:
            account.write(CHOSEN_FIRST)
        account.connect_state = {
            "step": step if step in ("sign_in", "look") else "mailbox",
            "at": fields.Datetime.to_string(fields.Datetime.now()),
            "folders": state.get("folders") if folders is None else list(folders),
        }

    def _keep_choices(self, choices):
        values = {
            name: choices[name]
            for name in CHOSEN_FIELDS
            if name in self._fields and name in choices
        }
        if level := values.get("share_level"):
            allowed = self._get_allowed_levels()
            values["share_level"] = level if level in allowed else allowed[0]
        if choices.get("since"):
            values["sync_from"] = choices["since"]
        self.write(values)
