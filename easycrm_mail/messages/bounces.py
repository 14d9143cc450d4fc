"""Reports on mail that did not get there (RFC 3464): about which mail, to whom, why."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message as StdlibMessage
from email.parser import BytesHeaderParser
from email.policy import compat32

from .headers import first, one_line, read_headers
from .identity import read_ids

#: Bytes that are looked at: what is returned of a large mail may be all of it.
MAX_REPORT_BYTES = 1_000_000

#: Bytes in which a mail says that it is a report.
MAX_HEADER_BYTES = 64_000

MAX_PARTS = 20
MAX_RECIPIENTS = 200
MAX_REASON = 300

#: How bytes that are no ASCII pass through text.
_ESCAPED = "surrogateescape"

_EMPTY_LINES = re.compile(rb"(?:\r?\n){2,}")
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_REPORT_TYPE = re.compile(r"report-type\s*=\s*\"?\s*delivery-status", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Somebody whom a mail did not reach, or not yet, or after all.

    :ivar addresses: as it was sent to, then where that led; as written
    :ivar action: `failed`, `delayed`, `delivered`, `relayed` or `expanded`
    :ivar status: as `5.2.2` (RFC 3463), or an empty string
    :ivar reason: what the server said, on one line
    """

    addresses: tuple[str, ...]
    action: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a server reports on a mail.

    :ivar message_ids: of the mail, with angle brackets; empty where nothing of it came
        back
    """

    message_ids: tuple[str, ...]
    recipients: tuple[Undelivered, ...]


def read_bounce(raw: bytes) -> Bounce | None:
    """The report that a mail is; None where it is none. Never raises.

    :param raw: the mail, as the mailbox holds it
    """
    if b"multipart/report" not in raw[:MAX_HEADER_BYTES].lower():
        return None
    kind = first(read_headers(raw).headers, "content-type")
    if not kind.lower().startswith("multipart/report") or not _REPORT_TYPE.search(kind):
        return None
    try:
        return _read(raw[:MAX_REPORT_BYTES])
    except (LookupError, TypeError, ValueError):
        return None  # nothing that a server has written


def _read(raw: bytes) -> Bounce | None:
    ids: list[str] = []
    recipients: list[Undelivered] = []
    for header, body in _parts(raw):
        kind = header.get_content_type()
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            recipients += _read_recipients(body)
        elif kind in ("message/rfc822", "message/global"):
            ids += _ids(body)
        elif kind in ("text/rfc822-headers", "message/rfc822-headers"):
            header.set_payload(body[:MAX_HEADER_BYTES].decode("ascii", _ESCAPED))
            ids += _ids(header.get_payload(decode=True))
    if not recipients:
        return None
    return Bounce(tuple(dict.fromkeys(ids)), tuple(recipients[:MAX_RECIPIENTS]))


def _parts(raw: bytes) -> Iterator[tuple[StdlibMessage, bytes]]:
    """The parts of a report, each its header and what is in it, as it stands.

    Whatever is nested in them is of no interest; the standard library's parser would
    take minutes for it.
    """
    header, body = _split(raw)
    boundary = header.get_boundary()
    if not boundary:
        return
    line = re.escape(b"--" + boundary.encode("ascii", _ESCAPED))
    ends = re.compile(rb"^" + line + rb"(?:--)?[ \t]*\r?\n?$", re.MULTILINE)
    for part in ends.split(body, MAX_PARTS)[1:]:
        yield _split(part.lstrip(b"\r\n"))


def _split(raw: bytes) -> tuple[StdlibMessage, bytes]:
    """The header of a mail or a part, parsed, and what follows it."""
    block, *body = _EMPTY_LINES.split(raw, 1)
    return _header(block), body[0] if body else b""


def _header(block: bytes) -> StdlibMessage:
    return BytesHeaderParser(policy=compat32).parsebytes(block[:MAX_HEADER_BYTES])


def _ids(returned: bytes) -> list[str]:
    """The Message-ID of a mail that came back, its header at least."""
    header, _body = _split(returned)
    return read_ids(one_line(str(header.get("Message-ID", ""))))


def _read_recipients(status: bytes) -> list[Undelivered]:
    """Of a delivery status the blocks but the first, each about one recipient."""
    found = []
    for lines in _EMPTY_LINES.split(status, MAX_RECIPIENTS)[:MAX_RECIPIENTS]:
        block = _header(lines)
        addresses = [
            address
            for name in ("Original-Recipient", "Final-Recipient")
            if (address := _address(str(block.get(name, ""))))
        ]
        action = one_line(str(block.get("Action", ""))).lower().partition(" ")[0]
        if not addresses or not action:
            continue
        reason = one_line(str(block.get("Diagnostic-Code", "")), MAX_REASON)
        reason = reason.partition(";")[2].strip() or reason
        code = _STATUS.search(str(block.get("Status", ""))) or _STATUS.search(reason)
        found.append(
            Undelivered(
                tuple(dict.fromkeys(addresses)),
                action,
                code[1] if code else "",
                reason,
            )
        )
    return found


def _address(value: str) -> str:
    """The address in `rfc822; <anna@acme.example>`."""
    kind, semicolon, address = value.partition(";")
    if not semicolon or kind.strip().lower() not in ("rfc822", "utf-8"):
        return ""
    return one_line(address).strip("<> ")
