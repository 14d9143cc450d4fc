"""What a user entered for an IMAP server: what could be, and what nobody may see."""

import base64

from .errors import Permanent


def check_settings(
    host: str, port: int, security: str, login: str, password: str
) -> None:
    """`Permanent("setting")` for what no server could take."""
    if security not in ("ssl", "starttls", "none"):
        raise Permanent("setting", "unknown security")
    if not _is_host(host):
        raise Permanent("setting", "not a host name")
    if not 0 < port < 65536:
        raise Permanent("setting", "not a port")
    # They would end the command, or in PLAIN the field (RFC 4616).
    if not login or any(char in login + password for char in "\0\r\n"):
        raise Permanent("setting", "not a login or password")


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
