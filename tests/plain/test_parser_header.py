"""What the parser reads from the header: subject, people, date, identity."""

from datetime import datetime, timedelta, timezone

import pytest
from awkward import HEAD, MAILS, mail

from easycrm_mail.messages import Address, Participant, Role, parse
from easycrm_mail.messages.addresses import read_addresses

GOT = datetime(2025, 3, 4, 9, 5, tzinfo=timezone.utc)


def with_field(name: str, value: str | bytes):
    """A mail with one field replaced or added, parsed."""
    value = value if isinstance(value, bytes) else value.encode()
    kept = [
        line
        for line in HEAD.splitlines(keepends=True)
        if not line.lower().startswith(name.lower().encode() + b":")
    ]
    head = b"".join(kept) + name.encode() + b": " + value + b"\r\n"
    return parse(head + b"\r\nHello\r\n", GOT)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (
            b"Re: =?ISO-8859-1?q?Gr=FC=DFe?= aus =?utf-8?b?S8O2bG4=?=",
            "Re: Grüße aus Köln",
        ),
        # White space between two encoded words is none; a split character is one.
        (b"=?utf-8?B?R3LD?=\r\n =?utf-8?B?vMOfZQ==?=", "Grüße"),
        (b"=?utf-8?Q?a_b?= =?utf-8?Q?_c?=", "a b c"),
        (b"=?utf-8?B?SGVsbG8?=", "Hello"),
        (b"=?utf-8*de?Q?x?=", "x"),
        (b"=?x-none?Q?Gr=C3=BCn?=", "Grün"),
        (b"=?utf-8?Q?not closed", "=?utf-8?Q?not closed"),
        (b"=?utf-8?Q?What??=", "What?"),
        ("Grüße".encode(), "Grüße"),
        ("Grüße".encode("latin-1"), "Grüße"),
        ("你好".encode(), "你好"),
        (b"folded\r\n\tand   folded\r\n again", "folded and folded again"),
        (b"=?utf-8?Q?a=00b=0D=0ABcc:_x?=", "ab Bcc: x"),
        (b"", ""),
    ],
)
def test_subject_is_decoded(written, read):
    assert with_field("Subject", written).subject == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a@b.example", [("", "a@b.example")]),
        ("Anna <a@b.example>", [("Anna", "a@b.example")]),
        ('"Doe, John" <j@b.example>, x@y', [("Doe, John", "j@b.example"), ("", "x@y")]),
        (r'"a \"b\" c" <j@b>', [('a "b" c', "j@b")]),
        ("=?utf-8?Q?Doe=2C_J=C3=B6rg?= <j@b>", [("Doe, Jörg", "j@b")]),
        ("=?utf-8?Q?Doe,_J=C3=B6rg?= <j@b>", [("Doe, Jörg", "j@b")]),
        ('"=?utf-8?Q?J=C3=B6rg?=" <j@b>', [("Jörg", "j@b")]),
        ("Jörg <jörg@bücher.example>", [("Jörg", "jörg@bücher.example")]),
        ("'Anna' <a@b>", [("Anna", "a@b")]),
        ("a@b (Anna (the first) B)", [("Anna (the first) B", "a@b")]),
        ("Team: a@b, B <c@d>;", [("", "a@b"), ("B", "c@d")]),
        ("undisclosed-recipients:;", []),
        ("<[x]@y>", [("", "[x]@y")]),
        ("a@b; c@d", [("", "a@b"), ("", "c@d")]),
        ("a@b c@d", [("", "a@b"), ("", "c@d")]),
        ("Anna a@b", [("Anna", "a@b")]),
        ("Anna <a@b, Bob <c@d>", [("Anna", "a@b"), ("Bob", "c@d")]),
        ("< a@b >", [("", "a@b")]),
        ("<@route,@x:a@b>", [("", "a@b")]),
        ('"a b"@c', [("", '"a b"@c')]),
        ("mailto:a@b", [("", "a@b")]),
        ("root", [("", "root")]),
        ("Anna <>", []),
        ("Nobody at all", []),
        ("", []),
        (",,;,", []),
        ('"never closed <a@b>', [("never closed", "a@b")]),
        ("(never closed <a@b>", [("(never closed", "a@b")]),
        ("=?utf-8?Q?Anna_=3Ca=40b=3E?=", [("Anna", "a@b")]),
    ],
)
def test_addresses_are_read_as_people_write_them(written, read):
    assert [(one.name, one.address) for one in read_addresses(written)] == read


