"""The one line under the subject: what was newly written.

Small and bounded on purpose: a reply parser in full (mail-parser-reply) costs some
hundred microseconds and more a mail, runs many expressions over the whole text, and
only the first 200 characters are wanted.
"""

import re
import unicodedata

MAX_SNIPPET = 200
# Enough to get past a long quotation above the answer.
_LOOKED_AT = 8_000
_MAX_INTRO = 400
# Of a longer line no more is kept, for the filling that is left out of it.
_LINE = 2_000
_ELLIPSIS = "…"
_COLONS = frozenset(":：")

# Marketing fills the preview line with these, and people never see them.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u206f\u2800\u3164\ufeff\uffa0\ufffc\ufffd"
    "\x00-\x08\x0e-\x1f\x7f]"
)
# Persian and the scripts of India write with it.
_JOINER = re.compile("(?<![\u0600-\u1fff])\u200c")

# "On Monday Anna wrote:" as mail programs say it, on one line or two.
_ATTRIBUTION = re.compile(
    r"(?:on|am|le|el|il|op|em|no dia|den|på|dnia|w dniu|dne|на|pe)\b.{4,250}?"
    r"\b(?:wrote|schrieb|a écrit|escribió|ha scritto|scrisse|schreef|escreveu|skrev"
    r"|napisał|napsal|пишет|написал|kirjoitti|a scris|írta|yazdı|đã viết)\b.{0,80}:$"
    r"|.{4,250}(?:写道|寫道|のメール|님이 작성|wrote|schrieb|a écrit|пишет)\s?[:：]$",
    re.IGNORECASE,
)
_DIVIDER = re.compile(
    r"[-_*=\s]{2,40}(?:original message|original appointment|forwarded message"
    r"|ursprüngliche nachricht|weitergeleitete nachricht|message d'origine"
    r"|message original|message transféré|mensaje original|mensaje reenviado"
    r"|messaggio originale|messaggio inoltrato|oorspronkelijk bericht"
    r"|doorgestuurd bericht|mensagem original|mensagem encaminhada"
    r"|oprindelig meddelelse|ursprungligt meddelande|wiadomość oryginalna"
    r"|исходное сообщение|пересылаемое сообщение|原始邮件|转发的邮件)\b"
    r"|begin forwarded message:|anfang der weitergeleiteten nachricht:"
    r"|début du message réexpédié\s?:",
    re.IGNORECASE,
)
# Outlook's head of a quoted mail: two of these lines follow each other.
_FIELD = re.compile(
    r"\*?(?:from|sent|to|date|subject|cc|von|gesendet|datum|an|betreff|de|envoyé|à"
    r"|objet|enviado|enviado el|para|asunto|assunto|da|inviato|a|oggetto|van|verzonden"
    r"|aan|onderwerp|från|skickat|till|ämne|fra|sendt|til|emne|od|wysłano|do|temat|от"
    r"|отправлено|кому|тема|发件人|发送时间|收件人|主题)\s?\*?\s?[:：]\*?\s*\S",
    re.IGNORECASE,
)
_DEVICE = re.compile(
    r"(?:sent from|get outlook for|von meine[mr] .{2,30} gesendet|gesendet (?:von|mit)"
    r"|envoyé de(?:puis)?|enviado desde|enviado do|inviato da|verzonden vanaf"
    r"|skickat från|sendt fra|отправлено с)\b.{0,60}$",
    re.IGNORECASE,
)


def snippet_of(text: str) -> str:
    """At most 200 characters of what its writer added to a mail.

    Left out are quotations and what introduces them, signatures and invisible filling.
    Where nothing else is there, a forwarded mail without a word, what is quoted counts.

    :param text: plain text, newlines as `\\n`
    """
    lines = [line.strip() for line in text[:_LOOKED_AT].split("\n")]
    return _shorten(_written(lines) or _any(lines))


def _written(lines: list[str]) -> str:
    taken: list[str] = []
    length = 0
    after_intro = False
    for index, line in enumerate(lines):
        if not line:
            continue
        if line == "--" or (line.startswith("__") and not line.strip("_")):
            if taken:
                break
            continue
        if line[0] == ">":
            after_intro = False
            continue
        if introduces_quote(lines, index):
            # Above a quotation that is answered below, or the end of what is new.
            if taken:
                break
            after_intro = True
            continue
        if after_intro and (line[-1] in _COLONS or _FIELD.match(line)):
            continue
        after_intro = False
        if _DEVICE.match(line):
            continue
        taken.append(line[:_LINE])
        length += len(line)
        if length > MAX_SNIPPET * 2:
            break
    return _clean(" ".join(taken))


def introduces_quote(lines: list[str], index: int) -> bool:
    """Whether a mail quoted in full begins at that line: "On ... wrote:", or its head.

    :param lines: stripped of white space
    """
    line = lines[index][:_MAX_INTRO]
    following = lines[index + 1][:_MAX_INTRO] if index + 1 < len(lines) else ""
    if line[-1:] in _COLONS and _ATTRIBUTION.match(line):
        return True
    # Wrapped to two lines
    if following[-1:] in _COLONS and len(line + following) < _MAX_INTRO:
        wrapped = f"{line} {following}"
        if _ATTRIBUTION.match(wrapped):
            return True
    if _DIVIDER.match(line):
        return True
    return bool(_FIELD.match(line) and _FIELD.match(following))


def _any(lines: list[str]) -> str:
    kept = (line.lstrip("> ") for line in lines[:100])
    return _clean(" ".join(line for line in kept if line))


def _clean(text: str) -> str:
    if not text.isprintable():
        text = _JOINER.sub("", _INVISIBLE.sub("", text))
    return " ".join(text.split())


def _shorten(text: str) -> str:
    if len(text) <= MAX_SNIPPET:
        return text
    room = text[: MAX_SNIPPET - 1]
    if text[len(room)] != " ":
        space = room.rfind(" ")
        # A script without spaces, or one long word: between two whole characters.
        room = room[:space] if space >= MAX_SNIPPET // 2 else _whole(text, len(room))
    return room.rstrip(" ,;:-") + _ELLIPSIS


def _whole(text: str, end: int) -> str:
    """Up to `end`, or before, where no character is torn from what combines with it."""
    while end > 1 and (
        unicodedata.category(text[end])[0] == "M"
        or text[end] in "\u200d\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
        or text[end - 1] == "\u200d"
    ):
        end -= 1
    return text[:end]
