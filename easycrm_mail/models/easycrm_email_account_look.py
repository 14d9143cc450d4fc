import base64
import hashlib
from datetime import timezone

from odoo import fields, models
from odoo.exceptions import UserError

from ..messages import looks_private
from ..providers import MailboxError
from ..providers.base import SKIM_MAILS
from .addresses import is_own_list, normalise
from .easycrm_email_account import BUTTON_TIMEOUT
from .rule_conditions import patterns_of


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
            `colleagues`, `strangers`; `never_store`, `never_link` by a rule), whether
            it is left out as automatic, ids of contacts, ids of leads, ids of open
            opportunities, its sender if it looks private], `position`, `done`,
            `total`, `is_estimate`, `pause`: seconds}; or {`error`: in plain words,
            `kind`, `wait`: seconds or False}
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
        """Tell of each mail what it would be, by one look into the index.

        As `ingest_exclusions.py` has it.
        """
        own = self._get_own_addresses()
        people = [{normalise(one) for one in glance.addresses} for glance in glances]
        asked = set().union(*people) - own
        Address = self.env["easycrm.email.address"].sudo(False)
        found = Address._look_up(sorted(asked), self.company_id) if asked else {}
        rules = self.sudo()._find_rules(asked)
        return [
            Sorting(glance, addresses, own, found, rules).get_row(since)
            for glance, addresses in zip(glances, people, strict=True)
        ]


class Sorting:
    """What one mail would be, by its header.

    :param glance: of `providers`
    :param set addresses: of its participants, normalised
    :param set own: the mailbox's own addresses
    :param dict found: as `_look_up` returns it
    :param dict rules: as `_find_rules` returns it
    """

    def __init__(self, glance, addresses, own, found, rules):
        self.glance = glance
        self.own = own
        self.others = addresses - own
        self.senders = [normalise(one) for one in glance.senders]
        self.found = found
        self.rules = rules
        people = [found[one] for one in self.others]
        self.partners = set().union(*(one[1] for one in people))
        self.leads = set().union(*(one[2] for one in people))
        self.opportunities = set().union(*(one[3] for one in people))
        self.is_internal = all(one[0] for one in people)

    def get_row(self, since):
        """Return what `connect_look` tells of the mail.

        :param str since: the day that it counts for where its own is not known
        """
        kind, day = self.get_kind(), str(since)
        if self.glance.received_at:
            moment = self.glance.received_at.astimezone(timezone.utc)
            day = moment.date().isoformat()
        key = self.glance.key.encode("utf-8", "replace")
        is_match = kind == "match"
        return [
            base64.b64encode(hashlib.blake2b(key, digest_size=9).digest()).decode(),
            day,
            kind,
            self.is_left_out_as_automatic(),
            sorted(self.partners) if is_match else [],
            sorted(self.leads) if is_match else [],
            sorted(self.opportunities) if is_match else [],
            self.looks_private() and (self.senders or ["?"])[0],
        ]

    def get_kind(self):
        if self.is_covered("never_store"):
            return "never_store"
        if self.is_internal:
            return "colleagues"
        if not (self.partners or self.leads):
            return "strangers"
        return "never_link" if self.is_covered("never_link") else "match"

    def is_covered(self, kind):
        """Tell whether a rule of this kind covers somebody in the mail."""
        return self._covers(kind, self.others)

    def always_goes(self):
        """Tell whether it is taught where mail with one of its people goes.

        (those that got a copy unseen cannot be told from the others here)
        """
        is_sent = any(one in self.own for one in self.senders)
        people = self.others if is_sent else self.others & set(self.senders)
        return self._covers("always_link", people)

    def _covers(self, kind, addresses):
        rules = self.rules[kind]
        return bool(rules) and any(
            pattern in rules for one in addresses for pattern in patterns_of(one)
        )

    def is_left_out_as_automatic(self):
        """Tell whether the switch for automatic mail leaves it out."""
        known = any(self.is_somebody(one) for one in self.senders)
        is_sent = any(one in self.own for one in self.senders)
        return (
            self.glance.is_automatic
            and not known
            and not is_sent
            and not self.always_goes()
            and not is_own_list(self.glance.list_id, self.own)
        )

    def looks_private(self):
        """Tell whether the switch for what looks private leaves it out."""
        return not (
            self.partners or self.leads or self.always_goes()
        ) and looks_private(self.others, self.glance.subject)

    def is_somebody(self, address):
        """Tell whether a contact or lead has the address."""
        return address in self.found and any(self.found[address][1:3])
