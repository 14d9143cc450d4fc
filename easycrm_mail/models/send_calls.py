"""What sending does over the network, in the pool: no record is touched here."""

from contextlib import suppress
from typing import NamedTuple

from ..providers import Gone, RemoteMessage, Sent
from .ingest import Read
from .sync_calls import read_all


class Handed(NamedTuple):
    """A mail that has gone out, and its copy, parsed.

    :ivar reads: of the copy, as `Ingest` takes it; empty if it cannot be read
    """

    sent: Sent
    reads: list[Read]


def hand_over(provider, mail):
    """Send a mail: once."""
    sent = provider.send(mail)
    remote = RemoteMessage(sent.ref, sent.raw, is_read=True, thread_ref=sent.thread_ref)
    return Handed(sent, read_all([remote])[0])


def clear(provider, message_id, before):
    """Take away the drafts of a mail that is not to go out any more.

    :param datetime before: those that were changed later stay
    """
    provider.clear(message_id, before)


def look_for(provider, message_id):
    """Ask the mailbox for a mail that may have gone out.

    :return: a `Handed`, or None if it is not there
    """
    for place in provider.sent(message_id):
        with suppress(Gone):
            remote = provider.fetch(place.stream, place.ref)
            reads, _aside = read_all([remote])
            own = reads[0].message.message_id if reads else ""
            sent = Sent(own, remote.thread_ref, place.stream, place.ref, remote.raw)
            return Handed(sent, reads)
    return None
