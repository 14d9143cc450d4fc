"""Signing in with Microsoft, by authorisation code with PKCE, through msal.

What is kept of a grant is msal's token cache, as a string. A refresh token is replaced
whenever it is used:
https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens.
"""

import contextlib
import json
import logging
import os
import re
import time
import warnings
from collections.abc import Mapping

import msal

from .errors import Permanent, Reconnect, Retry
from .graph_client import GraphClient
from .graph_errors import ServerAnswer, retry_after, translate
from .graph_http import BoundedSession
from .microsoft_errors import first_sentence, of_answer
from .sign_in import Begun, Grant, Token

# At level DEBUG msal writes codes and verifiers into the log.
logging.getLogger("msal").setLevel(logging.INFO)
# The answer comes as a GET: with a POST from another site the browser leaves out Odoo's
# session cookie (SameSite=Lax). The code is of no use without the verifier kept here.
warnings.filterwarnings("ignore", "response_mode='form_post'", module="msal")

LOGIN_URL = "https://login.microsoftonline.com"
#: Reading, and writing a draft, which alone gives a mail that is sent a known id;
#: sending; the user's own address. (msal adds openid, profile and offline_access.)
SCOPES = ("Mail.ReadWrite", "Mail.Send", "User.Read")
#: What Microsoft's mail servers want, which know nothing of the others.
IMAP_SCOPES = (
    "https://outlook.office.com/IMAP.AccessAsUser.All",
    "https://outlook.office.com/SMTP.Send",
)
SHARED_SCOPES = ("Mail.ReadWrite.Shared", "Mail.Send.Shared")
#: A token is replaced when it is valid for less.
MIN_SECONDS = 300
#: Tenants that are a kind of account and no directory.
_ANY_TENANT = frozenset(("common", "organizations", "consumers"))
_TENANT = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
# What the sign-in itself says of who it is: the name, which looks like an address.
_CLAIM = "preferred_username"
# All of one call, which makes up to three requests.
_CALL_TIMEOUTS = 2


def login_url() -> str:
    """Scheme and host of the sign-in, for private clouds and tests from the
    environment."""
    return (os.environ.get("EASYCRM_MICROSOFT_LOGIN_URL") or LOGIN_URL).rstrip("/")


