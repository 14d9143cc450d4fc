"""The parts of a mail that is written.

They are encoded in pieces: a mail takes the memory of its bytes and little more.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from io import BytesIO
from secrets import token_hex
from urllib.parse import quote

from .writing_header import LINE, id_of, refuse_controls

# Base64 lines of 76 characters hold 57 bytes.
_PIECE_BYTES = 57 * 4096
_MIMETYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_ANY_FILE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class File:
    """What goes along with a mail.

    :ivar mimetype: what is none, or may not be encoded, goes as any file
    :ivar content_id: without angle brackets; the HTML shows it as `cid:`
    """

    name: str
    mimetype: str
    data: bytes
    content_id: str = ""


class Part:
    """A part of a mail: its fields, and how its content is written."""

    def __init__(self, *fields: str):
        self.fields = fields

    def write_to(self, out: BytesIO) -> None:
        """Appends its fields, an empty line and its content."""
        out.writelines(f"{field}\r\n".encode("ascii") for field in self.fields)
        out.write(b"\r\n")
        self.write_content(out)

    def write_content(self, out: BytesIO) -> None:
        """Appends its content, encoded."""
        raise NotImplementedError


class TextPart(Part):
    """Text, by whichever encoding is shorter."""

    def __init__(self, kind: str, text: str):
        lines = _NEWLINE.sub("\r\n", text).encode("utf-8", "replace")
        if lines and not lines.endswith(b"\r\n"):
            lines += b"\r\n"
        quoted = binascii.b2a_qp(lines, istext=True)
        self.is_quoted = len(quoted) <= packed(len(lines))
        self.data = quoted if self.is_quoted else lines
        encoding = "quoted-printable" if self.is_quoted else "base64"
        super().__init__(
            f'Content-Type: text/{kind}; charset="utf-8"',
            f"Content-Transfer-Encoding: {encoding}",
        )

    def write_content(self, out: BytesIO) -> None:
        if self.is_quoted:
            out.write(self.data)
        else:
            _write_base64(self.data, out)


class FilePart(Part):
    """A file, or an image within the HTML."""

    def __init__(self, file: File):
        self.data = file.data
        refuse_controls("The name of a file", file.name)
        kind = file.mimetype.lower().strip()
        # (those may be in no encoding: RFC 2046, 5.1 and 5.2)
        is_whole = kind.startswith(("multipart/", "message/"))
        if is_whole or not _MIMETYPE.fullmatch(kind) or len(kind) > 100:
            kind = _ANY_FILE
        fields = [f"Content-Type: {kind}", "Content-Transfer-Encoding: base64"]
        disposition = "inline" if file.content_id else "attachment"
        fields.append(f"Content-Disposition: {disposition}{_file_name(file.name)}")
        if file.content_id:
            fields.append(f"Content-ID: {id_of('Content-ID', f'<{file.content_id}>')}")
        super().__init__(*fields)

    def write_content(self, out: BytesIO) -> None:
        _write_base64(self.data, out)


class Multipart(Part):
    """Parts, of which the boundary stands in none: it is not to be guessed."""

    def __init__(self, kind: str, parts: list[Part], extra: str = ""):
        self.parts = parts
        self.boundary = f"=_{token_hex(16)}"
        super().__init__(
            f'Content-Type: multipart/{kind};{extra}\r\n boundary="{self.boundary}"'
        )

    def write_content(self, out: BytesIO) -> None:
        for part in self.parts:
            out.write(f"--{self.boundary}\r\n".encode())
            part.write_to(out)
            out.write(b"\r\n")
        out.write(f"--{self.boundary}--\r\n".encode())


def _file_name(name: str) -> str:
    """The parameter that names a file (RFC 2231), or nothing."""
    if not name:
        return ""
    if name.isascii() and "=?" not in name and len(name) <= LINE - 15:
        quoted = re.sub(r'(["\\])', r"\\\1", name)
        return f';\r\n filename="{quoted}"'
    encoded = quote(name, safe="")
    if len(encoded) <= LINE - 20:
        return f";\r\n filename*=utf-8''{encoded}"
    # A character that is split between two pieces is put together again.
    pieces = re.findall(r"(?:%..|[^%]){1,18}", encoded)
    pieces[0] = f"utf-8''{pieces[0]}"
    return "".join(
        f";\r\n filename*{number}*={piece}" for number, piece in enumerate(pieces)
    )


def _write_base64(data: bytes, out: BytesIO) -> None:
    view = memoryview(data)
    for start in range(0, len(view), _PIECE_BYTES):
        lines = base64.encodebytes(view[start : start + _PIECE_BYTES])
        out.write(lines.replace(b"\n", b"\r\n"))


def packed(size: int) -> int:
    """Bytes in base64, in lines."""
    encoded = -(-size // 3) * 4
    return encoded + -(-encoded // 76) * 2
