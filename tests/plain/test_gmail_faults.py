"""What goes wrong at Gmail becomes the error that says what to do, or is borne."""

import io
import logging
import socket
import time
import traceback
from datetime import datetime, timedelta, timezone

import pytest
import trustme
from conftest import LONG_AGO, raised
from gmail_mailbox import EMAIL, Mirror, Tokens, connect, fill, running_gmail
from servers.gmail_answers import refusal
from servers.web import Answer
from standstill import in_time

from easycrm_mail.providers import (
    GmailProvider,
    Gone,
    MailboxError,
    Permanent,
    Reconnect,
    Retry,
)

ALWAYS = 1_000
CALLS = {
    "history": ("GET .*/history", lambda p, c: p.pull("all", c, LONG_AGO)),
    "list": ("GET .*/messages[?]", lambda p, c: p.pull("all", "", LONG_AGO)),
    "profile": ("GET .*/profile", lambda p, c: p.check()),
    "labels": ("GET .*/labels", lambda p, c: p.streams()),
    "aliases": ("GET .*/sendAs", lambda p, c: p.aliases()),
    "fetch": ("GET .*/messages/", lambda p, c: p.fetch("all", "18f0000100000000")),
    "parts": (
        "GET .*/messages/",
        lambda p, c: p.fetch_parts("all", "18f0000100000000", ["0"]),
    ),
    "download": (
        "GET .*/messages/",
        lambda p, c: p.download("all", "18f0000100000000", io.BytesIO()),
    ),
}
REFUSALS = [
    (401, "authError", Reconnect, "grant"),
    (403, "rateLimitExceeded", Retry, "busy"),
    (403, "userRateLimitExceeded", Retry, "busy"),
    (403, "dailyLimitExceeded", Retry, "busy"),
    (403, "quotaExceeded", Retry, "busy"),
    (403, "insufficientPermissions", Reconnect, "consent"),
    (403, "accessNotConfigured", Permanent, "client"),
    (403, "domainPolicy", Permanent, "forbidden"),
    (400, "failedPrecondition", Permanent, "forbidden"),
    (429, "rateLimitExceeded", Retry, "busy"),
    (500, "backendError", Retry, "busy"),
    (503, "backendError", Retry, "busy"),
]


def synced_checkpoint(gmail) -> str:
    """Of a mailbox with three mails that were read before."""
    fill(gmail, 3)
    return Mirror().pull_all(connect(gmail)).checkpoint


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("status", "reason", "kind", "code"), REFUSALS)
def test_a_refusal_says_what_to_do(gmail, provider, call, status, reason, kind, code):
    checkpoint = synced_checkpoint(gmail)
    pattern, ask = CALLS[call]
    answer = refusal(status, reason, "told why")
    gmail.break_(pattern, "answer", answer=answer, times=ALWAYS)
    error = raised(lambda: ask(provider, checkpoint), kind, code)
    assert error.detail == f"{status} told why"
    # Nothing of it stays.
    gmail.mend()
    ask(provider, checkpoint)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("reset", Retry, "dropped"),
        ("refuse", Retry, "dropped"),
        ("half", Retry, "dropped"),
        ("broken", Retry, "answer"),
    ],
)
def test_a_broken_answer_is_retried_later(gmail, provider, call, fault, kind, code):
    checkpoint = synced_checkpoint(gmail)
    pattern, ask = CALLS[call]
    gmail.break_(pattern, fault, times=ALWAYS)
    raised(lambda: ask(provider, checkpoint), kind, code)
    gmail.mend()
    ask(provider, checkpoint)


@pytest.mark.parametrize("call", CALLS)
def test_a_token_that_is_refused_once_is_renewed_within_the_call(gmail, call):
    checkpoint = synced_checkpoint(gmail)
    _pattern, ask = CALLS[call]
    tokens = Tokens(gmail)
    provider = connect(gmail, tokens=tokens)
    ask(provider, checkpoint)
    old = tokens.value
    gmail.oauth.expire_tokens()
    ask(provider, checkpoint)
    assert tokens.asked == ["", old]


def test_a_batch_whose_parts_are_refused_is_asked_again_with_one_new_token(gmail):
    fill(gmail, 20)
    tokens = Tokens(gmail)
    answer = refusal(401, "authError", "expired")
    gmail.break_("messages/", "answer", answer=answer, times=20)
    Mirror().pull_all(connect(gmail, tokens=tokens)).check(gmail)
    assert len(tokens.asked) == 2 and tokens.asked[1]


