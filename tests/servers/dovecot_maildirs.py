"""What a Dovecot's users have: folders as Maildirs, and mail put straight into them.

Thousands of mails take a second that way; Dovecot gives out UIDs, modseqs and
everything else by itself.
"""

import base64
import itertools
import os
import pwd
import shutil
import time
from datetime import datetime
from pathlib import Path

FOLDERS = {
    "Sent": r"\Sent",
    "Drafts": r"\Drafts",
    "Trash": r"\Trash",
    "Junk": r"\Junk",
    "Archive": r"\Archive",
}


class DovecotError(RuntimeError):
    """Dovecot is not installed, or did not start; the text says which and why."""


class Maildirs:
    """The mail of all users, below one directory.

    :param root: where
    :param folders: folder -> special use (empty for none); all exist from the start
    """

    def __init__(self, root: Path, folders: dict[str, str]):
        self.root = root
        self.folders = folders
        self._account = _account()
        # The number at the head of a Maildir name orders the UIDs given out.
        self._names = itertools.count(int(time.time()))

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

        As after a migration or a restored backup; mails, flags and dates stay.
        """
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

    # -- inside ----------------------------------------------------------------------

    def _own(self, *paths: Path) -> None:
        if not os.geteuid():
            for path in paths:
                os.chown(path, self._account.pw_uid, self._account.pw_gid)

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
