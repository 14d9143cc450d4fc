"""Signing in at a mailbox service with OAuth 2.0, and the tokens that come of it.

A `SignIn` is one registration of this database at the service (client id and secret).
It keeps nothing: what must last between two of its calls is a string that it gives and
takes back, opaque to everybody else, and secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that has begun.

    :ivar url: where the user goes to consent
    :ivar flow: to be handed to `SignIn.finish`; holds the PKCE verifier: secret
    """

    url: str
    flow: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a user has consented to.

    :ivar secret: to be kept encrypted, and handed to `SignIn.token`
    :ivar email: the address that was signed in with, as the service says it
    """

    secret: str = field(repr=False)
    email: str


@dataclass(frozen=True, slots=True)
class Token:
    """An access token.

    :ivar secret: what to keep from now on: the refresh token may be another one. It is
        saved before `value` is used, or the grant is lost with a crash.
    """

    value: str = field(repr=False)
    secret: str = field(repr=False)


class SignIn(Protocol):
    """Sign-in at one service. Every method raises a `MailboxError` and nothing else."""

    def begin(self, state: str, redirect_uri: str, email: str) -> Begun:
        """The address of the consent page, by authorisation code with PKCE.

        :param state: comes back with the answer, unchanged
        :param email: whose mailbox is meant: fills in the login
        """

    def finish(self, flow: str, answer: Mapping[str, str], redirect_uri: str) -> Grant:
        """Redeems the answer that the browser brought back.

        `Reconnect` where the user refused, left a permission out, or the code is used
        up; `Permanent` where the registration is wrong.
        """

    def fresh(self, secret: str) -> str:
        """The access token that is kept, if it is valid for minutes yet, else "".

        Asks nobody.
        """

    def token(self, secret: str, refused: str = "") -> Token:
        """A token that is valid for minutes yet, refreshed if need be.

        `Reconnect` where the grant is expired or taken back, `Retry` where that is not
        known.

        :param refused: an access token that the service does not take any more
        """

    def revoke(self, secret: str) -> bool:
        """Gives the grant back; tells whether the service has nothing left of it.

        True for one that is gone already; False where the service cannot do it.
        """

    def check(self, redirect_uri: str) -> None:
        """`Permanent` where the registration is wrong: `client`, `tenant`, `redirect`.

        Without a user it cannot see everything: what only the consent page tells is
        not checked.
        """


class TokenSource(Protocol):
    """Whoever keeps the grant of one mailbox, as its provider sees it."""

    def __call__(self, refused: str = "") -> str:
        """An access token; see `SignIn.token`. May be called in any thread."""