def test_a_grant_that_is_gone_while_the_token_is_renewed_is_said_so(gmail):
    def tokens(refused=""):
        if refused:
            raise Reconnect("grant", "revoked")
        return "ya29.unknown"

    raised(connect(gmail, tokens=tokens).check, Reconnect, "grant")


def test_a_forgotten_history_resyncs_and_a_missing_mail_is_gone(gmail, provider):
    checkpoint = synced_checkpoint(gmail)
    gmail.mailbox.expire_history()
    assert provider.pull("all", checkpoint, LONG_AGO).reset
    for ref in ("18f0000199999999", "no-ref", "", "../labels", "xyz", "a" * 200):
        raised(lambda ref=ref: provider.fetch("all", ref), Gone, "mail")
        raised(lambda ref=ref: provider.fetch_parts("all", ref, "0"), Gone, "mail")
        file = io.BytesIO()
        raised(lambda r=ref, f=file: provider.download("all", r, f), Gone, "mail")
    [ref] = fill(gmail, 1, first=9)
    gmail.mailbox.trash(ref)
    raised(lambda: provider.fetch("all", ref), Gone, "mail")


@pytest.mark.parametrize(
    ("headers", "words", "seconds"),
    [
        ({"Retry-After": "17"}, "slow down", 17),
        ({}, "User-rate limit exceeded.  Retry after {soon}", 60),
        ({"Retry-After": "{date}"}, "slow down", 60),
        ({}, "slow down", None),
        ({"Retry-After": "soon"}, "Retry after 2026-99-99T10:00:00", None),
    ],
)
def test_it_waits_as_long_as_gmail_says(gmail, provider, headers, words, seconds):
    moment = datetime.now(timezone.utc) + timedelta(seconds=60)
    told = {
        "soon": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "date": moment.strftime("%a, %d %b %Y %H:%M:%S GMT"),
    }
    headers = {name: value.format(**told) for name, value in headers.items()}
    words = words.format(**told)
    answer = refusal(429, "rateLimitExceeded", words, headers)
    gmail.break_("profile", "answer", answer=answer)
    error = raised(provider.check, Retry, "busy")
    assert error.retry_after == (seconds and pytest.approx(seconds, abs=10))


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_parts_of_a_batch_that_are_refused_are_asked_for_again(gmail, provider, status):
    refs = fill(gmail, 10)
    answer = refusal(status, "rateLimitExceeded", "again")
    for ref in refs[2:5]:
        gmail.break_(f"messages/{ref}", "answer", answer=answer)
    batch = provider.pull("all", "", LONG_AGO)
    assert [one.ref for one in batch.messages] == refs[::-1]
    assert len(gmail.parts) == 13


def test_what_gmail_puts_off_for_long_stays_in_the_backlog(gmail, provider):
    refs = fill(gmail, 10)
    answer = refusal(429, "rateLimitExceeded", "later", {"Retry-After": "40"})
    gmail.break_(f"messages/{refs[3]}", "answer", answer=answer)
    mirror = Mirror()
    started = time.monotonic()
    batch = mirror.pull(provider)
    assert time.monotonic() - started < 20
    assert len(batch.messages) == 9 and batch.more and not batch.settled
    assert batch.pause == 40
    mirror.pull(provider)
    mirror.check(gmail)
    assert mirror.settled and len(mirror.handed) == 10


def test_a_batch_of_refusals_alone_is_retried_later(gmail, provider):
    fill(gmail, 3)
    answer = refusal(429, "rateLimitExceeded", "later", {"Retry-After": "40"})
    gmail.break_("messages/", "answer", answer=answer, times=3)
    error = raised(lambda: provider.pull("all", "", LONG_AGO), Retry, "busy")
    assert error.retry_after == 40


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "answer", "answer": refusal(500, "backendError", "no")},
        {"kind": "broken"},
        {"kind": "answer", "answer": Answer({"id": "1", "raw": "%%%"})},
        {"kind": "answer", "answer": Answer({"id": "1", "raw": ""})},
        {"kind": "answer", "answer": Answer({"id": "1"})},
        {"kind": "answer", "answer": Answer("<html>", 502)},
    ],
    ids=["500", "broken", "not base64", "empty", "no raw", "html"],
)
def test_a_mail_that_gmail_does_not_give_holds_up_no_other(
    gmail, provider, fault, count
):
    """Whether it comes alone or among others."""
    fill(gmail, 4)
    mirror = Mirror().pull_all(provider)
    refs = fill(gmail, count, first=10)
    gmail.break_(f"messages/{refs[0]}", times=ALWAYS, **fault)
    mirror.pull_all(provider)
    assert list(mirror.set_aside) == [refs[0]]
    assert set(refs[1:]) < set(mirror.mails)


