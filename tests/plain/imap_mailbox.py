"""A provider for a mailbox on Dovecot, and what it hands over."""

from conftest import LONG_AGO

from easycrm_mail.providers import ImapProvider


def connect(mailbox, **kwargs) -> ImapProvider:
    """A provider for a mailbox."""
    return ImapProvider(
        mailbox.host, mailbox.port, "none", mailbox.login, mailbox.password, **kwargs
    )


def numbers(batch) -> list[int]:
    """Which mails a batch holds."""
    return [
        int(one.raw.split(b"Subject: mail ")[1].split()[0]) for one in batch.messages
    ]


def pull_all(provider, checkpoint="", stream="INBOX", since=LONG_AGO) -> list:
    """Batches until there are no more."""
    batches = [provider.pull(stream, checkpoint, since)]
    while batches[-1].more:
        batches.append(provider.pull(stream, batches[-1].checkpoint, since))
        assert len(batches) < 100
    return batches


def settle(provider, stream="INBOX") -> str:
    """Reads a folder to the end; gives the checkpoint."""
    checkpoint = pull_all(provider, stream=stream)[-1].checkpoint
    return provider.pull(stream, checkpoint, LONG_AGO).checkpoint


def uids(refs) -> list[int]:
    """The UIDs of refs."""
    return [int(ref.split(":")[1]) for ref in refs]
