"""What each command does once Odoo and the project's own Python are there."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import bench as benches
from . import databases, fetch, gates, node, odoo, postgres, templates, testing
from .console import Failure, Steps
from .demo import run as demo
from .paths import CACHE, CHECKOUT, DATA, LOGS, ODOO, ROOT, VENV
from .pictures import run as taking

SCRATCH = f"easycrm_mail_scratch_{CHECKOUT}"


def run(arguments: argparse.Namespace, steps: Steps) -> int:
    provider = os.environ.get("PROVIDER") or "imap"
    return demo.run(steps, _server, arguments.port, provider)


def test(arguments: argparse.Namespace, steps: Steps) -> int:
    _server(steps)
    return testing.run(steps, arguments.only)


def lint(_arguments: argparse.Namespace, steps: Steps) -> int:
    return gates.run(steps, _server)


def format(_arguments: argparse.Namespace, _steps: Steps) -> int:
    """Sets every file as the gates want it."""
    gates.write_formats()
    return 0


def pot(_arguments: argparse.Namespace, steps: Steps) -> int:
    """Renews the template of translations."""
    _server(steps)
    steps.begin("i18n/easycrm_mail.pot")
    with (
        templates.addon(steps) as template,
        databases.temporary(template, "pot") as name,
    ):
        gates.write_template(name)
    steps.end("written")
    return 0


def bench(arguments: argparse.Namespace, steps: Steps) -> int:
    _server(steps)
    return benches.run(steps, arguments.only)


def pictures(arguments: argparse.Namespace, steps: Steps) -> int:
    """Takes the pictures of `docs/` anew."""
    return taking.run(steps, _server, arguments.only)


def shell(_arguments: argparse.Namespace, steps: Steps) -> int:
    _server(steps)
    _ready(SCRATCH, steps)
    print(f"The database {SCRATCH}; env.cr.commit() keeps what you do.")
    return subprocess.run(odoo.shell_command(SCRATCH), check=False).returncode


def script(arguments: argparse.Namespace, steps: Steps) -> int:
    path = Path(os.environ.get("EASYCRM_FROM", ""), arguments.script).resolve()
    if not path.is_file():
        raise Failure(f"There is no script {arguments.script}.")
    database_name = arguments.database or SCRATCH
    _server(steps)
    _ready(database_name, steps)
    return subprocess.run(
        odoo.shell_command(database_name),
        input=odoo.loader(path, tuple(arguments.arguments)),
        text=True,
        check=False,
    ).returncode


def database(arguments: argparse.Namespace, steps: Steps) -> int:
    """A clone of the prepared database, for tests that start Odoo themselves."""
    _server(steps)
    steps.begin("Database")
    if arguments.action == "drop":
        databases.drop(arguments.name)
    elif template := os.environ.get("EASYCRM_TEST_TEMPLATE"):
        databases.clone(template, arguments.name)  # the one that the test run holds
    else:
        _clone(arguments.name, steps)
    steps.end(f"{arguments.action} {arguments.name}")
    return 0


def clean(arguments: argparse.Namespace, _steps: Steps) -> int:
    """Databases, filestores, demo mailbox, logs; with --all Odoo and the venv too."""
    demo.forget()
    try:
        postgres.ensure(Steps(1, out=open(os.devnull, "w")))  # noqa: SIM115
        for name in databases.listed("easycrm_mail_"):
            owner = databases.facts(name).get("checkout")
            if f"_{CHECKOUT}" in name or owner == str(ROOT):
                databases.drop(name)
    except Failure as failure:
        print(f"The databases stay: {failure.what}", file=sys.stderr)
    for folder in (CACHE, DATA):
        shutil.rmtree(folder, ignore_errors=True)
    if arguments.all:
        for folder in (ODOO, VENV, node.MODULES):
            shutil.rmtree(folder, ignore_errors=True)
    print("Clean: the next command starts over.")
    return 0


def _server(steps: Steps) -> postgres.Server:
    steps.begin("PostgreSQL")
    server, words = postgres.ensure(steps)
    fetch.link_addon()
    steps.end(words)
    return server


def _ready(name: str, steps: Steps) -> None:
    """The database, cloned if it is missing, with the addon as it is now."""
    steps.begin("Database")
    key = templates.addon_key()
    if not databases.exists(name):
        _clone(name, steps)
        databases.set_facts(name, addon=key)
    elif databases.facts(name).get("addon", key) != key:
        odoo.install(
            name,
            [templates.ADDON],
            LOGS / "update.log",
            what=f"The addon could not be updated in {name}"
            f" (start over: dev/database drop {name}).",
            verb="-u",
        )
        databases.set_facts(name, addon=key)
    steps.end(name)


def _clone(name: str, steps: Steps) -> None:
    with templates.addon(steps) as template:
        databases.clone(template, name)
