"""A database of a million mails and three million links, made in minutes.

Everything is an INSERT ... SELECT of arithmetic on a row's number, so the same number
of mails gives the same mails. Indexes and foreign keys are taken off before and put
back after, as a restored dump has them.

    million = Million(env)      # people and mailboxes, once
    million.make_mails(1_000_000)

Three mails make a conversation, a thousand minutes apart, among the same people; one
conversation in ten is with strangers only. Few contacts have thousands of mails, most
have a handful, and a few are made to be measured:

=========  ======================================================
`busy`     a contact with 20,000 mails, or all where there are less
`huge`     a contact with 100,000, likewise
`small`    a contact with 10
newcomers  addresses that stand in 500 mails and are no contact's
=========  ======================================================
"""

import threading
from contextlib import contextmanager

from odoo.sql_db import db_connect
from odoo.tools import SQL

from . import million_rows as rows

SALESMEN = 8
CONTACTS, COMPANIES, LEADS = 100_000, 5_000, 100_000
BUSY, HUGE, SMALL, NEWCOMER = 20_000, 100_000, 10, 500

#: How many contacts and leads take part in a conversation, by its number's last digit.
PEOPLE = (0, 2, 3, 3, 3, 4, 3, 4, 4, 3)

#: What grows with the mail, parents first. Their rows belong to this module.
TABLES = (
    *("easycrm_email_thread", "easycrm_email", "easycrm_email_content"),
    *("easycrm_email_participant", "easycrm_email_attachment", "easycrm_email_copy"),
    *("easycrm_email_location", "easycrm_email_link"),
)

#: Two connections fill and index the tables, as wide as the work can be divided.
SHARES = (
    {
        "easycrm_email_content": rows.CONTENTS,
    },
    {
        "easycrm_email_thread": rows.THREADS,
        "easycrm_email": rows.EMAILS,
        "easycrm_email_link": rows.LINKS,
        "easycrm_email_copy": rows.COPIES,
        "easycrm_email_location": rows.LOCATIONS,
        "easycrm_email_participant": rows.PARTICIPANTS,
        "easycrm_email_attachment": rows.ATTACHMENTS,
    },
)


