"""What the senders report: nothing is read that they did not sign."""

import json
from datetime import datetime, timezone

import pytest
from servers.bulk import Delivered, now
from servers.mailgun import MailgunServer
from servers.sendgrid import SendGridServer

from easycrm_mail.esp import (
    EventKind,
    MailgunReports,
    Malformed,
    SendGridReports,
    Severity,
    Unverified,
)

# Published with @sendgrid/eventwebhook 8.0.0 (MIT).
KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS"
    "3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
)
SIGNATURE = (
    "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh8"
    "9M15TluLtEZtM="
)
TIMESTAMP = "1600112502"
BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-'
    b'5F5FC76C-9.0","smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>",'
    b'"timestamp":1600112492}]\r\n'
)
OTHER_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqTxd43gyp8IOEto2LdIfjRQrIbsd4SXZkLW6jDutdhXSJC"
    "WHw8REntlo7aNDthvj+y7GjUuFDb/R1NGe1OPzpA=="
)
OTHER_SIGNATURE = (
    "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2"
    "nlxFDWYNH3j/0="
)
MAIL = Delivered(
    1,
    "anna@example.com",
    "",
    "",
    "",
    {},
    {"easycrm_key": "k1", "easycrm_batch": "b1"},
)


def signed(signature=SIGNATURE, timestamp=TIMESTAMP):
    return {
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
    }


@pytest.fixture(scope="module")
def sendgrid():
    with SendGridServer() as server:
        yield server


@pytest.fixture(scope="module")
def mailgun():
    with MailgunServer() as server:
        yield server


@pytest.fixture
def its_day(monkeypatch):
    """It is the day of the published signature."""
    set_clock(monkeypatch, float(TIMESTAMP))


def set_clock(monkeypatch, at):
    monkeypatch.setattr("easycrm_mail.esp.answers.time.time", lambda: at)


def test_the_published_signature_is_taken(its_day):
    SendGridReports(KEY).verify(signed(), BODY)


@pytest.mark.parametrize("hours", [-23, 25, 71])
def test_a_signature_counts_for_days_as_long_as_it_is_tried_again(monkeypatch, hours):
    set_clock(monkeypatch, float(TIMESTAMP) + hours * 3600)
    SendGridReports(KEY).verify(signed(), BODY)


@pytest.mark.parametrize("hours", [-25, 73, 24 * 365])
def test_a_recorded_report_is_refused_when_that_is_over(monkeypatch, hours):
    set_clock(monkeypatch, float(TIMESTAMP) + hours * 3600)
    with pytest.raises(Unverified, match="stale"):
        SendGridReports(KEY).verify(signed(), BODY)


@pytest.mark.parametrize("timestamp", ["soon", "nan", "1e999"])
def test_a_signed_time_that_is_none_is_refused(sendgrid, timestamp):
    with pytest.raises(Unverified, match="stale"):
        SendGridReports(sendgrid.verification_key).verify(
            sendgrid.sign(b"[]", timestamp), b"[]"
        )


@pytest.mark.parametrize(
    ("key", "headers", "body"),
    [
        (OTHER_KEY, signed(), BODY),
        (KEY, signed(), BODY.rstrip()),
        (KEY, signed(), b"payload"),
        (KEY, signed(signature=OTHER_SIGNATURE), BODY),
        (KEY, signed(timestamp="timestamp"), BODY),
        (KEY, signed(signature="garbage"), BODY),
        (KEY, signed(signature=""), BODY),
        (KEY, {}, BODY),
        (KEY, signed(), b"\xff\xfe"),
        ("no key", signed(), BODY),
        ("", signed(), BODY),
    ],
)  # fmt: skip
def test_any_other_signature_is_refused(its_day, key, headers, body):
    with pytest.raises(Unverified, match=r"^(signature|unset)"):
        SendGridReports(key).verify(headers, body)


def test_what_our_own_server_signs_is_taken(sendgrid):
    SendGridReports(sendgrid.verification_key).verify(sendgrid.sign(b"[]"), b"[]")


def test_the_published_report_is_read():
    (event,) = SendGridReports(KEY).read(BODY)
    assert event.kind is EventKind.DROPPED
    assert event.address == "hello@world.com"
    assert event.reason == "Bounced Address"
    assert event.at == datetime.fromtimestamp(1600112492, timezone.utc)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("processed", {}, {"kind": EventKind.PROCESSED}),
        ("deferred", {"response": "421 later"}, {"reason": "421 later"}),
        ("delivered", {}, {"kind": EventKind.DELIVERED}),
        ("bounce", {"type": "bounce", "status": "5.1.1"}, {"severity": Severity.HARD}),
        ("bounce", {"type": "bounce", "status": "4.2.2"}, {"severity": Severity.SOFT}),
        ("bounce", {"type": "blocked"}, {"severity": Severity.BLOCKED}),
        ("open", {"sg_machine_open": True}, {"is_machine": True}),
        ("open", {"sg_machine_open": False}, {"is_machine": False}),
        ("click", {"url": "https://x.example/?a=1"}, {"url": "https://x.example/?a=1"}),
        ("spamreport", {}, {"kind": EventKind.COMPLAINED}),
        ("group_unsubscribe", {}, {"kind": EventKind.UNSUBSCRIBED}),
        ("group_resubscribe", {}, {"kind": EventKind.RESUBSCRIBED}),
    ],
)
def test_sendgrid_events_are_read(sendgrid, kind, values, expected):
    body = json.dumps([sendgrid.event(MAIL, kind, **values)]).encode()
    (event,) = SendGridReports("").read(body)
    assert event.recipient == "k1"
    assert event.batch == "b1"
    for name, value in expected.items():
        assert getattr(event, name) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{}",
        b"null",
        b"[1]",
        b'[{"event":"open"}]',
        b'[{"event":"open","sg_event_id":{},"email":"a","timestamp":1}]',
        b'[{"event":"open","sg_event_id":"1","email":"a","timestamp":1e400}]',
        b'[{"event":"open","sg_event_id":"1","email":"a","timestamp":99999999999999}]',
        b'[{"event":["open"]}]',
        b"[" * 100_000,
        b"\xff",
    ],
)
@pytest.mark.parametrize("reports", [SendGridReports("k"), MailgunReports("k")])
def test_a_malformed_report_is_told(reports, body):
    with pytest.raises(Malformed):
        reports.read(body)


