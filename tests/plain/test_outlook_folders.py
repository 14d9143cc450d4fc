"""Which folders are read, whose mailbox it is, and its addresses."""

import pytest
from graph_mailbox import ADDRESS, LONG_AGO, Ledger, mail, numbers

from easycrm_mail.providers import Gone, Permanent, StreamRole

SHARED = "info@chairs.example"


def test_folders_are_told_by_what_they_are_not_by_their_names(graph):
    found = {one.stream: one for one in graph.provider().streams()}
    known = graph.mailbox.well_known
    assert {
        name: (found[known[name]].role, found[known[name]].default)
        for name in ("inbox", "sentitems", "archive")
    } == {
        "inbox": (StreamRole.INBOX, True),
        "sentitems": (StreamRole.SENT, True),
        "archive": (StreamRole.ARCHIVE, False),
    }
    assert len(found) == 3
    assert [one.name for one in graph.provider().streams()] == [
        "Inbox",
        "Gesendete Elemente",
        "Archiv",
    ]


def test_folders_within_folders_are_found_over_pages(graph):
    top = graph.mailbox.add_folder("Kunden")
    ids = [graph.mailbox.add_folder(f"K{n}", top) for n in range(12)]
    deep = graph.mailbox.add_folder("2024", ids[3])
    graph.mailbox.add_folder("unter Posteingang", "inbox")
    names = {one.stream: one.name for one in graph.provider().streams()}
    assert names[deep] == "Kunden/K3/2024"
    assert {*ids} <= names.keys()
    assert "Posteingang/unter Posteingang" in names.values()
    assert len(names) == 3 + 1 + 12 + 1 + 1


def test_hidden_ones_and_what_lies_in_the_trash_are_left_out(graph):
    graph.mailbox.add_folder("versteckt", is_hidden=True)
    old = graph.mailbox.add_folder("alt", "deleteditems")
    graph.mailbox.add_folder("tiefer", old)
    graph.mailbox.add_folder("Entwürfe 2", "drafts")
    assert len(graph.provider().streams()) == 3


def test_a_mailbox_without_archive_or_chat_has_the_rest(graph):
    for name in ("archive", "conversationhistory", "syncissues"):
        graph.mailbox.remove_folder(name)
        del graph.mailbox.well_known[name]
    assert [one.role for one in graph.provider().streams()] == [
        StreamRole.INBOX,
        StreamRole.SENT,
    ]


def test_aliases_are_the_mail_addresses(graph):
    assert graph.provider().aliases() == [ADDRESS, "m.berg@chairs.example"]


def test_check_looks_at_the_inbox(graph):
    graph.provider().check()
    assert graph.calls() == ["GET /v1.0/me/mailFolders/inbox?%24select=id"]


# --- a shared mailbox ---


@pytest.fixture
def shared(graph):
    """A mailbox that Mira may open."""
    return graph.server.add_mailbox(SHARED, ["office@chairs.example"], [ADDRESS])


def test_a_shared_mailbox_is_read_with_ones_own_sign_in(graph, shared):
    shared.deliver(mail(1))
    provider = graph.provider(SHARED)
    provider.check()
    inbox = provider.streams()[0].stream
    assert inbox == shared.folder("inbox") != graph.inbox
    graph.deliver(2)
    ledger = Ledger()
    batches = ledger.sync(provider, inbox)
    assert numbers(batches[0]) == [1]
    assert ledger.matches(shared, inbox)
    assert provider.fetch(inbox, batches[0].messages[0].ref).raw == mail(1)
    assert all("/me/" not in call for call in graph.calls())


def test_of_a_shared_mailbox_the_directory_may_be_closed(graph, shared):
    assert graph.provider(SHARED).aliases() == []


def test_a_mailbox_that_is_not_shared_with_one_is_forbidden(graph):
    graph.server.add_mailbox(SHARED, members=["jonas@chairs.example"])
    provider = graph.provider(SHARED)
    for call in (
        provider.check,
        provider.streams,
        lambda: provider.pull("inbox", "", LONG_AGO),
    ):
        with pytest.raises(Permanent) as caught:
            call()
        assert caught.value.code == "forbidden"
        assert "Access is denied" in caught.value.detail


def test_a_mailbox_that_is_none_is_forbidden_too(graph):
    with pytest.raises(Permanent) as caught:
        graph.provider("nobody@chairs.example").check()
    assert caught.value.code == "forbidden"


@pytest.mark.parametrize("mailbox", ["../me", "a/b@x", "x?y=1", "me/messages"])
def test_an_address_cannot_leave_its_place(graph, mailbox):
    with pytest.raises((Permanent, Gone)):
        graph.provider(mailbox).check()
    (call,) = graph.calls()
    assert call.startswith("GET /v1.0/users/") and call.count("/") == 5
