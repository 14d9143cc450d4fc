"""One mailbox service each, behind `base.Provider`. Knows nothing of Odoo."""

from .base import (
    Batch,
    Found,
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
from .imap import ImapProvider
from .microsoft_sign_in import MicrosoftSignIn
from .outlook import OutlookProvider

__all__ = [
    "Batch",
    "Budget",
    "Found",
    "GmailProvider",
    "Gone",
    "GoogleSignIn",
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
