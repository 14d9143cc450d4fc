"""Step 4: a PostgreSQL that answers, of the environment, else Debian's, started.

`PGHOST`, `PGPORT`, `PGUSER`… are obeyed as libpq and Odoo obey them.
"""

import getpass
import os
import re
import shutil
import subprocess
import time

import psycopg2

from .console import Failure, Steps
from .packages import as_root

OLDEST = 13
"""What Odoo 19 asks for."""


class Server:
    """The server that answers; `started` is the cluster that we started, if we did."""

    def __init__(self, version: int, started: tuple[str, str] | None = None):
        self.version, self.started = version, started

    def stop(self) -> str:
        """Stops what this command started, unless somebody else uses it by now."""
        if not self.started:
            return ""
        if _others_connected():
            return "PostgreSQL goes on: others are connected to it"
        subprocess.run(
            as_root(["pg_ctlcluster", *self.started, "stop"]),
            check=False,
            capture_output=True,
        )
        return "PostgreSQL stopped"


def ensure(steps: Steps) -> tuple[Server, str]:
    """Finds or starts a server, and makes the role if it is missing."""
    error = _error()
    started = None
    if _is_down(error):
        started = _start(error)
        error = _wait()
    if "does not exist" in error and "role" in error:
        steps.progress("making the role")
        _make_role(error)
        error = _error()
    if error:
        raise Failure(
            "PostgreSQL does not let us in.",
            why=error,
            todo="PGHOST, PGPORT, PGUSER and PGPASSWORD name another server or user",
        )
    with connect() as connection:
        version = connection.server_version // 10000
        _check_rights(connection)
    if version < OLDEST:
        raise Failure(
            f"PostgreSQL {version} is too old: Odoo 19 needs {OLDEST} or newer.",
            todo="start a newer one, or name it with PGHOST and PGPORT",
        )
    way = os.environ.get("PGHOST") or "socket"
    word = "started" if started else "running"
    return Server(version, started), f"{word} ({version}, {way})"


class connect:
    """A connection in autocommit, closed at the end of the block."""

    def __init__(self, database: str = "postgres"):
        self.database = database

    def __enter__(self):
        # A password prompt has nobody to answer it, and a dead host must not hang us.
        self._connection = psycopg2.connect(dbname=self.database, connect_timeout=5)
        self._connection.autocommit = True
        return self._connection

    def __exit__(self, *_exc):
        self._connection.close()


def _error() -> str:
    try:
        with connect():
            return ""
    except psycopg2.OperationalError as error:
        return str(error).strip() or "no answer"


def _is_down(error: str) -> bool:
    return "No such file or directory" in error or "Connection refused" in error


def _wait(seconds: int = 30) -> str:
    """The error that stays, or an empty string as soon as the server answers."""
    end = time.monotonic() + seconds
    while (error := _error()) and time.monotonic() < end:
        if not _is_down(error) and "starting up" not in error:
            break
        time.sleep(0.2)
    return error


def _start(error: str) -> tuple[str, str] | None:
    """Starts Debian's newest cluster if it is down; makes one if there is none."""
    host = os.environ.get("PGHOST", "")
    if host and not host.startswith("/") and host not in ("localhost", "127.0.0.1"):
        raise Failure(
            f"The PostgreSQL of PGHOST={host} does not answer.",
            why=error,
            todo="start it, or unset PGHOST to use this machine's own",
        )
    if not shutil.which("pg_lsclusters"):
        raise Failure(
            "No PostgreSQL answers here.",
            why=error,
            todo="install and start PostgreSQL, or name one with PGHOST",
        )
    clusters = _clusters()
    if not clusters:
        version = max(os.listdir("/usr/lib/postgresql"), key=int)
        subprocess.run(
            as_root(["pg_createcluster", version, "main"]),
            check=False,
            capture_output=True,
        )
        clusters = _clusters()
    wanted = os.environ.get("PGPORT", "")
    fitting = [cluster for cluster in clusters if wanted in ("", cluster[2])]
    if not fitting:
        raise Failure(
            f"No PostgreSQL cluster of this machine has the port {wanted}.",
            why="\n".join(" ".join(cluster) for cluster in clusters),
            todo="name the right one with PGPORT",
        )
    # Debian takes another port than 5432 where that one was taken.
    usual = [cluster for cluster in fitting if cluster[2] == "5432"]
    version, name, port, status = (usual or fitting)[-1]
    os.environ["PGPORT"] = port
    if status.startswith("online"):
        return None
    answer = subprocess.run(
        as_root(["pg_ctlcluster", version, name, "start"]),
        check=False,
        capture_output=True,
        text=True,
    )
    if answer.returncode not in (0, 2):  # 2: somebody else was faster
        raise Failure(
            f"PostgreSQL {version} could not be started.",
            why=answer.stderr.strip(),
            todo=f"see /var/log/postgresql/postgresql-{version}-{name}.log",
        )
    return version, name


def _clusters() -> list[list[str]]:
    """Version, name, port and status of each cluster, the oldest first."""
    answer = subprocess.run(
        ["pg_lsclusters", "--no-header"], check=False, capture_output=True, text=True
    )
    rows = [line.split()[:4] for line in answer.stdout.splitlines() if line.strip()]
    return sorted(rows, key=lambda row: int(row[0]))


def _make_role(error: str) -> None:
    """A role for the running user that may make databases, and no more."""
    found = re.search(r'role "([^"]+)" does not exist', error)
    role = found.group(1) if found else getpass.getuser()
    create = ["createuser", "--createdb", role]
    command = ["runuser", "-u", "postgres", "--", *create]
    if os.geteuid() != 0:
        command = ["sudo", "-u", "postgres", *create]
    answer = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd="/"
    )
    if answer.returncode and "already exists" not in answer.stderr:
        raise Failure(
            f"The PostgreSQL role {role} could not be made.",
            why=answer.stderr.strip(),
            todo=f"as the user postgres: createuser --createdb {role}",
        )


def _check_rights(connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolcreatedb OR rolsuper, current_user"
            " FROM pg_roles WHERE rolname = current_user"
        )
        may_create, role = cursor.fetchone()
    if not may_create:
        raise Failure(
            f"The PostgreSQL role {role} may not make databases.",
            todo=f"as the user postgres: psql -c 'ALTER ROLE \"{role}\" CREATEDB'",
        )


def _others_connected() -> bool:
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return cursor.fetchone()[0] > 0
