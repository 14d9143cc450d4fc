"""One signed-in IMAP connection: the commands that reading needs, and APPEND.

Folders are opened with EXAMINE and bodies asked for with BODY.PEEK, so that nothing in
the mailbox changes (RFC 3501, 6.3.2 and 6.4.5); only a mail that was sent is added.
"""

import contextlib
import re
import socket
import threading
from collections.abc import Iterable, Iterator
from datetime import date, datetime

from imapclient import SocketTimeout
from imapclient.imap_utf7 import decode, encode

from .errors import Gone, Permanent, Retry
from .imap_answers import Fetched, FolderState, body, is_read, number
from .imap_client import Client
from .imap_errors import is_refusal, of_folder, translate, words
from .imap_folders import Listed
from .skim_glance import FIELDS
from .uid_set import MAX_UID, MAX_UIDS, Runs, expand, sequence

CONNECT_TIMEOUT = 10
CLOSE_TIMEOUT = 2
# imaplib refuses a line of more than 1,000,000 bytes; a UID takes up to 11 of them.
SEARCH_WINDOW = 80_000
# Servers refuse long command lines, Dovecot at 64 kB.
SEQUENCE_RUNS = 500
# Of one partial FETCH.
PIECE_BYTES = 1 << 20

_APPENDED = re.compile(rb"\[APPENDUID (\d+) (\d+)\]", re.IGNORECASE)


