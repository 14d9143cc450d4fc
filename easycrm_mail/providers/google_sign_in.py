"""Google's sign-in: an authorisation code with PKCE, and the tokens that come of it.

https://developers.google.com/identity/protocols/oauth2/web-server
"""

import base64
import functools
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import timezone
from typing import TypeVar
from urllib.parse import urlencode

import google_auth_httplib2
from google.auth.exceptions import RefreshError, TransportError
from google.oauth2.credentials import Credentials

from .budget import Budget
from .errors import MailboxError, Permanent, Reconnect, Retry
from .gmail_api import GmailApi
from .gmail_errors import retry_after, translate
from .gmail_http import MailboxHttp
from .google_guard import guard
from .sign_in import Begun, Grant, Token

AUTHORIZE_URL = "https://accounts.google.com/o/oauth2/v2/auth"
TOKEN_URL = "https://oauth2.googleapis.com/token"
REVOKE_URL = "https://oauth2.googleapis.com/revoke"

READ_SCOPE = "https://www.googleapis.com/auth/gmail.readonly"
SEND_SCOPE = "https://www.googleapis.com/auth/gmail.send"
SCOPES = (READ_SCOPE, SEND_SCOPE)
#: What Google's mail servers want: there is none for reading alone.
IMAP_SCOPES = ("https://mail.google.com/",)

# A token that expires sooner than this is refreshed.
FRESH_SECONDS = 300
CALL_TIMEOUTS = 2

_CLIENT = frozenset(
    {"invalid_client", "unauthorized_client", "deleted_client", "disabled_client"}
)
_PASSING = frozenset(
    {
        "internal_failure",
        "rate_limit_exceeded",
        "server_error",
        "slow_down",
        "temporarily_unavailable",
    }
)
_POLICY = frozenset({"admin_policy_enforced", "org_internal", "access_not_configured"})

_Result = TypeVar("_Result")


