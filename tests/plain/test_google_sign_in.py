"""Signing in at Google: consent, codes, tokens, and what may be wrong with each."""

import json
import logging
import time
import traceback
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
from conftest import raised
from gmail_mailbox import EMAIL
from servers.google_oauth import walk_consent
from servers.web import Answer

from easycrm_mail.providers import (
    GoogleSignIn,
    MailboxError,
    Permanent,
    Reconnect,
    Retry,
    google_sign_in,
)

REDIRECT = "http://127.0.0.1:8069/easycrm_mail/oauth/google"
ALWAYS = 100


@pytest.fixture
def gmail(gmail):
    gmail.oauth.redirect_uris = [REDIRECT]
    return gmail


@pytest.fixture
def sign_in(gmail):
    return GoogleSignIn(gmail.oauth.client_id, gmail.oauth.client_secret, timeout=2)


def granted(sign_in, **kwargs):
    """A grant by way of the consent page."""
    begun = sign_in.begin("the state", REDIRECT, EMAIL)
    return sign_in.finish(begun.flow, walk_consent(begun.url, **kwargs), REDIRECT)


def aged(secret: str, seconds: float) -> str:
    """The secret, its access token expiring that much from now."""
    return json.dumps({**json.loads(secret), "expiry": int(time.time() + seconds)})


def test_the_consent_page_is_asked_for_the_least(sign_in):
    begun = sign_in.begin("the state", REDIRECT, EMAIL)
    query = parse_qs(urlsplit(begun.url).query)
    verifier = json.loads(begun.flow)["verifier"]
    scope = "https://www.googleapis.com/auth/gmail."
    assert query["scope"] == [f"{scope}readonly {scope}send"]
    assert query["state"] == ["the state"] and query["login_hint"] == [EMAIL]
    assert query["access_type"] == ["offline"] and query["prompt"] == ["consent"]
    assert query["code_challenge_method"] == ["S256"]
    assert "include_granted_scopes" not in query
    assert 43 <= len(verifier) <= 128 and verifier not in begun.url + repr(begun)
    assert sign_in.begin("s", REDIRECT, EMAIL).flow != begun.flow
    page = urlopen(begun.url, timeout=5).read().decode()
    for name in ("allow", "deny", "scope-gmail-readonly", "scope-gmail-send"):
        assert f'id="{name}"' in page


def test_for_a_mail_server_the_one_permission_is_asked_for(gmail):
    client = gmail.oauth.client_id, gmail.oauth.client_secret
    sign_in = GoogleSignIn(*client, timeout=2, imap=True)
    begun = sign_in.begin("s", REDIRECT, EMAIL)
    asked = parse_qs(urlsplit(begun.url).query)["scope"]
    assert asked == ["https://mail.google.com/"]
    assert granted(sign_in).email == EMAIL
    # (of a consent for the API there is none)
    answer = {**walk_consent(begun.url)}
    gmail.break_(
        "POST /token",
        "answer",
        answer=Answer(
            {"access_token": "a", "refresh_token": "r", "expires_in": 1, "scope": "x"}
        ),
    )
    with pytest.raises(Reconnect) as caught:
        sign_in.finish(begun.flow, answer, REDIRECT)
    assert caught.value.code == "consent"
    assert caught.value.detail == "left out: mail.google.com"


def test_a_consent_becomes_a_grant_and_the_grant_a_token(gmail, sign_in):
    grant = granted(sign_in)
    assert grant.email == EMAIL
    token = sign_in.token(grant.secret)
    assert gmail.oauth.consent_of(token.value).email == EMAIL
    assert token.secret == grant.secret
    assert sum("POST /token" in line for line in gmail.calls) == 1


def test_whoever_signs_in_as_another_is_named(gmail, sign_in):
    gmail.add_mailbox("bob@example.org")
    assert granted(sign_in, email="bob@example.org").email == "bob@example.org"


def test_a_refusal_and_a_cleared_box_are_a_matter_of_consent(sign_in):
    raised(lambda: granted(sign_in, deny=True), Reconnect, "declined")
    for left_out in ("gmail.send", "gmail.readonly"):
        call = granted, sign_in
        error = raised(
            lambda c=call, n=left_out: c[0](c[1], leave_out=[n]), Reconnect, "consent"
        )
        assert error.detail == f"left out: {left_out}"


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ({"error": "access_denied"}, Reconnect, "declined"),
        ({"error": "temporarily_unavailable"}, Retry, "busy"),
        ({"error": "admin_policy_enforced"}, Permanent, "forbidden"),
        ({"error": "invalid_request"}, Permanent, "client"),
        ({}, Reconnect, "sign_in"),
        ({"code": "4/made-up"}, Reconnect, "sign_in"),
    ],
)
def test_what_the_browser_may_bring_back_instead(sign_in, answer, kind, code):
    flow = sign_in.begin("s", REDIRECT, EMAIL).flow
    raised(lambda: sign_in.finish(flow, answer, REDIRECT), kind, code)


