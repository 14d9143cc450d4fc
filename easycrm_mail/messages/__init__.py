"""What an email is: typed values, parsing, snippets. Knows nothing of Odoo."""

from .bounces import Bounce, Undelivered, read_bounce
from .html_tags import has_many_attributes
from .large import LargeMail
from .parser import extract_part, parse, parse_headers
from .private import looks_private
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
from .writing import Draft, size_of, write
from .writing_header import BadHeader, check_address, is_id
from .writing_parts import File

__all__ = [
    "Address",
    "Attachment",
    "BadHeader",
    "Bounce",
    "Draft",
    "File",
    "LargeMail",
    "Message",
    "Participant",
    "Role",
    "Signature",
    "Undelivered",
    "UnreadableMessage",
    "Word",
    "answered_subject",
    "check_address",
    "extract_part",
    "has_many_attributes",
    "introduces_quote",
    "is_id",
    "looks_private",
    "parse",
    "parse_headers",
    "read_bounce",
    "read_signature",
    "same_subject",
    "search_words",
    "size_of",
    "split_words",
    "write",
]
