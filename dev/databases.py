"""Databases and their filestores, which belong together: both or neither."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg2 import errors, sql

from .paths import CHECKOUT, DATA, LOCKS
from .postgres import connect

TEMPORARY = f"easycrm_mail_t_{CHECKOUT}_"
"""Clones of one run: this, the process id, and what the run likes to add."""


def filestore(name: str) -> Path:
    return DATA / "filestore" / name


def exists(name: str) -> bool:
    return name in listed(name)


def listed(prefix: str) -> list[str]:
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
            " ORDER BY datname",
            [prefix],
        )
        return [row[0] for row in cursor.fetchall()]


def facts(name: str) -> dict:
    """What is known of a database, kept as its comment: it lives and dies with it."""
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database')"
            " FROM pg_database WHERE datname = %s",
            [name],
        )
        row = cursor.fetchone()
    try:
        known = json.loads(row[0]) if row and row[0] else {}
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}


def set_facts(name: str, **known) -> None:
    _execute("COMMENT ON DATABASE {} IS {}", name, literal=json.dumps(known))


def close(name: str) -> None:
    """Makes a template of it: nobody connects, so it can be cloned at any time."""
    _execute("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", name)


def clone(source: str, target: str) -> None:
    """A copy. The files are linked: Odoo replaces files, it never changes them."""
    drop(target)
    _execute("CREATE DATABASE {} TEMPLATE {}", target, source)
    if filestore(source).exists():
        shutil.copytree(filestore(source), filestore(target), copy_function=_link)


def drop(name: str) -> None:
    """Drops it even if somebody is connected: the left-over of a killed run."""
    try:
        _execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    except errors.InsufficientPrivilege:
        # Autovacuum is at it, which only a superuser may end by force. Without force
        # PostgreSQL ends it by itself; who else is connected is ended here.
        _disconnect(name)
        _execute("DROP DATABASE IF EXISTS {}", name)
    shutil.rmtree(filestore(name), ignore_errors=True)


def _disconnect(name: str) -> None:
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND usename = current_user",
            [name],
        )


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _execute(statement: str, *names: str, literal: str | None = None) -> None:
    parts = [sql.Identifier(name) for name in names]
    if literal is not None:
        parts.append(sql.Literal(literal))
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*parts))


@contextmanager
def lock(name: str, shared: bool = False) -> Iterator[None]:
    """Waits for its turn. The lock dies with the process, however that ends."""
    with _lock_file(name) as file:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


@contextmanager
def try_lock(name: str) -> Iterator[bool]:
    """Gives whether nobody else holds it."""
    with _lock_file(name) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def claim(name: str) -> Iterator[bool]:
    """Gives whether nobody makes a database of this name, in no checkout."""
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [name])
        yield cursor.fetchone()[0]


def _lock_file(name: str):
    LOCKS.mkdir(parents=True, exist_ok=True)
    return (LOCKS / name).open("a")


@contextmanager
def temporary(source: str, purpose: str) -> Iterator[str]:
    """A clone for the length of a block; what is named after it goes with it."""
    name = f"{TEMPORARY}{os.getpid()}_{purpose}"
    clone(source, name)
    try:
        yield name
    finally:
        for left in listed(name):
            drop(left)


def drop_leftovers() -> None:
    """Drops the clones of runs that were killed."""
    for name in listed(TEMPORARY):
        owner = name.removeprefix(TEMPORARY).split("_", 1)[0]
        if not _is_ours(owner):
            drop(name)


def _is_ours(process: str) -> bool:
    """Whether such a process lives and is one of these commands: ids come again."""
    command = Path("/proc") / process / "cmdline"
    try:
        return b"\0dev\0" in command.read_bytes()
    except OSError:
        return False