def test_participants_come_from_every_header_of_a_role_in_order():
    message = parse(MAILS["repeated header"])
    assert message.participants == (
        Participant(Role.FROM, "Anna", "anna@example.com"),
        Participant(Role.TO, "Bob", "bob@example.org"),
        Participant(Role.TO, "", "carol@example.net"),
        Participant(Role.CC, "", "d@e.example"),
        Participant(Role.CC, "", "f@g.example"),
    )


def test_reply_to_is_no_participant():
    message = with_field("Reply-To", "Desk <desk@example.com>")
    assert message.reply_to == (Address("Desk", "desk@example.com"),)
    assert "desk@example.com" not in {one.address for one in message.participants}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Tue, 4 Mar 2025 10:00:00 +0100", (2025, 3, 4, 9, 0)),
        ("4 Mar 2025 10:00 -0500", (2025, 3, 4, 15, 0)),
        ("Tue, 04 Mar 25 10:00:00 GMT", (2025, 3, 4, 10, 0)),
        ("Tue, 4 Mar 2025 10:00:00 +0100 (CET)", (2025, 3, 4, 9, 0)),
        ("Tue, 4 Mar 2025 10:00:00", (2025, 3, 4, 10, 0)),
        # No date, or none that can be: what the mailbox says counts.
        ("", (2025, 3, 4, 9, 5)),
        ("yesterday", (2025, 3, 4, 9, 5)),
        ("Thu, 1 Jan 1970 00:00:00 +0000", (2025, 3, 4, 9, 5)),
        ("Fri, 31 Dec 9999 23:59:59 -2359", (2025, 3, 4, 9, 5)),
        ("Tue, 99 Foo 2025 99:99:99 +9999", (2025, 3, 4, 9, 5)),
        ("Fri, 7 Mar 2025 10:00:00 +0000", (2025, 3, 4, 9, 5)),
        ("Thu, 6 Mar 2025 09:00:00 +0000", (2025, 3, 6, 9, 0)),
    ],
)
def test_date_is_the_header_s_where_it_can_be_true(written, read):
    assert with_field("Date", written).date == datetime(*read, tzinfo=timezone.utc)


def test_date_falls_back_to_the_newest_received_line_that_can_be_true():
    head = (
        b"Received: from a by b; Tue, 4 Mar 2999 09:00:02 +0000\r\n"
        b"Received: from c by d with ESMTP;\r\n Tue, 4 Mar 2025 09:00:01 +0000\r\n"
        b"Received: from e by f; Tue, 4 Mar 2025 09:00:00 +0000\r\n"
        b"From: a@b\r\n"
    )
    date = parse(mail(head=head), GOT).date
    assert date == datetime(2025, 3, 4, 9, 0, 1, tzinfo=timezone.utc)


def test_date_without_any_clue_is_now():
    date = parse(mail(head=b"From: a@b\r\n")).date
    assert abs(date - datetime.now(timezone.utc)) < timedelta(minutes=1)
    assert date.tzinfo is timezone.utc


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<a@b>", "<a@b>"),
        ("  <a@b> (comment)", "<a@b>"),
        ("a@b", "<a@b>"),
        ("<a.long\r\n part@b>", "<a.longpart@b>"),
        ("<no-at-sign>", "<no-at-sign>"),
        ("no-at-sign", "<no-at-sign>"),
    ],
)
def test_message_id_has_its_brackets(written, read):
    assert with_field("Message-ID", written).message_id == read


@pytest.mark.parametrize("written", ["", "<>", "two words"])
def test_message_id_that_is_missing_is_made_from_the_digest(written):
    message = with_field("Message-ID", written)
    assert message.message_id == f"<{message.digest}@missing.invalid>"
    assert with_field("Message-ID", written).message_id == message.message_id


def test_a_message_id_that_no_index_takes_is_the_same_wherever_it_stands():
    long = f"<{'x' * 2000}@example.com>"
    message_id = with_field("Message-ID", long).message_id
    assert len(message_id) < 200
    assert with_field("In-Reply-To", long).in_reply_to == message_id
    assert with_field("References", f"<a@b> {long}").references[1] == message_id


