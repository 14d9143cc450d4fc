"""`make bench`: the figures, each on a clone of the prepared database.

A script `bench/NAME.py` runs inside a real Odoo with `env`, and adds one line of JSON a
figure to the file that EASYCRM_BENCH_RESULTS names:
`{"name", "ours", "peer", "floor", "ratio", "unit"}`. They share `bench/lib/`.
"""

import json
import os

from . import databases, odoo, templates, testing
from .console import Failure, Steps
from .paths import CACHE, LOGS, ROOT

COLUMNS = ("name", "ours", "peer", "floor", "ratio", "unit")


def run(steps: Steps, only: str) -> int:
    scripts = sorted(
        path
        for path in (ROOT / "bench").glob("*.py")
        if not path.name.startswith("_") and only in path.name
    )
    if not scripts:
        raise Failure(
            f"There is no bench/*.py {f'with {only} in its name' * bool(only)}."
        )
    databases.drop_leftovers()
    results = CACHE / "bench-results.jsonl"
    results.unlink(missing_ok=True)
    steps.total += len(scripts)
    steps.begin("Prepared databases")
    with templates.addon(steps) as template:
        steps.end("ready")
        os.environ.update(testing.plain_environment(template))
        os.environ["EASYCRM_BENCH_RESULTS"] = str(results)
        failed = 0
        for script in scripts:
            steps.begin(script.name)
            log = LOGS / f"bench-{script.stem}.log"
            with databases.temporary(template, "bench") as database:
                code = odoo.run_script(database, script, log, _Echo(steps))
            failed += bool(code)
            steps.end(f"failed, see {log}" if code else "done")
    figures = _read(results)
    _table(figures)
    if figures and not only:
        target = ROOT / "bench" / "results.json"
        target.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    return 1 if failed or not figures else 0


class _Echo:
    def __init__(self, steps: Steps):
        self.steps = steps

    def __call__(self, line: str) -> None:
        self.steps.say(f"      {line.rstrip()}")


def _read(results) -> list[dict]:
    if not results.exists():
        return []
    return [json.loads(line) for line in results.read_text().splitlines() if line]


def _table(figures: list[dict]) -> None:
    rows = [list(COLUMNS)]
    for figure in figures:
        cells = (figure.get(column) for column in COLUMNS)
        rows.append(
            [f"{cell:,.1f}" if isinstance(cell, float) else str(cell) for cell in cells]
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    print()
    for row in rows:
        print(
            "  ".join(
                cell.ljust(width) for cell, width in zip(row, widths, strict=True)
            )
        )
