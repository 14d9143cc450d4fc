"""How fast mail comes in, beside Odoo's gateway and beside the rows alone.

3,000 mails of 2-60 kB against 20,000 contacts and 5,000 leads, in one run:

- ours: `messages.parse`, then `Ingest.store`, a commit every 200 mails; as in a sync, a
  thread parses the next 200 meanwhile;
- peer: Odoo's own gateway (`mail.thread.message_process`) on mails of the same set, a
  commit each, as its fetchmail does; fewer of them, since it is slow;
- floor: the rows that ours has written, put back by `execute_values`, a commit every
  200 mails.

A figure is mails a second; the ratios are what counts, a machine's speed drifts.
"""

import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from lib.figures import add_result
from lib.mails import write_mail

from odoo.tools import SQL

from odoo.addons.easycrm_mail.easycrm_mail.messages import parse
from odoo.addons.easycrm_mail.easycrm_mail.models.ingest import Ingest, Read
from odoo.addons.easycrm_mail.easycrm_mail.providers import RemoteMessage

MAILS, PEER_MAILS, CONTACTS, LEADS, BATCH = 3000, 60, 20_000, 5_000, 200

#: The tables that a mail is written to, parents first.
TABLES = [
    "easycrm_email_thread",
    "easycrm_email",
    "easycrm_email_content",
    "easycrm_email_participant",
    "easycrm_email_attachment",
    "easycrm_email_copy",
    "easycrm_email_location",
    "easycrm_email_link",
]


def make_mail(rng, number):
    """Return the raw bytes of one believable mail: text and HTML, perhaps a PDF."""
    sender = f"contact{rng.randrange(CONTACTS)}@customer{number % 700}.example"
    if rng.random() < 0.7:
        sender = f"contact{rng.randrange(CONTACTS)}@bench.example"
    return write_mail(rng, number, sender, ("lead", LEADS))


def fill(env):
    """Create the contacts and leads that the mails are matched with."""
    quiet = {"tracking_disable": True, "mail_create_nosubscribe": True}
    for model, count, prefix, field in (
        ("res.partner", CONTACTS, "contact", "email"),
        ("crm.lead", LEADS, "lead", "email_from"),
    ):
        Model = env[model].with_context(**quiet)
        for start in range(0, count, 1000):
            Model.create(
                [
                    {"name": f"{prefix} {n}", field: f"{prefix}{n}@bench.example"}
                    for n in range(start, start + 1000)
                ]
            )
            env.cr.commit()
            env.invalidate_all()
    # Not the tables that are empty yet: nobody analyses those. PostgreSQL would check
    # foreign keys by scanning them for as long as it takes them for empty.
    env.cr.execute("ANALYZE res_partner, crm_lead, easycrm_email_address")
    env.cr.commit()


@contextmanager
def timed(figures, name, count):
    start = time.perf_counter()
    yield
    figures[name] = count / (time.perf_counter() - start)
    print(f"{name}: {figures[name]:,.1f} mails/s ({count} mails)", flush=True)


def read_batch(mails, start):
    """Parse one page, as the pool does in a sync."""
    return [
        Read(RemoteMessage(ref=f"1:{number}", raw=raw, is_read=False), parse(raw))
        for number, raw in enumerate(mails[start : start + BATCH], start)
    ]


def read_batches(env):
    """Return what was written, as [{table: (columns, rows)}], a dict a batch.

    A row belongs to the batch of its email; what emails point to, to the first.
    """
    env.cr.execute("SELECT id FROM easycrm_email ORDER BY id")
    batch_of = {id_: n // BATCH for n, (id_,) in enumerate(env.cr.fetchall())}
    env.cr.execute("SELECT id, email_id FROM easycrm_email_copy")
    email_of = dict(env.cr.fetchall())
    batches = [{} for _ in range(MAILS // BATCH)]
    for table in TABLES:
        env.cr.execute(
            """SELECT column_name FROM information_schema.columns
               WHERE table_name = %s AND is_generated = 'NEVER'""",
            [table],
        )
        columns = [row[0] for row in env.cr.fetchall()]
        names = SQL(", ").join(map(SQL.identifier, columns))
        env.cr.execute(
            SQL("SELECT %s FROM %s ORDER BY id", names, SQL.identifier(table))
        )
        for row in env.cr.fetchall():
            values = dict(zip(columns, row, strict=True))
            if table == "easycrm_email":
                email_id = values["id"]
            elif table == "easycrm_email_location":
                email_id = email_of[values["copy_id"]]
            else:
                email_id = values.get("email_id")
            batch = batches[batch_of.get(email_id, 0)]
            batch.setdefault(table, (columns, []))[1].append(row)
    return batches


def write_floor(env, batches):
    """Write the same rows again, in as many batches, and nothing else."""
    for batch in batches:
        for table, (columns, rows) in batch.items():
            env.cr.execute_values(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES %s",
                rows,
                page_size=len(rows),
            )
        env.cr.commit()


def main(env):
    rng = random.Random(19)
    mails = [make_mail(rng, number) for number in range(MAILS + PEER_MAILS)]
    size = sum(map(len, mails)) / len(mails)
    print(f"{len(mails)} mails, {size / 1000:.1f} kB on average", flush=True)
    fill(env)
    account = (
        env["easycrm.email.account"]
        .sudo()
        .create({"email": "bench@own.example", "imap_host": "127.0.0.1"})
    )
    env.cr.commit()
    figures = {}

    with timed(figures, "parse", MAILS):
        for raw in mails[:MAILS]:
            parse(raw)

    with timed(figures, "ours", MAILS), ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(read_batch, mails[:MAILS], 0)
        for start in range(0, MAILS, BATCH):
            reads = ahead.result()
            ahead = pool.submit(read_batch, mails[:MAILS], start + BATCH)
            Ingest(account, "INBOX").store(reads)
            env.cr.commit()

    env.cr.execute(
        "SELECT count(*), count(*) FILTER (WHERE is_linked) FROM easycrm_email"
    )
    print("stored, linked:", *env.cr.fetchone(), flush=True)
    batches = read_batches(env)
    env.cr.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
    env.cr.commit()
    with timed(figures, "floor", MAILS):
        write_floor(env, batches)

    gateway = env["mail.thread"]
    with timed(figures, "peer", PEER_MAILS):
        for raw in mails[MAILS:]:
            gateway.message_process("crm.lead", raw)
            env.cr.commit()

    ratio = figures["ours"] / figures["peer"]
    print(f"{ratio:.1f} times Odoo's gateway", flush=True)
    print(f"{figures['floor'] / figures['ours']:.2f} times slower than the rows alone")
    add_result(
        "ingest: parse, match, link, commit",
        figures["ours"],
        "mails/s",
        peer=figures["peer"],
        floor=figures["floor"],
        ratio=ratio,
    )


main(env)  # noqa: F821 (what an Odoo shell gives)