class MicrosoftSignIn:
    """One registration at Microsoft Entra. See `sign_in.SignIn`.

    :param tenant: a directory's id or domain; `organizations` for any one; `common` for
        private accounts too
    :param shared: ask also for the mailboxes that are shared with whoever signs in
    :param timeout: seconds to wait for any one answer; twice that for a whole call
    :param imap: for the mailbox as IMAP and SMTP show it, and not Graph
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        tenant: str = "common",
        shared: bool = False,
        timeout: float = 10,
        imap: bool = False,
    ):
        self._client_id = client_id
        self._client_secret = client_secret
        self._tenant = tenant.strip() or "common"
        self._is_shared = shared
        self._timeout = timeout
        self._is_imap = imap
        self._scopes = list(IMAP_SCOPES if imap else SCOPES)
        self._scopes += SHARED_SCOPES if shared else ()

    def __repr__(self) -> str:
        return f"<MicrosoftSignIn {self._client_id} of {self._tenant}>"

    def begin(self, state: str, redirect_uri: str, email: str) -> Begun:
        """The address of Microsoft's consent page."""
        # Nobody signs in as a shared mailbox: the user chooses himself.
        more = (
            {"prompt": "select_account"} if self._is_shared else {"login_hint": email}
        )

        def call(session: BoundedSession) -> Begun:
            flow = self._application(session).initiate_auth_code_flow(
                self._scopes,
                redirect_uri=redirect_uri,
                state=state,
                # A form sent from another site would come without Odoo's session.
                response_mode="query",
                **more,
            )
            url = flow.pop("auth_uri").replace(LOGIN_URL, login_url(), 1)
            return Begun(url, json.dumps(flow))

        return self._guarded(call)

    def finish(self, flow: str, answer: Mapping[str, str], redirect_uri: str) -> Grant:
        """Redeems the code, and finds out who has signed in."""

        try:
            begun = {**json.loads(flow), "redirect_uri": redirect_uri}
            secrets = [begun["code_verifier"], answer.get("code", "")]
        except (KeyError, TypeError, ValueError):
            raise Reconnect("sign_in", "no sign-in has begun") from None

        def call(session: BoundedSession) -> Grant:
            cache = msal.SerializableTokenCache()
            application = self._application(session, cache)
            try:
                result = application.acquire_token_by_auth_code_flow(
                    begun, dict(answer)
                )
            except ValueError:
                # Another `state`, or no answer at all
                raise Reconnect("sign_in", "this answer is to no question") from None
            if "access_token" not in result:
                raise of_answer(result, "sign_in", self._secrets(*secrets))
            self._check_scopes(result)
            secret = cache.serialize()
            if not _entries(secret, "RefreshToken"):
                raise Reconnect("consent", "offline_access")
            if self._is_imap:
                # (a token for the mail servers is none for Graph)
                address = str(result.get("id_token_claims", {}).get(_CLAIM) or "")
                return Grant(secret, _checked(address))
            return Grant(secret, self._address(result["access_token"]))

        return self._guarded(call, *secrets)

    def fresh(self, secret: str) -> str:
        """The token in the cache, if it is valid for minutes yet."""
        for entry in _entries(secret, "AccessToken"):
            value = str(entry.get("secret") or "")
            if value and _seconds(entry) > time.time() + MIN_SECONDS:
                return value
        return ""

    def token(self, secret: str, refused: str = "") -> Token:
        """A token from the cache, or a new one."""
        kept_token = self.fresh(secret)
        if kept_token and kept_token != refused:
            return Token(kept_token, secret)
        kept = [str(one.get("secret")) for one in _entries(secret, "RefreshToken")]
        if not kept:
            raise Reconnect("grant", "nothing is left of the sign-in")

        def call(session: BoundedSession) -> Token:
            cache = msal.SerializableTokenCache()
            cache.deserialize(secret)
            application = self._application(session, cache)
            accounts = application.get_accounts()
            result = application.acquire_token_silent_with_error(
                self._scopes, accounts[0] if accounts else None, force_refresh=True
            )
            if not result:
                raise Reconnect("grant", "the sign-in is that of another registration")
            if "access_token" not in result:
                raise of_answer(result, "grant", self._secrets(*kept, refused))
            return Token(result["access_token"], cache.serialize())

        return self._guarded(call, *kept, refused)

    def revoke(self, secret: str) -> bool:
        """Does nothing: Microsoft has no address to give one grant back.

        `revokeSignInSessions` would end all sessions of the user, everywhere. Who wants
        it takes the app back himself, at https://myapps.microsoft.com. What is kept
        here is to be forgotten, which ends it in 90 days at the latest.
        """
        return False

    def check(self, redirect_uri: str) -> None:
        """Signs in as the registration alone, which needs no user.

        That is possible in one directory only. Else a code that nobody has given is
        redeemed: a wrong secret is told before the code is looked at.
        """

        def call(session: BoundedSession) -> None:
            application = self._application(session)
            if self._tenant in _ANY_TENANT:
                flow = application.initiate_auth_code_flow(
                    self._scopes, redirect_uri=redirect_uri, response_mode="query"
                )
                answer = {"state": flow["state"], "code": "easycrm-mail-check"}
                result = application.acquire_token_by_auth_code_flow(flow, answer)
            else:
                result = application.acquire_token_for_client(
                    ["https://graph.microsoft.com/.default"]
                )
            if "error" in result:
                failure = of_answer(result, "sign_in", self._secrets())
                if not isinstance(failure, Reconnect):
                    raise failure

        self._guarded(call)

    def _guarded(self, call, *secrets: str):
        """Bounds a call in time and turns whatever it raises into a `MailboxError`,
        which is raised once nothing is being handled: in the frames stand secrets."""
        with contextlib.closing(_LoginSession(self._timeout)) as session:
            try:
                with session.bounded(self._timeout * _CALL_TIMEOUTS):
                    result = call(session)
                return result
            except Exception as error:  # noqa: BLE001
                failure = translate(error, self._secrets(*secrets))
        failure.__cause__ = failure.__context__ = None
        raise failure.with_traceback(None)

    def _secrets(self, *more: str) -> tuple[str, ...]:
        # (no single letters: they would make the text unreadable)
        return tuple(one for one in (self._client_secret, *more) if len(one) > 5)

    def _application(
        self, session: BoundedSession, cache: msal.TokenCache | None = None
    ) -> msal.ConfidentialClientApplication:
        if not self._client_id or not self._client_secret:
            raise Permanent("client", "it is not set")
        if not _TENANT.fullmatch(self._tenant):
            raise Permanent("tenant_name", self._tenant[:60])
        try:
            return msal.ConfidentialClientApplication(
                self._client_id,
                client_credential=self._client_secret,
                authority=f"{LOGIN_URL}/{self._tenant}",
                token_cache=cache,
                http_client=session,
                # The host is known to be Microsoft's, or is set on purpose.
                instance_discovery=False,
            )
        except (KeyError, ValueError):
            raise Permanent("tenant", "there is no such directory") from None

    def _check_scopes(self, result: Mapping[str, object]) -> None:
        granted = result.get("scope")
        if isinstance(granted, str) and granted:
            # (with or without "https://graph.microsoft.com/" before them)
            names = {one.rpartition("/")[2].lower() for one in granted.split()}
            wanted = [one.rpartition("/")[2] for one in self._scopes]
            missing = [one for one in wanted if one.lower() not in names]
            if missing:
                raise Reconnect("consent", " ".join(missing))

    def _address(self, token: str) -> str:
        """The signed-in user's own, as Graph says it."""
        client = GraphClient(lambda refused="": token, "", self._timeout)
        with contextlib.closing(client), client.session.bounded(self._timeout):
            try:
                user = client.get("", **{"$select": "mail,userPrincipalName"})
            except Exception as error:  # noqa: BLE001
                raise translate(error, (token,)) from None
        address = str(user.get("mail") or user.get("userPrincipalName") or "")
        return _checked(address)


