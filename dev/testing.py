"""`make test`: the tests inside Odoo, then those that need no Odoo of their own.

The last line is `N passed, N failed` over all of them, and the exit status is true to
it.
"""

import os
import re
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from . import databases, odoo, templates
from .console import Failure, Steps, last_lines, status
from .paths import CONF, DATA, LAUNCHER, LOGS, PYTHON, ROOT

PLAIN = ROOT / "tests" / "plain"


@dataclass
class Count:
    """How one suite ended; `failed` also counts what is no test but must not happen."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        words = f"{self.passed} passed, {self.failed} failed"
        if self.skipped:
            words += f", {len(self.skipped)} skipped"
        return f"{self.name}: {words} ({self.seconds:.0f} s)"


def run(steps: Steps, only: str) -> int:
    """Runs the suites, or what `only` names.

    `/easycrm_mail:TestX` is in Odoo; else it is a file of tests/plain, or a word for
    pytest's `-k`.
    """
    databases.drop_leftovers()
    steps.total -= bool(only)  # one of the two suites
    is_odoo_only = only.startswith(("/", ":", ".", "-"))
    counts: list[Count] = []
    steps.begin("Prepared databases")
    try:
        with templates.addon(steps) as template:
            warnings = databases.facts(template).get("warnings", [])
            steps.end(f"ready, {len(warnings)} warnings" if warnings else "ready")
            if warnings:
                print("      Installing the addon warns:", *warnings, sep="\n      ")
                counts.append(Count("installing", failed=len(warnings)))
            if not only or is_odoo_only:
                steps.begin("Tests inside Odoo")
                counts.append(_run_in_odoo(template, only, steps))
                steps.end(_verdict(counts[-1]))
            if not is_odoo_only:
                steps.begin("Tests outside Odoo")
                counts.append(_run_plain(template, only, steps))
                steps.end(_verdict(counts[-1]))
    except Failure as failure:
        # No database, no test of Odoo: that is one failure with a reason, not zero
        # tests.
        steps.end("failed")
        print(failure, file=sys.stderr)
        counts.append(Count("preparing", failed=1))
    return _summary(counts)


def _verdict(count: Count) -> str:
    return f"{count.passed} passed, {count.failed} failed"


def _summary(counts: list[Count]) -> int:
    print()
    for count in counts:
        for reason in count.skipped:
            print(f"skipped: {reason}")
    for count in counts:
        print(count)
    passed = sum(count.passed for count in counts)
    failed = sum(count.failed for count in counts)
    print(f"Logs are in {LOGS}", flush=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


# --- inside Odoo ----------------------------------------------------------------------


class OdooTests(odoo.LogReader):
    """Counts tests from Odoo's log and shows what failed as it happens.

    Odoo's own count forgets a class whose setup failed, and a test skipped for want of
    a browser looks like one that passed: both are told apart here.
    """

    _starting = re.compile(r"Starting (?P<test>\S+) \.\.\.$")
    _failed = re.compile(r"(?P<kind>FAIL|ERROR): (?P<test>.+)$")
    _skipped = re.compile(r"skipped (?P<test>\S+(?: \(.+\))?) : (?P<reason>.*)$")
    _echo = re.compile(
        r"^\d+ failed, \d+ error\(s\) of|^(Module \S+: )?\d+ failures, \d+ errors"
        r"|^At least one test failed"
    )

    def __init__(self, steps: Steps):
        super().__init__(steps)
        self.started: set[str] = set()
        self.failed: set[str] = set()
        self.skipped: dict[str, str] = {}
        self._is_showing = False

    def __call__(self, line: str) -> None:
        if not odoo._RECORD.match(line) and self._is_showing:
            self.steps.say(line.rstrip())
        super().__call__(line)

    def sort(self, record: re.Match, line: str) -> list[str] | None:
        text = line[record.end() :].rstrip()
        self._is_showing = False
        if record["level"] == "INFO":
            if found := self._starting.search(text):
                self.started.add(found["test"])
                self.steps.progress(f"{len(self.started)} {found['test']}")
            elif found := self._skipped.search(text):
                self.skipped[found["test"]] = found["reason"]
            return None
        if self._echo.search(text):
            return None
        found = self._failed.match(text) if record["level"] == "ERROR" else None
        if found:
            test = found["test"]
            if test.startswith("Subtest "):  # a failing subtest is its test's failure
                test = test.split(" ")[1]
            self.failed.add(test)
            kept = None
        else:
            kept = super().sort(record, line)
        self._is_showing = bool(found) or kept is not None
        if self._is_showing:
            self.steps.say(f"\n{text}")
        return kept

    def count(self) -> tuple[int, int]:
        passed = self.started - self.failed - set(self.skipped)
        without_browser = [
            reason
            for reason in self.skipped.values()
            if re.search("chrome|websocket", reason, re.IGNORECASE)
        ]
        faults = [*self.errors, *self.warnings, *without_browser]
        return len(passed), len(self.failed) + len(faults)


def _run_in_odoo(template: str, only: str, steps: Steps) -> Count:
    """Updates the addon in a clone (so the update is tested too) and runs its tests."""
    started = time.monotonic()
    log = LOGS / "test-odoo.log"
    reader = OdooTests(steps)
    with databases.temporary(template, "odoo") as database:
        code = odoo.call(
            [
                "server",
                "-d",
                database,
                "-u",
                templates.ADDON,
                "--test-tags",
                only or f"/{templates.ADDON}",
                "--http-port",
                str(free_port()),
                "--screenshots",
                str(LOGS / "screenshots"),
                "--stop-after-init",
            ],
            log,
            reader,
        )
    passed, failed = reader.count()
    if not reader.started and not failed:
        steps.say(f"No test ran inside Odoo.\n{last_lines(log)}")
        failed = 1
    elif code and not failed:
        steps.say(f"Odoo ended with {code} though no test failed.\n{last_lines(log)}")
        failed = 1
    skipped = [f"{test}: {reason}" for test, reason in sorted(reader.skipped.items())]
    return Count(
        "inside Odoo", passed, failed, skipped, seconds=time.monotonic() - started
    )


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


# --- outside Odoo ---------------------------------------------------------------------


def plain_environment(template: str) -> dict[str, str]:
    """What tests and benches that start Odoo themselves are told; see dev/README.md."""
    return {
        **os.environ,
        "EASYCRM_ODOO": str(LAUNCHER),
        "EASYCRM_TEST_CONF": str(CONF),
        "EASYCRM_TEST_DATA": str(DATA),
        "EASYCRM_TEST_TEMPLATE": template,
        "EASYCRM_TEST_PREFIX": f"{databases.TEMPORARY}{os.getpid()}_",
        "EASYCRM_DATABASE": str(ROOT / "dev" / "database"),
    }


def _run_plain(template: str, only: str, steps: Steps) -> Count:
    started = time.monotonic()
    count = Count("outside Odoo")
    log, report = LOGS / "test-plain.log", LOGS / "test-plain.xml"
    report.unlink(missing_ok=True)
    environment = plain_environment(template)
    command = [PYTHON, "-m", "pytest", "-q", "--color=no", f"--junit-xml={report}"]
    if only:
        path = PLAIN / only.split("::", 1)[0].removeprefix("tests/plain/")
        word = only.removeprefix("tests/plain/")
        command += [word] if path.exists() else ["-k", only]
    try:
        code = status(
            command, log, env=environment, cwd=PLAIN, on_line=_PytestOutput(steps)
        )
    finally:
        for left in databases.listed(environment["EASYCRM_TEST_PREFIX"]):
            databases.drop(left)
    _read_report(report, count)
    if not count.passed and not count.failed or code not in (0, 1):
        steps.say(f"pytest ended with {code}.\n{last_lines(log, 30)}")
        count.failed += 1
    count.seconds = time.monotonic() - started
    return count


class _PytestOutput:
    """Shows progress while all goes well, and the failures in full when not."""

    _end = re.compile(r"=+ (short test summary|warnings)|[-=]+ generated xml file")

    def __init__(self, steps: Steps):
        self.steps = steps
        self._is_showing = False

    def __call__(self, line: str) -> None:
        if re.match(r"=+ (FAILURES|ERRORS) =+", line):
            self._is_showing = True
        elif self._end.match(line):
            self._is_showing = False
        if self._is_showing:
            self.steps.say(line.rstrip())
        elif found := re.search(r"\[ *(\d+%)\]", line):
            self.steps.progress(found.group(1))


def _read_report(report: Path, count: Count) -> None:
    if not report.exists():
        return
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        number = {
            key: int(suite.get(key, 0))
            for key in ("tests", "failures", "errors", "skipped")
        }
        count.failed += number["failures"] + number["errors"]
        # A test that failed and whose teardown failed too is counted once as a test.
        count.passed += max(
            number["tests"] - number["failures"] - number["errors"] - number["skipped"],
            0,
        )
        for case in suite.iter("testcase"):
            if (skipped := case.find("skipped")) is not None:
                count.skipped.append(f"{case.get('name')}: {skipped.get('message')}")
