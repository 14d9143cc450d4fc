"""With a million mails here, everything goes along an index.

What people and mailboxes do all day is done once, by `hot_paths.py` inside Odoo, and
PostgreSQL tells which plans it took: of the very statements that were executed.
"""

import faulthandler
import json
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from odoo_processes import cloned_database, needs_odoo, run_odoo
from servers.dovecot import Dovecot

pytestmark = needs_odoo

HERE = Path(__file__).parent
LOGIN, PASSWORD = "seller0", "secret"
MAILS = 30

#: Rows that a path may look at, of the 15 million: those of its page or batch.
ROWS = 16_000

#: These do less, whatever waits: a page, or what is chosen. Groups take the tally of
#: the mailbox's 9,000 senders, and no more of the emails than show sixty of them.
FEW_ROWS = {
    "unlinked_emails_grouped": 11_000,
    "unlinked_emails_ignored_and_undone": 200,
    "unlinked_emails_paged": 1_500,
    "unlinked_emails_suggested": 500,
}

#: These do more at once: a thousand mails of each of a list of contacts are counted, a
#: filter looks through five thousand, two hundred addresses are compared, and a listing
#: of each of two folders compares the 160,000 mails that the mailbox holds.
MANY_ROWS = {
    "counts_of_a_list_of_contacts": 40_000,
    "search_of_rare_words": 100_000,
    "search_of_common_words": 100_000,
    "filtered_timeline": 100_000,
    "addresses_looked_at_again": 60_000,
    # all 13,000 that wait in the mailbox are asked whether they come from the domain
    "unlinked_emails_linked_and_undone": 50_000,
    # the tally of its 9,000 senders twice: how many groups, and how many emails of each
    "unlinked_emails_grouped_by_domain": 20_000,
    "unlinked_emails_grouped_by_mailbox": 20_000,
    # nine questions about its 5,000 recipients, and 24 lists of them
    "campaign_results": 60_000,
    "campaign_progress": 30_000,
    "campaign_recipients_by_each_number": 150_000,
    # ten thousand are deleted
    "reports_about_nobody_forgotten": 30_000,
    # all conversations of its last thirty days
    "conversations_to_hand_over": 80_000,
    "sync_of_a_mailbox": 1_000_000,
}


@pytest.fixture(scope="module")
def plans(tmp_path_factory):
    faulthandler.cancel_dump_traceback_later()  # it takes minutes, and may
    folder = tmp_path_factory.mktemp("plans")
    with Dovecot(folder / "dovecot", {LOGIN: PASSWORD}) as server:
        for number in range(MAILS):
            raw = (
                f"From: contact{number * 4}@customer{number * 4}.example\r\n"
                f"To: seller0@own.example\r\nSubject: Plan {number}\r\n"
                f"Date: Tue, 4 Mar 2025 10:00:00 +0000\r\n"
                f"Message-ID: <{number}@plans.example>\r\n\r\nGood morning.\r\n"
            )
            server.deliver(LOGIN, raw.encode())
        mailbox = {
            "port": server.port,
            "login": LOGIN,
            "password": PASSWORD,
            "mails": MAILS,
        }
        with superuser(), cloned_database("million") as name:
            yield record_plans(name, mailbox, folder / "plans.json")


@contextmanager
def superuser():
    """Lend the role of the tests the rights that `auto_explain` needs.

    Whoever may act as PostgreSQL's own user here has them anyway.
    """
    with psycopg2.connect(dbname="postgres") as connection, connection.cursor() as cr:
        cr.execute("SELECT rolsuper, rolname FROM pg_roles WHERE rolname = user")
        is_superuser, role = cr.fetchone()
    connection.close()
    if is_superuser:
        yield
        return
    who = ["runuser", "-u"] if os.geteuid() == 0 else ["sudo", "-n", "-u"]

    def alter(rights):
        words = f'ALTER ROLE "{role}" {rights}'
        command = [*who, "postgres", "--", "psql", "-qd", "postgres", "-c", words]
        return subprocess.run(  # noqa: PLW1510 (asked by the caller)
            command, capture_output=True, text=True, cwd="/"
        )

    done = alter("SUPERUSER")
    if done.returncode:
        pytest.skip(f"auto_explain is for superusers of PostgreSQL: {done.stderr}")
    try:
        yield
    finally:
        alter("NOSUPERUSER")


def record_plans(database, mailbox, out):
    script = str(HERE / "hot_paths.py")
    environment = {
        "PLANS_HERE": str(HERE),
        "PLANS_OUT": str(out),
        "PLANS_MAILBOX": json.dumps(mailbox),
    }
    run_odoo(
        database,
        f"exec(compile(open({script!r}).read(), {script!r}, 'exec'))",
        environment,
    ).wait_for_success(timeout=1_200)
    return json.loads(out.read_text())


def test_there_are_a_million_mails(plans):
    counts = plans["counts"]
    assert counts["easycrm_email"] == 1_000_000
    assert counts["easycrm_email_link"] > 3_000_000
    assert counts["easycrm_esp_event"] > 500_000


def test_no_large_table_is_scanned(plans):
    scans = {name: p["scans"] for name, p in plans["paths"].items() if p["scans"]}
    assert scans == {}


def test_what_is_looked_at_is_what_is_shown_or_stored(plans):
    many = {
        name: sum(path["rows"].values())
        for name, path in plans["paths"].items()
        if is_costly(path, {**FEW_ROWS, **MANY_ROWS}.get(name, ROWS))
    }
    assert many == {}


def test_every_path_asks_the_database(plans):
    assert len(plans["paths"]) > 20
    assert all(path["statements"] for path in plans["paths"].values())
    reads = ("timeline", "conversation", "counts", "unlinked", "batch", "new_")
    reads += ("campaign", "token")
    for name, path in plans["paths"].items():
        if name.startswith(reads):
            assert sum(path["rows"].values()), f"{name} did nothing"


def is_costly(path, rows):
    return sum(path["rows"].values()) > rows


@pytest.mark.parametrize(
    "path",
    [
        "timeline_of_a_busy_contact",
        "new_contact",
        "mails_a_day_of_all_mailboxes",
        "unlinked_emails_grouped",
        "campaigns_of_a_busy_contact",
        "token_of_a_report_that_was_used",
        "new_events_applied",
        "batch_handed_over",
        "campaign_results",
    ],
)
def test_a_missing_index_is_noticed(plans, path):
    found = plans["without_index"][path]
    assert found["scans"] or is_costly(found, ROWS)