def test_a_code_is_good_once_for_a_while_and_for_its_own_flow(gmail, sign_in):
    begun = sign_in.begin("s", REDIRECT, EMAIL)
    answer = walk_consent(begun.url)
    other = sign_in.begin("s", REDIRECT, EMAIL).flow
    raised(lambda: sign_in.finish(other, answer, REDIRECT), Reconnect, "sign_in")
    raised(lambda: sign_in.finish("junk", answer, REDIRECT), Reconnect, "sign_in")
    sign_in.finish(begun.flow, answer, REDIRECT)
    raised(lambda: sign_in.finish(begun.flow, answer, REDIRECT), Reconnect, "sign_in")
    late = sign_in.begin("s", REDIRECT, EMAIL)
    answer = walk_consent(late.url)
    gmail.oauth.expire_codes()
    raised(lambda: sign_in.finish(late.flow, answer, REDIRECT), Reconnect, "sign_in")


@pytest.mark.parametrize("seconds", [299, 0, -10_000])
def test_a_token_is_refreshed_before_it_expires(gmail, sign_in, seconds):
    secret = granted(sign_in).secret
    token = sign_in.token(aged(secret, seconds))
    assert token.value != json.loads(secret)["access"]
    assert gmail.oauth.consent_of(token.value)
    # What is to be kept is good without another refresh.
    gmail.calls.clear()
    assert sign_in.token(token.secret).value == token.value and not gmail.calls
    assert sign_in.token(aged(secret, 400)).value == json.loads(secret)["access"]


def test_a_token_that_is_refused_is_refreshed(gmail, sign_in):
    secret = granted(sign_in).secret
    old = json.loads(secret)["access"]
    assert sign_in.token(secret, refused="an older one").value == old
    assert sign_in.token(secret, refused=old).value != old


def test_a_grant_that_was_taken_back_asks_the_user(gmail, sign_in):
    secret = aged(granted(sign_in).secret, 0)
    gmail.oauth.revoke(EMAIL)
    error = raised(lambda: sign_in.token(secret), Reconnect, "grant")
    assert "expired or revoked" in error.detail
    for junk in ("", "junk", "{}", "[]", '{"refresh":1}'):
        raised(lambda junk=junk: sign_in.token(junk), Reconnect, "grant")


def test_giving_a_grant_back_ends_it_and_may_be_done_twice(gmail, sign_in):
    secret = granted(sign_in).secret
    token = json.loads(secret)["access"]
    sign_in.revoke(secret)
    assert not gmail.oauth.consent_of(token)
    sign_in.revoke(secret)
    sign_in.revoke("")
    raised(lambda: sign_in.token(aged(secret, 0)), Reconnect, "grant")


def test_a_registration_is_checked_without_a_user(gmail, sign_in):
    sign_in.check(REDIRECT)
    raised(lambda: sign_in.check("http://127.0.0.1/other"), Permanent, "redirect")
    client, secret = gmail.oauth.client_id, gmail.oauth.client_secret
    for wrong, code in (
        (("other", secret), "client"),
        ((client, "other"), "secret"),
        (("", secret), "client"),
        ((client, ""), "client"),
    ):
        other = GoogleSignIn(*wrong, timeout=2)
        raised(lambda other=other: other.check(REDIRECT), Permanent, code)
    expiring = aged(granted(sign_in).secret, 0)
    other = GoogleSignIn(client, "other", timeout=2)
    raised(lambda: other.token(expiring), Permanent, "secret")


REFUSALS = [
    ({"error": "invalid_grant"}, 400, Reconnect, "grant"),
    ({"error": "invalid_client"}, 401, Permanent, "client"),
    (
        {
            "error": "invalid_client",
            "error_description": "The provided client secret is invalid.",
        },
        401,
        Permanent,
        "secret",
    ),
    ({"error": "deleted_client"}, 401, Permanent, "client"),
    ({"error": "unauthorized_client"}, 401, Permanent, "client"),
    ({"error": "admin_policy_enforced"}, 400, Permanent, "forbidden"),
    ({"error": "internal_failure"}, 500, Retry, "busy"),
    ({"error": "temporarily_unavailable"}, 503, Retry, "busy"),
    ({"error": "rate_limit_exceeded"}, 429, Retry, "busy"),
    ("<html>Bad gateway", 502, Retry, "busy"),
    ("<html>", 400, Retry, "answer"),
    ({"error": {"odd": 1}}, 400, Retry, "answer"),
    ("<html>", 200, Retry, "answer"),
    ({}, 200, Retry, "answer"),
]


