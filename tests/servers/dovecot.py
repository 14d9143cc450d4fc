"""A real IMAP server for tests and the demo: Dovecot on a free loopback port.

Everything it needs and everything it writes stays under one directory, it needs no
other package than the standard library, and it runs as root and as an ordinary user::

    with Dovecot(root, {"anna@example.com": "secret"}) as server:
        key = server.deliver("anna@example.com", raw)
        connect(server.host, server.port)

In the foreground, until it is killed::

    PYTHONPATH=tests python -m servers.dovecot DIR --port 10143 --user anna=secret

Mail is put straight into the Maildirs, as a delivery agent would, so that thousands
take a second; Dovecot gives out UIDs, modseqs and everything else by itself. Works with
Dovecot 2.3 and 2.4 (Debian: `dovecot-imapd`).
"""

import argparse
import atexit
import base64
import contextlib
import ctypes
import grp
import itertools
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from .dovecot_config import configuration, token_configuration

HOST = "127.0.0.1"
START_TIMEOUT = 15
STOP_TIMEOUT = 2
# A Unix socket's path has 108 bytes at most; Dovecot's longest name under run/ is 30.
LONGEST_ROOT = 75

FOLDERS = {
    "Sent": r"\Sent",
    "Drafts": r"\Drafts",
    "Trash": r"\Trash",
    "Junk": r"\Junk",
    "Archive": r"\Archive",
}

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class DovecotError(RuntimeError):
    """Dovecot is not installed, or did not start; the text says which and why."""


