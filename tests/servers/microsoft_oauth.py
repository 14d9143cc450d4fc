"""Microsoft's sign-in, on loopback: consent page, codes, tokens and their ends.

The errors bear the numbers that Microsoft gives them:
https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes.
"""

import base64
import hashlib
import html
import json
import secrets
import time
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from .web import Answer, Request, press

HOST = "https://login.microsoftonline.com"
GRAPH = "https://graph.microsoft.com/"
MAIL_SCOPE = "https://outlook.office.com/IMAP.AccessAsUser.All"
# What a mail server asks whose token it got.
INTROSPECT = "/introspect"
_IDENTITY = frozenset(("openid", "profile", "email", "offline_access"))

_WORDS = {
    50011: "The redirect URI specified in the request does not match.",
    50076: "Due to a configuration change, you must use multi-factor authentication.",
    50173: "The provided grant has expired due to it being revoked.",
    54005: "OAuth2 Authorization code was already redeemed.",
    65004: "User declined to consent to access the app.",
    70000: "Provided grant is invalid or malformed.",
    70008: "The provided authorization code or refresh token has expired.",
    90002: "Tenant not found.",
    501481: "The Code_Verifier does not match the code_challenge.",
    700016: "Application was not found in the directory.",
    700082: "The refresh token has expired due to inactivity.",
    7000215: "Invalid client secret provided.",
    7000222: "The provided client secret keys are expired.",
    9002313: "Invalid request. Request is malformed or invalid.",
}


@dataclass
class Application:
    """One registration. Without `redirect_uris` it takes any."""

    client_id: str
    secret: str
    redirect_uris: tuple[str, ...] = ()
    is_secret_expired: bool = False


@dataclass
class Given:
    """What a code or a refresh token stands for; `error`: why it does not any more."""

    client_id: str
    account: str
    scopes: tuple[str, ...]
    redirect_uri: str = ""
    challenge: str = ""
    nonce: str = ""
    error: int = 0


@dataclass
class Access:
    """One access token."""

    account: str
    expires: float
    scopes: tuple[str, ...] = ()

    @property
    def is_for_mail_servers(self) -> bool:
        """Then it is of no use for Graph."""
        return MAIL_SCOPE in self.scopes


