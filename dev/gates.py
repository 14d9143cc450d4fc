"""`make lint`: the gates, on our own files only.

A gate takes the root of a checkout and gives what it found: nothing is clean. Most read
files alone; those of `inside` look at the addon in a real Odoo.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import databases, node, odoo, templates
from .console import Failure, Steps, last_lines
from .fetch import SHIPPED
from .paths import LAUNCHER, LINT, LOGS, PYTHON, ROOT

PYTHON_FILES = ["__init__.py", "__manifest__.py", "hooks.py", "easycrm_mail", "tests"]
PYTHON_FILES += ["dev", "bench", "migrations"]
PRETTY = ["static/**/*.{js,scss,xml}", "{data,demo,security,views}/*.xml"]
PRETTY += ["dev/lint/*.mjs", "!static/lib/**"]
INSIDE = Path(__file__).with_name("inside") / "gates.py"


def run(steps: Steps, server: Callable[[Steps], object]) -> int:
    """Every gate is run, also after one that failed."""
    steps.begin("Node")
    steps.end(node.ensure())
    failed = []
    for name, gate in GATES.items():
        steps.begin(name)
        failed += _judge(steps, {name: gate(ROOT)})
    server(steps)
    steps.begin("Prepared databases")
    with templates.addon(steps) as template:
        steps.end("ready")
        steps.begin("Odoo's test_lint, template of translations")
        with databases.temporary(template, "lint") as database:
            failed += _judge(steps, inside(ROOT, database))
    print(f"Lint: {', '.join(failed)} failed" if failed else "Lint: clean")
    return 1 if failed else 0


def _judge(steps: Steps, found: dict[str, str]) -> list[str]:
    """Shows what gates found, and gives the names of those that found something."""
    failed = [name for name, text in found.items() if text]
    for name in failed:
        steps.say(found[name].rstrip())
        if name in ("ruff format", "prettier"):
            steps.say("To mend it: make format")
    steps.end(f"{', '.join(failed)} failed" if failed else "clean")
    return failed


def write_formats() -> None:
    """Sets Python, JavaScript, SCSS and XML as the gates want them."""
    node.ensure()
    for command in (
        ["ruff", "check", "--fix", "--exit-zero"],
        ["ruff", "format"],
    ):
        _call([PYTHON, "-m", *command, *_there(ROOT)], ROOT)
    _call(_prettier("--write"), ROOT, env=node.environment())


def write_template(database: str) -> None:
    """Renews the template of translations."""
    target = ROOT / "i18n" / "easycrm_mail.pot"
    _run_inside(ROOT, database, "", str(target))


# --- on files -------------------------------------------------------------------------


def _ruff_check(root: Path) -> str:
    command = ["ruff", "check", "--output-format", "concise"]
    return _call([PYTHON, "-m", *command, *_there(root)], root)


def _ruff_format(root: Path) -> str:
    command = ["ruff", "format", "--check", "--output-format", "concise"]
    return _call([PYTHON, "-m", *command, *_there(root)], root)


def _there(root: Path) -> list[str]:
    return [name for name in PYTHON_FILES if (root / name).exists()]


def _pylint(root: Path = ROOT) -> str:
    """pylint-odoo takes the folder's name for the module's: it gets the right one."""
    with exported(root, "bench") as addon:
        rules = f"--rcfile={root / 'pyproject.toml'}"
        command = ["pylint", rules, "--jobs=2", addon.name]
        return _call([PYTHON, "-m", *command], addon.parent)


def _eslint(root: Path) -> str:
    command = ["eslint", "--config", LINT / "eslint.config.mjs", "--max-warnings=0"]
    return _call([*command, "static"], root, env=node.environment())


def _prettier_check(root: Path) -> str:
    return _call(_prettier("--check"), root, env=node.environment())


def _prettier(verb: str) -> list[str]:
    config = LINT / "prettier.config.mjs"
    options = ["--no-editorconfig", "--ignore-path=/dev/null", "--log-level=warn"]
    options.append("--no-error-on-unmatched-pattern")
    return ["prettier", verb, f"--config={config}", *options, *PRETTY]


def _oca(root: Path) -> str:
    """OCA's hooks find nothing in an addon at the root of a repository: they get a
    copy in a folder.
    """
    found = ""
    bin_folder = PYTHON.parent
    with exported(root) as addon:
        config = f"--config={LINT / 'oca_hooks.cfg'}"
        module = [bin_folder / "oca-checks-odoo-module", config, addon.name]
        found += _call(module, addon.parent)
        files = sorted(addon.glob("i18n/*.po*"))
        found += _call([bin_folder / "oca-checks-po", config, *files], addon.parent)
    return found


GATES: dict[str, Callable[[Path], str]] = {
    "ruff check": _ruff_check,
    "ruff format": _ruff_format,
    "pylint-odoo": _pylint,
    "eslint": _eslint,
    "prettier": _prettier_check,
    "OCA's hooks": _oca,
}


def _call(command: Sequence[str | Path], folder: Path, env=None) -> str:
    """What a tool says if it ends badly; its ways into a copy are left out."""
    answer = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=folder, env=env
    )
    text = (answer.stdout + answer.stderr).replace(f"{folder}/", "")
    return (text or f"{command[0]} failed") if answer.returncode else ""


@contextmanager
def exported(root: Path, *more: str, without: str = "") -> Iterator[Path]:
    """A copy of the shipped files in a folder of the addon's name: copies, for these
    tools do not follow links.
    """
    ignored = shutil.ignore_patterns("__pycache__", *[without] * bool(without))
    with tempfile.TemporaryDirectory(prefix="easycrm_lint_") as folder:
        addon = Path(folder) / "easycrm_mail"
        addon.mkdir()
        for name in [*SHIPPED, *more]:
            if (root / name).is_dir():
                shutil.copytree(root / name, addon / name, ignore=ignored)
            elif (root / name).exists():
                shutil.copy(root / name, addon / name)
        yield addon


# --- inside Odoo ----------------------------------------------------------------------


def inside(root: Path, database: str) -> dict[str, str]:
    """Runs Odoo's test_lint and compares the template of translations.

    :param database: has the addon installed as it is at that root
    """
    with tempfile.NamedTemporaryFile(prefix="easycrm_lint_") as report:
        _run_inside(root, database, report.name)
        return json.load(report)


def _run_inside(root: Path, database: str, *arguments: str) -> None:
    # test_lint wants every test file imported by `tests`: those of pytest are not
    # Odoo's to run.
    with exported(root, without="plain") as addon:
        launcher = os.environ.get("EASYCRM_ODOO", str(LAUNCHER))
        command = [launcher, *odoo.shell_command(database)[1:]]
        command.append(f"--addons-path={addon.parent}")
        # eslint in its old mode, in which test_lint calls it.
        env = {**node.environment(), "ESLINT_USE_FLAT_CONFIG": "false"}
        env["EASYCRM_PYLINTRC"] = str(LINT / "odoo.pylintrc")
        env["PATH"] = f"{PYTHON.parent}{os.pathsep}{env['PATH']}"
        log = LOGS / "lint-odoo.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as output:
            code = subprocess.run(
                command,
                check=False,
                input=odoo.loader(INSIDE, arguments),
                text=True,
                stdout=output,
                stderr=output,
                env=env,
            ).returncode
        if code:
            raise Failure("The gates inside Odoo did not run.", last_lines(log))
