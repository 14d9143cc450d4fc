"""A mail too large to be held: on disk, and read without its long attachments.

What makes a mail large are attachments in base64. Each long run of base64 lines is left
on disk, and a short stand-in takes its place: the parser reads what remains, as it
reads any mail, and what it takes for an attachment is summed up from the disk. The
result is that of `parse` on the whole, at the cost of a buffer.
"""

import binascii
import functools
import io
import re
import secrets
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import BinaryIO, NamedTuple

from .attachments import Sum, sort_parts, sum_of
from .mime import read_fast, read_slow
from .parser import parse_headers, parse_with, read_parts
from .values import Message, UnreadableMessage

# A shorter run stays where it is.
MIN_RUN_BYTES = 64_000
# What may remain: the text, and attachments that are not in base64.
MAX_HELD_BYTES = 25_000_000
BUFFER_BYTES = 1 << 20

_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/]+={0,2}\r?\n?")
_END_OF_LINE = b"\r\n"
# In base64 both halves of a stand-in end with a character: 36 + 12 bytes, 48 + 16.
_NONCE_BYTES, _NUMBER_BYTES = 36, 12


class _Run(NamedTuple):
    """Where lines of base64 begin and end in the file."""

    start: int
    end: int


class LargeMail:
    """One mail in a file.

    :param file: with the RFC 5322 bytes; open as long as this is used
    :raises UnreadableMessage: more of it must be held than can be
    """

    def __init__(self, file: BinaryIO):
        self._file = file
        # Nobody can write a mail that holds the stand-ins. In plain letters: where a
        # part is a mail in base64 they are parsed, and a stray CR would change much.
        self._nonce = secrets.token_hex(_NONCE_BYTES // 2).encode()
        self._runs: list[_Run] = []
        self._held = self._shorten(())
        if needed := self._misplaced():
            self._runs = []
            self._held = self._shorten(needed)

    def parse(self, received_at: datetime | None = None) -> Message:
        """The mail, as `parse` reads it."""
        return parse_with((read_fast, read_slow), self._held, received_at, self._sum_of)

    def parse_headers(self, received_at: datetime | None = None) -> Message:
        """The mail, as `parse_headers` reads it."""
        return parse_headers(self._held, received_at)

    def extract_part(self, part: str) -> bytes:
        """The bytes of an attachment, decoded, as `extract_part` gives them."""
        attached = self._attached()
        if not part.isdecimal() or int(part) >= len(attached):
            raise UnreadableMessage(f"The email has no attachment number {part[:20]}.")
        whole = io.BytesIO()
        for piece in self._pieces_of(attached[int(part)]):
            whole.write(piece)
        # (not copied: it is the buffer's own)
        return whole.getvalue()

    def _attached(self) -> list[bytes]:
        return [part.content for part in sort_parts(read_parts(self._held))[2]]

    # -- leaving runs on disk --

    def _shorten(self, needed: Collection[int]) -> bytes:
        """What is held of the mail, stand-ins in the place of its runs.

        :param needed: where runs start that are held all the same
        """
        held = bytearray()
        self._file.seek(0)
        position, is_after_blank, is_padded = 0, False, False
        start, characters, ending = -1, 0, b""
        for line in iter(functools.partial(self._file.readline, BUFFER_BYTES), b""):
            is_base64 = bool(_BASE64_LINE.fullmatch(line))
            if start >= 0 and (not is_base64 or is_padded):
                self._leave(held, _Run(start, position), characters, ending, needed)
                start = -1
            if start < 0 and is_base64 and is_after_blank:
                start, characters = position, 0
            position += len(line)
            text = line.rstrip(_END_OF_LINE)
            is_padded = line[len(text) - 1 : len(text)] == b"="
            if start >= 0:
                characters += len(text)
                ending = line[len(text) :]
            else:
                held += line
            _check_held(len(held))
            is_after_blank = not text
        if start >= 0:
            self._leave(held, _Run(start, position), characters, ending, needed)
        return bytes(held)

    def _leave(
        self,
        held: bytearray,
        run: _Run,
        characters: int,
        ending: bytes,
        needed: Collection[int],
    ) -> None:
        """Holds a run's stand-in, or itself where it is short, cut off or needed."""
        is_whole = characters % 4 == 0
        if is_whole and characters >= MIN_RUN_BYTES and run.start not in needed:
            number = b"%0*d" % (_NUMBER_BYTES, len(self._runs))
            held += binascii.b2a_base64(self._nonce + number, newline=False) + ending
            self._runs.append(_Run(run.start, run.end - len(ending)))
        else:
            _check_held(len(held) + run.end - run.start)
            position = self._file.tell()
            held += self._read(*run)
            self._file.seek(position)

    def _misplaced(self) -> set[int]:
        """Where runs start that stand in no attachment, but in a text, say."""
        if not self._runs:
            return set()
        placed: set[int] = set()
        for content in self._attached():
            placed.update(number for number, _piece in self._numbers_in(content))
        return {
            run.start for number, run in enumerate(self._runs) if number not in placed
        }

    # -- and finding them again --

    def _sum_of(self, content: bytes) -> Sum:
        return sum_of(self._pieces_of(content))

    def _pieces_of(self, content: bytes) -> Iterator[bytes]:
        """An attachment's bytes, by the content with which it is held."""
        if self._is_stand_in(content):
            yield from self._decoded(self._runs[self._number_of(content)])
            return
        # A mail within the mail, with runs of its own: as they stand in the file.
        at = 0
        for number, span in self._numbers_in(content):
            yield content[at : span[0]]
            yield from self._raw(self._runs[number])
            at = span[1]
        yield content[at:]

    def _numbers_in(self, content: bytes) -> Iterator[tuple[int, tuple[int, int]]]:
        if self._is_stand_in(content):
            yield self._number_of(content), (0, len(content))
            return
        opening = binascii.b2a_base64(self._nonce, newline=False)
        for match in re.finditer(re.escape(opening) + rb"(.{16})", content):
            yield int(binascii.a2b_base64(match[1])), match.span()

    def _is_stand_in(self, content: bytes) -> bool:
        is_long_enough = len(content) == _NONCE_BYTES + _NUMBER_BYTES
        return is_long_enough and content.startswith(self._nonce)

    @staticmethod
    def _number_of(content: bytes) -> int:
        return int(content[_NONCE_BYTES:])

    def _raw(self, run: _Run) -> Iterator[bytes]:
        for start in range(run.start, run.end, BUFFER_BYTES):
            yield self._read(start, min(start + BUFFER_BYTES, run.end))

    def _decoded(self, run: _Run) -> Iterator[bytes]:
        rest = b""
        for piece in self._raw(run):
            piece = rest + piece.translate(None, _END_OF_LINE)
            whole = len(piece) // 4 * 4
            rest = piece[whole:]
            yield binascii.a2b_base64(piece[:whole])

    def _read(self, start: int, end: int) -> bytes:
        self._file.seek(start)
        return self._file.read(end - start)


def _check_held(size: int) -> None:
    if size > MAX_HELD_BYTES:
        raise UnreadableMessage("The text of the email is too large.")
