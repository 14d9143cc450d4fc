"""Demo mailboxes that one signs in to: stand-ins of Gmail and Microsoft 365.

They run inside `make run` and forget everything at its end; the next run gives them the
same mails, which the database recognises.
"""

from datetime import datetime

from .mailbox import LOGIN, folder, read_record
from .mails import due
from .people import JONAS, MIRA

from servers.gmail import GmailServer  # isort: skip
from servers.graph import GraphServer  # isort: skip - its path is set by `mailbox`

CLIENT = {"client_id": "demo-client", "client_secret": "demo-secret"}
#: The salespeople, and somebody else to sign in as by mistake.
OTHERS = (MIRA.address, JONAS.address, "someone.else@example.com")


class Service:
    """What is the same for both.

    :cvar kind: what it stands in for
    """

    kind = name = provider = ""

    def __init__(self) -> None:
        self._record = folder().with_name(f"demo-mailbox-{self.provider}") / "delivered"
        self._delivered: set[str] = set()

    @property
    def address(self) -> str:
        return self.server.url

    @property
    def account(self) -> dict:
        """How the account is filled in; the rest is done by signing in."""
        parameters = {
            f"easycrm_mail.{self.name}_{key}": value for key, value in CLIENT.items()
        }
        return {"provider": self.provider, "email": LOGIN, "parameters": parameters}

    @property
    def words(self) -> str:
        return (
            f"{LOGIN} at {self.kind}'s stand-in. First sign in to it:\n"
            "             CRM → Sales → My Mail Accounts → it → Connect\n"
            "             (Reconnect once it was read: the stand-in has forgotten you)"
        )

    def start(self) -> None:
        self.server.__enter__()

    def stop(self) -> None:
        self.server.__exit__()

    def deliver_due(self) -> int:
        """Delivers what is due by now and was not delivered yet; gives how many."""
        base = datetime.fromisoformat(read_record(self._record)[0])
        new = [mail for mail in due(base) if mail.key not in self._delivered]
        for mail in new:
            self.deliver(LOGIN, mail.raw, mail.folder, mail.date, mail.is_read)
            self._delivered.add(mail.key)
        return len(new)


class Outlook(Service):
    """Microsoft Graph and its sign-in."""

    kind, name, provider = "Microsoft 365", "microsoft", "outlook"

    def __init__(self) -> None:
        super().__init__()
        self.server = GraphServer()
        self.server.login.register(*CLIENT.values())
        for address in (LOGIN, *OTHERS):
            self.server.add_mailbox(address)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "EASYCRM_GRAPH_API_URL": self.server.url,
            "EASYCRM_MICROSOFT_LOGIN_URL": self.server.url,
        }

    def deliver(self, address, raw, folder, date, is_read=True) -> None:
        name = {"INBOX": "inbox", "Sent": "sentitems"}.get(folder, "archive")
        self.server.mailboxes[address].deliver(raw, name, date, read=is_read)


class Gmail(Service):
    """Gmail and Google's sign-in."""

    kind, name, provider = "Gmail", "google", "gmail"

    def __init__(self) -> None:
        super().__init__()
        self.server = GmailServer()
        oauth = self.server.oauth
        oauth.client_id, oauth.client_secret = CLIENT.values()
        for address in (LOGIN, *OTHERS):
            self.server.add_mailbox(address)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "EASYCRM_GMAIL_API_URL": self.server.url,
            "EASYCRM_GOOGLE_OAUTH_URL": self.server.url,
        }

    def deliver(self, address, raw, folder, date, is_read=True) -> None:
        labels = {"INBOX": ["INBOX"], "Sent": ["SENT"]}.get(folder, [folder])
        labels += [] if is_read else ["UNREAD"]
        self.server.mailboxes[address].deliver(raw, labels, date.timestamp())


SERVICES = {service.provider: service for service in (Gmail, Outlook)}
