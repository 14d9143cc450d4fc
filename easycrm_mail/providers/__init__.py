"""One mailbox service each, behind `base.Provider`. Knows nothing of Odoo."""

from .base import (
    Batch,
    Held,
    Glance,
    Found,
    Provider,
    ReadChange,
    RemoteMessage,
    SetAside,
    Skim,
    Stream,
    StreamRole,
)
from .budget import Budget
from .errors import (
    Doubtful,
    Gone,
    MailboxError,
    Permanent,
    Reconnect,
    Refused,
    Resync,
    Retry,
)
from .gmail import GmailProvider
from .google_sign_in import GoogleSignIn
from .graph_client import GRAPH_LIMIT
from .imap import ImapProvider
from .microsoft_sign_in import MicrosoftSignIn
from .outlook import OutlookProvider
from .sending import Outgoing, SendLimits, Sent, SmtpSettings
from .smtp import check_smtp

__all__ = [
    "GRAPH_LIMIT",
    "Batch",
    "Budget",
    "Doubtful",
    "Found",
    "Glance",
    "GmailProvider",
    "Gone",
    "GoogleSignIn",
    "Held",
    "ImapProvider",
    "MailboxError",
    "MicrosoftSignIn",
    "Outgoing",
    "OutlookProvider",
    "Permanent",
    "Provider",
    "ReadChange",
    "Reconnect",
    "Refused",
    "RemoteMessage",
    "Resync",
    "Retry",
    "SendLimits",
    "Sent",
    "SetAside",
    "Skim",
    "SmtpSettings",
    "Stream",
    "StreamRole",
    "check_smtp",
]
