"""Google's sign-in on loopback: consent page, codes with PKCE, tokens, revocation."""

import base64
import hashlib
import html
import secrets
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, build_opener
from urllib.request import Request as UrlRequest

from .web import Answer, Request, press

AUTHORIZE, TOKEN, REVOKE = "/o/oauth2/v2/auth", "/token", "/revoke"
# What a mail server asks whose token it got.
INTROSPECT = "/introspect"
MAIL_SCOPE = "https://mail.google.com/"
CODE_SECONDS = 600
TOKEN_SECONDS = 3599
REVOKED = "Token has been expired or revoked."


@dataclass
class Consent:
    """What one user allowed one client: lives as long as its refresh token."""

    email: str
    scopes: list[str]
    refresh: str = ""
    tokens: dict[str, float] = field(default_factory=dict)  # access -> expires at


@dataclass
class _Code:
    consent: Consent
    challenge: str
    redirect_uri: str
    expires_at: float
    is_used: bool = False


class GoogleOAuth:
    """One registered client.

    :param addresses: who can sign in
    :param redirect_uris: the registered ones; None: every one on loopback
    :ivar presses: the button that the consent page presses by itself
    """

    def __init__(self, addresses, redirect_uris=None):
        self.client_id = "loopback.apps.googleusercontent.com"
        self.client_secret = "GOCSPX-loopback"
        self.addresses = addresses
        self.redirect_uris = redirect_uris
        self.presses = ""
        self.consents: list[Consent] = []
        self._codes: dict[str, _Code] = {}
        self._lock = threading.RLock()

    def respond(self, request: Request) -> Answer:
        """Any of the addresses."""
        with self._lock:
            if request.path == AUTHORIZE:
                if request.method == "POST":
                    return self._decide(request)
                return self._ask(request)
            if request.path == TOKEN and request.method == "POST":
                return self._token(_one_each(request.form))
            if request.path == REVOKE and request.method == "POST":
                return self._revoke(_one_each(request.form))
            if request.path == INTROSPECT:
                return self._introspect(request)
        return Answer({"error": "not_found"}, 404)

    # -- for tests --

    def token_for(self, email: str, scopes=None) -> str:
        """An access token, without a sign-in."""
        with self._lock:
            consent = Consent(email, list(scopes or _ALL_SCOPES), _secret("1//"))
            self.consents.append(consent)
            return self._new_token(consent)

    def refreshed(self, token: str) -> str:
        """A new token in place of another, whatever has become of that."""
        with self._lock:
            for consent in self.consents:
                if token in consent.tokens:
                    return self._new_token(consent)
        raise KeyError("no such token")

    def expire_tokens(self) -> None:
        """All access tokens are too old."""
        with self._lock:
            for consent in self.consents:
                consent.tokens = dict.fromkeys(consent.tokens, 0.0)

    def expire_codes(self) -> None:
        """All codes are too old."""
        with self._lock:
            for code in self._codes.values():
                code.expires_at = 0

    def revoke(self, email: str) -> None:
        """The user takes back, in his Google account, what he allowed."""
        with self._lock:
            self.consents = [one for one in self.consents if one.email != email]

    def consent_of(self, token: str) -> Consent | None:
        """Whose valid access token it is."""
        with self._lock:
            for consent in self.consents:
                if consent.tokens.get(token, 0) > time.time():
                    return consent
        return None

    def _introspect(self, request: Request) -> Answer:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        consent = self.consent_of(token)
        if not consent or MAIL_SCOPE not in consent.scopes:
            return Answer({"active": False})
        return Answer({"active": True, "username": consent.email})

    # -- the consent page --

    def _ask(self, request: Request) -> Answer:
        query = {name: values[-1] for name, values in request.query.items()}
        if error := self._wrong(query):
            return _page("Access blocked", f"<p>Error 400: {error}</p>", 400)
        hidden = "".join(
            f'<input type="hidden" name="{html.escape(name)}"'
            f' value="{html.escape(value)}">'
            for name, value in query.items()
        )
        accounts = "".join(
            f'<label><input type="radio" name="email" value="{html.escape(one)}"'
            f"{' checked' if one == query.get('login_hint') else ''}>"
            f" {html.escape(one)}</label>"
            for one in self.addresses()
        )
        boxes = "".join(
            f'<label><input type="checkbox" name="granted" id="scope-{name}"'
            f' value="{html.escape(scope)}" checked> {_WORDS.get(name, name)}</label>'
            for scope in query["scope"].split()
            for name in [scope.strip("/").rpartition("/")[2].replace(".", "-")]
        )
        return _page(
            "EasyCRM Mail wants to access your Google Account",
            f'<form method="post" action="{AUTHORIZE}">{hidden}'
            f"<h2>Choose an account</h2>{accounts}"
            f"<h2>Select what EasyCRM Mail can access</h2>{boxes}"
            '<p class="buttons"><button id="deny" name="decision" value="deny">'
            'Cancel</button><button id="allow" name="decision" value="allow">'
            f"Continue</button></p></form>{press(self.presses)}",
        )

    def _decide(self, request: Request) -> Answer:
        form = request.form
        query = _one_each(form)
        if error := self._wrong(query):
            return _page("Access blocked", f"<p>Error 400: {error}</p>", 400)
        told = {"state": query.get("state", "")}
        granted = form.get("granted", [])
        email = query.get("email") or query.get("login_hint", "")
        if query.get("decision") != "allow" or not granted:
            told["error"] = "access_denied"
        elif email not in self.addresses():
            return _page("Choose an account", "<p>No account was chosen.</p>", 400)
        else:
            code = _secret("4/0")
            self._codes[code] = _Code(
                Consent(email, [s for s in query["scope"].split() if s in granted]),
                query["code_challenge"],
                query["redirect_uri"],
                time.time() + CODE_SECONDS,
            )
            told |= {"code": code, "scope": " ".join(granted)}
        joint = "&" if urlsplit(query["redirect_uri"]).query else "?"
        location = f"{query['redirect_uri']}{joint}{urlencode(told)}"
        return Answer("", 302, {"Location": location})

    def _wrong(self, query: dict) -> str:
        if query.get("client_id") != self.client_id:
            return "invalid_client"
        if not self._is_registered(query.get("redirect_uri", "")):
            return "redirect_uri_mismatch"
        if query.get("response_type") != "code" or not query.get("scope"):
            return "invalid_request"
        challenge = query.get("code_challenge", "")
        if query.get("code_challenge_method") != "S256" or len(challenge) != 43:
            return "invalid_request"
        # Without either of them no refresh token would come.
        if query.get("access_type") != "offline" or query.get("prompt") != "consent":
            return "invalid_request"
        return ""

    def _is_registered(self, uri: str) -> bool:
        if self.redirect_uris is None:
            return urlsplit(uri).hostname in ("127.0.0.1", "localhost")
        return uri in self.redirect_uris

    # -- tokens --

    def _token(self, form: dict) -> Answer:
        if form.get("client_id") != self.client_id:
            text = "The OAuth client was not found."
            return _error("invalid_client", text, 401)
        if form.get("client_secret") != self.client_secret:
            return _error("invalid_client", "Unauthorized", 401)
        if form.get("grant_type") == "refresh_token":
            for consent in self.consents:
                if consent.refresh == form.get("refresh_token"):
                    return Answer(self._told(consent))
            return _error("invalid_grant", REVOKED)
        if form.get("grant_type") != "authorization_code":
            return _error("unsupported_grant_type", "Invalid grant_type")
        return self._redeem(form)

    def _redeem(self, form: dict) -> Answer:
        code = self._codes.get(form.get("code", ""))
        if not self._is_registered(form.get("redirect_uri", "")):
            return _error("redirect_uri_mismatch", "Bad Request")
        if code is None or code.is_used or code.expires_at < time.time():
            return _error("invalid_grant", "Malformed auth code.")
        if code.redirect_uri != form["redirect_uri"]:
            return _error("redirect_uri_mismatch", "Bad Request")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != code.challenge:
            return _error("invalid_grant", "Invalid code verifier.")
        code.is_used = True
        code.consent.refresh = _secret("1//")
        self.consents.append(code.consent)
        told = self._told(code.consent)
        return Answer({**told, "refresh_token": code.consent.refresh})

    def _told(self, consent: Consent) -> dict:
        return {
            "access_token": self._new_token(consent),
            "expires_in": TOKEN_SECONDS,
            "scope": " ".join(consent.scopes),
            "token_type": "Bearer",
        }

    def _new_token(self, consent: Consent) -> str:
        token = _secret("ya29.")
        consent.tokens[token] = time.time() + TOKEN_SECONDS
        return token

    def _revoke(self, form: dict) -> Answer:
        token = form.get("token", "")
        for consent in self.consents:
            if token == consent.refresh or token in consent.tokens:
                self.consents.remove(consent)
                return Answer({})
        return _error("invalid_token", REVOKED)


