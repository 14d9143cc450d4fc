"""`make run`: from nothing to the browser, and everything stopped at the end."""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from .. import databases, fetch, odoo, templates
from ..console import Failure, Steps, last_lines, note
from ..paths import CHECKOUT, LAUNCHER, LOGS, ROOT
from ..postgres import Server
from .bulk import BulkSender
from .mailbox import LOGIN, Mailbox, folder
from .services import SERVICES

INSIDE = Path(__file__).parents[1] / "inside"
HOST = "127.0.0.1"
CHECK_EVERY = 60  # seconds between two looks for mail that is due


def run(
    steps: Steps,
    start_server: Callable[[Steps], Server],
    port: int,
    provider: str = "imap",
) -> int:
    if provider not in ("imap", *SERVICES):
        raise Failure(
            f"There is no demo mailbox “{provider}”.",
            todo=f"PROVIDER is one of: imap, {', '.join(SERVICES)}",
        )
    _check_port(port)
    with databases.try_lock("run") as is_alone:
        if not is_alone:
            raise Failure(
                "`make run` of this checkout is running already.",
                todo="open it in the browser, or stop it with Ctrl-C first",
            )
        with contextlib.ExitStack() as started:
            try:
                _run(steps, start_server, port, provider, started)
            except KeyboardInterrupt:
                print("\nStopping …", flush=True)
            finally:
                # A second Ctrl-C must not leave half of it running.
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return 0


def _run(
    steps: Steps,
    start_server: Callable[[Steps], Server],
    port: int,
    provider: str,
    started: contextlib.ExitStack,
) -> None:
    """Starts one after the other; `started` stops them in the opposite order."""
    server = start_server(steps)
    started.callback(_stop_server, server)
    mailbox = Mailbox() if provider == "imap" else SERVICES[provider]()
    started.callback(mailbox.stop)
    steps.begin("Demo mailbox")
    mailbox.start()
    count = mailbox.deliver_due()
    steps.end(f"{mailbox.kind} on {mailbox.address}, {count or 'no'} new mails")
    bulk = BulkSender()
    bulk.start(f"http://{HOST}:{port}")
    started.callback(bulk.stop)
    os.environ.update({**mailbox.environment, **bulk.environment})
    database = prepare(steps, mailbox, provider, bulk.account)
    steps.begin("Odoo")
    process = start_odoo(database, port)
    started.callback(end, process)
    wait_for(process, port)
    steps.end("running")
    _welcome(port, mailbox)
    _supervise(process, mailbox)


def _stop_server(server: Server) -> None:
    if word := server.stop():
        note(word)


def forget() -> None:
    """Removes the mailbox; `make clean` calls it."""
    shutil.rmtree(folder(), ignore_errors=True)


# --- the database ---------------------------------------------------------------------


def prepare(
    steps: Steps, mailbox: Mailbox, provider: str, bulk: dict | None = None
) -> str:
    """Makes the demo database, or updates it, and gives its name."""
    steps.begin("Demo database")
    kind = "" if provider == "imap" else f"_{provider}"
    name = f"easycrm_mail_demo{kind}"
    with databases.claim(name) as is_free:
        name = _pick(name, is_free)
        known = _bring_up_to_date(name, steps)
    steps.begin("Demo account")
    if known.get("mailbox") == mailbox.address:
        steps.end(LOGIN)
    else:
        steps.end(_connect(name, {**mailbox.account, "bulk": bulk}, steps))
        databases.set_facts(name, **{**known, "mailbox": mailbox.address})
    return name


def _bring_up_to_date(name: str, steps: Steps) -> dict:
    """Makes the database, or updates it, and gives what is known of it."""
    addon = templates.addon_key(without={"tests"})
    odoo_key = fetch.version_key()
    known = databases.facts(name)
    if not databases.filestore(name).exists() or known.get("odoo") != odoo_key:
        _make(name, steps)
        known = {"checkout": str(ROOT), "odoo": odoo_key, "addon": addon}
        databases.set_facts(name, **known)
        steps.end(f"{name}, new")
    elif known.get("addon") != addon:
        _update(name, steps)
        known["addon"] = addon
        databases.set_facts(name, **known)
        steps.end(f"{name}, updated to the addon as it is now")
    else:
        steps.end(name)
    return known


def _pick(name: str, is_free: bool) -> str:
    """The database's name; another one where another checkout has taken it.

    :param is_free: no other checkout is just making it
    """
    own = f"{name}_{CHECKOUT}"
    if not is_free or databases.exists(own):
        return own
    owner = databases.facts(name).get("checkout", str(ROOT))
    return own if owner != str(ROOT) and Path(owner).exists() else name


