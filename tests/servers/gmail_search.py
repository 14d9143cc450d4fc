"""The part of Gmail's search that a sync needs.

https://support.google.com/mail/answer/7190
"""

import re

from .gmail_store import Mail, Mailbox

_SIZE = re.compile(r"(\d+)([KM]?)", re.IGNORECASE)
#: A word, or some in braces of which any may hold.
_WORD = re.compile(r"\{[^}]*\}|\S+")
_PEOPLE = {"from": "From", "to": "To", "cc": "Cc", "bcc": "Bcc"}
_UNITS = {"": 1, "K": 1024, "M": 1024 * 1024}
_PLACES = {
    "draft": "DRAFT",
    "drafts": "DRAFT",
    "spam": "SPAM",
    "trash": "TRASH",
    "chat": "CHAT",
    "chats": "CHAT",
    "inbox": "INBOX",
    "sent": "SENT",
}


class BadQuery(ValueError):
    """A search that this server does not know: no test may rely on it."""


def search(mailbox: Mailbox, query: str, labels, with_hidden: bool) -> list[Mail]:
    """The mails that match, newest first."""
    tests = [_test(word) for word in _WORD.findall(query)]
    return [
        mail
        for mail in mailbox.newest_first()
        if mail.labels.issuperset(labels)
        if with_hidden or mail.labels.isdisjoint({"SPAM", "TRASH"} - set(labels))
        if all(test(mail) for test in tests)
    ]


def _test(word: str):
    if word.startswith("-"):
        inner = _test(word[1:])
        return lambda mail: not inner(mail)
    if word.startswith("{"):
        inners = [_test(one) for one in word.strip("{}").split()]
        return lambda mail: any(inner(mail) for inner in inners)
    name, _colon, value = word.partition(":")
    if name in _PEOPLE:
        return lambda mail: value in mail.header(_PEOPLE[name]).lower()
    if name == "in" and value in _PLACES:
        return lambda mail: _PLACES[value] in mail.labels
    if name in ("after", "before") and value.isdecimal():
        moment = int(value)
        if name == "after":
            return lambda mail: int(mail.at) > moment
        return lambda mail: int(mail.at) < moment
    if name in ("larger", "smaller"):
        found = _SIZE.fullmatch(value)
        if found:
            size = int(found[1]) * _UNITS[found[2].upper()]
            if name == "larger":
                return lambda mail: mail.size > size
            return lambda mail: mail.size < size
    if name == "rfc822msgid":
        return lambda mail: mail.header("Message-ID").strip().strip("<>") == value
    raise BadQuery(word)