def walk_consent(url: str, deny: bool = False, leave_out=(), email: str = "") -> dict:
    """What a browser does on the consent page; gives what comes back to the client.

    :param leave_out: words of scopes whose boxes are cleared
    """
    query = dict(parse_qsl(urlsplit(url).query))
    with build_opener().open(url, timeout=10) as page:
        page.read()
    granted = [
        scope
        for scope in query["scope"].split()
        if not any(word in scope for word in leave_out)
    ]
    form = [*query.items(), *(("granted", scope) for scope in granted)]
    form += [("email", email or query.get("login_hint", ""))]
    form += [("decision", "deny" if deny else "allow")]
    request = UrlRequest(url.partition("?")[0], urlencode(form).encode(), method="POST")
    with build_opener(_Stay()).open(request, timeout=10) as answer:
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


class _Stay(HTTPRedirectHandler):
    """Follows nowhere."""

    def http_error_302(self, request, answer, code, message, headers):
        return answer


_ALL_SCOPES = (
    "https://www.googleapis.com/auth/gmail.readonly",
    "https://www.googleapis.com/auth/gmail.send",
)
_WORDS = {
    "gmail-readonly": "View your email messages and settings",
    "gmail-send": "Send email on your behalf",
    "mail-google-com": "Read, compose, send, and permanently delete all your email",
}
_STYLE = """
body { font: 16px system-ui, sans-serif; background: #f0f4f9; margin: 0; }
main { background: #fff; border-radius: 24px; max-width: 32rem; margin: 8vh auto;
       padding: 2.5rem; }
h1 { font-weight: 400; font-size: 1.6rem; } h2 { font-size: 1rem; margin-top: 1.5rem; }
label { display: block; padding: .6rem 0; border-bottom: 1px solid #e3e3e3; }
.buttons { display: flex; gap: 1rem; justify-content: flex-end; margin-top: 2rem; }
button { border: 1px solid #747775; border-radius: 20px; padding: .6rem 1.6rem;
         background: #fff; color: #0b57d0; font: inherit; cursor: pointer; }
#allow { background: #0b57d0; border-color: #0b57d0; color: #fff; }
"""


def _page(title: str, body: str, status: int = 200) -> Answer:
    return Answer(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1>{body}</main></body></html>",
        status,
    )


def _error(error: str, text: str, status: int = 400) -> Answer:
    return Answer({"error": error, "error_description": text}, status)


def _one_each(form: dict) -> dict:
    return {name: values[-1] for name, values in form.items()}


def _secret(start: str) -> str:
    return start + secrets.token_urlsafe(40)
