"""A TCP proxy on loopback that breaks what passes through it, as networks do.

    with FaultProxy(server.host, server.port) as proxy:
        proxy.reset_after = 10_000      # bytes from the server, then RST
        connect(proxy.host, proxy.port)

Also a witness: `sent` holds what the clients sent.
"""

import contextlib
import select
import socket
import struct
import threading
import time

HOST = "127.0.0.1"


class FaultProxy:
    """Forwards to one server, until told otherwise.

    :ivar reset_after: reset a connection after so many bytes from the server
    :ivar reset_at: reset a connection when the server sends these bytes, behind them
    :ivar resets_left: how many connections are still to be reset; None for all
    :ivar delay: seconds to wait before each piece from the server
    :ivar drip: forward a byte at a time, so many seconds apart
    :ivar replace: bytes from the server -> what arrives instead
    :ivar sent: what the clients sent, all connections together
    """

    host = HOST

    def __init__(self, host: str, port: int):
        self._target = (host, port)
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        self.reset_after: int | None = None
        self.reset_at = b""
        self.resets_left: int | None = None
        self.delay = 0.0
        self.drip = 0.0
        self.replace: dict[bytes, bytes] = {}
        self.sent = b""
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_exc) -> None:
        self.close()

    def close(self) -> None:
        """Cuts every connection and stops listening."""
        for one in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                one.close()

    def commands(self) -> list[str]:
        """The commands that clients sent since the last call, without their tags."""
        lines, self.sent = self.sent.decode("latin-1").split("\r\n"), b""
        return [line.partition(" ")[2] for line in lines if " " in line]

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            self._sockets += [client, server]
            for target, ends in (
                (self._up, (client, server)),
                (self._down, (client, server)),
            ):
                threading.Thread(target=target, args=ends, daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        # A blocked recv would keep the socket open after `close`, and no RST be sent.
        with contextlib.suppress(OSError, ValueError):
            while True:
                if not select.select([client], [], [], 0.02)[0]:
                    continue
                data = client.recv(65536)
                if not data:
                    break
                self.sent += data
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _down(self, client: socket.socket, server: socket.socket) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                time.sleep(self.delay)
                for old, new in self.replace.items():
                    data = data.replace(old, new)
                data, is_last = self._cut(data, passed)
                passed += len(data)
                if self.drip:
                    for byte in data:
                        client.sendall(bytes([byte]))
                        time.sleep(self.drip)
                else:
                    client.sendall(data)
                if is_last:
                    time.sleep(0.05)
                    self._reset(client)
                    break
        for one in (client, server):
            with contextlib.suppress(OSError):
                one.close()

    def _cut(self, data: bytes, passed: int) -> tuple[bytes, bool]:
        if self.resets_left == 0:
            return data, False
        at = None
        if self.reset_after is not None and passed + len(data) > self.reset_after:
            at = max(self.reset_after - passed, 0)
        elif self.reset_at and self.reset_at in data:
            at = data.index(self.reset_at) + len(self.reset_at)
        if at is None:
            return data, False
        if self.resets_left is not None:
            self.resets_left -= 1
        return data[:at], True

    @staticmethod
    def _reset(client: socket.socket) -> None:
        # With a linger time of 0, close sends RST.
        linger = struct.pack("ii", 1, 0)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
