"""What an email is: typed values, parsing, snippets. Knows nothing of Odoo."""

from .large import LargeMail
from .parser import extract_part, parse, parse_headers
from .snippet import introduces_quote
from .values import (
    Address,
    Attachment,
    Message,
    Participant,
    Role,
    UnreadableMessage,
)
from .words import Word, search_words, split_words

__all__ = [
    "Address",
    "Attachment",
    "LargeMail",
    "Message",
    "Participant",
    "Role",
    "UnreadableMessage",
    "Word",
    "extract_part",
    "introduces_quote",
    "parse",
    "parse_headers",
    "search_words",
    "split_words",
]
