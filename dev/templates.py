"""Prepared databases, cloned instead of installed: with the modules that we depend on
(`base`), and with our addon too (`addon`).

Their names carry a key of what they are made from, so that a change makes a new one
beside the old, which a test run may still be cloning; the old one goes when nobody
holds it.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import fetch, odoo
from .console import Failure, Steps
from .databases import (
    clone,
    close,
    drop,
    exists,
    facts,
    filestore,
    listed,
    lock,
    set_facts,
    try_lock,
)
from .paths import CHECKOUT, LOGS, ROOT

ADDON = "easycrm_mail"
MODULES = ["crm", "mass_mailing", "mass_mailing_crm", "contacts"]

# Its content does not change what is in a prepared database.
_NOT_INSTALLED = {"tests", "demo", "README.md", "LICENSE"}

# The first page of the web client compiles its bundles for half a minute: once is
# enough.
_WARM_UP = Path(__file__).with_name("inside") / "warm_up.py"


def digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:10]


def addon_key(without: set[str] = frozenset()) -> str:
    """Changes with the addon's shipped files."""
    summary = hashlib.sha256()
    for name in sorted(set(fetch.SHIPPED) - without):
        path = ROOT / name
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                summary.update(str(file.relative_to(ROOT)).encode() + b"\0")
                summary.update(hashlib.sha256(file.read_bytes()).digest())
    return summary.hexdigest()


@contextmanager
def base(steps: Steps) -> Iterator[str]:
    """The database with the modules that we depend on, held for a block."""
    key = digest(fetch.version_key(), *MODULES)
    with _prepared("base", key, steps, _install_base) as name:
        yield name


@contextmanager
def addon(steps: Steps) -> Iterator[str]:
    """The database with our addon installed, held for a block.

    :raise Failure: the install fails, or its log holds an error or a warning of ours
    """
    key = digest(fetch.version_key(), *MODULES, addon_key(without=_NOT_INSTALLED))
    with _prepared("addon", key, steps, _install_addon) as name:
        yield name


def drop_all() -> None:
    for kind in ("base", "addon"):
        for name in listed(_prefix(kind)):
            drop(name)


def _prefix(kind: str) -> str:
    return f"easycrm_mail_{kind}_{CHECKOUT}_"


@contextmanager
def _prepared(kind: str, key: str, steps: Steps, make) -> Iterator[str]:
    name = _prefix(kind) + key
    with lock(f"prepare_{kind}"):
        if not _is_ready(name):
            # Made under another name and renamed by nobody: the comment, written last,
            # is what says that it is whole.
            make(name, steps)
        _drop_old(kind, name)
        held = lock(name, shared=True)
        held.__enter__()
    try:
        yield name
    finally:
        held.__exit__(None, None, None)


def _is_ready(name: str) -> bool:
    return exists(name) and bool(facts(name).get("ready")) and filestore(name).exists()


def _drop_old(kind: str, current: str) -> None:
    for name in listed(_prefix(kind)):
        if name != current:
            with try_lock(name) as is_free:
                if is_free:
                    drop(name)


def _install_base(name: str, steps: Steps) -> None:
    drop(name)
    log = LOGS / "prepare-base.log"
    fault = odoo.install(name, MODULES, log, steps)
    if fault:
        drop(name)
        raise Failure(
            "Odoo could not be installed in a new database.",
            why=fault,
            todo=f"see {log}",
        )
    _finish(name)


def _install_addon(name: str, steps: Steps) -> None:
    log = LOGS / "prepare-addon.log"
    with base(steps) as source:
        clone(source, name)
    steps.progress("installing easycrm_mail")
    fault = odoo.install(name, [ADDON], log, steps)
    if not fault and odoo.run_script(name, _WARM_UP, LOGS / "warm-up.log"):
        fault = (LOGS / "warm-up.log").read_text()
    if fault:
        drop(name)
        raise Failure(
            "The addon does not install cleanly.",
            why=fault,
            todo=f"mend what the log says; all of it is in {log}",
        )
    _finish(name)


def _finish(name: str) -> None:
    filestore(name).mkdir(parents=True, exist_ok=True)
    close(name)
    set_facts(name, ready=True)
