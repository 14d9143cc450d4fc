"""A small SMTP server on loopback that is signed in to and takes no mail."""

import base64
import contextlib
import socketserver
import ssl
import threading


class SmtpServer:
    """Serves in threads; a context manager.

    :param users: login -> password
    :param tls: an `ssl.SSLContext`: offers STARTTLS, and takes no password without
    :param from_the_start: speaks TLS from the first byte
    :param answers: command -> what is said to it instead, say `AUTH`
    :ivar commands: what was asked, without what follows the first word
    """

    def __init__(
        self,
        users: dict[str, str],
        tls: ssl.SSLContext | None = None,
        from_the_start: bool = False,
        answers: dict[str, str] | None = None,
    ):
        self.users = users
        self.tls = tls
        self.from_the_start = from_the_start
        self.answers = answers or {}
        self.commands: list[str] = []
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            """One connection."""

            def handle(self):
                # (a client may hang up whenever it likes)
                with contextlib.suppress(OSError):
                    outer.serve(self.request)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,)).start()
        return self

    def __exit__(self, *_exc):
        self._server.shutdown()
        self._server.server_close()

    def serve(self, line):
        """Talk on one connection until it ends."""
        is_safe = False
        if self.from_the_start:
            line, is_safe = self.tls.wrap_socket(line, server_side=True), True
        line.sendall(b"220 mail.example ESMTP\r\n")
        while True:
            words = self._read(line).split(" ")
            command = words[0].upper()
            if not command:
                return
            self.commands.append(command)
            if command in self.answers:
                line.sendall(f"{self.answers[command]}\r\n".encode())
            elif command in ("EHLO", "HELO"):
                offers = ["mail.example"]
                if self.tls and not is_safe:
                    offers.append("STARTTLS")
                if is_safe or not self.tls:
                    offers.append("AUTH PLAIN")
                lines = [f"250-{one}\r\n" for one in offers[:-1]]
                line.sendall(f"{''.join(lines)}250 {offers[-1]}\r\n".encode())
            elif command == "STARTTLS" and self.tls and not is_safe:
                line.sendall(b"220 go ahead\r\n")
                line, is_safe = self.tls.wrap_socket(line, server_side=True), True
            elif command == "AUTH":
                line.sendall(self._check(words))
            elif command == "QUIT":
                line.sendall(b"221 bye\r\n")
                return
            else:
                line.sendall(b"502 not here\r\n")

    def _check(self, words):
        _zero, login, password = base64.b64decode(words[-1]).decode().split("\0")
        if self.users.get(login) == password:
            return b"235 2.7.0 welcome\r\n"
        return f"535 5.7.8 {password} is wrong\r\n".encode()

    @staticmethod
    def _read(line):
        text = b""
        while not text.endswith(b"\r\n"):
            piece = line.recv(1)
            if not piece:
                return ""
            text += piece
        return text.decode().strip()
