"""A small SMTP server on loopback that is signed in to and takes no mail."""

import base64
import contextlib
import json
import re
import socketserver
import ssl
import threading
from collections.abc import Callable


class SmtpServer:
    """Serves in threads; a context manager.

    :param users: login -> password
    :param tls: an `ssl.SSLContext`: offers STARTTLS, and takes no password without
    :param from_the_start: speaks TLS from the first byte
    :param answers: command -> what is said to it instead, say `AUTH`
    :param mechanisms: what one may sign in with
    :param is_token_of: gets a login and an access token, and says whether it is valid
    :ivar commands: what was asked, without what follows the first word
    """

    def __init__(
        self,
        users: dict[str, str],
        tls: ssl.SSLContext | None = None,
        from_the_start: bool = False,
        answers: dict[str, str] | None = None,
        mechanisms: tuple[str, ...] = ("PLAIN",),
        is_token_of: Callable[[str, str], bool] = lambda _login, _token: False,
    ):
        self.users = users
        self.tls = tls
        self.from_the_start = from_the_start
        self.answers = answers or {}
        self.mechanisms = mechanisms
        self.is_token_of = is_token_of
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
                    offers.append(f"AUTH {' '.join(self.mechanisms)}")
                lines = [f"250-{one}\r\n" for one in offers[:-1]]
                line.sendall(f"{''.join(lines)}250 {offers[-1]}\r\n".encode())
            elif command == "STARTTLS" and self.tls and not is_safe:
                line.sendall(b"220 go ahead\r\n")
                line, is_safe = self.tls.wrap_socket(line, server_side=True), True
            elif command == "AUTH":
                line.sendall(self._check(line, words))
            elif command == "QUIT":
                line.sendall(b"221 bye\r\n")
                return
            else:
                line.sendall(b"502 not here\r\n")

    def _check(self, line, words):
        if words[1] not in self.mechanisms:
            return b"504 5.5.4 unrecognized authentication type\r\n"
        if words[1] != "PLAIN":
            return self._check_token(line, base64.b64decode(words[-1]).decode())
        _zero, login, password = base64.b64decode(words[-1]).decode().split("\0")
        if self.users.get(login) == password:
            return b"235 2.7.0 welcome\r\n"
        return f"535 5.7.8 {password} is wrong\r\n".encode()

    def _check_token(self, line, said):
        login, token = re.fullmatch(
            r"(?:user=|n,a=)(.*?),?\x01auth=Bearer (.*)\x01\x01", said
        ).groups()
        if self.is_token_of(login, token):
            return b"235 2.7.0 welcome\r\n"
        challenge = json.dumps({"status": "401", "schemes": "bearer"}).encode()
        line.sendall(b"334 " + base64.b64encode(challenge) + b"\r\n")
        self.commands.append(f"AUTH: {self._read(line)}")
        return f"535 5.7.8 {token} is wrong\r\n".encode()

    @staticmethod
    def _read(line):
        text = b""
        while not text.endswith(b"\r\n"):
            piece = line.recv(1)
            if not piece:
                return ""
            text += piece
        return text.decode().strip()
