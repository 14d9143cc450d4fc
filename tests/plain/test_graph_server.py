"""The loopback Graph minds what the real one minds: a test against it can fail."""

import pytest
import requests
from graph_mailbox import ADDRESS

from easycrm_mail.providers import graph_client

IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}


@pytest.fixture
def ask(graph):
    """Asks as the mailbox's owner; gives the answer."""
    graph.deliver(*range(6))

    def ask(path: str, json=None, **headers):
        headers = {"Authorization": f"Bearer {graph.tokens()}", **IMMUTABLE, **headers}
        url = f"{graph.server.url}/v1.0{path}"
        method = "POST" if json else "GET"
        return requests.request(method, url, json=json, headers=headers, timeout=5)

    return ask


def test_more_than_four_at_once_are_too_many(graph, ask):
    refs = [*graph.mailbox.messages]
    parts = [
        {"id": ref, "method": "GET", "url": f"/me/messages/{i}", "headers": IMMUTABLE}
        for i, ref in enumerate(refs)
    ]
    answers = ask("/$batch", {"requests": parts}).json()["responses"]
    busy = [one for one in answers if one["status"] == 429]
    assert len(busy) == 2
    assert "MailboxConcurrency" in busy[0]["body"]["error"]["message"]
    assert graph.server.most_at_once == 6
    graph.server.most_at_once = 0


def test_a_request_without_immutable_ids_is_noted(graph, ask):
    ask("/me", Prefer="odata.maxpagesize=5")
    assert graph.server.violations == ["no Prefer: GET /v1.0/me"]
    graph.server.violations.clear()


def test_what_is_against_the_schema_is_noted(graph, ask):
    message = next(iter(graph.mailbox.messages.values()))
    message.properties["isRead"] = "yes"
    message.properties["shoeSize"] = 44
    ask(f"/me/mailFolders/inbox/messages?$top={10}")
    assert len(graph.server.violations) == 2
    graph.server.violations.clear()


def test_a_batch_of_our_own_that_is_none_is_noted(graph, ask):
    ask("/$batch", {"requests": [{"id": 1, "method": "GET", "url": "me"}]})
    assert len(graph.server.violations) >= 2
    graph.server.violations.clear()


def test_ids_change_with_a_move_unless_immutable_ones_are_asked_for(graph, ask):
    key = next(iter(graph.mailbox.messages))

    def id_in(folder: str, prefer: str) -> set[str]:
        answer = ask(f"/me/mailFolders/{folder}/messages?$top=10", Prefer=prefer)
        return {one["id"] for one in answer.json()["value"]}

    before = id_in("inbox", "none"), id_in("inbox", IMMUTABLE["Prefer"])
    graph.mailbox.move(key, "archive")
    assert id_in("archive", IMMUTABLE["Prefer"]) <= before[1]
    assert not id_in("archive", "none") & before[0]
    graph.server.violations.clear()


def test_a_page_has_ten_items_where_nobody_asks_for_more(graph, ask):
    graph.deliver(*range(10, 30))
    path = "/me/mailFolders/inbox/messages/delta"
    assert len(ask(path).json()["value"]) == 10
    prefer = f"{IMMUTABLE['Prefer']}, odata.maxpagesize=15"
    assert len(ask(path, Prefer=prefer).json()["value"]) == 15
    assert "maxpagesize=200" in graph_client.PREFER


def test_a_token_of_nobody_is_refused(graph, ask):
    assert ask("/me", Authorization="Bearer x").status_code == 401
    assert ask("/me").json()["mail"] == ADDRESS
