"""A list whose next page is the page before has no end: that is an error, told soon."""

from datetime import datetime, timedelta, timezone

from conftest import LONG_AGO, raised
from gmail_mailbox import fill
from servers.web import Answer

from easycrm_mail.providers import Resync, Retry

VOID = (Resync, "checkpoint")
STARTS = [datetime.now(timezone.utc) - timedelta(days=7)]


def test_a_delta_query(graph):
    """The first page leads to one that leads to itself."""
    link = f"{graph.server.url}/v1.0/me/mailFolders/inbox/messages/delta?$skiptoken=a"
    answer = Answer({"value": [], "@odata.nextLink": link})
    graph.server.break_(r"GET .*/messages/delta", "answer", answer=answer, times=99)
    provider = graph.provider()
    batch = provider.pull(graph.inbox, "", LONG_AGO)
    raised(lambda: provider.pull(graph.inbox, batch.checkpoint, LONG_AGO), *VOID)
    graph.server.mend()
    # (a deltaLink may stay the same)
    checkpoint = provider.pull(graph.inbox, "", LONG_AGO).checkpoint
    assert not provider.pull(graph.inbox, checkpoint, LONG_AGO).more


def test_what_a_folder_of_outlook_holds(graph):
    link = f"{graph.server.url}/v1.0/me/mailFolders/inbox/messages?$skip=1"
    answer = Answer({"value": [], "@odata.nextLink": link})
    graph.server.break_(r"GET .*/messages\?", "answer", answer=answer, times=99)
    raised(lambda: graph.provider().held(graph.inbox, STARTS), Retry, "answer")


def test_a_listing_of_gmail(gmail, provider):
    [ref] = fill(gmail, 1)
    answer = Answer({"messages": [{"id": ref}], "nextPageToken": "same"})
    gmail.break_(r"GET .*/messages\?", "answer", answer=answer, times=99)
    batch = provider.pull("all", "", LONG_AGO)
    raised(lambda: provider.pull("all", batch.checkpoint, LONG_AGO), *VOID)


def test_what_gmail_holds(gmail, provider):
    answer = Answer({"nextPageToken": "same"})
    gmail.break_(r"GET .*/messages\?", "answer", answer=answer, times=9_999)
    raised(lambda: provider.held("all", STARTS), Retry, "answer")
