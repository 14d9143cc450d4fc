"""Whether a mail looks private: by who stands in it, and what it is about.

Banks, doctors and payslips, as far as a header tells: a guess, which is why it is only
made of mail with nobody in the CRM, and its owner is told and has the last word.
"""

import re
from collections.abc import Iterable

_TOKENS = re.compile(r"[^\W_]+")

#: Parts of a domain, and what such a part ends with where it is a word put together.
_PARTS = re.compile(
    r"aok|apotheke|banca|banco|bank|barclays|barmer|bbva|bnpparibas|clinica?|clinique|"
    r"comdirect|creditmutuel|dentist|dkb|doctolib|doctors?|hospital|hsbc|"
    r"hypovereinsbank|klinikum|lloyds(?:bank)?|medecin|n26|natwest|payroll|payslips?|"
    r"pharmac(?:ie|y)|postbank|praxis|rabobank|raiffeisen|revolut|santander|ubs|"
    r"unicredit|wellsfargo|"
    r".*(?:arzt|arztpraxis|banque|klinik|krankenhaus|krankenkasse|raiffeisenbank|"
    r"sparkasse|volksbank)"
)

#: Parts of an address before the @ that payslips come from.
_MAILBOXES = re.compile(r"gehalt|lohn|lohnbuchhaltung|paie|payroll|payslips?")

#: Words of a subject; each is looked for as a whole.
_SUBJECTS = re.compile(
    r"\b(arzttermin|bank statement|befund|"
    r"bulletin de (?:paie|salaire)|busta paga|doctor['’]s appointment|"
    r"entgeltabrechnung|fiche de paie|gehaltsabrechnung|kontoauszug|"
    r"krankschreibung|lohnabrechnung|loonstrook|medical (?:results|appointment)|"
    r"n[oó]mina|pay ?slip|payroll|releve de compte|relevé de compte|"
    r"salary (?:slip|statement)|test results|verdienstabrechnung|zahnarzttermin)\b",
    re.IGNORECASE,
)


def looks_private(addresses: Iterable[str], subject: str) -> bool:
    """Whether a mail looks like one of a bank, a doctor or about somebody's pay.

    :param addresses: of those that it is with, the mailbox's own left out
    :param subject: decoded
    """
    return bool(_SUBJECTS.search(subject)) or any(map(_is_private, addresses))


def _is_private(address: str) -> bool:
    local, _at, domain = address.lower().rpartition("@")
    if any(map(_MAILBOXES.fullmatch, _TOKENS.findall(local))):
        return True
    # (the last part is a country's, or says as little)
    parts = _TOKENS.findall(domain.rpartition(".")[0])
    return any(map(_PARTS.fullmatch, parts))
