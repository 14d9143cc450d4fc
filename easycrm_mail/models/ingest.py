"""Storing what a mailbox handed over: one transaction, a fixed number of queries.

The rows are written in SQL, as one statement a table for the whole batch: an ORM create
per mail would be a hundred times slower. Nothing here commits.
"""

from typing import NamedTuple

from psycopg2.extras import Json

from odoo.tools import SQL

from ..messages import Message
from ..providers import RemoteMessage
from .addresses import normalise
from .easycrm_email_content import SEARCH_VECTOR
from .ingest_bounces import BounceSteps
from .ingest_changes import ChangeSteps
from .ingest_copies import CopySteps
from .ingest_exclusions import ExclusionSteps
from .ingest_failures import FailureSteps
from .ingest_gaps import GapSteps
from .ingest_keep import KeepSteps
from .ingest_provisional import (
    ATTACHMENT_COLUMNS,
    PROVISIONAL_COLUMNS,
    ProvisionalSteps,
    attachment_values,
)
from .ingest_replies import ReplySteps
from .ingest_retention import RetentionSteps
from .ingest_sent import SentSteps
from .ingest_threads import MESSAGE_ID_LENGTH, ThreadSteps


class Read(NamedTuple):
    """One mail that was read: as the mailbox holds it, and what it says."""

    remote: RemoteMessage
    message: Message


