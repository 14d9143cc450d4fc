"""Real Odoo processes on a database of their own: scripts, kills, and what is left."""

import contextlib
import hashlib
import os
import random
import signal
import socket
import subprocess
import time

import psycopg2
import pytest
import requests

READ = """
for _round in range(50):
    env["easycrm.email.account"]._cron_backfill()
    env["easycrm.email.account"]._cron_sync()
    env.cr.commit()
    if env["easycrm.email.account"].search([]).last_sync:
        break
"""


#: For tests, or as `pytestmark` of a file.
needs_odoo = pytest.mark.skipif(
    "EASYCRM_ODOO" not in os.environ,
    reason="needs a real Odoo: `make test` says where it is",
)


def manage(action, name):
    """Clone the template's database to that name, or drop it."""
    subprocess.run([os.environ["EASYCRM_DATABASE"], action, name], check=True)


@contextlib.contextmanager
def cloned_database(name):
    """Give the name of a database of one's own, a clone of the template's."""
    name = f"{os.environ['EASYCRM_TEST_PREFIX']}{name}"
    manage("clone", name)
    try:
        yield name
    finally:
        manage("drop", name)


class Odoo(subprocess.Popen):
    """An Odoo shell, which waits for its script.

    :param environment: variables beside those of this process
    """

    def __init__(self, database, environment=None):
        super().__init__(
            [
                os.environ["EASYCRM_ODOO"],
                *("shell", "-d", database, "--no-http", "--log-level=warn"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )

    def run(self, script):
        self.stdin.write(script)
        self.stdin.close()
        self.stdin = None

    def kill_at_once(self):
        """As `kill -9` does."""
        os.killpg(self.pid, signal.SIGKILL)
        self.wait()

    def wait_for_success(self, timeout=120):
        out, _err = self.communicate(timeout=timeout)
        assert self.returncode == 0, out
        assert "Traceback" not in out, out


class OdooServer:
    """An Odoo that answers, and a browser that is signed in.

    :param int crons: threads that run scheduled actions
    """

    def __init__(self, database, crons=0):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        command = [os.environ["EASYCRM_ODOO"], "server", "-d", database]
        options = [f"--max-cron-threads={crons}", "--workers=0", "--log-level=warn"]
        port = f"--http-port={self.url.rpartition(':')[2]}"
        self._process = subprocess.Popen(
            [*command, *options, port], start_new_session=True
        )
        self._browser = requests.Session()
        self._sign_in(database)

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @property
    def pid(self):
        return self._process.pid

    def _sign_in(self, database):
        deadline = time.monotonic() + 180
        while True:
            try:
                self.ask(
                    "/web/session/authenticate",
                    {"db": database, "login": "admin", "password": "admin"},
                )
            except requests.ConnectionError:
                assert time.monotonic() < deadline and self._process.poll() is None
                time.sleep(0.1)
            else:
                return

    def ask(self, path, params):
        answer = self._browser.post(
            self.url + path, json={"jsonrpc": "2.0", "params": params}, timeout=60
        ).json()
        assert "error" not in answer, answer
        return answer["result"]

    def call(self, model, method, *args, **kwargs):
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        return self.ask("/web/dataset/call_kw", params)

    def download(self, path):
        """Return the size and the SHA-256 of a file."""
        size, digest = 0, hashlib.sha256()
        with self._browser.get(self.url + path, stream=True, timeout=60) as answer:
            assert answer.status_code == 200, answer.text
            for piece in answer.iter_content(1 << 16):
                size += len(piece)
                digest.update(piece)
        return size, digest.hexdigest()


def run_odoo(database, script, environment=None):
    """Start an Odoo that runs a script; return its process."""
    process = Odoo(database, environment)
    process.run(script)
    return process


def command_odoo(database, command, *options, script=""):
    """Run a command of Odoo to its end; it must not complain of anything."""
    done = subprocess.run(  # noqa: PLW1510 (asserted below, with its output)
        [
            os.environ["EASYCRM_ODOO"],
            *(command, "-d", database, "--log-level=warn", *options),
        ],
        input=script,
        capture_output=True,
        text=True,
        timeout=240,
    )
    out = done.stdout + done.stderr
    assert done.returncode == 0, out
    for sign in ("Traceback", " ERROR ", " WARNING "):
        assert sign not in out, out


def query(database, statement):
    with (
        psycopg2.connect(dbname=database) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        return cursor.fetchall()


def count_emails(database):
    return query(database, "SELECT count(*) FROM easycrm_email")[0][0]


def kill_in_mid_sync(database, times, within, environment=None, script=READ):
    """Have the mailboxes read, and kill that again and again at random moments.

    :param within: seconds after the first mail of a run
    :param script: what reads them
    :return: how many emails were stored after each kill
    """
    rng = random.Random(9)
    seen = []
    for _kill in range(times):
        process = run_odoo(database, script, environment)
        before, deadline = count_emails(database), time.monotonic() + 180
        while count_emails(database) == before and process.poll() is None:
            assert time.monotonic() < deadline, "nothing was read"
            time.sleep(0.005)
        time.sleep(rng.uniform(0, within))
        process.kill_at_once()
        seen.append(count_emails(database))
    return seen


def assert_mailbox_is_here_once(database, mails):
    """Compare mailbox and database mail by mail.

    :param mails: how many there are: each ten of them are a conversation
    """
    wanted = {f"<{number}@acme.example>" for number in range(mails)}
    rows = query(
        database,
        """
        SELECT email.message_id,
               count(DISTINCT copy.id), count(DISTINCT place.id),
               count(DISTINCT link.id), count(DISTINCT content.id),
               count(DISTINCT participant.id)
        FROM easycrm_email email
        LEFT JOIN easycrm_email_copy copy ON copy.email_id = email.id
        LEFT JOIN easycrm_email_location place ON place.copy_id = copy.id
        LEFT JOIN easycrm_email_link link ON link.email_id = email.id
        LEFT JOIN easycrm_email_content content ON content.email_id = email.id
        LEFT JOIN easycrm_email_participant participant
               ON participant.email_id = email.id
        GROUP BY email.id
        """,
    )
    assert len(rows) == mails
    assert {row[0] for row in rows} == wanted
    assert {row[1:] for row in rows} == {(1, 1, 1, 1, 2)}
    threads = query(database, "SELECT count(*) FROM easycrm_email_thread")[0][0]
    assert threads == mails // 10
