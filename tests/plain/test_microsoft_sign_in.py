"""Signing in with Microsoft: consent, codes, and the registration."""

import json
import logging
import traceback
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from graph_mailbox import ADDRESS, LONG_AGO, numbers
from microsoft_consent import BACK, CLIENT, SECRET, consent, raised, signed_in
from servers.web import Answer

from easycrm_mail.providers import (
    MicrosoftSignIn,
    OutlookProvider,
    Permanent,
    Reconnect,
)


def test_from_the_button_to_the_mailbox(graph, sign_in):
    begun = sign_in.begin("a-state", BACK, ADDRESS)
    assert begun.url.startswith(graph.server.url)
    asked = parse_qs(urlsplit(begun.url).query)
    assert asked["login_hint"] == [ADDRESS] and asked["state"] == ["a-state"]
    assert asked["code_challenge_method"] == ["S256"]
    assert {*asked["scope"][0].split()} == {
        "Mail.ReadWrite",
        "Mail.Send",
        "User.Read",
        "offline_access",
        "openid",
        "profile",
    }
    answer = consent(begun.url)
    assert answer["state"] == "a-state"
    grant = sign_in.finish(begun.flow, answer, BACK)
    assert grant.email == ADDRESS
    graph.deliver(1)
    secret = [grant.secret]

    def tokens(refused=""):
        token = sign_in.token(secret[0], refused)
        secret[0] = token.secret
        return token.value

    provider = OutlookProvider(tokens, timeout=5)
    assert numbers(provider.pull(graph.inbox, "", LONG_AGO)) == [1]
    graph.server.login.expire_tokens()
    provider.check()
    provider.close()
    assert secret[0] != grant.secret


def test_a_shared_mailbox_needs_permissions_of_its_own(login):
    sign_in = MicrosoftSignIn(CLIENT, SECRET, shared=True, timeout=5)
    asked = parse_qs(urlsplit(sign_in.begin("s", BACK, "info@x.example").url).query)
    assert {"Mail.ReadWrite.Shared", "Mail.Send.Shared"} <= {*asked["scope"][0].split()}
    # One signs in as oneself, not as that mailbox.
    assert asked["prompt"] == ["select_account"] and "login_hint" not in asked
    assert signed_in(sign_in, ADDRESS).email == ADDRESS


@pytest.fixture
def imap_sign_in(login):
    """Ours, for mail servers."""
    return MicrosoftSignIn(CLIENT, SECRET, timeout=5, imap=True)


def test_for_a_mail_server_other_permissions_are_asked_for(graph, login, imap_sign_in):
    url = imap_sign_in.begin("s", BACK, ADDRESS).url
    server = "https://outlook.office.com"
    assert {*parse_qs(urlsplit(url).query)["scope"][0].split()} == {
        f"{server}/IMAP.AccessAsUser.All",
        f"{server}/SMTP.Send",
        "offline_access",
        "openid",
        "profile",
    }
    grant = signed_in(imap_sign_in)
    assert grant.email == ADDRESS
    assert not any("/v1.0" in call for call in graph.calls()), "Graph is not asked"
    token = imap_sign_in.token(grant.secret)
    assert not login.user_of(f"Bearer {token.value}"), "it is none for Graph"
    renewed = imap_sign_in.token(grant.secret, token.value)
    assert renewed.value != token.value and renewed.secret != grant.secret


@pytest.mark.parametrize("name", ["IMAP.AccessAsUser.All", "SMTP.Send"])
def test_of_those_too_what_was_left_out_is_named(login, imap_sign_in, name):
    login.withheld = {f"https://outlook.office.com/{name}"}
    error = raised(signed_in, imap_sign_in)
    assert (type(error), error.code, error.detail) == (Reconnect, "consent", name)


def test_who_has_no_address_has_no_mailbox(graph, imap_sign_in):
    graph.server.login.accounts.append("no-address")
    error = raised(signed_in, imap_sign_in, "no-address")
    assert (type(error), error.code) == (Permanent, "forbidden")


def test_another_account_is_told_by_its_address(graph, sign_in):
    graph.server.add_mailbox("jonas@chairs.example")
    assert signed_in(sign_in, "jonas@chairs.example").email == "jonas@chairs.example"


def test_a_user_who_refuses_is_understood(sign_in):
    begun = sign_in.begin("s", BACK, ADDRESS)
    answer = consent(begun.url, "cancel")
    error = raised(sign_in.finish, begun.flow, answer, BACK)
    assert (type(error), error.code) == (Reconnect, "declined")
    assert error.detail.startswith("AADSTS65004: User declined")


@pytest.mark.parametrize("scope", ["Mail.ReadWrite", "Mail.Send", "offline_access"])
def test_a_permission_that_was_left_out_is_named(login, sign_in, scope):
    login.withheld = {scope}
    error = raised(signed_in, sign_in)
    assert (type(error), error.code, error.detail) == (Reconnect, "consent", scope)


def test_a_code_is_redeemed_once(sign_in):
    begun = sign_in.begin("s", BACK, ADDRESS)
    answer = consent(begun.url)
    sign_in.finish(begun.flow, answer, BACK)
    error = raised(sign_in.finish, begun.flow, answer, BACK)
    assert (type(error), error.code) == (Reconnect, "sign_in")
    assert error.detail == (
        "AADSTS54005: OAuth2 Authorization code was already redeemed."
    )


