"""What can go wrong with a mailbox, sorted by what to do about it.

Providers translate what their library raises into these; the models decide by `kind`
and put `code` into the reader's language. Neither ever holds a secret.
"""

from typing import ClassVar


class MailboxError(Exception):
    """The root of the tree.

    :ivar kind: the value kept in `easycrm.email.account.last_error_kind`
    :param code: one of the codes below, for the words that a person reads
    :param detail: what the server said, shortened and free of secrets
    """

    kind: ClassVar[str] = "permanent"

    def __init__(self, code: str, detail: str = ""):
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class Retry(MailboxError):
    """Passes by itself: refused, reset, slow, half an answer, "come back later".

    Codes: `host`, `refused`, `timeout`, `dropped`, `busy`, `answer`.

    :param retry_after: seconds that the service asked to wait, or None
    """

    kind = "retry"

    def __init__(self, code: str, detail: str = "", retry_after: float | None = None):
        super().__init__(code, detail)
        self.retry_after = retry_after


class Reconnect(MailboxError):
    """Only the user can mend it.

    Codes: `password`, `grant` (expired or taken back), `declined` (who signed in
    stopped), `consent` (a permission was left out), `approval` (the organisation has to
    allow it first), `sign_in` (the sign-in took too long or was used before), `token`
    (a mail server does not take what the sign-in gave, for this mailbox).
    """

    kind = "reconnect"


class Resync(MailboxError):
    """The checkpoint is void: list anew, within the window. Code: `checkpoint`."""

    kind = "resync"


class Gone(MailboxError):
    """What was asked for is not there any more. Codes: `mail`, `folder`."""

    kind = "gone"


class Permanent(MailboxError):
    """Stays until a setting changes.

    Codes: `tls`, `certificate`, `setting`, `entered` (no server, port or login can be
    so), `forbidden` (of the mailbox: no licence, no mailbox, no access to a shared one,
    an administrator's policy), `password_off` (the server takes a sign-in alone),
    `token_off` (it takes a password alone), `unsafe` (a sign-in is not sent without
    TLS); of the registration
    at the service: `client` (its ID, or the registration as a whole), `secret` (wrong),
    `secret_expired`, `tenant`, `tenant_name` (it cannot be one), `redirect`.
    """

    kind = "permanent"


class Refused(MailboxError):
    """A mail has not gone out, and would not if it were tried again as it is.

    Codes: `size`, `recipients` (all of them), `too_many` (recipients), `sender` (one
    may not send under that address), `content` (taken for spam, a forbidden file),
    `header` (it cannot be written, see `header`), `refused`.

    :param recipients: who would not have got it, each an address and why
    :param header: code and value of the `messages.BadHeader`
    """

    kind = "refused"

    def __init__(
        self,
        code: str,
        detail: str = "",
        recipients: tuple[tuple[str, str], ...] = (),
        header: tuple[str, str] = ("", ""),
    ):
        super().__init__(code, detail)
        self.recipients = recipients
        self.header = header


class Doubtful(MailboxError):
    """Nobody knows whether a mail has gone out: it broke while it was handed over.

    Codes: those of `Retry`.
    """

    kind = "doubtful"
