"""A mailbox is asked itself where an email is, each service in its own way."""

import pytest
from conftest import mail
from gmail_mailbox import connect as connect_gmail
from gmail_mailbox import fill, running_gmail
from imap_mailbox import connect as connect_imap

from easycrm_mail.providers import Found, base, imap


def test_imap_looks_through_all_folders_but_those_never_read(mailbox):
    mailbox.create_folder("Projects/2025")
    mailbox.deliver(1, 2)
    mailbox.deliver(1, folder="Projects/2025")
    mailbox.deliver(1, folder="Trash")
    provider = connect_imap(mailbox)
    found = provider.find(message_id="<1@example.com>")
    assert [one.stream for one in found] == ["INBOX", "Projects/2025"]
    for one in found:
        assert b"Subject: mail 1\r\n" in provider.fetch(one.stream, one.ref).raw
    assert len(provider.find(address="anna@example.com")) == 3
    assert len(provider.find(address="bob@example.org")) == 3
    assert not provider.find(address="carl@example.org")
    assert not provider.find(message_id="<3@example.com>")
    provider.close()


@pytest.mark.parametrize(
    "text",
    [
        '<a"b\\c@x.example>',
        "<a(b)@x.example>",
        "<é@x.example>",
        "é (x)",
        '<x"\r\nA LOGOUT>',
    ],
)
def test_imap_takes_whatever_is_asked_for_as_a_text(plain_mailbox, text):
    provider = connect_imap(plain_mailbox)
    assert provider.find(message_id=text) == []
    assert provider.find(address=text) == []
    provider.close()


def test_imap_gives_the_newest_of_many(mailbox, monkeypatch):
    monkeypatch.setattr(imap, "MAX_FOUND", 2)
    mailbox.deliver(1, 2, 3)
    provider = connect_imap(mailbox)
    refs = [one.ref for one in provider.find(address="anna@example.com")]
    assert [provider.fetch("INBOX", ref).raw[80:] for ref in refs]
    assert [int(ref.partition(":")[2]) for ref in refs] == [3, 2]
    provider.close()


def test_gmail_is_asked_once(monkeypatch):
    with running_gmail(monkeypatch) as server:
        [ref, *_others] = fill(server, 3)
        server.mailbox.deliver(mail(0), at=0, labels={"TRASH"})
        provider = connect_gmail(server)
        server.calls.clear()
        assert provider.find(message_id="<0@example.com>") == [Found("all", ref)]
        assert len(server.calls) == 1
        assert len(provider.find(address="anna@example.com")) == 3
        assert not provider.find(address="carl@example.org")
        provider.close()


def test_graph_is_asked_once(graph):
    [ref, _other] = graph.deliver(1, 2)
    provider = graph.provider()
    graph.calls()
    found = provider.find(message_id="<1@example.com>")
    assert found == [Found(graph.inbox, ref)]
    assert len(graph.calls()) == 1
    assert len(provider.find(address="anna@example.com")) == 2
    assert not provider.find(message_id="<it's@example.com>")
    assert base.MAX_FOUND == 20
