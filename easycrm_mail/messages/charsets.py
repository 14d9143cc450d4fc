"""Bytes to text, whatever the sender said they were.

Everything that ends in a string of a `Message` passes through `decode`, hence none of
them holds a NUL or a lone surrogate: PostgreSQL refuses both.
"""

import codecs
import re
from contextlib import suppress
from functools import lru_cache

# Labels of the wire that Python does not know, or for which browsers and mail programs
# take a superset of what the label says (https://encoding.spec.whatwg.org, 4.2).
_ALIASES = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "ansi_x3.4-1968": "cp1252",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "l1": "cp1252",
    "x-cp1252": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "big5": "big5hkscs",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "unicode-1-1-utf-7": "utf-7",
    "macintosh": "mac_roman",
    "x-mac-roman": "mac_roman",
}

# No other codec is asked: Python also has idna and punycode, whose decoding is
# quadratic, unicode_escape, and codecs that are none of text.
_CODEC_NAMES = """
utf-8 utf-8-sig utf-7 utf-16 utf-16-be utf-16-le utf-32 utf-32-be utf-32-le
iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8
iso8859-9 iso8859-10 iso8859-11 iso8859-13 iso8859-14 iso8859-15 iso8859-16
cp437 cp737 cp775 cp850 cp852 cp855 cp857 cp858 cp860 cp861 cp862 cp863 cp864
cp865 cp866 cp869 cp874 cp1125 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256
cp1257 cp1258 koi8-r koi8-u koi8-t kz1048 ptcp154 mac-roman mac-cyrillic mac-greek
mac-latin2 mac-turkish gb18030 gbk gb2312 hz big5 big5hkscs cp932 cp949 cp950
euc_jp euc_jis_2004 euc_kr johab shift_jis shift_jis_2004 iso2022_jp iso2022_jp_1
iso2022_jp_2 iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext iso2022_kr
"""
_CODECS = frozenset(_CODEC_NAMES.split())
# Spelled in ASCII bytes, but not to be read as such.
_ESCAPING = frozenset({"utf-7", "hz"})

_META = re.compile(
    rb"<meta[^>]{0,200}?charset=[\"']?([a-z0-9_.:-]{2,40})", re.IGNORECASE
)
_SURROGATES = re.compile("[\ud800-\udfff]")


@lru_cache(maxsize=512)
def codec_name(label: str) -> str:
    """The name of the Python codec for a charset label, or an empty string.

    The label is what a header says: in any case, quoted, misspelt or nonsense.
    """
    label = label.strip("\"' \t").lower()[:60]
    try:
        name = codecs.lookup(_ALIASES.get(label, label)).name
    except (LookupError, ValueError):
        return ""
    return name if name in _CODECS else ""


def decode(data: bytes, label: str = "") -> str:
    """Text from bytes; never raises.

    UTF-8 is believed wherever it fits a label that claims no more than a Western
    charset, as a text that is valid UTF-8 by accident hardly exists; bytes that are
    no UTF-8 under that label are read as Windows-1252.

    :param label: the charset as the header says it, or empty
    """
    name = codec_name(label) if label else ""
    if data.isascii() and not (name and _is_escaping(name)):
        text = data.decode("ascii")
    elif name in ("", "cp1252", "utf-8", "utf-8-sig"):
        text = _decode_western(data, is_utf8=name.startswith("utf"))
    else:
        text = _SURROGATES.sub("\ufffd", data.decode(name, "replace"))
    if "\0" in text:
        text = text.replace("\0", "")
    return text.removeprefix("\ufeff")


def html_charset(data: bytes) -> str:
    """The charset that an HTML document says of itself, or an empty string."""
    match = _META.search(data, 0, 2_048)
    return match[1].decode("ascii") if match else ""


def _is_escaping(name: str) -> bool:
    return name in _ESCAPING or name.startswith(("iso2022", "utf-16", "utf-32"))


def _decode_western(data: bytes, is_utf8: bool) -> str:
    with suppress(UnicodeDecodeError):
        return data.decode("utf-8")
    if is_utf8:
        # Cut or damaged UTF-8 keeps what is good in it; another charset has no good.
        text = data.decode("utf-8", "replace")
        bad = text.count("\ufffd")
        if bad * 2 <= sum(1 for char in text[:100_000] if char > "\x7f"):
            return text
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")
