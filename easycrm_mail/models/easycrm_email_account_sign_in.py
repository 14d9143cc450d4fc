import logging

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.exceptions import AccessError, MissingError, UserError

from ..providers import MailboxError
from .addresses import normalise
from .easycrm_email_account import BUTTON_TIMEOUT
from .retrying import ATTEMPTS

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

    def write(self, vals):
        if GRANTED_FIELDS & set(vals):
            changed = self._filter_changed(vals, GRANTED_FIELDS)
            changed._get_grants().unlink()
            # (of another mailbox; of one that has been read only its owner may change)
            changed.filtered(
                lambda account: not account.sudo()._has_been_read()
            ).sudo().folder_ids.unlink()
        return super().write(vals)

    def action_sign_in(self):
        """Begin to sign in: open the page where the service asks for consent.

        :raise UserError: the sign-in is not set up, or the service cannot be reached
        """
        self.ensure_one()
        self.check_access("write")
        self._check_owner_is_here()
        if self.provider == "imap":
            raise UserError(self.env._("An IMAP mailbox is connected by a password."))
        sign_in = self._get_sign_in()
        pending = self.env["easycrm.email.sign.in"].sudo()
        pending = pending.create({"account_id": self.id, "provider": self.provider})
        state = pending._get_state()
        redirect_uri = self._get_redirect_uri(self.provider)
        self._release_transaction()
        try:
            begun = sign_in.begin(state, redirect_uri, self.email)
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
        account, flow = self.env["easycrm.email.sign.in"]._take(
            provider, answer.get("state") or ""
        )
        try:
            account.check_access("write")
        except (AccessError, MissingError):
            account = account.browse()
        if not account or account.provider != provider:
            return account.browse(), self.env._(
                "This sign-in is too old, was used already, or was begun by somebody "
                "else. Nothing has changed. Open your mail account and press the "
                "button once more."
            )
        self._release_transaction()
        try:
            error = account._redeem(flow, answer)
        except UserError as mistake:
            error = str(mistake)
        except MailboxError as mistake:
            error = account.sudo()._explain_error(mistake)
        if error:
            account.sudo()._mark_not_signed_in(error)
            return account, error
        account.sudo()._mark_signed_in()
        return account, False

    def _redeem(self, flow, answer):
        """Turn the answer into a grant for this mailbox, and keep it.

        :return: why it is not for this mailbox, in words, else False
        """
        account = self.sudo()
        sign_in = account._get_sign_in()
        redirect_uri = self._get_redirect_uri(self.provider)
        grant = sign_in.finish(flow, answer, redirect_uri)

        def tokens(refused=""):
            return sign_in.token(grant.secret, refused).value

        provider = account._make_api_provider(tokens, BUTTON_TIMEOUT, float("inf"))
        try:
            if self.shared_mailbox:
                provider.check()
                aliases = []
            else:
                aliases = [normalise(alias) for alias in provider.aliases()]
        finally:
            provider.close()
        granted = normalise(grant.email)
        if not self.shared_mailbox and self.email not in (granted, *aliases):
            return self.env._(
                "You signed in as %(granted)s, but this account is %(email)s. Sign in "
                "as %(email)s, or add %(granted)s as an account of its own.",
                granted=granted,
                email=self.email,
            )
        self._keep_grant(grant)
        account._add_aliases({granted, *aliases} if not self.shared_mailbox else ())
        return False

    def _keep_grant(self, grant):
        """Store a grant, instead of the one that is here, and commit.

        The code is used up: what another worker does to the row meanwhile must not
        undo this.
        """
        secret = self._encrypt(grant.secret)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self.env.cr.execute(
                    """INSERT INTO easycrm_email_grant
                           (account_id, email, secret, create_uid, create_date,
                            write_uid, write_date)
                       VALUES (%(account)s, %(email)s, %(secret)s, %(uid)s, %(now)s,
                               %(uid)s, %(now)s)
                       ON CONFLICT (account_id) DO UPDATE
                       SET secret = EXCLUDED.secret, email = EXCLUDED.email,
                           write_uid = EXCLUDED.write_uid,
                           write_date = EXCLUDED.write_date""",
                    {
                        "account": self.id,
                        "email": grant.email,
                        "secret": secret,
                        "uid": self.env.uid,
                        "now": fields.Datetime.now(),
                    },
                )
                break
            except SerializationFailure:
                if attempt == ATTEMPTS:
                    raise
                self.env.cr.rollback()
        self.env["easycrm.email.grant"].invalidate_model(flush=False)
        self._release_transaction()

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
        """Return the address of its form; of the list if none is known."""
        path = "/odoo/action-easycrm_mail.easycrm_email_account_action_my"
        return f"{path}/{self.id}" if self else path

    def _mark_signed_in(self):
        """Have the mailbox read at once, from where it stood.

        It has just answered: what was wrong with the sign-in is over.
        """
        self.ensure_one()
        vals = {"last_error": False, "last_error_kind": False}
        if self.sync_status == "error":
            vals |= {"sync_status": "incomplete", "sync_stage": "waiting"}
            vals |= {"failed_at": False, "retry_count": 0}
            self._clear_notices()
        self.write(vals)
        self.action_sync_now()

    def _mark_not_signed_in(self, error):
        """Say on the account that signing in did not work; one that works goes on."""
        self.ensure_one()
        if self.sync_status == "error" or not self._get_grants():
            self.write({"last_error": error, "last_error_kind": "reconnect"})

    def action_disconnect(self):
        """Forget the sign-in or password, give the grant back, and stop reading.

        What has been read stays, and so does how far it has been read.
        """
        self.ensure_one()
        self.check_access("write")
        account = self.sudo()
        grant = account._get_grants()
        revoke = account._prepare_revoke()
        grant.unlink()
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
                service=self._get_service_title(self.provider),
                address=PERMISSIONS_PAGES[self.provider],
            ),
            sticky=True,
        )

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
