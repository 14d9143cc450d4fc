"""Reports on mail that did not get there (RFC 3464): about which mail, to whom, why."""

import re
from dataclasses import dataclass
from email.message import Message as StdlibMessage
from email.parser import BytesParser, HeaderParser
from email.policy import compat32

from .headers import first, one_line, read_headers
from .identity import read_ids

#: Bytes that are looked at: what is returned of a large mail may be all of it.
MAX_REPORT_BYTES = 1_000_000

#: Bytes in which a mail says that it is a report.
MAX_HEADER_BYTES = 64_000

MAX_RECIPIENTS = 200
MAX_REASON = 300

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
        mail = BytesParser(policy=compat32).parsebytes(raw[:MAX_REPORT_BYTES])
        return _read(mail)
    except (LookupError, RecursionError, TypeError, ValueError):
        return None  # nothing that a server has written


def _read(mail: StdlibMessage) -> Bounce | None:
    parts = mail.get_payload() if mail.is_multipart() else []
    ids: list[str] = []
    recipients: list[Undelivered] = []
    for part in parts:
        kind = part.get_content_type()
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            recipients += _read_recipients(part)
        elif kind in ("message/rfc822", "message/global"):
            for returned in part.get_payload() if part.is_multipart() else ():
                ids += read_ids(str(returned.get("Message-ID", "")))
        elif kind in ("text/rfc822-headers", "message/rfc822-headers"):
            text = part.get_payload(decode=True) or b""
            returned = HeaderParser(policy=compat32).parsestr(
                text.decode("utf-8", "replace"), headersonly=True
            )
            ids += read_ids(str(returned.get("Message-ID", "")))
    if not recipients:
        return None
    return Bounce(tuple(dict.fromkeys(ids)), tuple(recipients[:MAX_RECIPIENTS]))


def _read_recipients(part: StdlibMessage) -> list[Undelivered]:
    """Of a delivery status the blocks but the first, each about one recipient."""
    found = []
    blocks = part.get_payload() if part.is_multipart() else []
    for block in blocks:
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
        status = _STATUS.search(str(block.get("Status", ""))) or _STATUS.search(reason)
        found.append(
            Undelivered(
                tuple(dict.fromkeys(addresses)),
                action,
                status[1] if status else "",
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
