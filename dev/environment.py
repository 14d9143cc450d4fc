"""Step 3: the project's own Python in `.venv`, with pinned requirements."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from .console import run
from .paths import LOGS, PYTHON, ROOT, VENV

PINS = ROOT / "dev" / "requirements.txt"
STAMP = VENV / "installed"
"""What was installed last; another one, or none, installs again."""


def is_active() -> bool:
    return Path(sys.prefix).resolve() == VENV.resolve()


def ensure() -> str:
    wanted = _wanted()
    if STAMP.exists() and STAMP.read_text() == wanted and PYTHON.exists():
        return "there"
    if not _works():
        run(
            [sys.executable, "-m", "venv", "--clear", VENV],
            LOGS / "venv.log",
            what="The Python environment could not be made.",
            todo=f"remove {VENV} and try again",
        )
    STAMP.unlink(missing_ok=True)
    run(
        [
            PYTHON,
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-input",
            "--progress-bar=off",
            "-r",
            PINS,
        ],
        LOGS / "pip.log",
        what="The Python packages could not be installed.",
        todo=f"see {LOGS / 'pip.log'}: is the package index reachable?",
    )
    STAMP.write_text(wanted)
    return "ready"


def enter(arguments: list[str]) -> None:
    """Goes on in the project's own Python; does not return."""
    os.chdir(ROOT)
    os.execv(PYTHON, [str(PYTHON), "-m", "dev", *arguments])


def _wanted() -> str:
    """An environment does not survive a move, hence its place in it."""
    pins = hashlib.sha256(PINS.read_bytes()).hexdigest()
    return f"{pins}\n{VENV}\n"


def _works() -> bool:
    """Whether the environment there can be used and stands where it was made."""
    if not PYTHON.exists():
        return False
    answer = subprocess.run(
        [PYTHON, "-c", "import pip, sys; print(sys.prefix)"],
        check=False,
        capture_output=True,
        text=True,
    )
    return answer.stdout.strip() == str(VENV)
