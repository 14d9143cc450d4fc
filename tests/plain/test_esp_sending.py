"""Bulks handed over to both senders: each person gets his own, once, or an error says
whether anybody can have got it."""

import json
import logging
import re
from datetime import datetime, timezone

import pytest
from servers.mailgun import MailgunServer, suppression
from servers.sendgrid import SendGridServer
from servers.web import Answer

from easycrm_mail.esp import (
    Bulk,
    Doubtful,
    File,
    Mailgun,
    Permanent,
    Recipient,
    Refused,
    Retry,
    SendGrid,
    Slot,
    SuppressionReason,
)
from easycrm_mail.esp import sendgrid as sendgrid_module

SENDERS = ("sendgrid", "mailgun")
SEND = {"sendgrid": "POST /v3/mail/send", "mailgun": "POST /v3/mg.example.com/messages"}


@pytest.fixture
def sendgrid(monkeypatch):
    with SendGridServer() as server:
        monkeypatch.setenv("EASYCRM_SENDGRID_API_URL", server.url)
        yield server


@pytest.fixture
def mailgun(monkeypatch):
    with MailgunServer() as server:
        monkeypatch.setenv("EASYCRM_MAILGUN_API_URL", server.url)
        yield server


@pytest.fixture(params=SENDERS)
def sender(request):
    return request.param


@pytest.fixture
def server(sender, request):
    return request.getfixturevalue(sender)


@pytest.fixture
def esp(sender, server):
    esp = make(sender, server)
    yield esp
    esp.close()


def make(sender, server, key=None, **kwargs):
    key = server.key if key is None else key
    if sender == "sendgrid":
        return SendGrid(key, **kwargs)
    return Mailgun(key, server.domain, **kwargs)


def people(count, **values):
    return [
        Recipient(
            f"p{number}@example.com",
            f"key{number}",
            f"Person {number}",
            {"name": f"Person {number}", **values},
        )
        for number in range(count)
    ]


def bulk(recipients=(), **kwargs):
    values = {
        "key": "batch1",
        "sender": ("Tallwood Furniture", "news@tallwood.example"),
        "subject": ["For ", Slot("name")],
        "html": ["<p>Hello ", Slot("name"), "</p>"],
        "text": ["Hello ", Slot("name")],
        "recipients": recipients or people(3),
    }
    return Bulk(**{**values, **kwargs})


def test_each_person_gets_his_own_values(esp, server):
    accepted = esp.send(bulk(headers={"X-For": ["<", Slot("name"), ">"]}))
    assert accepted.reference
    mails = server.deliveries.all()
    assert [mail.address for mail in mails] == [f"p{n}@example.com" for n in range(3)]
    for number, mail in enumerate(mails):
        assert mail.subject == f"For Person {number}"
        assert mail.html == f"<p>Hello Person {number}</p>"
        assert mail.text == f"Hello Person {number}"
        assert mail.headers["X-For"] == f"<Person {number}>"
        assert mail.custom["easycrm_key"] == f"key{number}"
        assert mail.custom["easycrm_batch"] == "batch1"


def test_nobody_sees_the_others(esp, server, sender):
    esp.send(bulk(text=(), subject=["News"], html=["<p>News</p>"]))
    for mail in server.deliveries.all():
        others = {f"p{n}@example.com" for n in range(3)} - {mail.address}
        assert not any(other in str(mail) for other in others)
        if sender == "mailgun":
            assert mail.headers["To"] == mail.address


def test_a_thousand_people_are_one_call(esp, server, sender):
    esp.send(bulk(people(1000)))
    assert len(server.deliveries.all()) == 1000
    assert len(server.calls) == 1


def test_what_looks_like_a_tag_stays_as_it_was_written(esp, server):
    odd = ["100 % of %recipient.name% and %unsubscribe_url% -name- ", Slot("name")]
    person = Recipient("a@example.com", "k", "", {"name": "%recipient.key% -name-"})
    esp.send(bulk([person], subject=odd, html=odd, text=odd))
    (mail,) = server.deliveries.all()
    written = "100 % of %recipient.name% and %unsubscribe_url% -name- "
    for text in (mail.subject, mail.html, mail.text):
        assert text.startswith(written)


def test_odd_names_arrive(esp, server):
    value = "Zoë “Z” 😀 שלום <b>&amp;</b>\nsecond line"
    person = Recipient("zoe@example.com", "k", 'Zoë, "Z"\nBcc: x@y.example', {})
    slotted = ["<p>", Slot("v"), "</p>"]
    person = Recipient(person.address, "k", person.name, {"v": value})
    esp.send(bulk([person], subject=["x"], html=slotted, text=slotted))
    (mail,) = server.deliveries.all()
    assert mail.html == f"<p>{value}</p>"
    assert mail.address == "zoe@example.com"


