"""The transport under Google's client: httplib2, kept on a short leash.

httplib2 makes a request again of which the connection broke before the answer, a POST
too: an email that Gmail had taken would be sent twice. Its connections are replaced
here by ones that never give it a reason to. Reading calls alone are made again, once,
where a connection broke that had lain idle.
"""

import contextlib
import http.client
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import google.auth.credentials
import httplib2

from .bounded import Bounded

# Of these calls alone it is known that they only read.
BATCH_PATH = "/batch/gmail/v1"
PIECE_BYTES = 1 << 16
MAX_ANSWER_BYTES = 40_000_000


class TooMuch(Exception):
    """An answer is larger than what would be held of it."""


class _Response(http.client.HTTPResponse):
    """An answer that is never held beyond a limit.

    :ivar limit: bytes
    :ivar sink: where those of a good answer go instead
    """

    limit = MAX_ANSWER_BYTES
    sink: Callable[[bytes], object] | None = None

    def read(self, amt: int | None = None) -> bytes:
        if amt is not None:
            return super().read(amt)
        held = bytearray()
        sink = self.sink if self.status == 200 else None
        while piece := super().read(PIECE_BYTES):
            if sink:
                sink(piece)
                continue
            held += piece
            if len(held) > self.limit:
                raise TooMuch
        if self.length:
            raise http.client.IncompleteRead(b"", self.length)
        return bytes(held)


class _Once:
    """Of a connection: what is asked on it is asked once.

    What httplib2 repeats a request for comes out as an error that it does not.
    """

    owner: "MailboxHttp"

    def connect(self) -> None:
        result = super().connect()
        # Kept: an answer that ends with its connection takes the socket along.
        self.owner.socket = self.sock
        self.owner.check_time()
        return result

    def request(self, *args, **kwargs) -> None:
        self.owner.is_open = True
        try:
            return super().request(*args, **kwargs)
        except http.client.HTTPException as error:
            raise ConnectionResetError(type(error).__name__) from None

    def getresponse(self) -> http.client.HTTPResponse:
        try:
            response = super().getresponse()
        except ConnectionError as error:
            raise ConnectionResetError(str(error)) from None
        except (http.client.BadStatusLine, http.client.ResponseNotReady):
            raise http.client.UnknownProtocol("not HTTP") from None
        # (also of an answer that breaks in the middle nobody knows what it was)
        self.owner.is_open = not 300 <= response.status < 500
        response.limit, response.sink = self.owner.limit, self.owner.sink
        return response


class MailboxHttp(Bounded, httplib2.Http):
    """One mailbox's connection.

    :param timeout: seconds to wait for any one answer
    :ivar socket: the open one, or None
    :ivar is_open: the last request was made, or begun, and has not been refused: it may
        have done what it asked for
    """

    is_open = False

    def __init__(self, timeout: float):
        super().__init__(timeout=timeout)
        # Nobody may lead a token elsewhere.
        self.follow_redirects = False
        self.socket: socket.socket | None = None
        self.limit = MAX_ANSWER_BYTES
        self.sink: Callable[[bytes], object] | None = None
        self._plain = self._kind(httplib2.HTTPConnectionWithTimeout)
        self._tls = self._kind(httplib2.HTTPSConnectionWithTimeout)

    def _kind(self, base: type) -> type:
        members = {"owner": self, "response_class": _Response}
        return type("Connection", (_Once, base), members)

    def request(self, uri, method="GET", body=None, headers=None, **kwargs):
        """As httplib2 does, but made once where it might do anything."""
        parts = urlsplit(uri)
        only_reads = method == "GET" or parts.path == BATCH_PATH
        if not only_reads:
            # On a connection of its own: one that has lain idle might be broken, and
            # nobody would know whether the request had arrived.
            self.drop()
        may_repeat = only_reads and self.socket is not None
        kwargs["connection_type"] = (
            self._tls if parts.scheme == "https" else self._plain
        )
        self.is_open = False
        while True:
            try:
                self.check_time()
                return super().request(uri, method, body, headers, **kwargs)
            except ConnectionError:
                self.drop()
                if not may_repeat:
                    raise
                may_repeat = False
            except BaseException:
                self.drop()
                raise

    def drop(self) -> None:
        """Closes the connection; never raises."""
        self.socket = None
        with contextlib.suppress(OSError):
            self.close()
        self.connections.clear()

    def cut(self) -> None:
        """Shuts the socket."""
        open_socket = self.socket
        if open_socket is not None:
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)


class TokenCredentials(google.auth.credentials.Credentials):
    """What google-auth takes for credentials, out of a `TokenSource`.

    Their only refresh is to tell the source that its token is refused: google-auth does
    so once a request, and its client once for all the parts of a batch.
    """

    def __init__(self, tokens: Callable[..., str]):
        super().__init__()
        self._tokens = tokens
        self.secrets: set[str] = set()

    def __repr__(self) -> str:
        return "<TokenCredentials>"

    def refresh(self, request) -> None:
        refused = self.token
        self.token = self._tokens(refused=refused) if refused else self._tokens()
        self.secrets.add(self.token)
