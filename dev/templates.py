"""Prepared databases, cloned instead of installed: with the modules that we depend on
(`base`), and with our addon too (`addon`).

Their names carry a key of what they are made from, so that a change makes a new one
beside the old, which a test run may still be cloning; the old one goes when nobody
holds it.
"""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from . import fetch, odoo
from .console import Failure, Steps, last_lines
from .databases import (
    clone,
    close,
    drop,
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

    What its install warned of is among its facts.

    :raise Failure: it does not install, or an error is in the log
    """
    key = digest(fetch.version_key(), *MODULES, addon_key(without=_NOT_INSTALLED))
    with _prepared("addon", key, steps, _install_addon) as name:
        yield name


def _prefix(kind: str) -> str:
    return f"easycrm_mail_{kind}_{CHECKOUT}_"


@contextmanager
def _prepared(kind: str, key: str, steps: Steps, make) -> Iterator[str]:
    name = _prefix(kind) + key
    with ExitStack() as held:
        with lock(f"prepare_{kind}"):
            if not _is_ready(name):
                _make(name, steps, make)
            _drop_old(kind, name)
            held.enter_context(lock(name, shared=True))
        yield name


def _is_ready(name: str) -> bool:
    return bool(facts(name).get("ready")) and filestore(name).exists()


def _make(name: str, steps: Steps, make) -> None:
    """Makes it whole or not at all: that it is ready is written last."""
    drop(name)
    try:
        warnings = make(name, steps)
        _warm_up(name, steps, warnings)
    except BaseException:
        drop(name)
        raise
    filestore(name).mkdir(parents=True, exist_ok=True)
    close(name)
    set_facts(name, ready=True, warnings=warnings)


def _drop_old(kind: str, current: str) -> None:
    for name in listed(_prefix(kind)):
        if name != current:
            with try_lock(name) as is_free:
                if is_free:
                    drop(name)


def _install_base(name: str, steps: Steps) -> list[str]:
    return odoo.install(
        name,
        MODULES,
        LOGS / "prepare-base.log",
        what="Odoo could not be installed in a new database.",
        steps=steps,
    )


def _install_addon(name: str, steps: Steps) -> list[str]:
    with base(steps) as source:
        clone(source, name)
    steps.progress("installing easycrm_mail")
    return odoo.install(
        name,
        [ADDON],
        LOGS / "prepare-addon.log",
        what="The addon does not install.",
        steps=steps,
    )


def _warm_up(name: str, steps: Steps, warnings: list[str]) -> None:
    """Compiles the web client's bundles, which the first page would wait for."""
    steps.progress("compiling the web client")
    log = LOGS / "warm-up.log"
    reader = odoo.LogReader()
    if odoo.run_script(name, _WARM_UP, log, reader) or reader.errors:
        raise Failure("The web client's bundles do not compile.", last_lines(log))
    warnings += sorted(set(reader.warnings))
