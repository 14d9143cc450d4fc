"""`make lint`: ruff, ruff format and pylint-odoo, on our own files only."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from .fetch import SHIPPED
from .paths import PYTHON, ROOT

OURS = ["__init__.py", "__manifest__.py", "hooks.py", "easycrm_mail", "tests", "dev"]
OURS += ["bench", "migrations"]


def run() -> int:
    """Every gate is run, also after one that failed."""
    paths = [name for name in OURS if (ROOT / name).exists()]
    concise = ["--output-format", "concise"]
    gates = {
        "ruff check": ["ruff", "check", *concise, *paths],
        "ruff format": ["ruff", "format", "--check", *concise, *paths],
        "pylint-odoo": None,
    }
    failed = []
    for name, arguments in gates.items():
        print(f"{name} … ", end="", flush=True)
        text = _ruff(arguments) if arguments else _pylint()
        if text:
            failed.append(name)
        print(f"failed\n{text}" if text else "clean", flush=True)
    print(f"Lint: {', '.join(failed)} failed" if failed else "Lint: clean")
    return 1 if failed else 0


def _ruff(arguments: list[str]) -> str:
    answer = subprocess.run(
        [PYTHON, "-m", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    return (answer.stdout + answer.stderr) if answer.returncode else ""


def _pylint() -> str:
    """pylint-odoo takes the folder's name for the module's: it gets the right one."""
    with tempfile.TemporaryDirectory(prefix="easycrm_lint_") as folder:
        addon = Path(folder) / "easycrm_mail"
        addon.mkdir()
        for name in [*SHIPPED, "bench"]:
            # Copies: pylint does not follow links.
            if (ROOT / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / name, addon / name, ignore=ignored)
            elif (ROOT / name).exists():
                shutil.copy(ROOT / name, addon / name)
        answer = subprocess.run(
            [
                PYTHON,
                "-m",
                "pylint",
                f"--rcfile={ROOT / 'pyproject.toml'}",
                "--jobs=2",
                "easycrm_mail",
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd=folder,
        )
    return (answer.stdout + answer.stderr) if answer.returncode else ""
