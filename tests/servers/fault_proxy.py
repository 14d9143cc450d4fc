"""A TCP proxy on loopback that breaks what passes through it, as networks do.

    with FaultProxy(server.host, server.port) as proxy:
        proxy.reset_after = 10_000      # bytes from the server, then RST
        connect(proxy.host, proxy.port)

Or at a certain command of the client::

        proxy.spring(b"EXAMINE", "reset")

Also a witness: `commands` tells what the clients sent, `traffic` how many bytes passed.
"""

import contextlib
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

HOST = "127.0.0.1"


@dataclass
class Trap:
    """What becomes of the answer to a command.

    :ivar command: bytes of the command that springs it
    :ivar fault: `reset` (RST), `close` (FIN) or `silence` (nothing more, never)
    :ivar after: so many bytes of the answer pass first
    :ivar times: how often; None for ever
    :ivar first: called before the command is passed on; who connects meanwhile waits
    """

    command: bytes
    fault: str = ""
    after: int = 0
    times: int | None = None
    first: Callable[[], object] | None = None

    def catches(self, data: bytes) -> bool:
        """Whether it springs at what a client sends, for which it then has."""
        if self.command not in data or self.times == 0:
            return False
        if self.times:
            self.times -= 1
        return True


class FaultProxy:
    """Forwards to one server, until told otherwise.

    :ivar reset_after: reset a connection after so many bytes from the server
    :ivar reset_at: reset a connection when the server sends these bytes, behind them
    :ivar resets_left: how many connections are still to be reset; None for all
    :ivar stall_at: behind these bytes from the server nothing more comes
    :ivar delay: seconds to wait before each piece from the server
    :ivar pace: bytes a second from the server; 0 for as fast as it goes
    :ivar drip: forward a byte at a time, so many seconds apart
    :ivar replace: bytes from the server -> what arrives instead
    :ivar rewrite: what arrives instead of a piece from the server
    :ivar sent: what the clients sent, all connections together
    :ivar received: how many bytes the server sent
    :ivar sprung: how many traps were sprung
    """

    host = HOST

    def __init__(self, host: str, port: int):
        self._target = (host, port)
        self.port = 0
        self.reset_after: int | None = None
        self.reset_at = b""
        self.stall_at = b""
        self.resets_left: int | None = None
        self.delay = 0.0
        self.pace = 0
        self.drip = 0.0
        self.replace: dict[bytes, bytes] = {}
        self.rewrite: Callable[[bytes], bytes] = bytes
        self.sent = b""
        self.received = 0
        self.sprung = 0
        self._traps: list[Trap] = []
        self._sockets: list[socket.socket] = []
        self._in_order = threading.Lock()
        self.listen()

    def __enter__(self):
        return self

    def __exit__(self, *_exc) -> None:
        self.close()

    def listen(self) -> None:
        """Takes connections, after `refuse` too."""
        self._listener = socket.create_server((HOST, self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(
            target=self._accept, args=[self._listener], daemon=True
        ).start()

    def refuse(self) -> None:
        """Lets nobody in any more; who is in stays."""
        with contextlib.suppress(OSError):
            # Otherwise the kernel listens for as long as `accept` waits.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def close(self) -> None:
        """Cuts every connection and stops listening."""
        self.refuse()
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.close()

    def spring(self, command: bytes, fault: str = "", **kwargs) -> None:
        """Sets a `Trap`."""
        self._traps.append(Trap(command, fault, **kwargs))

    def heal(self) -> None:
        """Takes every fault away."""
        self._traps = []
        self.reset_after, self.reset_at, self.resets_left = None, b"", None
        self.stall_at = b""
        self.delay = self.drip = self.pace = 0
        self.replace, self.rewrite = {}, bytes

    def traffic(self) -> int:
        """How many bytes passed, both ways, since the last look at commands."""
        total, self.received = self.received + len(self.sent), 0
        return total

    def commands(self) -> list[str]:
        """The commands that clients sent since the last call, without their tags."""
        lines, self.sent = self.sent.decode("latin-1").split("\r\n"), b""
        return [line.partition(" ")[2] for line in lines if " " in line]

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _address = listener.accept()
            except OSError:
                return
            try:
                with self._in_order:
                    server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            self._sockets += [client, server]
            sprung: list[Trap] = []
            for target in (self._up, self._down):
                threading.Thread(
                    target=target, args=(client, server, sprung), daemon=True
                ).start()

    def _up(
        self, client: socket.socket, server: socket.socket, sprung: list[Trap]
    ) -> None:
        # A blocked recv would keep the socket open after `close`, and no RST be sent.
        with contextlib.suppress(OSError, ValueError):
            while True:
                if not select.select([client], [], [], 0.02)[0]:
                    continue
                data = client.recv(65536)
                if not data:
                    break
                self.sent += data
                for trap in self._traps:
                    if trap.catches(data):
                        self.sprung += 1
                        if trap.first:
                            with self._in_order:
                                trap.first()
                        sprung[:] = [trap] if trap.fault else []
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _down(
        self, client: socket.socket, server: socket.socket, sprung: list[Trap]
    ) -> None:
        passed = answered = 0
        is_stalled = False
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                time.sleep(self.delay)
                for old, new in self.replace.items():
                    data = data.replace(old, new)
                data = self.rewrite(data)
                self.received += len(data)
                if is_stalled:
                    continue
                if self.stall_at and self.stall_at in data:
                    data = data[: data.index(self.stall_at) + len(self.stall_at)]
                    is_stalled = True
                data, is_last = self._cut(data, passed)
                passed += len(data)
                if sprung:
                    data = data[: max(sprung[0].after - answered, 0)]
                    answered += len(data)
                    is_last = answered >= sprung[0].after
                self._send(client, data)
                if is_last and sprung and sprung[0].fault == "silence":
                    continue
                if is_last:
                    time.sleep(0.05)
                    if not (sprung and sprung[0].fault == "close"):
                        self._reset(client)
                    break
        for one in (client, server):
            with contextlib.suppress(OSError):
                one.close()

    def _send(self, client: socket.socket, data: bytes) -> None:
        if not (self.drip or self.pace):
            client.sendall(data)
            return
        step = 1 if self.drip else 1_000
        for start in range(0, len(data), step):
            client.sendall(data[start : start + step])
            drip, pace = self.drip, self.pace
            time.sleep(drip or (step / pace if pace else 0))

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
