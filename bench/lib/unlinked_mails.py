"""200,000 emails of one user that stand nowhere, in two mailboxes, made in SQL."""

from odoo import Command
from odoo.tools import SQL

MAILS, SENDERS = 200_000, 20_000

#: One email in four is in the team's mailbox.
TEAM_STEP = 4

TABLES = (
    *("easycrm_email_thread", "easycrm_email", "easycrm_email_content"),
    *("easycrm_email_participant", "easycrm_email_copy", "easycrm_email_tally"),
)

STATEMENTS = (
    """
    CREATE TEMP TABLE stray AS
    SELECT i, %(first)s + i AS id,
        timestamp '2025-01-01' + i * interval '2 minutes' AS date,
        -- the square makes some write a thousand times as much as others
        'sender' || floor(power((hashint4(i) & 16777215) / 16777216.0::float8, 3)
                          * %(senders)s)::int AS name
    FROM generate_series(1, %(mails)s) i
    """,
    """
    INSERT INTO easycrm_email_thread (id, company_id, root, privacy)
    SELECT id, %(company)s, '<' || id || '@stray.example>', 'shared' FROM stray
    """,
    """
    INSERT INTO easycrm_email (id, company_id, thread_id, message_id, digest, date,
        direction, is_linked, has_files)
    SELECT id, %(company)s, id, '<' || id || '@stray.example>', md5(i::text), date,
        'inbound', FALSE, i %% 5 = 0 FROM stray
    """,
    """
    INSERT INTO easycrm_email_content (email_id, subject, snippet, body_text,
        search_vector)
    SELECT id, 'Order ' || i, repeat('some words ', 15), 'some words',
        array_to_tsvector(ARRAY['order', i::text, 'some', 'words']) FROM stray
    """,
    """
    INSERT INTO easycrm_email_participant (email_id, role, name, address)
    SELECT id, 'from', initcap(name), name || '@stray.example' FROM stray
    UNION ALL SELECT id, 'to', 'Sales', %(email)s FROM stray
    """,
    """
    INSERT INTO easycrm_email_copy (email_id, account_id, direction, date, from_address,
        is_read, is_unlinked, ignored)
    SELECT id,
        (%(accounts)s::int[])[CASE WHEN i %% %(team_step)s = 0 THEN 2 ELSE 1 END],
        'inbound', date, name || '@stray.example', i %% 7 > 0, TRUE, FALSE FROM stray
    """,
    "SELECT setval('easycrm_email_id_seq', %(first)s + %(mails)s)",
    "SELECT setval('easycrm_email_thread_id_seq', %(first)s + %(mails)s)",
    "DROP TABLE stray",
)


class UnlinkedMails:
    """A salesperson with these emails; commits.

    :ivar user: may sign in with the login as password
    :ivar accounts: the own mailbox and the team's
    """

    def __init__(self, env):
        self.env = env
        self.user, colleague = (self._add_user(name) for name in ("stray", "other"))
        self.accounts = self._add_mailbox(self.user, "stray@own.example")
        self.accounts |= self._add_mailbox(
            colleague, "team@own.example", member_ids=[Command.link(self.user.id)]
        )
        env.cr.commit()
        env.cr.execute("SELECT coalesce(max(id), 0) FROM easycrm_email_thread")
        [threads] = env.cr.fetchone()
        env.cr.execute("SELECT coalesce(max(id), 0) FROM easycrm_email")
        [emails] = env.cr.fetchone()
        values = {
            "first": max(threads, emails),
            "mails": MAILS,
            "senders": SENDERS,
            "company": env.company.id,
            "email": "stray@own.example",
            "accounts": self.accounts.ids,
            "team_step": TEAM_STEP,
        }
        for statement in STATEMENTS:
            env.cr.execute(statement, values)
        env.cr.commit()
        self.vacuum(*TABLES)
        env.invalidate_all()

    def _add_user(self, login):
        return self.env["res.users"].create(
            {
                "name": login.capitalize(),
                "login": login,
                "password": login,
                "email": f"{login}@own.example",
                "group_ids": [
                    Command.link(self.env.ref("sales_team.group_sale_salesman").id)
                ],
            }
        )

    def _add_mailbox(self, user, email, **values):
        return self.env["easycrm.email.account"].create(
            {
                "email": email,
                "user_id": user.id,
                "imap_host": "127.0.0.1",
                "sync_status": "paused",
                "last_sync": "2026-01-01 00:00:00",
                **values,
            }
        )

    def get_cursor(self, number):
        """Return the cursor of the list after so many emails."""
        [(date, copy_id)] = self.env.execute_query(
            SQL(
                """
                SELECT date, id FROM easycrm_email_copy WHERE account_id = ANY(%s)
                ORDER BY date DESC, id DESC OFFSET %s LIMIT 1
                """,
                self.accounts.ids,
                number,
            )
        )
        return f"{date}|{copy_id}"

    def vacuum(self, *tables):
        """Leave the tables as autovacuum would, in the end."""
        self.env.cr.commit()
        self.env.cr._cnx.autocommit = True
        for table in tables:
            self.env.cr.execute(SQL("VACUUM (ANALYZE) %s", SQL.identifier(table)))
        self.env.cr._cnx.autocommit = False
