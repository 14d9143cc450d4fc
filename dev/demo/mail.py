"""A mail of the demo mailbox: told as a person would, made into real MIME."""

import html
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from .files import File
from .people import MITCHELL, Person

OWNER = MITCHELL
_WHEN = re.compile(
    r"(?P<later>\+?)(?P<number>\d+)(?P<unit>[mhd])(?: (?P<clock>[\d:]+))?"
)


@dataclass
class Mail:
    """What a person would tell of it.

    :ivar key: its name, unique; the Message-ID is made of it
    :ivar when: `20m` or `3h` ago, `4d 09:12` (that clock, four days ago), `+2d 10:00`
        (due two days after the mailbox was made)
    :ivar text: the plain text, without greeting cut off and without signature
    :ivar style: `plain`, or what wrote the HTML beside it: `gmail`, `outlook`, `apple`
    :ivar answers: the key of the mail that this one answers
    :ivar quote: quote it, in the manner of `style`
    :ivar extra_html: what only the HTML has: remote images, a pixel
    :ivar html: the whole HTML, instead of one made from the text
    :ivar charset: anything but UTF-8, for text and subject
    """

    key: str
    when: str
    sender: Person
    to: Iterable[Person]
    subject: str
    text: str
    cc: Iterable[Person] = ()
    style: str = "gmail"
    answers: str = ""
    quote: bool = True
    attachments: Iterable[File] = ()
    inline: Iterable[File] = ()
    extra_html: str = ""
    html: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    charset: str = "utf-8"
    is_unread: bool = False
    is_signed: bool = True

    @property
    def folder(self) -> str:
        return "Sent" if self.sender is OWNER else "INBOX"

    def date(self, base: datetime) -> datetime:
        found = _WHEN.fullmatch(self.when)
        number = int(found["number"]) * (1 if found["later"] else -1)
        unit = {"m": "minutes", "h": "hours", "d": "days"}[found["unit"]]
        day = base + timedelta(**{unit: number})
        day = day.astimezone(self.sender.zone)
        if found["clock"]:
            hour, minute = map(int, found["clock"].split(":"))
            day = day.replace(hour=hour, minute=minute)
        # The second is the mail's own, so that no two dates are the same.
        return day.replace(second=sum(self.key.encode()) % 60, microsecond=0)

    def message_id(self, base: datetime) -> str:
        """The base is part of it: another mailbox never repeats a Message-ID."""
        return f"<{self.key}.{base:%Y%m%d%H%M}@{self.sender.domain}>"

    def body(self) -> str:
        text = textwrap.dedent(self.text).strip()
        if self.is_signed and self.sender.signature:
            text += f"\n\n{self.sender.signature}"
        return text


def compose(mail: Mail, past: list[Mail], base: datetime) -> bytes:
    """The mail as it travels.

    :param past: the mails it answers, the first of the conversation first
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(mail.sender)
    message["To"] = ", ".join(_address(person) for person in mail.to)
    if mail.cc:
        message["Cc"] = ", ".join(_address(person) for person in mail.cc)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.date(base))
    message["Message-ID"] = mail.message_id(base)
    if past:
        message["In-Reply-To"] = past[-1].message_id(base)
        message["References"] = " ".join(one.message_id(base) for one in past)
    for name, value in mail.headers.items():
        message[name] = value
    quoted = past[-1] if past and mail.quote else None
    text = mail.body() + (_quoted_text(quoted, mail.style, base) if quoted else "")
    message.set_content(text + "\n", charset=mail.charset, cte=_encoding(mail.charset))
    if mail.style != "plain" or mail.html:
        content = mail.html or _html(mail, quoted, base)
        message.add_alternative(content, subtype="html", charset=mail.charset)
        part = message.get_payload()[1]
        for file in mail.inline:
            part.add_related(
                file.data,
                *file.kind.split("/"),
                cid=f"<{file.content_id}>",
                filename=file.name,
                disposition="inline",
            )
    for file in mail.attachments:
        kind, subkind = file.kind.split("/")
        message.add_attachment(file.data, kind, subkind, filename=file.name)
    for number, part in enumerate(message.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_{mail.key}_{number}")
    raw = message.as_bytes()
    if mail.charset != "utf-8":
        raw = _subject_in(mail, raw)
    return raw


def _address(person: Person) -> str:
    return f'"{person.name}" <{person.address}>'


def _encoding(charset: str) -> str | None:
    return "7bit" if charset == "iso-2022-jp" else None


def _subject_in(mail: Mail, raw: bytes) -> bytes:
    """The subject in the mail's own charset: Python itself always writes UTF-8."""
    subject = Header(mail.subject, mail.charset).encode()
    return re.sub(
        rb"(?m)^Subject: .*(?:\r\n[ \t].*)*",
        f"Subject: {subject}".encode().replace(b"\n", b"\r\n").replace(b"\\", rb"\\"),
        raw,
        count=1,
    )


# --- quoting, each as its program does it ---------------------------------------------


