"""Signing in to a mail server with an access token in place of a password.

XOAUTH2 is what Google and Microsoft made of it, OAUTHBEARER the standard (RFC 7628):
https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
"""

import base64
import json
from collections.abc import Iterable

#: What a token is signed in with, what both services have first.
MECHANISMS = ("XOAUTH2", "OAUTHBEARER")


def mechanism_of(offered: Iterable[str]) -> str:
    """The one to use with a server; empty where it takes no token.

    :param offered: the names of its SASL mechanisms, in capitals
    """
    offered = set(offered)
    return next((one for one in MECHANISMS if one in offered), "")


def wants_token(offered: Iterable[str]) -> bool:
    """Whether a server says that it takes a token and nothing else."""
    offered = set(offered)
    return bool(offered) and offered <= set(MECHANISMS)


def first_answer(mechanism: str, login: str, token: str) -> str:
    """What the client says, before it is put into base64."""
    if mechanism == "XOAUTH2":
        return f"user={login}\1auth=Bearer {token}\1\1"
    # (in a name these two would end it)
    name = login.replace("=", "=3D").replace(",", "=2C")
    return f"n,a={name},\1auth=Bearer {token}\1\1"


def last_answer(mechanism: str) -> bytes:
    """What the client says to an error, for the server to end the sign-in."""
    return b"" if mechanism == "XOAUTH2" else b"\1"


def told_by(challenge: bytes) -> str:
    """The status in a server's error, a small JSON; empty where there is none."""
    try:
        status = json.loads(challenge)["status"]
    except (KeyError, TypeError, ValueError):
        return ""
    return f"status {status}"


def secrets_of(login: str, tokens: Iterable[str]) -> list[str]:
    """The tokens in every form in which they are sent, and a server may echo them."""
    tokens = [one for one in tokens if one]
    packed = [
        base64.b64encode(first_answer(mechanism, login, token).encode()).decode()
        for mechanism in MECHANISMS
        for token in tokens
    ]
    return tokens + packed