@pytest.mark.parametrize(
    "broken",
    [
        5,
        None,
        {"event": ["open"]},
        {"event": "open"},
        {"event": "open", "sg_event_id": None, "email": "a", "timestamp": 1},
        {"event": "open", "sg_event_id": "1", "email": "a", "timestamp": 10**20},
    ],
)
def test_an_event_that_makes_no_sense_keeps_no_other_out(sendgrid, broken):
    good = [sendgrid.event(MAIL, kind) for kind in ("delivered", "bounce")]
    body = json.dumps([good[0], broken, good[1]]).encode()
    found = SendGridReports("").read(body)
    assert [event.key for event in found] == [one["sg_event_id"] for one in good]


def test_events_of_an_unknown_kind_are_left_out(sendgrid, mailgun):
    body = json.dumps([sendgrid.event(MAIL, "account_status_change")]).encode()
    assert SendGridReports("").read(body) == []
    body = mailgun.sign(mailgun.event(MAIL, "stored"))
    assert MailgunReports("").read(body) == []


def test_no_null_character_comes_through(sendgrid):
    body = json.dumps([sendgrid.event(MAIL, "click", url="a\0b")]).encode()
    (event,) = SendGridReports("").read(body)
    assert event.url == "ab"


def test_mailgun_signature(mailgun):
    reports = MailgunReports(mailgun.signing_key)
    event = mailgun.event(MAIL, "delivered")
    body = mailgun.sign(event, token="t" * 50)
    reports.verify({}, body)
    assert reports.token(body) == "t" * 50
    with pytest.raises(Unverified, match="unset"):
        MailgunReports("").verify({}, body)
    with pytest.raises(Unverified, match="signature"):
        MailgunReports("other").verify({}, body)
    for age in (23 * 3600, -23 * 3600):
        reports.verify({}, mailgun.sign(event, timestamp=str(now() - age)))
    for age in (25 * 3600, -25 * 3600):
        stale = mailgun.sign(event, timestamp=str(now() - age))
        with pytest.raises(Unverified, match="stale"):
            reports.verify({}, stale)
    forged = json.loads(body)
    forged["signature"]["timestamp"] = str(now() + 1)
    for bad in (
        json.dumps(forged).encode(),
        b"",
        b"[]",
        b'{"signature": []}',
        b'{"signature": {"timestamp": "x", "token": "", "signature": ""}}',
        b'{"signature": {"timestamp": "1", "token": "t", "signature": "\xc3\xa9"}}',
    ):
        with pytest.raises(Unverified):
            reports.verify({}, bad)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("accepted", {}, {"kind": EventKind.PROCESSED}),
        ("delivered", {}, {"kind": EventKind.DELIVERED}),
        (
            "failed",
            {"severity": "temporary", "delivery-status": {"message": "421 later"}},
            {"kind": EventKind.DEFERRED, "reason": "421 later"},
        ),
        (
            "failed",
            {"severity": "permanent", "reason": "bounce",
             "delivery-status": {"code": 550, "message": "no such user"}},
            {"kind": EventKind.BOUNCED, "severity": Severity.HARD},
        ),
        (
            "failed",
            {"severity": "permanent", "reason": "espblock"},
            {"severity": Severity.BLOCKED},
        ),
        (
            "failed",
            {"severity": "permanent", "delivery-status": {"code": 552,
             "enhanced-code": "5.2.2"}},
            {"severity": Severity.SOFT},
        ),
        (
            "failed",
            {"severity": "permanent", "reason": "suppress-bounce"},
            {"kind": EventKind.DROPPED},
        ),
        *(
            (
                "failed",
                {"severity": "permanent", "reason": reason,
                 "delivery-status": {"code": code, "message": "", "description": said}},
                {"kind": EventKind.DROPPED, "reason": f"{reason}: {said}"},
            )
            for reason, code, said in (
                ("suppress-bounce", 605, "Not delivering to a bounced address"),
                ("suppress-unsubscribe", 606, "Not delivering to unsubscribed address"),
                ("suppress-complaint", 607,
                 "Not delivering to a user who marked your messages as spam"),
            )
        ),
        ("rejected", {"reject": {"reason": "bad"}}, {"reason": "bad"}),
        ("opened", {"client-info": {"bot": "apple"}}, {"is_machine": True}),
        ("opened", {"client-info": {"bot": ""}}, {"is_machine": False}),
        ("clicked", {"url": "https://x.example"}, {"url": "https://x.example"}),
        ("complained", {}, {"kind": EventKind.COMPLAINED}),
        ("unsubscribed", {}, {"kind": EventKind.UNSUBSCRIBED}),
    ],
)  # fmt: skip
def test_mailgun_events_are_read(mailgun, kind, values, expected):
    (event,) = MailgunReports("").read(
        mailgun.sign(mailgun.event(MAIL, kind, **values))
    )
    assert (event.recipient, event.batch) == ("k1", "b1")
    assert event.key.startswith(f"{event.at:%Y%m%d}:")
    for name, value in expected.items():
        assert getattr(event, name) == value
