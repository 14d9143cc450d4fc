"""The demo mailbox: a real Dovecot on the loopback, with a folder of its own.

With `PROVIDER=gmail` or `outlook` it stands on a stand-in of that service instead.

Its mails are dated from the day it was first filled. It is never filled anew behind a
database that has read it (the same mail with another date would stand there twice); it
lives on instead: some mails are due on later days and are delivered when their time has
come. What a person puts into it stays. `make clean` starts it afresh.
"""

import contextlib
import os
import signal
import socket
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from ..console import Failure
from ..paths import CACHE, CHECKOUT, ROOT
from .mails import OWNER, due

sys.path.insert(0, str(ROOT / "tests"))
from servers.dovecot import Dovecot, DovecotError
from servers.smtp_sink import SmtpSink, into

LOGIN = OWNER.address
PASSWORD = "demo-mailbox"
PORT, SMTP_PORT = 10143, 10025
LONGEST_PATH = 75  # of a Dovecot's folder, for the Unix sockets in it


def folder() -> Path:
    """Inside the checkout, unless its path is one that Dovecot cannot take."""
    inside = CACHE / "demo-mailbox"
    has_space = any(char.isspace() for char in str(inside))
    if has_space or len(os.fsencode(inside)) > LONGEST_PATH:
        return Path(tempfile.gettempdir()) / f"easycrm_mail_{CHECKOUT}"
    return inside


class Mailbox:
    """The running server and what was delivered to it."""

    kind = "Dovecot"

    def __init__(self) -> None:
        self.root = folder()
        self._record = self.root / "delivered"
        _stop_leftover(self.root)
        users = {LOGIN: PASSWORD}
        self._server = Dovecot(self.root, users, _port(self.root, "port", PORT))
        # What is sent to the demo mailbox itself comes back to it; the rest is taken,
        # and goes nowhere.
        self._outgoing = SmtpSink(
            users,
            deliver=into(self._server),
            port=_port(self.root, "smtp-port", SMTP_PORT),
        )

    @property
    def address(self) -> str:
        own, outgoing = self._server, self._outgoing
        return f"{own.host}:{own.port}, SMTP {outgoing.host}:{outgoing.port}"

    @property
    def port(self) -> int:
        return self._server.port

    def start(self) -> None:
        try:
            self._server.start()
        except DovecotError as error:
            raise Failure(
                "The demo mailbox (Dovecot) did not start.",
                why=str(error),
                todo=f"see {self.root / 'log'}; `make clean` starts it afresh",
            ) from error
        self._outgoing.__enter__()
        (self.root / "port").write_text(str(self.port))
        (self.root / "smtp-port").write_text(str(self._outgoing.port))

    def stop(self) -> None:
        self._outgoing.__exit__()
        self._server.stop()

    @property
    def environment(self) -> dict[str, str]:
        """What Odoo has to know about it."""
        return {}

    @property
    def account(self) -> dict:
        """How the account is filled in."""
        return {
            "provider": "imap",
            "email": LOGIN,
            "imap_host": self._server.host,
            "imap_port": self.port,
            "imap_security": "none",
            "imap_login": LOGIN,
            "imap_password": PASSWORD,
            "smtp_host": self._outgoing.host,
            "smtp_port": self._outgoing.port,
            "smtp_security": "none",
        }

    @property
    def words(self) -> str:
        """What a person needs to know to reach it."""
        address = f"{self._server.host}:{self._server.port}"
        return f"IMAP {address}, {LOGIN}, password {PASSWORD}"

    def deliver_due(self) -> int:
        """Delivers what is due by now and was not delivered yet; gives how many."""
        first, *delivered = read_record(self._record)
        base = datetime.fromisoformat(first)
        new = [mail for mail in due(base) if mail.key not in delivered]
        with self._record.open("a") as record:
            for mail in new:
                self._server.deliver(
                    LOGIN,
                    mail.raw,
                    folder=mail.folder,
                    seen=mail.is_read,
                    received=mail.date,
                )
                record.write(mail.key + "\n")
                record.flush()
        return len(new)


def read_record(record: Path) -> list[str]:
    """When the mailbox was made, and the keys of the mails that it was given."""
    if not record.exists():
        now = datetime.now().astimezone().isoformat(timespec="minutes")
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(now + "\n")
    return record.read_text().split()


def _port(root: Path, name: str, usual: int) -> int:
    """The port of the last time, so that it is found again; else a free one."""
    recorded = root / name
    wanted = int(recorded.read_text()) if recorded.exists() else usual
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted


def _stop_leftover(root: Path) -> None:
    """Ends the Dovecot of a run that was killed, if it is ours beyond doubt."""
    try:
        process = int((root / "run" / "master.pid").read_text())
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except (OSError, ValueError):
        return
    if str(root / "dovecot.conf").encode() not in command.split(b"\0"):
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
        for _ in range(50):
            time.sleep(0.1)
            os.kill(process, 0)
