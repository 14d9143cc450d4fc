"""IMAPClient, with the commands that it lacks or gives in another form."""

import socket
from collections.abc import Callable, Iterator
from datetime import date
from imaplib import IMAP4

from imapclient import IMAPClient, tls
from imapclient.datetime_util import format_criteria_date
from imapclient.exceptions import CapabilityError, IMAPClientError, ProtocolError
from imapclient.response_parser import parse_response

from .errors import Permanent, Retry
from .imap_errors import TokenError
from .uid_set import Runs, parse_sequence
from .xoauth import first_answer, last_answer, mechanism_of, told_by, wants_token

# Of one answer: twice what is asked for at once, or the flags of 800,000 mails.
MAX_ANSWER_BYTES = 64_000_000


class _Imap(IMAP4):
    """imaplib's client, which tells its line before anything is said on it.

    What is too much to hold is not read: the server may be anybody's.
    """

    _bytes_left = MAX_ANSWER_BYTES

    def __init__(
        self,
        host: str,
        port: int,
        is_tls: bool,
        timeout: float,
        on_line: Callable[[socket.socket], None],
    ):
        self._is_tls = is_tls
        self._timeout = timeout
        self._on_line = on_line
        super().__init__(host, port)

    def _create_socket(self, _timeout: float | None = None) -> socket.socket:
        line = socket.create_connection((self.host, self.port), self._timeout)
        try:
            self._on_line(line)
            return tls.wrap_socket(line, None, self.host) if self._is_tls else line
        except BaseException:
            line.close()
            raise

    def _command(self, *args) -> bytes:
        # (imaplib keeps what nobody has asked for until a folder is opened)
        self._bytes_left = MAX_ANSWER_BYTES - sum(map(len, self._kept()))
        return super()._command(*args)

    def _kept(self) -> Iterator[bytes]:
        for answers in self.untagged_responses.values():
            for answer in answers:
                # (a line and its literal, or a line)
                yield from answer if isinstance(answer, tuple) else (answer,)

    def read(self, size: int) -> bytes:
        """A literal, of the size that the server says it has."""
        self._count(size)
        return super().read(size)

    def readline(self) -> bytes:
        """A line."""
        line = super().readline()
        self._count(len(line))
        return line

    def _count(self, size: int) -> None:
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise Retry("answer", "the server sends far more than was asked for")


class Client(IMAPClient):
    """FETCH and SEARCH by ranges of UIDs, and what servers tell of removed ones.

    :param on_line: gets the TCP connection once it stands, before TLS and the greeting
    """

    def __init__(self, *args, on_line: Callable[[socket.socket], None], **kwargs):
        self._on_line = on_line
        super().__init__(*args, **kwargs)

    def _create_IMAP4(self) -> IMAP4:
        timeout = self._timeout.connect
        return _Imap(self.host, self.port, self.ssl, timeout, self._on_line)

    def fetch_uids(self, uids: str, items: str, modifier: str | None = None) -> dict:
        """UID -> item -> value; of other mails too, as servers send flags unasked.

        Responses without a UID are none to this command, and left out.
        """
        kind, data = self._imap.uid("FETCH", uids, items, modifier)
        self._checkok("fetch", kind, data)
        found: dict[int, dict[bytes, object]] = {}
        answer = iter(parse_response([part for part in data if part is not None]))
        for _number, values in zip(answer, answer, strict=False):
            if not isinstance(values, tuple):
                continue
            pairs = iter(values)
            items_of = {
                name.upper(): value
                for name, value in zip(pairs, pairs, strict=False)
                if isinstance(name, bytes)
            }
            uid = items_of.get(b"UID")
            if isinstance(uid, int):
                found.setdefault(uid, {}).update(items_of)
        return found

    def search_uids(self, uids: str, *criteria: str | date) -> Runs:
        """The UIDs within some for which the criteria hold.

        In runs where the server can say it so (RFC 4731): a whole folder takes a line.
        """
        words = [
            one if isinstance(one, str) else format_criteria_date(one).decode()
            for one in criteria
        ]
        if not self.has_capability("ESEARCH"):
            return [(uid, uid) for uid in self.search(["UID", uids, *criteria])]
        self._imap.response("ESEARCH")  # an old one, of a command that failed
        kind, data = self._imap.uid("SEARCH", "RETURN (ALL)", "UID", uids, *words)
        self._checkok("search", kind, data)
        _name, lines = self._imap.response("ESEARCH")
        runs: Runs = []
        if lines == [None]:
            if data == [None]:
                # Not "none": everything would be taken for removed.
                raise ProtocolError("no answer to a search")
            # It offered more than it can.
            return [(int(uid), int(uid)) for line in data for uid in line.split()]
        for line in lines:
            # (TAG "A1") UID ALL 3:5,9; without ALL where nothing is found
            _head, _all, found = line.decode().partition(" ALL ")
            runs += parse_sequence(found.split(" ")[0])
        return runs

    def vanished(self) -> Runs:
        """The UIDs told to be gone since the folder was opened (RFC 7162, 3.2.10)."""
        _name, lines = self._imap.response("VANISHED")
        runs: Runs = []
        for line in lines:
            # (EARLIER) 3:5,9
            runs += parse_sequence(line.decode().split(" ")[-1]) if line else []
        return runs

    def quiet(self) -> None:
        """Keeps what is said on the wire out of every log, passwords for one."""
        self._imap.debug = 0

    def sign_in(self, login: str, password: str, is_safe: bool) -> None:
        """With a password.

        :param is_safe: TLS is set up
        """
        if self.has_capability("AUTH=PLAIN"):
            # Bytes in base64: any characters, and no question of quoting.
            self.plain_login(login, password)
        elif wants_token(self._mechanisms()):
            raise Permanent("password_off", "the server takes a token alone")
        elif not self.has_capability("LOGINDISABLED"):
            self.login_quoted(login, password)
        elif is_safe:
            raise Permanent("password_off", "the server takes no password")
        else:
            raise CapabilityError("The server takes no password without TLS")

    def sign_in_with_token(self, login: str, token: str) -> None:
        """With an access token.

        A server that does not take it says why before it says no, and waits for an
        answer.
        """
        mechanism = mechanism_of(self._mechanisms())
        if not mechanism:
            raise Permanent("token_off", "the server takes no token")
        challenges: list[bytes] = []

        def answer(challenge: bytes) -> str | bytes:
            challenges.append(challenge)
            if len(challenges) == 1:
                return first_answer(mechanism, login, token)
            return last_answer(mechanism)

        try:
            self._command_and_check("authenticate", mechanism, answer)
        except IMAPClientError as error:
            told = told_by(challenges[-1]) if len(challenges) > 1 else ""
            raise TokenError(f"{error} ({told})" if told else str(error)) from error

    def _mechanisms(self) -> list[str]:
        offered = [name.decode().upper() for name in self.capabilities()]
        return [name[5:] for name in offered if name.startswith("AUTH=")]

    def login_quoted(self, login: str, password: str) -> None:
        """LOGIN for any characters; imaplib quotes the password alone."""
        self._imap._encoding = "utf-8"
        self.login(self._imap._quote(login), password)
