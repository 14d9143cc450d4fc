"""More mailboxes of the demo company, for the pictures: a few months of daily mail, by
chance, but the same chance every time.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Self

from ..demo import people
from ..demo.mail import Mail, compose
from ..demo.mailbox import Dovecot
from ..demo.people import Person
from ..demo.services import Gmail, Outlook

PASSWORD = "office"
GMAIL_UNITS = 60_000
"""What Gmail lets be asked a minute: ten times the usual, so that nobody waits."""

INFO = Person("Tallwood Furniture", "info@tallwood.example")
BERLIN = Person("Tallwood Berlin", "berlin@tallwood.example")
FACTORY = Person("Tallwood Factory", "factory@tallwood.example")

#: Whose mailbox it is: how many mails a working day, for how many days.
BOXES = {
    people.MIRA: (8, 88),
    people.JONAS: (10, 30),
    INFO: (14, 30),
    BERLIN: (6, 30),
    FACTORY: (4, 30),
}

CUSTOMERS = [
    people.BRANDON,
    people.NICOLE,
    people.WILLIE,
    people.DUNAGAN,
    people.HELLE,
    people.MCENCROE,
    people.LENA,
    people.SATO,
    people.OLE,
    people.CLAIRE,
    *(
        Person(name, f"{name.lower().replace(' ', '.')}{number}@example.com")
        for name, number in {
            "Addison Olson": 28,
            "Billy Fox": 45,
            "Chester Reed": 79,
            "Colleen Diaz": 83,
            "Douglas Fletcher": 51,
            "Dwayne Newman": 28,
            "Edith Sanchez": 68,
            "Edwin Hansen": 58,
            "Floyd Steward": 34,
            "Gordon Owens": 47,
            "Jesse Brown": 74,
            "Julie Richards": 84,
            "Kim Snyder": 96,
            "Lorraine Douglas": 35,
            "Oscar Morgan": 11,
            "Ron Gibson": 76,
            "Sandra Neal": 80,
            "Soham Palmer": 15,
            "Theodore Gardner": 36,
            "Tom Ruiz": 89,
            "Toni Rhodes": 11,
            "Travis Mendoza": 24,
        }.items()
    ),
]
STRANGERS = [
    people.RUI,
    people.SOPHIE,
    people.PRIYA,
    people.TANAKA,
    *(
        Person(f"{first} {last}", f"{first.lower()}@{last.lower()}-{trade}.example")
        for first, last, trade in (
            ("Ida", "Sommer", "interiors"),
            ("Marek", "Nowak", "bistro"),
            ("Aoife", "Byrne", "hotels"),
            ("Luca", "Ferri", "studio"),
            ("Noor", "Haddad", "events"),
            ("Elin", "Dahl", "cafe"),
            ("Pablo", "Rojas", "contract"),
            ("Grace", "Mbeki", "lodges"),
        )
    ),
]
PRIVATE = [
    Person("Elbe Bank", "service@elbe-bank.example"),
    Person("Praxis Dr. Lindner", "praxis@dr-lindner.example"),
    Person("Kita Sonnenschein", "team@kita-sonnenschein.example"),
]
MACHINES = [people.NEWS, people.PARCEL]
MACHINE = {"Auto-Submitted": "auto-generated", "Precedence": "bulk"}
SUBJECTS = (
    "Offer for the terrace",
    "Delivery in week {week}",
    "Fabric samples",
    "Invoice and payment",
    "Chairs for the new branch",
    "Appointment on site",
    "Spare parts for the oak table",
    "Colours of the spring range",
)
TEXT = "Thank you for your mail. You find all that we spoke about below."


class Office:
    """The servers that hold the mailboxes: Mira's is Gmail, Jonas' Microsoft 365."""

    def __init__(self, base: datetime):
        self.base = base
        self.gmail, self.outlook = Gmail(), Outlook()
        self.gmail.server.limit = GMAIL_UNITS
        self._held = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as held:
            folder = tempfile.TemporaryDirectory(prefix="easycrm_")
            users = {owner.address: PASSWORD for owner in BOXES}
            self.dovecot = Dovecot(Path(held.enter_context(folder)), users)
            held.enter_context(self.dovecot)
            for service in (self.gmail, self.outlook):
                service.start()
                held.callback(service.stop)
            for owner, (pace, days) in BOXES.items():
                for mail in _mails(owner, pace, days, self.base):
                    self._deliver(owner, mail)
            self._held = held.pop_all()
        return self

    def __exit__(self, *_exc) -> None:
        self._held.close()

    @property
    def environment(self) -> dict[str, str]:
        """What Odoo has to know about it."""
        return self.gmail.environment | self.outlook.environment

    @property
    def account(self) -> dict:
        """How accounts are filled in."""
        services = (self.gmail.account, self.outlook.account)
        parameters = [service["parameters"] for service in services]
        return {
            "imap_host": self.dovecot.host,
            "imap_port": self.dovecot.port,
            "imap_password": PASSWORD,
            "parameters": {
                **parameters[0],
                **parameters[1],
                "easycrm_mail.gmail_units": str(GMAIL_UNITS),
            },
        }

    def _deliver(self, owner: Person, mail: Mail) -> None:
        raw, when = compose(mail, [], self.base), mail.date(self.base)
        folder = "Sent" if mail.sender is owner else "INBOX"
        if service := {people.MIRA: self.gmail, people.JONAS: self.outlook}.get(owner):
            service.deliver(owner.address, raw, folder, when)
        else:
            self.dovecot.deliver(owner.address, raw, folder, seen=True, received=when)


def _mails(owner: Person, pace: int, days: int, base: datetime) -> Iterator[Mail]:
    chance = Random(owner.address)
    for day in range(days, -1, -1):
        weekday = (base.toordinal() - day) % 7  # 0 is a Sunday
        count = chance.randint(pace // 2, pace * 3 // 2)
        for number in range(count if 0 < weekday < 6 else count // 6):
            mail = _mail(owner, day, number, chance)
            if mail.date(base) <= base:
                yield mail


def _mail(owner: Person, day: int, number: int, chance: Random) -> Mail:
    colleagues = [
        one for one in (people.MIRA, people.JONAS, people.MITCHELL) if one is not owner
    ]
    (group,) = chance.choices(
        (CUSTOMERS, STRANGERS, colleagues, MACHINES, PRIVATE), (42, 30, 13, 11, 4)
    )
    other = chance.choice(group)
    is_sent = group in (CUSTOMERS, colleagues) and chance.random() < 0.4
    sender, receiver = (owner, other) if is_sent else (other, owner)
    subject = chance.choice(SUBJECTS).format(week=1 + chance.randrange(52))
    clock = f"{chance.randint(8, 17):02}:{chance.randint(0, 59):02}"
    return Mail(
        f"{owner.address.split('@')[0]}-{day}-{number}",
        f"{day}d {clock}",
        sender,
        [receiver],
        subject,
        TEXT,
        style="plain",
        headers=MACHINE if group is MACHINES else {},
    )
