"""A service says something odd of one mail: that one is set aside, the others come."""

import re

import pytest
from conftest import LONG_AGO
from gmail_mailbox import fill
from imap_mailbox import connect, numbers
from servers.fault_proxy import FaultProxy
from servers.web import Answer

RAW = "RnJvbTogYUBiLmV4YW1wbGUNCg0KSGVsbG8"


@pytest.mark.parametrize(
    "odd",
    [
        {"raw": RAW, "labelIds": 5},
        {"raw": RAW, "labelIds": [["INBOX"]]},
        {"raw": None},
        {"raw": 5},
        {"payload": {"headers": [None]}},
        {"payload": {"headers": 5}},
        {"payload": {"headers": [{"name": "From", "value": "a@b.c"}], "parts": [5]}},
        {
            "payload": {"headers": [{"name": "From", "value": "a@b.c"}]},
            "sizeEstimate": float("inf"),
        },
    ],
    ids=str,
)
def test_at_gmail(gmail, provider, odd):
    refs = fill(gmail, 3)
    answer = Answer({"id": refs[1], **odd})
    gmail.break_(f"PART .*/{refs[1]}", "answer", answer=answer, times=99)
    gmail.break_(f"GET .*/messages/{refs[1]}", "answer", answer=answer, times=99)
    batch = provider.pull("all", "", LONG_AGO)
    assert [one.ref for one in batch.messages] == [refs[2], refs[0]]
    assert [one.ref for one in batch.set_aside] == [refs[1]]
    assert not batch.more


@pytest.mark.parametrize("odd", [5, "x", True, {"a": 1}, [5]], ids=str)
def test_a_size_of_outlook_that_is_none(graph, odd):
    """It is only how the mails are asked for."""
    odds, evens = graph.deliver(1, 2)
    item = {"receivedDateTime": "2025-03-04T10:00:00Z", "conversationId": "c"}
    items = [
        {"id": odds, **item, "singleValueExtendedProperties": odd},
        {"id": evens, **item},
    ]
    link = f"{graph.server.url}/v1.0/me/mailFolders/inbox/messages/delta?$deltatoken=a"
    answer = Answer({"value": items, "@odata.deltaLink": link})
    graph.server.break_(r"GET .*/messages/delta", "answer", answer=answer)
    batch = graph.provider().pull(graph.inbox, "", LONG_AGO)
    assert {one.ref for one in batch.messages} == {odds, evens}


def test_by_imap(mailbox):
    """A list in the place of the bytes."""
    mailbox.deliver(1, 2, 3)
    with FaultProxy(mailbox.host, mailbox.port) as proxy:
        mailbox.host, mailbox.port = proxy.host, proxy.port
        proxy.rewrite = lambda data: re.sub(
            rb"BODY\[\] \{\d+\}\r\n(?:(?!BODY\[\]).)*?Subject: mail 2.*?\r\n\)\r\n",
            b"BODY[] (a b))\r\n",
            data,
            flags=re.DOTALL,
        )
        provider = connect(mailbox)
        batch = provider.pull("INBOX", "", LONG_AGO)
        assert numbers(batch) == [3, 1]
        assert len(batch.set_aside) == 1
        provider.close()
