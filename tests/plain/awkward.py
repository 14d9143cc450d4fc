"""Mails as they come in life: one for each thing that parsers get wrong.

`MAILS` maps a name to bytes. Both readers must give the same of each of them.
"""

import base64

HEAD = (
    b"From: Anna <anna@example.com>\r\n"
    b"To: Bob <bob@example.org>\r\n"
    b"Subject: Hello\r\n"
    b"Date: Tue, 4 Mar 2025 10:00:00 +0100\r\n"
    b"Message-ID: <1@example.com>\r\n"
)
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)


def mail(body: bytes = b"Hello Bob\r\n", *fields: bytes, head: bytes = HEAD) -> bytes:
    """A mail with the usual header, further fields and a body."""
    return head + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body


def part(content_type: bytes, body: bytes, *fields: bytes) -> bytes:
    """One part with its header."""
    lines = [b"Content-Type: " + content_type, *fields, b"", body]
    return b"\r\n".join(lines)


def multipart(
    *parts: bytes, kind: bytes = b"mixed", boundary: bytes = b"=_b0"
) -> bytes:
    """A multipart as one part: header and all."""
    opening = b"--" + boundary + b"\r\n"
    content = b"".join(opening + one + b"\r\n" for one in parts)
    return part(
        b'multipart/%s; boundary="%s"' % (kind, boundary),
        content + b"--" + boundary + b"--\r\n",
    )


def whole(*parts: bytes, kind: bytes = b"mixed", head: bytes = HEAD) -> bytes:
    """A mail of several parts."""
    return head + b"MIME-Version: 1.0\r\n" + multipart(*parts, kind=kind)


def encoded(content_type: bytes, data: bytes, *fields: bytes) -> bytes:
    """A part in base64."""
    body = base64.encodebytes(data).replace(b"\n", b"\r\n").rstrip()
    return part(content_type, body, b"Content-Transfer-Encoding: base64", *fields)


PLAIN = part(b"text/plain; charset=utf-8", "Grüße aus Köln".encode())
HTML = part(b"text/html; charset=utf-8", "<p>Grüße aus <b>Köln</b></p>".encode())
PDF = encoded(
    b"application/pdf",
    b"%PDF-1.4 nothing",
    b'Content-Disposition: attachment; filename="a.pdf"',
)
INNER = HEAD.replace(b"Hello", b"Inner") + b"\r\nThe forwarded text\r\n"

