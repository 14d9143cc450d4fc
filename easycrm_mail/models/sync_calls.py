"""What a sync does over the network, in the pool: no record is touched here."""

from dataclasses import dataclass, field
from io import BytesIO

from ..messages import LargeMail, UnreadableMessage, parse, parse_headers
from ..providers import Batch, Gone, SetAside
from .ingest import Read

#: Parsing copies a mail three times over: a larger one is read more slowly, without.
COPIED_BYTES = 4_000_000

#: Of a service's limit, what single mails leave to what must not wait for them.
RESERVE_SHARE = 20


@dataclass
class Pulled:
    """What one call brought, parsed.

    :ivar gone: refs that were asked for again and are not in the mailbox any more
    """

    batch: Batch
    reads: list[Read] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


def read_all(remotes, set_aside=()):
    """Parse what was fetched; what cannot be read is set aside (law 2).

    :return: (list of Read, list of SetAside)
    """
    reads, aside = [], list(set_aside)
    for remote in remotes:
        try:
            reads.append(Read(remote, _parse(remote)))
        except UnreadableMessage as error:
            aside.append(SetAside(remote.ref, str(error)))
    return reads, aside


def _parse(remote):
    if remote.headers_only:
        return parse_headers(remote.raw, remote.received_at)
    if len(remote.raw) > COPIED_BYTES:
        return LargeMail(BytesIO(remote.raw)).parse(remote.received_at)
    return parse(remote.raw, remote.received_at)


def list_streams(provider):
    """Ask which folders the mailbox has."""
    return provider.streams()


def pull(provider, stream, checkpoint, since):
    """Pull one batch and parse it."""
    batch = provider.pull(stream, checkpoint, since)
    return Pulled(batch, *read_all(batch.messages, batch.set_aside))


def ask_held(provider, stream, starts, page):
    """Ask which mails a stream holds of the days that begin with these moments."""
    return provider.held(stream, starts, page)


def fetch_again(provider, stream, ref):
    """Fetch a mail that was set aside, left out or missed."""
    try:
        remote = provider.fetch(stream, ref)
    except Gone:
        return Pulled(_last_of(provider), gone=[ref])
    return Pulled(_last_of(provider), *read_all([remote]))


def _last_of(provider):
    """Return a batch of nothing, with a pause when the service's limit is near."""
    budget, pause = provider.budget, 0
    if budget and budget.left() < budget.limit // RESERVE_SHARE:
        pause = budget.wait(budget.free // 2)
    return Batch(checkpoint="", pause=pause)