def test_files_go_along(esp, server):
    files = [
        File("offer “1”.pdf", "application/pdf", b"%PDF" + bytes(200_000)),
        File("logo.png", "image/png", b"png", content_id="logo1"),
    ]
    esp.send(bulk(files=files))
    assert all(len(mail.files) == 2 for mail in server.deliveries.all())


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (401, Permanent, "key"),
        (413, Refused, "size"),
        (429, Retry, "busy"),
        (500, Retry, "trouble"),
        (503, Retry, "trouble"),
        (502, Doubtful, "answer"),
        (504, Doubtful, "answer"),
    ],
)
def test_answers_are_sorted_by_whether_it_was_sent(
    esp, server, sender, status, error, code
):
    answer = Answer({"errors": [{"message": "no"}]}, status, {"Retry-After": "7"})
    server.break_(SEND[sender], "answer", answer=answer)
    with pytest.raises(error) as caught:
        esp.send(bulk())
    assert caught.value.code == code
    if status in (429, 503):
        assert caught.value.retry_after == 7
    assert len(server.calls) == 1  # nothing is repeated in here
    assert not server.deliveries.all()


@pytest.mark.parametrize(
    ("said", "waited"), [("inf", 86_400), ("1e300", 86_400), ("-5", 0), ("nan", 0)]
)
def test_no_wait_is_longer_than_a_day(esp, server, sender, said, waited):
    server.break_(SEND[sender], "answer", answer=Answer("", 429, {"Retry-After": said}))
    with pytest.raises(Retry) as caught:
        esp.send(bulk())
    assert caught.value.retry_after == waited


@pytest.mark.parametrize("key", ["SG.sec\nret", "sec ret", "secr\u00e9t"])
def test_a_key_that_can_stand_in_no_header_is_in_no_error(server, sender, key):
    server.key = key
    with pytest.raises(Permanent) as caught:
        make(sender, server)
    assert caught.value.code == "key"
    assert "sec" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "is_delivered"), [("reset", True), ("half", True), ("refuse", False)]
)
def test_an_answer_that_is_lost_leaves_a_doubt(esp, server, sender, kind, is_delivered):
    server.break_(SEND[sender], kind)
    if sender == "sendgrid" and kind == "half":
        pytest.skip("its answer has no body, so there is no half of it")
    with pytest.raises(Doubtful):
        esp.send(bulk())
    assert bool(server.deliveries.all()) == is_delivered
    assert len(server.deliveries.all()) in (0, 3)


def test_a_slow_answer_leaves_a_doubt(server, sender):
    esp = make(sender, server, timeout=0.5)
    server.break_(SEND[sender], "slow", seconds=1.5)
    with pytest.raises(Doubtful) as caught:
        esp.send(bulk())
    assert caught.value.code == "timeout"


def test_a_service_that_is_away_got_nothing(esp, server):
    server.refuse()
    with pytest.raises(Retry) as caught:
        esp.send(bulk())
    assert caught.value.code == "refused"


def test_one_bad_address_is_named_and_nobody_got_it(esp, server, sender):
    persons = [*people(2), Recipient("not an address", "k", "", {"name": "x"})]
    if sender == "mailgun":
        persons[2] = Recipient("bad@nowhere", "k", "", {"name": "x"})
    with pytest.raises(Refused) as caught:
        esp.send(bulk(persons))
    assert caught.value.code == "recipients"
    if sender == "sendgrid":
        assert caught.value.addresses == ("not an address",)
    assert not server.deliveries.all()


def test_a_bulk_holds_an_address_once():
    twice = [Recipient("A@example.com", "1"), Recipient("a@example.com", "2")]
    with pytest.raises(ValueError, match="twice"):
        bulk(twice, subject=["x"], html=["x"], text=())


def test_a_bulk_has_a_value_for_every_slot():
    with pytest.raises(ValueError, match="name"):
        bulk([Recipient("a@example.com", "1")])


def test_a_wrong_key_is_told(sender, server):
    esp = make(sender, server, key="wrong")
    with pytest.raises(Permanent) as caught:
        esp.check()
    assert caught.value.code == "key"
    assert "wrong" not in str(caught.value)


def test_used_up_credits_are_no_wrong_key(sendgrid):
    said = {"errors": [{"message": "Maximum credits exceeded", "field": None}]}
    sendgrid.break_(SEND["sendgrid"], "answer", answer=Answer(said, 401))
    with pytest.raises(Permanent) as caught:
        make("sendgrid", sendgrid).send(bulk())
    assert caught.value.code == "plan"
    assert caught.value.detail == "Maximum credits exceeded"


