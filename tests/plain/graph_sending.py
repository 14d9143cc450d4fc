"""A mail that goes out by Microsoft Graph, and where it stands."""

from graph_mailbox import ADDRESS
from sending import MB, draft

from easycrm_mail.messages import File
from easycrm_mail.providers import Found, Outgoing

LARGE = (File("a.bin", "application/pdf", bytes(4 * MB)),)


def outgoing(reply_to: Found | None = None, **kwargs) -> Outgoing:
    """A mail of that mailbox's user."""
    return Outgoing(draft(**{"sender": ("Mira", ADDRESS), **kwargs}), reply_to=reply_to)


def drafts(graph) -> list:
    """What stands in Drafts."""
    return graph.mailbox.in_folder(graph.mailbox.folder("drafts"))


def sent_mails(graph) -> list:
    """What stands in Sent Items."""
    return graph.mailbox.in_folder(graph.mailbox.folder("sentitems"))
