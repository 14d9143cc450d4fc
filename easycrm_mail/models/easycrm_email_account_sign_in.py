import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, MissingError, UserError

from ..providers import MailboxError, Reconnect
from .addresses import normalise
from .easycrm_email_account import BUTTON_TIMEOUT
from .easycrm_email_account_access import SERVER_FIELDS
from .retrying import ATTEMPTS, CROSSED

_logger = logging.getLogger(__name__)

#: Where people see what they have permitted.
PERMISSIONS_PAGES = {
    "gmail": "https://myaccount.google.com/connections",
    "outlook": "https://myapps.microsoft.com",
}

#: What makes a mailbox another one, or another's: a grant does not outlive its change.
GRANTED_FIELDS = {"email", "provider", "shared_mailbox", "user_id"}


class EasycrmEmailAccount(models.Model):
    """Signing in at Google or Microsoft, and disconnecting.

    action_sign_in -> consent page -> controllers.oauth -> _finish_sign_in: the answer
    is taken once, redeemed with no transaction open, the address compared, the grant
    kept encrypted, the mailbox started.
    """

    _inherit = "easycrm.email.account"

    may_change = fields.Boolean(compute="_compute_may_change")

    @api.depends("user_id")
    @api.depends_context("uid")
    def _compute_may_change(self):
        mine = self._origin._filtered_access("write")
        for account in self:
            account.may_change = account._origin in mine or not account._origin

    def _get_mailbox(self):
        """Return what says which mailbox this is, and whose.

        What was asked for while it was another one must not be kept here.
        """
        return self.sudo().read(sorted(GRANTED_FIELDS | SERVER_FIELDS), load=None)

    def write(self, vals):
        self._prepare_addresses(vals)
        revokes = []
        if (GRANTED_FIELDS | SERVER_FIELDS) & set(vals):
            changed = self._filter_changed(vals, GRANTED_FIELDS).sudo()
            by_imap = self.filtered(lambda account: account.provider == "imap")
            moved = by_imap._filter_changed(vals, SERVER_FIELDS).sudo()
            revokes = (changed | moved)._forget_grants()
            # (of another mailbox; of one that has been read only its owner may change)
            changed.filtered(
                lambda account: not account._has_been_read()
            ).folder_ids.unlink()
        result = super().write(vals)
        self._revoke_after_commit(revokes)
        return result

    def unlink(self):
        revokes = self.sudo()._forget_grants()
        result = super().unlink()
        self._revoke_after_commit(revokes)
        return result

    def action_sign_in(self):
        """Begin to sign in: open the page where the service asks for consent.

        :raise UserError: the sign-in is not set up, or the service cannot be reached
        """
        self.ensure_one()
        self.check_access("write")
        self._check_owner_is_here()
        sign_in, service = self._get_sign_in(), self.sign_in_service
        redirect_uri, email = self._get_redirect_uri(service), self.email
        pending = self.env["easycrm.email.sign.in"].sudo()
        pending = pending.create(
            {
                "account_id": self.id,
                "provider": service,
                "redirect_uri": redirect_uri,
                "back": self.env.context.get("easycrm_mail_back"),
            }
        )
        state = pending._get_state()
        self._release_transaction()
        try:
            begun = sign_in.begin(state, redirect_uri, email)
        except MailboxError as error:
            raise UserError(self.sudo()._explain_error(error)) from None
        pending.flow = self._encrypt(begun.flow)
        return {"type": "ir.actions.act_url", "url": begun.url, "target": "self"}

    @api.model
    def _finish_sign_in(self, provider, answer):
        """Take what the browser brought back from a consent page.

        Commits in between: no transaction is open while the service is asked.

        :param dict answer: the parameters of the request: anybody may have made them up
        :return: (account, error): what is connected or was meant, nothing if that is
            not known; in words why it is not connected, else False
        """
        account, flow, redirect_uri = self.env["easycrm.email.sign.in"]._take(
            provider, answer.get("state") or ""
        )
        try:
            account.check_access("write")
        except (AccessError, MissingError):
            account = account.browse()
        if not account or account.sign_in_service != provider:
            return account.browse(), self.env._(
                "This sign-in is too old, was used already, or was begun by somebody "
                "else. Your mail account says whether it is connected; if it is not, "
                "press its button once more."
            )
        try:
            error = account._redeem(flow, answer, redirect_uri)
        except UserError as mistake:
            error = str(mistake)
        except MailboxError as mistake:
            error = account.sudo()._explain_error(mistake)
        if error and account.exists():
            account.sudo()._settle(account.sudo()._mark_not_signed_in, error)
        return account.exists(), error

    def _redeem(self, flow, answer, redirect_uri):
        """Turn the answer into a grant for this mailbox, keep it, and have it read.

        Commits before the service is asked.

        :return: why it is not for this mailbox, in words, else False
        """
        account = self.sudo()
        sign_in = account._get_sign_in()
        [mailbox], tells_by_itself = self._get_mailbox(), self._tells_who_may_open()
        secret = ""

        def tokens(refused=""):
            nonlocal secret
            token = sign_in.token(secret, refused)
            secret = token.secret  # the refresh token may be another one from now on
            return token.value

        provider = account._make_api_provider(tokens, BUTTON_TIMEOUT, float("inf"))
        self._release_transaction()
        grant = sign_in.finish(flow, answer, redirect_uri)
        secret, granted = grant.secret, normalise(grant.email)
        try:
            if tells_by_itself:
                provider.check()
                aliases = []
            else:
                aliases = [normalise(alias) for alias in provider.aliases()]
        except Reconnect as error:
            if error.code != "token" or granted in mailbox.values():
                raise
            return account._explain_other(granted, mailbox["email"])
        finally:
            provider.close()
        addresses = set() if tells_by_itself else {granted, *aliases}
        return account._settle(account._connect, mailbox, granted, secret, addresses)

    def _settle(self, function, *args):
        """Call and commit; again when another transaction crossed.

        The answer of the service is used up: the request as a whole cannot be made
        again.

        :return: what the function returned
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                result = function(*args)
                self.env.flush_all()
                break
            except CROSSED:
                if attempt == ATTEMPTS:
                    raise
                self.env.cr.rollback()
                self.env.transaction.reset()
        self._release_transaction()
        return result

    def _connect(self, mailbox, email, secret, addresses):
        """Take a grant for this mailbox, and have the mailbox read.

        :param dict mailbox: what it was when its user went to sign in: `_get_mailbox`
        :param str email: who has signed in, normalised
        :param str secret: of the grant
        :param set addresses: that the service knows as this mailbox's own
        :return: why it is not for this mailbox, in words, else False
        :raise UserError: its owner has left meanwhile
        """
        if self.exists()._get_mailbox() != [mailbox]:
            return self.env._(
                "The account was changed meanwhile, so the sign-in was not kept. Press "
                "the button once more."
            )
        self._check_owner_is_here()
        if not self._tells_who_may_open() and not self._is_mailbox_of(email, addresses):
            return self._explain_other(email, self.email)
        self._keep_grant(email, secret)
        self._add_aliases(addresses)
        self._mark_signed_in()
        return False

    @api.model
    def _explain_other(self, granted, email):
        """Say that somebody else has signed in than the mailbox is of."""
        return self.env._(
            "You signed in as %(granted)s, but this account is %(email)s. Sign in as "
            "%(email)s, or add %(granted)s as an account of its own.",
            granted=granted,
            email=email,
        )

    def _tells_who_may_open(self):
        """Tell whether the mailbox is asked for by its name, and says itself whether
        whoever has signed in may open it: a shared one, or one on a mail server."""
        return self._is_shared() or self.provider == "imap"

    def _is_mailbox_of(self, email, addresses):
        """Tell whether this is the mailbox of somebody who has signed in.

        To be able to send as an address is to have its mailbox only as far as is known:
        once mail has been read, it must be the mailbox that it was read from.
        """
        if email == self.email or email in self._get_grants().mapped("email"):
            return True
        is_known = not self._has_been_read() or email in self._get_own_addresses()
        return self.email in addresses and is_known

    def _keep_grant(self, email, secret):
        """Store a grant, instead of the one that is here."""
        self.env.cr.execute(
            """INSERT INTO easycrm_email_grant
                   (account_id, email, secret, create_uid, create_date, write_uid,
                    write_date)
               VALUES (%(account)s, %(email)s, %(secret)s, %(uid)s, %(now)s, %(uid)s,
                       %(now)s)
               ON CONFLICT (account_id) DO UPDATE
               SET secret = EXCLUDED.secret, email = EXCLUDED.email,
                   write_uid = EXCLUDED.write_uid, write_date = EXCLUDED.write_date""",
            {
                "account": self.id,
                "email": email,
                "secret": self._encrypt(secret),
                "uid": self.env.uid,
                "now": fields.Datetime.now(),
            },
        )
        self.env["easycrm.email.grant"].invalidate_model(flush=False)

    def _add_aliases(self, addresses):
        """Take the mailbox's other addresses, as the service knows them, for its own.

        An address that is somebody else's in the CRM is left out: mail of it would
        stand on no record any more.
        """
        known = self._get_own_addresses()
        mine = self.with_user(self.user_id)
        new = sorted(
            address
            for address in addresses
            if address and address not in known
            if not mine._is_address_of_others(address)
        )
        if new:
            self.alias_emails = ",".join(filter(None, [self.alias_emails, *new]))

    def _get_screen_path(self):
        """Return the address of the page where signing in began, or of its form; of
        the list if none is known."""
        if back := self and self.env.context.get("easycrm_mail_back"):
            return back
        path = "/odoo/action-easycrm_mail.easycrm_email_account_action_my"
        return f"{path}/{self.id}" if self else path

    def _mark_signed_in(self):
        """Have the mailbox read at once, from where it stood.

        Not one that is just being connected: its owner looks at it first. It has just
        answered: what was wrong with the sign-in is over.
        """
        self.ensure_one()
        vals = {"last_error": False, "last_error_kind": False}
        if self.sync_status == "error":
            vals |= {"sync_status": "incomplete", "sync_stage": "waiting"}
            vals |= {"failed_at": False, "retry_count": 0}
            self._clear_notices()
        self.write(vals)
        if self._is_being_connected():
            self._keep_step("look")
        else:
            self.action_sync_now()

    def _mark_not_signed_in(self, error):
        """Say on the account that signing in did not work.

        One that works goes on, and one that failed before says why it did.
        """
        self.ensure_one()
        if self.sync_status != "error" and not self._get_grants():
            self.write({"last_error": error, "last_error_kind": "reconnect"})

    def action_disconnect(self):
        """Forget the sign-in or password, give the grant back, and stop reading.

        What has been read stays, and so does how far it has been read.
        """
        self.ensure_one()
        self.check_access("write")
        account = self.sudo()
        revoke = account._prepare_revoke()
        account._get_grants().unlink()
        account.write({"imap_secret": False, "last_error": False})
        self.action_pause()
        self._release_transaction()
        told = revoke()
        if told:
            return self._show_result("info", self.env._("The mailbox is disconnected."))
        return self._show_result(
            "warning",
            self.env._(
                "The mailbox is disconnected. To take the permission back at "
                "%(service)s too, remove it there: %(address)s",
                service=self._get_service_title(self.sign_in_service),
                address=PERMISSIONS_PAGES[self.sign_in_service],
            ),
            sticky=True,
        )

    def _forget_grants(self):
        """Forget the grants of these mailboxes.

        :return: what gives them back, for `_revoke_after_commit`
        """
        revokes = []
        for grant in self._get_grants():
            revokes.append(grant.account_id._prepare_revoke())
            grant.unlink()
        return revokes

    def _revoke_after_commit(self, revokes):
        """Give grants back as soon as it is certain that they are forgotten here."""
        for revoke in revokes:
            self.env.cr.postcommit.add(revoke)

    def _prepare_revoke(self):
        """Return a function that gives the grant back; it touches no record.

        It returns whether nothing is left at the service.
        """
        self.ensure_one()
        grant = self._get_grants()
        if not grant:
            return lambda: True
        # Google takes back all that this registration was given by that person
        same = self.env["easycrm.email.grant"].sudo()
        if same.search_count([("email", "=", grant.email), ("id", "!=", grant.id)]):
            return lambda: False
        try:
            sign_in, secret = self._get_sign_in(), self._decrypt_grant(grant)
        except UserError:
            return lambda: False

        def revoke():
            try:
                return sign_in.revoke(secret)
            except MailboxError as error:
                _logger.info("A grant could not be given back: %s", error)
                return False

        return revoke
