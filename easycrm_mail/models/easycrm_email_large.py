import time

from odoo import fields, models
from odoo.exceptions import AccessError, UserError

from ..messages import UnreadableMessage
from ..providers import Gone, MailboxError, Retry
from .body_calls import read_large
from .easycrm_email_account import BUTTON_TIMEOUT
from .ingest_bodies import BodyIngest


class SlowMailbox(UserError):
    """A mailbox that answers, but not in the time that a reader waits."""


class EasycrmEmailProvisional(models.Model):
    """What an email was known by while only its header was here.

    It stays when the body has come: its mailbox, listed anew, knows it by that.
    """

    _name = "easycrm.email.provisional"
    _description = "Email Read by its Header"
    _rec_name = "digest"
    _log_access = False

    email_id = fields.Many2one(
        "easycrm.email", required=True, ondelete="cascade", index=True
    )
    account_id = fields.Many2one(
        "easycrm.email.account", required=True, ondelete="cascade"
    )
    digest = fields.Char(required=True)

    _digest_unique = models.UniqueIndex("(account_id, digest)")


class EasycrmEmail(models.Model):
    """Mails over 25 MB: their body is read from the mailbox when they are opened."""

    _inherit = "easycrm.email"

    # (these tell of attachments, too, which a share level may hide)
    headers_only = fields.Boolean(
        readonly=True,
        groups=fields.NO_ACCESS,
        help="Its body is still in the mailbox: it is large, or not kept.",
    )
    size = fields.Integer(
        readonly=True, groups=fields.NO_ACCESS, help="In bytes, of a large email."
    )

    def easycrm_read_large(self, remote=False):
        """Read the body of an email from its mailbox that is not here.

        :param bool remote: of a body that is not kept: see `easycrm_body`
        :return: dict with `email_id`, of the email that it is now, and `body` (see
            `easycrm_body`) where that is not kept; or `error`, in plain words
        :raise AccessError: the body is not for this user
        """
        self.ensure_one()
        self.check_access("read")
        if self._get_share_levels()[self.id] != "everything":
            raise AccessError(self.env._("You may not read this email."))
        email = self.sudo()
        was_here = not email.headers_only
        try:
            now = email._read_large()
        except SlowMailbox as error:
            return {"error": email._read_large_later() or str(error)}
        except UserError as error:
            return {"error": str(error)}
        answer = {"email_id": now.id}
        if now == email and not was_here and not now._is_kept_in_full():
            answer["body"] = self.easycrm_body(remote)
            now._put_away()
        return answer

    def _read_large_later(self):
        """Have the backfill read the body: it has more time than a reader.

        :return: what to tell the reader, or nothing where it does not
        """
        if not self.is_linked or not self.env["easycrm.email.account"]._keeps_files():
            return ""
        self.write({"fetch_at": fields.Datetime.now(), "fetch_attempts": 0})
        self.env["easycrm.email.account"]._wake_backfill()
        return self.env._(
            "Reading it from the mailbox takes long. It goes on in the background: "
            "open this email again in a few minutes."
        )

    def _read_large(self):
        """Read the body from a mailbox that holds it, if it is not here.

        :return: the email that it is now
        :raise UserError: it cannot be read, in plain words
        """
        self.ensure_one()
        if not self.headers_only:
            return self
        account, mail, header = self._ask_mailboxes(
            lambda account, *place: (account, *read_large(*place))
        )
        email = BodyIngest(account).complete(self, mail, header)
        if not email:
            raise UserError(self._get_unheld_words())
        return email

    def _ask_mailboxes(self, call):
        """Ask the mailboxes that hold the email, until one answers.

        In all that takes no longer than one call to one mailbox may take.
        No transaction is open meanwhile, so that nothing may have been written before.

        :param call: is given the account, its provider, and where the email stands
            there: stream and ref
        :return: what the first call gives that succeeds
        :raise UserError: none does; why, in plain words
        """
        reason, is_slow = self._get_unheld_words(), False
        failed = self.env["easycrm.email.account"]
        deadline = time.monotonic() + BUTTON_TIMEOUT * 2
        for account, stream, ref in self._get_places():
            if account in failed:
                continue
            left = deadline - time.monotonic()
            if left <= 0:
                reason, is_slow = account._explain_error(Retry("timeout")), True
                break
            try:
                provider = account._make_provider(min(BUTTON_TIMEOUT, left), left)
            except UserError as error:
                reason = str(error)
                failed |= account
                continue
            account._release_transaction()
            try:
                return call(account, provider, stream, ref)
            except UnreadableMessage as error:
                reason = str(error)
            except Gone as error:
                reason = account._explain_error(error)
            except MailboxError as error:
                failed |= account
                reason = account._explain_error(error)
                is_slow = is_slow or error.code == "timeout"
            finally:
                provider.close()
        raise SlowMailbox(reason) if is_slow else UserError(reason)

    def _get_large_words(self, levels):
        """Return {email id: what stands in the place of its body} where that lacks.

        :param dict levels: {email id: how much of it the user may see}
        """
        return {
            email.id: self.env._(
                "This email is large (%s MB). It is read from the mailbox when opened.",
                round(email.size / 1_000_000),
            )
            if email.size
            else self.env._("The text is in the mailbox. It is read when opened.")
            for email in self.sudo()
            if email.headers_only and levels[email.id] == "everything"
        }

    def _get_unheld_words(self):
        return self.env._("The email is in no connected mailbox any more.")

    def _get_places(self):
        """Return where the email stands: mailboxes that work first, newest copy first.

        :return: list of (account, stream, ref)
        """
        copies = self.copy_ids.sorted(
            lambda copy: (not copy.account_id._is_reachable(), -copy.id)
        )
        return [
            (copy.account_id, place.stream, place.provider_ref)
            for copy in copies
            for place in copy.location_ids
        ]
