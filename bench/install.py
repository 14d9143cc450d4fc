"""How long a database with 100,000 contacts waits for the address index.

`post_init_hook` fills it when the addon is installed. 100,000 contacts and 20,000 leads
with one plain address each, and 5,000 of both whose Email field needs to be taken apart
(several addresses, names, spaces, international domains), in one run:

- ours: `_rebuild_index`;
- peer: the same contacts, each brought up as when its Email field is saved, in batches
  of 1,000; fewer of them, since it is slower;
- floor: the rows that ours has written, put back by one INSERT … SELECT a table.

A figure is records a second.
"""

import json
import os
import time
from contextlib import contextmanager

CONTACTS, LEADS, ODD, PEER = 100_000, 20_000, 5_000, 5_000

#: Email fields that are no plain address; the first address is what Odoo normalises.
ODD_FIELDS = [
    "'a' || i || '@odd.example, b' || i || '@odd.example'",
    "'Anna Berg <a' || i || '@odd.example>; b' || i || '@odd.example'",
    "'  a' || i || '@odd.example , A' || i || '@odd.example'",
    "'a' || i || '@odd.example, c' || i || '@bücher.example'",
    "'\"Berg, Anna\" <a' || i || '@odd.example>'",
]


def fill(env):
    odd = " ".join(
        f"WHEN {case} THEN {text}" for case, text in enumerate(ODD_FIELDS[1:], 1)
    )
    for table, count, email, columns, values in (
        ("res_partner", CONTACTS, "email", "type", "'contact'"),
        ("crm_lead", LEADS, "email_from", "type", "'opportunity'"),
    ):
        env.cr.execute(
            f"""
            INSERT INTO {table} (name, active, {columns}, {email}, email_normalized)
            SELECT 'Bench ' || i, TRUE, {values}, 'P' || i || '@bench.example',
                   'p' || i || '@bench.example'
            FROM generate_series(1, {count}) i
            """
        )
        env.cr.execute(
            f"""
            INSERT INTO {table} (name, active, {columns}, {email}, email_normalized)
            SELECT 'Odd ' || i, TRUE, {values},
                   CASE i % {len(ODD_FIELDS)} {odd} ELSE {ODD_FIELDS[0]} END,
                   'a' || i || '@odd.example'
            FROM generate_series(1, {ODD}) i
            """
        )
    env.cr.commit()
    for table in ("res_partner", "crm_lead"):
        env.cr.execute(f"ANALYZE {table}")
    env.invalidate_all()


@contextmanager
def timed(figures, name, count):
    start = time.perf_counter()
    yield
    seconds = time.perf_counter() - start
    figures[name] = count / seconds
    print(
        f"{name}: {seconds:.2f} s for {count:,} records, {figures[name]:,.0f} a second"
    )


def main(env):
    fill(env)
    records = CONTACTS + LEADS + 2 * ODD
    Address = env["easycrm.email.address"]
    env.cr.execute("TRUNCATE easycrm_email_address")
    env.cr.commit()
    figures = {}

    with timed(figures, "ours", records):
        Address._rebuild_index()
        env.cr.commit()

    env.cr.execute("CREATE TABLE bench_address AS TABLE easycrm_email_address")
    env.cr.execute("SELECT count(*), count(DISTINCT address) FROM bench_address")
    print("addresses, different ones:", *env.cr.fetchone())
    env.cr.execute("TRUNCATE easycrm_email_address")
    env.cr.commit()
    with timed(figures, "floor", records):
        env.cr.execute(
            """INSERT INTO easycrm_email_address (address, partner_id, lead_id, source)
               SELECT address, partner_id, lead_id, source FROM bench_address"""
        )
        env.cr.commit()

    env.cr.execute("DROP TABLE bench_address")
    env.cr.execute("TRUNCATE easycrm_email_address")
    env.cr.commit()
    contacts = env["res.partner"].search([("name", "like", "Odd ")], limit=PEER)
    with timed(figures, "peer", len(contacts)):
        for start in range(0, len(contacts), 1_000):
            Address._update_index(contacts[start : start + 1_000])
            env.cr.commit()

    result = {
        "name": "install: addresses of 100,000 contacts and 20,000 leads",
        "ours": figures["ours"],
        "peer": figures["peer"],
        "floor": figures["floor"],
        "ratio": figures["ours"] / figures["peer"],
        "unit": "records/s",
    }
    print(f"{result['ratio']:.1f} times the records one after the other")
    print(f"{figures['floor'] / figures['ours']:.2f} times slower than the rows alone")
    if target := os.environ.get("EASYCRM_BENCH_RESULTS"):
        with open(target, "a") as file:
            file.write(json.dumps(result) + "\n")


main(env)  # noqa: F821 (what an Odoo shell gives)
