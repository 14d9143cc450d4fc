"""fast-mail-parser and the standard library must give the same `Message`."""

import pytest
from awkward import MAILS

from easycrm_mail.messages import parser
from easycrm_mail.messages.mime import read_fast, read_slow

pytest.importorskip("fast_mail_parser", reason="none for Python 3.10")

# What fast-mail-parser refuses, or is not trusted with: nothing to compare.
REFUSED = {
    "base64 without padding",
    "base64 with noise",
    "base64 cut",
    "uuencoded",
    "quoted-printable with raw 8-bit",
    "multipart without boundary",
    "multipart without parts",
    "boundary that begins another",
    "boundary that begins another, one part",
    "part without separator",
}


@pytest.mark.parametrize("name", MAILS)
def test_both_readers_give_the_same_message(name):
    raw = MAILS[name]
    slow = parser.parse_with([read_slow], raw)
    if name in REFUSED:
        with pytest.raises(parser.UnreadableMessage):
            parser.parse_with([read_fast], raw)
    else:
        fast = parser.parse_with([read_fast], raw)
        for field in fast.__slots__:
            if field != "date":
                assert getattr(fast, field) == getattr(slow, field), field
    assert parser.parse(raw).digest == slow.digest


@pytest.mark.parametrize("name", MAILS)
def test_both_readers_find_the_same_bytes_of_an_attachment(name, monkeypatch):
    raw = MAILS[name]
    message = parser.parse(raw)
    found = [parser.extract_part(raw, one.part) for one in message.attachments]
    assert [len(data) for data in found] == [one.size for one in message.attachments]
    monkeypatch.setattr(parser, "read_fast", read_slow)
    assert [parser.extract_part(raw, one.part) for one in message.attachments] == found
