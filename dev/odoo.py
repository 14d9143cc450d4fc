"""How Odoo is called: installing, running scripts inside it, reading its log."""

import re
from pathlib import Path

from .console import Steps, last_lines, status
from .paths import LAUNCHER, ROOT

_RECORD = re.compile(
    r"^\d{4}-\d\d-\d\d [\d:,]+ \d+ "
    r"(?P<level>[A-Z]+) (?P<database>\S+) (?P<logger>[^:]+): "
)
_LOADING = re.compile(r"Loading module (?P<module>\w+) \((?P<number>\d+/\d+)\)")


class LogReader:
    """Reads Odoo's log as it comes and keeps what must not be in it.

    Odoo logs a failing test as an ERROR too: those are told apart by `Tests` in
    `testing`.
    """

    def __init__(self, steps: Steps | None = None):
        self.steps = steps
        self.faults: list[str] = []
        self._collecting = False

    def __call__(self, line: str) -> None:
        record = _RECORD.match(line)
        if not record:
            if self._collecting:
                self.faults[-1] += line
            return
        self._collecting = self.is_fault(record, line)
        if self._collecting:
            self.faults.append(line)
        if self.steps and (loading := _LOADING.search(line)):
            self.steps.progress(f"{loading['number']} {loading['module']}")

    def is_fault(self, record: re.Match, line: str) -> bool:
        """Any error, and every warning that our addon is the cause of."""
        if record["level"] in ("ERROR", "CRITICAL"):
            return True
        if record["level"] != "WARNING":
            return False
        # The database and the checkout may be named after the addon too.
        text = line[record.end() :]
        for name in (record["database"], str(ROOT)):
            text = text.replace(name, "")
        return "easycrm" in record["logger"] or "easycrm" in text


def call(
    arguments: list[str], log: Path, reader: LogReader | None = None, stdin: str = ""
) -> int:
    return status([LAUNCHER, *arguments], log, on_line=reader, stdin=stdin)


def install(
    database: str,
    modules: list[str],
    log: Path,
    steps: Steps | None = None,
    options: tuple[str, ...] = (),
    verb: str = "-i",
) -> str:
    """Installs (with `-u` updates) modules; gives what went wrong, or nothing."""
    reader = LogReader(steps)
    code = call(
        [
            "server",
            "-d",
            database,
            verb,
            ",".join(modules),
            "--stop-after-init",
            "--no-http",
            *options,
        ],
        log,
        reader,
    )
    if reader.faults:
        return "".join(reader.faults)
    return last_lines(log) if code else ""


def run_script(
    database: str,
    script: Path,
    log: Path,
    on_line=None,
    arguments: tuple[str, ...] = (),
) -> int:
    """Runs a script with `env` inside a real Odoo; it commits only if it says so."""
    return status(
        shell_command(database), log, on_line=on_line, stdin=loader(script, arguments)
    )


def shell_command(database: str) -> list[str]:
    return [str(LAUNCHER), "shell", "-d", database, "--no-http", "--log-level=warn"]


def loader(script: Path, arguments: tuple[str, ...] = ()) -> str:
    """What Odoo's shell reads: the script by its name, for its tracebacks."""
    return (
        f"import sys; sys.argv = {[str(script), *arguments]!r}\n"
        f"__file__ = {str(script)!r}\n"
        f"exec(compile(open(__file__, encoding='utf-8').read(), __file__, 'exec'))\n"
    )
