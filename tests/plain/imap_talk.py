"""What an IMAP server says, line by line, and the error that follows from it."""

import socket
import ssl
import threading

import pytest
from servers.fault_proxy import FaultProxy

from easycrm_mail.providers import ImapProvider, MailboxError


@pytest.fixture
def proxy(mailbox):
    """A proxy before the mailbox, through which providers connect from now on."""
    with FaultProxy(mailbox.host, mailbox.port) as proxy:
        mailbox.host, mailbox.port = proxy.host, proxy.port
        yield proxy


@pytest.fixture
def server():
    """Says what it is told to, line by line; gives a function that starts it."""
    listeners = []

    def start(*lines: bytes, context: ssl.SSLContext | None = None) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve():
            while True:
                try:
                    client, _address = listener.accept()
                    if context:
                        client = context.wrap_socket(client, server_side=True)
                    with client:
                        client.sendall(lines[0])
                        for line in lines[1:]:
                            said = client.recv(65536).split(b" ")
                            if len(said) > 1:
                                tag = said[0]
                            client.sendall(line.replace(b"TAG", tag))
                        client.recv(65536)
                except OSError:
                    if listener.fileno() < 0:
                        return

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1]

    yield start
    for listener in listeners:
        listener.close()


GREETING = b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\r\n"


CAPABILITY = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nTAG OK done\r\n"


def raised(provider, code: str, kind: type[MailboxError]) -> MailboxError:
    """What `check` raises; it must be of that kind and code."""
    with pytest.raises(MailboxError) as caught:
        provider.check()
    provider.close()
    assert (type(caught.value), caught.value.code) == (kind, code)
    return caught.value


def at(port: int, **kwargs) -> ImapProvider:
    """A provider for a port of ours."""
    kwargs = {"security": "none", "timeout": 1, **kwargs}
    return ImapProvider("127.0.0.1", port, login="anna", password="s3cret", **kwargs)
