"""What stands at the end of a mail about its writer: phone and company.

A guess that somebody looks at before it is used, so small: what is labelled or plain.
"""

import re
from typing import NamedTuple

from .snippet import introduces_quote

# A signature is short and stands at the end; what is longer is not looked at.
_LINES = 15
_LOOKED_AT = 20_000
_LINE = 200

_LABEL = re.compile(
    r"(?:\b(?:tel|telefon|telephone|téléphone|teléfono|telefono|tél|phone|fon|mobile?"
    r"|mobil|handy|cell|gsm|móvil|cellulare|portable|office|direct|durchwahl|ph|t|m|p)"
    r"\b[ .:)]|[☎📞📱電話])",
    re.IGNORECASE,
)
_FAX = re.compile(r"\b(?:tele)?fax\b|\bf[.:]", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w@./-])(?:\+|00)?\(?\d[\d ()/.\u00a0-]{5,24}\d(?![\w@-])")
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}")

_COMPANY = re.compile(
    r"(?:\b(?:gmbh(?: ?& ?co\.? ?kgaa| ?& ?co\.? ?kg)?|mbh|ag|kgaa|kg|ohg|ug|e\. ?k\."
    r"|ltd|limited|llc|llp|plc|inc|incorporated|corp|corporation|pty|s\.? ?a\.? ?s"
    r"|s\.? ?a\.? ?r\.? ?l|s\.? ?r\.? ?l|s\.? ?p\.? ?a|s\.? ?l|s\.?a|b\.? ?v|n\.? ?v"
    r"|oy|oyj|ab|aps|a/s|lda|ltda|sp\. ?z ?o\. ?o|s\. ?r\. ?o|kft|zrt|d\.? ?o\.? ?o"
    r"|eood|ood|se)(?=$|[\s.,;)])\.?|株式会社|有限公司)",
    re.IGNORECASE,
)
_PARTS = re.compile(r"\s*[·•|‧\u2013\u2014]\s*|\s{2,}|,\s+|\s-\s|\t")


class Signature(NamedTuple):
    """:ivar str phone: as it is written; empty if none was found
    :ivar str company: its name, legal form included; empty if none was found
    """

    phone: str = ""
    company: str = ""


def read_signature(text: str) -> Signature:
    """Return what the end of a mail says about who wrote it.

    :param text: plain text, newlines as `\\n`
    """
    lines = [line.strip()[:_LINE] for line in text[:_LOOKED_AT].split("\n")]
    own = []
    for index, line in enumerate(lines):
        if own and (line.startswith(">") or introduces_quote(lines, index)):
            break
        if line:
            own.append(line)
    end = own[-_LINES:]
    return Signature(_find_phone(end), _find_company(end))


def _find_phone(lines: list[str]) -> str:
    plain = ""
    for line in lines:
        for part in _PARTS.split(line) if "ax" in line.lower() else [line]:
            if _FAX.search(part):
                continue
            for found in _PHONE.finditer(part):
                number = found[0].strip(" .-/")
                if _DATE.fullmatch(number) or not 7 <= _count_digits(number) <= 15:
                    continue
                if _LABEL.search(part[: found.start()]):
                    return number
                if number.startswith(("+", "00")):
                    plain = plain or number
    return plain


def _count_digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _find_company(lines: list[str]) -> str:
    # (the last line that names one: those above may talk of somebody else's)
    for line in reversed(lines):
        for part in _PARTS.split(line):
            match = _COMPANY.search(part)
            if match and len(part) <= 80 and len(part.split()) <= 8:
                name = part[: match.end()].strip(" ,;:")
                if name != match[0].strip() or not match[0].isascii():
                    return name if match[0].isascii() else part.strip(" ,;:")
    return ""
