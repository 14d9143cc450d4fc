"""What servers report on mail that did not get there is read, whoever wrote it."""

import sys

import pytest

from easycrm_mail.messages import Undelivered, read_bounce

POSTFIX = b"""\
From: MAILER-DAEMON@mx.acme.example (Mail Delivery System)
To: mira@ours.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="B1"
Message-ID: <report@mx.acme.example>

--B1
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.acme.example.

--B1
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.acme.example
Arrival-Date: Mon,  2 Mar 2026 09:00:00 +0100 (CET)

Final-Recipient: rfc822; h.voss@acme.example
Original-Recipient: rfc822;Voss@acme.example
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp; 552 5.2.2 Mailbox
    is full

Final-Recipient: rfc822; late@acme.example
Action: delayed
Status: 4.4.1

--B1
Content-Type: message/rfc822

From: mira@ours.example
To: voss@acme.example
Message-ID: <offer@ours.example>
Subject: Offer

Hello
--B1--
"""

EXCHANGE = b"""\
From: postmaster@ours.example
Content-Type: multipart/report; report-type=delivery-status; boundary="B2"
MIME-Version: 1.0
Subject: Undeliverable: Offer

--B2
Content-Type: text/html

<p>It was not delivered</p>
--B2
Content-Type: message/delivery-status

Reporting-MTA: dns;mail.example

Final-Recipient: rfc822;<gone@acme.example>
Action: Failed (nobody there)
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound
--B2
Content-Type: text/rfc822-headers

Message-ID: <offer@ours.example>
Subject: Offer
--B2--
"""


def test_a_report_says_about_which_mail_to_whom_and_why():
    for raw in (POSTFIX, POSTFIX.replace(b"\n", b"\r\n")):
        bounce = read_bounce(raw)
        assert bounce.message_ids == ("<offer@ours.example>",)
        assert bounce.recipients == (
            Undelivered(
                ("Voss@acme.example", "h.voss@acme.example"),
                "failed",
                "5.2.2",
                "552 5.2.2 Mailbox is full",
            ),
            Undelivered(("late@acme.example",), "delayed", "4.4.1", ""),
        )


def test_what_exchange_reports_is_read_too():
    bounce = read_bounce(EXCHANGE)
    assert bounce.message_ids == ("<offer@ours.example>",)
    [failed] = bounce.recipients
    assert failed.addresses == ("gone@acme.example",)
    assert (failed.action, failed.status) == ("failed", "5.1.10")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Subject: Hello\n\nmultipart/report; report-type=delivery-status",
        POSTFIX.replace(b"report-type=delivery-status", b"report-type=feedback"),
        POSTFIX.replace(b"Final-Recipient", b"X-Recipient").replace(
            b"Original-Recipient", b"X-Other"
        ),
        POSTFIX.replace(b"message/delivery-status", b"text/plain"),
    ],
)
def test_another_mail_is_no_report(raw):
    assert read_bounce(raw) is None


def test_whatever_stands_in_it_nothing_is_raised():
    for cut in range(0, len(POSTFIX), 7):
        read_bounce(POSTFIX[:cut])
        read_bounce(POSTFIX[:cut] + b"\xff\x00" + POSTFIX[cut:])
    nested = b"Content-Type: message/rfc822\n\n" * 2000
    read_bounce(POSTFIX.replace(b"Message-ID: <offer@ours.example>\n", nested))


def test_what_is_nested_in_it_costs_nothing():
    nested = b"".join(
        b'Content-Type: multipart/mixed; boundary="N%d"\n\n--N%d\n' % (depth, depth)
        for depth in range(100)
    )
    raw = POSTFIX.replace(b"Hello\n", nested + b"x\n" * 2000)
    raw = raw.replace(b"Content-Type: message/rfc822\n\nFrom", nested + b"\nFrom")
    calls = []
    sys.setprofile(lambda _frame, event, _arg: calls.append(event))
    try:
        bounce = read_bounce(raw)
    finally:
        sys.setprofile(None)
    assert len(bounce.recipients) == 2
    assert len(calls) < 10_000


def test_its_ids_hold_nothing_that_cannot_be_stored():
    for kind in (b"message/rfc822", b"text/rfc822-headers"):
        raw = POSTFIX.replace(b"<offer@", b"<of\x00f\xffer@")
        raw = raw.replace(b"message/rfc822", kind)
        [found] = read_bounce(raw).message_ids
        assert "\x00" not in found
        found.encode()