class Ingest(
    ThreadSteps,
    BounceSteps,
    ChangeSteps,
    CopySteps,
    ExclusionSteps,
    FailureSteps,
    GapSteps,
    KeepSteps,
    ProvisionalSteps,
    ReplySteps,
    RetentionSteps,
    SentSteps,
):
    """Writes one batch of one stream of one mailbox.

    :param account: the `easycrm.email.account`, as superuser
    :param str stream: the folder's `stream`
    """

    def __init__(self, account, stream):
        self.env = account.env
        self.account = account
        self.stream = stream
        self.own = account._get_own_addresses()
        self.sizes = {}
        self.sent = {}
        self.reports = {}
        self.bodiless = set()

    def store(self, reads):
        """Store these mails, each of them once, but those that are to be left out.

        :param list[Read] reads:
        :return: ids of the emails that are new
        """
        if not reads:
            return []
        self.reports = self._find_reports(reads)
        self._policy = self._read_policy(reads)
        self._mark_undelivered()
        reads = self._recognise_sent(self._name_provisional(reads))
        reads = self._exclude(reads)
        if not reads:
            return []
        # the same mail may stand twice in a folder
        by_identity = {}
        for read in reads:
            by_identity.setdefault(self._identity(read.message), read.message)
        known = self._find_emails(by_identity)
        new = {key: m for key, m in by_identity.items() if key not in known}
        self._count_replies(new.values())
        dropped = dict.fromkeys(self._find_erased(new), "erased")
        old = self._find_old(new) - set(dropped) - self._get_written_here()
        strangers = self._find_strangers({key: new[key] for key in old})
        dropped |= dict.fromkeys(strangers, self._age_reason)
        reads = self._drop(reads, dropped)
        if not reads:
            return []
        for key in dropped:
            del by_identity[key], new[key]
        threads = self._find_threads(new.values())
        taken = self._find_not_held(known)
        ids = self._insert_emails(new, threads)
        self._keep_provisional(ids)
        self._insert_contents(new, ids)
        self._insert_attachments(new, ids)
        told = self._insert_participants(by_identity, ids, known)
        emails = {**known, **ids}
        told += self._hold(known)
        copies = self._upsert_copies(reads, emails)
        self._upsert_locations(reads, emails, copies)
        self._invalidate()
        sent = self._settle_sent(emails)
        self._bring_bodies(reads, known)
        # (what another mailbox has kept off the records may find them for this one)
        matched = [*ids.values(), *told]
        linked = sent + self.env["easycrm.email.address"]._link_emails(
            SQL("participant.email_id = ANY(%s)", matched)
        )
        if self._policy.is_taught:
            linked += self.env["easycrm.email.thread.follow"]._link_taught(
                list(emails.values())
            )
        dropped = self._delete_unlinked(old, ids) | self._give_back_unlinked(taken)
        self._drop(reads, dict.fromkeys(dropped, self._age_reason))
        waiting = {id_ for key, id_ in emails.items() if key not in dropped}
        if waiting - set(linked):
            self.env["easycrm.email.copy"]._announce_unlinked({self.account.id})
        ids = {key: email_id for key, email_id in ids.items() if key not in dropped}
        self._keep_headers(ids)
        return list(ids.values())

    # --- the steps of `store`, in their order ---

    def _identity(self, message):
        return message.message_id[:MESSAGE_ID_LENGTH], message.digest

    def _find_emails(self, identities):
        self.env.cr.execute(
            SQL(
                """
                SELECT message_id, digest, id, headers_only FROM easycrm_email
                WHERE company_id = %s AND message_id = ANY(%s)
                """,
                self.account.company_id.id,
                [message_id for message_id, _digest in identities],
            )
        )
        rows = [row for row in self.env.cr.fetchall() if row[:2] in identities]
        self.bodiless = {row[2] for row in rows if row[3]}
        return {row[:2]: row[2] for row in rows}

    def _insert_emails(self, new, threads):
        rows = self._insert(
            "easycrm_email",
            [
                "company_id",
                "thread_id",
                "message_id",
                "digest",
                "date",
                "direction",
                "is_linked",
                "is_auto_reply",
                "has_files",
                *PROVISIONAL_COLUMNS,
            ],
            [
                (
                    self.account.company_id.id,
                    threads[message.message_id],
                    message_id,
                    digest,
                    self._naive(message.date),
                    self._direction(message),
                    False,
                    self._is_auto_reply(message),
                    any(not attachment.inline for attachment in message.attachments),
                    *self._provisional_values(digest, message),
                )
                for (message_id, digest), message in new.items()
            ],
            log=True,
            # what another worker stored meanwhile then says so by a serialization error
            conflict="DO NOTHING",
            returning="message_id, digest, id",
        )
        return {(message_id, digest): id_ for message_id, digest, id_ in rows}

    def _insert_contents(self, new, ids):
        self._insert(
            "easycrm_email_content",
            [
                *("email_id", "subject", "snippet", "body_html_raw", "body_text"),
                *("reply_to", "search_vector"),
            ],
            [
                (
                    *(ids[key], m.subject, m.snippet, m.html or None, m.text),
                    Json(people) if (people := self._reply_to(m)) else None,
                    m.words,
                )
                for key, m in new.items()
            ],
            template=f"(%s, %s, %s, %s, %s, %s, {SEARCH_VECTOR})",
        )

    def _reply_to(self, message):
        """Return [name, address]s to which a reply goes, unless they are the sender."""
        senders = {p.address for p in message.participants if p.role == "from"}
        if {person.address for person in message.reply_to} <= senders:
            return None
        return [[person.name, person.address] for person in message.reply_to]

    def _insert_attachments(self, new, ids):
        self._insert(
            "easycrm_email_attachment",
            ["email_id", *ATTACHMENT_COLUMNS],
            [
                (ids[key], *attachment_values(attachment))
                for key, message in new.items()
                for attachment in message.attachments
            ],
        )

    def _insert_participants(self, by_identity, ids, known):
        """Insert who wrote to whom.

        Who is in Bcc stands only in the sender's copy, which may come after another.

        :return: ids of the known emails that got a participant
        """
        people = {}
        late = []
        for key, message in by_identity.items():
            for person in message.participants:
                role, address = person.role.value, normalise(person.address)
                if key in ids:
                    people.setdefault((ids[key], role, address), person.name)
                elif role == "bcc" and self._direction(message) == "outbound":
                    # (a recipient could write anybody into a header of his own copy)
                    late.append((known[key], role, address, person.name))
        if late:
            self.env.cr.execute(
                SQL(
                    """
                    SELECT email_id, address FROM easycrm_email_participant
                    WHERE role = 'bcc' AND email_id = ANY(%s)
                    """,
                    [row[0] for row in late],
                )
            )
            present = set(self.env.cr.fetchall())
            late = [row for row in late if (row[0], row[2]) not in present]
        self._insert(
            "easycrm_email_participant",
            ["email_id", "role", "address", "name"],
            [(*key, name) for key, name in people.items()] + late,
        )
        return [row[0] for row in late]

    # --- what the steps share ---

    def _insert(
        self, table, columns, rows, log=False, template=None, conflict="", returning=""
    ):
        """Insert rows in one statement.

        :param bool log: add the four columns of Odoo's access log
        :param str template: how a row is written, where that is not (%s, %s, …)
        :return: the rows of `returning`
        """
        if not rows:
            return []
        if log:
            columns = [*columns, "create_uid", "create_date", "write_uid", "write_date"]
            rows = [(*row, *self._log) for row in rows]
        # table, columns and clauses are literals of this file
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES %s"
        if conflict:
            statement += f" ON CONFLICT {conflict}"
        if returning:
            statement += f" RETURNING {returning}"
        return self.env.cr.execute_values(
            statement,
            rows,
            template=template,
            page_size=len(rows),
            fetch=bool(returning),
        )

    @property
    def _log(self):
        now = self.env.cr.now()
        return self.env.uid, now, self.env.uid, now

    def _direction(self, message):
        senders = (p.address for p in message.participants if p.role == "from")
        if any(normalise(sender) in self.own for sender in senders):
            return "outbound"
        return "inbound"

    @staticmethod
    def _naive(date):
        return date.replace(tzinfo=None, microsecond=0)

    def _invalidate(self):
        """Forget what the ORM has cached of the tables that were written."""
        for model in ("email", "email.copy", "email.location", "email.participant"):
            self.env[f"easycrm.{model}"].invalidate_model(flush=False)
