"""Killed anywhere, or run twice at once: every mail goes out once, or is asked for.

Real commits and real processes: Odoo runs as in production, on a database of its own,
with a real Dovecot and an SMTP server that counts what it takes.
"""

import random
import threading
import time
from collections import Counter

import psycopg2
import pytest
from odoo_processes import cloned_database, manage, needs_odoo, query, run_odoo
from servers.dovecot import Dovecot
from servers.smtp_sink import SmtpSink

pytestmark = needs_odoo

PASSWORD = "secret"
LOGINS = ["mira", "jonas", "lena"]

CONNECT = """
partner = env["res.partner"].create({"name": "Anna", "email": "anna@acme.example"})
for login in %(logins)r:
    account = env["easycrm.email.account"].create({
        "email": login + "@own.example", "imap_host": "127.0.0.1",
        "imap_port": %(imap)d, "imap_security": "none", "imap_login": login,
        "imap_password": "secret", "smtp_host": "127.0.0.1", "smtp_port": %(smtp)d,
        "smtp_security": "none", "user_id": env.ref("base.user_admin").id,
    })
    account.action_sync_now()
env["easycrm.email.account"]._cron_backfill()
env.cr.commit()
"""

QUEUE = """
from datetime import timedelta
env = env(user=env.ref("base.user_admin"))
partner = env["res.partner"].search([("email", "=", "anna@acme.example")])
for number in range(%(mails)d):
    for account in env["easycrm.email.account"].search([], order="id")[:%(boxes)d]:
        mail = env["easycrm.email.outgoing"].create({
            "account_id": account.id, "partner_id": partner.id,
            "subject": "Number %%s" %% number, "body": "<p>Hello</p>",
            "recipient_ids": [(0, 0, {"address": "anna@acme.example"})],
        })
        mail.action_queue()
        mail.sudo().scheduled_at -= timedelta(seconds=11)
env.cr.commit()
"""

SEND = """
env["easycrm.email.outgoing"]._cron_send()
env.cr.commit()
"""

LATER = """
for seconds in %r:
    env.cr.execute('''
        UPDATE easycrm_email_outgoing SET
            handed_at = handed_at - %%s * interval '1 second',
            next_try_at = next_try_at - %%s * interval '1 second'
        WHERE state IN ('sending', 'doubt', 'queued')
    ''', [seconds, seconds])
    env.cr.commit()
    env.invalidate_all()
    env["easycrm.email.outgoing"]._cron_send()
    env.cr.commit()
"""

SYNC = """
env["easycrm.email.account"]._cron_sync()
env.cr.commit()
"""

UNDO = """
from odoo.service.model import retrying
mails = env["easycrm.email.outgoing"].sudo()
ids = mails.search([("state", "!=", "draft")], order="id").ids
for mail_id in ids:
    mail = env["easycrm.email.outgoing"].browse(mail_id)
    done = retrying(mail.action_undo, env)
    env.cr.commit()
    env.cr.execute("INSERT INTO undone VALUES (%s, %s)", [mail_id, done["undone"]])
    env.cr.commit()
"""


@pytest.fixture(scope="module")
def dovecot(tmp_path_factory):
    users = dict.fromkeys(LOGINS, PASSWORD)
    with Dovecot(tmp_path_factory.mktemp("dovecot"), users) as server:
        yield server


@pytest.fixture
def sink():
    with SmtpSink(dict.fromkeys(LOGINS, PASSWORD)) as sink:
        yield sink


@pytest.fixture
def database(dovecot, sink):
    for login in LOGINS:
        for key in dovecot.held(login, "Sent"):
            dovecot.remove(login, key, "Sent")
    values = {"logins": LOGINS, "imap": dovecot.port, "smtp": sink.port}
    with cloned_database("send") as name:
        run_odoo(name, CONNECT % values).wait_for_success()
        yield name


