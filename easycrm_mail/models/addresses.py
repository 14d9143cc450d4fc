"""One spelling for each address, so that they are compared as plain text.

As `odoo.tools.email_normalize`, which contacts are compared by elsewhere. Beside that,
an international domain counts the same in both of its spellings: mail carries
`anna@xn--bcher-kva.example`, people type `anna@bücher.example`.
"""

import re
from functools import lru_cache
from unicodedata import normalize

import idna

from odoo.tools import email_normalize, email_normalize_all

#: Addresses that `email_normalize` would only make lower case, at the cost of parsing.
PLAIN = re.compile(r"[\w+-]+(\.[\w+-]+)*@[\w-]+(\.[\w-]+)+", re.ASCII)

#: Characters of an address that is still one (RFC 5321). What is longer is left alone:
#: setting marks in order takes a time that grows with the square of their number.
MAX_SPELLED = 320


@lru_cache(maxsize=1 << 16)
def normalise(address):
    """Return the address as it is compared; a mere lower case one if it is invalid."""
    if PLAIN.fullmatch(address):
        return _spell(address.lower())
    return _spell(email_normalize(address) or address.lower()[:320])


def normalise_all(text):
    """Return every address in the text of an Email field, as they are compared."""
    found = map(_spell, email_normalize_all(text or ""))
    return list(dict.fromkeys(found))


def is_own_list(list_id, own):
    """Tell whether a List-Id is one of the domain of these addresses.

    A shared address such as sales@ is often a list, and customers write to it.

    :param str list_id: without brackets
    :param own: normalised addresses of a mailbox
    """
    domains = {address.rpartition("@")[2] for address in own}
    list_id = f".{list_id.lower()}"
    return any(list_id.endswith(f".{domain}") for domain in domains)


def _spell(address):
    if len(address) > MAX_SPELLED:
        return address
    if not address.isascii():
        return normalize("NFC", address)
    if "xn--" not in address:
        return address
    local, at, domain = address.rpartition("@")
    try:
        return local + at + idna.decode(domain)
    except idna.IDNAError:
        return address  # not a spelling of anything else