def _make(name: str, steps: Steps) -> None:
    databases.drop(name)
    what, log = "The demo database could not be made.", LOGS / "demo-database.log"
    warnings = odoo.install(
        name,
        [*templates.MODULES, templates.ADDON],
        log,
        what=what,
        steps=steps,
        options=("--with-demo",),
    )
    if warnings:  # Odoo goes on without the demo data when they fail
        raise Failure(what, why="".join(warnings), todo=f"the whole log is {log}")
    steps.progress("compiling the web client")
    odoo.run_script(name, INSIDE / "warm_up.py", LOGS / "demo-warm-up.log")


def _update(name: str, steps: Steps) -> None:
    odoo.install(
        name,
        [templates.ADDON],
        LOGS / "demo-update.log",
        what="The demo database could not be updated (`make clean` starts over).",
        steps=steps,
        verb="-u",
    )


def _connect(name: str, wanted: dict, steps: Steps) -> str:
    """Connects the account and waits for its first sync; gives a word about it."""
    log = LOGS / "demo-account.log"
    said: list[str] = []

    def listen(line: str) -> None:
        if line.startswith("> "):
            said.append(line[2:].strip())
            steps.progress(said[-1])

    code = odoo.run_script(
        name, INSIDE / "connect.py", log, listen, (json.dumps(wanted),)
    )
    if code:
        raise Failure(
            "The demo mailbox was not read to its end.",
            why=said[-1] if said else last_lines(log),
            todo=f"see {log}; `make clean` starts over",
        )
    return said[-1] if said else "connected"


# --- Odoo itself ----------------------------------------------------------------------


def start_odoo(database: str, port: int, *options: str) -> subprocess.Popen:
    log = (LOGS / "odoo.log").open("w")
    return subprocess.Popen(
        [
            LAUNCHER,
            "server",
            "-d",
            database,
            "--db-filter",
            f"^{database}$",
            "--http-port",
            str(port),
            *options,
        ],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C is ours: we stop things in order
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - there are no threads here
    )


def _die_with_parent() -> None:
    """Also where we are killed at once, Odoo ends (Linux: PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def wait_for(process: subprocess.Popen, port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/web/login", timeout=30):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise Failure(
        "Odoo did not start.",
        why=last_lines(LOGS / "odoo.log"),
        todo=f"see {LOGS / 'odoo.log'}",
    )


def _supervise(process: subprocess.Popen, mailbox: Mailbox) -> None:
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(CHECK_EVERY)
            raise Failure(
                f"Odoo ended by itself ({process.returncode}).",
                why=last_lines(LOGS / "odoo.log"),
                todo=f"see {LOGS / 'odoo.log'}",
            )
        mailbox.deliver_due()


def end(process: subprocess.Popen) -> None:
    """Odoo stops in good order at the first signal; at once at the second."""
    for _ in range(2):
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(8)
    if process.poll() is None:
        process.kill()
        process.wait()


def _welcome(port: int, mailbox: Mailbox) -> None:
    print(f"""
    Open     http://{HOST}:{port}     and sign in as admin, password admin
    Look at  Contacts → Anna Berg: her mail is on the tab Activity Timeline
             CRM → Unlinked Emails: what found no home
             Email Marketing: campaigns go out through a stand-in of SendGrid
    Others   jonas / jonas and mira / mira are salespeople
    Mailbox  {mailbox.words}
    Log      {LOGS / "odoo.log"}

    Ctrl-C stops all of it. One at a time per checkout.
""")


# --- the port -------------------------------------------------------------------------


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            return
        except PermissionError:
            raise Failure(
                f"The port {port} is kept for root.", todo="PORT=8070 make run"
            ) from None
        except OSError:
            pass
    other = 8070 if port == 8069 else port + 1
    raise Failure(
        f"The port {port} is in use by {_holder(port)}.",
        todo=f"stop that, or take another port: PORT={other} make run",
    )


def _holder(port: int) -> str:
    """Who listens there, as far as the kernel tells us."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].split(":")[1], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for file in (process / "fd").iterdir():
                if os.readlink(file) in inodes:
                    command = (process / "cmdline").read_bytes().replace(b"\0", b" ")
                    words = command.decode(errors="replace").strip()[:70]
                    return f"“{words}” (process {process.name}: kill {process.name})"
    return "another program"