def _head(mail: Mail, base: datetime) -> str:
    when = mail.date(base)
    return f"On {when:%a, %d %b %Y at %H:%M} {mail.sender.name} <{mail.sender.address}>"


def _outlook_head(mail: Mail, base: datetime) -> list[tuple[str, str]]:
    rows = [
        ("From", f"{mail.sender.name} <{mail.sender.address}>"),
        ("Sent", f"{mail.date(base):%A, %d %B %Y %H:%M}"),
        ("To", "; ".join(f"{person.name} <{person.address}>" for person in mail.to)),
    ]
    if mail.cc:
        rows.append(("Cc", "; ".join(person.name for person in mail.cc)))
    return [*rows, ("Subject", mail.subject)]


def _quoted_text(mail: Mail, style: str, base: datetime) -> str:
    if style == "outlook":
        head = "\n".join(
            f"{name}: {value}" for name, value in _outlook_head(mail, base)
        )
        return f"\n\n________________________________\n{head}\n\n{mail.body()}"
    lines = "\n".join(f"> {line}".rstrip() for line in mail.body().splitlines())
    return f"\n\n{_head(mail, base)} wrote:\n\n{lines}"


def _html(mail: Mail, quoted: Mail | None, base: datetime) -> str:
    text = textwrap.dedent(mail.text).strip()
    body = _paragraphs(text, mail.style)
    for file in mail.inline:
        body += (
            f'<p><img src="cid:{file.content_id}" alt="{html.escape(file.name)}"></p>'
        )
    body += mail.extra_html
    if mail.is_signed and mail.sender.signature:
        body += _signature(mail)
    if quoted:
        body += _quoted_html(quoted, mail.style, base)
    if mail.style == "outlook":
        return (
            '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head>'
            "<style><!-- p.MsoNormal {margin:0cm; font-size:11.0pt; "
            'font-family:"Calibri",sans-serif;} --></style></head>'
            f'<body lang="DE"><div class="WordSection1">{body}</div></body></html>'
        )
    if mail.style == "apple":
        return (
            '<html><head></head><body style="overflow-wrap: break-word; '
            f'-webkit-nbsp-mode: space;">{body}</body></html>'
        )
    return f'<div dir="ltr">{body}</div>'


def _paragraphs(text: str, style: str) -> str:
    """Paragraphs, and lists whose lines begin with `1.` or `*`."""
    blocks = []
    for block in text.split("\n\n"):
        lines = [html.escape(line) for line in block.splitlines()]
        if max(map(len, lines)) > 60 and not re.match(r"\d+\. |\* ", lines[0]):
            lines = [" ".join(lines)]  # prose: its lines are broken only in the source
        if all(re.match(r"\d+\. ", line) for line in lines):
            items = "".join(f"<li>{line.split('. ', 1)[1]}</li>" for line in lines)
            blocks.append(f"<ol>{items}</ol>")
        elif all(line.startswith("* ") for line in lines):
            items = "".join(f"<li>{line[2:]}</li>" for line in lines)
            blocks.append(f"<ul>{items}</ul>")
        elif style == "outlook":
            blocks.append(
                f'<p class="MsoNormal">{"<br>".join(lines)}</p>'
                '<p class="MsoNormal"><o:p>&nbsp;</o:p></p>'
            )
        elif style == "gmail":
            blocks.append(f"<div>{'<br>'.join(lines)}</div><div><br></div>")
        else:
            blocks.append(f"<p>{'<br>'.join(lines)}</p>")
    return "\n".join(blocks)


def _signature(mail: Mail) -> str:
    lines = html.escape(mail.sender.signature).replace("\n", "<br>")
    if mail.style == "gmail":
        return (
            '<span class="gmail_signature_prefix">-- </span><br>'
            f'<div dir="ltr" class="gmail_signature">{lines}</div>'
        )
    if mail.style == "outlook":
        return (
            '<p class="MsoNormal"><span style="font-size:9.0pt;color:#7F7F7F">'
            f"{lines}</span></p>"
        )
    return f"<p>{lines}</p>"


def _quoted_html(mail: Mail, style: str, base: datetime) -> str:
    body = _paragraphs(mail.body(), style)
    if style == "outlook":
        head = "<br>".join(
            f"<b>{name}:</b> {html.escape(value)}"
            for name, value in _outlook_head(mail, base)
        )
        return (
            '<div style="border:none;border-top:solid #E1E1E1 1.0pt;'
            'padding:3.0pt 0cm 0cm 0cm">'
            f'<p class="MsoNormal">{head}</p></div>{body}'
        )
    head = html.escape(_head(mail, base))
    if style == "apple":
        return (
            f'<div><br><blockquote type="cite"><div>{head} wrote:</div><br>'
            f"<div>{body}</div></blockquote></div>"
        )
    return (
        f'<br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{head} wrote:'
        f'<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;'
        f'border-left:1px solid rgb(204,204,204);padding-left:1ex">{body}</blockquote>'
        "</div>"
    )