class Dovecot:
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
        self.root = Path(root).absolute()
        self.users = dict(users)
        self.port = port
        self.tls_port = 0
        self.capabilities_off = frozenset(capabilities_off)
        self.tls = tls
        self.folders = dict(FOLDERS if folders is None else folders)
        self.mechanisms = tuple(mechanisms)
        self.tokens = tokens
        self._wanted_port = port
        self._process: subprocess.Popen | None = None
        self._account = _account()
        # The number at the head of a Maildir name orders the UIDs given out.
        self._names = itertools.count(int(time.time()))

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

    # -- mail ------------------------------------------------------------------------

    def deliver(
        self,
        user: str,
        raw: bytes,
        folder: str = "INBOX",
        seen: bool = False,
        received: datetime | None = None,
    ) -> str:
        """Puts a mail into a folder.

        :param received: its INTERNALDATE, aware; now if None
        :returns: the key by which `remove`, `move` and `mark` find it
        """
        directory = self._folder(user, folder)
        key = f"{next(self._names)}.M{os.getpid()}.test,S={len(raw)}"
        target = (
            directory / ("cur" if seen else "new") / (f"{key}:2,S" if seen else key)
        )
        temporary = directory / "tmp" / key
        temporary.write_bytes(raw)
        self._own(temporary)
        if received:
            os.utime(temporary, (received.timestamp(), received.timestamp()))
        temporary.rename(target)
        _stamp(target.parent)
        return key

    def keys(self, user: str, folder: str = "INBOX") -> list[str]:
        """The keys of a folder's mails, oldest delivery first."""
        return sorted(path.name.split(":")[0] for path in self._mails(user, folder))

    def remove(self, user: str, key: str, folder: str = "INBOX") -> None:
        """Deletes a mail for good."""
        path = self._find(user, key, folder)
        path.unlink()
        _stamp(path.parent)

    def move(self, user: str, key: str, folder: str, target: str) -> None:
        """Moves a mail to another folder; its key stays, its UID does not."""
        path = self._find(user, key, folder)
        moved = self._folder(user, target) / path.parent.name / path.name
        path.rename(moved)
        _stamp(path.parent, moved.parent)

    def mark(
        self, user: str, key: str, folder: str = "INBOX", seen: bool = True
    ) -> None:
        """Marks a mail read or unread, as another mail program would."""
        path = self._find(user, key, folder)
        flags = set(path.name.partition(":2,")[2]) - {"S"} | ({"S"} if seen else set())
        name = f"{key}:2,{''.join(sorted(flags))}"
        marked = path.parent.parent / "cur" / name
        path.rename(marked)
        _stamp(path.parent, marked.parent)

    def is_seen(self, user: str, key: str, folder: str = "INBOX") -> bool:
        """Whether a mail is marked read."""
        return "S" in self._find(user, key, folder).name.partition(":2,")[2]

    def spoil(self, user: str, key: str, folder: str = "INBOX") -> None:
        """Makes a mail unreadable: Dovecot lists it and cannot give it."""
        path = self._find(user, key, folder)
        path.unlink()
        path.mkdir()
        self._own(path)

    def snapshot(self, user: str, folder: str = "INBOX") -> list[tuple]:
        """What reading could change: names, which hold the flags, and times."""
        return sorted(
            (path.parent.name, path.name, path.stat().st_mtime_ns)
            for path in self._mails(user, folder)
        )

    def create_folder(self, user: str, folder: str) -> None:
        """Adds a folder; does nothing where it exists."""
        self._make_folder(user, folder)

    def delete_folder(self, user: str, folder: str) -> None:
        """Deletes a folder and its mail."""
        shutil.rmtree(self._folder(user, folder))

    def hide_folder(self, user: str, folder: str) -> None:
        """Takes a folder away, to be brought back as it was by `show_folder`."""
        self._folder(user, folder).rename(self._hidden(user, folder))

    def show_folder(self, user: str, folder: str) -> None:
        """Brings back what `hide_folder` took away."""
        self._hidden(user, folder).rename(self._path(user, folder))

    def recreate(self, user: str, folder: str = "INBOX") -> None:
        """Gives a folder a new UIDVALIDITY, and its mails new UIDs, from 1 on.

        As after a migration or a restored backup; mails, flags and dates stay, and
        the user's connections are cut.
        """
        self._disconnect(user)
        directory = self._folder(user, folder)
        mails = self._mails(user, folder)
        old = directory.rename(self.root / "mail" / user / "old")
        self._make_folder(user, folder)
        for path in mails:
            (old / path.parent.name / path.name).rename(
                directory / path.parent.name / path.name
            )
        for path in old.iterdir():
            # Folders within this one
            if path.name not in ("cur", "new", "tmp") and path.is_dir():
                path.rename(directory / path.name)
        shutil.rmtree(old)

    def held(self, user: str, folder: str = "INBOX") -> dict[str, tuple[bytes, bool]]:
        """All that a folder holds: key -> the mail, and whether it is marked read."""
        return {
            path.name.split(":")[0]: (
                path.read_bytes(),
                "S" in path.name.partition(":2,")[2],
            )
            for path in self._mails(user, folder)
        }

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

    def _own(self, *paths: Path) -> None:
        if not os.geteuid():
            for path in paths:
                os.chown(path, self._account.pw_uid, self._account.pw_gid)

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

    def _create_user(self, user: str) -> None:
        if "/" in user or ":" in user:
            raise DovecotError(f"{user!r} cannot be a login here")
        self._make_directory(self.root / "mail" / user)
        self._make_directory(self.root / "mail" / user / "folders")
        for folder in ("INBOX", *self.folders):
            self._make_folder(user, folder)

    def _make_folder(self, user: str, folder: str) -> None:
        directory = self._path(user, folder)
        missing = [directory]
        while not missing[-1].parent.exists():
            missing.append(missing[-1].parent)
        for path in (
            *reversed(missing),
            *(directory / n for n in ("cur", "new", "tmp")),
        ):
            self._make_directory(path)

    def _make_directory(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._own(path)

    def _path(self, user: str, folder: str) -> Path:
        home = self.root / "mail" / user
        if folder.upper() == "INBOX":
            return home / "INBOX"
        return home / "folders" / _modified_utf7(folder)

    def _folder(self, user: str, folder: str) -> Path:
        path = self._path(user, folder)
        if not (path / "cur").is_dir():
            raise DovecotError(f"{user} has no folder {folder}")
        return path

    def _hidden(self, user: str, folder: str) -> Path:
        return self.root / "mail" / user / f"hidden-{_modified_utf7(folder)}"

    def _mails(self, user: str, folder: str) -> list[Path]:
        directory = self._folder(user, folder)
        return [*(directory / "new").iterdir(), *(directory / "cur").iterdir()]

    def _find(self, user: str, key: str, folder: str) -> Path:
        for path in self._mails(user, folder):
            if path.name.split(":")[0] == key:
                return path
        raise DovecotError(f"{user} has no mail {key} in {folder}")

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
        stderr = (self.root / "stderr").read_text(errors="replace")
        raise DovecotError(f"Dovecot did not start: {(stderr + self.log())[-1500:]}")


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


def _stamp(*directories: Path) -> None:
    """Gives directories a time of their own: Dovecot looks into one whose time is new.

    The kernel's time moves on in ticks of some milliseconds: of two changes within one
    the second would go unseen.
    """
    for directory in directories:
        now = time.time_ns()
        os.utime(directory, ns=(now, now))


def _account() -> pwd.struct_passwd:
    """Whom Dovecot runs as: ourselves, or `nobody` where we are root."""
    return pwd.getpwuid(os.geteuid()) if os.geteuid() else pwd.getpwnam("nobody")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _modified_utf7(name: str) -> str:
    """A folder name as IMAP and the Maildir spell it (RFC 3501, 5.1.3)."""
    spelled, run = [], []

    def flush():
        if run:
            data = base64.b64encode("".join(run).encode("utf-16-be"), b"+,")
            spelled.append(f"&{data.decode().rstrip('=')}-")
            run.clear()

    for char in name:
        if " " <= char <= "~":
            flush()
            spelled.append("&-" if char == "&" else char)
        else:
            run.append(char)
    flush()
    return "".join(spelled)


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
