"""An SMTP server on loopback that takes mail: aiosmtpd, with a switchboard of faults.

with SmtpSink({"anna@example.org": "s3cret"}) as sink:
    sink.break_("DATA", "cut")
    send(sink.host, sink.port)
    assert not sink.taken
"""

import argparse
import asyncio
import base64
import functools
import logging
import ssl
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from .dovecot import Dovecot

HOST = "127.0.0.1"

# Of passwords without TLS, and of deprecated names: they are nobody's.
logging.getLogger("mail.log").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Taken:
    """A mail that the server has taken, as it came over the wire."""

    sender: str
    recipients: list[str]
    raw: bytes


@dataclass
class Fault:
    """What becomes of a step.

    :ivar step: a command; `CONNECT`; `CONTENT` for the end of what follows DATA, `HALF`
        for the middle of it (the connection ends there)
    :ivar kind: `cut` (the connection ends before the step is served), `lose` (it is
        served, and the connection ends instead of the answer), `answer` (`answer` is
        said instead), `silence` (neither served nor answered); of `CONTENT` also `late`
        (served, never answered)
    """

    step: str
    kind: str
    answer: str = ""
    times: int = 1
    after: int = 0


class SmtpSink:
    """Serves in a thread; a context manager.

    :param users: login -> password; None: nobody signs in
    :param tls: offers STARTTLS, and takes no password without
    :param from_the_start: speaks TLS from the first byte instead
    :param size: bytes that a mail may have; 0: it does not tell
    :param deliver: gets what was taken, before the answer
    :ivar tokens: login -> access token that is taken in place of a password
    :ivar refused: recipient -> what is said of it
    :ivar taken: the mails, in order
    :ivar commands: what was asked
    """

    host = HOST

    def __init__(
        self,
        users: dict[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        size: int = 0,
        deliver: Callable[[Taken], object] | None = None,
        port: int = 0,
        from_the_start: bool = False,
    ):
        self.users, self.tls, self.size, self.deliver = users, tls, size, deliver
        self.from_the_start = from_the_start
        self.port = port
        self.tokens: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        self.taken: list[Taken] = []
        self.commands: list[str] = []
        self.faults: list[Fault] = []
        self.loop = asyncio.new_event_loop()
        self._ready = threading.Event()

    def break_(self, step: str, kind: str, answer: str = "", **kwargs) -> Fault:
        """Arm a `Fault`."""
        self.faults.append(Fault(step, kind, answer, **kwargs))
        return self.faults[-1]

    def mend(self) -> None:
        """Disarm all faults."""
        self.faults.clear()

    def take_fault(self, step: str) -> Fault | None:
        """The fault that a step meets, used up by one."""
        for fault in self.faults:
            if fault.step == step and fault.times:
                if fault.after:
                    fault.after -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_exc):
        self.loop.call_soon_threadsafe(self.loop.stop)

    def serve(self) -> None:
        """Serve until stopped."""
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(
            self.loop.create_server(
                self._connection,
                HOST,
                self.port,
                ssl=self.tls if self.from_the_start else None,
            )
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self.loop.run_forever()
        server.close()
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))

    def _connection(self) -> "_Smtp":
        with warnings.catch_warnings():
            # Of passwords without TLS: they are nobody's.
            warnings.simplefilter("ignore")
            return _Smtp(self)

    # What aiosmtpd calls.

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, _session, envelope: Envelope):
        fault = self.take_fault("CONTENT")
        if fault and fault.kind == "answer":
            return fault.answer
        if fault and fault.kind == "cut":
            server.hang_up()
        if fault and fault.kind == "silence":
            await asyncio.sleep(3600)
        taken = Taken(envelope.mail_from, envelope.rcpt_tos, envelope.content)
        if self.deliver:
            self.deliver(taken)
        self.taken.append(taken)
        if fault and fault.kind == "late":
            await asyncio.sleep(3600)
        if fault and fault.kind == "lose":
            server.hang_up()
        return "250 2.0.0 OK"

    async def auth_XOAUTH2(self, server, args):
        """A sign-in by a token, which is whatever `tokens` has."""
        said = base64.b64decode(args[1]).decode()
        user, bearer, *_end = said.split("\1")
        login = user.removeprefix("user=")
        good = self.tokens.get(login) == bearer.removeprefix("auth=Bearer ")
        if not good:
            # https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
            error = base64.b64encode(b'{"status":"401"}').decode()
            await server.push(f"334 {error}")
            await server._reader.readline()
        return AuthResult(success=good, handled=False)

    def check(self, _server, _session: Session, _envelope, mechanism, data):
        """Whether a login and a password are right."""
        good = self.users.get(data.login.decode()) == data.password.decode()
        return AuthResult(success=good, handled=False)


class _Smtp(SMTP):
    """One connection."""

    def __init__(self, sink: SmtpSink):
        self._sink = sink
        has_users = sink.users is not None
        super().__init__(
            sink,
            loop=sink.loop,
            data_size_limit=sink.size or None,
            enable_SMTPUTF8=False,
            hostname="sink.example",
            tls_context=None if sink.from_the_start else sink.tls,
            authenticator=sink.check if has_users else None,
            auth_required=has_users,
            auth_require_tls=bool(sink.tls) and not sink.from_the_start,
        )
        for command, method in self._smtp_methods.items():
            self._smtp_methods[command] = functools.partial(
                self._serve, command, method
            )

    def connection_made(self, transport):  # pylint: disable=missing-return
        super().connection_made(transport)
        if self._sink.take_fault("CONNECT"):
            transport.abort()

    def hang_up(self) -> None:
        """End the connection with RST, and what is being done."""
        self.transport.abort()
        raise ConnectionResetError

    async def _serve(self, command, method, argument):
        sink = self._sink
        sink.commands.append(command)
        fault = sink.take_fault(command)
        kind = fault.kind if fault else ""
        if kind == "cut":
            self.hang_up()
        if kind == "silence":
            await asyncio.sleep(3600)
        if kind == "answer":
            return await self.push(fault.answer)
        if kind == "lose":
            self.push = self._lose
        if command == "DATA" and sink.take_fault("HALF"):
            self._reader.readuntil = self._read_a_line
        return await method(argument)

    async def _lose(self, _status):
        self.hang_up()

    async def _read_a_line(self, separator=b"\n"):
        """Reads the first line of a mail, and hangs up."""
        line = await type(self._reader).readuntil(self._reader, separator)
        if line.startswith(b"Date"):
            return line
        return self.hang_up()


def into(server: Dovecot) -> Callable[[Taken], None]:
    """Delivers what is taken to those of its recipients who have a mailbox there."""

    def deliver(taken: Taken) -> None:
        for address in taken.recipients:
            if address in server.users:
                server.deliver(address, taken.raw)

    return deliver


def main() -> None:
    """Serve until ended; the address is the first line that is printed."""
    parser = argparse.ArgumentParser(prog="servers.smtp_sink", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user", action="append", default=[], metavar="LOGIN=PASSWORD")
    options = parser.parse_args()
    users = dict(one.split("=", 1) for one in options.user)
    with SmtpSink(users or None, port=options.port) as sink:
        sys.stdout.write(f"smtp://{sink.host}:{sink.port}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
