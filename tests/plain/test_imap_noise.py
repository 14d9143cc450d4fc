"""Servers that say what nobody has asked for: it is not kept without end."""

import re

import pytest
from conftest import LONG_AGO
from imap_mailbox import connect, numbers
from servers.fault_proxy import FaultProxy

from easycrm_mail.messages.mime import MAX_PARTS
from easycrm_mail.providers import Retry, imap_client, imap_structure

LIMIT = 2_000_000


def test_what_nobody_asked_for_is_not_gathered_over_many_commands(mailbox, monkeypatch):
    """No answer is too long, all together are."""
    monkeypatch.setattr(imap_client, "MAX_ANSWER_BYTES", LIMIT)
    mailbox.deliver(1)
    with FaultProxy(mailbox.host, mailbox.port) as proxy:
        mailbox.host, mailbox.port = proxy.host, proxy.port
        provider = connect(mailbox)
        connection = provider._connected()
        connection.examine("INBOX")
        noise = b"* X-NOISE " + b"x" * (LIMIT // 4) + b"\r\n"
        proxy.rewrite = lambda data: re.sub(
            rb"(?m)^\w+ OK ", lambda found: noise + found[0], data
        )
        with pytest.raises(Retry, match="far more"):
            for _command in range(8):
                assert list(connection.outlines([1])) == [1]
        proxy.heal()
        provider.close()
        assert numbers(provider.pull("INBOX", "", LONG_AGO)) == [1]
        provider.close()


def test_of_a_structure_without_end_only_the_first_parts_are_looked_at(monkeypatch):
    made = []

    def count(headers, content):
        made.append(headers)
        return make_part(headers, content)

    make_part = imap_structure.make_part
    monkeypatch.setattr(imap_structure, "make_part", count)
    leaf = (b"APPLICATION", b"PDF", None, None, None, b"BASE64", 8)
    structure = (*[leaf] * (MAX_PARTS * 3), b"MIXED")
    assert len(imap_structure.attachments_of(structure)) == MAX_PARTS
    assert len(made) == MAX_PARTS