class GoogleSignIn:
    """One OAuth client of Google's. See `sign_in.SignIn`.

    :param timeout: seconds to wait for any one answer; twice that for a whole call
    :param imap: for the mailbox as IMAP and SMTP show it, and not the API
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        timeout: float = 10,
        imap: bool = False,
    ):
        self._client_id = client_id
        self._client_secret = client_secret
        self._timeout = timeout
        self._scopes = IMAP_SCOPES if imap else SCOPES

    def __repr__(self) -> str:
        return f"<GoogleSignIn {self._client_id}>"

    def begin(self, state: str, redirect_uri: str, email: str) -> Begun:
        """The address of Google's consent page."""
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": " ".join(self._scopes),
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            # A refresh token is given with a consent only, and only when asked for.
            "access_type": "offline",
            "prompt": "consent",
            "login_hint": email,
        }
        url = _endpoint("/o/oauth2/v2/auth", AUTHORIZE_URL)
        return Begun(f"{url}?{urlencode(query)}", json.dumps({"verifier": verifier}))

    def finish(self, flow: str, answer: Mapping[str, str], redirect_uri: str) -> Grant:
        """Redeems the answer; the address is that of the mailbox it opens."""
        if error := answer.get("error"):
            raise _of_answer(error)
        code, verifier = answer.get("code") or "", _field(flow, "verifier")
        if not code or not verifier:
            raise Reconnect("sign_in", "the answer holds no code")
        return self._guarded(
            lambda http: self._redeem(http, code, verifier, redirect_uri),
            code,
            verifier,
        )

    def fresh(self, secret: str) -> str:
        """The access token that is kept, if it is valid for minutes yet."""
        return _field(secret, "access") if _expiry(secret) > time.time() else ""

    def token(self, secret: str, refused: str = "") -> Token:
        """The token that is there, while it is valid; else google-auth refreshes it.

        Google's refresh token stays the same.
        """
        access, refresh = _field(secret, "access"), _field(secret, "refresh")
        if not refresh:
            raise Reconnect("grant", "no grant is kept")
        kept = self.fresh(secret)
        if kept and kept != refused:
            return Token(kept, secret)
        return self._guarded(lambda http: self._refresh(http, refresh), access, refresh)

    def revoke(self, secret: str) -> bool:
        """Gives the grant back, with all its tokens."""
        token = _field(secret, "refresh") or _field(secret, "access")
        if token:
            url = _endpoint("/revoke", REVOKE_URL)
            self._guarded(lambda http: _post(http, url, {"token": token}), token)
        return True

    def check(self, redirect_uri: str) -> None:
        """Redeems a code that is none: what Google finds wrong before it looks at the
        code is wrong."""
        if not self._client_id or not self._client_secret:
            raise Permanent("client", "the client ID or its secret is missing")
        bogus = secrets.token_urlsafe(32)
        form = self._code_form(f"4/{bogus}", secrets.token_urlsafe(48), redirect_uri)
        _told, failure = self._guarded(lambda http: self._ask(http, form), bogus)
        if failure and failure.code != "sign_in":
            raise failure

    # -- what happens within a guarded call --

    def _redeem(
        self, http: MailboxHttp, code: str, verifier: str, redirect_uri: str
    ) -> Grant:
        told, failure = self._ask(http, self._code_form(code, verifier, redirect_uri))
        if failure:
            raise failure
        access, refresh = told.get("access_token"), told.get("refresh_token")
        if not access or not refresh:
            raise Retry("answer", "Google gave no token")
        # Each permission may be left out on the consent page, by a box of its own.
        granted = str(told.get("scope") or "").split()
        missing = [scope for scope in self._scopes if scope not in granted]
        if missing:
            names = ", ".join(scope.strip("/").rpartition("/")[2] for scope in missing)
            raise Reconnect("consent", f"left out: {names}")
        api = GmailApi(lambda refused="": access, http, Budget())
        email = api.profile().get("emailAddress")
        if not isinstance(email, str) or "@" not in email:
            raise Retry("answer", "Google names no mailbox")
        expires_at = time.time() + _seconds(told.get("expires_in"))
        return Grant(_pack(access, refresh, expires_at), email)

    def _refresh(self, http: MailboxHttp, refresh: str) -> Token:
        credentials = Credentials(
            None,
            refresh_token=refresh,
            client_id=self._client_id,
            client_secret=self._client_secret,
            token_uri=_endpoint("/token", TOKEN_URL),
        )
        try:
            credentials.refresh(_RefreshRequest(http))
        except RefreshError as error:
            raise _of_refresh(error) from None
        except TransportError as error:
            raise translate(error.args[0]) from None
        expiry = credentials.expiry
        expires_at = expiry.replace(tzinfo=timezone.utc).timestamp() if expiry else 0
        # (should Google ever give another one)
        refresh = credentials.refresh_token or refresh
        return Token(credentials.token, _pack(credentials.token, refresh, expires_at))

    def _ask(self, http: MailboxHttp, form: dict) -> tuple[dict, MailboxError | None]:
        """What the token endpoint says to a code, and the error that this is."""
        response, told = _post(http, _endpoint("/token", TOKEN_URL), form)
        if response.status == 200:
            return told, None
        return told, _of_code(response, told)

    def _code_form(self, code: str, verifier: str, redirect_uri: str) -> dict:
        return {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "redirect_uri": redirect_uri,
        }

    def _guarded(self, call: Callable[[MailboxHttp], _Result], *hidden: str) -> _Result:
        """:param hidden: what must not stand in the words of an error"""
        http = MailboxHttp(self._timeout)
        hidden = (self._client_secret, *hidden)
        bound = functools.partial(call, http)
        try:
            return guard(bound, http, self._timeout * CALL_TIMEOUTS, hidden)
        finally:
            http.drop()


