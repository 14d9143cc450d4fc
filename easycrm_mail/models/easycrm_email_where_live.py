from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import format_date

from ..providers import MailboxError
from .easycrm_email_account import BUTTON_TIMEOUT
from .easycrm_email_where import TOLD, make_step

#: Seconds that a mailbox may take to answer, in all.
PATIENCE = 10


class EasycrmEmailWhere(models.AbstractModel):
    """The mailbox itself is asked, what it has now."""

    _inherit = "easycrm.email.where"

    @api.model
    def ask_mailbox(self, account_id, text):
        """Ask one of the user's own mailboxes, at its service, where an email is.

        :param int account_id: the mailbox
        :param str text: an address or a Message-ID, as somebody has typed it
        :return: list of steps, see `ask`
        :raise AccessError: it is not the user's own
        :raise UserError: there is nothing to be asked for
        """
        self.env["easycrm.email"].check_access("read")
        account = self._get_mailboxes().filtered(lambda own: own.id == account_id)
        if not account:
            raise AccessError(self.env._("This mailbox is not yours."))
        kind, key, _emails = self._find(self._read(text))
        if kind == "subject":
            raise UserError(
                self.env._(
                    "A mailbox can be asked for an address or a Message-ID, not for a "
                    "subject."
                )
            )
        try:
            found = self._call_mailbox(account, kind, key)
        except MailboxError as error:
            reason = account._explain_error(error)
            return [make_step("no", self.env._("It did not answer: %s", reason))]
        return self._tell_found(account, found)

    @api.model
    def _call_mailbox(self, account, kind, key):
        provider = account._make_provider(BUTTON_TIMEOUT, PATIENCE)
        account._release_transaction()
        try:
            return provider.find(**{kind: key})
        finally:
            provider.close()

    @api.model
    def _tell_found(self, account, found):
        """Tell what became of the emails that the mailbox has.

        :param found: list of `providers.Found`
        """
        env = self.env
        if not found:
            return [make_step("no", env._("The mailbox does not have it."))]
        known = self._find_known(account, found)
        folders = {folder.stream: folder for folder in account.folder_ids}
        counts = {}
        for one in found:
            folder = folders.get(one.stream)
            if reason := known.get(one.ref):
                step = reason
            elif not folder:
                step = "no", env._("in a folder that is never read, as Spam or Trash")
            elif not folder.selected:
                step = "no", env._("in a folder that is not read: %s", folder.name)
            else:
                step = (
                    "no",
                    env._(
                        "not read: it is older than %s, or comes with the next sync",
                        format_date(env, account.sync_from),
                    ),
                )
            counts[step] = counts.get(step, 0) + 1
        return [
            make_step(
                state,
                env._(
                    "The mailbox has %(count)s: %(words)s.", count=count, words=words
                ),
            )
            for (state, words), count in counts.items()
        ][:TOLD]

    @api.model
    def _find_known(self, account, found):
        """Return {ref: (state, words)} of the emails that a sync has seen."""
        env = self.env
        there = Domain("account_id", "=", account.id) & Domain(
            "provider_ref", "in", [one.ref for one in found]
        )
        # (as superuser, of the user's own mailbox)
        known = {}
        exclusions = env["easycrm.email.exclusion"].sudo().search(there)
        for left_out in exclusions:
            words = env._("left out of what is stored")
            if account.user_id == env.user:
                words = env._(
                    "left out: %s",
                    left_out.rule_id.pattern
                    or dict(left_out._fields["reason"]._description_selection(env))[
                        left_out.reason
                    ],
                )
            known[left_out.provider_ref] = "no", words
        for failure in env["easycrm.email.failure"].sudo().search(there):
            words = env._("set aside, because: %s", failure.error.rstrip("."))
            known[failure.provider_ref] = "no", words
        for place in env["easycrm.email.location"].sudo().search(there):
            known[place.provider_ref] = "yes", env._("stored here")
        return known
