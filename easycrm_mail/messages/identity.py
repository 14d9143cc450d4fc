"""Message-IDs, and the digest that tells two mails with one Message-ID apart."""

import hashlib
import re
from collections.abc import Iterable

from .headers import Headers, first

MAX_REFERENCES = 200
_MAX_ID = 500

_TOKEN = re.compile(r"<([^<>]*)>|([^<>\s,;\"']+)")
_SPACE = re.compile(r"\s+")


def read_ids(value: str, bare: bool = True) -> list[str]:
    """The Message-IDs of a Message-ID, In-Reply-To or References value, in order.

    Each with its angle brackets, once. White space within one comes from folding and is
    taken out. An ID longer than 500 characters becomes a hash of itself, so that it
    fits an index and is still the same wherever it stands.

    :param bare: take tokens without brackets too, where they hold an "@"
    """
    found: dict[str, None] = {}
    for match in _TOKEN.finditer(value):
        token = match[1]
        if token is None:
            if not bare or "@" not in match[2]:
                continue
            token = match[2]
        token = _SPACE.sub("", token)
        if len(token) > _MAX_ID:
            token = f"{_sha256(token)}@long.invalid"
        if token:
            found[f"<{token}>"] = None
    return list(found)


def message_id_of(headers: Headers, digest: str) -> str:
    """The Message-ID; where there is none, one made from the digest."""
    value = first(headers, "message-id")
    ids = read_ids(value)
    if not ids and value and len(value.split()) == 1:
        ids = read_ids(f"<{value.strip('<>')}>")
    return ids[0] if ids else f"<{digest}@missing.invalid>"


def in_reply_to_of(headers: Headers) -> str:
    """What the mail answers, or an empty string.

    Old programs write a sentence with an address around the ID: brackets count first.
    """
    value = first(headers, "in-reply-to")
    ids = read_ids(value, bare=False) or read_ids(value)
    return ids[0] if ids else ""


def references_of(headers: Headers, in_reply_to: str) -> tuple[str, ...]:
    """References, oldest first, then In-Reply-To where it is not among them.

    Of more than 200 the first, the root of the thread, and the last are kept.
    """
    ids = read_ids(" ".join(headers.get("references", ())))
    if in_reply_to and in_reply_to not in ids:
        ids.append(in_reply_to)
    if len(ids) > MAX_REFERENCES:
        ids = [ids[0], *ids[1 - MAX_REFERENCES :]]
    return tuple(ids)


def digest_of(
    senders: Iterable[str],
    date: str,
    subject: str,
    texts: Iterable[str],
    sums: Iterable[str],
) -> str:
    """What an email is known by beside its Message-ID: 64 hex digits.

    SHA-256 over UTF-8, the following joined by newlines:

    1. `1`, the version of this recipe: it never changes for a mail already stored
    2. the From addresses in lower case, joined by commas
    3. the Date field
    4. the Subject, decoded
    5. the text/plain parts, then the text/html parts as they came (not the text made
       of them, which another release may make otherwise), a line each
    6. of each attachment the SHA-256 of its bytes, a line each

    3 to 5 with each run of white space as one space, as servers fold and wrap anew;
    what `str.split` takes for white space, that is.

    :param sums: of the attachments, hex

    All that can be read is in it: whoever brings in another mail of the same digest
    knows all of it already, and sees nothing that his own mail does not hold.
    """
    fields = ["1", ",".join(senders).lower()]
    fields += [" ".join(value.split()) for value in (date, subject, *texts)]
    fields += sums
    return _sha256("\n".join(fields))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
