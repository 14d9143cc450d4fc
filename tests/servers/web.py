"""A small HTTP server for the loopback services, with a switchboard of faults.

It stands on sockets, so that what goes wrong goes wrong where it does in life: a
connection reset before the answer, half of it, or none for a long time.
"""

import contextlib
import json
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import BinaryIO
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """One request. `query` and `form` hold the list of values of each name."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode(), keep_blank_values=True)

    @property
    def json(self):
        return json.loads(self.body)

    def get(self, name: str, default: str = "") -> str:
        """The last value of a name in the query."""
        return self.query.get(name, [default])[-1]


@dataclass
class Answer:
    """`body` may be bytes, text, or what json can hold."""

    body: object = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[bytes, str]:
        if isinstance(self.body, bytes):
            return self.body, "application/octet-stream"
        if isinstance(self.body, str):
            return self.body.encode(), "text/html; charset=utf-8"
        return json.dumps(self.body).encode(), "application/json; charset=utf-8"


@dataclass
class Fault:
    """What goes wrong with the requests whose "METHOD /path?query" the pattern finds.

    :ivar kind: `answer` (give `answer` instead), `reset` (the request is served, then
        the connection is reset instead of an answer), `refuse` (reset before it is
        served), `half` (half of the answer, then reset), `broken` (half of the body,
        with the right length for it), `late answer` (the request is served, then
        `answer` is given), `slow` (answer after `seconds`), `drip` (the
        answer in a hundred pieces, over `seconds`), `none`
    :ivar first: called before
    :ivar last: called once the request is served, before the answer
    :ivar times: how many requests it meets
    :ivar after: how many requests it lets pass before
    """

    pattern: str
    kind: str
    answer: Answer | None = None
    seconds: float = 0
    first: Callable[[], object] = lambda: None
    last: Callable[[], object] = lambda: None
    times: int = 1
    after: int = 0


NO_FAULT = Fault("", "none")


class WebServer:
    """Serves `respond` on 127.0.0.1, in threads; a context manager.

    :param port: 0 for any free one
    :param certificate: a trustme `LeafCert`: speaks TLS
    """

    def __init__(self, port: int = 0, certificate=None):
        self.faults: list[Fault] = []
        self.calls: list[str] = []  # "METHOD /path?query" of every request served
        self.latency = 0.0
        self.lock = threading.RLock()
        self._certificate = certificate
        self._http = self._bind(port)

    def respond(self, request: Request) -> Answer:
        """The service itself; called in the connection's thread."""
        raise NotImplementedError

    @property
    def port(self) -> int:
        return self._http.server_address[1]

    @property
    def url(self) -> str:
        scheme = "https" if self._certificate else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    def break_(self, pattern: str, kind: str, **kwargs) -> Fault:
        """Arm a `Fault`."""
        fault = Fault(pattern, kind, **kwargs)
        with self.lock:
            self.faults.append(fault)
        return fault

    def mend(self) -> None:
        """Disarm all faults."""
        with self.lock:
            self.faults.clear()

    def refuse(self) -> None:
        """As if it were not running: connections are cut, and no new one is taken."""
        self._http.shutdown()
        self._http.server_close()
        self._http.cut()

    def listen(self) -> None:
        """Run again, at the same address."""
        self._http = self._bind(self.port)
        self._start()

    def restart(self) -> None:
        """Be away for a moment, too short to be refused in."""
        old = self._http
        old.shutdown()
        old.server_close()
        self.listen()
        old.cut()

    def __enter__(self):
        self._start()
        return self

    def __exit__(self, *_exc):
        self.refuse()

    def _bind(self, port: int) -> "_Http":
        http = _Http(("127.0.0.1", port), _handler(self))
        if self._certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._certificate.configure_cert(context)
            http.socket = context.wrap_socket(http.socket, server_side=True)
        return http

    def _start(self) -> None:
        # (looks that often whether it is to end)
        target = self._http.serve_forever
        threading.Thread(target=target, args=(0.02,), daemon=True).start()

    def serve(self) -> None:
        """Serve until the process is ended."""
        self._http.serve_forever()

    def take_fault(self, line: str) -> Fault | None:
        """The fault that this request meets, used up by one."""
        with self.lock:
            for fault in self.faults:
                if fault.times and re.search(fault.pattern, line):
                    if fault.after:
                        fault.after -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *args):
        self._connections: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request, client_address):
        self._connections.add(request)
        return super().process_request(request, client_address)

    def shutdown_request(self, request):
        self._connections.discard(request)
        return super().shutdown_request(request)

    def cut(self):
        """End the connections that are open."""
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request, client_address):
        """A client that goes away is no news."""


def _handler(server: WebServer) -> Callable:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_args):
            pass

        def serve(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            line = f"{self.command} {self.path}"
            fault = server.take_fault(line) or NO_FAULT
            if server.latency:
                time.sleep(server.latency)
            fault.first()
            if fault.kind == "slow":
                time.sleep(fault.seconds)
            if fault.kind == "refuse":
                return self.reset()
            with server.lock:
                server.calls.append(line)
            if fault.kind == "answer":
                return self.answer(fault.answer)
            parts = urlsplit(self.path)
            query = parse_qs(parts.query, keep_blank_values=True)
            request = Request(self.command, parts.path, query, self.headers, body)
            answer = server.respond(request)
            fault.last()
            if fault.kind == "reset":
                return self.reset()
            is_other = fault.kind == "late answer"
            return self.answer(fault.answer if is_other else answer, fault)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = serve

        def answer(self, answer: Answer, fault: Fault = NO_FAULT):
            body, kind = answer.encoded()
            if fault.kind == "broken":
                body = body[: len(body) // 2]
            self.send_response(answer.status)
            for name, value in {"Content-Type": kind, **answer.headers}.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if fault.kind == "half":
                self.wfile.write(body[: len(body) // 2])
                return self.reset()
            if fault.kind == "drip":
                return _drip(self.wfile, body, fault.seconds)
            self.wfile.write(b"" if answer.status == 204 else body)

        def reset(self):
            """End the connection with RST, which no client takes for an end."""
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            self.connection.close()

    return Handler


def _drip(file: BinaryIO, body: bytes, seconds: float) -> None:
    size = -(-len(body) // 100)
    started = time.monotonic()
    with contextlib.suppress(OSError):  # of whoever has not that much patience
        for number, at in enumerate(range(0, len(body), size), 1):
            time.sleep(max(started + seconds * number / 100 - time.monotonic(), 0))
            file.write(body[at : at + size])


def press(button: str) -> str:
    """A script that presses a page's button by itself: for a browser that nobody steers
    while it is here. Nothing for no button."""
    if not button:
        return ""
    return f"<script>document.getElementById('{button}').click()</script>"
