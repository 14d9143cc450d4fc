"""What sending has left among the drafts of Microsoft 365 goes, and nothing else."""

from datetime import datetime, timedelta, timezone

import pytest
from conftest import raised
from graph_sending import drafts, outgoing, sent_mails
from sending import MESSAGE_ID
from servers.web import Answer

from easycrm_mail.providers import MailboxError, Refused

OTHER = "<2.x@chairs.example>"
#: Than anything that is changed here.
LATER = datetime.now(timezone.utc) + timedelta(days=1)


def leave_draft(graph, message_id=MESSAGE_ID):
    """An attempt of which nothing has left, nor could be cleared."""
    graph.server.break_("POST .*/send$", "refuse")
    graph.server.break_("GET .*/messages", "refuse", times=99, after=2)
    graph.server.break_("DELETE", "refuse", times=99)
    try:
        graph.provider().send(outgoing(message_id=message_id))
        raise AssertionError("it went out")
    except MailboxError:
        graph.server.mend()
    assert not graph.server.sent


def test_a_draft_of_ours_is_taken_away(graph):
    leave_draft(graph)
    [left] = drafts(graph)
    graph.provider().clear(MESSAGE_ID, LATER)
    assert not drafts(graph)
    # It is among the deleted mail, as anything that a user deletes.
    assert left.key not in [one.key for one in sent_mails(graph)]


def test_it_is_found_whatever_name_exchange_has_given_it(graph):
    graph.server.renames = "always"
    leave_draft(graph)
    assert MESSAGE_ID.encode() not in drafts(graph)[0].raw
    graph.provider().clear(MESSAGE_ID, LATER)
    assert not drafts(graph)


def test_what_has_gone_out_stays(graph):
    graph.provider().send(outgoing())
    before = graph.mailbox.contents()
    graph.provider().clear(MESSAGE_ID, LATER)
    assert graph.mailbox.contents() == before and sent_mails(graph)


def test_one_that_its_writer_has_gone_on_with_stays(graph):
    leave_draft(graph)
    [left] = drafts(graph)
    before = datetime.now(timezone.utc).replace(microsecond=0)
    left.changed = before
    graph.provider().clear(MESSAGE_ID, before)
    assert drafts(graph) == [left]
    graph.provider().clear(MESSAGE_ID, before + timedelta(seconds=1))
    assert not drafts(graph)


@pytest.mark.parametrize("answer", ["sent", "refused"])
def test_one_that_its_writer_has_gone_on_with_stays_when_it_is_sent_again(
    graph, answer
):
    leave_draft(graph)
    [left] = drafts(graph)
    left.received -= timedelta(minutes=10)
    left.touch()
    if answer == "sent":
        graph.provider().send(outgoing())
    else:
        refusal = Answer({"error": {"code": "ErrorInvalidRecipients"}}, 400)
        graph.server.break_("POST .*/send$", "answer", answer=refusal)
        raised(lambda: graph.provider().send(outgoing()), Refused, "recipients")
    assert drafts(graph) == [left]
    assert len(sent_mails(graph)) == (answer == "sent")


def test_another_draft_stays(graph):
    leave_draft(graph, OTHER)
    before = graph.mailbox.contents()
    graph.provider().clear(MESSAGE_ID, LATER)
    assert graph.mailbox.contents() == before and drafts(graph)


def test_where_nothing_is_left_two_calls_are_all(graph):
    provider = graph.provider()
    provider.check()
    before = len(graph.server.calls)
    provider.clear(MESSAGE_ID, LATER)
    assert len(graph.server.calls) == before + 2


def test_one_that_is_gone_meanwhile_is_no_error(graph):
    leave_draft(graph)
    [left] = drafts(graph)
    graph.server.break_("DELETE", "none", first=lambda: graph.mailbox.delete(left.key))
    graph.provider().clear(MESSAGE_ID, LATER)
    assert not drafts(graph)
