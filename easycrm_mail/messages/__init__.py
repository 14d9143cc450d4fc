"""What an email is: typed values, parsing, snippets. Knows nothing of Odoo."""

from .large import LargeMail
from .parser import extract_part, parse, parse_headers
from .signature import Signature, read_signature
from .snippet import introduces_quote
from .subjects import answered_subject, same_subject
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
    "Signature",
    "UnreadableMessage",
    "Word",
    "answered_subject",
    "extract_part",
    "introduces_quote",
    "parse",
    "parse_headers",
    "read_signature",
    "same_subject",
    "search_words",
    "split_words",
]