def test_a_gmail_that_gives_no_mail_at_all_sets_nothing_aside(gmail, provider):
    fill(gmail, 8)
    answer = refusal(500, "backendError", "no")
    gmail.break_("messages/", "answer", answer=answer, times=ALWAYS)
    raised(lambda: provider.pull("all", "", LONG_AGO), Retry, "busy")


@pytest.mark.parametrize("fault", ["reset", "refuse", "half", "broken"])
def test_a_batch_that_breaks_is_retried_later_and_loses_nothing(gmail, provider, fault):
    fill(gmail, 8)
    mirror = Mirror()
    gmail.break_("POST /batch", fault, times=ALWAYS)
    with pytest.raises(Retry):
        mirror.pull(provider)
    gmail.mend()
    mirror.pull_all(provider).check(gmail)
    assert len(mirror.handed) == 8


@pytest.mark.parametrize("fault", ["reset", "refuse"])
def test_a_connection_that_broke_while_it_lay_idle_is_replaced(gmail, provider, fault):
    checkpoint = synced_checkpoint(gmail)
    provider.check()
    gmail.break_("history", fault)
    assert not provider.pull("all", checkpoint, LONG_AGO).more


def test_a_slow_answer_is_retried_later(gmail):
    provider = connect(gmail, timeout=0.3)
    in_time(provider.check)
    gmail.break_("profile", "slow", seconds=1)
    raised(provider.check, Retry, "timeout")
    in_time(provider.check)


def test_a_server_that_sends_a_byte_now_and_then_has_an_end(gmail):
    provider = connect(gmail, timeout=0.5)
    gmail.break_("profile", "drip", seconds=30)
    started = time.monotonic()
    raised(provider.check, Retry, "timeout")
    assert time.monotonic() - started < 15


def test_the_calls_have_a_deadline_together(gmail):
    connect(gmail, timeout=5, patience=10).check()
    provider = connect(gmail, timeout=5, patience=0.4)
    gmail.latency = 1
    raised(provider.check, Retry, "timeout")
    gmail.latency = 0
    raised(provider.check, Retry, "timeout")


def test_nobody_there_is_retried(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("EASYCRM_GMAIL_API_URL", f"http://127.0.0.1:{port}")
    provider = GmailProvider(EMAIL, lambda refused="": "token", timeout=2)
    raised(provider.check, Retry, "refused")
    monkeypatch.setenv("EASYCRM_GMAIL_API_URL", "http://no-such-host.invalid")
    raised(provider.check, Retry, "host")


def test_tls_with_a_certificate_that_nobody_knows_is_refused(monkeypatch, tmp_path):
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1")
    with running_gmail(monkeypatch, certificate=leaf) as server:
        raised(connect(server).check, Permanent, "certificate")
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        monkeypatch.setattr("httplib2.CA_CERTS", str(tmp_path / "ca.pem"))
        connect(server).check()
        fill(server, 3)
        Mirror().pull_all(connect(server)).check(server)


def test_no_token_and_no_mail_is_in_errors_or_logs(gmail, caplog):
    caplog.set_level(logging.DEBUG)
    fill(gmail, 3)
    tokens = Tokens(gmail)
    provider = connect(gmail, tokens=tokens)
    seen = [repr(provider)]
    for answer in (
        refusal(403, "forbidden", f"not with {tokens.value}"),
        Answer(f"<html>{tokens.value} Hello", 403),
        Answer(f"{{ {tokens.value} Hello", 200),
        refusal(401, "authError", f"not with {tokens.value}"),
    ):
        for pattern in ("messages/", "profile", "POST /batch"):
            gmail.break_(pattern, "answer", answer=answer, times=ALWAYS)
        for call in (provider.check, lambda: provider.pull("all", "", LONG_AGO)):
            with pytest.raises(MailboxError) as caught:
                call()
            error = caught.value
            assert error.__cause__ is None and error.__context__ is None
            frames = traceback.walk_tb(error.__traceback__)
            names = {frame.f_code.co_filename for frame, _line in frames}
            assert not any("googleapiclient" in name for name in names)
            seen += [str(error), error.detail, repr(error)]
        gmail.mend()
    seen += [record.getMessage() for record in caplog.records]
    text = "\n".join(seen)
    assert "ya29." not in text and "Hello" not in text