def execute(database, statement):
    with (
        psycopg2.connect(dbname=database) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def queue(database, mails=1, boxes=1):
    script = QUEUE % {"mails": mails, "boxes": boxes}
    run_odoo(database, script).wait_for_success()


def send(database):
    run_odoo(database, SEND).wait_for_success()


def send_after(database, *waits):
    """Let so many seconds go by, and send; then so many more."""
    run_odoo(database, LATER % (waits,)).wait_for_success()


def states(database):
    rows = query(database, "SELECT state FROM easycrm_email_outgoing ORDER BY id")
    return [state for (state,) in rows]


def taken(sink):
    """How often each mail was taken."""
    return Counter(
        line
        for mail in sink.taken
        for line in mail.raw.split(b"\r\n")
        if line.startswith(b"Message-ID: ")
    )


def assert_once_on_the_timeline(database, mails):
    """After another sync: one email, one copy, one place, and one link a mail."""
    run_odoo(database, SYNC).wait_for_success()
    rows = query(
        database,
        """
        SELECT count(DISTINCT copy.id), count(DISTINCT place.id),
               count(DISTINCT link.id), min(link.origin)
        FROM easycrm_email email
        LEFT JOIN easycrm_email_copy copy ON copy.email_id = email.id
        LEFT JOIN easycrm_email_location place ON place.copy_id = copy.id
        LEFT JOIN easycrm_email_link link ON link.email_id = email.id
        GROUP BY email.id
        """,
    )
    assert rows == [(1, 1, 1, "sent")] * mails


def wait_until(happened):
    deadline = time.monotonic() + 180
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def test_killed_between_call_and_answer_it_is_never_sent_again(database, sink):
    queue(database)
    began = threading.Event()
    sink.break_("CONTENT", "late")
    sink.deliver = lambda _mail: began.set()
    worker = run_odoo(database, SEND)
    assert began.wait(180)
    worker.kill_at_once()
    assert states(database) == ["sending"]
    send(database)
    assert states(database) == ["sending"], "the worker might still be at it"
    send_after(database, 151)
    assert states(database) == ["doubt"]
    send_after(database, 900, 0)
    [row] = query(
        database,
        """SELECT state, asked_at IS NOT NULL, activity_id IS NOT NULL
           FROM easycrm_email_outgoing""",
    )
    assert row == ("doubt", True, True)
    assert list(taken(sink).values()) == [1]


def kill_between_call_and_answer(database, sink, dovecot):
    """The server has taken the mail and filed it; the worker does not hear of it."""
    began = threading.Event()

    def keep(mail):
        dovecot.deliver("mira", mail.raw, folder="Sent")
        began.set()

    sink.break_("CONTENT", "late")
    sink.deliver = keep
    worker = run_odoo(database, SEND)
    assert began.wait(180)
    worker.kill_at_once()


def test_killed_between_call_and_answer_it_is_found_where_it_stands(
    database, sink, dovecot
):
    queue(database)
    kill_between_call_and_answer(database, sink, dovecot)
    send_after(database, 151, 60)
    assert states(database) == ["sent"]
    assert list(taken(sink).values()) == [1]
    assert_once_on_the_timeline(database, 1)


def test_a_sync_settles_what_was_killed(database, sink, dovecot):
    queue(database)
    kill_between_call_and_answer(database, sink, dovecot)
    assert_once_on_the_timeline(database, 1)
    assert states(database) == ["sent"]
    send(database)
    assert list(taken(sink).values()) == [1]


def test_killed_before_the_call_it_is_asked_of_its_writer(database, sink):
    queue(database)
    sink.break_("EHLO", "silence")
    worker = run_odoo(database, SEND)
    wait_until(lambda: "EHLO" in sink.commands)
    worker.kill_at_once()
    sink.mend()
    send_after(database, 151, 900)
    assert states(database) == ["doubt"]
    assert not sink.taken
    [row] = query(database, "SELECT asked_at IS NOT NULL FROM easycrm_email_outgoing")
    assert row == (True,)


def test_killed_before_the_outcome_is_kept_it_is_found_in_sent(database, sink, dovecot):
    queue(database)
    holder = psycopg2.connect(dbname=database)
    with holder.cursor() as cursor:

        def hold(_mail):
            # what came of the call cannot be written from now on
            cursor.execute("SELECT FROM easycrm_email_outgoing FOR UPDATE")

        sink.deliver = hold
        worker = run_odoo(database, SEND)
        wait_until(lambda: dovecot.held("mira", "Sent"))
        worker.kill_at_once()
    holder.rollback()
    holder.close()
    assert states(database) == ["sending"]
    send_after(database, 151, 60)
    assert states(database) == ["sent"]
    assert list(taken(sink).values()) == [1]
    assert_once_on_the_timeline(database, 1)


def test_killed_at_any_moment_no_mail_goes_out_twice(database, sink):
    rng = random.Random(7)
    queue(database, mails=4, boxes=2)
    kills = 3
    for kill in range(kills):
        worker = run_odoo(database, SEND)
        before = len(sink.taken)
        wait_until(
            lambda seen=before, one=worker: (
                len(sink.taken) > seen or one.poll() is not None
            )
        )
        time.sleep(rng.uniform(0, 0.05))
        worker.kill_at_once()
        if kill == 0:
            assert "queued" in states(database), "the kill came too late"
    send_after(database, 151, 60, 151, 900)
    counts = taken(sink)
    assert set(counts.values()) == {1}
    rows = query(
        database,
        """SELECT state, message_id, asked_at IS NOT NULL
           FROM easycrm_email_outgoing""",
    )
    for state, message_id, is_asked in rows:
        times = counts[f"Message-ID: {message_id}".encode()]
        # (a doubt: killed before the call, or before its copy stood in Sent)
        assert (state, times) == ("sent", 1) or (state, is_asked) == ("doubt", True)
    done = Counter(state for state, *_rest in rows)
    assert done["doubt"] <= kills * 2, "a kill doubts what was under way, no more"


def test_two_workers_at_once_send_every_mail_once(database, sink):
    queue(database, mails=5, boxes=3)
    workers = [run_odoo(database, SEND) for _worker in range(2)]
    for worker in workers:
        worker.wait_for_success()
    assert set(states(database)) == {"sent"}
    assert list(taken(sink).values()) == [1] * 15
    assert_once_on_the_timeline(database, 15)


def test_what_is_taken_back_meanwhile_is_a_draft_or_sent(database, sink):
    queue(database, mails=8, boxes=2)
    execute(database, "CREATE TABLE undone (mail_id int, yes boolean)")
    worker, writer = run_odoo(database, SEND), run_odoo(database, UNDO)
    writer.wait_for_success()
    worker.wait_for_success()
    rows = query(
        database,
        """SELECT undone.yes, mail.state, mail.message_id FROM undone
           JOIN easycrm_email_outgoing mail ON mail.id = undone.mail_id""",
    )
    counts = taken(sink)
    for undone, state, message_id in rows:
        times = counts[f"Message-ID: {message_id}".encode()]
        assert (state, times) == (("draft", 0) if undone else ("sent", 1))


def test_a_database_that_was_put_back_does_not_send_again(database, sink):
    queue(database)
    copy = f"{database}_back"
    with_template = psycopg2.connect(dbname="postgres")
    with_template.autocommit = True
    with with_template.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{database}"')
    try:
        send(database)
        assert states(database) == ["sent"]
        execute(
            copy,
            """UPDATE easycrm_email_outgoing
               SET scheduled_at = scheduled_at - interval '1 hour'""",
        )
        send(copy)
        rows = query(copy, "SELECT state, error FROM easycrm_email_outgoing")
        assert rows == [("sent", None)]
        assert list(taken(sink).values()) == [1]
        assert_once_on_the_timeline(copy, 1)
    finally:
        manage("drop", copy)
        with_template.close()
