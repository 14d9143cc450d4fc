"""The bytes of a mail out of Gmail's answer, as that comes in."""

import base64
import binascii
import re
from typing import BinaryIO

from .errors import Retry

_OPENING = re.compile(rb'"raw"\s*:\s*"')
# No more of the answer is looked through for it: ids, labels and 200 characters.
_MAX_HEAD = 100_000
_END = re.compile(rb"[^A-Za-z0-9_-]")


class RawDecoder:
    """Writes the `raw` of an answer in JSON into a file.

    :param file: open for writing
    """

    def __init__(self, file: BinaryIO):
        self._file = file
        self._held = b""
        self._is_open = False
        self._is_done = False

    def feed(self, piece: bytes) -> None:
        """Takes the next bytes of the answer."""
        if self._is_done:
            return
        self._held += piece
        if not self._is_open:
            opening = _OPENING.search(self._held)
            if not opening:
                self._check(len(self._held) < _MAX_HEAD)
                return
            self._is_open = True
            self._held = self._held[opening.end() :]
        end = _END.search(self._held)
        if end:
            # The quotation mark, or padding, which may come as an escape.
            self._is_done = True
            packed = self._held[: end.start()]
            self._write(packed + b"=" * (-len(packed) % 4))
        else:
            whole = len(self._held) // 4 * 4
            self._write(self._held[:whole])
            self._held = self._held[whole:]

    def finish(self) -> None:
        """Raises `Retry` where the answer ended too early."""
        self._check(self._is_done)

    def _write(self, packed: bytes) -> None:
        try:
            self._file.write(base64.b64decode(packed, altchars=b"-_", validate=True))
        except binascii.Error:
            self._check(False)

    @staticmethod
    def _check(is_right: bool) -> None:
        if not is_right:
            raise Retry("answer", "not an email in raw form")
