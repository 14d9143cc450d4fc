"""A mail in the forms in which Gmail gives it."""

import base64

from .gmail_store import Mail

# A part that is no text and has more than this, or a name, is fetched by itself.
_INLINE_BYTES = 5_000


def packed(content: bytes) -> str:
    """In base64url, as Gmail does: with padding."""
    return base64.urlsafe_b64encode(content).decode()


def form_of(mail: Mail, form: str, wanted=()) -> dict:
    """:param wanted: of `metadata` the header fields, all if there are none"""
    answer = {
        "id": mail.id,
        "threadId": mail.thread_id,
        "labelIds": sorted(mail.labels),
        "snippet": "",
        "historyId": str(mail.history_id),
        "internalDate": str(int(mail.at * 1000)),
        "sizeEstimate": mail.size,
    }
    if not mail.labels:
        # Google leaves out what is empty.
        del answer["labelIds"]
    if form == "raw":
        answer["raw"] = packed(mail.raw)
    elif form == "full":
        answer["payload"] = _payload(mail, mail.parsed, "")
    elif form == "metadata":
        headers = _headers(mail.parsed)
        names = {name.lower() for name in wanted}
        if names:
            headers = [one for one in headers if one["name"].lower() in names]
        kind = mail.parsed.get_content_type()
        answer["payload"] = {"mimeType": kind, "headers": headers}
    return answer


def attachment(mail: Mail, wanted: str) -> bytes | None:
    """The bytes of a part by its attachment id."""
    for number, part in _leaves(mail.parsed, ""):
        if attachment_id(mail, number) == wanted:
            return _content(part)
    return None


def attachment_id(mail: Mail, number: str) -> str:
    """Opaque, and long."""
    return packed(f"attachment {mail.id} {number}".encode()).rstrip("=") * 3


def _payload(mail: Mail, part, number: str) -> dict:
    node = {
        "partId": number,
        "mimeType": part.get_content_type(),
        "filename": part.get_filename() or "",
        "headers": _headers(part),
    }
    if _is_container(part):
        node["body"] = {"size": 0}
        node["parts"] = [
            _payload(mail, child, f"{number}.{index}" if number else str(index))
            for index, child in enumerate(part.get_payload())
        ]
        return node
    content = _content(part)
    node["body"] = {"size": len(content)}
    is_text = part.get_content_maintype() == "text"
    if node["filename"] or (not is_text and len(content) > _INLINE_BYTES):
        node["body"]["attachmentId"] = attachment_id(mail, number)
    else:
        node["body"]["data"] = packed(content)
    return node


def _is_container(part) -> bool:
    return part.get_content_maintype() == "multipart" and part.is_multipart()


def _leaves(part, number: str):
    if _is_container(part):
        for index, child in enumerate(part.get_payload()):
            yield from _leaves(child, f"{number}.{index}" if number else str(index))
    else:
        yield number, part


def _headers(part) -> list[dict]:
    return [{"name": name, "value": str(value)} for name, value in part.items()]


def _content(part) -> bytes:
    if part.is_multipart():
        # A forwarded mail: its bytes
        return b"".join(one.as_bytes() for one in part.get_payload())
    return part.get_payload(decode=True) or b""