class _LoginSession(BoundedSession):
    """What msal sends through: to the set address, and what is no answer of the sign-in
    is an error here already.

    msal takes https alone, and makes one error of all that goes wrong.
    """

    def request(self, method, url, **kwargs):
        if url.startswith(LOGIN_URL):
            url = login_url() + url[len(LOGIN_URL) :]
        response = super().request(method, url, **kwargs)
        status = response.status_code
        if status == 429 or status >= 500:
            raise ServerAnswer(status, "", "", retry_after(response.headers))
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or 300 <= status < 400:
            raise Retry("answer", "this is no answer of the sign-in")
        if method == "GET" and status != 200:
            # That of the directory's own description
            said = first_sentence(str(answer.get("error_description") or ""))
            raise Permanent("tenant", said or "there is no such directory")
        return response


def _checked(address: str) -> str:
    if "@" not in address:
        raise Permanent("forbidden", "the account has no mail address")
    return address


def _entries(secret: str, kind: str) -> list[dict]:
    """What msal's token cache holds of a kind."""
    try:
        entries = json.loads(secret)[kind].values()
    except (AttributeError, KeyError, TypeError, ValueError):
        return []
    return [one for one in entries if isinstance(one, dict)]


def _seconds(entry: dict) -> float:
    try:
        return float(entry.get("expires_on", 0))
    except (TypeError, ValueError):
        return 0
