"""What the parser makes of bodies: text, HTML and attachments."""

import pytest
from awkward import HEAD, HTML, INNER, MAILS, PDF, PLAIN, encoded, mail, part, whole

from easycrm_mail.messages import UnreadableMessage, extract_part, parse
from easycrm_mail.messages.charsets import codec_name
from easycrm_mail.messages.html_text import html_to_text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plain", "Hello Bob\n"),
        ("no body", ""),
        ("header only", ""),
        ("no separator", "the body begins here\nand: goes on\n"),
        ("mbox envelope line", "Hello Bob\n"),
        ("field names in odd case", "grüße"),
        ("latin-1 body", "Grüße"),
        ("utf-8 said to be latin-1", "Grüße"),
        ("latin-1 said to be utf-8", "Grüße aus Köln"),
        ("windows quotes said to be us-ascii", "“quoted” € 5"),
        ("unknown charset", "Grüße"),
        ("dangerous charset", "xn--a"),
        ("japanese", "こんにちは"),
        ("chinese", "你好"),
        ("utf-16 in base64", "Grüße"),
        ("nul bytes", "abc"),
        ("html only", "Grüße aus Köln"),
        ("html with charset of its own", "Łódź"),
        ("several texts", "before\nafter"),
        ("text file inline", "the body"),
        ("base64 without padding", "hello"),
        ("quoted-printable in small letters", "grüße"),
        ("quoted-printable with raw 8-bit", "grüße"),
        ("unknown transfer encoding", "hello"),
        ("multipart without boundary", "just text"),
        ("multipart without parts", "just text"),
        ("content type without slash", "hello"),
        ("content type empty", "hello"),
        ("part without header", "hello"),
        ("part without separator", "hello\n\nBob"),
        ("boundary that begins another", "Grüße aus Köln"),
        ("body is a pdf", ""),
    ],
)
def test_text_is_what_a_person_reads(name, text):
    assert parse(MAILS[name]).text == text


@pytest.mark.parametrize(
    "label", ["punycode", "idna", "unicode_escape", "rot13", "base64", "undefined", "x"]
)
def test_only_charsets_of_text_are_decoded(label):
    assert codec_name(label) == ""


def test_html_is_kept_as_it_came():
    html = parse(MAILS["alternative"]).html
    assert html == "<p>Grüße aus <b>Köln</b></p>"
    assert parse(MAILS["plain"]).html == ""


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<div>one</div><div>two <b>bold</b></div>", "one\ntwo bold"),
        ("<style>p{color:red}</style><script>x='</p>'</script>text", "text"),
        ("<head><title>Title</title></head><body>text</body>", "text"),
        ("<!-- <p>hidden</p> -->shown<!--[if mso]>office<![endif]-->", "shown"),
        ("<STYLE>x</Style >y", "y"),
        (
            "a &amp; b &lt;c&gt; &nbsp;d &#8364; &#0; &unknown;",
            "a & b <c> \xa0d € � &unknown;",
        ),
        ("<a title='1 > 0' href=\"x\">link</a>", "link"),
        ("<ul><li>one<li>two</ul>", "- one\n- two"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        (
            "new<blockquote>old<br>older</blockquote>after",
            "new\n\n> old\n> older\n\nafter",
        ),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("never closed <p", "never closed"),
        ("<!-- never closed", ""),
        ("", ""),
    ],
)
def test_html_becomes_text(html, text):
    assert html_to_text(html) == text


def test_blank_text_part_does_not_hide_the_html():
    raw = whole(part(b"text/plain", b" \r\n"), HTML, kind=b"alternative")
    assert parse(raw).text == "Grüße aus Köln"


