"""The copy of a mail that has gone out, in the folder of sent mail."""

from dataclasses import dataclass
from datetime import datetime

from .base import MAX_FOUND, Found, Stream, StreamRole
from .errors import Gone
from .imap_connection import Connection
from .imap_folders import streams_of

# Their servers put a copy there by themselves, a moment later: Gmail's, and Exchange's
# (https://learn.microsoft.com/en-us/exchange/mail-flow-best-practices/how-to-set-up-a-multifunction-device-or-application-to-send-email-using-microsoft-365-or-office-365)
_KEEPERS = (".office365.com", ".outlook.com")


@dataclass(frozen=True, slots=True)
class Copy:
    """Where a copy stands; empty where it does not yet, or nobody knows."""

    stream: str = ""
    ref: str = ""


def find_sent(connection: Connection, message_id: str) -> list[Found]:
    """Where a mail stands among those that were sent, or in the folder of all mail."""
    found = []
    for stream in streams_of(connection.folders()):
        if stream.role in (StreamRole.SENT, StreamRole.ALL):
            found += _find_in(connection, stream, message_id)
    return found


def keep_copy(
    connection: Connection, raw: bytes, message_id: str, date: datetime, host: str
) -> Copy:
    """Puts a copy among the sent mail, unless the server has done it itself.

    :param host: that it was sent through
    """
    sent = [
        one for one in streams_of(connection.folders()) if one.role is StreamRole.SENT
    ]
    if not sent:
        raise Gone("folder", "the mailbox has no folder of sent mail")
    for stream in sent:
        if found := _find_in(connection, stream, message_id):
            return Copy(stream.stream, found[0].ref)
    if connection.is_gmail or f".{host.lower()}".endswith(_KEEPERS):
        return Copy()
    stream = next((one for one in sent if one.default), sent[0])
    ref = connection.append(stream.stream, raw, date)
    if not ref and (found := _find_in(connection, stream, message_id)):
        ref = found[0].ref
    return Copy(stream.stream, ref) if ref else Copy()


def _find_in(connection: Connection, stream: Stream, message_id: str) -> list[Found]:
    validity = connection.examine(stream.stream).uid_validity
    uids = connection.find(["HEADER Message-ID"], message_id, MAX_FOUND)
    return [Found(stream.stream, f"{validity}:{uid}") for uid in uids]