def test_a_code_that_waited_too_long_is_to_be_got_anew(login, sign_in):
    begun = sign_in.begin("s", BACK, ADDRESS)
    answer = consent(begun.url)
    login.revoke(70008)
    error = raised(sign_in.finish, begun.flow, answer, BACK)
    assert (type(error), error.code) == (Reconnect, "sign_in")


@pytest.mark.parametrize(
    "answer",
    [{}, {"state": "s"}, {"code": "x"}, {"code": "x", "state": "another"}],
)
def test_an_answer_to_no_question_is_refused(graph, sign_in, answer):
    begun = sign_in.begin("s", BACK, ADDRESS)
    error = raised(sign_in.finish, begun.flow, answer, BACK)
    assert (type(error), error.code) == (Reconnect, "sign_in")
    assert not any("token" in call for call in graph.calls())


@pytest.mark.parametrize("flow", ["", "nonsense", "[]", "{}"])
def test_a_flow_that_is_none_is_refused(sign_in, flow):
    answer = consent(sign_in.begin("s", BACK, ADDRESS).url)
    assert raised(sign_in.finish, flow, answer, BACK).code == "sign_in"


def test_a_stolen_code_is_of_no_use_without_its_flow(sign_in):
    """PKCE: the verifier stays with us."""
    theirs, ours = (sign_in.begin("s", BACK, ADDRESS) for _one in range(2))
    error = raised(sign_in.finish, ours.flow, consent(theirs.url), BACK)
    assert (type(error), error.code) == (Reconnect, "sign_in")
    assert "AADSTS501481" in error.detail


def test_a_page_that_shows_another_address_is_not_ours(login, sign_in):
    begun = sign_in.begin("s", "https://evil.example/", ADDRESS)
    assert "AADSTS50011" in requests.get(begun.url, timeout=5).text


# --- the registration ---


@pytest.mark.parametrize("tenant", ["common", "tenant-1"])
@pytest.mark.parametrize(
    ("client", "secret", "code"),
    [
        (CLIENT, SECRET, ""),
        (CLIENT, "wrong", "secret"),
        ("nobody", SECRET, "client"),
        ("", SECRET, "client"),
        (CLIENT, "", "client"),
    ],
)
def test_the_registration_is_checked_without_a_user(
    login, tenant, client, secret, code
):
    sign_in = MicrosoftSignIn(client, secret, tenant, timeout=5)
    if not code:
        sign_in.check(BACK)
        return
    error = raised(sign_in.check, BACK)
    assert (type(error), error.code) == (Permanent, code)


def test_an_expired_secret_is_told_from_a_wrong_one(login, sign_in):
    login.applications[CLIENT].is_secret_expired = True
    error = raised(sign_in.check, BACK)
    assert error.code == "secret_expired"
    assert error.detail == (
        "AADSTS7000222: The provided client secret keys are expired."
    )


@pytest.mark.parametrize(
    ("tenant", "code"),
    [
        ("no-such-tenant", "tenant"),
        ("a/b", "tenant_name"),
        ("..", "tenant_name"),
        ("x?y", "tenant_name"),
    ],
)
def test_a_tenant_that_is_none_is_named(login, tenant, code):
    sign_in = MicrosoftSignIn(CLIENT, SECRET, tenant, timeout=5)
    for call in (
        lambda: sign_in.begin("s", BACK, ADDRESS),
        lambda: sign_in.check(BACK),
    ):
        error = raised(call)
        assert (type(error), error.code) == (Permanent, code)


def test_revoking_is_nothing_to_the_service(graph, sign_in):
    secret = signed_in(sign_in).secret
    graph.calls()
    sign_in.revoke(secret)
    sign_in.revoke("nonsense")
    assert not graph.calls()


# --- nothing is told to anybody ---


def test_no_error_and_no_log_holds_a_secret(graph, sign_in, caplog):
    caplog.set_level(logging.DEBUG)
    begun = sign_in.begin("s", BACK, ADDRESS)
    answer = consent(begun.url)
    grant = sign_in.finish(begun.flow, answer, BACK)
    token = sign_in.token(grant.secret)
    kept = json.loads(grant.secret)["RefreshToken"].values()
    of_grant = [SECRET, token.value, *(one["secret"] for one in kept)]
    of_flow = [SECRET, answer["code"], json.loads(begun.flow)["code_verifier"]]
    for secrets, call, args in (
        (of_grant, sign_in.token, (grant.secret, token.value)),
        (of_flow, sign_in.finish, (begun.flow, answer, BACK)),
    ):
        said = f"AADSTS70000: You said {' '.join(secrets)}"
        echo = Answer({"error": "invalid_grant", "error_description": said}, 400)
        graph.server.break_("/token", "answer", answer=echo)
        error = raised(call, *args)
        assert error.__cause__ is None and error.__context__ is None
        assert error.detail == "AADSTS70000: You said *** *** ***"
        text = "".join(traceback.format_exception(error))
        assert not [one for one in secrets if one in text]
    shown = caplog.text + repr([sign_in, begun, grant, token])
    assert not [one for one in (*of_grant, *of_flow) if one in shown]
