"""A mailbox on Dovecot whose mail goes out by SMTP: fixtures, and what helps."""

import pytest
import sending
from conftest import PASSWORD
from servers.smtp_sink import HOST, SmtpSink

from easycrm_mail.messages import Draft
from easycrm_mail.providers import ImapProvider, Outgoing, SmtpSettings


def draft(login: str, **kwargs) -> Draft:
    """A mail of that mailbox's user to two people."""
    to = ("Bob", "bob@example.org"), ("Carl", "carl@example.org")
    return sending.draft(**{"sender": ("Anna", login), "to": to, **kwargs})


@pytest.fixture
def sink(mailbox):
    with SmtpSink({mailbox.login: PASSWORD}) as sink:
        yield sink


@pytest.fixture
def connect():
    """Gives a provider, closed at the end."""
    made = []

    def connect(
        mailbox, smtp, imap=None, timeout=5, host=HOST, security="none"
    ) -> ImapProvider:
        imap = imap or mailbox
        settings = smtp and SmtpSettings(host, smtp.port, security)
        account = mailbox.login, PASSWORD
        made.append(
            ImapProvider(
                imap.host, imap.port, "none", *account, timeout=timeout, smtp=settings
            )
        )
        return made[-1]

    yield connect
    for one in made:
        one.close()


@pytest.fixture
def send(mailbox, sink, connect):
    """Sends a mail by the sink."""

    def send(timeout=5, **kwargs):
        provider = connect(mailbox, sink, timeout=timeout)
        return provider.send(Outgoing(draft(mailbox.login, **kwargs)))

    return send


def sent_mails(mailbox) -> list[tuple[bytes, bool]]:
    """What stands in Sent: bytes, and whether it is read."""
    held = mailbox.held("Sent").values()
    return [(raw.replace(b"\n", b"\r\n"), is_read) for raw, is_read in held]
