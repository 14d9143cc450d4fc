"""What the plain tests share: one real Dovecot for all, a user of his own for each."""

import itertools
import os
import shutil
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from servers.dovecot import Dovecot

from easycrm_mail.providers import MailboxError

# Fixtures of one service each.
pytest_plugins = [
    "gmail_mailbox",
    "graph_mailbox",
    "imap_talk",
    "microsoft_consent",
    "smtp_mailbox",
]

LONG_AGO = datetime(2000, 1, 1, tzinfo=timezone.utc)
PASSWORD = "correct horse"


def mail(number: int = 0, size: int = 0) -> bytes:
    """A small mail that says which it is."""
    head = (
        f"From: Anna <anna@example.com>\r\nTo: Bob <bob@example.org>\r\n"
        f"Subject: mail {number}\r\nMessage-ID: <{number}@example.com>\r\n"
        f"Date: Tue, 4 Mar 2025 10:00:00 +0000\r\n\r\n"
    ).encode()
    return head + b"Hello\r\n" + b"x" * 70 * (size // 70)


def raised(call, kind: type[MailboxError], code: str) -> MailboxError:
    """What a call raises: of that kind and code, and neither the password nor
    anything else hangs on it."""
    with pytest.raises(MailboxError) as caught:
        call()
    assert (type(caught.value), caught.value.code) == (kind, code), caught.value
    assert caught.value.__context__ is None
    assert PASSWORD not in str(caught.value)
    return caught.value


class Mailbox:
    """One user of a Dovecot, with the login bound."""

    password = PASSWORD

    def __init__(self, server: Dovecot, login: str):
        self.server = server
        self.login = login
        self.host = server.host
        self.port = server.port

    def deliver(self, *numbers: int, folder: str = "INBOX", days_ago=None, **kwargs):
        """Mails by number; gives their keys."""
        if days_ago is not None:
            received = datetime.now(timezone.utc) - timedelta(days=days_ago)
            kwargs["received"] = received
        size = kwargs.pop("size", 0)
        return [
            self.server.deliver(self.login, mail(number, size), folder, **kwargs)
            for number in numbers
        ]

    def __getattr__(self, name):
        method = getattr(self.server, name)
        return lambda *args, **kwargs: method(self.login, *args, **kwargs)


@pytest.fixture(scope="session")
def scratch():
    """A short path that `nobody` may pass through, as Dovecot needs it."""
    # A hundred mailboxes are thousands of directories: in memory where there is room.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    path = Path(tempfile.mkdtemp(prefix="imap", dir=memory))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def dovecot(scratch):
    """A Dovecot with all that it has: QRESYNC, ESEARCH, special-use folders."""
    with Dovecot(scratch / "full", {}) as server:
        yield server


@pytest.fixture(scope="session")
def condstore_dovecot(scratch):
    """One as Gmail is: CONDSTORE, no QRESYNC."""
    with Dovecot(scratch / "condstore", {}, capabilities_off=["QRESYNC"]) as server:
        yield server


@pytest.fixture(scope="session")
def plain_dovecot(scratch):
    """One that is poor: no CONDSTORE, no special-use, nothing but RFC 3501."""
    poor = (
        "CONDSTORE",
        "QRESYNC",
        "ESEARCH",
        "SPECIAL-USE",
        "UNSELECT",
        "LIST-EXTENDED",
        "MOVE",
    )
    folders = {
        "Gesendet": "",
        "Entwürfe": "",
        "Papierkorb": "",
        "Spam": "",
        "Archiv": "",
    }
    with Dovecot(
        scratch / "plain", {}, capabilities_off=poor, folders=folders
    ) as server:
        yield server


@pytest.fixture(scope="session")
def esearch_dovecot(scratch):
    """One that counts nothing, but tells what it finds in runs."""
    off = ["CONDSTORE", "QRESYNC"]
    with Dovecot(scratch / "esearch", {}, capabilities_off=off) as server:
        yield server


_numbers = itertools.count(1)


def new_mailbox(server: Dovecot) -> Mailbox:
    """A user whom no other test has."""
    login = f"user{next(_numbers)}@example.org"
    server.add_user(login, PASSWORD)
    return Mailbox(server, login)


@pytest.fixture
def mailbox(dovecot):
    """An empty mailbox."""
    return new_mailbox(dovecot)


@pytest.fixture
def plain_mailbox(plain_dovecot):
    """An empty mailbox on the poor server."""
    return new_mailbox(plain_dovecot)


#: What finds out of changes -> the server that has that, and nothing better.
SERVERS = {
    "qresync": "dovecot",
    "condstore": "condstore_dovecot",
    "esearch": "esearch_dovecot",
    "plain": "plain_dovecot",
}


@pytest.fixture(params=["qresync", "condstore", "plain"])
def any_mailbox(request):
    """An empty mailbox, on each of these servers in turn."""
    return new_mailbox(request.getfixturevalue(SERVERS[request.param]))
