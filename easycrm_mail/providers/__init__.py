"""One mailbox service each, behind `base.Provider`. Knows nothing of Odoo."""

from .base import (
    Batch,
    Held,
    Provider,
    ReadChange,
    RemoteMessage,
    SetAside,
    Stream,
    StreamRole,
)
from .budget import Budget
from .errors import Gone, MailboxError, Permanent, Reconnect, Resync, Retry
from .gmail import GmailProvider
from .google_sign_in import GoogleSignIn
from .graph_client import GRAPH_LIMIT
from .imap import ImapProvider
from .microsoft_sign_in import MicrosoftSignIn
from .outlook import OutlookProvider

__all__ = [
    "GRAPH_LIMIT",
    "Batch",
    "Budget",
    "GmailProvider",
    "Gone",
    "GoogleSignIn",
    "Held",
    "ImapProvider",
    "MailboxError",
    "MicrosoftSignIn",
    "OutlookProvider",
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
