"""A stand-in of SendGrid for the demo: it takes campaigns, and people answer to them.

What it took is delivered at once; then some open it, a few click, one in fifty comes
back, as an address tells: the same each time.
"""

import hashlib
import re
import threading

from .mailbox import ROOT  # noqa: F401 - sets the path of the servers

from servers.sendgrid import SendGridServer  # isort: skip

#: Known to the demo database too; they are nobody's secrets.
KEY, TOKEN, SIGNER = "SG.demo", "demo-webhook", 20261130
EVERY = 2  # seconds between two reports
OPENS_AFTER = 30  # seconds: nobody reads faster, but machines
_LINK = re.compile(r'href="(https?://[^"]+)"')


class BulkSender:
    """The running server, and the reports of what it delivered."""

    def __init__(self) -> None:
        self.server = SendGridServer(signer=SIGNER)
        self.server.key = KEY
        self._told = 0
        self._later: list[tuple[int, dict]] = []
        self._is_over = threading.Event()
        self._rounds = 0

    @property
    def environment(self) -> dict[str, str]:
        return {"EASYCRM_SENDGRID_API_URL": self.server.url}

    @property
    def account(self) -> dict:
        """How the sender is filled in."""
        return {
            "name": "SendGrid",
            "provider": "sendgrid",
            "region": "eu",
            "domain": "tallwood.example",
            "api_key": KEY,
            "webhook_key": self.server.verification_key,
            "webhook_token": TOKEN,
        }

    def start(self, odoo: str) -> None:
        """Serve, and report to that Odoo."""
        self.server.__enter__()
        url = f"{odoo}/easycrm_mail/webhook/sendgrid/{TOKEN}"
        threading.Thread(target=self._report, args=(url,), daemon=True).start()

    def stop(self) -> None:
        self._is_over.set()
        self.server.__exit__()

    def _report(self, url: str) -> None:
        while not self._is_over.wait(EVERY):
            self._rounds += 1
            mails = self.server.deliveries.all()
            new, self._told = mails[self._told :], len(mails)
            events = [event for mail in new for event in self._follow(mail)]
            due = [event for at, event in self._later if at <= self._rounds]
            self._later = [one for one in self._later if one[0] > self._rounds]
            for start in range(0, len(events + due), 500):
                self.server.report(url, (events + due)[start : start + 500])

    def _follow(self, mail) -> list[dict]:
        """What is told of a mail at once; the rest is told later."""
        chance = int(hashlib.sha256(mail.address.encode()).hexdigest(), 16) % 100
        if chance < 2:
            reason = "550 5.1.1 no such user here"
            return [self.server.event(mail, "bounce", type="bounce", reason=reason)]
        wait = OPENS_AFTER // EVERY + chance % 10
        if chance < 45:
            self._plan(wait, mail, "open", sg_machine_open=chance % 3 == 0)
        links = [link for link in _LINK.findall(mail.html) if "/mailing/" not in link]
        if chance < 15 and links:
            link = links[chance % len(links)].replace("&amp;", "&")
            self._plan(wait + 5, mail, "click", url=link)
        return [self.server.event(mail, "delivered")]

    def _plan(self, rounds: int, mail, kind: str, **values) -> None:
        at = rounds * EVERY
        event = self.server.event(mail, kind, **values)
        event["timestamp"] += at
        self._later.append((self._rounds + rounds, event))
