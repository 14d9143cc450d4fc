"""`python -m dev COMMAND`, which the Makefile calls through `dev/go`.

Runs twice: on the Python that is there, to get Odoo and the project's own Python, and
then in that one, where the rest happens.
"""

import argparse
import importlib
import os
import signal
import sys

from . import environment, fetch, packages
from .console import Failure, Steps

BASE = packages.FOR_ODOO
# Steps of the command itself, after Debian packages, Odoo and Python environment.
COMMANDS = {
    "run": (5, [*BASE, *packages.FOR_MAILBOX]),
    "test": (4, [*BASE, *packages.FOR_MAILBOX, *packages.FOR_BROWSER]),
    "lint": (10, BASE),
    "format": (0, None),
    "pot": (2, BASE),
    "bench": (2, [*BASE, *packages.FOR_MAILBOX, *packages.FOR_BENCH]),
    "pictures": (7, [*BASE, *packages.FOR_MAILBOX, *packages.FOR_BROWSER]),
    "shell": (2, BASE),
    "script": (2, BASE),
    "database": (2, BASE),
    "clean": (0, None),
}


def main() -> int:
    arguments = _parser().parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # seen at once, also through a pipe
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    try:
        if not environment.is_active():
            _prepare(arguments)
            environment.enter(sys.argv[1:])
        commands = importlib.import_module(f"{__package__}.commands")
        command = getattr(commands, arguments.command)
        return command(arguments, _steps(arguments.command))
    except Failure as failure:
        print(f"\n\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130


def _steps(command: str) -> Steps:
    """The counter of a command; in the project's own Python three steps lie behind."""
    own, wanted = COMMANDS[command]
    before = 3 if wanted else 0
    done = before if environment.is_active() else 0
    # Scripts have the standard output for themselves.
    out = sys.stderr if command in ("shell", "script", "database") else sys.stdout
    return Steps(before + own, done, out)


def _prepare(arguments: argparse.Namespace) -> None:
    """What must be there before the project's own Python can take over."""
    wanted = COMMANDS[arguments.command][1]
    if wanted is None:
        # Setting files and tidying up need the packages of Python, but no Odoo.
        environment.ensure()
        return
    counter = _steps(arguments.command)
    counter.begin("Debian packages")
    counter.end(packages.ensure(wanted))
    counter.begin("Odoo 19")
    counter.end(fetch.ensure(counter))
    counter.begin("Python packages")
    counter.end(environment.ensure())


def _interrupt(*_signal) -> None:
    """They end a command as Ctrl-C does, with all that it started."""
    raise KeyboardInterrupt


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text} is no port (1 to 65535)")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dev/go", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="the demo, in the browser")
    run.add_argument("--port", type=_port, default=os.environ.get("PORT") or "8069")
    test = commands.add_parser("test", help="every test")
    test.add_argument("only", nargs="?", default="")
    commands.add_parser("lint", help="the gates")
    commands.add_parser("format", help="every file as the gates want it")
    commands.add_parser("pot", help="the template of translations, renewed")
    bench = commands.add_parser("bench", help="the figures")
    bench.add_argument("only", nargs="?", default="")
    pictures = commands.add_parser("pictures", help="the pictures of docs/, anew")
    pictures.add_argument("only", nargs="?", default="")
    commands.add_parser("shell", help="an Odoo shell on a scratch database")
    script = commands.add_parser("script", help="a script inside a real Odoo")
    script.add_argument("script")
    script.add_argument("database", nargs="?", default="")
    script.add_argument("arguments", nargs="*", help="sys.argv of the script")
    database = commands.add_parser("database", help="a clone of the prepared database")
    database.add_argument("action", choices=["clone", "drop"])
    database.add_argument("name")
    clean = commands.add_parser("clean", help="start over")
    clean.add_argument("--all", action="store_true", help="the downloads too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
