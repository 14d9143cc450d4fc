"""Tokens of a grant: when they are replaced, and what it means when they are not."""

import threading

import pytest
from graph_mailbox import ADDRESS
from microsoft_consent import BACK, CLIENT, SECRET, consent, raised, signed_in
from servers.web import Answer

from easycrm_mail.providers import (
    MailboxError,
    MicrosoftSignIn,
    OutlookProvider,
    Permanent,
    Reconnect,
    Retry,
)


def test_a_valid_token_costs_no_call(graph, sign_in):
    secret = signed_in(sign_in).secret
    graph.calls()
    token = sign_in.token(secret)
    assert token.secret == secret and token.value in graph.server.login.access
    assert not graph.calls()


def test_a_refused_token_is_replaced_and_its_secret_with_it(login, sign_in):
    secret = signed_in(sign_in).secret
    first = sign_in.token(secret)
    second = sign_in.token(first.secret, refused=first.value)
    assert second.value != first.value and second.secret != first.secret
    # The other worker, who comes with the old token and what is kept now
    third = sign_in.token(second.secret, refused=first.value)
    assert third.value == second.value
    # The refresh token from before is used up.
    error = raised(sign_in.token, first.secret, first.value)
    assert (type(error), error.code) == (Reconnect, "grant")
    assert sign_in.token(second.secret, refused=second.value).value != second.value


def test_a_service_that_keeps_its_refresh_token_is_fine(login, sign_in):
    login.rotates = False
    secret = signed_in(sign_in).secret
    first = sign_in.token(secret)
    assert sign_in.token(secret, refused=first.value).value != first.value
    assert sign_in.token(secret, refused=first.value).value != first.value


def test_a_token_that_ends_soon_is_replaced(login, sign_in):
    login.lifetime = 200
    secret = signed_in(sign_in).secret
    login.lifetime = 3600
    token = sign_in.token(secret)
    assert token.secret != secret
    assert sign_in.token(token.secret).value == token.value


def test_two_threads_with_one_grant(graph, sign_in):
    """Whoever keeps the grant has them wait for each other; both go on."""
    secret = [signed_in(sign_in).secret]
    lock = threading.Lock()

    def tokens(refused=""):
        with lock:
            token = sign_in.token(secret[0], refused)
            secret[0] = token.secret
            return token.value

    providers = [OutlookProvider(tokens, timeout=5) for _one in range(2)]
    for one in providers:
        one.check()
    graph.server.login.expire_tokens()
    graph.calls()
    failures = []

    def check(provider):
        try:
            provider.check()
        except MailboxError as error:
            failures.append(error)
        finally:
            provider.close()

    threads = [threading.Thread(target=check, args=(one,)) for one in providers]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failures
    assert sum("/token" in call for call in graph.calls()) == 1


@pytest.mark.parametrize("secret", ["", "nonsense", "{}", '{"RefreshToken": {}}'])
def test_a_secret_that_is_none_asks_the_user(sign_in, secret):
    error = raised(sign_in.token, secret)
    assert (type(error), error.code) == (Reconnect, "grant")


def test_a_grant_of_another_registration_asks_the_user(login, sign_in):
    secret = signed_in(sign_in).secret
    login.register("client-2", SECRET)
    other = MicrosoftSignIn("client-2", SECRET, timeout=5)
    value = sign_in.token(secret).value
    error = raised(other.token, secret, value)
    assert (type(error), error.code) == (Reconnect, "grant")


#: number, error -> what it means for a grant that was good
KINDS = {
    (700082, "invalid_grant"): (Reconnect, "grant"),
    (50173, "invalid_grant"): (Reconnect, "grant"),
    (70008, "invalid_grant"): (Reconnect, "grant"),
    (70043, "invalid_grant"): (Reconnect, "grant"),
    (700084, "invalid_grant"): (Reconnect, "grant"),
    (50076, "interaction_required"): (Reconnect, "grant"),
    (50079, "interaction_required"): (Reconnect, "grant"),
    (50078, "interaction_required"): (Reconnect, "grant"),
    (65001, "invalid_grant"): (Reconnect, "grant"),
    (50057, "invalid_grant"): (Reconnect, "grant"),
    (50034, "invalid_grant"): (Reconnect, "grant"),
    (1, "login_required"): (Reconnect, "grant"),
    (7000215, "invalid_client"): (Permanent, "secret"),
    (7000222, "invalid_client"): (Permanent, "secret_expired"),
    (700016, "unauthorized_client"): (Permanent, "client"),
    (90002, "invalid_request"): (Permanent, "tenant"),
    (900023, "invalid_request"): (Permanent, "tenant"),
    (50011, "invalid_request"): (Permanent, "redirect"),
    (90033, "temporarily_unavailable"): (Retry, "busy"),
}


@pytest.mark.parametrize("said", KINDS, ids=lambda said: f"AADSTS{said[0]}")
def test_what_the_sign_in_says_becomes_what_is_to_be_done(login, sign_in, said):
    secret = signed_in(sign_in).secret
    value = sign_in.token(secret).value
    login.fails_with = said
    error = raised(sign_in.token, secret, value)
    assert (type(error), error.code) == KINDS[said]
    assert error.detail.startswith(f"AADSTS{said[0]}: ")
    assert "trace" not in error.detail and "More of it" not in error.detail
    # What was kept is still good when it is over.
    login.fails_with = None
    assert sign_in.token(secret, value).value != value


WIRE = {
    "503": {"kind": "answer", "answer": Answer(b"", 503, {"Retry-After": "9"})},
    "429": {"kind": "answer", "answer": Answer({}, 429, {"Retry-After": "9"})},
    "500": {"kind": "answer", "answer": Answer("<html>", 500)},
    "html": {"kind": "answer", "answer": Answer("<html>")},
    "302": {"kind": "answer", "answer": Answer(b"", 302, {"Location": "https://e.x"})},
    "list": {"kind": "answer", "answer": Answer([1])},
    "broken": {"kind": "broken"},
    "half": {"kind": "half"},
    "reset": {"kind": "reset"},
    "refuse": {"kind": "refuse"},
    "slow": {"kind": "slow", "seconds": 1.5},
}
CODES = {"503": "busy", "429": "busy", "500": "busy", "html": "answer"}
CODES |= {"302": "answer", "list": "answer", "broken": "answer", "slow": "timeout"}


@pytest.mark.parametrize("fault", WIRE)
@pytest.mark.parametrize("place", ["openid-configuration", "/token"])
def test_what_goes_wrong_on_the_way_is_retried(graph, login, sign_in, fault, place):
    secret = signed_in(sign_in).secret
    value = sign_in.token(secret).value
    quick = MicrosoftSignIn(CLIENT, SECRET, timeout=0.6 if fault == "slow" else 5)
    graph.server.break_(place, **WIRE[fault])
    graph.calls()
    error = raised(quick.token, secret, value)
    assert (type(error), error.code) == (Retry, CODES.get(fault, "dropped"))
    assert error.retry_after == (9 if fault in ("503", "429") else None)
    # Not repeated silently: a refresh token may be used up by it.
    assert sum(place in call for call in graph.calls()) <= 1


@pytest.mark.parametrize("place", ["/token", "/v1.0/me"])
def test_a_sign_in_that_fails_on_the_way_says_so(graph, sign_in, place):
    begun = sign_in.begin("s", BACK, ADDRESS)
    answer = consent(begun.url)
    graph.server.break_(place, "reset")
    error = raised(sign_in.finish, begun.flow, answer, BACK)
    assert (type(error), error.code) == (Retry, "dropped")
