"""Bulk senders, behind one small protocol. Nothing in here knows Odoo."""

from .base import MAX_RECIPIENTS, TIMEOUT, Esp, Reports
from .errors import (
    Doubtful,
    EspError,
    Malformed,
    Permanent,
    Refused,
    Retry,
    Unverified,
)
from .mailgun import Mailgun
from .mailgun_reports import MailgunReports
from .sendgrid import SendGrid
from .sendgrid_reports import SendGridReports
from .values import (
    Accepted,
    Bulk,
    Event,
    EventKind,
    File,
    Recipient,
    Severity,
    Skeleton,
    Slot,
    Suppression,
    SuppressionPage,
    SuppressionReason,
)

__all__ = [
    "MAX_RECIPIENTS",
    "TIMEOUT",
    "Accepted",
    "Bulk",
    "Doubtful",
    "Esp",
    "EspError",
    "Event",
    "EventKind",
    "File",
    "Mailgun",
    "MailgunReports",
    "Malformed",
    "Permanent",
    "Recipient",
    "Refused",
    "Reports",
    "Retry",
    "SendGrid",
    "SendGridReports",
    "Severity",
    "Skeleton",
    "Slot",
    "Suppression",
    "SuppressionPage",
    "SuppressionReason",
    "Unverified",
]
