"""How Odoo is called: installing, running scripts inside it, reading its log."""

import re
from pathlib import Path

from .console import Failure, Steps, last_lines, status
from .paths import LAUNCHER, ROOT

_RECORD = re.compile(
    r"^\d{4}-\d\d-\d\d [\d:,]+ \d+ "
    r"(?P<level>[A-Z]+) (?P<database>\S+) (?P<logger>[^:]+): "
)
_LOADING = re.compile(r"Loading module (?P<module>\w+) \((?P<number>\d+/\d+)\)")


class LogReader:
    """Reads Odoo's log as it comes and keeps what must not be in it: every error, and
    every warning that our addon is the cause of.
    """

    def __init__(self, steps: Steps | None = None):
        self.steps = steps
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self._kept: list[str] | None = None

    def __call__(self, line: str) -> None:
        record = _RECORD.match(line)
        if not record:
            if self._kept:  # a traceback goes on over many lines
                self._kept[-1] += line
            return
        self._kept = self.sort(record, line)
        if self._kept is not None:
            self._kept.append(line[record.end() :])
        if self.steps and (loading := _LOADING.search(line)):
            self.steps.progress(f"{loading['number']} {loading['module']}")

    def sort(self, record: re.Match, line: str) -> list[str] | None:
        """The list that the record belongs to, if any."""
        if record["level"] in ("ERROR", "CRITICAL"):
            return self.errors
        if record["level"] == "WARNING" and self._is_ours(record, line):
            return self.warnings
        return None

    def _is_ours(self, record: re.Match, line: str) -> bool:
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
    what: str,
    steps: Steps | None = None,
    options: tuple[str, ...] = (),
    verb: str = "-i",
) -> list[str]:
    """Installs modules, or updates them with the verb `-u`; gives our warnings.

    :param what: what failed if it does, in one sentence
    :raise Failure: it ended badly, or an error is in its log
    """
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
    if reader.errors or code:
        why = "".join(reader.errors) or last_lines(log)
        raise Failure(what, why=why.strip(), todo=f"the whole log is {log}")
    return reader.warnings


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
