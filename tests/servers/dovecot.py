"""A real IMAP server for tests and the demo: Dovecot on a free loopback port.

Everything it needs and everything it writes stays under one directory, it needs no
other package than the standard library, and it runs as root and as an ordinary user::

    with Dovecot(root, {"anna@example.com": "secret"}) as server:
        key = server.deliver("anna@example.com", raw)
        connect(server.host, server.port)

In the foreground, until it is killed::

    PYTHONPATH=tests python -m servers.dovecot DIR --port 10143 --user anna=secret

Mail is put straight into the Maildirs, as a delivery agent would (`dovecot_maildirs`).
Works with Dovecot 2.3 and 2.4 (Debian: `dovecot-imapd`).
"""

import argparse
import atexit
import base64
import contextlib
import ctypes
import grp
import imaplib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from .dovecot_config import configuration, token_configuration
from .dovecot_maildirs import FOLDERS, DovecotError, Maildirs

HOST = "127.0.0.1"
START_TIMEOUT = 60
STOP_TIMEOUT = 2
# RFC 7628, 3.1
NO_TOKEN = b"n,a=nobody@example.org,\1auth=Bearer none\1\1"
# A Unix socket's path has 108 bytes at most; Dovecot's longest name under run/ is 30.
LONGEST_ROOT = 75

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Dovecot(Maildirs):
    """One Dovecot, its users and their mail.

    :param root: a directory of its own; created if missing, kept when stopped. As
        root, Dovecot runs as `nobody` (it gives root no mail), so the directories
        above are opened for passing through (`o+x`, nothing else).
    :param users: login -> password; any characters, but no "/" or ":" in a login
    :param port: where to listen; 0 takes a free one
    :param capabilities_off: capabilities not announced, say `CONDSTORE`
    :param tls: (certificate chain, key) as PEM files: STARTTLS on `port`, and TLS from
        the first byte on `tls_port`
    :param folders: folder -> special use (empty for none); all exist from the start
    :param mechanisms: what one may sign in with
    :param tokens: the address that says whose an access token is, by RFC 7662
    """

    host = HOST

    def __init__(
        self,
        root: Path,
        users: Mapping[str, str],
        port: int = 0,
        capabilities_off: Iterable[str] = (),
        tls: tuple | None = None,
        folders: Mapping[str, str] | None = None,
        mechanisms: Iterable[str] = ("plain", "login"),
        tokens: str = "",
    ):
        super().__init__(
            Path(root).absolute(), dict(FOLDERS if folders is None else folders)
        )
        self.users = dict(users)
        self.port = port
        self.tls_port = 0
        self.capabilities_off = frozenset(capabilities_off)
        self.tls = tls
        self.mechanisms = tuple(mechanisms)
        self.tokens = tokens
        self._wanted_port = port
        self._process: subprocess.Popen | None = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_exc) -> None:
        self.stop()

    # -- running ---------------------------------------------------------------------

    def start(self) -> None:
        """Returns when the server answers. `DovecotError` where it cannot."""
        if self._process:
            return
        binary = _binary("dovecot")
        version = _version(binary)
        self._prepare()
        # A free port can be taken by another process before Dovecot binds it.
        for attempt in range(3):
            self._write_config(version)
            self._process = subprocess.Popen(
                [binary, "-F", "-c", str(self.root / "dovecot.conf")],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=(self.root / "stderr").open("wb"),
                start_new_session=True,
                preexec_fn=_die_with_parent if _is_alone() else None,  # noqa: PLW1509
                **self._identity(),
            )
            atexit.register(self.kill)
            try:
                self._await_greeting()
                self._await_token_sign_in()
            except DovecotError:
                self.kill()
                if self._wanted_port or attempt == 2:
                    raise
            except BaseException:
                self.kill()
                raise
            else:
                return

    def stop(self) -> None:
        """Ends Dovecot in good order; does nothing where it does not run."""
        if self._process:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_TIMEOUT)
        self.kill()

    def kill(self) -> None:
        """Ends every process at once, as a crash would: open connections are cut."""
        if not self._process:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        # The others hold the port for as long as they take to die.
        deadline = time.monotonic() + 1
        with contextlib.suppress(OSError):
            while time.monotonic() < deadline:
                socket.create_connection((self.host, self.port), 1).close()
                time.sleep(0.002)
        self._process = None
        atexit.unregister(self.kill)

    def restart(self) -> None:
        """Stops and starts again on the same port."""
        self.stop()
        self._wanted_port = self.port
        self.start()

    def set_password(self, user: str, password: str) -> None:
        """Holds from the next login on."""
        self.users[user] = password
        self._write_password(user)

    def add_user(self, user: str, password: str) -> None:
        """One more user, with empty folders."""
        self._create_user(user)
        self.set_password(user, password)

    def set_capabilities_off(self, capabilities: Iterable[str]) -> None:
        """Announces other capabilities from the next connection on."""
        self.capabilities_off = frozenset(capabilities)
        self.restart()

    def recreate(self, user: str, folder: str = "INBOX") -> None:
        """Gives a folder a new UIDVALIDITY, and cuts the user's connections."""
        self._disconnect(user)
        return super().recreate(user, folder)

    def log(self) -> str:
        """What Dovecot wrote to its log."""
        path = self.root / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    # -- inside ----------------------------------------------------------------------

    def _disconnect(self, user: str) -> None:
        """Kills the user's sessions; a dying one would write what it remembers."""
        if not self._process:
            return
        command = [
            _binary("doveadm"),
            "-c",
            str(self.root / "dovecot.conf"),
            "who",
            user,
        ]
        said = subprocess.run(
            command,
            capture_output=True,
            check=False,
            text=True,
            timeout=START_TIMEOUT,
            **self._identity(),
        )
        # username  number  proto  (pids)  (ips)
        for line in said.stdout.splitlines()[1:]:
            for pid in re.search(r"\(([\d ]*)\)", line)[1].split():
                with contextlib.suppress(ProcessLookupError):
                    for _ in range(1_000):
                        os.kill(int(pid), signal.SIGKILL)
                        time.sleep(0.002)

    def _identity(self) -> dict:
        if os.geteuid():
            return {}
        account = self._account
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def _prepare(self) -> None:
        if len(os.fsencode(self.root)) > LONGEST_ROOT:
            raise DovecotError(f"{self.root} is too long a path for Unix sockets")
        for name in ("", "run", "state", "mail", "passwords"):
            self._make_directory(self.root / name)
        if not os.geteuid():
            for parent in self.root.parents:
                if not parent.stat().st_mode & 0o001:
                    parent.chmod(parent.stat().st_mode & 0o7777 | 0o001)
        for user in self.users:
            self._create_user(user)
            self._write_password(user)

    def _write_password(self, user: str) -> None:
        secret = base64.b64encode(self.users[user].encode()).decode()
        path = self.root / "passwords" / user
        before = path.stat().st_mtime if path.exists() else 0
        temporary = self.root / "password"
        temporary.write_text(f"{user}:{{PLAIN.b64}}{secret}\n", encoding="utf-8")
        self._own(temporary)
        # Dovecot reads it again when its time stamp, in whole seconds, has changed.
        stamp = max(int(before) + 1, int(time.time()))
        os.utime(temporary, (stamp, stamp))
        temporary.rename(path)
        if before and self._process:
            # It looks whether that is so once in a second of the clock.
            time.sleep(1.02 - time.time() % 1)

    def _write_config(self, version: tuple[int, int]) -> None:
        self.port = self._wanted_port or _free_port()
        self.tls_port = _free_port() if self.tls else 0
        tls = None
        if self.tls:
            tls = tuple(self.root / Path(path).name for path in self.tls)
            for path, copy in zip(self.tls, tls, strict=True):
                shutil.copy(path, copy)
                self._own(copy)
        account = self._account
        config = configuration(
            version,
            self.capabilities_off,
            tls,
            self.folders,
            self.tokens,
            mechanisms=" ".join(self.mechanisms),
            root=self.root,
            host=self.host,
            user=account.pw_name,
            group=grp.getgrgid(account.pw_gid).gr_name,
            uid=account.pw_uid,
            gid=account.pw_gid,
            port=self.port,
            tls_port=self.tls_port,
        )
        (self.root / "dovecot.conf").write_text(config, encoding="utf-8")
        if self.tokens:
            path = self.root / "oauth2.conf"
            path.write_text(token_configuration(self.tokens), encoding="utf-8")

    def _await_greeting(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with (
                contextlib.suppress(OSError),  # not yet
                socket.create_connection((self.host, self.port), 2) as connection,
            ):
                if connection.recv(4) == b"* OK":
                    return
            time.sleep(0.02)
        raise self._not_started("Dovecot did not start")

    def _await_token_sign_in(self) -> None:
        """Until a token that is none is refused for that.

        The first sign-in by token after a start was seen to fail "temporarily".
        """
        if not self.tokens:
            return
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            with imaplib.IMAP4(self.host, self.port, START_TIMEOUT) as connection:
                try:
                    connection.authenticate("OAUTHBEARER", lambda _challenge: NO_TOKEN)
                except connection.error as error:
                    if "AUTHENTICATIONFAILED" in str(error):
                        return
        raise self._not_started("Dovecot decides on no token")

    def _not_started(self, problem: str) -> DovecotError:
        stderr = (self.root / "stderr").read_text(errors="replace")
        return DovecotError(f"{problem}: {(stderr + self.log())[-1500:]}")


def _binary(name: str) -> str:
    path = shutil.which(name, path=f"{os.environ.get('PATH')}:/usr/sbin:/usr/bin")
    if not path:
        raise DovecotError(
            "Dovecot is not installed: the tests need a real IMAP server "
            "(Debian and Ubuntu: apt-get install dovecot-imapd)"
        )
    return path


def _version(binary: str) -> tuple[int, int]:
    """(2, 3) or (2, 4): their configurations are two languages."""
    said = subprocess.run(
        [binary, "--version"],
        capture_output=True,
        check=False,
        text=True,
        timeout=START_TIMEOUT,
    )
    found = re.match(r"(\d+)\.(\d+)", said.stdout)
    if not found:
        raise DovecotError(f"{binary} --version: {said.stdout}{said.stderr}")
    return int(found[1]), int(found[2])


def _is_alone() -> bool:
    """No other thread: code may run between fork and exec, and this one will last."""
    return threading.active_count() == 1


def _die_with_parent() -> None:
    """Where we are killed before we can stop it, Dovecot stops by itself."""
    if hasattr(LIBC, "prctl"):  # Linux
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def main() -> None:
    """Runs a Dovecot in the foreground until it is killed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("root", type=Path, help="where everything is kept")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--user",
        action="append",
        default=[],
        metavar="LOGIN=PASSWORD",
        help="may be repeated",
    )
    arguments = parser.parse_args()
    users = dict(user.split("=", 1) for user in arguments.user)
    # Without this a SIGTERM would end us and leave Dovecot behind.
    signal.signal(signal.SIGTERM, lambda *_args: sys.exit(0))
    with Dovecot(arguments.root, users, arguments.port) as server:
        sys.stdout.write(f"IMAP on {server.host}:{server.port}\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            server._process.wait()


if __name__ == "__main__":
    main()