@pytest.mark.parametrize(("body", "status", "kind", "code"), REFUSALS)
def test_what_is_said_to_a_refresh(gmail, sign_in, body, status, kind, code):
    secret = aged(granted(sign_in).secret, 0)
    gmail.break_("/token", "answer", answer=Answer(body, status), times=ALWAYS)
    gmail.calls.clear()
    raised(lambda: sign_in.token(secret), kind, code)
    assert len(gmail.calls) == 1
    gmail.mend()
    sign_in.token(secret)


FAULTS = [
    ("reset", "dropped"),
    ("refuse", "dropped"),
    ("half", "dropped"),
    ("broken", "answer"),
    ("slow", "timeout"),
]


@pytest.mark.parametrize(("fault", "code"), FAULTS)
def test_what_breaks_is_retried_later(gmail, sign_in, fault, code):
    secret = aged(granted(sign_in).secret, 0)
    client = gmail.oauth.client_id, gmail.oauth.client_secret
    quick = GoogleSignIn(*client, timeout=0.5 if fault == "slow" else 5)
    gmail.break_("/token", fault, seconds=1, times=ALWAYS)
    raised(lambda: quick.token(secret), Retry, code)
    begun = sign_in.begin("s", REDIRECT, EMAIL)
    answer = walk_consent(begun.url)
    raised(lambda: quick.finish(begun.flow, answer, REDIRECT), Retry, code)
    raised(lambda: quick.check(REDIRECT), Retry, code)


def test_a_code_is_never_redeemed_twice_by_itself(gmail, sign_in):
    begun = sign_in.begin("s", REDIRECT, EMAIL)
    answer = walk_consent(begun.url)
    gmail.calls.clear()
    gmail.break_("/token", "reset")
    raised(lambda: sign_in.finish(begun.flow, answer, REDIRECT), Retry, "dropped")
    assert gmail.calls == ["POST /token"]


def test_without_an_endpoint_of_our_own_it_is_google(monkeypatch):
    monkeypatch.delenv("EASYCRM_GOOGLE_OAUTH_URL", raising=False)
    url = GoogleSignIn("a", "b").begin("s", REDIRECT, EMAIL).url
    assert url.startswith("https://accounts.google.com/o/oauth2/v2/auth?")
    assert google_sign_in.TOKEN_URL.startswith("https://oauth2.googleapis.com/")


def test_no_secret_is_in_errors_logs_or_repr(gmail, sign_in, caplog):
    caplog.set_level(logging.DEBUG)
    grant = granted(sign_in)
    kept = json.loads(grant.secret)
    hidden = [kept["access"], kept["refresh"], gmail.oauth.client_secret]
    seen = [repr(grant), repr(sign_in), repr(sign_in.token(grant.secret))]
    for status in (200, 400, 401, 500):
        told = Answer(
            {"error": "x", "error_description": " ".join(hidden)}, status=status
        )
        for body in (told, Answer(" ".join(hidden), status)):
            gmail.break_("/token", "answer", answer=body, times=ALWAYS)
            with pytest.raises(MailboxError) as caught:
                sign_in.token(aged(grant.secret, 0))
            error = caught.value
            assert error.__context__ is None and error.__cause__ is None
            seen += [str(error), repr(error), error.detail]
            seen += [
                repr(frame.f_locals.get("error"))
                for frame, _line in traceback.walk_tb(error.__traceback__)
                if "providers" in frame.f_code.co_filename
            ]
            gmail.mend()
    seen += [record.getMessage() for record in caplog.records]
    assert not any(secret in text for secret in hidden for text in seen)


@pytest.mark.parametrize("where", ["token", "profile"])
@pytest.mark.parametrize(
    "odd", [5, {}, ["x"], True, None, "", "é\ud800", "a\r\nX: y", 1e400, -1]
)
def test_an_answer_of_other_types_is_an_error_and_no_crash(gmail, sign_in, where, odd):
    told = {"access_token": odd, "refresh_token": odd, "expires_in": odd}
    body = {**told, "scope": " ".join(google_sign_in.SCOPES)}
    if where == "profile":
        body = {"emailAddress": odd, "historyId": "1"}
    pattern = {"token": "/token", "profile": "/profile"}[where]
    begun = sign_in.begin("the state", REDIRECT, EMAIL)
    answer = walk_consent(begun.url)
    gmail.break_(pattern, "answer", answer=Answer(body), times=ALWAYS)
    with pytest.raises(MailboxError):
        sign_in.finish(begun.flow, answer, REDIRECT)