@pytest.mark.parametrize(
    ("field", "value", "is_automatic"),
    [
        ("List-Id", "<news.shop.example>", True),
        ("List-Unsubscribe", "<mailto:off@shop.example>", True),
        ("Precedence", " Bulk ", True),
        ("Precedence", "junk", True),
        ("Precedence", "list", True),
        ("Precedence", "normal", False),
        ("Auto-Submitted", "auto-generated (by a machine)", True),
        ("Auto-Submitted", "Auto-Replied; owner=x", True),
        ("Auto-Submitted", "No", False),
        ("Reply-To", "list@shop.example", False),
    ],
)
def test_what_went_to_many_or_was_written_by_a_machine_says_so(
    field, value, is_automatic
):
    assert with_field(field, value).is_automatic is is_automatic


@pytest.mark.parametrize(
    ("references", "in_reply_to", "read"),
    [
        ("<a@x> <b@y>", "<b@y>", ("<a@x>", "<b@y>")),
        ("<a@x>\r\n\t<b@y>\r\n <c@z>", "", ("<a@x>", "<b@y>", "<c@z>")),
        ("<a@x>,<b@y>", "<c@z>", ("<a@x>", "<b@y>", "<c@z>")),
        ("<a@x><b@y><a@x>", "", ("<a@x>", "<b@y>")),
        ("a@x b@y", "c@z", ("<a@x>", "<b@y>", "<c@z>")),
        ("<a\r\n b@x>", "", ("<ab@x>",)),
        ("", 'Message from a@b of "Monday" <c@z>', ("<c@z>",)),
        ("garbage <", "<>", ()),
    ],
)
def test_references_end_with_what_is_answered(references, in_reply_to, read):
    head = f"References: {references}\r\nIn-Reply-To: {in_reply_to}\r\n".encode()
    assert parse(mail(head=HEAD + head)).references == read


def test_the_root_of_a_very_long_thread_is_kept():
    references = " ".join(f"<{number}@x>" for number in range(1000))
    read = with_field("References", references).references
    assert (len(read), read[0], read[-1]) == (200, "<0@x>", "<999@x>")


def test_automatic_answers_and_lists_are_told():
    message = with_field("Auto-Submitted", "Auto-Replied; owner=x")
    assert message.auto_submitted == "auto-replied"
    assert (
        with_field("List-Id", "A list <list.example.com>").list_id == "list.example.com"
    )
    assert with_field("List-Id", "list.example.com").list_id == "list.example.com"


def test_digest_stays_when_servers_fold_and_wrap_anew():
    one = mail(b"Hello   Bob,\r\n\r\nhow are you?\r\n")
    two = mail(
        b"Hello Bob,\nhow are\n you?",
        head=b"X-Other: 1\r\nReceived: from a; x\r\n"
        + HEAD.replace(b"Subject: Hello", b"Subject:\r\n Hello"),
    )
    assert parse(one).digest == parse(two).digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"anna@example.com", b"eve@example.com"),
        (b"10:00:00", b"10:00:01"),
        (b"Subject: Hello", b"Subject: Hallo"),
        (b"Hello Bob", b"Hello Rob"),
    ],
)
def test_digest_tells_a_forged_mail_with_the_same_message_id_apart(old, new):
    raw = mail()
    assert old in raw
    assert parse(raw.replace(old, new)).digest != parse(raw).digest


def test_digest_tells_mails_apart_that_differ_only_in_what_a_reader_could_gain():
    """Its HTML, or a file: else a forged copy would open them to the forger."""
    parts = [b"--b\r\nContent-Type: text/plain\r\n\r\nSee attached.\r\n"]
    html = b"--b\r\nContent-Type: text/html\r\n\r\n<p>%s</p>\r\n"
    file = (
        b"--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"
        b"Content-Disposition: attachment\r\n\r\n%s\r\n"
    )
    variants = [
        [],
        [html % b"one"],
        [html % b"two"],
        [file % b"one"],
        [file % b"two"],
        [html % b"one", file % b"one"],
    ]
    head = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n"
    digests = {
        parse(head + b"\r\n" + b"".join([*parts, *more]) + b"--b--\r\n").digest
        for more in variants
    }
    assert len(digests) == len(variants)


def test_digest_is_the_documented_recipe_for_ever():
    assert parse(MAILS["plain"]).digest == (
        "394c4d61c75ab350ae4b2ea8398c89d1bda74a14de27ef22ae6cf70ad74a6624"
    )
    assert parse(MAILS["html only"]).digest == (
        "31205efb6a6416c33b77111f43cb2bce93c91eb5af8edb7b5f2906695d314b66"
    )
