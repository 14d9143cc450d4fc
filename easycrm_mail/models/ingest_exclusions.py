"""Mails that are left out: never stored, only counted.

By a rule or a switch they are told here, by their age or for having been deleted for
good in `ingest_retention.py`. They are counted in the transaction that stores the rest
of their page and moves the checkpoint, so that a sync that dies has the same result
when it is made again.
"""

from hashlib import sha256
from typing import NamedTuple

from odoo.tools import SQL

from ..messages import looks_private
from .addresses import is_own_list, normalise
from .ingest_threads import MESSAGE_ID_LENGTH
from .rule_conditions import patterns_of

#: Characters of what tells one left out mail from another.
MARK_LENGTH = 32

#: Reasons that depend on how old a mail is.
AGING = ("old", "unlinked")


def mark_of(account, message_id, digest):
    """Return what tells a left out mail from the others of its mailbox.

    The same in whichever folders it stands. `easycrm.email.exclusion` says it in SQL.
    """
    text = f"{account.id}:{message_id}:{digest}"
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:MARK_LENGTH]


class Policy(NamedTuple):
    """What a mailbox leaves out of a batch, and where mail of it is taught to go.

    :ivar rules: {kind: {pattern: id of the rule}} of those that cover somebody in it
    :ivar has_exclusions: mail of the mailbox was left out before
    :ivar is_taught: something was taught of where mail of the batch may belong
    :ivar has_sent: mail was sent from it, here
    """

    rules: dict
    has_exclusions: bool
    is_taught: bool
    has_sent: bool


