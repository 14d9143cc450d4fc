"""What a user entered for an IMAP server: what could be, and what nobody may see."""

import base64

from .errors import Permanent


def check_settings(
    host: str,
    port: int,
    security: str,
    login: str,
    password: str,
    with_token: bool = False,
) -> None:
    """`Permanent("entered")` for what no server could take.

    :param with_token: signed in with a token, which goes under TLS only
    """
    if security not in ("ssl", "starttls", "none"):
        raise Permanent("entered", "unknown security")
    if not _is_host(host):
        raise Permanent("entered", "not a host name")
    if not 0 < port < 65536:
        raise Permanent("entered", "not a port")
    if with_token and security == "none":
        raise Permanent("unsafe", "no token is sent without TLS")
    # They would end the command, or the field: in PLAIN (RFC 4616), with a token.
    if not login or "\1" in login or any(c in login + password for c in "\0\r\n"):
        raise Permanent("entered", "not a login or password")


def _is_host(host: str) -> bool:
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return (
        bool(host) and not any(char.isspace() for char in host) and host.isprintable()
    )


def secrets_of(login: str, password: str) -> list[str]:
    """The password in every form in which it is sent, and a server may echo it."""
    plain = base64.b64encode(f"\0{login}\0{password}".encode()).decode()
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    written = [password, quoted, password.encode().decode("latin-1"), plain]
    return written + [repr(one.encode())[2:-1] for one in written]
