"""What Microsoft's sign-in answers, as what is to be done about it.

The codes: https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes
"""

import re
from collections.abc import Iterable, Mapping

from .errors import MailboxError, Permanent, Reconnect, Retry
from .imap_errors import words

_CODE = re.compile(r"AADSTS(\d{4,9})")

#: No such registration, or not one of this kind.
_CLIENT = frozenset((700016, 700027, 700030, 700038))
_SECRET = frozenset((7000215, 7000218))
_SECRET_EXPIRED = 7000222
#: No such directory, or the registration is not for accounts of it.
_TENANT = frozenset((90002, 900023, 50059, 50020, 50194, 9002326))
#: The address to come back to is not registered.
_REDIRECT = frozenset((50011, 500112, 500113, 500117))
#: The user has not agreed.
_DECLINED = 65004
#: An administrator has to agree first, or nobody has agreed.
_APPROVAL = frozenset((65001, 90094, 90095, 90093))
#: Tried again it goes through.
_PASSING = frozenset((90033, 90024, 50196, 90055))


def of_answer(
    answer: Mapping[str, object], used_up: str, secrets: Iterable[str] = ()
) -> MailboxError:
    """For an answer with `error`.

    :param used_up: the code of `Reconnect` where a grant is not taken (any more)
    :param secrets: what must not stand in the text
    """
    error = str(answer.get("error") or "")
    said = str(answer.get("error_description") or "")
    found = _CODE.search(said)
    listed = answer.get("error_codes")
    number = int(found[1]) if found else 0
    if not number and isinstance(listed, (list, tuple)) and listed:
        number = listed[0] if isinstance(listed[0], int) else 0
    text = words(first_sentence(said) or error, secrets)
    if number == _SECRET_EXPIRED:
        return Permanent("secret_expired", text)
    if number in _SECRET:
        return Permanent("secret", text)
    if number in _CLIENT:
        return Permanent("client", text)
    if number in _TENANT:
        return Permanent("tenant", text)
    if number in _REDIRECT:
        return Permanent("redirect", text)
    if number in _PASSING or error in ("temporarily_unavailable", "server_error"):
        return Retry("busy", text)
    is_new = used_up == "sign_in"
    if number in _APPROVAL and is_new or error == "consent_required":
        return Reconnect("approval", text)
    if error == "access_denied" or number == _DECLINED and is_new:
        return Reconnect("declined", text)
    if error in ("invalid_client", "unauthorized_client"):
        return Permanent("client", text)
    # invalid_grant, interaction_required and its like: 700082, 50173, 70008, 70043,
    # 50076, 50079, 50078, 50057, 50034, 700084 and what will come.
    return Reconnect(used_up, text)


def first_sentence(text: str) -> str:
    """Of a description, without the trace ids that follow."""
    text = re.split(r"[\r\n]|\s(?:Trace|Correlation) ID:", text, maxsplit=1)[0].strip()
    return re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0]
