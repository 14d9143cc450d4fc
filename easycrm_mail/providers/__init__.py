"""One mailbox service each, behind `base.Provider`. Knows nothing of Odoo."""

from .base import (
    Batch,
    Provider,
    ReadChange,
    RemoteMessage,
    SetAside,
    Stream,
    StreamRole,
)
from .errors import Gone, MailboxError, Permanent, Reconnect, Resync, Retry
from .imap import ImapProvider

__all__ = [
    "Batch",
    "Gone",
    "ImapProvider",
    "MailboxError",
    "Permanent",
    "Provider",
    "ReadChange",
    "Reconnect",
    "RemoteMessage",
    "Resync",
    "Retry",
    "SetAside",
    "Stream",
    "StreamRole",
]
