"""Attachments with real processes: killed anywhere, and what a large one costs."""

import hashlib
import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path

import pytest
from odoo_processes import (
    READ,
    OdooServer,
    cloned_database,
    needs_odoo,
    query,
    run_odoo,
)
from process_memory import Memory
from servers.dovecot import Dovecot
from test_crash import CONNECT, LOGIN, PASSWORD

pytestmark = needs_odoo

#: Of each round that ends by a kill.
MAILS, ROUNDS = 30, 4
LARGE = 40_000_000

# A salesman who may open what stands on Anna.
SELLER = """
manager = env.ref("sales_team.group_sale_manager")
env.ref("base.user_admin").write({"password": "admin", "group_ids": [(4, manager.id)]})
env.cr.commit()
"""

KEEP = """
env["ir.config_parameter"].set_param("easycrm_mail.keep_attachments", "%s")
env.cr.commit()
"""

FETCH_FILES = """
env["easycrm.email.account"]._cron_backfill()
"""

#: Lets the hour pass for which a mailbox is left alone that did not answer in time.
WAIT = """
accounts = env["easycrm.email.account"].search([])
env["easycrm.email"]._wake_files(accounts)
env.cr.commit()
"""

MEASURED_FETCH = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from process_memory import Memory
memory = Memory(os.getpid())
{FETCH_FILES}
print("PEAK", memory.peak)
"""


def message(number, content):
    mail = EmailMessage()
    mail["From"] = "Anna <anna@acme.example>"
    mail["To"] = "mira@own.example"
    mail["Subject"] = f"Number {number}"
    mail["Message-ID"] = f"<{number}@acme.example>"
    mail.set_content(f"This is number {number}.")
    mail.add_attachment(
        content, maintype="application", subtype="pdf", filename=f"{number}.pdf"
    )
    return mail.as_bytes()


@pytest.fixture
def server(tmp_path_factory):
    with Dovecot(tmp_path_factory.mktemp("files"), {LOGIN: PASSWORD}) as dovecot:
        yield dovecot


@pytest.fixture
def database(server):
    with cloned_database("files") as name:
        run_odoo(name, CONNECT % server.port).wait_for_success()
        yield name


def content_of(number, size=200_000):
    return random.Random(number).randbytes(size)


def stored(database):
    return query(
        database,
        """SELECT count(*) FROM ir_attachment
           WHERE res_model = 'easycrm.email.attachment'""",
    )[0][0]


def test_killed_while_files_are_fetched_each_is_here_once(server, database):
    rng = random.Random(5)
    seen = []
    for round_ in range(ROUNDS):
        for number in range(round_ * MAILS, (round_ + 1) * MAILS):
            server.deliver(LOGIN, message(number, content_of(number)))
        process = run_odoo(database, READ)
        before, deadline = stored(database), time.monotonic() + 180
        while stored(database) == before and process.poll() is None:
            assert time.monotonic() < deadline, "nothing was fetched"
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.1))
        # (on a machine that stands still it may have come to its end)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        seen.append((stored(database), (round_ + 1) * MAILS))
    assert any(0 < count < mails for count, mails in seen), f"all too late: {seen}"
    # (nor may its calls have been answered in time)
    last = READ + FETCH_FILES + WAIT + FETCH_FILES
    run_odoo(database, last).wait_for_success()
    rows = query(
        database,
        """
        SELECT line.name, file.file_size, count(*) OVER (PARTITION BY line.id)
        FROM easycrm_email_attachment line
        JOIN easycrm_email email ON email.id = line.email_id AND email.fetch_at IS NULL
        JOIN ir_attachment file
          ON file.id = line.attachment_id AND file.res_id = line.id
         AND file.res_model = 'easycrm.email.attachment'
        """,
    )
    everything = range(ROUNDS * MAILS)
    assert sorted(rows) == sorted((f"{n}.pdf", 200_000, 1) for n in everything)
    assert stored(database) == len(everything)


def assert_peak(memory, limit, what):
    peak = memory.peak
    print(f"{what}: {peak:.0f} MB")
    assert peak < limit, what


def test_forty_megabytes_cost_no_worker_its_memory(server, database):
    content = content_of(1, LARGE)
    server.deliver(LOGIN, message(1, content))
    run_odoo(database, SELLER + READ).wait_for_success()
    with OdooServer(database) as odoo:
        [(email,)] = query(database, "SELECT id FROM easycrm_email WHERE headers_only")
        odoo.call("easycrm.email", "easycrm_values", [email])
        memory = Memory(odoo.pid)
        answer = odoo.call("easycrm.email", "easycrm_read_large", [email])
        assert answer == {"email_id": email}
        assert_peak(memory, 30, "the body: a buffer")
        [values] = odoo.call("easycrm.email", "easycrm_values", [email])["attachments"]
        memory = Memory(odoo.pid)
        for _time in ("from the mailbox", "from the filestore"):
            found = odoo.download(values["url"])
            assert found == (LARGE, hashlib.sha256(content).hexdigest())
        assert_peak(memory, 80, "the file: itself, and buffers")
        memory = Memory(odoo.pid)
        odoo.download(values["url"])
        assert_peak(memory, 10, "from the filestore: nothing")


def test_readers_at_once_have_it_read_once(server, database):
    content = content_of(2, 19_500_000)
    server.deliver(LOGIN, message(2, content))
    run_odoo(database, SELLER + READ).wait_for_success()
    with OdooServer(database) as odoo, ThreadPoolExecutor(4) as readers:
        [(email,)] = query(database, "SELECT id FROM easycrm_email WHERE headers_only")
        [values] = odoo.call("easycrm.email", "easycrm_values", [email])["attachments"]
        opened = [
            readers.submit(odoo.call, "easycrm.email", "easycrm_read_large", [email])
            for _reader in range(3)
        ]
        loaded = [readers.submit(odoo.download, values["url"]) for _reader in range(3)]
        assert [one.result() for one in opened] == [{"email_id": email}] * 3
        wanted = len(content), hashlib.sha256(content).hexdigest()
        assert [one.result() for one in loaded] == [wanted] * 3
    assert stored(database) == 1
    state = query(database, "SELECT headers_only, length(digest) FROM easycrm_email")
    assert state == [(False, 64)]


def test_files_by_the_dozen_cost_two_at_a_time(server, database):
    for number in range(12):
        server.deliver(LOGIN, message(number, content_of(number, 15_000_000)))
    run_odoo(database, KEEP % "False" + READ).wait_for_success()
    assert stored(database) == 0
    script = KEEP % "True" + MEASURED_FETCH
    out, _err = run_odoo(database, script).communicate(timeout=120)
    assert "PEAK" in out, out
    assert stored(database) == 12
    assert float(out.split("PEAK")[1]) < 80