def names(name: str) -> list[str]:
    """The attachment names of a mail of the collection."""
    return [one.name for one in parse(MAILS[name]).attachments]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("mixed", ["a.pdf"]),
        ("forwarded", ["Inner.eml"]),
        ("forwarded in base64", ["Inner.eml"]),
        ("forwarded as a whole", ["Inner.eml"]),
        ("digest", ["Inner.eml", "Inner.eml"]),
        ("bounce", ["delivery-status.txt", "headers.txt"]),
        ("invitation", ["invite.ics"]),
        ("text file inline", ["notes.txt"]),
        ("nameless parts", ["image-1.png", "attachment-2"]),
        ("name in rfc 2231", ["Übersicht und Plan.pdf"]),
        ("name in encoded words", ["Übersicht.pdf"]),
        ("name in raw utf-8", ["Übersicht zwei.pdf"]),
        ("name with directories", ["passwd.pdf"]),
        ("signed", ["signature.asc"]),
        ("body is a pdf", ["scan.pdf"]),
        ("amp", []),
        ("alternative", []),
        ("multipart not closed", ["a.pdf"]),
    ],
)
def test_attachments_have_sensible_names(name, found):
    assert names(name) == found


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("C:\\Users\\Anna\\plan.pdf", "plan.pdf"),
        ("/etc/passwd", "passwd"),
        ("..", "attachment-1.pdf"),
        ("a\u202egpj.exe", "agpj.exe"),
        (f"{'x' * 500}.pdf", f"{'x' * 176}.pdf"),
    ],
)
def test_attachment_names_have_no_tricks(written, read):
    field = f'Content-Disposition: attachment; filename="{written}"'
    raw = whole(PLAIN, encoded(b"application/pdf", b"x", field.encode()))
    assert parse(raw).attachments[0].name == read


def test_a_text_said_to_be_an_attachment_is_no_body():
    attached = part(
        b"text/plain", b"name,price", b"Content-Disposition: attachment; filename=a.csv"
    )
    for parts in ([HTML, attached], [attached, HTML]):
        message = parse(whole(*parts))
        assert message.text == "Grüße aus Köln"
        assert [one.name for one in message.attachments] == ["a.csv"]


def test_inline_is_what_the_html_shows():
    image, pdf = parse(MAILS["related"]).attachments
    assert (image.inline, image.content_id, image.mimetype) == (
        True,
        "logo@1",
        "image/png",
    )
    assert (pdf.inline, pdf.content_id) == (False, "")
    raw = MAILS["related"].replace(b"cid:logo@1", b"https://x.example/i.png")
    assert not parse(raw).attachments[0].inline


def test_attachment_is_extracted_as_it_was_sent():
    attachment = parse(MAILS["mixed"]).attachments[0]
    data = extract_part(MAILS["mixed"], attachment.part)
    assert data == b"%PDF-1.4 nothing"
    assert attachment.size == len(data)
    forwarded = parse(MAILS["forwarded"]).attachments[0]
    assert extract_part(MAILS["forwarded"], forwarded.part) == INNER


def test_damaged_base64_gives_what_is_left_of_it():
    raw = MAILS["base64 with noise"]
    attachment = parse(raw).attachments[0]
    assert extract_part(raw, attachment.part).startswith(b"hello")


@pytest.mark.parametrize("missing", ["1", "-1", "", "x", "9" * 5000])
def test_a_part_that_is_not_there_is_said_so(missing):
    with pytest.raises(UnreadableMessage, match="no attachment"):
        extract_part(MAILS["mixed"], missing)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\r\n", "empty"),
        (b"just some text", "no header"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "no header"),
        (b"\r\nSubject: x\r\n", "no header"),
    ],
)
def test_what_is_no_mail_is_refused_in_plain_words(raw, reason):
    with pytest.raises(UnreadableMessage, match=reason):
        parse(raw)


def test_text_and_html_have_a_cap():
    raw = whole(
        part(b"text/plain; charset=utf-8", "ü".encode() * 4_000_000),
        part(b"text/html", b"x" * 6_000_000),
        PDF,
    )
    message = parse(raw)
    assert len(message.text) == 2_500_000
    assert len(message.html) == 5_000_000
    assert len(message.attachments) == 1


def test_a_mail_with_a_thousand_attachments_is_cut_not_refused():
    assert len(parse(whole(PLAIN, *[PDF] * 1500)).attachments) == 999


def test_a_mail_of_100_mb_is_refused():
    with pytest.raises(UnreadableMessage, match="100 MB"):
        parse(mail(b"x" * 100_000_000))


def test_head_alone_is_a_message():
    assert parse(HEAD).subject == "Hello"
