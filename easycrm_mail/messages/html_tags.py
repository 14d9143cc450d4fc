"""Whether a parser would take too long for an HTML body."""

import re

#: Attributes of one tag: no mail program writes a third as many. For each, a parser
#: looks through all those before it; fifty thousand take it a minute.
MOST_ATTRIBUTES = 100

# Attributes that are looked at: more than a body of a million characters has.
_LOOKED_AT = 300_000

# Whatever may be a tag, also within comments and quotes: what counts there is the
# parser's to say.
_TAG = re.compile(r"<[^ \t\r\n<>/!?][^ \t\r\n/>]*")
_ATTRIBUTE = re.compile(
    r"""(?P<before>[ \t\r\n/]*)(?P<name>[^ \t\r\n/>][^ \t\r\n/>=]*)
    (?:[ \t\r\n]*=[ \t\r\n]*(?:(?P<quoted>"[^"]*"|'[^']*')|[^ \t\r\n>]*))?""",
    re.VERBOSE,
)
_NAME = re.compile(r"[A-Za-z_:.][A-Za-z0-9_:.-]*")
_ENDING = re.compile(r"[ \t\r\n>]")


def has_many_attributes(html: str) -> bool:
    """Whether a tag has too many attributes for a parser, or may have."""
    looked_at = 0
    for tag in _TAG.finditer(html):
        position = tag.end()
        for count in range(MOST_ATTRIBUTES + 1):
            attribute = _ATTRIBUTE.match(html, position)
            if not attribute:
                looked_at += count
                break
            if _is_read_otherwise(attribute):
                return True
            position = attribute.end()
        else:
            return True
        if looked_at > _LOOKED_AT:
            return True
    return False


def _is_read_otherwise(attribute: re.Match) -> bool:
    # Some parsers take what is quoted after an odd name for further attributes.
    if not attribute["quoted"] or not _ENDING.search(attribute["quoted"]):
        return False
    is_odd = not _NAME.fullmatch(attribute["name"])
    return is_odd or attribute["before"].endswith("/")
