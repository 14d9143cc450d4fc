"""Which conversation the mails of a batch belong to."""

from dataclasses import dataclass

from odoo.tools import SQL

#: A btree entry holds 2,704 bytes at most, and no honest Message-ID is that long.
MESSAGE_ID_LENGTH = 500


@dataclass(eq=False)
class Thread:
    """One conversation while a batch is stored; without `id` it is new.

    :ivar merged: the conversation that this one turned out to be
    """

    root: str
    id: int = 0
    stored_root: str = ""
    merged: "Thread | None" = None

    def resolve(self):
        thread = self
        while thread.merged:
            thread = thread.merged
        return thread


class ThreadSteps:
    """The steps of `Ingest` that find the conversations."""

    def _find_threads(self, messages):
        """Find or make the conversation of each message.

        It is known by its root: the first of References, else In-Reply-To, else the
        mail itself. The newest mail is read first, so a root may turn out to be an
        answer itself: the conversation then moves to the older root. Conversations
        that a mail joins are merged.

        :return: {Message-ID: thread id}
        """
        chains = {}
        for message in messages:
            refs = *message.references, message.message_id
            chains[message.message_id] = [ref[:MESSAGE_ID_LENGTH] for ref in refs]
        # (the first, the last and the mail itself: what is between says nothing more)
        ends = {key: [*refs[:1], *refs[-2:]] for key, refs in chains.items()}
        threads, stored = self._read_threads(
            {ref for refs in ends.values() for ref in refs}
        )
        for message in sorted(messages, key=lambda m: m.date):
            refs, chain = chains[message.message_id], ends[message.message_id]
            known = [threads[ref].resolve() for ref in chain if ref in threads]
            thread = self._join(known) if known else Thread(chain[0])
            # (its name of before stands in this very mail, or is this mail's)
            if thread.root in refs:
                thread.root = chain[0]
            for ref in chain:
                threads[ref] = thread
        self._merge_threads([one for one in stored if one.merged])
        self._move_threads([one for one in stored if not one.merged])
        found = {key: threads[chain[0]].resolve() for key, chain in ends.items()}
        self._insert_threads(set(found.values()))
        return {key: thread.id for key, thread in found.items()}

    def _join(self, threads):
        """Make these conversations one: that with the lowest id.

        :param threads: in the order of the references; the first knows the oldest root
        """
        root = threads[0].root
        thread = min(threads, key=lambda one: one.id or float("inf"))
        for other in threads:
            if other is not thread:
                other.merged = thread
        thread.root = root
        return thread

    def _read_threads(self, refs):
        """Find the conversations that have a root or an email with one of these ids.

        :return: ({Message-ID: Thread}, [Thread])
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT email.message_id, thread.root, thread.id
                FROM easycrm_email email
                JOIN easycrm_email_thread thread ON thread.id = email.thread_id
                WHERE email.company_id = %(company)s
                  AND email.message_id = ANY(%(refs)s)
                UNION ALL
                SELECT root, root, id FROM easycrm_email_thread
                WHERE company_id = %(company)s AND root = ANY(%(refs)s)
                """,
                company=self.account.company_id.id,
                refs=list(refs),
            )
        )
        threads, by_ref = {}, {}
        for ref, root, thread_id in self.env.cr.fetchall():
            thread = threads.setdefault(thread_id, Thread(root, thread_id, root))
            if ref in by_ref and by_ref[ref] is not thread:
                thread = self._join([by_ref[ref].resolve(), thread.resolve()])
            by_ref[ref] = thread
        return by_ref, list(threads.values())

    def _merge_threads(self, threads):
        """Give these conversations' emails to those that they turned out to be."""
        if not threads:
            return
        pairs = [(thread.id, thread.resolve().id) for thread in threads]
        for statement in (
            """UPDATE easycrm_email held SET thread_id = pair.kept
               FROM (VALUES %s) AS pair (gone, kept)
               WHERE held.thread_id = pair.gone""",
            """UPDATE easycrm_email_link held SET thread_id = pair.kept
               FROM (VALUES %s) AS pair (gone, kept)
               WHERE held.thread_id = pair.gone""",
            """INSERT INTO easycrm_email_thread_follow
                   (thread_id, partner_id, lead_id, batch_id)
               SELECT pair.kept, follow.partner_id, follow.lead_id, follow.batch_id
               FROM (VALUES %s) AS pair (gone, kept)
               JOIN easycrm_email_thread_follow follow ON follow.thread_id = pair.gone
               ON CONFLICT DO NOTHING""",
            """UPDATE easycrm_email_thread kept SET privacy = 'private'
               FROM (VALUES %s) AS pair (gone, kept)
               JOIN easycrm_email_thread gone ON gone.id = pair.gone
               WHERE kept.id = pair.kept AND gone.privacy = 'private'""",
            """INSERT INTO easycrm_email_thread_keeper_rel (thread_id, account_id)
               SELECT pair.kept, keeper.account_id
               FROM (VALUES %s) AS pair (gone, kept)
               JOIN easycrm_email_thread_keeper_rel keeper
                 ON keeper.thread_id = pair.gone
               ON CONFLICT DO NOTHING""",
            """INSERT INTO easycrm_email_thread_activity_rel (thread_id, activity_id)
               SELECT pair.kept, handed.activity_id
               FROM (VALUES %s) AS pair (gone, kept)
               JOIN easycrm_email_thread_activity_rel handed
                 ON handed.thread_id = pair.gone
               ON CONFLICT DO NOTHING""",
            """UPDATE easycrm_email_thread kept
               SET only_lead_id = gone.only_lead_id, only_uid = gone.only_uid,
                   only_at = gone.only_at, only_again_at = gone.only_again_at
               FROM (VALUES %s) AS pair (gone, kept)
               JOIN easycrm_email_thread gone ON gone.id = pair.gone
               WHERE kept.id = pair.kept AND kept.only_lead_id IS NULL
                 AND gone.only_lead_id IS NOT NULL""",
            """DELETE FROM easycrm_email_thread thread
               USING (VALUES %s) AS pair (gone, kept) WHERE thread.id = pair.gone""",
        ):
            self.env.cr.execute_values(statement, pairs, page_size=len(pairs))
        kept = self.env["easycrm.email.thread"].browse({kept for _gone, kept in pairs})
        kept.invalidate_model(flush=False)
        self.env["mail.activity"].invalidate_model(["easycrm_thread_ids"], flush=False)
        kept._withdraw_hand_overs()

    def _move_threads(self, threads):
        """Write the roots that have changed."""
        moved = [(one.id, one.root) for one in threads if one.root != one.stored_root]
        if moved:
            self.env.cr.execute_values(
                """
                UPDATE easycrm_email_thread thread SET root = moved.root
                FROM (VALUES %s) AS moved (id, root) WHERE thread.id = moved.id
                """,
                moved,
                page_size=len(moved),
            )
            self.env["easycrm.email.thread"].invalidate_model(flush=False)

    def _insert_threads(self, threads):
        """Insert those that are new."""
        new = {thread.root: thread for thread in threads if not thread.id}
        for root, thread_id in self._insert(
            "easycrm_email_thread",
            ["company_id", "root", "privacy"],
            [(self.account.company_id.id, root, "shared") for root in new],
            log=True,
            # what another worker stored meanwhile then says so by a serialization error
            conflict="DO NOTHING",
            returning="root, id",
        ):
            new[root].id = thread_id
