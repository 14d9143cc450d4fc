import base64
import hashlib
from datetime import timezone

from odoo import fields, models
from odoo.exceptions import UserError

from ..providers import MailboxError
from ..providers.base import SKIM_MAILS
from .addresses import normalise
from .easycrm_email_account import BUTTON_TIMEOUT


class EasycrmEmailAccount(models.Model):
    """A look at a mailbox before anything of it is stored.

    The browser asks for page after page and adds up; here nothing is kept but how much
    of the service's limit was used.
    """

    _inherit = "easycrm.email.account"

    def connect_get_folders(self):
        """Ask the mailbox which folders it has; they are not stored.

        :return: {`folders`: of {stream, name, role, default}, `now`: up to when it is
            looked at}; or {`error`, ...}, as `connect_look`
        """
        self._check_connecting()
        streams, error = self._ask_mailbox(lambda provider: provider.streams())
        if error:
            return error
        self._keep_step("look")
        return {
            "now": fields.Datetime.to_string(fields.Datetime.now()),
            "folders": [
                {
                    "stream": one.stream,
                    "name": one.name,
                    "role": one.role.value,
                    "default": one.default,
                }
                for one in streams
            ],
        }

    def connect_look(self, stream, since, until, position="", size=SKIM_MAILS):
        """Look at one page of a folder: headers only, and nothing is stored.

        :param str since: a date
        :param str until: a moment, UTC
        :param str position: of the page before; empty for the first one
        :param int size: mails at most; 0 to count alone
        :return: {`mails`: of [what it is known by here, day, what it is (`match`,
            `colleagues`, `strangers`), whether a machine sent it, ids of contacts, ids
            of leads, ids of open opportunities], `position`, `done`, `total`,
            `is_estimate`, `pause`: seconds}; or {`error`: in plain words, `kind`,
            `wait`: seconds or False}
        """
        self._check_connecting()
        start, end = self._read_window(since, until)
        size = max(0, min(int(size), SKIM_MAILS))
        page, error = self._ask_mailbox(
            lambda provider: provider.skim(
                str(stream), start, end, str(position or ""), size
            )
        )
        if error:
            return error
        return {
            "mails": self._sort_glances(page.glances, since),
            "position": page.position,
            "done": page.done,
            "total": page.total,
            "is_estimate": page.is_estimate,
            "pause": page.pause,
        }

    def _read_window(self, since, until):
        try:
            start = fields.Datetime.to_datetime(fields.Date.to_date(since))
            end = fields.Datetime.to_datetime(until)
            return [one.replace(tzinfo=timezone.utc) for one in (start, end)]
        except (AttributeError, TypeError, ValueError):
            raise UserError(self.env._("This is not a date.")) from None

    def _ask_mailbox(self, ask):
        """Ask the mailbox something, with no transaction open.

        :param ask: gets the provider
        :return: (answer, None), or (None, the error for the window)
        """
        provider = self._make_provider(BUTTON_TIMEOUT)
        self._release_transaction()
        try:
            return ask(provider), None
        except MailboxError as error:
            return None, {
                "error": self.sudo()._explain_error(error),
                "kind": error.kind,
                "wait": getattr(error, "retry_after", None) or False,
            }
        finally:
            provider.close()
            self.sudo()._keep_quota(provider)

    def _sort_glances(self, glances, since):
        """Tell of each mail what it would be, by one look into the index."""
        own = self._get_own_addresses()
        people = [{normalise(one) for one in glance.addresses} for glance in glances]
        asked = set().union(*people) - own
        Address = self.env["easycrm.email.address"].sudo(False)
        found = Address._look_up(sorted(asked), self.company_id) if asked else {}
        return [
            self._sort_glance(glance, [found[one] for one in addresses - own], since)
            for glance, addresses in zip(glances, people, strict=True)
        ]

    @staticmethod
    def _sort_glance(glance, people, since):
        partners = set().union(*(one[1] for one in people))
        leads = set().union(*(one[2] for one in people))
        opportunities = set().union(*(one[3] for one in people))
        kind = "match" if partners or leads else "strangers"
        if all(one[0] for one in people):
            kind = "colleagues"
        day = str(since)
        if glance.received_at:
            day = glance.received_at.astimezone(timezone.utc).date().isoformat()
        digest = hashlib.blake2b(glance.key.encode("utf-8", "replace"), digest_size=9)
        return [
            base64.b64encode(digest.digest()).decode(),
            day,
            kind,
            glance.is_automatic,
            sorted(partners),
            sorted(leads),
            sorted(opportunities),
        ]