MAILS = {
    "plain": mail(),
    "line feeds only": mail(b"one\r\ntwo\r\n").replace(b"\r\n", b"\n"),
    "no body": HEAD + b"\r\n",
    "header only": HEAD,
    "one field without newline": b"Subject: x",
    "no separator": HEAD + b"the body begins here\r\nand: goes on\r\n",
    "mbox envelope line": b"From anna@example.com Tue Mar  4 10:00:00 2025\r\n"
    + mail(),
    "folded with tabs": mail(head=HEAD.replace(b"Hello", b"Hel\r\n\tlo\r\n  you")),
    "space before colon": mail(head=HEAD.replace(b"Subject:", b"Subject :")),
    "field names in odd case": mail(
        b"gr=FC=DFe",
        b"CONTENT-type: TEXT/PLAIN; CHARSET=ISO-8859-1",
        b"content-TRANSFER-encoding: Quoted-Printable",
    ),
    "raw utf-8 header": mail(head=HEAD.replace(b"Hello", "Grüße 👋".encode())),
    "raw latin-1 header": mail(head=HEAD.replace(b"Hello", "Grüße".encode("latin-1"))),
    "latin-1 body": mail(
        "Grüße".encode("latin-1"), b"Content-Type: text/plain; charset=iso-8859-1"
    ),
    "utf-8 said to be latin-1": mail(
        "Grüße".encode(), b"Content-Type: text/plain; charset=iso-8859-1"
    ),
    "latin-1 said to be utf-8": mail(
        "Grüße aus Köln".encode("latin-1"), b"Content-Type: text/plain; charset=utf-8"
    ),
    "windows quotes said to be us-ascii": mail(
        b"\x93quoted\x94 \x80 5", b"Content-Type: text/plain; charset=us-ascii"
    ),
    "unknown charset": mail(
        "Grüße".encode(), b"Content-Type: text/plain; charset=x-none"
    ),
    "dangerous charset": mail(b"xn--a", b"Content-Type: text/plain; charset=punycode"),
    "japanese": mail(
        "こんにちは".encode("iso2022_jp"),
        b"Content-Type: text/plain; charset=ISO-2022-JP",
    ),
    "chinese": mail("你好".encode("gbk"), b"Content-Type: text/plain; charset=gb2312"),
    "utf-7": mail(b"Gr+APwA3w-e +2AA-", b"Content-Type: text/plain; charset=utf-7"),
    "utf-16 in base64": HEAD
    + encoded(b"text/plain; charset=utf-16", "Grüße".encode("utf-16")),
    "nul bytes": mail(b"a\0b\0c", b"X-A: 1", head=HEAD.replace(b"Hello", b"He\0llo")),
    "alternative": whole(PLAIN, HTML, kind=b"alternative"),
    "html only": HEAD + HTML,
    "html with charset of its own": HEAD
    + part(
        b"text/html",
        '<meta charset="iso-8859-2"><p>Łódź</p>'.encode("iso-8859-2"),
    ),
    "mixed": whole(multipart(PLAIN, HTML, kind=b"alternative", boundary=b"in"), PDF),
    "related": whole(
        multipart(
            PLAIN,
            multipart(
                part(b"text/html", b'<p>See <img src="cid:logo@1"></p>'),
                encoded(b"image/png", PNG, b"Content-ID: <logo@1>"),
                kind=b"related",
                boundary=b"rel",
            ),
            kind=b"alternative",
            boundary=b"alt",
        ),
        PDF,
    ),
    "forwarded": whole(PLAIN, part(b"message/rfc822", INNER)),
    "forwarded in base64": whole(PLAIN, encoded(b"message/rfc822", INNER)),
    "forwarded as a whole": HEAD + part(b"message/rfc822", INNER),
    "digest": whole(b"\r\n" + INNER, b"\r\n" + INNER, kind=b"digest"),
    "bounce": whole(
        part(b"text/plain", b"Could not be delivered."),
        part(
            b"message/delivery-status", b"Reporting-MTA: dns; x\r\n\r\nAction: failed"
        ),
        part(b"text/rfc822-headers", b"Subject: Hello"),
        kind=b"report; report-type=delivery-status",
    ),
    "invitation": whole(
        PLAIN,
        part(b"text/calendar; method=REQUEST", b"BEGIN:VCALENDAR"),
        kind=b"alternative",
    ),
    "several texts": whole(
        part(b"text/plain", b"before"), PDF, part(b"text/plain", b"after")
    ),
    "text file inline": whole(
        part(b"text/plain", b"the body"),
        part(b"text/plain; name=notes.txt", b"notes", b"Content-Disposition: inline"),
    ),
    "nameless parts": whole(
        PLAIN, encoded(b"image/png", PNG), encoded(b"application/octet-stream", b"x")
    ),
    "name in rfc 2231": whole(
        PLAIN,
        encoded(
            b"application/pdf",
            b"x",
            b"Content-Disposition: attachment;\r\n"
            b" filename*0*=utf-8''%C3%9Cbersicht%20;\r\n filename*1=\"und Plan.pdf\"",
        ),
    ),
    "name in encoded words": whole(
        PLAIN,
        encoded(
            b'application/pdf; name="=?utf-8?B?w5xiZXJzaWNodC5wZGY=?="',
            b"x",
            b"Content-Disposition: attachment",
        ),
    ),
    "name in raw utf-8": whole(
        PLAIN,
        encoded(
            b"application/pdf",
            b"x",
            "Content-Disposition: attachment; filename=Übersicht zwei.pdf".encode(),
        ),
    ),
    "name with directories": whole(
        PLAIN,
        encoded(
            b"application/pdf",
            b"x",
            rb'Content-Disposition: attachment; filename="..\\..\\etc/passwd.pdf"',
        ),
    ),
    "base64 without padding": whole(
        part(b"text/plain", b"aGVsbG8", b"Content-Transfer-Encoding: base64")
    ),
    "base64 with noise": whole(
        PLAIN,
        part(
            b"application/pdf; name=a.pdf",
            b"aGVs!bG8=\r\n*** scanned ***",
            b"Content-Transfer-Encoding: base64",
        ),
    ),
    "base64 cut": HEAD
    + part(b"application/pdf", b"aGVsbG", b"Content-Transfer-Encoding: base64"),
    "quoted-printable broken": mail(
        b"a=ZZ b=\r\nc=E4 =", b"Content-Transfer-Encoding: quoted-printable"
    ),
    "quoted-printable with raw 8-bit": mail(
        b"gr=C3=BC\xc3\x9fe",
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Transfer-Encoding: quoted-printable",
    ),
    "quoted-printable in small letters": mail(
        b"gr=c3=bc=c3=9fe",
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Transfer-Encoding: quoted-printable",
    ),
    "uuencoded": whole(
        PLAIN,
        part(
            b"application/octet-stream; name=a",
            b"begin 644 a\r\n#86)C\r\n`\r\nend",
            b"Content-Transfer-Encoding: x-uuencode",
        ),
    ),
    "unknown transfer encoding": mail(b"hello", b"Content-Transfer-Encoding: x-none"),
    "multipart without boundary": mail(b"just text", b"Content-Type: multipart/mixed"),
    "multipart without parts": mail(
        b"just text", b'Content-Type: multipart/mixed; boundary="nowhere"'
    ),
    "multipart not closed": whole(PLAIN, PDF).rpartition(b"--=_b0--")[0],
    "multipart with one part": whole(PLAIN),
    "preamble and epilogue": whole(PLAIN).replace(
        b"\r\n\r\n--=_b0", b"\r\n\r\nThis is MIME.\r\n--=_b0"
    )
    + b"epilogue\r\n",
    "boundary that begins another, one part": whole(
        multipart(PLAIN, kind=b"alternative", boundary=b"=_b0_1"), PLAIN
    ),
    "boundary that begins another": whole(
        multipart(PLAIN, HTML, kind=b"alternative", boundary=b"=_b0_1"), PDF
    ),
    "content type without slash": mail(b"hello", b"Content-Type: text"),
    "content type empty": mail(b"hello", b"Content-Type:"),
    "part without separator": whole(b"Content-Type: text/plain\r\nhello\r\n\r\nBob"),
    "part without header": whole(b"\r\nhello"),
    "signed": whole(
        PLAIN,
        part(b"application/pgp-signature; name=signature.asc", b"-----BEGIN PGP"),
        kind=b"signed; micalg=pgp-sha256",
    ),
    "body is a pdf": HEAD + encoded(b"application/pdf; name=scan.pdf", b"%PDF"),
    "amp": whole(
        PLAIN, part(b"text/x-amp-html", b"<html amp4email>"), HTML, kind=b"alternative"
    ),
    "trailing spaces after boundary": whole(PLAIN, PDF).replace(
        b"--=_b0\r\n", b"--=_b0  \r\n"
    ),
    "no message-id, no date": mail(head=b"From: a@b.example\r\nSubject: x\r\n"),
    "brackets in address": mail(head=HEAD.replace(b"<bob@example.org>", b"<[x]@y>")),
    "repeated header": mail(
        b"x", b"To: carol@example.net", b"Cc: d@e.example", b"Cc: f@g.example"
    ),
}
