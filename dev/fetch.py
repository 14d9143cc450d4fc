"""Step 2: Odoo 19 itself, into `.odoo`; or the one that `ODOO_PATH` names.

There is no Odoo on PyPI; Debian's sid has the complete community edition as one
package. It is taken alone, in an apt state of its own with apt's own signature check,
and unpacked without being installed: its dependencies come from PyPI (see
`environment`).
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from .console import Failure, Steps, run
from .paths import ADDONS, CONF, DATA, LAUNCHER, LOGS, ODOO, PYTHON, ROOT
from .sources import sid_sources

PACKAGE = "odoo-19"
TESTED = "19.0.0+dfsg-1"
"""What this addon was tested with; any other 19.0 is taken with a warning."""

LIBRARY = ODOO / "usr" / "lib" / "python3" / "dist-packages"

# What the addons path shows of the repository: Odoo's own linter walks a whole module,
# and a link to the root would lead it into Odoo itself.
SHIPPED = [
    "__init__.py",
    "__manifest__.py",
    "README.md",
    "LICENSE",
    "data",
    "demo",
    "easycrm_mail",
    "hooks.py",
    "i18n",
    "migrations",
    "security",
    "static",
    "tests",
    "views",
]

# Missing in Debian's package and part of the web client's bundle. It blurs the
# background of video calls, from models that it loads from elsewhere: nothing of it is
# needed here.
BLUR = Path("mail/static/lib/selfie_segmentation/selfie_segmentation.js")


def ensure(steps: Steps) -> str:
    """Gets Odoo if it is not here; gives its version, for the eye."""
    if os.environ.get("ODOO_PATH"):
        return f"{_checked(_version(library()))}, from ODOO_PATH"
    if not (LIBRARY / "odoo" / "release.py").exists():
        _unpack(_download(steps), steps)
    _complete()
    return _checked(_version(LIBRARY))


def library() -> Path:
    """The folder that holds the package `odoo`."""
    named = os.environ.get("ODOO_PATH")
    if not named:
        return LIBRARY
    path = Path(named).expanduser().resolve()
    for folder in (path, path.parent):
        if (folder / "odoo" / "release.py").exists():
            return folder
    raise Failure(
        f"ODOO_PATH={named} holds no Odoo (no odoo/release.py in it).",
        todo="name an Odoo 19 checkout, or the folder that its package is installed in",
    )


def version_key() -> str:
    """What prepared databases depend on: another Odoo makes them anew."""
    return f"{_version(library())} {library() if os.environ.get('ODOO_PATH') else ''}"


def _version(folder: Path) -> str:
    """Debian's own version of its package, else what `release.py` says."""
    recorded = ODOO / "version"
    if folder == LIBRARY and recorded.exists():
        return recorded.read_text().strip()
    text = (folder / "odoo" / "release.py").read_text()
    found = re.search(r"version_info = \((\d+), (\d+), (\d+)", text)
    return ".".join(found.groups()) if found else "unknown"


def _checked(version: str) -> str:
    """The version, with a word if it is not the one that was tested."""
    if not version.startswith("19.0"):
        raise Failure(
            f"This Odoo is {version}; the addon is written for 19.0.",
            todo="name an Odoo 19 with ODOO_PATH=/where/it/is",
        )
    return version if version == TESTED else f"{version} (tested with {TESTED})"


def _download(steps: Steps) -> Path:
    """The package file, its signature checked by apt."""
    state = ODOO / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    log = LOGS / "odoo-fetch.log"
    elsewhere = "or name an Odoo 19 that you have with ODOO_PATH=/where/it/is"
    sources = _machine_sources(elsewhere)
    (state / "sid.sources").write_text(sources)
    options = [
        f"Dir::Etc::SourceList={state / 'sid.sources'}",
        "Dir::Etc::SourceParts=/dev/null",
        f"Dir::State={state}",
        f"Dir::State::Lists={state / 'lists'}",
        "Dir::State::Status=/dev/null",
        f"Dir::Cache={state / 'cache'}",
        "Acquire::Languages=none",
    ]
    apt = ["apt-get", *(part for option in options for part in ("-o", option))]
    steps.progress("asking Debian")
    # One entry that has no sid must not stop the others: the download is what counts.
    subprocess.run([*apt, "update"], check=False, capture_output=True)
    steps.progress("fetching 120 MB")
    run(
        [*apt, "download", PACKAGE],
        log,
        what=f"Debian's {PACKAGE} could not be fetched.",
        todo=f"see {log}: is the network there? {elsewhere}",
        cwd=state,
    )
    return max(state.glob(f"{PACKAGE}_*.deb"), key=lambda path: path.stat().st_mtime)