class _RefreshRequest(google_auth_httplib2.Request):
    """What google-auth asks with; it would itself ask again at once, three times."""

    def __call__(self, *args, **kwargs):
        answer = super().__call__(*args, **kwargs)
        _check_passing(answer.status, answer.headers)
        return answer


def _check_passing(status: int, headers) -> None:
    if status >= 500 or status == 429:
        raise Retry("busy", str(status), retry_after(headers))


def _post(http: MailboxHttp, url: str, form: dict) -> tuple:
    """The answer's head and what it holds."""
    kind = {"content-type": "application/x-www-form-urlencoded"}
    response, content = http.request(url, "POST", urlencode(form), kind)
    try:
        told = json.loads(content)
    except ValueError:
        told = {}
    _check_passing(response.status, response)
    if response.status == 200 and not isinstance(told, dict):
        raise Retry("answer", "not JSON")
    return response, told if isinstance(told, dict) else {}


def _of_answer(error: str) -> MailboxError:
    """For what the consent page sent the browser back with.

    Anybody may have written that into the address: only a name is repeated.
    """
    text = error if re.fullmatch("[a-z_]{1,40}", error) else "unknown error"
    if error == "access_denied":
        return Reconnect("declined", text)
    if error in _PASSING:
        return Retry("busy", text)
    if error in _POLICY:
        return Permanent("forbidden", text)
    return Permanent("client", text)


def _of_code(response, told: dict) -> MailboxError:
    """For a code that the token endpoint does not take."""
    error, text = _said(told)
    if error in _CLIENT:
        return _of_client(error, text)
    if error == "redirect_uri_mismatch" or "redirect_uri" in text:
        return Permanent("redirect", text)
    if error == "invalid_grant":
        return Reconnect("sign_in", text)
    if error in _PASSING:
        return Retry("busy", text)
    if error in _POLICY:
        return Permanent("forbidden", text)
    return Retry("answer", text or str(response.status))


def _of_refresh(error: RefreshError) -> MailboxError:
    told = error.args[1] if len(error.args) > 1 else None
    name, text = _said(told if isinstance(told, dict) else {})
    if name in _CLIENT:
        return _of_client(name, text)
    if name in _POLICY:
        return Permanent("forbidden", text)
    if name in _PASSING:
        return Retry("busy", text)
    # (of an organisation that asks for the password again google-auth tells in words)
    if name == "invalid_grant" or "eauthentication" in str(error.args[0]):
        return Reconnect("grant", text)
    return Retry("answer", text)


def _of_client(error: str, text: str) -> MailboxError:
    """For a registration that Google does not accept.

    A secret that is wrong is "Unauthorized" or "The provided client secret is invalid";
    an ID that is, "The OAuth client was not found".
    """
    wrong_secret = error == "invalid_client" and re.search(
        "secret|unauthorized", text.lower().removeprefix(error)
    )
    return Permanent("secret" if wrong_secret else "client", text)


def _said(told: dict) -> tuple[str, str]:
    error = told.get("error")
    error = error if isinstance(error, str) else ""
    return error, f"{error}: {told.get('error_description', '')}".strip(": ")


def _endpoint(path: str, default: str) -> str:
    base = os.environ.get("EASYCRM_GOOGLE_OAUTH_URL")
    return base.rstrip("/") + path if base else default


def _pack(access: str, refresh: str, expires_at: float) -> str:
    kept = {"access": access, "refresh": refresh, "expiry": int(expires_at)}
    return json.dumps(kept, separators=(",", ":"))


def _field(text: str, name: str) -> str:
    try:
        value = json.loads(text)[name]
    except (KeyError, TypeError, ValueError):
        return ""
    return value if isinstance(value, str) else ""


def _expiry(secret: str) -> float:
    """When the access token is to be refreshed."""
    try:
        return int(json.loads(secret)["expiry"]) - FRESH_SECONDS
    except (KeyError, TypeError, ValueError):
        return 0


def _seconds(value: object) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0