class MicrosoftLogin:
    """The sign-in of a `GraphServer`.

    :ivar accounts: who can sign in
    :ivar tenants: directories, beside the kinds of accounts
    :ivar rotates: a refresh token is replaced when it is used, and the old one is dead
    :ivar withheld: scopes that the user leaves out
    :ivar lifetime: of an access token, seconds
    :ivar presses: the button that the consent page presses by itself
    :ivar fails_with: the number of an error that every token request gets
    """

    def __init__(self, server):
        self._server = server
        self.accounts: list[str] = []
        self.applications: dict[str, Application] = {}
        self.tenants = {"common", "organizations", "consumers", "tenant-1"}
        self.rotates = True
        self.withheld: set[str] = set()
        self.lifetime = 3600
        self.presses = ""
        self.fails_with: tuple[int, str] | None = None
        self.access: dict[str, Access] = {}
        self.codes: dict[str, Given] = {}
        self.refresh: dict[str, Given] = {}

    # --- for tests ---

    def register(self, client_id: str, secret: str, *redirect_uris: str):
        """An application."""
        self.applications[client_id] = Application(client_id, secret, redirect_uris)
        return self.applications[client_id]

    def issue(self, account: str, scopes: tuple[str, ...] = ()) -> str:
        """An access token without any sign-in."""
        token = f"EwB{secrets.token_urlsafe(30)}"
        with self._server.lock:
            self.access[token] = Access(account, time.time() + self.lifetime, scopes)
        return token

    def expire_tokens(self) -> None:
        """No access token is valid any more; refresh tokens are."""
        with self._server.lock:
            self.access.clear()

    def revoke(self, number: int = 50173) -> None:
        """All grants are void, for the reason of that number."""
        with self._server.lock:
            self.access.clear()
            for one in (*self.refresh.values(), *self.codes.values()):
                one.error = number

    def user_of(self, authorization: str) -> str:
        """Whose token it is; empty where it is nobody's."""
        found = self._found(authorization)
        return found.account if found and not found.is_for_mail_servers else ""

    def _found(self, authorization: str) -> Access | None:
        found = self.access.get(authorization.removeprefix("Bearer "))
        return found if found and found.expires > time.time() else None

    # --- HTTP ---

    def respond(self, request: Request) -> Answer:
        tenant, _slash, rest = request.path.lstrip("/").partition("/")
        if rest == "v2.0/.well-known/openid-configuration":
            return self._configuration(tenant)
        if rest == "oauth2/v2.0/authorize":
            return self._authorize(request, tenant)
        if rest == "oauth2/v2.0/consent":
            return self._consent(request)
        if rest == "oauth2/v2.0/token":
            return self._token(request, tenant)
        if request.path == INTROSPECT:
            return self._introspect(request)
        return Answer({"error": "not_found"}, 404)

    def _configuration(self, tenant: str) -> Answer:
        if tenant not in self.tenants:
            return _error(90002, "invalid_tenant")
        base = f"{HOST}/{tenant}"
        return Answer(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            }
        )

    def _introspect(self, request: Request) -> Answer:
        found = self._found(request.headers.get("Authorization", ""))
        if not found or not found.is_for_mail_servers:
            return Answer({"active": False})
        return Answer({"active": True, "username": found.account})

    def _authorize(self, request: Request, tenant: str) -> Answer:
        application = self.applications.get(request.get("client_id"))
        redirect_uri = request.get("redirect_uri")
        if not application:
            return _page("Sign in", f"AADSTS700016: {_WORDS[700016]}")
        if application.redirect_uris and redirect_uri not in application.redirect_uris:
            return _page("Sign in", f"AADSTS50011: {_WORDS[50011]}")
        if request.get("code_challenge_method") != "S256":
            return _page("Sign in", f"AADSTS9002313: {_WORDS[9002313]}")
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(values[-1])}">'
            for name, values in request.query.items()
        )
        hint = request.get("login_hint")
        choices = "".join(
            f'<p><label><input type="radio" name="account" id="account-{number}"'
            f' value="{html.escape(one)}"{" checked" if one == hint else ""}>'
            f" {html.escape(one)}</label></p>"
            for number, one in enumerate(self.accounts)
        )
        scopes = "".join(
            f"<li>{html.escape(one)}</li>" for one in request.get("scope").split()
        )
        return _page(
            "Permissions requested",
            f'<form method="post" action="/{html.escape(tenant)}/oauth2/v2.0/consent">'
            f"{hidden}{choices}<ul>{scopes}</ul>"
            '<button id="accept" name="choice" value="accept">Accept</button> '
            '<button id="cancel" name="choice" value="cancel">Cancel</button></form>'
            f"{press(self.presses)}",
        )

    def _consent(self, request: Request) -> Answer:
        form = {name: values[-1] for name, values in request.form.items()}
        if form.get("choice") == "accept":
            code = f"M.{secrets.token_urlsafe(20)}"
            asked = form["scope"].split()
            with self._server.lock:
                self.codes[code] = Given(
                    form["client_id"],
                    form.get("account") or self.accounts[0],
                    tuple(one for one in asked if one not in self.withheld),
                    form["redirect_uri"],
                    form["code_challenge"],
                    form.get("nonce", ""),
                )
            answer = {"code": code, "state": form.get("state", "")}
        else:
            answer = {
                "error": "access_denied",
                "error_description": f"AADSTS65004: {_WORDS[65004]}",
                "state": form.get("state", ""),
            }
        location = f"{form['redirect_uri']}?{urlencode(answer)}"
        return Answer("", 302, {"Location": location})

    def _token(self, request: Request, tenant: str) -> Answer:
        form = {name: values[-1] for name, values in request.form.items()}
        application = self.applications.get(form.get("client_id", ""))
        if self.fails_with:
            return _error(*self.fails_with)
        if tenant not in self.tenants:
            return _error(90002, "invalid_request")
        if not application:
            return _error(700016, "unauthorized_client")
        if form.get("client_secret") != application.secret:
            return _error(7000215, "invalid_client")
        if application.is_secret_expired:
            return _error(7000222, "invalid_client")
        kind = form.get("grant_type")
        if kind == "client_credentials":
            return Answer(
                {"token_type": "Bearer", "expires_in": 3600, "access_token": "app-only"}
            )
        with self._server.lock:
            if kind == "authorization_code":
                return self._redeem(form)
            return self._refresh(form)

    def _redeem(self, form: dict) -> Answer:
        given = self.codes.get(form.get("code", ""))
        if not given or given.client_id != form["client_id"]:
            return _error(9002313, "invalid_grant")
        if given.error:
            return _error(given.error, "invalid_grant")
        if given.redirect_uri != form.get("redirect_uri"):
            return _error(50011, "invalid_request")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != given.challenge:
            return _error(501481, "invalid_grant")
        given.error = 54005
        return self._tokens(given)

    def _refresh(self, form: dict) -> Answer:
        given = self.refresh.get(form.get("refresh_token", ""))
        if not given or given.client_id != form["client_id"]:
            return _error(70000, "invalid_grant")
        if given.error:
            return _error(given.error, "invalid_grant")
        if self.rotates:
            given.error = 70000
        return self._tokens(given)

    def _tokens(self, given: Given) -> Answer:
        user = hashlib.sha1(given.account.encode()).hexdigest()[:12]
        claims = {
            "aud": given.client_id,
            "iss": f"{HOST}/tenant-1/v2.0",
            "iat": int(time.time()),
            "exp": int(time.time()) + 3600,
            "nonce": given.nonce,
            "oid": user,
            "tid": "tenant-1",
            "sub": f"sub-{user}",
            "preferred_username": given.account,
        }
        scopes = [one for one in given.scopes if one not in _IDENTITY]
        answer = {
            "token_type": "Bearer",
            "scope": " ".join(one if "/" in one else GRAPH + one for one in scopes),
            "expires_in": self.lifetime,
            "ext_expires_in": self.lifetime,
            "access_token": self.issue(given.account, given.scopes),
            "id_token": f"{_packed({'alg': 'none'})}.{_packed(claims)}.",
            "client_info": _packed({"uid": user, "utid": "tenant-1"}),
        }
        if "offline_access" in given.scopes:
            token = f"0.{secrets.token_urlsafe(40)}"
            self.refresh[token] = Given(given.client_id, given.account, given.scopes)
            answer["refresh_token"] = token
        return Answer(answer)


def walk_consent(url: str, account: str, choice: str = "accept") -> dict:
    """What a browser does on the consent page; gives what comes back to the client.

    :param choice: `accept` or `cancel`
    """
    page = requests.get(url, timeout=10)
    assert "Permissions requested" in page.text, page.text
    form = dict(parse_qsl(urlsplit(url).query)) | {"account": account, "choice": choice}
    target = url.partition("?")[0].removesuffix("authorize") + "consent"
    answer = requests.post(target, form, timeout=10, allow_redirects=False)
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def _packed(value: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _error(number: int, error: str) -> Answer:
    words = _WORDS.get(number, "Something went wrong.")
    return Answer(
        {
            "error": error,
            "error_description": f"AADSTS{number}: {words} More of it."
            " Trace ID: 11111111-trace Correlation ID: 22222222-correlation"
            " Timestamp: 2026-11-24 10:00:00Z",
            "error_codes": [number],
            "trace_id": "11111111-trace",
            "correlation_id": "22222222-correlation",
        },
        401 if error == "invalid_client" else 400,
    )


def _page(title: str, body: str) -> Answer:
    return Answer(
        f"<!doctype html><html><head><title>{title}</title></head>"
        f"<body><h1>{title}</h1>{body}</body></html>"
    )
