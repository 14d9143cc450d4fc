"""Step 1: the Debian packages that pip cannot bring."""

import os
import shutil
import subprocess
from pathlib import Path

from .console import Failure, run
from .paths import LOGS

# The fonts and jQuery that Debian took out of its Odoo package; `file` brings libmagic.
FOR_ODOO = [
    "file",
    "fonts-font-awesome",
    "fonts-roboto-unhinted",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
]
FOR_MAILBOX = ["dovecot-imapd"]
FOR_BENCH = ["isync"]
FOR_BROWSER = ["chromium", "fonts-noto-cjk"]
FOR_DATABASE = ["postgresql"]

#: How long another apt is waited for.
LOCK_SECONDS = 300


def ensure(wanted: list[str]) -> str:
    """Installs those of the packages that are missing; gives a word about it.

    :raise Failure: apt could not, or this is no Debian
    """
    if not shutil.which("dpkg-query"):
        return _ensure_commands(wanted)
    wanted = [*wanted, *_database_server()]
    there = _installed(wanted)
    missing = [name for name in wanted if name not in there]
    if not missing:
        return f"{len(wanted)} there"
    log = LOGS / "apt.log"
    todo = f"see {log}, or install them yourself: apt-get install {' '.join(missing)}"
    # A source that cannot be reached must not stop what the others have.
    subprocess.run(
        as_root(["apt-get", "update", "-qq"]), check=False, capture_output=True
    )
    with _NoNewServices(missing):
        run(
            as_root(
                [
                    "env",
                    "DEBIAN_FRONTEND=noninteractive",
                    "apt-get",
                    # (a fresh machine may be at its own updates)
                    f"-oDPkg::Lock::Timeout={LOCK_SECONDS}",
                    "install",
                    "-y",
                    "--no-install-recommends",
                    *missing,
                ]
            ),
            log,
            what=f"The Debian packages {', '.join(missing)} could not be installed.",
            todo=todo,
        )
    return f"installed {', '.join(missing)}"


def as_root(command: list[str]) -> list[str]:
    """The command as the administrator runs it.

    :raise Failure: neither root nor sudo
    """
    if os.geteuid() == 0:
        return command
    if not shutil.which("sudo"):
        raise Failure(
            f"`{' '.join(command)}` needs root, and there is no sudo here.",
            todo="run it as root, then start again",
        )
    return ["sudo", *command]


def _installed(names: list[str]) -> set[str]:
    answer = subprocess.run(
        ["dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\n", *names],
        check=False,
        capture_output=True,
        text=True,
    )
    rows = (line.split() for line in answer.stdout.splitlines())
    return {name for name, status in rows if status == "installed"}


def _database_server() -> list[str]:
    """PostgreSQL, unless the environment names one or one runs here already."""
    if os.environ.get("PGHOST") or os.environ.get("PGSERVICE"):
        return []
    if Path("/var/run/postgresql/.s.PGSQL.5432").exists():
        return []
    return FOR_DATABASE


def _ensure_commands(wanted: list[str]) -> str:
    """Elsewhere than on Debian nothing is installed, but said."""
    commands = {
        "dovecot-imapd": "dovecot",
        "chromium": "chromium",
        "isync": "mbsync",
    }
    missing = [
        name
        for name in wanted
        if name in commands and not shutil.which(commands[name], path=_wide_path())
    ]
    if missing:
        raise Failure(
            f"Not a Debian machine, and these are missing: {', '.join(missing)}.",
            todo="install them (and PostgreSQL) with this system's own packages",
        )
    return "not Debian: taken as they are"


def _wide_path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"


class _NoNewServices:
    """Keeps apt from starting a public mail server that nobody asked for.

    Debian starts every service that it installs: Dovecot would answer on all
    interfaces. Ours is started by hand, on the loopback, with its own configuration.
    """

    policy = Path("/usr/sbin/policy-rc.d")

    def __init__(self, packages: list[str]):
        self.is_needed = (
            "dovecot-imapd" in packages
            and not _installed(["dovecot-core"])
            and not self.policy.exists()
        )

    def _sh(self, script: str) -> None:
        subprocess.run(as_root(["sh", "-c", script]), check=False, capture_output=True)

    def __enter__(self) -> None:
        if self.is_needed:
            # 101 is "forbidden by policy"; every other service starts as usual.
            self._sh(
                f"printf '#!/bin/sh\\ncase $1 in dovecot*) exit 101;; esac\\n'"
                f" > {self.policy} && chmod 755 {self.policy}"
            )

    def __exit__(self, *_exc) -> None:
        if self.is_needed:
            self._sh(f"rm -f {self.policy}")
            if Path("/run/systemd/system").exists():
                self._sh("systemctl disable --now dovecot.service dovecot.socket")