def test_a_key_that_may_not_send_is_told(sendgrid):
    esp = make("sendgrid", sendgrid)
    esp.check()
    sendgrid.scopes = ["alerts.read"]
    with pytest.raises(Permanent) as caught:
        esp.check()
    assert caught.value.code == "scope"


def test_a_domain_that_is_not_ready_is_told(mailgun):
    esp = make("mailgun", mailgun)
    esp.check()
    mailgun.state = "unverified"
    with pytest.raises(Permanent) as caught:
        esp.check()
    assert caught.value.code == "domain"
    with pytest.raises(Permanent) as caught:
        Mailgun(mailgun.key, "other.example.com").check()
    assert caught.value.code == "domain"


def test_another_address_of_the_service_is_a_doubt_not_a_success(mailgun):
    mailgun.break_("POST", "answer", answer=Answer("Mailgun Magnificent API"))
    with pytest.raises(Doubtful):
        make("mailgun", mailgun).send(bulk())


def test_a_sender_that_is_not_verified_is_told(sendgrid):
    sendgrid.senders = {"someone@else.example"}
    with pytest.raises(Permanent) as caught:
        make("sendgrid", sendgrid).send(bulk())
    assert caught.value.code == "sender"


def test_all_lists_of_suppressions_are_read_to_their_ends(sender, server):
    at = datetime(2026, 3, 4, 10, tzinfo=timezone.utc)
    if sender == "sendgrid":
        row = {"created": int(at.timestamp()), "reason": "550 no such user"}
        server.suppressed = {
            "bounces": [{"email": f"b{n}@example.com", **row} for n in range(1201)],
            "spam_reports": [{"email": "c@example.com", "created": 1}],
            "unsubscribes": [{"email": "u@example.com", "created": 1}],
        }
    else:
        rows = [suppression(f"b{n}@example.com", at, "550 no") for n in range(1201)]
        server.suppressed = {
            "bounces": rows,
            "complaints": [suppression("c@example.com", at)],
            "unsubscribes": [suppression("u@example.com", at)],
        }
    found, pages, place = [], 0, ""
    while place or not pages:
        # (each by a client of its own: the next run of a cron goes on)
        page = make(sender, server).suppressions(place)
        found += page.rows
        pages, place = pages + 1, page.place
    assert 4 < pages < 12
    assert len(found) == len({row.address for row in found}) == 1203
    reasons = {row.address: row.reason for row in found}
    assert reasons["b1200@example.com"] is SuppressionReason.BOUNCED
    assert reasons["c@example.com"] is SuppressionReason.COMPLAINED
    assert reasons["u@example.com"] is SuppressionReason.UNSUBSCRIBED
    assert found[0].at == at


@pytest.mark.parametrize("row", [{}, None, {"email": [], "address": {}, "created": 1}])
def test_a_list_that_makes_no_sense_is_the_sender_s_trouble(sender, server, row):
    server.suppressed = {"bounces": [row]}
    with pytest.raises(Retry) as caught:
        make(sender, server).suppressions()
    assert caught.value.code == "trouble"


def test_a_place_that_is_none_is_the_beginning(sender, server):
    assert make(sender, server).suppressions("nowhere:9").place


def test_neither_key_nor_mail_is_logged(esp, server, caplog):
    with caplog.at_level(logging.DEBUG):
        esp.send(bulk())
    assert server.key not in caplog.text
    assert "p1@example.com" not in caplog.text


def test_tracking_is_as_it_was_chosen(sendgrid, mailgun):
    SendGrid(sendgrid.key, tracks_opens=False, tracks_clicks=True).send(bulk())
    settings = sendgrid.bodies[0]["tracking_settings"]
    assert settings["open_tracking"] == {"enable": False}
    assert settings["click_tracking"]["enable"] is True
    assert settings["subscription_tracking"] == {"enable": False}


def test_no_value_is_filled_into_another(sendgrid):
    """The tags of a bulk cannot be known by whoever writes a value."""
    one, two = (make("sendgrid", sendgrid), bulk(people(1)))
    one.send(two)
    one.send(two)
    tags = [
        next(iter(body["personalizations"][0]["substitutions"]))
        for body in sendgrid.bodies
    ]
    assert tags[0] != tags[1]
    assert all(re.fullmatch(r"-[0-9a-f]{16}name-", tag) for tag in tags)
    assert json.dumps(sendgrid.bodies)


def test_the_regions_are_theirs():
    assert sendgrid_module.REGIONS["eu"] == "https://api.eu.sendgrid.com"
    with pytest.raises(Permanent):
        SendGrid("key", "mars")
    with pytest.raises(Permanent):
        Mailgun("key", "", "eu")
