"""Mails that a mailbox leaves out: never stored, only counted.

They are counted in the transaction that stores the rest of their page and moves the
checkpoint, so that a sync that dies has the same result when it is made again.
"""

from functools import cached_property
from hashlib import sha256
from typing import NamedTuple

from odoo.tools import SQL

from .addresses import normalise
from .ingest_threads import MESSAGE_ID_LENGTH
from .rule_conditions import APPLIES, TAUGHT_APPLIES, patterns_of

#: Characters of what tells one left out mail from another.
MARK_LENGTH = 32


def mark_of(account, message_id, digest):
    """Return what tells a left out mail from the others of its mailbox.

    The same in whichever folders it stands. `easycrm.email.exclusion` says it in SQL.
    """
    text = f"{account.id}:{message_id}:{digest}"
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:MARK_LENGTH]


class Policy(NamedTuple):
    """What a mailbox leaves out.

    :ivar rules: {pattern: id of the rule} of what is never stored
    :ivar may_not_link: there are rules of what is never linked
    :ivar has_left_out: the mailbox has left out mail before
    :ivar ignored: patterns of senders that are ignored
    :ivar is_taught: something was taught of where mail belongs
    """

    rules: dict
    may_not_link: bool
    has_left_out: bool
    ignored: set
    is_taught: bool