class Million:
    """The people, the mailboxes and the mails of one database, which it commits to.

    :param env: of an Odoo with the addon and no mail in it
    :ivar salesmen: users who may sign in with their login as password, each with a
        mailbox that has been read to its end
    :ivar busy, huge, small: the contacts that are measured
    :ivar newcomers: addresses that stand in mails and on no contact
    """

    def __init__(self, env):
        self.env = env
        self.salesmen = env["res.users"]
        self.accounts = env["easycrm.email.account"].sudo()
        for number in range(SALESMEN):
            self._add_salesman(f"seller{number}")
        self.busy, self.huge, self.small = env["res.partner"].create(
            [
                {"name": name.capitalize(), "email": f"{name}@measured.example"}
                for name in ("busy", "huge", "small")
            ]
        )
        env.cr.commit()
        self.values = {
            "company": env.company.id,
            "companies": COMPANIES,
            "contacts": CONTACTS,
            "leads": LEADS,
            "salesmen": SALESMEN,
            "people": list(PEOPLE),
            "users": self.salesmen.ids,
            "accounts": self.accounts.ids,
            "account_addresses": self.accounts.mapped("email"),
            "measured": (self.busy | self.huge | self.small).ids,
            "measured_addresses": [
                f"{name}@measured.example" for name in ("busy", "huge", "small")
            ],
            "company_base": self._reserve("res_partner", COMPANIES + CONTACTS),
            "lead_base": self._reserve("crm_lead", LEADS),
        }
        self.values["contact_base"] = self.values["company_base"] + COMPANIES
        env.cr.execute("SET synchronous_commit = off")
        for statement in rows.PEOPLE_STATEMENTS:
            env.cr.execute(statement, self.values)
            # else the checks of foreign keys go on as planned for an empty table
            env.cr.execute("ANALYZE res_partner; ANALYZE crm_lead")
        env.cr.commit()
        self._vacuum("res_partner", "crm_lead", "easycrm_email_address")
        env.invalidate_all()

    def make_mails(self, mails):
        """Replace all mail of the database by so much.

        :param int mails: a multiple of 1,000
        """
        newcomer_step = max(mails // NEWCOMER, 1)
        newcomers = min(newcomer_step, 100)
        self.newcomers = [f"newcomer{n}@newcomer.example" for n in range(newcomers)]
        values = {
            **self.values,
            "mails": mails,
            "busy_step": max(mails // BUSY, 1),
            "huge_step": max(mails // HUGE, 1),
            "small_step": max(mails // SMALL, 1),
            "newcomer_step": newcomer_step,
            "newcomers": newcomers,
        }
        with _without_indexes(self.env) as definitions:
            self.env.cr.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
            for statement in rows.PREPARED:
                self.env.cr.execute(statement, values)
            self.env.cr.commit()
            self._in_parallel(
                [
                    lambda cr, s=share: _fill(cr, s, values, definitions)
                    for share in SHARES
                ]
            )
        self.env.cr.execute("DROP TABLE million_mail, million_person, million_sentence")
        # these mails have been matched
        self.env.cr.execute("UPDATE easycrm_email_address SET look_again_at = NULL")
        self.env.cr.commit()
        self._vacuum(*TABLES)
        self.env.invalidate_all()

    def _add_salesman(self, login):
        user = (
            self.env["res.users"]
            .with_context(no_reset_password=True)
            .create(
                {
                    "name": login.capitalize(),
                    "login": login,
                    "password": login,
                    "email": f"{login}@own.example",
                    "group_ids": [
                        (4, self.env.ref("sales_team.group_sale_salesman").id)
                    ],
                }
            )
        )
        self.salesmen |= user
        folders = (("INBOX", "inbox"), ("Sent", "sent"))
        self.accounts |= self.accounts.create(
            {
                "email": user.email,
                "user_id": user.id,
                "imap_host": "127.0.0.1",
                "sync_status": "ok",
                "last_sync": self.env.cr.now(),
                "folder_ids": [
                    (
                        0,
                        0,
                        {
                            "stream": n,
                            "name": n,
                            "role": r,
                            "selected": True,
                            "settled": True,
                        },
                    )
                    for n, r in folders
                ],
            }
        )

    def _reserve(self, table, count):
        """Take so many ids of a table's sequence; return the first."""
        self.env.cr.execute(
            "SELECT nextval(%(name)s), setval(%(name)s, currval(%(name)s) + %(count)s)",
            {"name": f"{table}_id_seq", "count": count},
        )
        return self.env.cr.fetchone()[0]

    def _vacuum(self, *tables):
        """Leave the tables as autovacuum would, in the end."""

        def vacuum(cr, names):
            cr._cnx.autocommit = True
            for name in names:
                cr.execute(SQL("VACUUM (ANALYZE) %s", SQL.identifier(name)))
            cr._cnx.autocommit = False

        self._in_parallel(
            [lambda cr, n=tables[half::2]: vacuum(cr, n) for half in range(2)]
        )

    def _in_parallel(self, works):
        """Call each with a cursor and in a thread of its own; raise what one raised."""
        failures = []

        def call(work):
            try:
                with db_connect(self.env.cr.dbname).cursor() as cr:
                    work(cr)
            except BaseException as error:  # noqa: BLE001
                failures.append(error)

        threads = [threading.Thread(target=call, args=[work]) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]


def _fill(cr, share, values, definitions):
    """Fill tables and put their indexes back, a commit each."""
    cr.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'")
    cr.execute("SET work_mem = '256MB'; SET max_parallel_workers_per_gather = 0")
    for table, statement in share.items():
        cr.execute(statement, values)
        if " (id, " in statement:
            cr.execute(
                f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"
            )
        for definition in definitions[table]:
            cr.execute(definition)
        cr.commit()


@contextmanager
def _without_indexes(env):
    """Take indexes and foreign keys off the tables.

    Gives {table: statements that bring its indexes back}; foreign keys come back at the
    end. They are not checked again: what is made points to what is there.
    """
    env.cr.execute(
        """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), contype
        FROM pg_constraint
        WHERE contype IN ('f', 'u') AND conrelid = ANY(%s::regclass[])
        """,
        [list(TABLES)],
    )
    constraints = env.cr.fetchall()
    for table, name, _definition, _kind in constraints:
        env.cr.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    env.cr.execute(
        """
        SELECT indrelid::regclass::text, indexrelid::regclass::text,
            pg_get_indexdef(indexrelid)
        FROM pg_index WHERE NOT indisprimary AND indrelid = ANY(%s::regclass[])
        """,
        [list(TABLES)],
    )
    definitions = {table: [] for table in TABLES}
    for table, name, definition in env.cr.fetchall():
        env.cr.execute(f"DROP INDEX {name}")
        definitions[table].append(definition)
    for table, name, definition, kind in constraints:
        if kind == "u":
            definitions[table].append(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"
            )
    yield definitions
    for table, name, definition, kind in constraints:
        if kind == "f":
            env.cr.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID"
            )