class Connection:
    """A connection that is up; any error leaves it unusable unless said otherwise.

    Everything raises what IMAPClient, imaplib, ssl or the socket raise, or a
    `MailboxError` where more is known.
    """

    def __init__(self, timeout: float):
        """Not connected yet, so that also `open` can be cut.

        :param timeout: seconds to wait for any one answer
        """
        self._timeout = timeout
        self._client: Client | None = None
        # A second handle of the TCP connection: TLS takes the first one along.
        self._line: socket.socket | None = None
        self._is_late = False
        self._selected = ""

    def open(
        self,
        host: str,
        port: int,
        security: str,
        login: str,
        password: str,
        token: str = "",
    ) -> None:
        """Connects and signs in, with the token where there is one."""
        try:
            self._client = Client(
                host,
                port,
                ssl=security == "ssl",
                timeout=SocketTimeout(
                    min(self._timeout, CONNECT_TIMEOUT), self._timeout
                ),
                on_line=self._keep_line,
            )
            self._client.quiet()
            if security == "starttls":
                self._start_tls()
            self._client.normalise_times = False
            if token:
                self._client.sign_in_with_token(login, token)
            else:
                self._client.sign_in(login, password, is_safe=security != "none")
            self._use_extensions()
        except BaseException:
            self.drop()
            raise

    def _keep_line(self, line: socket.socket) -> None:
        self._line = line.dup()
        if self._is_late:
            raise TimeoutError("the connection took too long")

    def _start_tls(self) -> None:
        try:
            self._client.starttls()
        except Exception as error:
            # Also for "PREAUTH", after which there would be no TLS (RFC 9051, 7.1.4)
            failure = translate(error)
            if is_refusal(error) and failure.code == "answer":
                raise Permanent("tls", failure.detail) from None
            raise

    def _use_extensions(self) -> None:
        client = self._client
        enabled = self._enable("CONDSTORE", "QRESYNC")
        self.has_vanished = "QRESYNC" in enabled
        self.has_mod_seq = self.has_vanished or client.has_capability("CONDSTORE")

    def _enable(self, *wanted: str) -> set[str]:
        """Which of these extensions the server has and, asked for them, takes.

        Without it EXAMINE may answer NOMODSEQ until somebody asks for numbers.
        """
        offered = [name for name in wanted if self._client.has_capability(name)]
        if not offered or not self._client.has_capability("ENABLE"):
            return set()
        try:
            taken = self._client.enable(*offered)
        except Exception as error:
            if not is_refusal(error):
                raise
            return set()
        return {name.decode().upper() for name in taken}

    def abort(self) -> None:
        """Cuts the connection, from any thread: whoever waits for it gets an error."""
        if self._line:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def expire(self) -> None:
        """Cuts it because the answer took too long, from any thread."""
        self._is_late = True
        self.abort()

    def close(self) -> None:
        """Says goodbye, and hangs up whatever the answer; never raises."""
        with contextlib.suppress(Exception):
            self._client.socket().settimeout(CLOSE_TIMEOUT)
            self._client.logout()
        self.drop()

    def drop(self) -> None:
        """Hangs up; never raises."""
        with contextlib.suppress(Exception):
            self._client.shutdown()
        if self._line:
            self._line.close()

    def folders(self) -> list[Listed]:
        """LIST: attributes, delimiter and decoded name of every folder.

        Left out are names that do not survive decoding and encoding, raw 8-bit ones,
        as they could not be opened.
        """
        client = self._client
        client.folder_encode = False
        try:
            listed = client.list_folders()
        finally:
            client.folder_encode = True
        found: list[Listed] = []
        for attributes, delimiter, raw in listed:
            raw = raw.encode() if isinstance(raw, str) else raw
            with contextlib.suppress(UnicodeError):
                name = decode(raw)
                if encode(name) == raw:
                    found.append((attributes, delimiter, name))
        return found

    def status(self, folder: str, with_unseen: bool = False) -> FolderState:
        """STATUS: without opening the folder, and cheap; unread mails cost some."""
        if self._selected:
            # Of the selected folder the answer may be old (RFC 3501, 6.3.10).
            self._leave()
        asked = ["UIDVALIDITY", "UIDNEXT", "MESSAGES"]
        asked += ["HIGHESTMODSEQ"] * self.has_mod_seq + ["UNSEEN"] * with_unseen
        with self._opening(folder):
            answer = self._client.folder_status(folder, asked)
        return FolderState(
            uid_validity=number(answer.get(b"UIDVALIDITY")),
            uid_next=number(answer.get(b"UIDNEXT")),
            messages=number(answer.get(b"MESSAGES")),
            mod_seq=number(answer.get(b"HIGHESTMODSEQ")),
            unseen=number(answer.get(b"UNSEEN")),
        )

    def examine(self, folder: str) -> FolderState:
        """Opens a folder read-only; `unseen` is not told."""
        self._selected = ""
        with self._opening(folder):
            answer = self._client.select_folder(folder, readonly=True)
        self._selected = folder
        return FolderState(
            uid_validity=number(answer.get(b"UIDVALIDITY")),
            uid_next=number(answer.get(b"UIDNEXT")),
            messages=number(answer.get(b"EXISTS")),
            mod_seq=number(answer.get(b"HIGHESTMODSEQ")) if self.has_mod_seq else 0,
        )

    def last_uid(self) -> int:
        """The highest UID that the open folder holds; 0 where it is empty."""
        # "*" is the last mail; servers are known that say more than that.
        return max((last for _first, last in self._client.search_uids("*")), default=0)

    def search(
        self, first: int, last: int | None, messages: int, *criteria: str | date
    ) -> set[int]:
        """The UIDs from `first` to `last` for which the criteria hold.

        :param last: None for all that there are
        :param messages: how many the folder holds: many are asked for piece by piece
        """
        is_large = messages > SEARCH_WINDOW
        is_open = last is None
        if is_open:
            last = max(self.last_uid(), first) if is_large else first
        step = SEARCH_WINDOW if is_large else max(last - first + 1, 1)
        found: set[int] = set()
        for start in range(first, last + 1, step):
            end: int | str = min(start + step - 1, last)
            if is_open and end == last:
                end = "*"
            runs = self._client.search_uids(f"{start}:{end}", *criteria)
            # "n:*", and any n above the last UID, is answered with the last one.
            found |= expand(runs, start, MAX_UID if end == "*" else end)
            if len(found) > MAX_UIDS:
                raise ValueError("more UIDs than a folder holds")
        return found

    def find(self, keys: Iterable[str], text: str, limit: int) -> list[int]:
        """The highest UIDs of the open folder in which a text stands.

        :param keys: where to look, as IMAP says it: the text follows each of them
        """
        text = re.sub(r"[\r\n\0]", " ", text)
        if text.isascii():
            # (IMAPClient would leave a bracket as it is)
            escaped = re.sub(r'(["\\])', r"\\\1", text)
            criteria = " ".join(f'{key} "{escaped}"' for key in keys)
            found = self._client.search(criteria)
        else:
            words = [word for key in keys for word in [*key.split(), text]]
            found = self._client.search(words, "UTF-8")
        return sorted(found, reverse=True)[:limit]

    def outlines(self, uids: Iterable[int]) -> dict[int, Fetched]:
        """Size, date and flags of those mails that are there."""
        return self._fetch(uids, "(UID FLAGS INTERNALDATE RFC822.SIZE)")

    def mails(self, uids: Iterable[int], patience: float = 1) -> dict[int, Fetched]:
        """The whole of those mails that are there. `raw` may be empty or None.

        :param patience: the share of `timeout` after which `Retry("timeout")` is raised
        """
        timer = threading.Timer(self._timeout * patience, self.expire)
        timer.daemon = True
        timer.start()
        try:
            return self._fetch(uids, "(UID FLAGS INTERNALDATE BODY.PEEK[])")
        except Exception:
            if self._is_late:
                raise Retry("timeout", "the emails took too long") from None
            raise
        finally:
            timer.cancel()

    def heads(self, uids: Iterable[int]) -> dict[int, Fetched]:
        """The header of those mails that are there, as `raw`."""
        return self._fetch(
            uids, "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER])"
        )

    def fields(self, uids: Iterable[int]) -> dict[int, Fetched]:
        """The fields of the header that a look needs, of those mails that are there, as
        `raw`."""
        names = " ".join(one.upper() for one in FIELDS)
        return self._fetch(
            uids, f"(UID INTERNALDATE BODY.PEEK[HEADER.FIELDS ({names})])"
        )

    def structures(self, uids: Iterable[int]) -> dict[int, Fetched]:
        """BODYSTRUCTURE of those mails that are there, as `structure`."""
        uids = list(uids)
        try:
            return self._fetch(uids, "(UID BODYSTRUCTURE)")
        except RecursionError:
            # It came whole, and is nested deeper than anything that could be read.
            return {uid: Fetched(uid, is_read=False) for uid in uids}

    def pieces(self, uid: int, section: str, limit: int) -> Iterator[bytes]:
        """A mail or one of its sections, as it is transferred, piece by piece.

        :param section: empty for the whole mail
        :param limit: of more bytes the mail is given up, not the connection
        """
        position = 0
        while True:
            items = f"(UID BODY.PEEK[{section}]<{position}.{PIECE_BYTES}>)"
            answer = self._client.fetch_uids(str(uid), items).get(uid, {})
            piece = body(answer)
            if piece is None:
                raise Gone("mail")
            position += len(piece)
            if position > limit:
                raise Gone("mail", "the server gives more than any email holds")
            yield piece
            if len(piece) < PIECE_BYTES:
                return

    def changed_since(
        self, first: int, last: int, mod_seq: int
    ) -> tuple[dict[int, bool], Runs]:
        """What changed among some UIDs since a HIGHESTMODSEQ (RFC 7162, 3.1.4, 3.2.6).

        :returns: UID -> whether it is read, for mails of which a flag changed; and the
            UIDs that are gone, also of mails never seen, where `has_vanished`
        """
        answer = self._client.fetch_uids(
            f"{first}:{last}",
            "(UID FLAGS)",
            f"(CHANGEDSINCE {mod_seq}{' VANISHED' * self.has_vanished})",
        )
        flags = {
            uid: is_read(items) for uid, items in answer.items() if b"FLAGS" in items
        }
        return flags, self._client.vanished()

    @property
    def is_gmail(self) -> bool:
        """Gmail's own IMAP."""
        return self._client.has_capability("X-GM-EXT-1")

    def append(self, folder: str, raw: bytes, date: datetime) -> str:
        """Adds a mail that is read already.

        :returns: its ref; empty where the server does not tell (RFC 4315)
        """
        if self._selected:
            # (it would be told of the new mail while it is not asked)
            self._leave()
        with self._opening(folder):
            answer = self._client.append(folder, raw, (rb"\Seen",), date)
        found = _APPENDED.search(answer)
        return f"{int(found[1])}:{int(found[2])}" if found else ""

    def _fetch(self, uids: Iterable[int], items: str) -> dict[int, Fetched]:
        found: dict[int, Fetched] = {}
        for piece in _pieces(sorted(uids)):
            for uid, values in self._client.fetch_uids(sequence(piece), items).items():
                found[uid] = Fetched.read(uid, values)
        return found

    def _leave(self) -> None:
        self._selected = ""
        if self._client.has_capability("UNSELECT"):
            self._client.unselect_folder()
        else:
            # Of a folder opened by EXAMINE it removes nothing (RFC 3501, 6.4.2).
            self._client.close_folder()

    @contextlib.contextmanager
    def _opening(self, folder: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if not is_refusal(error):
                raise
            failure = of_folder(words(error))
            if failure is None:
                # Servers refuse in many words: whether it is there, LIST tells.
                is_there = any(name == folder for *_rest, name in self.folders())
                failure = Retry("answer", words(error)) if is_there else Gone("folder")
            raise failure from None


def _pieces(uids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(uids), SEQUENCE_RUNS):
        yield uids[start : start + SEQUENCE_RUNS]