class ExclusionSteps:
    """The steps of `Ingest` for mails that are not to be stored."""

    @cached_property
    def _policy(self):
        rules = self.env["easycrm.email.rule"]
        rules.flush_model()
        self.account.flush_recordset(["user_id", "company_id", "member_ids"])
        self.env["easycrm.email.exclusion"].flush_model(["account_id"])
        self.env["easycrm.email.thread.follow"].flush_model()
        [row] = self.env.execute_query(
            SQL(
                """
                SELECT never_store, EXISTS (SELECT FROM easycrm_email_rule
                                            WHERE kind = 'never_link'),
                       EXISTS (SELECT FROM easycrm_email_exclusion
                               WHERE account_id = %(account)s),
                       ignored,
                       EXISTS (SELECT FROM easycrm_email_rule
                               WHERE kind = 'always_link')
                       OR EXISTS (SELECT FROM easycrm_email_thread_follow)
                FROM (SELECT
                          json_object_agg(rule.pattern, rule.id)
                              FILTER (WHERE rule.kind = 'never_store' AND %(applies)s)
                              AS never_store,
                          json_agg(rule.pattern)
                              FILTER (WHERE rule.kind = 'ignore') AS ignored
                      FROM easycrm_email_rule rule, easycrm_email_account account
                      WHERE account.id = %(account)s AND %(taught)s) AS applied
                """,
                account=self.account.id,
                applies=APPLIES,
                taught=TAUGHT_APPLIES,
            )
        )
        never_store, may_not_link, has_left_out, ignored, is_taught = row
        return Policy(
            never_store or {}, may_not_link, has_left_out, set(ignored or ()), is_taught
        )

    def _leave_out(self, reads):
        """Count the mails that are not to be stored.

        What the mailbox holds here already is no such mail: what becomes of it is asked
        when a rule is added.

        :return: the other reads, in the same order
        """
        reasons = {
            id(read): reason for read in reads if (reason := self._get_rule(read))
        }
        rest = [read for read in reads if id(read) not in reasons]
        if self.account.ignore_automatic:
            reasons |= dict.fromkeys(self._find_automatic(rest), ("automatic", None))
        if self.account.ignore_colleagues:
            reasons |= dict.fromkeys(self._find_internal(rest), ("colleagues", None))
        if reasons:
            out = [read for read in reads if id(read) in reasons]
            held = self._find_held(out)
            out = [read for read in out if self._identity(read.message) not in held]
            self._count_out([(read, *reasons[id(read)]) for read in out])
            left = set(map(id, out))
            reads = [read for read in reads if id(read) not in left]
        if self._policy.has_left_out:
            stored = [read.remote.ref for read in reads]
            self._forget_out(SQL("provider_ref = ANY(%s)", stored))
        return reads

    def _get_rule(self, read):
        """Return the reason for which a rule leaves the mail out, or None."""
        if not self._policy.rules:
            return None
        for address in self._others(read.message):
            for pattern in patterns_of(address):
                if rule_id := self._policy.rules.get(pattern):
                    return "rule", rule_id
        return None

    def _is_ignored(self, sender):
        """Tell whether what this address sends is ignored."""
        return bool(self._policy.ignored) and not self._policy.ignored.isdisjoint(
            patterns_of(sender)
        )

    def _others(self, message):
        """Yield the addresses in a mail that are not the mailbox's own."""
        for person in message.participants:
            address = normalise(person.address)
            if address not in self.own:
                yield address

    def _find_automatic(self, reads):
        """Return the ids of the reads that no person wrote to this mailbox.

        What comes from a contact or lead is never one: their notes of absence are
        answers. Nor is what comes through a list of the own domain: a shared address
        such as sales@ is often one, and customers write to it.
        """
        candidates = [
            (id(read), self._get_senders(read.message))
            for read in reads
            if read.message.is_automatic
            and self._direction(read.message) == "inbound"
            and not self._is_own_list(read.message.list_id)
        ]
        if not candidates:
            return []
        senders = set().union(*(addresses for _id, addresses in candidates))
        rows = self.env.execute_query(
            SQL(
                """
                SELECT known.address FROM easycrm_email_address known
                WHERE known.address = ANY(%s) AND NOT EXISTS (
                    SELECT FROM res_users users
                    WHERE users.partner_id = known.partner_id
                      AND users.share IS NOT TRUE)
                """,
                list(senders),
            )
        )
        known = {address for (address,) in rows}
        return [read_id for read_id, addresses in candidates if not addresses & known]

    @staticmethod
    def _get_senders(message):
        return {normalise(p.address) for p in message.participants if p.role == "from"}

    def _is_own_list(self, list_id):
        list_id = list_id.lower()
        domains = {address.rpartition("@")[2] for address in self.own}
        return any(f".{list_id}".endswith(f".{domain}") for domain in domains)

    def _find_internal(self, reads):
        """Return the ids of the reads in which nobody but our own people stands."""
        people = {id(read): set(self._others(read.message)) for read in reads}
        addresses = set().union(*people.values())
        rows = self.env.execute_query(
            SQL(
                """
                SELECT own.address FROM easycrm_email_address own
                JOIN res_users users ON users.partner_id = own.partner_id
                WHERE own.address = ANY(%(addresses)s) AND users.share IS NOT TRUE
                UNION
                SELECT address.address FROM easycrm_email_account account,
                    unnest(account.email || string_to_array(account.alias_emails, ','))
                        AS address (address)
                WHERE account.company_id = %(company)s
                """,
                addresses=list(addresses),
                company=self.account.company_id.id,
            )
        )
        ours = {address for (address,) in rows}
        return [
            id(read)
            for read in reads
            if read.message.participants and people[id(read)] <= ours
        ]

    def _find_held(self, reads):
        """Return the identities of those mails that the mailbox holds here."""
        self.env.cr.execute(
            SQL(
                """
                SELECT email.message_id, email.digest FROM easycrm_email email
                JOIN easycrm_email_copy held
                  ON held.email_id = email.id AND held.account_id = %s
                WHERE email.company_id = %s AND email.message_id = ANY(%s)
                """,
                self.account.id,
                self.account.company_id.id,
                [read.message.message_id[:MESSAGE_ID_LENGTH] for read in reads],
            )
        )
        return set(self.env.cr.fetchall())

    def _count_out(self, rows):
        """Remember where the mails stand that are left out, and why: nothing of them.

        :param rows: of (read, reason, id of the rule)
        """
        if not rows:
            return
        today = self.env.cr.now().date()
        values = {
            read.remote.ref: (
                self.account.id,
                self.stream,
                read.remote.ref,
                reason,
                rule_id,
                today,
                mark_of(self.account, *self._identity(read.message)),
            )
            for read, reason, rule_id in rows
        }
        self._insert(
            "easycrm_email_exclusion",
            [
                "account_id",
                "stream",
                "provider_ref",
                "reason",
                "rule_id",
                "day",
                "mark",
            ],
            list(values.values()),
            conflict="(account_id, stream, provider_ref) DO UPDATE"
            " SET reason = EXCLUDED.reason, rule_id = EXCLUDED.rule_id,"
            " mark = EXCLUDED.mark",
        )
        self.env["easycrm.email.exclusion"].invalidate_model(flush=False)

    def _forget_out(self, condition):
        """Forget mails that were left out: they are stored now, or gone.

        :param SQL condition: on the exclusions of this stream
        """
        self.env.cr.execute(
            SQL(
                """DELETE FROM easycrm_email_exclusion
                   WHERE account_id = %s AND stream = %s AND %s""",
                self.account.id,
                self.stream,
                condition,
            )
        )
        self.env["easycrm.email.exclusion"].invalidate_model(flush=False)