class ExclusionSteps:
    """The steps of `Ingest` for mails that are not to be stored.

    :ivar Policy _policy: of the batch that is being stored
    """

    def _read_policy(self, reads):
        """Return what the mailbox leaves out of these reads."""
        rules = self.account._find_rules(
            {
                normalise(person.address)
                for read in reads
                for person in read.message.participants
            }
        )
        self.env["easycrm.email.exclusion"].flush_model(["account_id"])
        self.env["easycrm.email.thread.follow"].flush_model()
        self.env["easycrm.email.outgoing"].flush_model()
        [(has_exclusions, is_followed, has_sent)] = self.env.execute_query(
            SQL(
                """
                SELECT EXISTS (SELECT FROM easycrm_email_exclusion
                               WHERE account_id = %(account)s),
                       EXISTS (SELECT FROM easycrm_email_thread_follow),
                       EXISTS (SELECT FROM easycrm_email_outgoing
                               WHERE account_id = %(account)s
                                 AND message_id IS NOT NULL)
                """,
                account=self.account.id,
            )
        )
        is_taught = is_followed or bool(rules["always_link"])
        return Policy(rules, has_exclusions, is_taught, has_sent)

    def _exclude(self, reads):
        """Count the mails that a rule or a switch leaves out.

        A rule never to store is the first to be heard, then what was taught: mail of
        which somebody has said where it always goes is kept, whatever the switches say.
        What the mailbox holds here already is no such mail: what becomes of it is asked
        when a rule is added.

        :return: the other reads, in the same order
        """
        reasons = {
            id(read): reason for read in reads if (reason := self._get_rule(read))
        }
        written = self._get_written_here()
        rest = [
            read
            for read in reads
            if id(read) not in reasons
            and self._identity(read.message) not in written
            and not self._always_goes(read)
        ]
        if self.account.ignore_automatic:
            reasons |= dict.fromkeys(self._find_automatic(rest), ("automatic", None))
        if self.account.ignore_colleagues:
            reasons |= dict.fromkeys(self._find_internal(rest), ("colleagues", None))
        if self.account.ignore_private:
            rest = [read for read in rest if id(read) not in reasons]
            reasons |= dict.fromkeys(self._find_private(rest), ("private", None))
        if reasons:
            out = [read for read in reads if id(read) in reasons]
            held = self._find_held(out)
            out = [read for read in out if self._identity(read.message) not in held]
            self._count_excluded([(read, *reasons[id(read)]) for read in out])
            left = set(map(id, out))
            reads = [read for read in reads if id(read) not in left]
        if self._policy.has_exclusions:
            stored = [read.remote.ref for read in reads]
            self._forget_excluded(SQL("provider_ref = ANY(%s)", stored))
        return reads

    def _get_rule(self, read):
        """Return the reason for which a rule leaves the mail out, or None."""
        rules = self._policy.rules["never_store"]
        if not rules:
            return None
        for address in self._others(read.message):
            for pattern in patterns_of(address):
                if rule_id := rules.get(pattern):
                    return "rule", rule_id
        return None

    def _always_goes(self, read):
        """Tell whether somebody has taught where mail with one of its people goes.

        As `CORRESPONDENTS` has it: whoever only gets a newsletter too is none of them.
        """
        taught = self._policy.rules["always_link"]
        if not taught:
            return False
        inbound = self._direction(read.message) == "inbound"
        roles = ("from",) if inbound else ("to", "cc")
        return any(
            pattern in taught
            for address in self._others(read.message, roles)
            for pattern in patterns_of(address)
        )

    def _is_ignored(self, sender):
        """Tell whether what this address sends is ignored."""
        ignored = self._policy.rules["ignore"]
        return any(pattern in ignored for pattern in patterns_of(sender))

    def _others(self, message, roles=("from", "to", "cc", "bcc")):
        """Yield the addresses in a mail that are not the mailbox's own."""
        for person in message.participants:
            address = normalise(person.address)
            if person.role in roles and address not in self.own:
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
            and not is_own_list(read.message.list_id, self.own)
        ]
        return self._filter_unknown(candidates)

    def _find_private(self, reads):
        """Return the ids of the reads that look private, with nobody in the CRM.

        What is taught of a conversation says more than that guess.
        """
        candidates = []
        for read in reads:
            others = set(self._others(read.message))
            if looks_private(others, read.message.subject):
                candidates.append((id(read), others))
        private = set(self._filter_unknown(candidates))
        return self._filter_untaught([read for read in reads if id(read) in private])

    def _filter_untaught(self, reads):
        """Return the ids of the reads that are in no conversation of which somebody
        whose mailbox this is has taught where its mail goes."""
        refs = {
            id(read): {
                ref[:MESSAGE_ID_LENGTH]
                for ref in (*read.message.references, read.message.message_id)
            }
            for read in reads
        }
        if not refs or not self._policy.is_taught:
            return list(refs)
        rows = self.env.execute_query(
            SQL(
                """
                WITH known AS (
                    SELECT message_id AS ref, thread_id FROM easycrm_email
                    WHERE company_id = %(company)s AND message_id = ANY(%(refs)s)
                    UNION
                    SELECT root, id FROM easycrm_email_thread
                    WHERE company_id = %(company)s AND root = ANY(%(refs)s)
                )
                SELECT known.ref FROM known
                JOIN easycrm_email_thread_follow follow
                  ON follow.thread_id = known.thread_id
                JOIN easycrm_email_batch step ON step.id = follow.batch_id
                WHERE step.create_uid = ANY(%(people)s)
                """,
                company=self.account.company_id.id,
                refs=list(set().union(*refs.values())),
                people=(self.account.user_id | self.account.member_ids).ids,
            )
        )
        taught = {ref for (ref,) in rows}
        return [read_id for read_id, ends in refs.items() if not ends & taught]

    def _filter_unknown(self, candidates):
        """Return the ids of those with whom no contact or lead has an address.

        Our own people's count for nobody's.

        :param list candidates: of (id of a read, addresses)
        """
        if not candidates:
            return []
        asked = set().union(*(addresses for _id, addresses in candidates))
        rows = self.env.execute_query(
            SQL(
                """
                SELECT known.address FROM easycrm_email_address known
                WHERE known.address = ANY(%s) AND NOT EXISTS (
                    SELECT FROM res_users users
                    WHERE users.partner_id = known.partner_id
                      AND users.share IS NOT TRUE)
                """,
                list(asked),
            )
        )
        known = {address for (address,) in rows}
        return [read_id for read_id, addresses in candidates if not addresses & known]

    @staticmethod
    def _get_senders(message):
        return {normalise(p.address) for p in message.participants if p.role == "from"}

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

    def _count_excluded(self, rows):
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
                self._naive(read.message.date) if reason in AGING else None,
            )
            for read, reason, rule_id in rows
            if read.remote.ref
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
                "sent_at",
            ],
            list(values.values()),
            conflict="(account_id, stream, provider_ref) DO UPDATE"
            " SET reason = EXCLUDED.reason, rule_id = EXCLUDED.rule_id,"
            " mark = EXCLUDED.mark, sent_at = EXCLUDED.sent_at",
        )
        self.env["easycrm.email.exclusion"].invalidate_model(flush=False)

    def _forget_excluded(self, condition):
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