def _machine_sources(elsewhere: str) -> str:
    release = Path("/etc/os-release")
    facts = dict(
        line.split("=", 1)
        for line in (release.read_text() if release.exists() else "").splitlines()
        if "=" in line
    )
    if facts.get("ID", "").strip('"') != "debian":
        raise Failure(
            "Odoo 19 is fetched from Debian's archive, and this is no Debian.",
            todo=f"use Debian 12 or 13, {elsewhere}",
        )
    sources = sid_sources(codename=facts.get("VERSION_CODENAME", "").strip('"'))
    if not sources:
        raise Failure(
            "No entry for Debian's main archive was found in /etc/apt.",
            todo=f"add the usual one to /etc/apt/sources.list.d, {elsewhere}",
        )
    return sources


def _unpack(package: Path, steps: Steps) -> None:
    """Unpacks beside, then moves: a run that is killed leaves nothing half."""
    steps.progress("unpacking")
    beside = ODOO / "unpacking"
    shutil.rmtree(beside, ignore_errors=True)
    run(
        ["dpkg-deb", "-x", package, beside],
        LOGS / "odoo-unpack.log",
        what=f"{package.name} could not be unpacked.",
        todo="is there 1.5 GB of room? Remove .odoo and try again",
    )
    shutil.rmtree(ODOO / "usr", ignore_errors=True)
    (beside / "usr").rename(ODOO / "usr")
    shutil.rmtree(beside)
    (ODOO / "version").write_text(package.name.split("_")[1] + "\n")
    package.unlink()


def _complete() -> None:
    """Puts back what Debian's package only points at, or lacks."""
    share = ODOO / "usr" / "share"
    for name in ("fonts", "fonts-font-awesome", "javascript"):
        link = share / name
        if not link.exists() and not link.is_symlink():
            link.symlink_to(Path("/usr/share") / name)
    blur = LIBRARY / "odoo" / "addons" / BLUR
    if not blur.exists():
        blur.parent.mkdir(parents=True, exist_ok=True)
        blur.write_text("// Not in Debian's package, and not needed here.\n")


def link_addon() -> None:
    """Makes the addons path, the launcher and the configuration; done each time."""
    _link_shipped(ADDONS / "easycrm_mail")
    LAUNCHER.parent.mkdir(parents=True, exist_ok=True)
    # Not `python -m odoo`: that would put the current folder on the path of Python.
    start = LAUNCHER.parent / "start.py"
    _write(start, "import odoo.cli\n\nodoo.cli.main()\n")
    _write(
        LAUNCHER,
        "#!/bin/sh\n"
        "# Odoo with this checkout's Python, configuration and addon.\n"
        f'export PYTHONPATH="{library()}" ODOO_RC="{CONF}"\n'
        f'exec "{PYTHON}" "{start}" "$@"\n',
    )
    LAUNCHER.chmod(0o755)
    DATA.mkdir(parents=True, exist_ok=True)
    _write(CONF, _configuration())


def _link_shipped(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {name for name in SHIPPED if (ROOT / name).exists()}
    for entry in folder.iterdir():
        if entry.is_symlink() and entry.name not in wanted:
            entry.unlink()
    for name in wanted:
        link = folder / name
        target = Path("../../..") / name
        if not link.is_symlink() or Path(os.readlink(link)) != target:
            link.unlink(missing_ok=True)
            link.symlink_to(target)


def _configuration() -> str:
    return "\n".join(
        [
            "[options]",
            f"addons_path = {ADDONS}",
            f"data_dir = {DATA}",
            "http_interface = 127.0.0.1",
            "list_db = False",
            "max_cron_threads = 1",
            "workers = 0",
            "; Nothing leaves this machine: no mail (demo leads have addresses of",
            "; strangers), no report to Odoo's publisher.",
            "smtp_server = 127.0.0.1",
            "smtp_port = 1",
            "publisher_warranty_url = http://127.0.0.1:1/",
            "",
        ]
    )


def _write(path: Path, text: str) -> None:
    """Writes only what changed, in one move: others may be reading it."""
    if path.exists() and path.read_text() == text:
        return
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_text(text)
    beside.replace(path)
